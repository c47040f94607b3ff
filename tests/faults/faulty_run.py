"""A run of the real programs to which things happen: its processes, what it made, what it leaves."""

import os
import pathlib
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True
FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent / "e2e"))
from loop import Loop  # noqa: E402

CONFIG = FOLDER / "faults.yaml"


class FaultyRun(Loop):
    """One run folder, and the lives of its coordinator."""

    def __init__(self, bin_folder, run_dir, *settings, config=CONFIG):
        super().__init__(bin_folder, run_dir)
        self.config = config
        self.settings = settings
        self.life = None  # the coordinator that runs, or the last one
        self.lives = 0
        self.says = pathlib.Path(f"{run_dir}.out")

    def start(self, *more, **environment):
        """Starts `srlm run`, or goes on with it, with more arguments."""
        command = [f"{self.bin}/srlm", "run", str(self.config), "--run-dir", self.run_dir, *self.settings, *more]
        with open(self.says, "ab") as out:
            out.write(f"== life {self.lives + 1} {environment}\n".encode())
            out.flush()
            self.life = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                         env={**os.environ, **environment})
        self.lives += 1
        return self.life

    def wait(self, seconds):
        """Exit code of this life's coordinator; None when it is still there after so long."""
        try:
            return self.life.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            return None

    def find(self, role):
        """Process ids of a role: coordinator, worker, worker_mpirun, trainer, trainer_mpirun."""
        if role == "coordinator":
            return [self.life.pid] if self.life and self.life.poll() is None else []
        program = "srlm-" + role.split("_")[0]
        wanted = "mpirun" if role.endswith("_mpirun") else program
        found = []
        for pid, line in self.processes():
            words = line.split(" ")
            if os.path.basename(words[0]) == wanted and any(os.path.basename(word) == program for word in words):
                found.append(pid)
        return sorted(found)

    def await_role(self, role, seconds):
        """Processes of a role, once there are some; an empty list when the life ends or the time does."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = self.find(role)
            if found or self.life.poll() is not None:
                return found
            time.sleep(0.02)
        return []

    def end(self):
        """Whatever still runs of this run, ended; what it was. After a test that failed."""
        left = self.processes()
        for pid, _ in left:
            send(pid, signal.SIGKILL)
        if self.life:
            self.life.wait(timeout=10)
        return left

    def await_none(self, seconds):
        """Processes of the run that are there after so long; none is right."""
        end = time.monotonic() + seconds
        while (left := self.processes()) and time.monotonic() < end:
            time.sleep(0.05)
        return left

    def events(self, name=""):
        return [row for row in self.inspect("events") if name in ("", row["event"])]


def send(pid, number):
    """Sends a signal; False when the process is gone."""
    try:
        os.kill(pid, number)
        return True
    except ProcessLookupError:
        return False
