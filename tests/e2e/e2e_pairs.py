#!/usr/bin/env python3
"""The other ways to make pairs, with real workers and trainers on a random tiny model: answers of M0 that are rejected,
labels by the likelihoods of two models, pairs of earlier rounds; and good answers alone.

    e2e_pairs.py BIN_FOLDER
"""

import json
import math
import os
import pathlib
import sqlite3
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
from loop import Loop  # noqa: E402

CONFIG = "tiny.yaml"
BIN = ""  # set by main


class OtherPairs(unittest.TestCase):
    def run_with(self, *values):
        folder = tempfile.TemporaryDirectory(prefix="srlm-e2e-")
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name)
        loop = Loop(BIN, self.path / "run")
        sets = [word for value in values for word in ("--set", value)]
        ended = loop.srlm(*loop.run_arguments(CONFIG, *sets))
        self.assertEqual(ended.returncode, 0, ended.stderr + ended.stdout)
        loop.fsck()
        self.assertEqual(loop.processes(), [])
        return loop

    def job_rows(self, loop, job):
        return [json.loads(line) for line in
                pathlib.Path(loop.run_dir, "jobs", job, "data.jsonl").read_text(encoding="utf-8").splitlines()]

    def test_rejected_answers_of_m0_labels_of_two_models_and_earlier_pairs(self):
        loop = self.run_with("pairs.rule=anchored", "pairs.anchor=M0", "pairs.anchor_samples=2",
                             "pairs.max_per_prompt=2", "pairs.soft_labels=cream", "pairs.earlier_share=0.25",
                             "pairs.min_pairs_per_round=1")
        pairs = [row for row in loop.inspect("pairs") if "chosen" in row]
        for row in pairs:
            self.assertLess(row["chosen_sample"], 3)
            self.assertGreaterEqual(row["rejected_sample"], 3)
            self.assertGreater(row["chosen_score"], row["rejected_score"])
        own = sum(row["round"] == 2 for row in pairs)
        rows = self.job_rows(loop, "dpo-2")
        self.assertEqual(len(rows), own + min(round(own / 3), len(pairs) - own))
        label = {row["chosen_probability"] for row in rows[:own]}
        consistencies = {row["prompt_id"]: row["consistency"] for row in loop.inspect("pairs", "--round", "2")}
        self.assertEqual(len(label), 1)
        exported = {row["chosen_probability"] for row in loop.rows("export", loop.run_dir, "pairs", "--round", "2")}
        self.assertEqual(exported, label)
        self.assertAlmostEqual(label.pop(), sum(consistencies.values()) / len(consistencies))
        self.check_likelihoods(loop)

    def check_likelihoods(self, loop):
        """M1 on the answers of round 2, computed anew from the files."""
        with sqlite3.connect(f"file:{loop.run_dir}/ledger.sqlite?mode=ro", uri=True) as ledger:
            stored = ledger.execute("SELECT p.prompt_id, l.sample, l.logprob FROM likelihoods l JOIN prompts p "
                                    "USING (round, position) WHERE l.round = 2").fetchall()
        ledger.close()
        prompts = {row["prompt_id"]: row for row in loop.inspect("prompts", "--round", "2") if "prompt_id" in row}
        answers = {(row["prompt_id"], row["sample"]): row for row in loop.inspect("candidates", "--round", "2")}
        self.assertEqual(len(stored), 3 * len(prompts))
        items, out = self.path / "items.jsonl", self.path / "logprobs.jsonl"
        items.write_text("".join(json.dumps(
            {"id": f"{prompt}/{sample}", "prompt": prompts[prompt]["prompt"],
             "response": answers[prompt, sample]["text"], "prompt_token_ids": prompts[prompt]["prompt_token_ids"],
             "response_token_ids": answers[prompt, sample]["token_ids"]}) + "\n" for prompt, sample, _ in stored))
        ended = subprocess.run([f"{BIN}/srlm-worker", "logprobs", "--model", f"{loop.run_dir}/models/M1", "--items",
                                str(items), "--out", str(out)], timeout=120, text=True, capture_output=True,
                               stdin=subprocess.DEVNULL)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        computed = {row["id"]: row["logprob"] for row in map(json.loads, out.read_text().splitlines())}
        for prompt, sample, logprob in stored:
            self.assertAlmostEqual(computed[f"{prompt}/{sample}"], logprob, delta=1e-9)
            self.assertFalse(math.isclose(logprob, answers[prompt, sample]["logprob"]))  # of another model

    def test_good_answers_alone(self):
        loop = self.run_with("run.iterations=1", "pairs.rule=positive", "pairs.positive_min_score=0.5")
        good = [row for row in loop.inspect("candidates") if row["score"] >= 0.5]
        self.assertEqual(len(self.job_rows(loop, "sft-1")), len(good))
        self.assertEqual(len(loop.rows("export", loop.run_dir, "sft")), len(good))
        self.assertEqual(loop.rows("export", loop.run_dir, "pairs"), [])
        first = loop.inspect("rounds")[1]
        self.assertEqual((first["model"], first["pairs"], first["margin"]), ("M2", len(good), None))
        self.assertTrue(loop.output("inspect", loop.run_dir, "pairs"))


if __name__ == "__main__":
    BIN = os.path.abspath(sys.argv.pop(1))
    unittest.main()
