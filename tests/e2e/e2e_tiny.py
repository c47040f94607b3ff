#!/usr/bin/env python3
"""The whole loop with real workers and trainers on a random tiny model: every row is there once, the commands show it,
and a run that was interrupted or killed goes on.

    e2e_tiny.py BIN_FOLDER
"""

import json
import math
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True
from loop import FOLDER, Loop  # noqa: E402

CONFIG = "tiny.yaml"
SAMPLES = 3
BIN = ""  # set by main


class FinishedRun(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="srlm-e2e-")
        cls.addClassCleanup(cls.folder.cleanup)
        cls.path = pathlib.Path(cls.folder.name)
        cls.loop = Loop(BIN, cls.path / "run")
        cls.ended = cls.loop.srlm(*cls.loop.run_arguments(CONFIG))
        assert cls.ended.returncode == 0, cls.ended.stderr + cls.ended.stdout

    def test_it_shows_its_phases_as_plain_lines_and_ends_with_the_table(self):
        out = self.ended.stdout
        self.assertNotIn("\r", out)
        self.assertNotIn("\x1b", out)
        for words in ("supervised fine-tuning", "DPO", "evaluate the judge", "pairwise accuracy", "srlm inspect ",
                      "models"):
            self.assertIn(words, out)

    def test_the_rounds_have_what_the_configuration_asks_for(self):
        rounds = self.loop.inspect("rounds")
        self.assertEqual([row["model"] for row in rounds], ["M1", "M2", "M3"])
        for row in rounds[1:]:
            self.assertEqual(row["candidates"], row["prompts"] * SAMPLES)
            self.assertGreaterEqual(row["pairs"], 2)
            self.assertAlmostEqual(row["first_loss"], math.log(2), delta=1e-4)
            self.assertGreater(row["mean_length"], 0)
        for row in rounds:
            self.assertEqual(row["judge"]["pairwise_accuracy"]["n"], 3)
        self.assertEqual(len({row["model_id"] for row in rounds}), 3)

    def test_every_candidate_is_there_once_with_its_vote(self):
        candidates = self.loop.inspect("candidates")
        keys = [(row["round"], row["prompt_id"], row["sample"]) for row in candidates]
        wanted = [(row["round"], row["prompt_id"], sample) for row in self.loop.inspect("prompts")
                  if row["state"] == "answered" for sample in range(SAMPLES)]
        self.assertEqual(sorted(keys), sorted(wanted))
        for row in candidates:
            self.assertTrue(row["token_ids"])
            self.assertTrue(0 <= row["score"] <= 5, row)
            self.assertEqual([vote["score"] for vote in row["votes"]], [row["score"]], row)

    def test_pairs_are_exported_as_trl_reads_them(self):
        pairs = [row for row in self.loop.inspect("pairs") if "chosen" in row]
        rows = self.loop.rows("export", self.loop.run_dir, "pairs")
        self.assertEqual(len(rows), len(pairs))
        for row in rows:
            self.assertEqual([message["role"] for message in row["prompt"] + row["chosen"] + row["rejected"]],
                             ["user", "assistant", "assistant"])
            self.assertGreater(row["chosen_score"], row["rejected_score"])
            self.assertTrue(row["prompt_token_ids"] and row["chosen_token_ids"] and row["rejected_token_ids"])
        sft = self.path / "sft.jsonl"
        self.loop.output("export", self.loop.run_dir, "sft", "--out", str(sft), "--round", "2")
        wanted = sum(row["round"] == 2 for row in rows)
        self.assertEqual(len(sft.read_text().splitlines()), wanted)
        self.assertEqual(len(self.loop.rows("export", self.loop.run_dir, "candidates")),
                         len(self.loop.inspect("candidates")))

    def test_an_export_trains_in_our_trainer(self):
        pairs = self.path / "pairs.jsonl"
        self.loop.output("export", self.loop.run_dir, "pairs", "--out", str(pairs))
        ended = subprocess.run([f"{BIN}/srlm-trainer", "dpo", "--model", f"{self.loop.run_dir}/models/M1", "--data",
                                str(pairs), "--out", str(self.path / "again"), "--max-steps", "1"], timeout=120,
                               text=True, capture_output=True, stdin=subprocess.DEVNULL)
        self.assertEqual(ended.returncode, 0, ended.stderr)

    def test_every_table_can_be_read_by_people(self):
        for table in ("prompts", "candidates", "pairs", "rounds", "events"):
            self.assertTrue(self.loop.output("inspect", self.loop.run_dir, table).strip(), table)
        self.assertLessEqual(len(self.loop.inspect("candidates", "--limit", "2")), 2)

    def test_its_models_generate(self):
        prompts = self.path / "prompts.jsonl"
        prompts.write_text('{"prompt_id": "a", "prompt": "Name a river."}\n')
        for model in ("M1", "M2", "M3"):
            rows = self.loop.generate(model, prompts, self.path / f"{model}.jsonl")
            self.assertEqual(len(rows), 1)

    def test_status_reads_the_ledger_of_a_run_that_ended(self):
        status = self.loop.rows("status", self.loop.run_dir, "--json")[0]
        self.assertEqual(status["state"], "done")
        self.assertEqual(len(status["rounds"]), 3)
        self.assertIn("done", self.loop.output("status", self.loop.run_dir))

    def test_running_it_again_changes_nothing(self):
        before = self.loop.inspect("candidates")
        self.loop.output(*self.loop.run_arguments(CONFIG))
        self.assertEqual(self.loop.inspect("candidates"), before)

    def test_another_method_is_refused_by_name(self):
        ended = self.loop.srlm(*self.loop.run_arguments(CONFIG, "--set", "dpo.beta=0.5"))
        self.assertEqual(ended.returncode, 1)
        self.assertIn("dpo.beta", ended.stderr)

    def test_nothing_is_left_running(self):
        self.assertEqual(self.loop.processes(), [])

    def test_fsck_finds_nothing_and_says_so_to_people_too(self):
        report = self.loop.fsck()
        self.assertEqual(report["state"], "done")
        self.assertIn(f"digest {report['digest']}", self.loop.output("fsck", self.loop.run_dir))


