#!/usr/bin/env python3
"""srlm evaluate and srlm compare on a run of a random tiny model: their figures are those of the rows that they judged,
and of the run itself; wrong data is refused by name.

    e2e_measure.py BIN_FOLDER
"""

import hashlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True
from loop import FOLDER, Loop  # noqa: E402

BASE = FOLDER.parent / "reference/models/smollm2"
RANKED = FOLDER / "data/evaluation_tiny.jsonl"
BIN = ""  # set by main


def rows_of(path):
    return [json.loads(line) for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines()]


class Measure(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="srlm-e2e-")
        cls.addClassCleanup(cls.folder.cleanup)
        cls.path = pathlib.Path(cls.folder.name)
        cls.loop = Loop(BIN, cls.path / "run")
        ended = cls.loop.srlm(*cls.loop.run_arguments("tiny.yaml", "--set", "run.iterations=1"))
        assert ended.returncode == 0, ended.stderr + ended.stdout
        cls.prompts = cls.write("prompts.jsonl", [{"prompt_id": f"p{i}", "prompt": f"Say the number {i} in words."}
                                                  for i in range(8)])

    @classmethod
    def write(cls, name, rows):
        path = cls.path / name
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return str(path)

    def measured(self, *arguments):
        return json.loads(self.loop.output(*arguments, "--json", "--threads", "1"))

    def fails(self, pattern, *arguments):
        with self.subTest(arguments=arguments):
            ended = self.loop.srlm(*map(str, arguments))
            self.assertEqual(ended.returncode, 1, ended.stderr + ended.stdout)
            self.assertRegex(ended.stderr, pattern)

    def test_a_runs_models_are_measured_as_the_run_did(self):
        result = self.measured("evaluate", self.loop.run_dir, "--data", str(RANKED))
        self.assertEqual([model["model"].rsplit(":")[-1] for model in result["models"]], ["M1", "M2"])
        for model, row in zip(result["models"], self.loop.inspect("rounds")):
            self.assertEqual(model["model_id"], row["model_id"])
            for figure in ("pairwise_accuracy", "pairwise_accuracy_length_matched", "exact_match", "five_best",
                           "spearman", "longer_wins"):
                self.assertEqual(model["judge"][figure], row["judge"][figure], figure)
        first, second = result["models"]
        self.assertNotIn("judge_gain", first)
        for figure, gain in second["judge_gain"].items():
            self.assertAlmostEqual(gain["value"], second["judge"][figure]["value"] - first["judge"][figure]["value"], 9)
        stored = list((self.path / "run/evaluations").glob("evaluate-*.json"))
        self.assertIn(result, [json.loads(path.read_text()) for path in stored])
        self.measured("evaluate", f"{self.loop.run_dir}:M1", "--data", str(RANKED))  # another question: both are kept
        self.assertEqual(len(list((self.path / "run/evaluations").glob("evaluate-*.json"))), len(stored) + 1)
        self.assertEqual(self.loop.fsck()["state"], "done")

    def test_likelihood_lengths_and_variety(self):
        held_out = self.write("held_out.jsonl", [{"prompt": "Name a tree of the north.", "response": "A birch."},
                                                 {"prompt": "Name a sea.", "completion": "The Baltic Sea."}])
        out = self.path / "result.json"
        text = self.loop.output("evaluate", str(BASE), f"{self.loop.run_dir}:M1", "--held-out", held_out, "--prompts",
                                self.prompts, "--max-new-tokens", "8", "--out", str(out), "--threads", "1")
        for words in ("log-probability a token", "distinct-1", str(BASE), ":M1"):
            self.assertIn(words, text)
        models = json.loads(out.read_text())["models"]
        items, logprobs = self.path / "items.jsonl", self.path / "logprobs.jsonl"
        items.write_text(json.dumps({"prompt": "Name a tree of the north.", "response": "A birch."}) + "\n"
                         + json.dumps({"prompt": "Name a sea.", "response": "The Baltic Sea."}) + "\n")
        subprocess.run([f"{BIN}/srlm-worker", "logprobs", "--model", BASE, "--items", items, "--out", logprobs],
                       check=True, timeout=60, capture_output=True, stdin=subprocess.DEVNULL)
        rows = rows_of(logprobs)
        wanted = sum(row["logprob"] for row in rows) / sum(len(row["token_ids"]) for row in rows)
        figure = models[0]["held_out"]["logprob_per_token"]
        self.assertAlmostEqual(figure["value"], wanted, places=9)
        self.assertTrue(figure["low"] <= figure["value"] <= figure["high"])
        self.assertEqual(figure["n"], 2)
        for model in models:
            self.assertEqual(model["answers"]["answers"], 8)
            self.assertTrue(0 < model["answers"]["tokens"]["value"] <= 8)
            self.assertTrue(0 < model["answers"]["distinct_1"] <= 1)
            # None: each answer is one word.
            self.assertTrue(model["answers"]["distinct_2"] is None or 0 < model["answers"]["distinct_2"] <= 1)

    def test_a_comparison_is_the_sum_of_its_rows(self):
        rows_file = self.path / "rows.jsonl"
        result = self.measured("compare", f"{self.loop.run_dir}:M1", f"{self.loop.run_dir}:M2", "--judge", str(BASE),
                               "--prompts", self.prompts, "--max-new-tokens", "8", "--rows", str(rows_file))
        rows = rows_of(rows_file)
        self.assertEqual([row["prompt_id"] for row in rows], [f"p{i}" for i in range(8)])
        figures = result["head_to_head"]
        for figure, verdict in (("win", "a"), ("tie", "tie"), ("lose", "b")):
            share = sum(row["verdict"] == verdict for row in rows) / 8
            self.assertAlmostEqual(figures[figure]["value"], share)
            self.assertTrue(figures[figure]["low"] <= share <= figures[figure]["high"])
        self.assertAlmostEqual(figures["preference"]["value"], sum(row["prefers_a"] for row in rows) / 8)
        self.assertEqual(figures["judged"]["value"], 1)
        self.assertNotEqual([row["answer_a"] for row in rows], [row["answer_b"] for row in rows])
        self.assertEqual(len(list((self.path / "run/evaluations").glob("compare-*.json"))), 1)
        self.assertIn("win rate of A, length-controlled",
                      self.loop.output("compare", str(BASE), str(BASE), "--judge", str(BASE), "--prompts", self.prompts,
                                       "--max-new-tokens", "4", "--limit", "2"))

    def test_a_model_against_itself_is_a_tie(self):
        result = self.measured("compare", str(BASE), str(BASE), "--judge", f"{self.loop.run_dir}:M2", "--prompts",
                               self.prompts, "--max-new-tokens", "8")
        self.assertEqual(result["head_to_head"]["tie"]["value"], 1)
        self.assertAlmostEqual(result["head_to_head"]["preference"]["value"], 0.5)

    def test_another_template_in_the_same_file_is_another_question(self):
        template = self.path / "template.txt"
        stored = []
        for words in ("Rate {response} to {prompt}. Score 0 to 5.", "Grade {response} to {prompt}. Score 0 to 5."):
            template.write_text(words)
            result = self.measured("evaluate", f"{self.loop.run_dir}:M1", "--data", str(RANKED), "--limit", "4",
                                   "--template", str(template))
            self.assertEqual(result["asked"]["judging"]["template"],
                             {"path": str(template), "sha256": hashlib.sha256(words.encode()).hexdigest()})
            stored.append(len(list((self.path / "run/evaluations").iterdir())))
        self.assertEqual(stored[1], stored[0] + 1)

    def test_what_is_measured_stays_when_the_rest_fails(self):
        broken, out = self.path / "broken", self.path / "failing.json"
        broken.mkdir()
        (broken / "config.json").write_text("{}")
        (broken / "model.safetensors").write_text("")
        self.fails(r"what there is until now is in .*failing\.json\.partial", "evaluate", BASE, broken, "--data", RANKED,
                   "--out", out)
        self.assertFalse(out.exists())
        first, second = json.loads((self.path / "failing.json.partial").read_text())["models"]
        self.assertIn("pairwise_accuracy", first["judge"])
        self.assertNotIn("judge", second)
        rows = self.path / "failing.jsonl"
        self.fails(r"failing\.jsonl\.partial", "compare", BASE, BASE, "--judge", broken, "--prompts", self.prompts,
                   "--max-new-tokens", "4", "--rows", rows)
        self.assertFalse(rows.exists())
        self.assertEqual(len(rows_of(f"{rows}.partial")), 8)

    def test_a_place_that_cannot_be_written_is_said_before_anything_is_measured(self):
        evaluations, aside = self.path / "run/evaluations", self.path / "aside"
        evaluations.mkdir(exist_ok=True)
        evaluations.rename(aside)
        evaluations.write_text("")
        try:
            for call in (("evaluate", f"{self.loop.run_dir}:M1", "--data", RANKED),
                         ("compare", f"{self.loop.run_dir}:M1", BASE, "--judge", BASE, "--prompts", self.prompts)):
                self.fails("^srlm: .*run/evaluations", *call)
        finally:
            evaluations.unlink()
            aside.rename(evaluations)
        self.fails("^srlm: .*none/out", "evaluate", BASE, "--data", RANKED, "--out", self.path / "none/out")

    def test_what_the_run_was_trained_on_is_refused(self):
        trained = rows_of(FOLDER / "data/ift_tiny.jsonl")[0]["messages"][0]["content"]
        row = {"prompt_id": "t", "prompt": f"  {trained.upper()} "}
        mixed = self.write("mixed.jsonl", [row, {"prompt_id": "new", "prompt": "Say it in Latin."}])
        call = ("evaluate", f"{self.loop.run_dir}:M1", "--max-new-tokens", "4", "--prompts")
        self.fails(r"mixed\.jsonl: 1 of 2 prompts overlap (.|\n)*is data\.ift, line 1", *call, mixed)
        left = self.measured(*call, mixed, "--overlap", "leave-out")
        self.assertEqual((left["models"][0]["answers"]["answers"], left["asked"]["prompts"]["left_out"]), (1, 1))
        self.assertEqual(self.measured(*call, mixed, "--overlap", "allow")["models"][0]["answers"]["answers"], 2)
        self.fails("none is left", *call, self.write("all.jsonl", [row]), "--overlap", "leave-out")
        written = next(row for row in self.loop.inspect("prompts") if row["state"] == "answered")
        asked = self.write("asked.jsonl", [{"prompt_id": "w", "prompt": written["prompt"]}])
        self.fails(r"asked\.jsonl: 1 of 1 prompts overlap", *call, asked)
        self.measured("evaluate", str(BASE), "--max-new-tokens", "4", "--prompts", mixed)  # a folder has no past

    def test_wrong_data_and_names_are_refused(self):
        ranked = {"prompt_id": "a", "prompt": "Name a lake.", "response": "Ladoga.", "score": 1}
        call = ("evaluate", BASE, "--data")
        self.fails("each of its 1 prompts has one answer", *call, self.write("one.jsonl", [ranked]))
        self.fails("same quality_score", *call, self.write("same.jsonl", [ranked, {**ranked, "response": "Onega."}]))
        no_score = {key: value for key, value in ranked.items() if key != "score"}
        self.fails(r"no_score\.jsonl:1: .*quality_score", *call, self.write("no_score.jsonl", [no_score]))
        self.fails(r"\{response\} is missing", *call, RANKED, "--template", self.write("t.txt", [{"p": "{prompt}"}]))
        self.fails(r"it has M0, M1, M2", "evaluate", f"{self.loop.run_dir}:M7", "--data", RANKED)
        self.fails("neither a model folder nor a run", "evaluate", self.path / "nothing", "--data", RANKED)
        compare = ("compare", BASE, self.loop.run_dir, "--prompts", self.prompts, "--judge", BASE)
        self.fails("say which of its models", *compare)
        compare = ("compare", BASE, f"{self.loop.run_dir}:M2", "--prompts", self.prompts, "--judge", BASE)
        self.fails(r"\{response_a\} is missing", *compare, "--template", self.path / "t.txt")
        self.fails(r"none of 8 comparisons has a verdict(.|\n)*Its first words:\n  \"", *compare, "--verdict", "sampled",
                   "--votes", "1", "--judge-tokens", "4", "--max-new-tokens", "4")

    def test_ranks_that_share_a_model_measure_what_one_does(self):
        call = ("evaluate", f"{self.loop.run_dir}:M1", "--data", str(RANKED))
        one = self.measured(*call)["models"][0]["judge"]
        three = self.measured(*call, "--tensor-parallel", "3")["models"][0]["judge"]
        for figure in ("pairwise_accuracy", "exact_match", "spearman"):
            self.assertAlmostEqual(one[figure]["value"], three[figure]["value"], 6, figure)
        self.fails("2 ranks cannot share a model of 3 heads", "evaluate", BASE, "--data", RANKED, "--tensor-parallel", 2)

    def test_a_stop_ends_the_worker_too(self):
        errors = self.stopped(signal.SIGTERM, 1)
        self.assertIn("stopped", errors)
        self.assertEqual(self.loop.processes(), [])

    def test_a_worker_does_not_outlive_a_command_that_is_killed(self):
        for flags in ([], ["--tensor-parallel", "3"]):
            with self.subTest(flags=flags):
                self.stopped(signal.SIGKILL, -signal.SIGKILL, *flags)
                deadline = time.monotonic() + 20
                while self.loop.processes():
                    self.assertLess(time.monotonic(), deadline)

    def stopped(self, by, code, *flags):
        """Stops a measurement while its worker runs. Gives what it said."""
        many = self.write("many.jsonl", [{"prompt_id": i, "prompt": f"Count from {i}."} for i in range(2000)])
        process = subprocess.Popen([f"{BIN}/srlm", "evaluate", f"{self.loop.run_dir}:M1", "--prompts", many, *flags],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        deadline = time.monotonic() + 60
        while not any(re.search("srlm-worker generate", words) for _, words in self.loop.processes()):
            self.assertLess(time.monotonic(), deadline)
            self.assertIsNone(process.poll())
        process.send_signal(by)
        _, errors = process.communicate(timeout=60)
        self.assertEqual(process.returncode, code)
        return errors


if __name__ == "__main__":
    BIN = os.path.abspath(sys.argv.pop(1))
    unittest.main()
