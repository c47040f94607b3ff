#!/usr/bin/env python3
"""A model that compares its own judgements, with real workers and trainers: a random tiny model that supervised
fine-tuning teaches to end with a score and with a verdict, whatever it is asked.

    e2e_meta.py BIN_FOLDER
"""

import json
import math
import os
import pathlib
import random
import signal
import sqlite3
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True
FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent / "faults"))
from faulty_run import FaultyRun, send  # noqa: E402

BIN = ""  # set by main
VOTES, SHARE = 4, 0.4
JUDGE, META = (FOLDER / "data" / name for name in ("judge_tiny.txt", "meta_tiny.txt"))
PROMPTS = ("Name a tree.", "Say bye.", "Is fire hot?", "Name a fish.", "What do cows eat?", "Name a number.")
ANSWERS = ("Oak.", "Bye!", "Yes.", "A cod.", "Grass.", "Seven.")


def lessons(path):
    """SFT rows: answers, judgements with any score, comparisons with any verdict."""
    drawn = random.Random(1)
    judge, meta = JUDGE.read_text().rstrip("\n"), META.read_text().rstrip("\n")
    rows = []
    for i in range(120):
        asked, answer = drawn.choice(PROMPTS), drawn.choice(ANSWERS)
        if i % 6:
            asked = judge.replace("{prompt}", asked).replace("{response}", answer)
            said = [f"{drawn.choice(['Ok', 'No', 'So'])}.\nScore: {drawn.randint(0, 5)}" for _ in range(2)]
            answer = said[0]
        if i % 6 in (4, 5):
            asked = meta.replace("{judge_prompt}", asked).replace("{judgement_a}", said[0])
            asked = asked.replace("{judgement_b}", said[1])
            answer = f"Verdict: [[{drawn.choice('AB')}]]"
        rows.append({"messages": [{"role": "user", "content": asked}, {"role": "assistant", "content": answer}]})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def scores(wins):
    """Elo scores by bisection of the derivative of each in turn."""
    scores = [0.0] * len(wins)
    share = lambda x: 1 / (1 + math.exp(-x))
    for _ in range(300):
        for m in range(len(wins)):
            low, high = -40.0, 40.0
            for _ in range(60):
                at = (low + high) / 2
                rises = sum(wins[m][n] * share(scores[n] - at) - wins[n][m] * share(at - scores[n])
                            for n in range(len(wins)) if n != m) > 0.01 * at
                low, high = (at, high) if rises else (low, at)
            scores[m] = at
        scores = [score - sum(scores) / len(scores) for score in scores]  # where they must end; alone they go there slowly
    return scores


