#!/usr/bin/env python3
"""How long a coordinator whose earlier rounds accepted 100,000 new prompts takes until it lets more be written: it
compares each with all of them, so that it must have read them.

    restart_prompts.py BIN_FOLDER

The ledger is a real run's, killed while it writes new prompts, to which the accepted ones are added. Prints figures
(see tests/tools/figures.py).
"""

import json
import os
import pathlib
import random
import signal
import sqlite3
import sys
import tempfile
import time

sys.dont_write_bytecode = True
from faulty_run import FaultyRun  # noqa: E402
from restart import RESTART_S, await_status, figure, is_leasing  # noqa: E402

ACCEPTED, WORDS = 100_000, 30_000


def texts():
    """As many prompts of 5 to 45 words, drawn as in language: a word's frequency falls as 1 / rank."""
    drawn = random.Random(1)
    words = drawn.choices([f"w{rank}" for rank in range(WORDS)], [1 / (rank + 1) for rank in range(WORDS)],
                          k=ACCEPTED * 25)
    at = 0
    for _ in range(ACCEPTED):
        count = min(drawn.randint(5, 45), len(words) - at) or 5
        yield " ".join(words[at:at + count] or drawn.sample(words, 5))
        at += count


def fill(ledger):
    with sqlite3.connect(ledger) as db:
        names = [row[1] for row in db.execute("PRAGMA table_info(attempts)")]
        source = [{"round": "0", "attempt": "?", "wave": "0", "state": "'accepted'", "text": "?", "instruction": "?",
                   "reason": "''", "detail": "''"}.get(name, name) for name in names]
        db.executemany(f"INSERT INTO attempts ({', '.join(names)}) SELECT {', '.join(source)} FROM attempts "
                       "WHERE round = 1 AND attempt = 0", ((i, text, text) for i, text in enumerate(texts())))


def processor_s(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main():
    with tempfile.TemporaryDirectory(prefix="srlm-restart-") as folder:
        settings = {"data.evaluation": "", "data.prompts": "", "prompts.per_round": 1000, "prompts.new_per_round": 1000,
                    "prompts.wave_size": 64, "prompts.min_words": 140}  # so that none is accepted and answered
        run = FaultyRun(os.path.abspath(sys.argv[1]), pathlib.Path(folder) / "run",
                        *sum((["--set", f"{key}={value}"] for key, value in settings.items()), []))
        try:
            run.start()
            await_status(run, is_leasing, 200)
            os.kill(run.life.pid, signal.SIGKILL)
            run.life.wait()
            run.end()
            fill(pathlib.Path(run.run_dir) / "ledger.sqlite")
            begin = time.monotonic()
            run.start()
            await_status(run, is_leasing, 120)
            seconds = time.monotonic() - begin
            print(json.dumps({"figure": "processor time of that coordinator until then", "unit": "s",
                              "value": round(processor_s(run.life.pid), 2)}))
            name = f"leasing new prompts again after a restart, {ACCEPTED} accepted before"
            return 0 if figure(name, seconds, "s", RESTART_S) else 1
        finally:
            run.end()


if __name__ == "__main__":
    sys.exit(main())
