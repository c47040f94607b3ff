#!/usr/bin/env python3
"""Random fault schedules on a tiny run. After each the run ends by itself or by `srlm run` again, `srlm fsck` finds
nothing, the digest is that of a run that nobody disturbed, and no result that was acknowledged is ever missing.

    schedules.py BIN_FOLDER --seed 3 17     schedules by their seeds
    schedules.py BIN_FOLDER --random 60     so many, seeds 1 to 60
    schedules.py BIN_FOLDER --failpoints [NAME...]    each failpoint of the programs once, or those named
    schedules.py BIN_FOLDER --each-program [--config FILE --longest-s S]    a kill of each program in one run

Prints one figure a schedule (tests/tools/figures.py), and what replays one that failed. A seed gives the same schedule
again; what the programs are doing when a fault strikes differs by some milliseconds each time.
"""

import argparse
import contextlib
import dataclasses
import json
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
from acknowledged import acknowledged, lost_results  # noqa: E402
from fault_plan import PROGRAMS, each_program_plan, failpoint_plan, random_plan  # noqa: E402
from faulty_run import CONFIG, FaultyRun  # noqa: E402
from strike import Striker  # noqa: E402

# An item that happens to be there at every death of a schedule is not a poison item.
SETTINGS = ("--set", "coordinator.max_item_tries=20")
MOST_LIVES = 12
CHECKS_OF_ROWS = {"ledger", "rounds", "new prompts", "prompts", "candidates", "votes", "likelihoods", "pairs", "meta votes",
                  "judge pairs", "evaluations", "answers of evaluations"}
ITEMS = 4 + 5 + 15 + 2 * 6  # new prompts, prompts, candidates, judgements of two models


@dataclasses.dataclass
class Tally:
    """Over all schedules."""

    schedules: int = 0
    as_undisturbed: int = 0
    deaths: int = 0  # lives of coordinators that ended before their run
    acknowledged: int = 0
    lost: int = 0


class Failed(Exception):
    """A schedule after which something is not as it must be."""


def check_rows(run):
    """What the ledger holds is consistent after any death. Processes may be left then, and files be half written."""
    ended = run.srlm("fsck", run.run_dir, "--json")
    found = json.loads(ended.stdout)["found"] if ended.stdout else []  # no ledger yet
    wrong = [finding for finding in found if finding["check"] in CHECKS_OF_ROWS]
    if wrong:
        raise Failed(f"srlm fsck after life {run.lives}: {json.dumps(wrong)}")


def finish(run, striker, counter, tally, longest_s):
    """Life after life until the run is done; looks after each death whether what was acknowledged is there."""
    end = time.monotonic() + longest_s
    while True:
        while run.life.poll() is None:
            if time.monotonic() > end:
                raise Failed(f"the run is not done after {longest_s} s")
            striker.turn()
            time.sleep(0.02)
        striker.note_failpoint()
        lost = lost_results(run.run_dir)
        tally.lost += len(lost)
        if lost:
            raise Failed(f"acknowledged, and not in the ledger of life {run.lives}: {lost}")
        if run.life.returncode == 0:
            return
        tally.deaths += 1
        check_rows(run)
        if run.lives >= MOST_LIVES:
            raise Failed(f"the run is not done after {run.lives} lives")
        run.start(**striker.environment(counter))


def play(options, folder, plan, expected, tally):
    """Plays a schedule; how it went in words. Raises Failed."""
    run = FaultyRun(options.bin_folder, pathlib.Path(folder) / "run", *SETTINGS, config=options.config)
    striker = Striker(run, plan)
    try:
        run.start(**striker.environment(folder))
        finish(run, striker, folder, tally, options.longest_s)
        tally.acknowledged += len(acknowledged(run.run_dir))
        striker.wake_all()
        left = run.await_none(30)
        if left:
            raise Failed(f"processes are left: {left}")
        report = run.fsck()
        if report["digest"] != expected["digest"]:
            different = [kind for kind in expected["digests"] if report["digests"].get(kind) != expected["digests"][kind]]
            raise Failed(f"other {', '.join(different)} than the undisturbed run's")
        tally.as_undisturbed += 1
        return f"{run.lives} lives, {striker.struck} of {len(plan.faults)} faults struck"
    except (Failed, AssertionError, subprocess.TimeoutExpired) as error:
        keep = pathlib.Path(tempfile.mkdtemp(prefix="srlm-fault-failed-"))
        striker.wake_all()
        run.end()
        os.rename(folder, keep / "schedule")
        os.mkdir(folder)
        raise Failed(f"{error}\nkept in {keep}; the last lines of srlm run:\n{tail(keep)}") from None
    finally:
        striker.wake_all()
        run.end()


