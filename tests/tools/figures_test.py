#!/usr/bin/env python3
"""The figure runner records what parts print, and fails when a figure or a part does."""

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

RUNNER = Path(__file__).parent / "figures.py"


PAGE = "# Page\n<!-- figures: begin -->\n<!-- figures: end -->\nafter\n"


class FiguresTest(unittest.TestCase):
    def setUp(self):
        self.page = PAGE

    def run_parts(self, *scripts):
        """Exit code, figures and table of a run of shell scripts as parts; self.page is then the page."""
        with tempfile.TemporaryDirectory() as folder:
            parts = []
            for number, script in enumerate(scripts):
                part = Path(folder, f"{number}_part.sh")
                part.write_text("#!/bin/sh\n" + script)
                part.chmod(0o755)
                parts.append(part)
            out = Path(folder, "out")
            page = Path(folder, "page.md")
            page.write_text(self.page)
            done = subprocess.run([sys.executable, RUNNER, "figures", out, page, *parts], capture_output=True, check=False,
                                  text=True)
            self.said, self.page = done.stderr, page.read_text()
            if not out.exists():
                return done.returncode, [], ""
            rows = (out / "results.jsonl").read_text().splitlines()
            return done.returncode, [json.loads(row) for row in rows], (out / "results.md").read_text()

    def test_a_figure_within_its_limit_holds(self):
        line = '{"figure": "loss", "value": 0.69315, "limit": "ln 2 +- 1e-4", "pass": true}'
        code, figures, table = self.run_parts(f"echo starting\nprintf '..'\necho '{line}'\n")
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

    def test_a_parts_rows_of_the_page_are_replaced_and_others_stay(self):
        one, two = """echo '{"figure": "one", "value": 1}'\n""", """echo '{"figure": "two", "value": 2}'\n"""
        self.run_parts(one, two)
        command = self.page.splitlines()[-3].split("| ")[-1]  # of the second part, in a folder that is gone
        other = f"| 2026-01-02 | older | 7 | 8 | holds | {command}"
        self.page = PAGE.replace("begin -->\n", f"begin -->\n{other}\n")
        self.run_parts(one)
        rows = self.page.splitlines()
        self.assertEqual((rows[0], rows[-1]), ("# Page", "after"))
        self.assertIn(other, rows)
        self.assertEqual(sum("| one | 1 |" in row for row in rows), 1)
        self.assertEqual(len(rows), 8)

    def test_a_group_is_one_row_that_says_how_many_hold(self):
        line = """echo '{"figure": "%s", "value": 1, "limit": "0", "group": "all of them", "pass": %s}'\n"""
        code, figures, _ = self.run_parts(line % ("a", "true") + line % ("b", "false") + line % ("c", "true"))
        self.assertEqual((code, len(figures)), (1, 3))
        self.assertEqual(sum("all of them" in row for row in self.page.splitlines()), 1)
        self.assertIn("| all of them | 2 of 3 | all | **fails** |", self.page)

    def test_a_page_without_marks_is_refused_before_anything_runs(self):
        self.page = "# Page\n"
        code, figures, _ = self.run_parts("exit 0\n")
        self.assertEqual((code, figures), (1, []))
        self.assertIn("<!-- figures: begin -->", self.said)


if __name__ == "__main__":
    unittest.main()
