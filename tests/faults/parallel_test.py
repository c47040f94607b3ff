#!/usr/bin/env python3
"""A run whose replicas are several ranks each, of which one dies, stops, or is told to end: the run goes on and makes the
same.

    parallel_test.py BIN_FOLDER
"""

import os
import pathlib
import signal
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True
from faulty_run import FOLDER, FaultyRun, send  # noqa: E402

BIN = ""  # set by main
RANKS = 2
DEADLINE = 3  # seconds, of a rank's wait for the others
MODEL = FOLDER.parent / "reference/models/llama3"  # its heads can be shared by two
SETTINGS = [word for setting in (f"model={MODEL}", "workers.replicas=1", f"workers.tensor_parallel={RANKS}",
                                 f"workers.rank_timeout_s={DEADLINE}") for word in ("--set", setting)]


class Parallel(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="srlm-parallel-")
        cls.addClassCleanup(folder.cleanup)
        cls.path = pathlib.Path(folder.name)
        calm = FaultyRun(BIN, cls.path / "calm", *SETTINGS)
        cls.addClassCleanup(calm.end)
        calm.start()
        assert calm.wait(120) == 0, calm.says.read_text()
        cls.digest = calm.digest()

    def make(self, name, *more, **environment):
        run = FaultyRun(BIN, self.path / name, *SETTINGS, *more)
        self.addCleanup(run.end)
        run.start(**environment)
        return run

    def finish(self, run):
        self.assertEqual(run.wait(120), 0, run.says.read_text())
        self.assertEqual(run.await_none(5), [])
        self.assertEqual(run.digest(), self.digest)

    def worker_of_rank(self, run, rank):
        """The process of a replica's rank, once the replica works."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            self.assertIsNone(run.life.poll(), run.says.read_text())
            found = {}
            for pid in run.find("worker"):
                try:
                    environment = pathlib.Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
                except OSError:
                    continue  # ended meanwhile
                found.update({word: pid for word in environment if word.startswith("OMPI_COMM_WORLD_RANK=")})
            candidates = run.srlm("inspect", run.run_dir, "candidates", "--json").stdout
            if len(found) == RANKS and candidates:
                return found[f"OMPI_COMM_WORLD_RANK={rank}"]
            time.sleep(0.02)
        self.fail(run.says.read_text())

    def test_a_rank_that_dies_costs_its_replica_alone(self):
        run = self.make("killed", SRLM_SLOWDOWN="5")
        send(self.worker_of_rank(run, 1), signal.SIGKILL)
        self.finish(run)
        self.assertEqual(len(run.events("worker_died")), 1)

    def test_a_rank_that_stops_is_named_within_the_deadline(self):
        run = self.make("stopped", SRLM_SLOWDOWN="5")
        pid = self.worker_of_rank(run, 1)
        send(pid, signal.SIGSTOP)
        begin = time.monotonic()
        while not run.events("worker_died"):
            self.assertLess(time.monotonic() - begin, 60, run.says.read_text())
            time.sleep(0.05)
        self.assertLess(time.monotonic() - begin, DEADLINE + 2 + 1)  # and one to read of it
        self.finish(run)
        message = run.events("worker_died")[0]["message"]
        self.assertRegex(message, rf"did not end within {DEADLINE} s.*rank 1 \(.*process {pid}\)")

    def test_notice_on_any_rank_lets_the_replica_leave_in_order(self):
        run = self.make("noticed", SRLM_SLOWDOWN="5")
        send(self.worker_of_rank(run, 1), signal.SIGTERM)
        self.finish(run)
        self.assertEqual(run.events("worker_died"), [])
        self.assertIn("SIGTERM", "".join(row["message"] for row in run.events("worker_left")))


if __name__ == "__main__":
    BIN = os.path.abspath(sys.argv.pop(1))
    unittest.main()
