#!/usr/bin/env python3
"""A run as a Slurm job: put back into the queue it goes on, and what it makes is what an undisturbed run makes.

    slurm_test.py BIN_FOLDER           a short form
    slurm_test.py BIN_FOLDER --all     every case, with real time limits, as `make verify` runs it
"""

import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True
import slurm_cluster  # noqa: E402
from faulty_run import FaultyRun, send  # noqa: E402
from slurm_cluster import Cluster, SlurmRun  # noqa: E402

BIN = ""  # set by main


def longer(folder, prompts=12, epochs=12, tokens=96):
    """Settings of a run whose phases last for some seconds each."""
    path = pathlib.Path(folder) / "prompts.jsonl"
    rows = [{"prompt_id": f"p{i}", "prompt": f"Say number {i} in a long way."} for i in range(prompts)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return (f"data.prompts={path}", f"prompts.per_round={prompts}", "generation.samples=4",
            f"generation.max_new_tokens={tokens}", f"dpo.epochs={epochs}")


class OnCluster(unittest.TestCase):
    """Three nodes, and what the run makes that nobody disturbs."""

    LONGER = {}

    @classmethod
    def more_settings(cls):
        return ()

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="srlm-slurm-")
        cls.addClassCleanup(folder.cleanup)
        cls.path = pathlib.Path(folder.name)
        cls.settings = (*longer(folder.name, **cls.LONGER), *cls.more_settings())
        cls.cluster = Cluster(cls.path / "cluster")
        cls.addClassCleanup(cls.cluster.down)
        cls.calm = cls.undisturbed("calm", cls.settings)

    @classmethod
    def undisturbed(cls, name, settings):
        """The same on one host, without Slurm."""
        run = FaultyRun(BIN, cls.path / name, *[word for text in settings for word in ("--set", text)])
        cls.addClassCleanup(run.end)
        run.start()
        assert run.wait(300) == 0, run.says.read_text()
        return run

    def make(self, name, *settings, sbatch=()):
        return SlurmRun(self.cluster, BIN, self.path / name, *self.settings, *settings, sbatch=sbatch)

    def finish(self, run, seconds=120):
        run.await_end("COMPLETED", seconds)
        self.assertEqual(run.left(), [])
        digest, expected = run.digest(), self.calm.digest()
        case = self.id().split(".test_")[1].replace("_", " ")
        self.figure(f"Slurm, {case}: digest of everything equals one host's", digest, f"= {expected}", digest == expected,
                    group="a run as a Slurm job, in what way it was disturbed: digest of everything equals one host's")

    def figure(self, name, value, limit, holds, **more):
        """A line for tests/tools/figures.py."""
        print(json.dumps({"figure": name, "value": value, "limit": limit, "pass": holds} | more), flush=True)
        self.assertTrue(holds, f"{name}: {value}, not {limit}")


