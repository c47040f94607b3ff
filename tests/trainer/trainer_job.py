"""Training jobs as real mpirun groups: started, watched by their log, signalled rank by rank, ended."""

import hashlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(SOURCE / "tests/parallel"))
from ranks import pids_of  # noqa: E402

STOPPED = 75  # srlm-trainer's exit code after it stopped in order


class TrainerJob:
    """One job in a folder of its own: `out`, its log and its checkpoints, over as many launches as it takes."""

    def __init__(self, bin_folder, folder, method, model, data, ranks, *flags):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir()
        self.out = self.folder / "model"
        self.log = self.folder / "log.jsonl"
        self.checkpoints = self.folder / "checkpoints"
        self.says = self.folder / "says.txt"  # standard error of all launches
        self.ranks = ranks
        self.launch = None
        self.command = [f"{bin_folder}/srlm-trainer", method, "--model", model, "--data", data, "--out", self.out,
                        "--log", self.log, "--checkpoint-folder", self.checkpoints, *flags]

    def start(self, *flags, ranks=None, **environment):
        """Starts a launch; `flags`, names and values, stand in place of the job's own."""
        words = list(self.command)
        for name, value in zip(flags[::2], flags[1::2]):
            if name in words:
                del words[words.index(name):words.index(name) + 2]
            words += [name, value]
        command = [SOURCE / "tests/mpirun.sh", ranks or self.ranks, *words]
        with open(self.says, "ab") as says:
            self.launch = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=says,
                                           stderr=says, env={**os.environ, **environment})

    def wait(self, seconds=120):
        """The launch's exit code."""
        try:
            return self.launch.wait(timeout=seconds)
        finally:
            self.end()

    def run(self, *flags, seconds=120, **more):
        self.start(*flags, **more)
        return self.wait(seconds)

    def pids(self):
        """Process ids of the ranks, by rank."""
        return pids_of("srlm-trainer", lambda words, environment: str(self.out) in words)

    def await_rows(self, count, seconds=60):
        """Waits until the log has rows of so many steps; False when the launch has ended before."""
        end = time.monotonic() + seconds
        while len(self.rows()) < count:
            if self.launch.poll() is not None:
                return False
            assert time.monotonic() < end, f"{self.log}: no {count} rows after {seconds} s\n{self.said()}"
            time.sleep(0.005)
        return True

    def await_pids(self, seconds=30):
        """All ranks' process ids, once they are there."""
        end = time.monotonic() + seconds
        while len(found := self.pids()) < self.ranks:
            assert time.monotonic() < end and self.launch.poll() is None, self.said()
            time.sleep(0.01)
        return found

    def signal(self, rank, number):
        os.kill(self.await_pids()[rank], number)

    def rows(self):
        """The steps' rows, without their times and what they cost."""
        if not self.log.exists():
            return []
        rows = []
        for line in self.log.read_text(encoding="utf-8").split("\n")[:-1]:
            row = json.loads(line)
            if "loss" in row:
                for name in ("seconds", "waited_seconds", "sent_bytes"):
                    row.pop(name)
                rows.append(row)
        return rows

    def events(self, name):
        rows = [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]
        return [row for row in rows if row.get("event") == name]

    def steps_saved(self):
        return sorted(int(path.name.removeprefix("step-")) for path in self.checkpoints.glob("step-*"))

    def weights(self):
        return hashlib.sha256((self.out / "model.safetensors").read_bytes()).hexdigest()

    def said(self):
        return self.says.read_text(encoding="utf-8", errors="replace") if self.says.exists() else ""

    def end(self):
        """Ends whatever still runs of the last launch."""
        for pid in [*self.pids().values(), *([self.launch.pid] if self.launch.poll() is None else [])]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.launch.wait(timeout=10)
