#!/usr/bin/env python3
"""How long three replicas take for a round when one of them is 20 times slower, against two healthy ones.

    slow_replica.py BIN_FOLDER [TURNS]

Prints the worst turn as a figure (see tests/tools/figures.py). The round counts from the first worker's arrival to the beginning
of the training, which waits until every worker has given back its cores.
"""

import json
import os
import pathlib
import sys
import tempfile

sys.dont_write_bytecode = True
from faulty_run import FaultyRun  # noqa: E402

FOLDER = pathlib.Path(__file__).resolve().parent
PROMPTS = 400
LIMIT = 1.3


def round_seconds(path, bin_folder, replicas, mark):
    prompts = path.parent / "prompts.jsonl"
    prompts.write_text("".join(f'{{"prompt_id": "p{i}", "prompt": "Tell of river {i}."}}\n' for i in range(PROMPTS)))
    settings = {
        "data.prompts": prompts, "data.evaluation": "", "prompts.per_round": PROMPTS, "prompts.new_per_round": 0,
        "generation.max_new_tokens": 96, "workers.max_batch": 16, "workers.replicas": replicas,
        "coordinator.lease_timeout_s": 60, "launcher.command": f"{FOLDER}/one_slow.sh {mark} {{ranks}} {{program}}"}
    run = FaultyRun(bin_folder, path, *sum((["--set", f"{key}={value}"] for key, value in settings.items()), []))
    try:
        run.start()
        assert run.wait(300) == 0, run.says.read_text()
        begun = min(row["time_ms"] for row in run.events("worker_joined"))
        trained = max(row["time_ms"] for row in run.events("job_began"))
        return (trained - begun) / 1000, run.digest()
    finally:
        run.end()


def main():
    bin_folder, turns = os.path.abspath(sys.argv[1]), int((sys.argv[2:] or ["3"])[0])
    worst = 0
    for turn in range(turns):
        with tempfile.TemporaryDirectory(prefix="srlm-slow-") as folder:
            path = pathlib.Path(folder)
            two, calm = round_seconds(path / "two", bin_folder, 2, "none")
            three, slow = round_seconds(path / "three", bin_folder, 3, path / "mark")
            assert (path / "mark").exists(), "no replica was slow"
        ratio = three / two
        worst = max(worst, ratio)
        print(f"turn {turn + 1}: two replicas {two:.1f} s, three of which one is slow {three:.1f} s, ratio {ratio:.2f}, "
              f"digests {'equal' if calm == slow else 'DIFFER'}", flush=True)
        assert calm == slow
    print(json.dumps({"figure": "round with one replica of three slower by 20, against two replicas (worst turn)",
                      "value": round(worst, 2), "unit": "ratio", "limit": f"<= {LIMIT}", "pass": worst <= LIMIT}))
    return 0 if worst <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
