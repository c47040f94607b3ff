"""A run over three hosts of a sandbox: coordinator on h1, replicas and trainer ranks on h2 and h3; and the same run on
one host, to compare with."""

import json
import pathlib
import subprocess
import sys
import time

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent / "e2e"))
from loop import Loop  # noqa: E402

LONGEST_RUN_S = 600
# More ranks than cores on a "host", whose cores are everybody's; root, as tests in containers are.
MPIRUN = ("mpirun --allow-run-as-root --oversubscribe --bind-to none --mca mpi_yield_when_idle 1 --mca btl tcp,self "
          "--hostfile {hostfile} -x OMP_WAIT_POLICY -x SRLM_LOG_DIR -n {ranks} {program}")


def settings(prompts_file, prompts, epochs):
    """`--set` arguments of a run that generates and then trains for some seconds each."""
    rows = [{"prompt_id": f"p{i}", "prompt": f"Say number {i} in a long way."} for i in range(prompts)]
    pathlib.Path(prompts_file).write_text("".join(json.dumps(row) + "\n" for row in rows))
    return [f"data.prompts={prompts_file}", "run.iterations=1", f"prompts.per_round={prompts}", "prompts.new_per_round=4",
            "generation.samples=4", "generation.max_new_tokens=96", f"dpo.epochs={epochs}",
            "coordinator.lease_timeout_s=2"]


def on_hosts(extra=()):
    return ["launcher.profile=cluster", "launcher.hosts=['h2:1', 'h3:1']", "workers.hosts=[h2, h3]",
            f"launcher.rsh_agent={FOLDER / 'rsh_agent.sh'}", f"launcher.command={MPIRUN}",
            "coordinator.address=0.0.0.0:0", *extra]


class Run:
    """One run in its own folder."""

    def __init__(self, bin_folder, folder, sets, prefix=()):
        """`prefix`: makes a command one on another host."""
        self.loop = Loop(bin_folder, folder)
        self.prefix = prefix
        arguments = [word for text in sets for word in ("--set", text)]
        command = [f"{self.loop.bin}/srlm", *self.loop.run_arguments("tiny.yaml", *arguments)]
        self.output = open(f"{folder}.out", "w+", encoding="utf-8")
        self.process = subprocess.Popen(self.on(command), stdin=subprocess.DEVNULL, stdout=self.output,
                                        stderr=subprocess.STDOUT)

    def on(self, command):
        return self.prefix(*command) if self.prefix else command

    def status(self):
        """RunStatus as JSON; None while nobody answers."""
        command = self.on([f"{self.loop.bin}/srlm", "status", self.loop.run_dir, "--json"])
        ended = subprocess.run(command, timeout=30, text=True, capture_output=True, stdin=subprocess.DEVNULL)
        return json.loads(ended.stdout) if ended.returncode == 0 else None

    def await_status(self, what, wanted, timeout=60):
        """Asks until `wanted(status)` is true; gives that status."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(f"the run ended before {what}:\n{self.text()}")
            status = self.status()
            if status is not None and wanted(status):
                return status
        raise AssertionError(f"no {what} in {timeout} s:\n{json.dumps(status)}\n{self.text()}")

    def await_end(self):
        try:
            code = self.process.wait(timeout=LONGEST_RUN_S)
        except subprocess.TimeoutExpired:
            self.process.terminate()
            self.process.wait(timeout=60)
            raise AssertionError(f"the run did not end in {LONGEST_RUN_S} s:\n{self.text()}") from None
        if code != 0:
            raise AssertionError(f"the run ended with {code}:\n{self.text()}")

    def text(self):
        self.output.flush()
        self.output.seek(0)
        return self.output.read()

    def digest(self):
        """Of all that the run has made; `srlm fsck` finds nothing."""
        assert len(self.loop.inspect("candidates")) > 200 and len(self.loop.inspect("rounds")) == 2
        return self.loop.digest()[:16]


def leased_on(status, host):
    return sum(worker.get("leased_items", 0) for worker in status.get("workers", []) if worker["host"] == host)


def progress(status, phase):
    """Items or steps done in a phase; -1 in another one."""
    return int(status["progress"].get("done", 0)) if (status.get("progress") or {}).get("phase") == phase else -1