class Slurm(OnCluster):
    LONGER = {"epochs": 36}  # a job that is still there when a notice reaches it, on a fast machine too

    def test_notices_end_a_life_in_order_and_the_job_goes_on(self):
        run = self.make("noticed", sbatch=["--time=10"])
        run.submit()
        run.await_progress("generate_and_judge", 10)
        run.signal("USR1", "--batch")
        run.await_start(2)
        run.await_progress("dpo", 2)
        run.signal("TERM", "--batch")
        run.await_start(3)
        steps = int(re.search(r"after (\d+) ", run.events("job_held")[-1]["message"])[1])
        run.await_progress("dpo", steps + 1)
        run.signal("TERM")  # the tasks alone: they end with a checkpoint, and are started again
        self.finish(run)
        self.assertEqual(run.restarts(), 2)
        self.assertEqual({row["message"].split(" on ")[1].split(",")[0] for row in run.events("worker_joined")},
                         {"node1", "node2"})
        for sign_of_disorder in ("worker_died", "job_ended_early", "lease_expired"):
            self.assertEqual([row["message"] for row in run.events(sign_of_disorder)], [])
        self.assertIn("SIGTERM on rank", run.events("job_stopped")[-1]["message"])

    def test_a_cancelled_job_leaves_no_process_and_another_goes_on(self):
        run = self.make("cancelled")
        run.submit()
        run.await_progress("generate_and_judge", 10)
        self.cluster.ask("scancel", run.job_id)
        run.await_end("CANCELLED")
        self.assertEqual(run.left(), [])
        self.assertRegex(run.text(), rf"Slurm job {run.job_id} is left as it is \((CANCELLED|COMPLETING)\); .*submit it again")
        run.submit()
        self.finish(run)

    def test_a_job_that_is_too_small_says_what_to_ask_for(self):
        run = self.make("small", "trainer.ranks=4", sbatch=["--nodes=1"])
        run.submit()
        run.await_end("FAILED")
        self.assertRegex(run.text(), r"trainer.ranks: 4 need 1 CPUs each, and its 1 node\(s\) have 2 CPUs; submit it with")

    def test_outside_of_a_job_it_says_how_to_submit_one(self):
        ended = self.calm.srlm("run", str(self.calm.config), "--run-dir", str(self.path / "none"), "--set",
                               "launcher.kind=slurm", "--set", "coordinator.address=0.0.0.0:0")
        self.assertEqual(ended.returncode, 1)
        self.assertIn("sbatch deploy/slurm/srlm.sbatch", ended.stderr)


class Limited(OnCluster):
    """A run whose workers are slow in its job's first two starts, so that their time does not suffice on any host."""

    LONGER = {"prompts": 240, "epochs": 1, "tokens": 48}
    SRLM = """#!/bin/bash
[ "${SLURM_RESTART_COUNT:-0}" -ge 2 ] || export SRLM_SLOWDOWN=250
exec %s/srlm "$@"
"""

    @classmethod
    def more_settings(cls):
        return ("dpo.global_batch=64",)  # few steps: ranks that wait for one another are slow on a busy host

    def test_a_short_time_limit_makes_it_several_lives(self):
        run = self.make("limited", sbatch=["--time=1"])
        program = self.path / "bin/srlm"
        program.parent.mkdir()
        program.write_text(self.SRLM % run.programs)
        program.chmod(0o755)
        run.programs = str(program.parent)
        run.submit()
        self.finish(run, 600)
        self.figure("lives of a run as a job of one minute", run.restarts() + 1, "3 or 4", run.restarts() + 1 in (3, 4))
        self.assertEqual([row["message"] for row in run.events("job_ended_early")], [])


