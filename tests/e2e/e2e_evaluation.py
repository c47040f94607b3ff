#!/usr/bin/env python3
"""A run that measures its models' own answers: every row is there once, the commands show the figures, and a
coordinator that dies in the middle leaves the same rows and figures.

    e2e_evaluation.py BIN_FOLDER
"""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
from loop import FOLDER, Loop  # noqa: E402

BIN = ""  # set by main
PROMPTS = 3
HELD_OUT = 2
SETTINGS = {"run.iterations": 1, "data.evaluation_prompts": FOLDER / "data/evaluation_prompts_tiny.jsonl",
            "data.held_out": FOLDER / "data/held_out_tiny.jsonl", "evaluation.max_new_tokens": 12,
            "evaluation.pairwise_template": FOLDER / "data/pairwise_tiny.txt"}


def arguments(loop, **more):
    words = loop.run_arguments("tiny.yaml")
    for key, value in {**SETTINGS, **{key.replace("__", "."): value for key, value in more.items()}}.items():
        words += ["--set", f"{key}={value}"]
    return words


class Evaluated(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.path = pathlib.Path(tempfile.mkdtemp(prefix="srlm-evaluation-"))
        cls.addClassCleanup(shutil.rmtree, cls.path, ignore_errors=True)
        cls.loop = Loop(BIN, cls.path / "whole")
        ended = cls.loop.srlm(*arguments(cls.loop))
        assert ended.returncode == 0, ended.stderr + ended.stdout
        cls.printed = ended.stdout
        cls.digest = cls.loop.digest()
        cls.evaluations = cls.loop.inspect("evaluations")

    def test_every_model_is_measured_and_compared_with_the_one_before(self):
        self.assertEqual([row["model"] for row in self.evaluations], ["M0", "M1", "M2"])
        self.assertEqual([row["against"] for row in self.evaluations], [None, "M0", "M1"])
        for row in self.evaluations:
            self.assertEqual(row["held_out"]["logprob_per_token"]["n"], HELD_OUT)
            self.assertLess(row["held_out"]["logprob_per_token"]["value"], 0)
            given = row["answers_given"]
            self.assertEqual((given["answers"], given["failed"]), (PROMPTS, 0))
            for name in ("distinct_1", "distinct_2", "distinct_3"):
                self.assertTrue(given[name] is None or 0 < given[name] <= 1, given)  # None: answers of fewer words
        for row in self.evaluations[1:]:
            figures = row["head_to_head"]
            self.assertEqual((figures["comparisons"], figures["judged"]["value"]), (PROMPTS, 1))
            self.assertAlmostEqual(sum(figures[name]["value"] for name in ("win", "tie", "lose")), 1)
            self.assertLessEqual(figures["win_rate"]["low"], figures["win_rate"]["value"])

    def test_answers_are_listed_with_both_orders_and_exported(self):
        rows = self.loop.inspect("evaluation_answers")
        self.assertEqual([(row["model"], row["prompt_id"]) for row in rows],
                         [(f"M{model}", f"v{prompt}") for model in range(3) for prompt in range(PROMPTS)])
        for row in rows:
            orders = [each["order"] for each in row["comparisons"]]
            self.assertEqual(orders, [] if row["model"] == "M0" else ["forward", "backward"])
        self.assertEqual(self.loop.rows("export", self.loop.run_dir, "evaluation_answers"), rows)
        self.assertEqual(self.loop.rows("export", self.loop.run_dir, "evaluations"), self.evaluations)

    def test_people_see_the_figures_where_they_look(self):
        for text in (self.printed, self.loop.output("inspect", self.loop.run_dir, "rounds")):
            self.assertIn("order flips", text)
        self.assertIn("distinct-1", self.loop.output("inspect", self.loop.run_dir, "evaluations"))
        for row in self.loop.inspect("rounds"):
            self.assertEqual(row["figures"]["win_rate"]["n"], PROMPTS)
            self.assertIn("order_flip_rate", row["health"])

    def check_same(self, loop):
        self.assertEqual(loop.digest(), self.digest)
        self.assertEqual(loop.inspect("evaluations"), self.evaluations)

    def test_a_coordinator_that_dies_at_a_commit_leaves_the_same(self):
        for point in ("submit.before_commit:2", "submit.after_commit:4"):
            loop = Loop(BIN, self.path / point.split(":")[0])
            died = loop.srlm(*arguments(loop), SRLM_FAILPOINT=point)
            self.assertEqual(died.returncode, -signal.SIGABRT, died.stderr)
            self.assertLess(len(loop.inspect("evaluations")), len(self.evaluations))  # not all was measured
            ended = loop.srlm(*arguments(loop))
            self.assertEqual(ended.returncode, 0, ended.stderr)
            self.check_same(loop)

    def test_a_coordinator_that_is_killed_between_answers_and_comparisons_leaves_the_same(self):
        loop = Loop(BIN, self.path / "killed")
        loop.kill_once_there_is("evaluation_answers", *arguments(loop))
        there = loop.inspect("evaluation_answers")
        self.assertTrue(there)
        self.assertEqual(loop.inspect("evaluations"), [])
        ended = loop.srlm(*arguments(loop))
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.check_same(loop)
        rows = {(row["model"], row["prompt_id"]): row["token_ids"] for row in loop.inspect("evaluation_answers")}
        for row in there:
            self.assertEqual(rows[row["model"], row["prompt_id"]], row["token_ids"])

    def test_fsck_finds_what_is_missing_or_changed(self):
        for number, (statement, what) in enumerate([
                ("DELETE FROM comparisons WHERE model = 'M2' AND prompt = 1 AND backward = 1", "has 0 votes of 1"),
                ("UPDATE comparisons SET subject_hash = 'x' WHERE model = 'M1' AND prompt = 0", "other answers"),
                ("UPDATE comparisons SET verdict = 'c' WHERE model = 'M1' AND prompt = 0", "do not fit"),
                ("UPDATE evaluation_answers SET token_hash = 'x' WHERE model = 'M1' AND prompt = 0", "its hash"),
                ("DELETE FROM evaluation_answers WHERE model = 'M0' AND prompt = 2", "it is missing"),
                ("DELETE FROM held_out WHERE model = 'M0' AND answer = 1", "it is missing")]):
            copy = self.path / f"damaged-{number}"
            shutil.copytree(self.loop.run_dir, copy)
            with contextlib.closing(sqlite3.connect(copy / "ledger.sqlite")) as ledger, ledger:
                ledger.execute(statement)
            report = json.loads(self.loop.srlm("fsck", str(copy), "--json").stdout)
            found = [row["what"] for row in report["found"] if row["check"] == "answers of evaluations"]
            self.assertTrue(any(what in each for each in found), (statement, report["found"]))

    def test_order_flips_can_end_a_run(self):
        loop = Loop(BIN, self.path / "limited")
        ended = loop.srlm(*arguments(loop, health__rules="['order_flip_rate > -1: stop']"))
        self.assertEqual(ended.returncode, 1, ended.stdout)
        self.assertIn("order_flip_rate", ended.stderr)
        self.assertEqual(loop.fsck()["state"], "ended")


class Refused(unittest.TestCase):
    def setUp(self):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="srlm-evaluation-"))
        self.addCleanup(shutil.rmtree, self.path, ignore_errors=True)
        self.loop = Loop(BIN, self.path / "run")

    def refuse(self, key, rows, *words):
        data = self.path / "data.jsonl"
        data.write_text("".join(json.dumps(row) + "\n" for row in rows))
        for more in ([], ["--check"]):
            ended = self.loop.srlm(*arguments(self.loop, **{key: data}), *more)
            self.assertEqual(ended.returncode, 1, ended.stdout)
            for word in words:
                self.assertIn(word, ended.stderr)
        self.assertFalse(os.path.exists(self.loop.run_dir + "/ledger.sqlite"))
        return data

    def test_prompts_that_are_trained_on(self):
        self.refuse("data__evaluation_prompts", [{"prompt_id": "a", "prompt": "NAME a fruit!"}],
                    "data.jsonl", "data.ift, line 1", "evaluation.allow_overlap")
        self.refuse("data__held_out", [{"messages": [{"role": "user", "content": "Name a river."},
                                                     {"role": "assistant", "content": "The Rhine."}]}],
                    "data.jsonl", "data.prompts, prompt 'tiny-1'")
        data = self.refuse("data__evaluation", [{"prompt_id": "a", "prompt_text": "Say hi.", "response_text": text,
                                                 "quality_score": score} for score, text in enumerate(["x", "y"])],
                           "data.jsonl", "data.ift, line 2")
        allowed = arguments(self.loop, data__evaluation=data, evaluation__allow_overlap="true")
        ended = self.loop.srlm(*allowed, "--check")
        self.assertEqual(ended.returncode, 0, ended.stderr)

    def test_ranked_answers_that_cannot_measure_a_judge(self):
        row = {"prompt_id": "a", "prompt_text": "Name a sea.", "response_text": "No.", "quality_score": 1}
        self.refuse("data__evaluation", [row, {**row, "prompt_id": "b"}], "data.jsonl:1", "one answer")
        self.refuse("data__evaluation", [row, {**row, "response_text": "Yes."}], "data.jsonl:1", "same quality_score")
        del row["quality_score"]
        self.refuse("data__evaluation", [row], "data.jsonl:1", "quality_score")


if __name__ == "__main__":
    BIN = os.path.abspath(sys.argv.pop(1))
    unittest.main()
