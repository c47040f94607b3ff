#!/usr/bin/env python3
"""Keys of a whole run: who may do what with them, and that they are nowhere but in RUN/secrets.

    e2e_keys.py BIN_FOLDER
"""

import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True
from loop import Loop  # noqa: E402
from secrets_search import files_with, processes_with, traces  # noqa: E402

CONFIG = "tiny.yaml"
BIN = ""  # set by main


class Keys(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="srlm-e2e-")
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name)
        self.loop = Loop(BIN, self.path / "run")
        self.secrets = self.path / "run" / "secrets"

    def start(self, *more):
        """A running coordinator that listens."""
        process = subprocess.Popen([f"{BIN}/srlm", *self.loop.run_arguments(CONFIG, *more)], text=True,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.addCleanup(process.communicate)
        self.addCleanup(process.terminate)
        output = ""
        for line in process.stdout:
            output += line
            if "answers from another terminal" in line:
                return process
        self.fail(output)

    def test_a_whole_run_leaves_them_in_no_command_line_environment_log_or_ledger(self):
        process = self.start("--set", "run.iterations=1")
        needles = traces(self.loop.run_dir)
        self.assertEqual(len(needles), 4 * 5)
        output, read, programs = b"", 0, set()
        for line in process.stdout:  # each phase says that it begins and that it ended
            output += line.encode()
            running = self.loop.processes()
            programs.update(os.path.basename(words.split()[0]) for _, words in running)
            found, count = processes_with([pid for pid, _ in running], needles)
            self.assertEqual(found, [])
            read += count
        self.assertEqual(process.wait(timeout=60), 0, output)
        self.assertGreaterEqual(read, 4)
        self.assertTrue({"srlm", "mpirun"} <= programs, programs)
        self.assertFalse(any(needle in output for needle in needles))
        self.assertEqual(files_with(self.loop.run_dir, needles, skip=("secrets",)), [])
        self.assertEqual(files_with(self.loop.run_dir, [b"PRIVATE KEY"], skip=("secrets",)), [])
        # The search finds them where they are, and the run's own files were among those searched.
        self.assertEqual(len(files_with(self.secrets, needles)), 4)
        self.assertTrue(files_with(self.loop.run_dir, [b"coordinator_began"]))
        self.loop.fsck()

    def test_a_copy_of_the_read_folder_lets_somebody_look_and_nothing_else_does(self):
        self.start("--set", "launcher.kind=none")
        status = self.loop.rows("status", self.loop.run_dir, "--json")[0]
        address = (self.path / "run" / "coordinator.json").read_text().split('"address": "')[1].split('"')[0]
        copy = self.path / "copy"
        shutil.copytree(self.secrets / "read", copy)
        there = self.loop.rows("status", "--address", address, "--secrets", str(copy), "--json")[0]
        self.assertEqual(there["run_id"], status["run_id"])
        for right, code in (("steer", 0), ("work", 1)):
            ended = self.loop.srlm("status", "--address", address, "--secrets", str(self.secrets / right))
            self.assertEqual(ended.returncode, code, ended.stderr)
        self.assertIn('needs the right "read"', ended.stderr)
        ended = self.loop.srlm("status", "--address", address, timeout=20)
        self.assertEqual(ended.returncode, 1)
        self.assertIn("--secrets", ended.stderr)

    def test_keys_that_others_may_read_are_refused_with_the_command_that_mends_it(self):
        process = self.start("--set", "launcher.kind=none")
        (self.secrets / "read").chmod(0o755)
        ended = self.loop.srlm("status", self.loop.run_dir)
        self.assertEqual(ended.returncode, 1)
        self.assertIn(f"chmod 700 {self.secrets / 'read'}", ended.stderr)
        process.terminate()
        process.communicate(timeout=60)
        again = self.loop.srlm(*self.loop.run_arguments(CONFIG))
        self.assertEqual(again.returncode, 1)
        self.assertIn(f"chmod 700 {self.secrets / 'read'}", again.stderr)
        (self.secrets / "read").chmod(0o700)
        self.start("--set", "launcher.kind=none")
        self.assertEqual(self.loop.rows("status", self.loop.run_dir, "--json")[0]["state"], "running")

    def test_security_off_is_printed_at_every_start(self):
        for _ in range(2):
            process = self.start("--set", "launcher.kind=none", "--set", "security=off")
            self.assertIn("security: off", process.stdout.readline())
            self.assertEqual(self.loop.rows("status", self.loop.run_dir, "--json")[0]["state"], "running")
            self.assertFalse(self.secrets.exists())
            process.terminate()
            process.communicate(timeout=60)

    def test_status_as_a_whole_command_takes_at_most_150_ms(self):
        self.start("--set", "launcher.kind=none")
        seconds = []
        for _ in range(15):
            begin = time.monotonic()
            self.loop.output("status", self.loop.run_dir)
            seconds.append(time.monotonic() - begin)
        print(f"srlm status: median {1000 * statistics.median(seconds):.0f} ms")
        self.assertLessEqual(statistics.median(seconds), 0.15)


if __name__ == "__main__":
    BIN = os.path.abspath(sys.argv.pop(1))
    unittest.main()
