#!/usr/bin/env python3
"""Items that kill or hang their worker, and workers that are slow, with the real programs.

    items_test.py BIN_FOLDER
"""

import os
import pathlib
import signal
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True
from faulty_run import FaultyRun, send  # noqa: E402

POISON = "tiny-1"
BIN = ""  # set by main


class Items(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="srlm-faults-")
        cls.addClassCleanup(folder.cleanup)
        cls.calm = FaultyRun(BIN, pathlib.Path(folder.name) / "calm")
        cls.addClassCleanup(cls.calm.end)
        cls.calm.start()
        assert cls.calm.wait(120) == 0, cls.calm.says.read_text()

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="srlm-faults-")
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name)

    def make(self, name, *settings):
        run = FaultyRun(BIN, self.path / name, *settings)
        self.addCleanup(run.end)
        return run

    def finish(self, run, seconds=120):
        self.assertEqual(run.wait(seconds), 0, run.says.read_text())
        self.assertEqual(run.await_none(5), [])
        run.fsck()

    def test_a_poison_item_is_set_aside_alone_after_three_deaths(self):
        # Long leases: on a busy machine one would run out before the third death is noticed, and be the reason.
        poisoned = self.make("poisoned", "--set", "coordinator.lease_timeout_s=30")
        poisoned.start(SRLM_FAILPOINT=f"worker.begin_item@1/candidate/{POISON}")
        self.finish(poisoned)
        deaths = poisoned.events("worker_died")
        # A death before any worker said that it has the model proves nothing, so there may be one more.
        self.assertIn(len(deaths), (3, 4), deaths)
        failed = {row["prompt_id"]: row["reason"] for row in poisoned.inspect("prompts") if row["state"] == "failed"
                  and "prompt_id" in row}
        self.assertEqual(list(failed), [POISON])
        self.assertIn("died", failed[POISON])
        # The others are what they would have been.
        mates = [row for row in self.calm.inspect("candidates") if row["prompt_id"] != POISON]
        made = [{**row, "use": ""} for row in poisoned.inspect("candidates")]
        self.assertEqual(made, [{**row, "use": ""} for row in mates])

    def test_a_worker_that_stops_is_ended_and_changes_nothing(self):
        stopped = self.make("stopped")
        stopped.start()
        workers = stopped.await_role("worker", 60)
        self.assertTrue(workers, stopped.says.read_text())
        send(workers[0], signal.SIGSTOP)
        self.finish(stopped)
        self.assertEqual(stopped.digest(), self.calm.digest())
        self.assertEqual(len(stopped.events("worker_stuck")), 1)

    def test_a_worker_that_dies_is_there_again_within_five_seconds(self):
        run = self.make("killed", "--set", "workers.replicas=1")
        run.start()
        workers = run.await_role("worker", 60)
        self.assertTrue(workers, run.says.read_text())
        send(workers[0], signal.SIGKILL)
        begin = time.monotonic()
        while run.find("worker") in ([], workers[:1]):
            self.assertLess(time.monotonic() - begin, 5)
            time.sleep(0.02)
        self.finish(run)


if __name__ == "__main__":
    BIN = os.path.abspath(sys.argv.pop(1))
    unittest.main()
