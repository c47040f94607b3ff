#!/usr/bin/env python3
"""A run that a health rule ends, and goes on when the rule is changed, to train with everything that may be added to DPO.

    e2e_health.py BIN_FOLDER
"""

import json
import os
import pathlib
import shlex
import shutil
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
from loop import Loop  # noqa: E402

BIN = ""  # set by main


class Health(unittest.TestCase):
    def setUp(self):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="srlm_health_"))

    def tearDown(self):
        shutil.rmtree(self.path, ignore_errors=True)

    def test_a_rule_ends_the_run_which_names_its_best_model_and_goes_on_without_it(self):
        loop = Loop(BIN, self.path / "run")
        arguments = loop.run_arguments("tiny.yaml", "--set", "run.iterations=1", "--set", "dpo.loss=ipo", "--set",
                                       "dpo.length_normalised=true", "--set", "dpo.nll_weight=0.5", "--set",
                                       "dpo.mix=ift", "--set", "dpo.mix_share=1")
        ended = loop.srlm(*arguments, "--set", "health.rules=['mean_score < 6: stop', 'tie_rate > -1: warn']")
        self.assertEqual(ended.returncode, 1, ended.stdout + ended.stderr)
        for text in ["ended: round 1: mean_score is", "its best model is M1 (models/M1)", "go on with"]:
            self.assertIn(text, ended.stderr)
        status = json.loads(loop.output("status", loop.run_dir, "--json"))
        self.assertEqual(status["state"], "ended")
        self.assertIn("mean_score", status["message"])
        self.assertEqual(loop.fsck()["state"], "ended")
        warned = [row["message"] for row in loop.inspect("events") if row["event"] == "health"]
        self.assertEqual([message.split()[2] for message in warned], ["mean_score", "tie_rate"])
        self.assertIn("duplicate_rate", loop.output("inspect", loop.run_dir, "rounds"))
        answers = loop.inspect("candidates")

        # The line that it says to go on with, as it stands there.
        words = shlex.split(ended.stderr.splitlines()[-1])
        self.assertEqual([word for word in words if word.startswith("health.rules=")],
                         ['health.rules=["mean_score < 6: warn","tie_rate > -1: warn"]'])
        ended = loop.srlm(*words[1:])
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertEqual([row["text"] for row in loop.inspect("candidates")], [row["text"] for row in answers])
        self.assertEqual(loop.fsck()["state"], "done")
        health = loop.inspect("rounds")[-1]["health"]
        self.assertIn("chosen_logp_change", health)
        job = pathlib.Path(loop.run_dir, "jobs/dpo-1")
        steps = [row for row in map(json.loads, (job / "log.jsonl").read_text().splitlines()) if "loss" in row]
        self.assertTrue(steps)
        for row in steps:
            self.assertGreater(row["nll"], 0)
            self.assertGreater(row["sft_loss"], 0)
            # IPO's loss is the rest: small squares around (1 / (2 beta))^2 = 25.
            self.assertAlmostEqual(row["loss"] - 0.5 * row["nll"] - row["sft_loss"], 25, delta=5)
        mixed = (job / "mix.jsonl").read_text()
        (job / "mix.jsonl").write_text(mixed[1:])
        report = json.loads(loop.srlm("fsck", loop.run_dir, "--json").stdout)
        self.assertEqual([row["where"] for row in report["found"]], [str(job / "mix.jsonl")])
        self.assertEqual(loop.processes(), [])


if __name__ == "__main__":
    BIN = os.path.abspath(sys.argv.pop(1))
    unittest.main()
