"""What a training step is made of on 1, 2 and 4 ranks of one machine, in each mode of sharding: computing, waiting for
other ranks, bytes sent.

    training_figures.py [--steps 3]

The same 8 pairs a step of SmolLM2-135M-Instruct; one thread a rank. Seconds are of rank 0's log, of the steps after the
first, which takes memory.
"""

import argparse
import pathlib
import statistics
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "reference")]
import ranks  # noqa: E402
import reference_common as common  # noqa: E402
from plan_figures import text  # noqa: E402


def steps_of(folder, count, sharding, steps):
    """Rows of the job's log, one a step."""
    log = folder / f"log-{count}-{sharding}.jsonl"
    ranks.run(count, [common.program("srlm-trainer"), "dpo", "--model", common.SMOLLM2, "--data", folder / "pairs.jsonl",
                      "--out", folder / f"model-{count}-{sharding}", "--log", log, "--global-batch", 8, "--max-steps",
                      steps, "--threads", 1, "--sharding", sharding], folder / "says.txt")
    return [row for row in common.read_rows(log) if "loss" in row]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="srlm-training-") as name:
        folder = pathlib.Path(name)
        common.write_rows(folder / "pairs.jsonl", [{"prompt": text(i, 40), "chosen": text(i + 1, 120),
                                                    "rejected": text(i + 2, 120)} for i in range(8)])
        losses = {}
        for count in (1, 2, 4):
            for sharding in ("none", "optimizer", "full") if count > 1 else ("none",):
                rows = steps_of(folder, count, sharding, options.steps)
                losses[count, sharding] = [row["loss"] for row in rows]
                waited, seconds = (statistics.mean(row[key] for row in rows[1:]) for key in ("waited_seconds", "seconds"))
                common.figure(f"training step on {count} ranks, sharding {sharding}",
                              f"{seconds - waited:.1f} s computing, {waited:.1f} s waiting, "
                              f"{rows[-1]['sent_bytes'] / 1e6:.0f} MB sent a rank")
        alone = losses.pop((1, "none"))
        worst = max(abs(ours - one) / (1 + abs(one)) for mine in losses.values() for ours, one in zip(mine, alone))
    sys.exit(0 if common.figure(f"training on 2 and 4 ranks: largest difference of a loss from one rank's, relative, "
                                f"{options.steps} steps", worst, 1e-5) else 1)


if __name__ == "__main__":
    main()
