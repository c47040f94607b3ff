#!/usr/bin/env python3
"""How long a coordinator with a million candidates in its ledger takes until it leases again, and how fast it answers
status queries from then on.

    restart.py BIN_FOLDER CLIENT_PYTHON

The ledger is a real run's, begun on 250,000 prompts and killed, whose prompts are then filled with copies of its first
candidates and votes, but for the last thousand. Prints figures (see tests/tools/figures.py).
"""

import json
import os
import pathlib
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
from faulty_run import FaultyRun  # noqa: E402

FOLDER = pathlib.Path(__file__).resolve().parent
PROMPTS, SAMPLES, OPEN = 250_000, 4, 1000
QUERIES, COMMANDS = 2000, 21
RESTART_S, STATUS_MS, COMMAND_MS = 5, 50, 150


def make_run(bin_folder, path):
    prompts = path / "prompts.jsonl"
    prompts.write_text("".join(f'{{"prompt_id": "p{i}", "prompt": "Tell of river {i}."}}\n' for i in range(PROMPTS)))
    settings = {"data.prompts": prompts, "data.evaluation": "", "prompts.per_round": PROMPTS,
                "prompts.new_per_round": 0, "generation.samples": SAMPLES}
    return FaultyRun(bin_folder, path / "run", *sum((["--set", f"{k}={v}"] for k, v in settings.items()), []))


def await_status(run, is_so, seconds):
    """Until the run says so of itself."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and run.life.poll() is None:
        asked = run.srlm("status", run.run_dir, "--json")
        if asked.returncode == 0 and is_so(json.loads(asked.stdout)):
            return
        time.sleep(0.02)
    raise AssertionError("it did not come to that:\n" + run.says.read_text())


def is_leasing(status):
    signs = ("leased_items", "prefilled_tokens", "generated_tokens")
    return any(int(worker.get(sign, 0)) > 0 for worker in status.get("workers", []) for sign in signs)


def fill(ledger):
    """Answers and judges all but the last OPEN prompts as the first answered one was."""
    with sqlite3.connect(ledger) as db:
        done = db.execute("SELECT MIN(position) FROM candidates WHERE score IS NOT NULL").fetchone()[0]
        last = PROMPTS - OPEN
        for table, more in (("candidates", "sample, "), ("votes", "sample, vote, ")):
            names = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
            source = ["p.position" if name == "position" else "p.prompt_id" if name == "prompt_id" else f"r.{name}"
                      for name in names]
            db.execute(f"INSERT OR IGNORE INTO {table} ({', '.join(names)}) SELECT {', '.join(source)} FROM prompts p "
                       f"JOIN {table} r ON r.round = p.round AND r.position = ? "
                       "WHERE p.round = 1 AND p.state = 'open' AND p.position < ? ORDER BY p.position", (done, last))
        db.execute("UPDATE prompts SET state = 'answered' WHERE round = 1 AND position < ? AND state = 'open'", (last,))
        counts = {
            "answered": "SELECT COUNT(*) FROM prompts WHERE round = 1 AND state = 'answered'",
            "candidates": "SELECT COUNT(*) FROM candidates WHERE round = 1",
            "votes": "SELECT COUNT(*) FROM votes WHERE round = 1",
            "parsed": "SELECT COUNT(*) FROM votes WHERE round = 1 AND state = 'parsed'",
            "scored": "SELECT COUNT(*) FROM candidates WHERE round = 1 AND score IS NOT NULL",
        }
        for column, query in counts.items():
            db.execute(f"UPDATE round_counts SET {column} = ({query}) WHERE round = 1")
        return db.execute(counts["candidates"]).fetchone()[0]


def milliseconds(call):
    begin = time.monotonic()
    call()
    return (time.monotonic() - begin) * 1000


def figure(name, value, unit, limit):
    row = {"figure": name, "value": round(value, 2), "unit": unit, "limit": f"<= {limit}", "pass": value <= limit}
    print(json.dumps(row), flush=True)
    return row["pass"]


def measure(run, python):
    ledger = pathlib.Path(run.run_dir) / "ledger.sqlite"
    run.start()
    await_status(run, lambda status: sum(int(row.get("votes", 0)) for row in status.get("rounds", [])) > 0, 400)
    os.kill(run.life.pid, signal.SIGKILL)
    run.life.wait()
    run.end()
    candidates = fill(ledger)
    begin = time.monotonic()
    run.start()
    await_status(run, is_leasing, 120)
    seconds = time.monotonic() - begin
    latencies = json.loads(subprocess.run([python, str(FOLDER / "status_latency.py"), run.run_dir, str(QUERIES)],
                                          check=True, capture_output=True, text=True, timeout=300).stdout)
    commands = [milliseconds(lambda: run.output("status", run.run_dir)) for _ in range(COMMANDS)]
    return [figure(f"leasing again after a restart, {candidates} candidates in the ledger", seconds, "s", RESTART_S),
            figure(f"status over an open channel, 99th percentile of {QUERIES}",
                   statistics.quantiles(latencies, n=100)[98], "ms", STATUS_MS),
            figure(f"srlm status as a whole command, median of {COMMANDS}", statistics.median(commands), "ms",
                   COMMAND_MS)]


def main():
    bin_folder, python = os.path.abspath(sys.argv[1]), sys.argv[2]
    with tempfile.TemporaryDirectory(prefix="srlm-restart-") as folder:
        run = make_run(bin_folder, pathlib.Path(folder))
        try:
            return 0 if all(measure(run, python)) else 1
        finally:
            run.end()


if __name__ == "__main__":
    sys.exit(main())