class InterruptedRun(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="srlm-e2e-")
        self.addCleanup(folder.cleanup)
        self.loop = Loop(BIN, pathlib.Path(folder.name) / "run")

    def start_until(self, text, *more):
        """A running `srlm run` that has printed `text`."""
        process = subprocess.Popen([f"{BIN}/srlm", *self.loop.run_arguments(CONFIG, *more)], text=True,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        for line in process.stdout:
            if text in line:
                return process
        self.fail(f"ended without '{text}': {process.stderr.read()}")

    def finish(self):
        ended = self.loop.srlm(*self.loop.run_arguments(CONFIG))
        self.assertEqual(ended.returncode, 0, ended.stderr)
        candidates = self.loop.inspect("candidates")
        self.assertEqual(len(candidates), SAMPLES * sum(row["prompts"] for row in self.loop.inspect("rounds")))
        self.loop.fsck()
        self.assertEqual(self.loop.processes(), [])

    def test_ctrl_c_says_how_to_go_on_and_it_goes_on(self):
        process = self.start_until("round 1")
        status = self.loop.rows("status", self.loop.run_dir, "--json")[0]
        self.assertEqual(status["state"], "running")
        self.assertTrue(self.loop.output("inspect", self.loop.run_dir, "events"))  # while it runs
        asked = self.loop.ask_by_reflection()
        self.assertEqual((asked["run_id"], asked["folder"]), (status["run_id"], status["folder"]))
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 1)
        self.assertIn("go on with", errors)
        self.assertEqual(self.loop.processes(), [])
        self.assertEqual(self.loop.rows("status", self.loop.run_dir, "--json")[0]["state"], "stopped")
        self.assertEqual(self.loop.fsck()["state"], "stopped")
        self.finish()

    def test_a_killed_coordinator_is_succeeded(self):
        process = self.start_until("round 1")
        process.kill()
        process.communicate(timeout=60)
        begin = time.monotonic()
        self.assertIn("stopped", self.loop.output("status", self.loop.run_dir))
        self.assertLess(time.monotonic() - begin, 10)
        # Its workers wait for the next one, and it may have been writing a file; all rows are as they must be.
        found = json.loads(self.loop.srlm("fsck", self.loop.run_dir, "--json").stdout)["found"]
        self.assertEqual([row for row in found if row["check"] not in ("processes", "unfinished files")], [])
        self.finish()


if __name__ == "__main__":
    BIN = os.path.abspath(sys.argv.pop(1))
    unittest.main()
