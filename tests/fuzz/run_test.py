#!/usr/bin/env python3
"""run_test.py BIN: a target that crashes or hangs on an input makes run.py fail and name that input."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

RUNNER = Path(__file__).parent / "run.py"
BIN = sys.argv.pop(1)


class RunTest(unittest.TestCase):
    def fuzz(self, *inputs, bin_folder=BIN):
        """Exit code, what was printed, and the contents of the inputs that were left."""
        with tempfile.TemporaryDirectory() as folder:
            corpus = Path(folder, "corpus/planted")
            corpus.mkdir(parents=True)
            for number, content in enumerate(inputs):
                (corpus / str(number)).write_bytes(content)
            done = subprocess.run([sys.executable, RUNNER, "1", "--bin", bin_folder, "--corpus", corpus.parent, "--out",
                                   f"{folder}/out"], capture_output=True, text=True, timeout=60, check=False)
            left = {path.name: path.read_bytes() for path in Path(folder, "out/planted").iterdir() if path.is_file()}
            del left["log"]
            for name in left:
                self.assertIn(f"out/planted/{name}", done.stdout)
            return done.returncode, done.stdout, list(left.values())

    def test_nothing_to_find(self):
        code, output, left = self.fuzz(b"calm")
        self.assertEqual((code, left), (0, []), output)
        self.assertRegex(output, r"planted: [1-9]\d+ inputs in 1 s, nothing found")

    def test_a_write_past_the_end_is_found(self):
        code, output, left = self.fuzz(b"calm", b"boom")
        self.assertEqual((code, left), (1, [b"boom"]), output)
        self.assertIn("heap-buffer-overflow", output)

    def test_undefined_behaviour_is_found(self):
        code, output, left = self.fuzz(b"over")
        self.assertEqual((code, left), (1, [b"over"]), output)
        self.assertIn("signed integer overflow", output)

    def test_a_target_that_is_not_there_is_a_failure(self):
        code, output, _ = self.fuzz(b"calm", bin_folder="/nonexistent")
        self.assertEqual(code, 1)
        self.assertIn("cannot be started", output)


if __name__ == "__main__":
    unittest.main()
