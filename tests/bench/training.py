"""Speed of DPO: `srlm-trainer dpo` and TRL's DPOTrainer (trl_dpo.py --mode live) in turns, on the same cut pairs.

The best against the worst answer of human-ranked prompts, at most 512 tokens a sequence, 16 pairs a step, one step a
16 pairs, the same constant learning rate and AdamW. The peer's time is that of its optimiser steps, in which it
computes the reference; ours is our reference pass and our steps. Loading and saving are on neither side.
"""
import argparse
import shutil
import sys

import turns
from turns import common

LEAST_RATIO = 2.5
RATE = 1e-6
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
    command = [common.program("srlm-trainer"), "dpo", "--model", common.SMOLLM2, "--data", pairs, "--out", out,
               "--learning-rate", RATE, "--schedule", "constant", "--warmup-ratio", 0, "--beta", 0.1,
               "--global-batch", 16, "--epochs", 1, "--shuffle", "false", "--threads", options.threads, "--log", log]
    turns.run_quietly(command, log.with_suffix(".log"))
    done = next(row for row in common.read_rows(log) if row.get("event") == "done")
    return {"rate": count / (done["reference_seconds"] + done["steps_seconds"]),
            "peak_rss_mib": done["peak_rss_bytes"] / 2**20}


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
                         f"{count} pairs, live reference there, our reference pass counted; {options.threads} threads")
    sys.exit(0 if holds else 1)


if __name__ == "__main__":
    main()