class Long(OnCluster):
    LONGER = {"prompts": 48, "epochs": 8}

    def test_the_rest_goes_on_when_a_node_is_down(self):
        run = self.make("node", sbatch=["--time=10"])
        run.submit()
        run.await_progress("generate_and_judge", 20)
        self.cluster.ask("scontrol", "update", "nodename=node2", "state=down", "reason=test")
        self.finish(run, 300)
        self.assertEqual(run.restarts(), 0)
        hosts = [row["message"].split(" on ")[1].split(",")[0] for row in run.events("worker_joined")]
        self.assertEqual(set(hosts[:2]), {"node1", "node2"})
        self.assertEqual(set(hosts[2:]), {"node1", "node3"})  # node2 is back soon, and is the job's no more

    def test_training_goes_on_without_a_node_that_is_down(self):
        run = self.make("training", sbatch=["--time=10"])
        run.submit()
        run.await_progress("dpo", 5)
        self.cluster.ask("scontrol", "update", "nodename=node2", "state=down", "reason=test")
        self.finish(run, 300)
        self.assertEqual(run.restarts(), 0)
        self.assertEqual(len(run.events("job_resumed")), 1)

    def test_a_job_in_whose_time_nothing_was_finished_is_not_put_back(self):
        run = self.make("idle", "launcher.command=sh -c 'exec sleep 1000' {ranks} {program}", sbatch=["--time=1"])
        run.submit()
        run.await_end("FAILED", 90)
        self.assertEqual(run.left(), [])
        self.assertEqual(run.restarts(), 0)
        self.assertRegex(run.text(), "nothing was finished in the time of Slurm job .* with more --time")

    def test_notices_to_workers_tasks_make_them_hand_in_and_start_again(self):
        run = self.make("tasks", sbatch=["--time=10"])
        run.submit()
        run.await_progress("generate_and_judge", 20)
        name = "worker-1-1@" + run.status()["run_id"]
        self.assertIn(name, [of for _, of in self.cluster.steps()])
        run.signal("TERM")
        run.await_("workers left", lambda: len(run.events("worker_left")) >= 2)
        self.finish(run, 300)
        self.assertEqual([row["message"] for row in run.events("worker_died")], [])
        self.assertEqual(run.restarts(), 0)
        self.check_that_a_step_that_was_left_is_found(run, name)

    def check_that_a_step_that_was_left_is_found(self, run, name):
        left = subprocess.Popen(["srun", f"--job-name={name}", "sleep", "1000"], stdin=subprocess.DEVNULL)
        try:
            step = run.await_("step", lambda: [step for step, of in self.cluster.steps() if of == name])[0]
            ended = run.srlm("fsck", run.run_dir)
            self.assertEqual(ended.returncode, 1)
            self.assertRegex(ended.stdout, rf"Slurm step {step}\n\s+it is {name} of this run")
        finally:
            left.kill()
            left.wait()
            self.cluster.ask("scancel", f"--jobname={name}")

    def test_the_loss_of_the_first_node_ends_the_job_and_another_goes_on(self):
        run = self.make("first", sbatch=["--time=10"])
        run.submit()
        run.await_progress("generate_and_judge", 20)
        self.cluster.ask("scontrol", "update", "nodename=node1", "state=down", "reason=test")
        run.await_end("FAILED")
        self.assertEqual(run.left(), [])
        run.submit()
        self.finish(run, 300)

    def test_a_controller_that_does_not_answer_delays_new_steps_alone(self):
        run = self.make("deaf")
        run.submit()
        run.await_progress("generate_and_judge", 20)
        controller = int((self.cluster.folder / "run/slurmctld.pid").read_text())
        send(controller, signal.SIGSTOP)
        self.addCleanup(send, controller, signal.SIGCONT)
        # The next phase needs a step: until then the run goes on, and it waits there.
        run.await_("training that waits for its step", lambda: run.events("job_began")[-1]["message"].startswith("dpo"))
        begin = time.monotonic()
        run.await_("answers while it waits", lambda: time.monotonic() > begin + 5 and run.status())
        send(controller, signal.SIGCONT)
        self.finish(run, 300)

    def test_a_killed_coordinator_ends_its_job_and_another_goes_on(self):
        run = self.make("killed")
        run.submit()
        pid = run.await_progress("dpo", 5) and run.coordinator()
        send(pid, signal.SIGKILL)
        run.await_end("FAILED")
        self.assertEqual(run.left(), [])
        run.submit()
        self.finish(run, 300)

    def test_a_paused_run_is_not_put_back(self):
        run = self.make("paused")
        run.submit()
        run.await_progress("generate_and_judge", 20)
        run.output("pause", run.run_dir)
        run.signal("USR1", "--batch")
        run.await_end("FAILED")
        self.assertEqual(run.left(), [])
        self.assertRegex(run.text(), "paused")
        run.submit()
        self.finish(run, 300)


if __name__ == "__main__":
    slurm_cluster.enter()
    BIN = os.path.abspath(sys.argv.pop(1))
    if "--all" in sys.argv:
        sys.argv.remove("--all")
    else:
        del Long, Limited
    unittest.main()
