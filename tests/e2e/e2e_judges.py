#!/usr/bin/env python3
"""Who judges and how: another model than the one that answers, with votes that can only be digits; templates of users;
a judge that cannot be read.

    e2e_judges.py BIN_FOLDER
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
from loop import FOLDER, Loop  # noqa: E402

BIN = ""  # set by main
JUDGE = FOLDER.parent / "reference/models/mistral"  # another tokenizer and chat template than the run's model
TEMPLATE = FOLDER / "data/judge_tiny.txt"
VOTES = 64


class Judges(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="srlm-e2e-")
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name)
        self.loop = Loop(BIN, self.path / "run")

    def srlm(self, *settings, loop=None, more=()):
        loop = loop or self.loop
        sets = [word for setting in ("run.iterations=1", *settings) for word in ("--set", setting)]
        return loop.srlm(*loop.run_arguments("tiny.yaml", *sets, *more))

    def judge(self, items):
        """`srlm-worker judge` of these items: the judge's expected scores."""
        path, out = self.path / "items.jsonl", self.path / "judged.jsonl"
        path.write_text("".join(json.dumps(item) + "\n" for item in items))
        ended = subprocess.run([f"{BIN}/srlm-worker", "judge", "--model", str(JUDGE), "--items", str(path), "--out",
                                str(out), "--verdict", "expected", "--template", str(TEMPLATE), "--threads", "1"],
                               timeout=120, text=True, capture_output=True, stdin=subprocess.DEVNULL)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        return [json.loads(line) for line in out.read_text().splitlines()]

    def test_votes_are_digits_drawn_from_the_fixed_judges_probabilities(self):
        digit = [f"judge.model={JUDGE}", "judge.verdict=digit", f"judge.votes={VOTES}", "judge.temperature=1"]
        ended = self.srlm(*digit)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        prompts = {row["prompt_id"]: row["prompt"] for row in self.loop.inspect("prompts")
                   if row["state"] == "answered"}
        rows = self.loop.inspect("candidates")
        judged = self.judge([{"id": f"{i}", "prompt": prompts[row["prompt_id"]], "response": row["text"]}
                             for i, row in enumerate(rows)])
        counts, expected = [0] * 6, [0.0] * 6
        for row, judgement in zip(rows, judged):
            scores = [vote["score"] for vote in row["votes"]]
            self.assertEqual(len(scores), VOTES)
            self.assertAlmostEqual(row["score"], sum(scores) / VOTES)
            for vote in row["votes"]:
                self.assertEqual(vote["text"], f"Score: {vote['score']:.0f}")
                counts[int(vote["score"])] += 1
            expected = [sum(pair) for pair in zip(expected, (VOTES * p for p in judgement["probabilities"]))]
        total = VOTES * len(rows)
        for there, wanted in zip(counts, expected):
            deviation = (wanted * (1 - wanted / total)) ** 0.5
            self.assertLess(abs(there - wanted), 5 * deviation + 1, (counts, expected))
        self.loop.fsck()  # each vote is by the judge, each candidate by the run's model
        models = {row["model_id"] for row in rows}
        self.assertEqual(models, {row["model_id"] for row in self.loop.inspect("rounds") if row["model"] == "M1"})

        # The draws are counted: other batches and another number of workers draw the same.
        other = Loop(BIN, self.path / "other")
        ended = self.srlm(*digit, "workers.replicas=1", "workers.max_batch=1", loop=other)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertEqual(other.digest(), self.loop.digest())

    def test_a_template_without_its_variables_is_named_before_anything_is_done(self):
        template = self.path / "mine.txt"
        for text, words in (("Judge {response}. Score: <0 to 5>", ["mine.txt", "{prompt} is missing"]),
                            ("{prompt} {response} {response} Score:", ["mine.txt", "{response} stands more than once"]),
                            ("", ["mine.txt", "is missing"])):
            template.write_text(text)
            ended = self.srlm(f"judge.template={template}", more=["--check"])
            self.assertEqual(ended.returncode, 1, text)
            for word in words:
                self.assertIn(word, ended.stderr)
        ended = self.srlm(f"judge.template={self.path}/none.txt", more=["--check"])
        self.assertEqual(ended.returncode, 1)
        self.assertIn("judge.template: ", ended.stderr)
        template.write_text("Is {response} an answer to {prompt}?\nScore: <0 to 5>\n")
        self.assertEqual(self.srlm(f"judge.template={template}", more=["--check"]).returncode, 0)

    def test_a_judge_that_cannot_be_read_pauses_the_run_and_is_shown(self):
        ended = self.srlm("judge.verdict=sampled", "judge.max_new_tokens=8")
        self.assertEqual(ended.returncode, 1)
        self.assertIn("sampled votes could be read", ended.stderr)
        texts = [vote["text"] for row in self.loop.inspect("candidates") for vote in row["votes"]
                 if vote["score"] is None]
        shown = [line for line in ended.stderr.splitlines() if line.startswith("  vote ")]
        self.assertEqual(len(shown), 5)
        self.assertGreater(len(texts), 5)
        self.assertEqual(self.loop.fsck()["state"], "paused")


if __name__ == "__main__":
    BIN = os.path.abspath(sys.argv.pop(1))
    unittest.main()
