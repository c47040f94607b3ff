"""Makes the faults of a plan happen to a run, each in its turn."""

import json
import pathlib
import signal
import subprocess
import time

from fault_plan import PHASES
from faulty_run import send

LONGEST_COMMAND_S = 90


class Striker:
    """Signals, pauses and takeovers strike in the plan's order, each once its phase has begun and its role's processes are
    there. Failpoints are armed one a life, beginning with the first."""

    def __init__(self, run, plan):
        self.run = run
        self.waiting = [fault for fault in plan.faults if fault.kind != "failpoint"]
        self.failpoints = [fault.failpoint for fault in plan.faults if fault.kind == "failpoint"]
        self.with_takeover = bool(self.failpoints) and self.failpoints[0].startswith("ledger.before_apart")
        self.struck = 0
        self.armed = None  # the counting file of the life's failpoint
        self.due = None  # when the next fault strikes
        self.stopped = []  # (when to wake it, process id)

    # What a life is started with.

    def environment(self, folder):
        if not self.failpoints or self.with_takeover:
            return {}
        return self.arm(folder)

    def arm(self, folder):
        name = self.failpoints.pop(0)
        self.armed = (pathlib.Path(folder) / f"passes-{self.run.lives}", int(name.rsplit(":", 1)[1]))
        return {"SRLM_FAILPOINT": name, "SRLM_FAILPOINT_COUNT": str(self.armed[0])}

    # While a life goes on.

    def turn(self):
        now = time.monotonic()
        for item in [item for item in self.stopped if item[0] <= now]:
            self.stopped.remove(item)
            send(item[1], signal.SIGCONT)
        self.note_failpoint()
        if not self.waiting:
            return
        fault = self.waiting[0]
        if self.due is None and self.begun(fault.phase):
            self.due = now + fault.delay_s
        if self.due is None or now < self.due:
            return
        if self.strike(fault):
            self.struck += 1
            self.waiting.pop(0)
            self.due = None

    def note_failpoint(self):
        """A failpoint struck when its passes were counted so far."""
        if self.armed and self.armed[0].exists() and self.armed[0].stat().st_size >= self.armed[1]:
            self.struck += 1
            self.armed = None

    def begun(self, phase):
        """Whether a phase has begun, in whatever life. One that came back after a restart is said again."""
        begun = [line.split("  ")[1].split(":")[0] for line in self.run.says.read_text(errors="replace").splitlines()
                 if line.endswith(": begins")]
        wanted = list(PHASES[:phase + 1])
        for name in begun:
            if wanted and name == wanted[0]:
                wanted.pop(0)
                if len(wanted) == 0:
                    return True
        return not wanted

    def strike(self, fault):
        """Whether it could: its processes are there."""
        if fault.kind == "pause":
            return self.pause(fault.seconds)
        pids = self.run.find(fault.role)
        if not pids:
            return False
        if fault.kind == "take_over":
            self.take_over()
        elif fault.kind == "kill":
            send(pids[0], signal.SIGKILL)
        else:
            send(pids[0], signal.SIGSTOP)
            self.stopped.append((time.monotonic() + fault.seconds, pids[0]))
        return True

    def pause(self, seconds):
        """Pauses and resumes; a run that ends meanwhile has nothing to resume."""
        ended = self.run.srlm("pause", self.run.run_dir, "--reason", "a schedule", timeout=LONGEST_COMMAND_S)
        if ended.returncode != 0:
            return self.run.life.poll() is not None
        time.sleep(seconds)
        ended = self.run.srlm("resume", self.run.run_dir, timeout=LONGEST_COMMAND_S)
        assert ended.returncode == 0 or self.run.life.poll() is not None, ended.stderr
        return True

    def take_over(self):
        """Stops the coordinator, lets another take the run, wakes the first, which must end."""
        first = self.run.life
        send(first.pid, signal.SIGSTOP)
        try:
            environment = self.arm(pathlib.Path(self.run.run_dir).parent) if self.with_takeover else {}
            self.with_takeover = False
            second = self.run.start("--take-over", **environment)
            end = time.monotonic() + LONGEST_COMMAND_S
            while second.poll() is None and self.address_pid() != second.pid and time.monotonic() < end:
                time.sleep(0.02)
        finally:
            send(first.pid, signal.SIGCONT)
        try:
            first.wait(timeout=LONGEST_COMMAND_S)
        except subprocess.TimeoutExpired:
            first.kill()
            first.wait()
            raise AssertionError("a coordinator whose run was taken goes on") from None

    def address_pid(self):
        try:
            return json.loads((pathlib.Path(self.run.run_dir) / "coordinator.json").read_text())["pid"]
        except (OSError, ValueError):
            return None

    def wake_all(self):
        for _, pid in self.stopped:
            send(pid, signal.SIGCONT)
        self.stopped = []
