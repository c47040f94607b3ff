#!/usr/bin/env python3
"""Training that was killed goes on to the same bits: real ranks under mpirun, killed by their ids.

    resume_test.py BIN_FOLDER
"""

import hashlib
import os
import pathlib
import signal
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
from trainer_job import SOURCE, STOPPED, TrainerJob  # noqa: E402

BIN = ""  # set by main
DATA = {"dpo": SOURCE / "tests/reference/data/dpo_pairs.jsonl", "sft": SOURCE / "tests/reference/data/sft_rows.jsonl"}
STEPS = 30
FLAGS = ["--global-batch", 3, "--max-steps", STEPS, "--learning-rate", 1e-3, "--threads", 1, "--warmup-ratio", 0.1,
         "--rank-timeout", 60, "--checkpoint-steps", 6]


class Resume(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="srlm-resume-")
        cls.addClassCleanup(folder.cleanup)
        cls.calm_folder = pathlib.Path(folder.name)
        cls.calm_jobs = {}

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="srlm-resume-")
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name)

    def job(self, name, method, ranks, folder=None):
        model = SOURCE / "tests/reference/models/smollm2"
        return TrainerJob(BIN, (folder or self.path) / name, method, model, DATA[method], ranks, *FLAGS)

    def calm(self, method, ranks):
        """The job that nobody disturbs."""
        if (method, ranks) not in self.calm_jobs:
            job = self.job(f"{method}-{ranks}", method, ranks, self.calm_folder)
            self.assertEqual(job.run(), 0, job.said())
            self.assertEqual(len(job.rows()), STEPS)
            self.calm_jobs[method, ranks] = job
        return self.calm_jobs[method, ranks]

    def kill(self, job, rows, *flags, rank=0):
        """Starts the job, and kills a rank once the log has so many rows."""
        job.start(*flags)
        self.assertTrue(job.await_rows(rows), job.said())
        job.signal(rank, signal.SIGKILL)
        self.assertNotEqual(job.wait(), 0)
        self.assertFalse(job.out.exists())

    def finish(self, job):
        self.assertEqual(job.run(), 0, job.said())
        calm = self.calm(job.command[1], job.ranks)
        self.assertEqual(job.rows(), calm.rows())
        self.assertEqual(job.weights(), calm.weights())
        self.assertEqual([path.name for path in job.folder.iterdir() if "tmp" in path.name], [])
        self.assertEqual(job.events("done")[0]["tokens"], calm.events("done")[0]["tokens"])

    def test_a_job_killed_again_and_again_ends_in_the_same_bits(self):
        for method in ("dpo", "sft"):
            for ranks in (1, 2):
                with self.subTest(method=method, ranks=ranks):
                    job = self.job(f"{method}{ranks}", method, ranks)
                    for rows in (2, 13, 20):
                        self.kill(job, rows, rank=ranks - 1 if rows % 2 else 0)
                    self.finish(job)
                    self.assertEqual(job.steps_saved(), [24, 30])

    def test_sharding_may_change_between_the_launches_of_a_job(self):
        """It changes no bit of a step, and a checkpoint is every rank's pieces whatever was sharded."""
        job = self.job("sharded", "dpo", 2)
        for rows, sharding in ((2, "full"), (13, "none"), (16, "optimizer"), (20, "full")):
            self.kill(job, rows, "--sharding", sharding, rank=1)
        self.finish(job)
        self.assertEqual(job.steps_saved(), [24, 30])

    def test_ranks_may_change_between_the_launches_of_a_job(self):
        job = self.job("ranks", "dpo", 2)
        self.kill(job, 8, "--sharding", "full")
        self.assertEqual(job.run("--sharding", "full", ranks=3), 0, job.said())
        self.assertIn("2 ranks wrote it, and 3 go on", job.said())
        self.assertEqual(job.events("resumed")[0]["step"], 6)
        for ours, calm in zip(job.rows(), self.calm("dpo", 2).rows(), strict=True):
            self.assertAlmostEqual(ours["loss"], calm["loss"], delta=1e-5 * (1 + abs(calm["loss"])))

    def test_a_job_that_trains_adapters_goes_on_to_the_same_bits_too(self):
        lora = ["--lora-rank", 4, "--lora-alpha", 8]
        calm = self.job("calm", "dpo", 2)
        self.assertEqual(calm.run(*lora), 0, calm.said())
        self.assertNotEqual(calm.weights(), self.calm("dpo", 2).weights())
        job = self.job("adapters", "dpo", 2)
        for rows, sharding in ((8, "full"), (20, "none")):
            self.kill(job, rows, *lora, "--sharding", sharding, rank=1)
        self.assertEqual(job.run("--lora-rank", 8), 1)
        self.assertIn("lora is rank 4, alpha 8", job.said())
        self.assertEqual(job.run(*lora), 0, job.said())
        self.assertEqual(job.rows(), calm.rows())
        self.assertEqual(job.weights(), calm.weights())

    def test_a_kill_in_a_checkpoint_costs_only_the_steps_since_the_one_before(self):
        for place in ("before_write", "before_verify", "before_rename", "before_delete", "after_delete"):
            with self.subTest(place=place):
                job = self.job(place, "dpo", 1)
                self.assertNotEqual(job.run(SRLM_FAILPOINT=f"checkpoint.{place}:3"), 0)
                saved = 18 if place in ("before_delete", "after_delete") else 12
                self.assertEqual(job.steps_saved()[-1], saved)
                self.finish(job)
                self.assertEqual(job.events("resumed")[0]["step"], saved)

    def test_a_kill_while_the_model_is_saved_makes_no_step_again(self):
        job = self.job("model", "sft", 2)
        self.assertNotEqual(job.run(SRLM_FAILPOINT="model.before_rename:1"), 0)
        self.assertFalse(job.out.exists())
        for unfinished in job.folder.glob("model.tmp.*"):
            for file in unfinished.iterdir():
                file.unlink()
            unfinished.rmdir()
        self.finish(job)
        self.assertEqual(job.events("resumed")[0]["step"], STEPS)

    def test_models_saved_on_the_way_are_the_same_whenever_a_kill_comes(self):
        flags = ["--save-steps", 8]
        steps = [8, 16, 24, 30]

        def saved(job):
            return {step: hashlib.sha256((job.folder / f"model.step-{step}/model.safetensors").read_bytes()).hexdigest()
                    for step in steps}

        calm = self.job("calm", "dpo", 2)
        self.assertEqual(calm.run(*flags), 0, calm.said())
        self.assertEqual(len(set(saved(calm).values())), len(steps))
        self.assertEqual(saved(calm)[30], self.calm("dpo", 2).weights())
        for place in ("model.before_rename:2", "model.after_rename:3", "checkpoint.before_rename:2"):
            with self.subTest(place=place):
                job = self.job(place.split(":")[0], "dpo", 2)
                self.assertNotEqual(job.run(*flags, SRLM_FAILPOINT=place), 0)
                self.assertEqual(job.run(*flags), 0, job.said())
                self.assertEqual(saved(job), saved(calm))
                self.assertEqual(job.rows(), calm.rows())
                self.assertFalse(job.out.exists())

    def test_a_torn_checkpoint_is_refused_by_its_file_and_the_one_before_used(self):
        for damage in ("flip", "remove"):
            with self.subTest(damage=damage):
                job = self.job(damage, "dpo", 2)
                self.kill(job, 13)
                newest = job.checkpoints / f"step-{job.steps_saved()[-1]:08}"
                shard = newest / ("weights-00002-of-00002.f32" if damage == "flip" else "second_moment-00001-of-00002.f32")
                if damage == "remove":
                    shard.unlink()
                else:
                    content = bytearray(shard.read_bytes())
                    content[len(content) // 3] ^= 4
                    shard.write_bytes(content)
                before = job.steps_saved()[-2]
                self.finish(job)
                resumed = job.events("resumed")[0]
                self.assertEqual(resumed["step"], before)
                self.assertIn(str(shard), resumed["refused"][0])
                self.assertIn(str(shard), job.said())

    def test_nothing_is_mixed_with_another_job(self):
        job = self.job("other", "dpo", 2)
        self.kill(job, 7)
        for flags, said in ((["--seed", 2], "seed is 1 there and 2 now"),
                            (["--threads", 2], "threads is 1,1 there and 2,2 now")):
            self.assertEqual(job.run(*flags), 1)
            self.assertIn(said, job.said())
            self.assertIn("--resume false", job.said())
        # Begun anew on purpose, it is the other job, and leaves only its own checkpoints.
        self.assertEqual(job.run("--resume", "false", ranks=1), 0, job.said())
        calm = self.calm("dpo", 1)
        self.assertEqual(job.rows(), calm.rows())
        self.assertEqual(job.weights(), calm.weights())
        self.assertEqual(job.steps_saved(), [24, 30])

    def test_sigterm_on_any_rank_stops_all_in_order_with_a_checkpoint(self):
        for rank in (0, 1):
            with self.subTest(rank=rank):
                job = self.job(f"term{rank}", "dpo", 2)
                job.start()
                self.assertTrue(job.await_rows(6))
                job.signal(rank, signal.SIGTERM)
                self.assertEqual(job.wait(30), STOPPED, job.said())
                self.assertIn(f"SIGTERM on rank {rank}", job.said())
                self.assertEqual(job.steps_saved()[-1], len(job.rows()))
                self.assertFalse(job.out.exists())
                self.finish(job)
                self.assertEqual(job.events("resumed")[0]["step"], job.events("resumed")[-1]["step"])


if __name__ == "__main__":
    BIN = os.path.abspath(sys.argv.pop(1))
    unittest.main()
