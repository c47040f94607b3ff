#!/usr/bin/env python3
"""srlm-trainer on a device, over the plug-in whose devices are host memory and whose NCCL are sockets: the losses of the
processor's network on 1, 2 and 4 ranks, a killed job that goes on, a rank that is stopped inside a collective.

    device_test.py BIN_FOLDER PLUGIN_FOLDER
"""

import os
import pathlib
import re
import signal
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True
from trainer_job import SOURCE, TrainerJob  # noqa: E402

BIN = PLUGINS = ""  # set by main
STEPS = 10
DEADLINE = 4
FLAGS = ["--global-batch", 3, "--max-steps", STEPS, "--learning-rate", 1e-4, "--threads", 1, "--checkpoint-steps", 4]
DEVICE = ["--device", "cuda", "--dtype", "float32"]


class Device(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="srlm-device-")
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name)
        os.environ["SRLM_DEVICE_PLUGIN"] = f"{PLUGINS}/libsrlm_host_device.so"
        os.environ["SRLM_HOST_DEVICE_NAME"] = f"trainer-{os.getpid()}"
        for name in ("SRLM_DEVICE_PLUGIN", "SRLM_HOST_DEVICE_NAME", "SRLM_HOST_DEVICE_ERROR"):
            self.addCleanup(os.environ.pop, name, None)

    def job(self, name, ranks, *flags, model="smollm2"):
        data = SOURCE / "tests/reference/data/dpo_pairs.jsonl"
        job = TrainerJob(BIN, self.path / name, "dpo", SOURCE / "tests/reference/models" / model, data, ranks, *FLAGS, *flags)
        self.addCleanup(job.end)
        return job

    def losses(self, name, ranks, *flags, **more):
        job = self.job(name, ranks, *flags, **more)
        self.assertEqual(job.run(), 0, job.said())
        return [row["loss"] for row in job.rows()]

    def expect_near(self, losses, expected, relative=1e-4):  # AdamW makes much of the last bits of small gradients
        self.assertEqual(len(losses), len(expected))
        for loss, other in zip(losses, expected):
            self.assertLess(abs(loss - other), relative * abs(other), (losses, expected))

    def test_losses_are_those_of_the_processor_in_every_mode(self):
        expected = self.losses("cpu", 1)
        self.assertAlmostEqual(expected[0], 0.6931471805599453, places=6)
        whole = None
        for ranks, sharding in ((2, "none"), (2, "optimizer"), (2, "full"), (4, "full")):
            with self.subTest(ranks=ranks, sharding=sharding):
                losses = self.losses(f"{sharding}{ranks}", ranks, *DEVICE, "--sharding", sharding)
                self.expect_near(losses, expected)
                if ranks == 2:
                    whole = whole or losses
                    self.expect_near(losses, whole, relative=1e-6)

    def test_adapters_dropout_and_recomputing_are_as_on_the_processor(self):
        for name, flags in (("adapters", ["--lora-rank", 4, "--dropout", 0.1]),
                            ("recompute", ["--dropout", 0.1, "--activation-checkpointing", "block"])):
            with self.subTest(name):
                expected = self.losses(f"{name}-cpu", 1, *flags)
                self.expect_near(self.losses(name, 2, *DEVICE, "--sharding", "full", *flags), expected)

    def test_bfloat16_stays_near(self):
        for model in ("gemma3",):
            with self.subTest(model):
                expected = self.losses(f"{model}-cpu", 1, model=model)
                self.expect_near(self.losses(model, 2, "--device", "cuda", model=model), expected, relative=0.15)

    def test_a_killed_job_goes_on_to_the_same_losses(self):
        calm = self.losses("calm", 2, *DEVICE, "--sharding", "full")
        job = self.job("killed", 2, *DEVICE, "--sharding", "full")
        job.start()
        self.assertTrue(job.await_rows(6), job.said())
        job.signal(0, signal.SIGKILL)
        self.assertNotEqual(job.wait(), 0)
        self.assertEqual(job.run(), 0, job.said())
        self.expect_near([row["loss"] for row in job.rows()], calm)

    def test_a_job_begun_on_the_processor_is_another_one(self):
        job = self.job("begun", 1)
        self.assertEqual(job.run("--max-steps", STEPS), 0, job.said())
        job.command += DEVICE
        self.assertNotEqual(job.run(), 0)
        self.assertRegex(job.said(), "srlm-trainer: .*device")

    def test_without_a_device_all_ranks_end_and_say_why_before_any_work(self):
        os.environ["SRLM_HOST_DEVICE_ERROR"] = "35"
        job = self.job("none", 2, *DEVICE)
        self.assertEqual(job.run(), 1, job.said())
        self.assertIn("finds no device on this machine: the driver is insufficient", job.said())
        self.assertFalse(job.out.exists())

    def test_a_stopped_rank_is_named_at_the_deadline(self):
        job = self.job("hung", 3, *DEVICE, "--sharding", "full", "--rank-timeout", DEADLINE)
        job.start("--max-steps", 400)
        self.assertTrue(job.await_rows(3), job.said())
        os.kill(job.await_pids()[1], signal.SIGSTOP)
        begin = time.monotonic()
        self.assertNotEqual(job.wait(), 0)
        took = time.monotonic() - begin
        said = job.said()
        self.assertLess(took, DEADLINE + 4, said)  # mpirun takes two of them to end a stopped rank
        self.assertRegex(said, rf"did not end within {DEADLINE} s.*: .*rank 1\b")  # of the devices or of the host
        print(f"rank 1 of 3 stopped: the job ended {took:.1f} s later: "
              + re.search(r"srlm-trainer: (.*did not end within.*)", said).group(1))


if __name__ == "__main__":
    PLUGINS = sys.argv.pop(2)
    BIN = sys.argv.pop(1)
    unittest.main()