def tail(keep, lines=12):
    return "\n".join((keep / "schedule/run.out").read_text(errors="replace").splitlines()[-lines:])


def undisturbed(options, folder):
    run = FaultyRun(options.bin_folder, pathlib.Path(folder) / "calm", *SETTINGS, config=options.config)
    try:
        run.start()
        if run.wait(options.longest_s) != 0:
            raise SystemExit(run.says.read_text())
        if options.config == CONFIG:
            sees_what_is_lost(run.run_dir, folder)
        return run.fsck()
    finally:
        run.end()


def sees_what_is_lost(run_dir, folder):
    """The check of what was acknowledged knows every item of a run, and finds one that is taken away."""
    assert len(acknowledged(run_dir)) == ITEMS and lost_results(run_dir) == [], (acknowledged(run_dir), run_dir)
    copy = pathlib.Path(folder) / "lost"
    shutil.copytree(f"{run_dir}/logs", copy / "logs")
    shutil.copy(f"{run_dir}/ledger.sqlite", copy)
    with contextlib.closing(sqlite3.connect(copy / "ledger.sqlite")) as ledger:
        ledger.execute("UPDATE candidates SET score = NULL WHERE prompt_id = 'tiny-1' AND sample = 2")
        ledger.commit()
    assert lost_results(copy) == ["1/vote/tiny-1/2"], lost_results(copy)


def failpoints(bin_folder):
    names = []
    for program in PROGRAMS:
        ended = subprocess.run([f"{bin_folder}/{program}", "--list-failpoints"], capture_output=True, text=True,
                               timeout=60, check=True)
        names += [name for name in ended.stdout.split() if name not in names]
    return names


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bin_folder")
    parser.add_argument("--seed", type=int, nargs="+", default=[])
    parser.add_argument("--random", type=int, default=0)
    parser.add_argument("--failpoints", nargs="*")
    parser.add_argument("--each-program", action="store_true")
    parser.add_argument("--config", type=pathlib.Path, default=CONFIG)
    parser.add_argument("--longest-s", type=float, default=150)
    options = parser.parse_args()
    options.bin_folder = os.path.abspath(options.bin_folder)
    every = failpoints(options.bin_folder)
    plans = [random_plan(seed, every) for seed in [*options.seed, *range(1, options.random + 1)]]
    if options.failpoints is not None:
        plans = [failpoint_plan(name) for name in options.failpoints or every] + plans
    if options.each_program:
        plans.append(each_program_plan())
    tally = Tally(schedules=len(plans))
    group = f"fault schedules of {options.config.stem}.yaml whose digest is the undisturbed run's, fsck clean"
    with tempfile.TemporaryDirectory(prefix="srlm-faults-") as folder:
        expected = undisturbed(options, folder)
        for number, plan in enumerate(plans):
            begin = time.monotonic()
            here = pathlib.Path(folder) / str(number)
            here.mkdir()
            try:
                note, right = play(options, here, plan, expected, tally), True
            except Failed as error:
                note, right = str(error), False
                print(f"{plan.name} FAILED: {error}\nreplay it: {sys.argv[0]} {options.bin_folder} {plan.replay}", flush=True)
            print(json.dumps({"figure": f"{plan.name}: {plan}", "value": "as undisturbed" if right else "failed",
                              "limit": "as undisturbed", "pass": right, "group": group,
                              "note": f"{note.splitlines()[0]}, {time.monotonic() - begin:.0f} s"}), flush=True)
    print_totals(tally, options)
    return 0 if tally.as_undisturbed == tally.schedules else 1


def print_totals(tally, options):
    print(json.dumps({"figure": f"fault schedules of {options.config.stem}.yaml: acknowledged results lost",
                      "value": tally.lost, "limit": "0",
                      "pass": tally.lost == 0,
                      "note": f"{tally.acknowledged} acknowledged; looked for after each of {tally.deaths} deaths of a "
                              "coordinator and at the end of each run"}))


if __name__ == "__main__":
    sys.exit(main())
