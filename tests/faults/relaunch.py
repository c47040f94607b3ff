#!/usr/bin/env python3
"""How long after a worker's death its successor has joined, with the default waits before a relaunch.

    relaunch.py BIN_FOLDER [DEATHS]

Prints the slowest as a figure (see tests/tools/figures.py).
"""

import json
import os
import pathlib
import signal
import sys
import tempfile
import time

sys.dont_write_bytecode = True
from faulty_run import FaultyRun, send  # noqa: E402

LIMIT_S = 5
DEFAULTS = {"coordinator.relaunch_backoff_s": 1, "coordinator.relaunch_backoff_max_s": 60,
            "launcher.register_timeout_s": 120, "coordinator.lease_timeout_s": 60}


def joined(run):
    return len(run.events("worker_joined"))


def seconds_to_relaunch(run):
    """Kills a worker of the run; seconds until another one has joined."""
    before = joined(run)
    workers = run.await_role("worker", 60)
    assert workers, run.says.read_text()
    begin = time.monotonic()
    send(workers[0], signal.SIGKILL)
    while joined(run) == before:
        assert time.monotonic() - begin < 60 and run.life.poll() is None, run.says.read_text()
        time.sleep(0.02)
    return time.monotonic() - begin


def main():
    bin_folder, deaths = os.path.abspath(sys.argv[1]), int((sys.argv[2:] or ["5"])[0])
    seconds = []
    for _ in range(deaths):
        with tempfile.TemporaryDirectory(prefix="srlm-relaunch-") as folder:
            settings = sum((["--set", f"{key}={value}"] for key, value in DEFAULTS.items()), [])
            run = FaultyRun(bin_folder, pathlib.Path(folder) / "run", *settings)
            try:
                run.start(SRLM_SLOWDOWN="1000")
                assert run.await_role("worker", 60), run.says.read_text()
                while joined(run) < 2:
                    assert run.life.poll() is None, run.says.read_text()
                    time.sleep(0.02)
                seconds.append(seconds_to_relaunch(run))
            finally:
                run.end()
    worst = max(seconds)
    print(json.dumps({"figure": f"a worker's successor joined after its death, slowest of {deaths}",
                      "value": round(worst, 2), "unit": "s", "limit": f"<= {LIMIT_S}", "pass": worst <= LIMIT_S}))
    return 0 if worst <= LIMIT_S else 1


if __name__ == "__main__":
    sys.exit(main())
