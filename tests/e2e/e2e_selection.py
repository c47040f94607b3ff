#!/usr/bin/env python3
"""A run that trains adapters and chooses its model among those that a job saved: the choice follows from the
comparisons, people see it, and whatever dies in the middle leaves the same run.

    e2e_selection.py BIN_FOLDER
"""

import json
import os
import pathlib
import shutil
import signal
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
from loop import FOLDER, Loop  # noqa: E402

BIN = ""  # set by main
PROMPTS = 3
SETTINGS = {"run.iterations": 1, "dpo.selection_steps": 1, "dpo.epochs": 2, "dpo.learning_rate": 1e-2,
            "lora.rank": 4, "data.validation_prompts": FOLDER / "data/validation_tiny.jsonl", "evaluation.max_new_tokens": 12,
            "evaluation.pairwise_template": FOLDER / "data/pairwise_tiny.txt"}


def arguments(loop, **more):
    words = loop.run_arguments("tiny.yaml")
    for key, value in {**SETTINGS, **{key.replace("__", "."): value for key, value in more.items()}}.items():
        words += ["--set", f"{key}={value}"]
    return words


def step_of(model):
    return int(model.removeprefix("M2.step-"))


def better(rows):
    """Whether a model's answers, with their comparisons with the one before, win more often than they lose."""
    lead = 0
    for row in rows:
        verdicts = {each["order"]: each["verdict"] for each in row["comparisons"]}
        lead += (verdicts == {"forward": "a", "backward": "b"}) - (verdicts == {"forward": "b", "backward": "a"})
    return lead > 0


class Selected(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.path = pathlib.Path(tempfile.mkdtemp(prefix="srlm-selection-"))
        cls.addClassCleanup(shutil.rmtree, cls.path, ignore_errors=True)
        cls.loop = Loop(BIN, cls.path / "whole")
        ended = cls.loop.srlm(*arguments(cls.loop))
        assert ended.returncode == 0, ended.stderr + ended.stdout
        cls.printed = ended.stdout
        cls.digest = cls.loop.digest()
        cls.answers = cls.loop.inspect("evaluation_answers")

    def test_the_choice_follows_from_the_comparisons(self):
        by_step = {}
        for row in self.answers:
            by_step.setdefault(step_of(row["model"]), []).append(row)
        self.assertEqual(sorted(by_step), list(range(1, len(by_step) + 1)))
        self.assertGreater(len(by_step), 1)
        chosen = 1
        for step, rows in by_step.items():
            self.assertEqual(len(rows), PROMPTS)
            for row in rows:
                self.assertEqual([each["order"] for each in row["comparisons"]],
                                 ["forward", "backward"] if step > 1 else [])
            if step > 1 and better(rows):
                self.assertEqual(chosen, step - 1, "it would have ended before")
                chosen = step
        row = self.loop.inspect("rounds")[1]
        self.assertEqual(row["selected_step"], chosen)
        self.assertEqual(row["model_id"], by_step[chosen][0]["model_id"])
        job = json.loads(pathlib.Path(self.loop.run_dir, "models/M2/srlm_job.json").read_text())
        self.assertEqual(job["step"], chosen)

    def test_people_see_it_and_nothing_else_is_left(self):
        step = self.loop.inspect("rounds")[1]["selected_step"]
        for text in (self.printed, self.loop.output("inspect", self.loop.run_dir, "rounds"),
                     self.loop.output("status", self.loop.run_dir)):
            self.assertIn(f"M2 (step {step})", text)
        self.assertIn("select a checkpoint", self.printed)
        events = [row["message"] for row in self.loop.inspect("events") if row["event"] == "checkpoint_selected"]
        self.assertEqual(len(events), 1)
        self.assertIn(f"M2 is M2.step-{step}, one of ", events[0])
        self.assertEqual(sorted(os.listdir(f"{self.loop.run_dir}/models")), ["M1", "M2"])

    def check_same(self, loop):
        """Goes on with a run that was killed, in which nothing may be wrong but what its death explains."""
        report = json.loads(loop.srlm("fsck", loop.run_dir, "--json").stdout)
        wrong = [row for row in report["found"] if row["check"] not in ("processes", "unfinished files")]
        self.assertEqual(wrong, [])
        ended = loop.srlm(*arguments(loop))
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertEqual(loop.digest(), self.digest)
        self.assertEqual(loop.inspect("evaluation_answers"), self.answers)
        self.assertEqual(sorted(os.listdir(f"{loop.run_dir}/models")), ["M1", "M2"])

    def test_a_coordinator_that_dies_while_the_choice_is_carried_out_leaves_the_same(self):
        for point in ("selection.before_rename", "selection.after_rename", "selection.after_remove"):
            with self.subTest(point=point):
                loop = Loop(BIN, self.path / point)
                died = loop.srlm(*arguments(loop), SRLM_FAILPOINT=f"{point}:1")
                self.assertEqual(died.returncode, -signal.SIGABRT, died.stderr)
                self.check_same(loop)

    def test_a_coordinator_that_is_killed_between_answers_and_comparisons_leaves_the_same(self):
        loop = Loop(BIN, self.path / "killed")
        loop.kill_once_there_is("evaluation_answers", *arguments(loop))
        self.assertEqual([row["event"] for row in loop.inspect("events") if row["event"] == "checkpoint_selected"], [])
        self.check_same(loop)

    def test_a_trainer_that_dies_with_some_of_the_models_saved_makes_the_same(self):
        loop = Loop(BIN, self.path / "trainer")
        ended = loop.srlm(*arguments(loop), SRLM_FAILPOINT="model.after_rename:3",
                          SRLM_FAILPOINT_COUNT=str(self.path / "passes"))
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertTrue(any(row["event"] == "job_ended_early" for row in loop.inspect("events")))
        self.check_same(loop)


class Refused(unittest.TestCase):
    def setUp(self):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="srlm-selection-"))
        self.addCleanup(shutil.rmtree, self.path, ignore_errors=True)
        self.loop = Loop(BIN, self.path / "run")

    def refuse(self, *words, **settings):
        for more in ([], ["--check"]):
            ended = self.loop.srlm(*arguments(self.loop, **settings), *more)
            self.assertNotEqual(ended.returncode, 0, ended.stdout)
            for word in words:
                self.assertIn(word, ended.stderr)
        self.assertFalse(os.path.exists(self.loop.run_dir + "/ledger.sqlite"))

    def test_prompts_and_steps_go_together(self):
        self.refuse("data.validation_prompts: is empty, and dpo.selection_steps: 1", data__validation_prompts="''")
        self.refuse("data.validation_prompts: would not be used", dpo__selection_steps=0)

    def test_prompts_that_are_trained_on_or_measured_on(self):
        data = self.path / "data.jsonl"
        data.write_text('{"prompt_id": "a", "prompt": "NAME a fruit!"}\n', encoding="utf-8")
        self.refuse("data.jsonl", "data.ift, line 1", "evaluation.allow_overlap", data__validation_prompts=data)
        evaluation = FOLDER / "data/evaluation_prompts_tiny.jsonl"
        self.refuse("data.evaluation_prompts, prompt 'v0'", "chosen by their answers",
                    data__validation_prompts=evaluation, data__evaluation_prompts=evaluation,
                    evaluation__allow_overlap="true")


if __name__ == "__main__":
    BIN = os.path.abspath(sys.argv.pop(1))
    unittest.main()
