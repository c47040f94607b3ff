#!/usr/bin/env python3
"""Pause, resume, cancel, and coordinators that die or stop, with the real programs: the same results every time.

    control_test.py BIN_FOLDER
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

BIN = ""  # set by main


class Control(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="srlm-faults-")
        cls.addClassCleanup(folder.cleanup)
        calm = FaultyRun(BIN, pathlib.Path(folder.name) / "calm")
        cls.addClassCleanup(calm.end)
        calm.start()
        assert calm.wait(120) == 0, calm.says.read_text()
        cls.calm = calm.digest()

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="srlm-faults-")
        self.addCleanup(folder.cleanup)
        self.run_ = FaultyRun(BIN, pathlib.Path(folder.name) / "run")
        self.addCleanup(self.run_.end)

    def finish(self):
        self.assertEqual(self.run_.wait(120), 0, self.run_.says.read_text())
        self.assertEqual(self.run_.await_none(5), [])
        self.assertEqual(self.run_.digest(), self.calm)

    def test_a_run_is_paused_in_training_and_at_work_and_resumed(self):
        run = self.run_
        run.start()
        for role in ("trainer", "worker"):
            self.assertTrue(run.await_role(role, 60), run.says.read_text())
            self.assertIn("paused by ", run.output("pause", run.run_dir, "--reason", "the disk is moved"))
            self.assertEqual(run.find(role), [])
            status = run.rows("status", run.run_dir, "--json")[0]
            self.assertEqual(status["state"], "paused")
            self.assertRegex(status["message"], "paused by .+: the disk is moved")
            self.assertEqual(run.output("resume", run.run_dir), "running\n")
        self.finish()

    def test_a_cancelled_run_is_gone_on_with(self):
        run = self.run_
        run.start()
        self.assertTrue(run.await_role("worker", 60), run.says.read_text())
        self.assertIn("cancelled by ", run.output("cancel", run.run_dir))
        self.assertEqual(run.wait(20), 1)
        self.assertEqual(run.await_none(5), [])
        self.assertEqual(run.rows("status", run.run_dir, "--json")[0]["state"], "cancelled")
        self.assertEqual(run.fsck()["state"], "cancelled")
        for what in ("pause", "resume", "cancel"):
            ended = run.srlm(what, run.run_dir)
            self.assertEqual(ended.returncode, 1)
            self.assertRegex(ended.stderr, "nobody works on .*srlm run ")
        run.start()
        self.finish()

    def test_workers_of_a_killed_coordinator_are_taken_over(self):
        run = self.run_
        run.start()
        workers = run.await_role("worker", 60)
        self.assertTrue(workers, run.says.read_text())
        run.life.kill()
        run.life.wait()
        begin = time.monotonic()
        run.start()
        self.finish()
        self.assertLess(time.monotonic() - begin, 60)
        self.assertTrue(run.events("launch_taken_over"))

    def test_a_coordinator_that_was_stopped_ends_no_lease(self):
        run = self.run_
        run.start()
        self.assertTrue(run.await_role("worker", 60), run.says.read_text())
        send(run.life.pid, signal.SIGSTOP)
        time.sleep(4)  # two leases
        send(run.life.pid, signal.SIGCONT)
        self.finish()
        self.assertEqual(len(run.events("coordinator_slept")), 1)
        self.assertEqual(run.events("lease_expired") + run.events("worker_stuck"), [])


if __name__ == "__main__":
    BIN = os.path.abspath(sys.argv.pop(1))
    unittest.main()
