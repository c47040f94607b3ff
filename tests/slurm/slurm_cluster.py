"""A Slurm cluster of the test's own (cluster.sh), and runs that are jobs of it.

The cluster is in a process and mount namespace of its own (and a user namespace where the caller is not root): whatever
it starts ends with the test, however that ends.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
FOLDER = pathlib.Path(__file__).resolve().parent
ROOT = FOLDER.parents[1]
sys.path.insert(0, str(FOLDER.parent / "faults"))
from faulty_run import FaultyRun  # noqa: E402

MARK = "SRLM_TEST_SLURM"
NODES = ("node1", "node2", "node3")


def enter():
    """Starts this script again in namespaces of its own, where the nodes' names lead to this host; comes back there."""
    if os.environ.get(MARK) == "1":
        names = " ".join((os.uname().nodename, *NODES))
        with tempfile.NamedTemporaryFile("w", prefix="srlm-hosts-") as hosts:
            hosts.write(f"127.0.0.1 localhost {names}\n")
            hosts.flush()
            subprocess.run(["mount", "--bind", hosts.name, "/etc/hosts"], check=True, timeout=30)
        return
    user = [] if os.geteuid() == 0 else ["--user", "--map-current-user", "--keep-caps"]
    os.environ[MARK] = "1"
    os.execvp("unshare", ["unshare", *user, "--mount", "--pid", "--fork", "--mount-proc", "--kill-child",
                          sys.executable, *sys.argv])


class Cluster:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.log = ""
        for name in [name for name in os.environ if name.startswith("SLURM_")] + ["TMPDIR"]:
            os.environ.pop(name, None)
        os.environ["SLURM_CONF"] = str(self.folder / "slurm.conf")
        self._script("up")

    def down(self):
        self._script("down")

    def _script(self, command):
        ended = subprocess.run([str(FOLDER / "cluster.sh"), command, str(self.folder), str(len(NODES))], text=True,
                               timeout=90, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert ended.returncode == 0, ended.stdout

    def ask(self, *command, code=0):
        """What a command of Slurm's prints."""
        ended = subprocess.run(command, text=True, timeout=60, stdin=subprocess.DEVNULL, capture_output=True)
        assert ended.returncode == code, f"{' '.join(command)}: {ended.returncode}\n{ended.stdout}{ended.stderr}"
        return (ended.stdout + ended.stderr).strip()

    def job(self, job_id):
        """scontrol's words about a job, by name."""
        words = self.ask("scontrol", "--oneliner", "show", "job", job_id).split()
        return dict(word.split("=", 1) for word in words if "=" in word)

    def steps(self):
        """Steps that run, without the batch scripts: (job.step, name)."""
        lines = self.ask("squeue", "--noheader", "--steps", "--format=%i %j").splitlines()
        return [line.split() for line in lines if not line.split()[0].endswith(".batch")]


class SlurmRun(FaultyRun):
    """A run whose lives are the starts of one Slurm job, or of several."""

    def __init__(self, cluster, bin_folder, run_dir, *settings, sbatch=()):
        settings = (*settings, "launcher.profile=laptop")  # the nodes are one host, whose cores the ranks share
        super().__init__(bin_folder, run_dir, *[word for text in settings for word in ("--set", text)])
        self.cluster = cluster
        self.sbatch = sbatch
        self.job_id = ""
        self.programs = self.bin  # the folder that srlm.sbatch takes srlm from

    def submit(self):
        command = ["sbatch", "--parsable", f"--nodes={len(NODES)}", f"--chdir={self.cluster.folder}", *self.sbatch,
                   str(ROOT / "deploy/slurm/srlm.sbatch"), str(self.config), "--run-dir", self.run_dir, *self.settings]
        os.environ["SRLM_BIN"] = self.programs
        self.job_id = self.cluster.ask(*command)
        self.says = self.cluster.folder / f"srlm-{self.job_id}.out"

    def state(self):
        return self.cluster.job(self.job_id)["JobState"]

    def restarts(self):
        return int(self.cluster.job(self.job_id)["Restarts"])

    def text(self):
        return self.says.read_text() if self.says.exists() else ""

    def signal(self, number, *where):
        self.cluster.ask("scancel", f"--signal={number}", *where, self.job_id)

    def status(self):
        """RunStatus as JSON; None while nobody answers, or while no coordinator holds the run."""
        if not (pathlib.Path(self.run_dir) / "coordinator.json").exists():
            return None
        ended = self.srlm("status", self.run_dir, "--json", timeout=30)
        return json.loads(ended.stdout) if ended.returncode == 0 else None

    def await_(self, what, wanted, seconds=60):
        """Asks until wanted() is true; gives its answer."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if answer := wanted():
                return answer
            time.sleep(0.05)
        raise AssertionError(f"no {what} in {seconds} s; job: {self.cluster.job(self.job_id)}\n{self.text()}")

    def await_progress(self, phase, done, seconds=60):
        """Until so many items or steps of a phase are done."""
        def there():
            progress = ((status := self.status()) or {}).get("progress") or {}
            assert self.state() != "COMPLETED", f"the job is over:\n{self.text()}"
            return status if progress.get("phase") == phase and int(progress.get("done", 0)) >= done else None
        return self.await_(f"{done} done in {phase}", there, seconds)

    def await_start(self, number, seconds=60):
        """Until the job runs for the so many-th time."""
        return self.await_(f"start {number}", lambda: self.restarts() == number - 1 and self.state() == "RUNNING", seconds)

    def await_end(self, state="COMPLETED", seconds=120):
        self.await_(f"end as {state}", lambda: self.state() == state, seconds)

    def coordinator(self):
        """The coordinator's process id; nodes share this host."""
        return json.loads((pathlib.Path(self.run_dir) / "coordinator.json").read_text())["pid"]

    def left(self):
        """Steps and processes that outlive the job for 20 s."""
        end = time.monotonic() + 20
        while (left := self.cluster.steps() + self.processes()) and time.monotonic() < end:
            time.sleep(0.05)
        return left
