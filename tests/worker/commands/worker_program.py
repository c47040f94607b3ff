"""What the tests of srlm-worker's file commands share: running it, and files to run it on."""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[3]
MODEL = SOURCE / "tests/reference/models/llama3"
MOST_LINES = 3
SECONDS = 60


class WorkerProgram(unittest.TestCase):
    bin_folder = ""  # set by main

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name)

    def run_worker(self, *arguments):
        return subprocess.run([f"{self.bin_folder}/srlm-worker", *map(str, arguments)], timeout=SECONDS, text=True,
                              capture_output=True, stdin=subprocess.DEVNULL)

    def write(self, name, content):
        """A file in the test's folder: a text, bytes, or a list of rows."""
        path = self.path / name
        if isinstance(content, bytes):
            path.write_bytes(content)
        elif isinstance(content, str):
            path.write_text(content, encoding="utf-8")
        else:
            path.write_text("".join(json.dumps(row) + "\n" for row in content), encoding="utf-8")
        return path

    def rows(self, command, inputs, *flags, model=MODEL, summary=False):
        """Output rows (and the summary) of a command on these input rows; --threads 1 unless flags say otherwise."""
        flag = "--prompts" if command == "generate" else "--items"
        source = self.write("in.jsonl", inputs)
        out, measured = self.path / "out.jsonl", self.path / "summary.json"
        threads = () if "--threads" in flags else ("--threads", 1)
        ended = self.run_worker(command, "--model", model, flag, source, "--out", out, "--summary", measured, *threads,
                                *flags)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.text = out.read_text(encoding="utf-8")
        rows = [json.loads(line) for line in self.text.splitlines()]
        return (rows, json.loads(measured.read_text(encoding="utf-8"))) if summary else rows

    def fails(self, code, pattern, *arguments):
        """The worker ends with `code`, and says a few lines that match `pattern`."""
        with self.subTest(arguments=[str(a) for a in arguments]):
            ended = self.run_worker(*arguments)
            self.assertEqual(ended.returncode, code, ended.stderr + ended.stdout)
            self.assertRegex(ended.stderr, pattern)
            self.assertLessEqual(len(ended.stderr.splitlines()), MOST_LINES, ended.stderr)


def main():
    if len(sys.argv) < 2:
        sys.exit(f"usage: {sys.argv[0]} BIN_FOLDER")
    WorkerProgram.bin_folder = sys.argv.pop(1)
    unittest.main()
