#!/usr/bin/env python3
"""The whole loop with `device: cuda`, over the plug-in whose devices are host memory and whose NCCL are sockets: replicas
of three ranks, and full sharding over two ranks. It is the run of the processor, within rounding.

    e2e_device.py BIN_FOLDER PLUGIN_FOLDER
"""

import json
import math
import os
import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
from loop import Loop  # noqa: E402

BIN = PLUGINS = ""  # set by main
SETTINGS = {"run.iterations": 1, "workers.replicas": 1, "trainer.sharding": "full"}
DEVICE = {"device": "cuda", "dtype": "float32", "workers.tensor_parallel": 3, "workers.replicas": 2}


def arguments(loop, settings, *more):
    words = loop.run_arguments("tiny.yaml", *more)
    for key, value in {**SETTINGS, **settings}.items():
        words += ["--set", f"{key}={value}"]
    return words


class Device(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="srlm-e2e-device-")
        cls.addClassCleanup(cls.folder.cleanup)
        cls.path = pathlib.Path(cls.folder.name)
        os.environ["SRLM_DEVICE_PLUGIN"] = f"{PLUGINS}/libsrlm_host_device.so"
        os.environ["SRLM_HOST_DEVICE_NAME"] = f"run-{os.getpid()}"
        cls.loops = {}
        for name, settings in (("cpu", {}), ("device", DEVICE)):
            cls.loops[name] = loop = Loop(BIN, cls.path / name)
            ended = loop.srlm(*arguments(loop, settings))
            assert ended.returncode == 0, ended.stderr + ended.stdout

    def test_candidates_scores_and_losses_are_the_processors(self):
        plain, device = self.loops["cpu"], self.loops["device"]
        rows = [{(row["prompt_id"], row["sample"]): row for row in loop.inspect("candidates")} for loop in (plain, device)]
        self.assertEqual(rows[0].keys(), rows[1].keys())
        # The models differ in their last bits after fine-tuning, so that a draw on an edge may go the other way.
        same = [key for key, row in rows[0].items() if row["text"] == rows[1][key]["text"]]
        self.assertGreaterEqual(len(same), 0.9 * len(rows[0]))
        for key in same:
            self.assertAlmostEqual(rows[0][key]["score"], rows[1][key]["score"], delta=1e-3)
        for loop in (plain, device):
            self.assertAlmostEqual(loop.inspect("rounds")[1]["first_loss"], math.log(2), delta=1e-4)
            loop.fsck()  # as it must be

    def test_jobs_took_their_devices_and_their_own_reference(self):
        run = pathlib.Path(self.loops["device"].run_dir)
        for row in (json.loads(line) for path in run.glob("jobs/*dpo*/data.jsonl") for line in path.read_text().splitlines()):
            self.assertNotIn("reference_chosen_logp", row)
        said = "".join(path.read_text(errors="replace") for path in run.glob("logs/srlm-*/**/*") if path.is_file())
        self.assertNotIn("are taken by other processes", said)
        self.assertNotIn("sees one device", said)

    def test_measuring_commands_use_a_device_too(self):
        data = pathlib.Path(__file__).parent / "data/evaluation_tiny.jsonl"
        figures = []
        for flags in ((), ("--device", "cuda", "--dtype", "float32", "--tensor-parallel", "3")):
            out = self.path / "figures.json"
            loop = self.loops["cpu"]
            ended = loop.srlm("evaluate", f"{loop.run_dir}:M1", "--data", str(data), "--verdict", "expected", "--overlap",
                              "allow", "--out", str(out), *flags)
            self.assertEqual(ended.returncode, 0, ended.stderr)
            figures.append(json.loads(out.read_text())["models"][0]["judge"])
        plain, device = figures
        for name in ("pairwise_accuracy", "exact_match", "longer_wins"):
            self.assertEqual(plain[name], device[name])
        lengths = [figure["length_correlation"]["value"] for figure in figures]
        self.assertAlmostEqual(*lengths, delta=1e-4)
        self.assertNotEqual(*lengths)  # the device has computed

    def test_a_run_without_enough_devices_is_refused_before_anything_starts(self):
        for environment, settings, words in (
                ({"SRLM_HOST_DEVICES": "5"}, {}, "6 ranks want a device each, and this host shows 5"),
                ({"SRLM_HOST_DEVICE_ERROR": "35"}, {}, "finds no device on this machine"),
                ({}, {"device": "cpu", "dtype": "bfloat16"}, "bfloat16 is for `device: cuda`")):
            with self.subTest(words):
                loop = Loop(BIN, self.path / "refused")
                ended = loop.srlm(*arguments(loop, {**DEVICE, **settings}), **environment)
                self.assertEqual(ended.returncode, 1, ended.stdout)
                self.assertIn(words, ended.stderr)
                self.assertFalse((self.path / "refused").exists())


if __name__ == "__main__":
    PLUGINS = sys.argv.pop(2)
    BIN = sys.argv.pop(1)
    unittest.main()
