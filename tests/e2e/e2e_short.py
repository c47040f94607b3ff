#!/usr/bin/env python3
"""The main job in short on the real 135M model: SFT, one round, DPO; at most 3 minutes on 2 cores.

    e2e_short.py BIN_FOLDER       SRLM_MODEL names the model's folder, where it is not in ~/.cache/srlm
"""

import math
import os
import pathlib
import resource
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True
from loop import FOLDER, Loop  # noqa: E402

BIN = ""  # set by main


class ShortRun(unittest.TestCase):
    def test_the_main_job_in_short(self):
        with tempfile.TemporaryDirectory(prefix="srlm-e2e-") as folder:
            loop = Loop(BIN, pathlib.Path(folder) / "run")
            begin = time.monotonic()
            ended = loop.srlm(*loop.run_arguments("short.yaml"))
            seconds = time.monotonic() - begin
            used = resource.getrusage(resource.RUSAGE_CHILDREN)
            computed = used.ru_utime + used.ru_stime
            print(ended.stdout)
            print(f"{seconds:.0f} s, {computed:.0f} s of computing")
            self.assertEqual(ended.returncode, 0, ended.stderr)
            sft, first = loop.inspect("rounds")
            self.assertLess(sft["loss"], sft["first_loss"])
            self.assertAlmostEqual(first["first_loss"], math.log(2), delta=1e-4)
            self.assertGreaterEqual(first["pairs"], 2)  # of 3 prompts
            self.assertEqual(first["candidates"], 9)
            self.assertEqual(first["judge"]["pairwise_accuracy"]["n"], 12)
            votes = [vote for row in loop.inspect("candidates") for vote in row["votes"]]
            self.assertEqual(len(votes), 9 * 2)
            parsed = [vote for vote in votes if vote["state"] == "parsed"]
            self.assertGreaterEqual(len(parsed), len(votes) / 2)
            self.assertAlmostEqual(first["parse_rate"], len(parsed) / len(votes), places=6)
            for vote in parsed:
                self.assertIn(f"{vote['score']:.0f}", vote["text"])
            self.assertEqual(loop.processes(), [])
            loop.fsck()
            # Of 2 cores, whatever else the machine does: 3 minutes are 6 minutes of computing.
            self.assertLessEqual(computed, 360)


if __name__ == "__main__":
    BIN = os.path.abspath(sys.argv.pop(1))
    unittest.main()
