#!/usr/bin/env python3
"""Trainer ranks that stop, a coordinator that stops for longer than anybody waits for it, and steps that take longer than
a stop, with the real programs.

    hangs_test.py BIN_FOLDER
"""

import os
import pathlib
import signal
import socket
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True
from faulty_run import FOLDER, FaultyRun, send  # noqa: E402

BIN = ""  # set by main
DEADLINE = 3  # seconds, of a rank's wait for the others


def settings(*of):
    return [word for setting in of for word in ("--set", setting)]


STOPS = settings("trainer.ranks=3", f"trainer.rank_timeout_s={DEADLINE}", "trainer.checkpoint_steps=10", "sft.epochs=20",
                 "dpo.epochs=20")


class Hangs(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="srlm-hangs-")
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name)

    def make(self, name, more):
        run = FaultyRun(BIN, self.path / name, *more)
        self.addCleanup(run.end)
        run.start()
        return run

    def finish(self, run):
        self.assertEqual(run.wait(60), 0, run.says.read_text())
        self.assertEqual(run.await_none(5), [])

    def log(self, run, job):
        return pathlib.Path(run.run_dir) / "jobs" / job / "log.jsonl"

    def await_step(self, run, job, steps):
        """Process ids of the ranks, by rank, once the job has made so many steps."""
        log = self.log(run, job)
        end = time.monotonic() + 60
        while not log.exists() or log.read_text().count('"loss"') < steps:
            self.assertIsNone(run.life.poll(), run.says.read_text())
            if time.monotonic() > end:
                self.fail(f"{log}: no {steps} steps\n{run.says.read_text()}\n{run.events()}")
            time.sleep(0.01)
        ranks = {}
        for pid in run.find("trainer"):
            environment = pathlib.Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
            rank = [word.split("=")[1] for word in environment if word.startswith("OMPI_COMM_WORLD_RANK=")]
            ranks[int(rank[0])] = pid
        return ranks

    def test_a_run_whose_ranks_and_coordinator_stop_gives_the_same(self):
        calm = self.make("calm", STOPS)
        run = self.make("hung", STOPS)
        rank_1 = self.await_step(run, "sft", 15)[1]
        send(rank_1, signal.SIGSTOP)
        # Longer than the ranks wait for rank 0, which waits for the coordinator.
        self.await_step(run, "dpo-1", 15)
        send(run.life.pid, signal.SIGSTOP)
        time.sleep(DEADLINE + 2)
        send(run.life.pid, signal.SIGCONT)
        self.finish(run)
        self.finish(calm)
        self.assertEqual(run.digest(), calm.digest())
        self.assertEqual(len(run.events("coordinator_slept")), 1)
        ended = run.events("job_ended_early")
        self.assertEqual(len(ended), 1, ended)
        self.assertRegex(ended[0]["message"],
                         rf"sft: .* on rank \d of 3 did not end within {DEADLINE} s .*: rank 1 \({socket.gethostname()}, "
                         rf"process {rank_1}\) (has not been heard|stood still) for .* since \d\d:\d\d:\d\d UTC")

    def test_a_stop_waits_for_a_long_step_and_keeps_it(self):
        rows = (FOLDER.parent / "e2e/data/ift_tiny.jsonl").read_text(encoding="utf-8")
        data = self.path / "ift.jsonl"
        data.write_text(rows * 2000, encoding="utf-8")
        run = self.make("long", settings(f"data.ift={data}", "sft.global_batch=8000", "sft.epochs=2",
                                         "trainer.checkpoint_steps=1000"))
        self.await_step(run, "sft", 1)
        while int(run.rows("status", run.run_dir, "--json")[0]["progress"].get("done", 0)) < 1:
            self.assertIsNone(run.life.poll(), run.says.read_text())
        send(run.life.pid, signal.SIGTERM)  # the second of four steps takes longer than mpirun gives its ranks
        self.assertEqual(run.wait(40), 1, run.says.read_text())
        self.assertEqual(run.await_none(5), [])
        self.assertRegex(run.events("job_stopped")[0]["message"], "sft after 2 steps: the coordinator asked")
        run.start()
        end = time.monotonic() + 30
        while '"resumed"' not in self.log(run, "sft").read_text():
            self.assertLess(time.monotonic(), end, run.says.read_text())
            time.sleep(0.02)
        self.assertRegex(self.log(run, "sft").read_text(), '"event": ?"resumed", ?"step": ?2,')


if __name__ == "__main__":
    BIN = os.path.abspath(sys.argv.pop(1))
    unittest.main()
