#!/usr/bin/env python3
"""A coordinator that is stopped loses its run to another one, wakes, and changes nothing.

    takeover_test.py BIN_FOLDER
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
from faulty_run import FaultyRun  # noqa: E402

BIN = ""  # set by main


class Takeover(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="srlm-takeover-")
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name)

    def make(self, name):
        run = FaultyRun(BIN, self.path / name)
        self.addCleanup(run.end)
        return run

    def end(self, process):
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.kill()
        process.wait()

    def await_address(self, run, process, seconds):
        """Until coordinator.json is this process's."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and process.poll() is None:
            try:
                if json.loads((pathlib.Path(run.run_dir) / "coordinator.json").read_text())["pid"] == process.pid:
                    return
            except (OSError, ValueError):
                pass
            time.sleep(0.02)
        self.fail("it did not take the run")

    def test_a_stopped_coordinator_that_wakes_changes_nothing(self):
        calm = self.make("calm")
        calm.start()
        self.assertEqual(calm.wait(120), 0, calm.says.read_text())
        run = self.make("taken")
        first = run.start()
        self.addCleanup(self.end, first)
        self.assertTrue(run.await_role("worker", 60), run.says.read_text())
        os.kill(first.pid, signal.SIGSTOP)
        command = [f"{BIN}/srlm", "run", str(run.config), "--run-dir", run.run_dir]
        refused = subprocess.run(command, capture_output=True, text=True, timeout=60)
        self.assertEqual(refused.returncode, 1)
        self.assertRegex(refused.stderr, rf"held by process {first.pid} .*last heard .*--take-over")
        second = subprocess.Popen([*command, "--take-over"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.addCleanup(self.end, second)
        self.await_address(run, second, 60)
        os.kill(first.pid, signal.SIGCONT)
        self.assertEqual(first.wait(60), 1)
        self.assertRegex(run.says.read_text().splitlines()[-1], rf"taken over by process {second.pid} .*epoch 2")
        self.assertEqual(second.wait(120), 0, second.stderr.read())
        second.stderr.close()
        self.assertEqual(run.await_none(10), [])
        self.assertEqual(run.digest(), calm.digest())
        self.assertFalse((pathlib.Path(run.run_dir) / "owner.lock").exists())


if __name__ == "__main__":
    BIN = os.path.abspath(sys.argv.pop(1))
    unittest.main()
