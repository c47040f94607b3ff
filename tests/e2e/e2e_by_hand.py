#!/usr/bin/env python3
"""`launcher: none`: srlm starts nothing and says what to start; a worker and trainers started elsewhere do the run.

    e2e_by_hand.py BIN_FOLDER
"""

import os
import pathlib
import shlex
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
from loop import FOLDER, Loop  # noqa: E402

MPIRUN = str(FOLDER.parent / "mpirun.sh")
BIN = ""  # set by main


class ByHand(unittest.TestCase):
    def start(self, *command):
        process = subprocess.Popen(command, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT)
        self.addCleanup(process.communicate)
        self.addCleanup(process.terminate)  # runs first; tests/mpirun.sh ends its ranks then
        return process

    def test_a_worker_and_the_printed_trainers_finish_the_run(self):
        folder = tempfile.TemporaryDirectory(prefix="srlm-e2e-")
        self.addCleanup(folder.cleanup)
        loop = Loop(BIN, pathlib.Path(folder.name) / "run")
        coordinator = self.start(f"{BIN}/srlm", *loop.run_arguments("tiny.yaml", "--set", "launcher.kind=none", "--set",
                                                                    "run.iterations=1"))
        worker, trainers, out = None, [], []
        for line in coordinator.stdout:
            out.append(line)
            words = shlex.split(line) if "srlm-trainer" in line and "mpirun" in line else []
            if words:
                at = words.index("-n")
                trainers.append(self.start(MPIRUN, words[at + 1], *words[at + 2:]))
            if worker is None and trainers:
                worker = self.start(MPIRUN, "1", f"{BIN}/srlm-worker", "--run", loop.run_dir)
        self.assertEqual(coordinator.wait(timeout=60), 0, "".join(out))
        self.assertEqual(len(trainers), 2, "".join(out))
        for process in [worker, *trainers]:
            text, _ = process.communicate(timeout=60)
            self.assertEqual(process.returncode, 0, text)
        self.assertEqual([row["model"] for row in loop.inspect("rounds")], ["M1", "M2"])
        self.assertEqual(loop.processes(), [])
        loop.fsck()


if __name__ == "__main__":
    BIN = os.path.abspath(sys.argv.pop(1))
    unittest.main()
