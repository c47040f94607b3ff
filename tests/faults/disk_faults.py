#!/usr/bin/env python3
"""Every way in which a disk has no room, in every phase of a run, at moments drawn from a seed: each run waits, goes on
when there is room, and makes what an undisturbed one makes. One figure a run (tests/tools/figures.py).

    disk_faults.py BIN_FOLDER [SEED] [--only NAME]
"""

import argparse
import json
import pathlib
import random
import re
import signal
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import small_disk  # noqa: E402
from disk_run import DiskRun  # noqa: E402
from faulty_run import FaultyRun  # noqa: E402
from small_disk import MIB  # noqa: E402

ORPHANS = "workers without a coordinator"
ENDS = ("cancel", "SIGINT", "SIGKILL", ORPHANS)
ORPHAN_S = 5
PHASES = ("sft", "evaluate", "generate_and_judge", "dpo")
LONGEST_DELAY_S = 0.8
LONGER = ("--set", "dpo.epochs=20", "--set", "sft.epochs=8")  # than any delay
RANDOM_RUNS = 6


class Kinds:
    """How the disk of a run gets short of room, with the limit that the run has; what the message of its pause says."""

    def __init__(self, run):
        self.run, self.disk = run, run.disk

    def space_is_used_up(self):
        return self.run.await_pause(self.disk.take_space), "no room on|there is room now"

    def space_gets_short(self):
        self.disk.take_space(but=6 * MIB)
        return self.run.await_pause(), "no room on .* MiB needed"

    def inodes_are_used_up(self):
        self.disk.take_inodes()
        return self.run.await_pause(), "inodes free, 64 needed"

    def disk_is_read_only(self):
        self.disk.make_read_only()
        return self.run.await_pause(), "is read-only"


LIMITS = {"space_is_used_up": 0, "space_gets_short": 8, "inodes_are_used_up": 0, "disk_is_read_only": 0}


def fault(run, kind, phase, delay_s):
    """One shortage, from its beginning to its end."""
    if phase in ("sft", "dpo"):
        assert run.await_role("trainer", 60), run.says.read_text()
    elif phase == "generate_and_judge":
        run.await_work()
    else:
        run.await_phase(phase)
    time.sleep(delay_s)  # the moment is what is drawn
    message, expected = getattr(Kinds(run), kind)()
    time.sleep(delay_s)
    if kind == "disk_is_read_only":
        run.disk.make_writable()
    run.disk.give_back()
    return message, expected


def end_while_it_waits(run, how):
    """After a write has failed: ended by a person, or killed; then gone on with."""
    assert run.await_role("worker", 60), run.says.read_text()
    run.await_pause(run.disk.take_space)
    if how == "cancel":
        assert "cancelled" in run.output("cancel", run.run_dir)
    else:
        run.life.send_signal(signal.Signals[how])
    code = run.wait(60)
    assert code == (-signal.SIGKILL if how == "SIGKILL" else 1), f"exit code {code}\n{run.says.read_text()}"
    if how != "SIGKILL":
        assert run.await_none(5) == []
    run.disk.give_back()
    run.start()


def leave_workers_alone(run):
    """The coordinator is killed while it waits: its workers, with results that nobody took, save them when they can."""
    run.await_work()
    run.await_pause(run.disk.take_space)
    time.sleep(2)  # they finish some of what they hold
    run.life.kill()
    run.wait(10)
    end = time.monotonic() + ORPHAN_S + 2
    while time.monotonic() < end:  # they have given the coordinator up, and the disk is full
        run.disk.take_space()
        time.sleep(0.1)
    saved = lambda: list(pathlib.Path(run.run_dir).glob("logs/srlm-worker/unacknowledged-*.jsonl"))  # noqa: E731
    assert saved() == [] and run.find("worker"), "no worker waits for room"
    run.disk.give_back()
    assert run.await_none(10) == [] and saved() != []
    run.start()


def disturbed(bin_folder, folder, limit, faults, end=None):
    """A run with faults, each (kind, phase, delay), and perhaps an end in a pause: its digest, and a note."""
    run = DiskRun(bin_folder, folder, *LONGER, "--set", f"coordinator.min_free_mib={limit}", "--set",
                  f"coordinator.orphan_timeout_s={ORPHAN_S}")
    begin = time.monotonic()
    try:
        run.start(SRLM_SLOWDOWN="6")
        for one in faults:
            if one is not faults[0]:
                run.await_status("going on", lambda s: s["state"] == "running")
            message, expected = fault(run, *one)
            assert re.search(expected, message), message
        if end == ORPHANS:
            leave_workers_alone(run)
        elif end:
            end_while_it_waits(run, end)
        code = run.wait(120)
        assert code == 0, f"exit code {code}\n{run.says.read_text()}"
        assert run.await_none(5) == []
        return run.digest(), f"{len(run.events('waited_for_room'))} waits, {time.monotonic() - begin:.0f} s"
    finally:
        run.remove()


def plan(seed):
    """(name, limit, faults, end) of each run; no end: it goes on by itself."""
    draw = random.Random(seed)
    delay = lambda: round(draw.uniform(0, LONGEST_DELAY_S), 2)  # noqa: E731
    for kind, limit in LIMITS.items():
        for phase in PHASES:
            yield f"{kind.replace('_', ' ')} in {phase}", limit, [(kind, phase, delay())], None
    for how in ENDS:
        yield f"{how} while it waits", 0, [], how
    for number in range(RANDOM_RUNS):
        kinds = [kind for kind in LIMITS if kind != "space_gets_short"]
        faults = [(draw.choice(kinds), phase, delay()) for phase in sorted(draw.sample(PHASES, 2), key=PHASES.index)]
        name = ", ".join(f"{kind} in {phase}" for kind, phase, _ in faults)
        yield f"seed {seed}, run {number}: {name}", 0, faults, None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bin_folder")
    parser.add_argument("seed", type=int, nargs="?", default=1)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory(prefix="srlm-disk-") as folder:
        calm = FaultyRun(options.bin_folder, pathlib.Path(folder) / "calm", *LONGER)
        calm.start()
        try:
            assert calm.wait(120) == 0, calm.says.read_text()
        finally:
            calm.end()
        expected = calm.digest()
        what = "digest of everything equals the undisturbed run's"
        for at, (name, limit, faults, end) in enumerate(plan(options.seed)):
            if options.only not in name:
                continue
            try:
                digest, note = disturbed(options.bin_folder, pathlib.Path(folder) / str(at), limit, faults, end)
            except AssertionError as error:
                digest, note = "none", str(error)[-2000:]
            failed += digest != expected
            print(json.dumps({"figure": f"disk, {name}: {what}", "value": digest, "limit": f"= {expected}",
                              "group": f"disks without room for a while: {what}", "pass": digest == expected, "note": note}), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    small_disk.enter()
    sys.exit(main())
