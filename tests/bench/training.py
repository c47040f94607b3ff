"""Speed of DPO: `srlm-trainer dpo` and TRL's DPOTrainer (trl_dpo.py --mode live) in turns, on the same cut pairs.

The best against the worst answer of human-ranked prompts, at most 512 tokens a sequence, the same constant learning
rate and AdamW. The peer makes one optimiser step of its 16 pairs, and computes the reference in it. Ours makes steps of
4 pairs. Its first step takes the reference from its own forward, which costs nothing, so it is not measured: the first
4 pairs stand in the file twice, and the time is that of the reference pass over all 16 and of the 4 steps on them.
Loading and saving are on neither side.
"""
import argparse
import shutil
import sys

import turns
from turns import common

LEAST_RATIO = 2.5
RATE = 1e-6
BATCH = 4  # pairs of an optimiser step
RANKED = common.SHARED / "data/oasst2_ranked_answers.jsonl"


def write_pairs(pairs, options):
    """The peer's pairs, cut to its length, as it dumps them for another trainer."""
    command = [sys.executable, turns.PEERS / "trl_dpo.py", "--model", common.SMOLLM2, "--prompts", RANKED, "--count",
               options.count, "--dump", pairs]
    turns.run_quietly(command, pairs.with_suffix(".log"))
    return len(common.read_rows(pairs))


def ours(pairs, count, options):
    out = common.out_folder() / "dpo_model"
    log = common.out_folder() / "ours_dpo.jsonl"
    shutil.rmtree(out, ignore_errors=True)
    log.unlink(missing_ok=True)
    command = [common.program("srlm-trainer"), "dpo", "--model", common.SMOLLM2, "--data", first_pairs(pairs), "--data",
               pairs, "--out", out, "--learning-rate", RATE, "--schedule", "constant", "--warmup-ratio", 0, "--beta", 0.1,
               "--global-batch", BATCH, "--epochs", 1, "--shuffle", "false", "--threads", options.threads, "--log", log]
    turns.run_quietly(command, log.with_suffix(".log"))
    rows = common.read_rows(log)
    measured = [row["seconds"] for row in rows if row.get("step", 0) > 0]
    if len(measured) != -(-count // BATCH):
        sys.exit(f"{len(measured)} steps were measured, not those of {count} pairs: {log}")
    done = next(row for row in rows if row.get("event") == "done")
    return {"rate": count / (done["reference_seconds"] + sum(measured)),
            "peak_rss_mib": done["peak_rss_bytes"] / 2**20}


def first_pairs(pairs):
    """A file of the pairs that go first, unmeasured."""
    path = pairs.with_suffix(".first.jsonl")
    lines = pairs.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(lines[:BATCH]), encoding="utf-8")
    return path


def peer(count, options):
    got = turns.run_peer("trl_dpo.py", "--prompts", RANKED, "--count", count, "--mode", "live", "--rate", RATE,
                         "--threads", options.threads)
    return {"rate": got["pairs_per_s_steps"], "peak_rss_mib": got["peak_rss_mib"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=16, help="pairs")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--turns", type=int, default=2)
    options = parser.parse_args()
    pairs = common.out_folder() / "dpo_pairs.jsonl"
    count = write_pairs(pairs, options)
    both = [(ours(pairs, count, options), peer(count, options)) for _ in range(options.turns)]
    holds = turns.report("DPO, pairs/s", "pairs/s", both, LEAST_RATIO,
                         f"{count} pairs, live reference there, a reference pass over all of them here; "
                         f"{options.threads} threads")
    sys.exit(0 if holds else 1)


if __name__ == "__main__":
    main()
