#!/usr/bin/env python3
"""Trainer ranks that stop, and a coordinator that stops for longer than anybody waits for it, with the real programs.

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
from faulty_run import FaultyRun, send  # noqa: E402

BIN = ""  # set by main
DEADLINE = 3  # seconds, of a rank's wait for the others
SILENCE = 5  # seconds in which the coordinator must have heard of a job
SETTINGS = [word for setting in ("trainer.ranks=3", f"trainer.rank_timeout_s={DEADLINE}", f"trainer.silence_timeout_s={SILENCE}",
                                 "trainer.checkpoint_steps=10", "sft.epochs=20", "dpo.epochs=20")
            for word in ("--set", setting)]


class Hangs(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="srlm-hangs-")
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name)

    def make(self, name):
        run = FaultyRun(BIN, self.path / name, *SETTINGS)
        self.addCleanup(run.end)
        run.start()
        return run

    def finish(self, run):
        self.assertEqual(run.wait(60), 0, run.says.read_text())
        self.assertEqual(run.await_none(5), [])

    def await_step(self, run, job, steps):
        """Process ids of the ranks, by rank, once the job has made so many steps."""
        log = pathlib.Path(run.run_dir) / "jobs" / job / "log.jsonl"
        end = time.monotonic() + 60
        while not log.exists() or log.read_text().count('"loss"') < steps:
            self.assertIsNone(run.life.poll(), run.says.read_text())
            self.assertLess(time.monotonic(), end, f"{log}: no {steps} steps")
            time.sleep(0.01)
        ranks = {}
        for pid in run.find("trainer"):
            environment = pathlib.Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
            rank = [word.split("=")[1] for word in environment if word.startswith("OMPI_COMM_WORLD_RANK=")]
            ranks[int(rank[0])] = pid
        self.assertEqual(sorted(ranks), [0, 1, 2])
        return ranks

    def test_a_run_whose_ranks_and_coordinator_stop_gives_the_same(self):
        calm = self.make("calm")
        run = self.make("hung")
        rank_1 = self.await_step(run, "sft", 15)[1]
        send(rank_1, signal.SIGSTOP)
        # Longer than the ranks wait for rank 0, which waits for the coordinator, and than the coordinator waits for them.
        self.await_step(run, "dpo-1", 15)
        send(run.life.pid, signal.SIGSTOP)
        time.sleep(SILENCE + 1)
        send(run.life.pid, signal.SIGCONT)
        self.finish(run)
        self.finish(calm)
        self.assertEqual(run.digest(), calm.digest())
        self.assertEqual(len(run.events("coordinator_slept")), 1)
        self.assertEqual(run.events("trainer_silent"), [])
        ended = run.events("job_ended_early")
        self.assertEqual(len(ended), 1, ended)
        self.assertRegex(ended[0]["message"],
                         rf"sft: .* on rank \d of 3 did not end within {DEADLINE} s .*: rank 1 \({socket.gethostname()}, "
                         rf"process {rank_1}\) has not been heard for .* since \d\d:\d\d:\d\d UTC")


if __name__ == "__main__":
    BIN = os.path.abspath(sys.argv.pop(1))
    unittest.main()