class Meta(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="srlm-e2e-")
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name)
        lessons(self.path / "ift.jsonl")

    def run_of(self, name, *more):
        settings = ["run.iterations=1", f"data.ift={self.path}/ift.jsonl", "data.evaluation=", "prompts.per_round=8",
                    "prompts.new_per_round=0", "judge.verdict=sampled", f"judge.votes={VOTES}", "judge.temperature=1",
                    "judge.top_p=1", "judge.max_new_tokens=24", "meta_judge.enabled=true",
                    f"meta_judge.template={META}", f"meta_judge.max_share={SHARE}", "meta_judge.max_new_tokens=24",
                    "sft.learning_rate=1.0e-2", "sft.final_learning_rate=1.0e-3", "sft.global_batch=8", "sft.epochs=8",
                    "pairs.min_pairs_per_round=1", "coordinator.lease_timeout_s=2", "coordinator.relaunch_backoff_s=0.2",
                    *more]
        run = FaultyRun(BIN, self.path / name, *(word for each in settings for word in ("--set", each)),
                        config=FOLDER / "tiny.yaml")
        self.addCleanup(run.end)
        return run

    def finish(self, run):
        self.assertEqual(run.wait(400), 0, run.says.read_text())

    def await_phase(self, run, words):
        """Until the present life's output has the words."""
        seen = run.says.read_text().count(words)
        end = time.monotonic() + 200
        while run.says.read_text().count(words) == seen and time.monotonic() < end:
            self.assertIsNone(run.life.poll(), run.says.read_text())
            time.sleep(0.01)

    def test_the_best_judgement_against_the_worst_is_trained_on(self):
        run = self.run_of("run")
        run.start()
        self.finish(run)
        run.fsck()
        rows = run.inspect("judge_pairs")
        self.assertEqual(len(rows), 8)
        compared = [each for row in rows for each in row["comparisons"]]
        first = sum(each["verdict"] == "a" for each in compared)
        second = sum(each["verdict"] == "b" for each in compared)
        weights = {"a": second / (first + second), "b": first / (first + second)}
        votes = {(row["prompt_id"], row["sample"]): row["votes"] for row in run.inspect("candidates")}
        made = [row for row in rows if row["outcome"] == "paired"]
        self.assertTrue(made, rows)
        for row in rows:
            if row["outcome"] not in ("paired", "over_share"):
                continue
            judged = [vote["vote"] for vote in votes[row["prompt_id"], row["sample"]] if vote["state"] == "parsed"]
            self.assertEqual(len(row["comparisons"]), len(judged) * (len(judged) - 1))
            wins = [[0.0] * len(judged) for _ in judged]
            for each in row["comparisons"]:
                a, b = judged.index(each["first"]), judged.index(each["second"])
                if each["verdict"] in weights:
                    winner, loser = (a, b) if each["verdict"] == "a" else (b, a)
                    wins[winner][loser] += weights[each["verdict"]]
            elo = dict(zip(judged, scores(wins)))
            self.assertAlmostEqual(row["chosen_elo"], max(elo.values()), delta=1e-5)
            self.assertAlmostEqual(row["rejected_elo"], min(elo.values()), delta=1e-5)
            self.assertAlmostEqual(row["chosen_elo"], elo[row["chosen_vote"]], delta=1e-5)
            self.assertAlmostEqual(row["rejected_elo"], elo[row["rejected_vote"]], delta=1e-5)
        summary = run.inspect("rounds")[1]
        self.assertEqual(summary["judge_pairs"], len(made))
        self.assertLessEqual(len(made), SHARE * (len(made) + summary["pairs"]) + 1e-9)
        self.assertIn(f"{summary['pairs']} + {len(made)}", run.output("inspect", run.run_dir, "rounds"))

        data = [json.loads(line) for line in
                pathlib.Path(run.run_dir, "jobs/dpo-1/data.jsonl").read_text(encoding="utf-8").splitlines()]
        self.assertEqual(len(data), summary["pairs"] + len(made))
        exported = run.rows("export", run.run_dir, "judge_pairs")
        for row, job, out in zip(made, data[summary["pairs"]:], exported, strict=True):
            self.assertIn("End with: Score: <0 to 5>", row["prompt"])
            self.assertEqual(job["prompt_token_ids"], row["prompt_token_ids"])
            self.assertEqual(job["chosen_token_ids"], row["chosen_token_ids"])
            self.assertEqual(out["prompt"], [{"role": "user", "content": row["prompt"]}])
            self.assertEqual(out["chosen"], [{"role": "assistant", "content": row["chosen"]}])
            self.assertEqual(out["rejected_token_ids"], job["rejected_token_ids"])
        self.assertIn("has Elo", run.output("inspect", run.run_dir, "judge_pairs"))
        self.killed_and_paused_while_it_compares_it_ends_the_same(run.digest())

    def killed_and_paused_while_it_compares_it_ends_the_same(self, digest):
        run = self.run_of("struck", "workers.max_batch=1")
        run.start()
        self.await_phase(run, "compare judgements: begins")
        while not self.compared(run) and run.life.poll() is None:
            time.sleep(0.05)
        send(run.life.pid, signal.SIGKILL)
        run.life.wait()
        before = self.stored(run)
        self.assertGreater(before, 0)
        run.start()
        self.await_phase(run, "compare judgements: begins")
        ended = run.srlm("pause", run.run_dir, "--reason", "a test")
        self.assertEqual(ended.returncode, 0, ended.stderr)
        ended = run.srlm("resume", run.run_dir)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.finish(run)
        self.assertLess(before, self.stored(run))  # it was killed before all was compared
        self.assertEqual(run.digest(), digest)
        self.assertEqual(run.await_none(5), [])

    def compared(self, run):
        """Whether some comparisons are stored, as the run's status says."""
        ended = run.srlm("status", run.run_dir, "--json")
        progress = json.loads(ended.stdout)["progress"] if ended.returncode == 0 else {}
        return progress.get("phase") == "meta_judge" and int(progress.get("done", 0)) > 0

    def stored(self, run):
        with sqlite3.connect(f"{run.run_dir}/ledger.sqlite") as ledger:  # takes back a commit that a death left
            count = ledger.execute("SELECT count(*) FROM meta_votes").fetchone()[0]
        ledger.close()
        return count

    def test_comparisons_that_cannot_be_read_pause_the_run(self):
        run = self.run_of("run", "meta_judge.max_new_tokens=4")
        run.start()
        self.assertEqual(run.wait(400), 1, run.says.read_text())
        says = run.says.read_text()
        self.assertIn("comparisons of judgements ended with [[A]], [[B]] or [[C]]", says)
        self.assertEqual(len([line for line in says.splitlines() if line.startswith("  vote ")]), 5, says)
        self.assertEqual(run.fsck()["state"], "paused")

    def test_what_cannot_be_compared_is_refused_before_anything_is_done(self):
        template = self.path / "mine.txt"
        template.write_text("{judgement_a} or {judgement_b}?")
        for setting, words in (("judge.verdict=digit", ["meta_judge.enabled", "judge.verdict: digit gives none"]),
                               ("judge.verdict=expected", ["judge.verdict: expected gives none"]),
                               ("judge.votes=1", ["judge.votes is 1"]),
                               (f"judge.model={FOLDER.parent}/reference/models/mistral", ["judge.model is another one"]),
                               ("pairs.rule=positive", ["set another rule"]),
                               (f"meta_judge.template={template}", ["mine.txt", "{judge_prompt} is missing"])):
            run = self.run_of("refused", setting)
            run.start("--check")
            self.assertEqual(run.wait(60), 1, setting)
            for word in words:
                self.assertIn(word, run.says.read_text())
            self.assertFalse(pathlib.Path(run.run_dir).exists())


if __name__ == "__main__":
    BIN = os.path.abspath(sys.argv.pop(1))
    unittest.main()
