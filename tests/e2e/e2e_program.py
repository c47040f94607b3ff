#!/usr/bin/env python3
"""The loop whose judge is a program outside (judge.verdict: program): its scores become votes, whatever happens to it
or to the coordinator meanwhile; scores that are not what they must be pause the run with nothing stored.

    e2e_program.py BIN_FOLDER
"""

import json
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

BIN = ""  # set by main
SCRIPT = FOLDER / "data/score_tiny.py"


def wait_for(what, condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)


class ProgramJudges(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="srlm-e2e-")
        cls.addClassCleanup(folder.cleanup)
        cls.path = pathlib.Path(folder.name)
        cls.way, cls.pid = cls.path / "way", cls.path / "way.pid"
        cls.good = Loop(BIN, cls.path / "good")
        cls.way.write_text("right")
        cls.ended = cls.good.srlm(*cls.arguments(cls.good))
        assert cls.ended.returncode == 0, cls.ended.stderr + cls.ended.stdout

    @classmethod
    def arguments(cls, loop, *more):
        return loop.run_arguments(
            "tiny.yaml", "--set", "run.iterations=1", "--set", "judge.verdict=program", "--set",
            f"judge.program=[python3, '{SCRIPT}', '{cls.way}']", *more)

    def start_waiting(self, loop):
        """A running `srlm run` whose program waits; and the program's process id."""
        self.way.write_text("wait")
        self.pid.unlink(missing_ok=True)
        process = subprocess.Popen([f"{BIN}/srlm", *self.arguments(loop)], text=True, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        wait_for("the program runs", lambda: self.pid.exists() and self.pid.read_text())
        return process, int(self.pid.read_text())

    def assert_gone(self, pid):
        wait_for(f"process {pid} has ended", lambda: not pathlib.Path(f"/proc/{pid}").exists())

    def finish(self, loop):
        self.way.write_text("right")
        ended = loop.srlm(*self.arguments(loop))
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertEqual(loop.digest(), self.good.digest())
        self.assertEqual(loop.processes(), [])

    def test_its_scores_are_the_votes_and_say_who_gave_them(self):
        rows = {f"{row['prompt_id']}/{row['sample']}": row for row in self.good.inspect("candidates")}
        read = [json.loads(line) for line in
                pathlib.Path(self.good.run_dir, "judgements/round-1/candidates.jsonl").read_text().splitlines()]
        self.assertEqual([list(row) for row in read], [["id", "prompt", "response"]] * len(rows))
        self.assertEqual({row["id"]: row["response"] for row in read}, {id: row["text"] for id, row in rows.items()})
        for row in rows.values():
            self.assertEqual(row["score"], len(set(row["text"])) % 6)
            self.assertEqual([vote["score"] for vote in row["votes"]], [row["score"]])
        self.assertIn("judge.program judges", self.ended.stdout)
        self.assertEqual(self.good.fsck()["found"], [])
        scores = pathlib.Path(self.good.run_dir, "judgements/round-1/scores.jsonl")
        accepted = scores.read_bytes()
        scores.write_bytes(accepted[1:])
        report = json.loads(self.good.srlm("fsck", self.good.run_dir, "--json").stdout)
        self.assertEqual([(row["check"], row["where"]) for row in report["found"]], [("votes", str(scores))])
        scores.write_bytes(accepted)

    def test_a_run_whose_coordinator_is_killed_meanwhile_makes_the_same(self):
        loop = Loop(BIN, self.path / "killed")
        process, pid = self.start_waiting(loop)
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=30)
        self.assertTrue(pathlib.Path(f"/proc/{pid}").exists())
        self.finish(loop)
        self.assert_gone(pid)

    def test_it_ends_with_ctrl_c_and_a_pause_and_is_run_again(self):
        loop = Loop(BIN, self.path / "paused")
        process, pid = self.start_waiting(loop)
        loop.output("pause", loop.run_dir)
        self.assert_gone(pid)
        self.pid.unlink()
        loop.output("resume", loop.run_dir)
        wait_for("the program runs again", lambda: self.pid.exists() and self.pid.read_text())
        pid = int(self.pid.read_text())
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)
        self.assert_gone(pid)
        self.assertEqual([row for row in loop.fsck()["found"]], [])
        self.finish(loop)

    def test_scores_that_are_not_right_pause_the_run_and_nothing_of_them_is_stored(self):
        loop = Loop(BIN, self.path / "wrong")
        for way, words in (("fail", ["exit code 3", "the reward model is not there"]),
                           ("no_json", ["output.jsonl:1", "not valid JSON"]),
                           ("out_of_range", ["score 6 is no number from 0 to 5"]),
                           ("missing", ["1 of ", "have no line"]),
                           ("twice", ["has a score already"]),
                           ("unknown", ["\"nobody/0\" is none of those"])):
            with self.subTest(way=way):
                self.way.write_text(way)
                ended = loop.srlm(*self.arguments(loop))
                self.assertEqual(ended.returncode, 1, ended.stdout + ended.stderr)
                for text in ["paused", "none is stored", *words]:
                    self.assertIn(text, ended.stderr)
                self.assertEqual([row for row in loop.inspect("candidates") if row["votes"]], [])
                self.assertEqual(loop.fsck()["state"], "paused")
        self.way.write_text("wait")
        ended = loop.srlm(*self.arguments(loop, "--set", "judge.program_timeout_s=0.5"))
        self.assertEqual(ended.returncode, 1)
        self.assertIn("it has not ended in 0.5 s (judge.program_timeout_s)", ended.stderr)
        self.finish(loop)

    def test_a_program_that_is_not_there_is_named_before_anything_is_done(self):
        loop = Loop(BIN, self.path / "none")
        for word, text in (("no-such-judge", "not in PATH"), ("./data/tiny.py", "not there or not executable")):
            ended = loop.srlm(*self.arguments(loop, "--set", f"judge.program=[{word}]", "--check"))
            self.assertEqual(ended.returncode, 1)
            self.assertIn("judge.program", ended.stderr)
            self.assertIn(text, ended.stderr)


if __name__ == "__main__":
    BIN = os.path.abspath(sys.argv.pop(1))
    unittest.main()
