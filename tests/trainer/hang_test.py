#!/usr/bin/env python3
"""A rank that is stopped inside a collective: real ranks under mpirun, stopped by their ids. The others end at their
deadline and say which rank it was; the same command then goes on to the same bits.

    hang_test.py BIN_FOLDER
"""

import concurrent.futures
import os
import pathlib
import re
import signal
import socket
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True
from trainer_job import SOURCE, TrainerJob  # noqa: E402

BIN = ""  # set by main
DEADLINE = 4  # seconds, of a rank's wait for the others
RANKS = 3
STEPS = 12
FLAGS = ["--global-batch", 3, "--max-steps", STEPS, "--learning-rate", 1e-3, "--threads", 1, "--rank-timeout", DEADLINE,
         "--checkpoint-steps", 2]


class Hang(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="srlm-hang-")
        cls.addClassCleanup(folder.cleanup)
        cls.path = pathlib.Path(folder.name)
        cls.calm = cls.job("calm")
        assert cls.calm.run() == 0, cls.calm.said()

    @classmethod
    def job(cls, name):
        model = SOURCE / "tests/reference/models/smollm2"
        data = SOURCE / "tests/reference/data/dpo_pairs.jsonl"
        return TrainerJob(BIN, cls.path / name, "dpo", model, data, RANKS, *FLAGS)

    def await_said(self, job, pattern, seconds):
        """The match of what some rank says, once it has."""
        end = time.monotonic() + seconds
        while not (found := re.search(pattern, job.said())):
            self.assertIsNone(job.launch.poll(), job.said())
            self.assertLess(time.monotonic(), end, job.said())
            time.sleep(0.01)
        return found

    def await_end(self, job, pid, end):
        """A rank has ended by then. Its parent mpirun may not have reaped it yet."""
        while True:
            try:
                if pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX":
                    return
            except FileNotFoundError:
                return
            self.assertLess(time.monotonic(), end, f"process {pid} is there {DEADLINE + 2} s after it began to wait\n{job.said()}")
            time.sleep(0.01)

    def check(self, hung, other):
        """Stops rank `hung` while it waits in an operation for rank `other`, which then goes on."""
        job = self.job(f"hung{hung}")
        self.addCleanup(job.end)
        job.start()
        self.assertTrue(job.await_rows(5), job.said())
        pids = job.await_pids()
        os.kill(pids[other], signal.SIGSTOP)
        operation = self.await_said(job, rf'long_wait operation="(.+?)" .* rank={hung}\n', DEADLINE + 5).group(1)
        half = time.monotonic()
        os.kill(pids[hung], signal.SIGSTOP)
        os.kill(pids[other], signal.SIGCONT)
        # What rank `hung` had to give to its operation may be there: then both others begin to wait now, in the next one.
        for waits in {0, 1, 2} - {hung}:
            self.await_end(job, pids[waits], half + DEADLINE + 2)
        print(f"rank {hung} of {RANKS} stopped: the others ended {time.monotonic() - half:.1f} s later")
        self.assertNotEqual(job.wait(20), 0)
        said = job.said()
        self.assertRegex(said, rf"#\d+ '.+' on rank \d of {RANKS} did not end within {DEADLINE} s .*: rank {hung} "
                               rf"\({socket.gethostname()}, process {pids[hung]}\) "
                               rf"(has not been heard for .*; it was last heard waiting in {re.escape(operation)}|"
                               r"stood still for .*; it is .*) \(step \d+\) since \d\d:\d\d:\d\d UTC", said)
        self.assertEqual(job.pids(), {})
        self.assertEqual(job.run(), 0, job.said())
        self.assertEqual(job.rows(), self.calm.rows())
        self.assertEqual(job.weights(), self.calm.weights())

    def test_a_stopped_rank_is_named_and_the_job_goes_on_to_the_same_bits(self):
        with concurrent.futures.ThreadPoolExecutor() as both:
            checks = [both.submit(self.check, hung=1, other=2), both.submit(self.check, hung=0, other=1)]
        for check in checks:
            check.result()


if __name__ == "__main__":
    BIN = os.path.abspath(sys.argv.pop(1))
    unittest.main()
