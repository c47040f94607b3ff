#!/usr/bin/env python3
"""A run whose disk has no room for a while waits, says for what, and makes what it would have made. With the real
programs, on a small tmpfs of its own.

    disk_test.py BIN_FOLDER
"""

import os
import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
import small_disk  # noqa: E402
from disk_run import DiskRun  # noqa: E402
from faulty_run import FaultyRun  # noqa: E402
from small_disk import MIB  # noqa: E402

BIN = ""  # set by main
LONGER = ("--set", "dpo.epochs=6")  # so that what happens in training happens in training
ONCE = (*LONGER, "--set", "coordinator.max_relaunches=0")  # a group that ends for lack of room has not failed
HARD = (*ONCE, "--set", "coordinator.min_free_mib=0")  # waits when something has failed
SOFT = (*ONCE, "--set", "coordinator.min_free_mib=8")  # waits before that


class Disk(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="srlm-disk-")
        cls.addClassCleanup(folder.cleanup)
        cls.path = pathlib.Path(folder.name)
        calm = FaultyRun(BIN, cls.path / "calm", *LONGER)
        cls.addClassCleanup(calm.end)
        calm.start()
        assert calm.wait(120) == 0, calm.says.read_text()
        cls.calm, cls.rounds = calm.digest(), calm.inspect("rounds")

    def make(self, name, *settings):
        run = DiskRun(BIN, self.path / name, *settings)
        self.addCleanup(run.remove)
        return run

    def finish(self, run):
        self.assertEqual(run.wait(120), 0, run.says.read_text())
        self.assertEqual(run.await_none(5), [])
        self.assertEqual(run.inspect("rounds"), self.rounds)
        self.assertEqual(run.digest(), self.calm)  # by `srlm fsck`: nothing half-written either

    def test_what_failed_for_lack_of_room_is_done_when_there_is_some(self):
        run = self.make("hard", *HARD)
        run.start(SRLM_SLOWDOWN="100")
        self.assertTrue(run.await_role("trainer", 60), run.says.read_text())
        message = run.await_pause(run.disk.take_space)
        self.assertRegex(message, rf"{run.disk.folder}.*goes on by itself.*No space left|"
                                  rf"{run.disk.folder}.*goes on by itself.*disk is full")
        self.assertRegex(run.output("pause", run.run_dir), "no room on .*goes on by itself")
        self.assertRegex(run.output("resume", run.run_dir, "--wait-s", "0"), "no room on .*goes on by itself")
        for role in ("worker", "trainer"):
            run.disk.give_back()
            self.assertTrue(run.await_role(role, 60), run.says.read_text())
            if role == "worker":
                run.await_work()
            run.await_pause(run.disk.take_space)
        run.disk.give_back()
        self.finish(run)
        self.assertGreaterEqual(len(run.events("waited_for_room")), 3)
        self.assertEqual(run.events("worker_died"), [])
        log = (pathlib.Path(run.run_dir) / "logs/coordinator.log").read_text()
        self.assertIn("room_again", log)  # it goes on, too

    def test_a_run_waits_before_anything_fails(self):
        run = self.make("soft", *SOFT)
        run.disk.take_space(but=6 * MIB)
        refused = run.start()
        self.assertEqual(refused.wait(20), 1)
        self.assertRegex(run.says.read_text(),
                         rf"srlm: no room on {run.disk.folder}: [0-6] MiB free, about 8 MiB needed; .* start again")
        run.disk.give_back()
        run.start()
        self.assertTrue(run.await_role("trainer", 60), run.says.read_text())
        run.disk.take_inodes()
        self.assertRegex(run.await_pause(),
                         rf"no room on {run.disk.folder}: \d+ inodes free, 64 needed; delete \d+ files there")
        self.assertIn("cancelled", run.output("cancel", run.run_dir))
        self.assertEqual(run.wait(30), 1, run.says.read_text())
        self.assertEqual(run.await_none(5), [])
        run.disk.give_back()
        run.start(SRLM_SLOWDOWN="100")  # a phase of seconds: on a busy machine a look at its status takes one
        run.await_work()
        run.disk.take_space(but=6 * MIB)
        self.assertRegex(run.await_pause(), rf"^no room on {run.disk.folder}: [0-6] MiB free, about [89] MiB needed"
                                            "(?: for training dpo-1)?; "  # where the work was done before the disk was full
                                            "free [2-9] MiB there, and the run goes on by itself; of this run may go: "
                                            rf"{run.run_dir}/jobs/sft/checkpoints \(\d+ MiB\)$")
        run.disk.give_back()
        self.assertTrue(run.await_role("trainer", 60), run.says.read_text())
        run.disk.make_read_only()
        self.assertRegex(run.await_pause(), rf"{run.disk.folder} is read-only")
        run.disk.make_writable()
        self.finish(run)


if __name__ == "__main__":
    small_disk.enter()
    BIN = os.path.abspath(sys.argv.pop(1))
    unittest.main()
