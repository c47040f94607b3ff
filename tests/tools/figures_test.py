#!/usr/bin/env python3
"""The figure runner records what parts print, and fails when a figure or a part does."""

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

RUNNER = Path(__file__).parent / "figures.py"


class FiguresTest(unittest.TestCase):
    def run_parts(self, *scripts):
        """Exit code, figures and table of a run of shell scripts as parts."""
        with tempfile.TemporaryDirectory() as folder:
            parts = []
            for number, script in enumerate(scripts):
                part = Path(folder, f"{number}_part.sh")
                part.write_text("#!/bin/sh\n" + script)
                part.chmod(0o755)
                parts.append(part)
            out = Path(folder, "out")
            done = subprocess.run([sys.executable, RUNNER, "figures", out, *parts], capture_output=True, check=False)
            rows = (out / "results.jsonl").read_text().splitlines()
            return done.returncode, [json.loads(row) for row in rows], (out / "results.md").read_text()

    def test_a_figure_within_its_limit_holds(self):
        line = '{"figure": "loss", "value": 0.69315, "limit": "ln 2 +- 1e-4", "pass": true}'
        code, figures, table = self.run_parts(f"echo starting\necho '{line}'\n")
        self.assertEqual((code, len(figures)), (0, 1))
        self.assertEqual(figures[0]["value"], 0.69315)
        self.assertIn("| loss | 0.69315 | ln 2 +- 1e-4 | holds |", table)

    def test_a_figure_beyond_its_limit_fails(self):
        code, figures, table = self.run_parts("""echo '{"figure": "x", "value": 2, "limit": "<= 1", "pass": false}'\n""")
        self.assertEqual((code, figures[0]["pass"]), (1, False))
        self.assertIn("**fails**", table)

    def test_a_part_that_ends_badly_fails_after_its_figures(self):
        code, figures, _ = self.run_parts("""echo '{"figure": "x", "value": 1}'\nexit 3\n""", "exit 0\n")
        self.assertEqual(code, 1)
        self.assertEqual([figure["pass"] for figure in figures], [True, False, True])
        self.assertEqual(figures[1]["value"], 3)


if __name__ == "__main__":
    unittest.main()
