#!/usr/bin/env python3
"""srlm-worker on a device, over the plug-in whose devices are host memory: the rows of the processor's kernels on 1, 2
and 4 ranks, and clear ends where there is no device.

    device_test.py BIN_FOLDER PLUGIN_FOLDER
"""

import os
import re
import sys

import parallel_test
from parallel_test import ITEMS, PROMPTS
from worker_program import MODEL, WorkerProgram, main

FLOAT32 = ("--device", "cuda", "--dtype", "float32")
PLUGIN_FOLDER = ""  # set below


class Device(WorkerProgram):
    ranks = 1

    run_worker = parallel_test.Parallel.run_worker
    on = parallel_test.Parallel.on

    def setUp(self):
        super().setUp()
        self.plugin("srlm_host_device")
        os.environ["SRLM_HOST_DEVICE_NAME"] = f"worker-{os.getpid()}"
        for name in ("SRLM_HOST_DEVICES", "SRLM_HOST_DEVICE_NAME", "SRLM_HOST_DEVICE_ERROR"):
            self.addCleanup(os.environ.pop, name, None)

    def plugin(self, name):
        os.environ["SRLM_DEVICE_PLUGIN"] = f"{PLUGIN_FOLDER}/lib{name}.so"
        self.addCleanup(os.environ.pop, "SRLM_DEVICE_PLUGIN", None)

    def generate(self, ranks, *flags):
        """How `generate --device cuda` ends."""
        self.ranks = ranks
        prompts, out = self.write("in.jsonl", PROMPTS), self.path / "none.jsonl"
        ended = self.run_worker("generate", "--model", MODEL, "--prompts", prompts, "--out", out, "--device", "cuda", *flags)
        self.assertFalse(out.exists() and ended.returncode)
        return ended

    def test_greedy_answers_are_those_of_the_processor(self):
        flags = ("--greedy", "--samples", 1, "--max-new-tokens", 24)
        expected = self.on(1, "generate", PROMPTS, *flags)
        for ranks in (1, 2, 4):
            rows = self.on(ranks, "generate", PROMPTS, *flags, *FLOAT32)
            self.assertEqual([row["token_ids"] for row in rows], [row["token_ids"] for row in expected])
            for row, other in zip(rows, expected):
                self.assertAlmostEqual(row["logprob"], other["logprob"], delta=1e-3)

    def test_samples_follow_the_same_draws(self):
        flags = ("--samples", 3, "--max-new-tokens", 16)
        expected = self.on(1, "generate", PROMPTS, *flags)
        rows = self.on(2, "generate", PROMPTS, *flags, *FLOAT32)
        self.assertEqual([row["token_ids"] for row in rows], [row["token_ids"] for row in expected])

    def test_scores_and_likelihoods_are_those_of_the_processor(self):
        for command, key, flags in (("judge", "score", ("--verdict", "expected")), ("logprobs", "logprob", ())):
            expected = self.on(1, command, ITEMS, *flags)
            for ranks, more, delta in ((1, FLOAT32, 1e-3), (2, FLOAT32, 1e-3), (2, ("--device", "cuda"), 1.0)):
                rows = self.on(ranks, command, ITEMS, *flags, *more)  # the last in bfloat16
                for row, other in zip(rows, expected, strict=True):
                    self.assertAlmostEqual(row[key], other[key], delta=delta)

    def test_without_the_plugin_or_a_device_it_says_what_to_do(self):
        os.environ["SRLM_DEVICE_PLUGIN"] = str(self.path / "libsrlm_cuda.so")
        ended = self.generate(1)
        self.assertEqual(ended.returncode, 1)
        self.assertRegex(ended.stderr, "device: cuda: there is no plug-in at .*; build it with `make cuda`")
        self.plugin("srlm_other_build")
        self.assertRegex(self.generate(1).stderr, "is of another build .srlm 0.0.9, .* than this program")
        self.plugin("srlm_host_device")
        os.environ["SRLM_HOST_DEVICE_ERROR"] = "35"
        for ranks in (1, 2):
            ended = self.generate(ranks)
            self.assertEqual(ended.returncode, 1, ended.stderr)
            self.assertRegex(ended.stderr, "finds no device on this machine: the driver is insufficient .*device: cpu")

    def test_one_rank_without_a_device_ends_all_and_says_why(self):
        os.environ["SRLM_HOST_DEVICES"] = "3"
        ended = self.generate(4)
        self.assertEqual(ended.returncode, 1, ended.stderr)
        self.assertEqual(len(re.findall("this host shows 3 devices .*, and 4 ranks", ended.stderr)), 1, ended.stderr)

    def test_one_visible_device_is_taken_with_a_warning(self):
        os.environ["SRLM_HOST_DEVICES"] = "1"
        ended = self.generate(2, "--max-new-tokens", "4", "--threads", "1")
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertEqual(ended.stderr.count("this rank sees one device, with 2 ranks of its job on this host"), 2)

    def test_bfloat16_is_for_devices(self):
        self.fails(1, "bfloat16 is for cuda", "generate", "--model", MODEL, "--prompts",
                   self.write("in.jsonl", PROMPTS), "--out", self.path / "out.jsonl", "--dtype", "bfloat16")


if __name__ == "__main__":
    PLUGIN_FOLDER = sys.argv.pop(2)
    main()
