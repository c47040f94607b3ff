"""Speed of sampling: `srlm-worker generate` and transformers' static batches (hf_generate.py) in turns.

The first 16 user-oriented instructions of ${SRLM_SHARED}/data, 4 answers each at temperature 0.7 and top-p 0.9, at most
128 tokens: one batch of 64 rows for the peer. Useful tokens end with the first end-of-turn token; loading is not timed.
"""
import argparse
import sys

import turns
from turns import common

LEAST_RATIO = 2


def ours(prompts, threads, seed):
    out = common.out_folder()
    got = turns.run_ours("generate", "generate", "--prompts", prompts, "--out", out / "generated.jsonl", "--samples", 4,
                         "--temperature", 0.7, "--top-p", 0.9, "--max-new-tokens", 128, "--seed", seed,
                         "--threads", threads)
    return {"rate": got["tokens_per_second"], "peak_rss_mib": got["peak_rss_bytes"] / 2**20, "summary": got}


def peer(count, rows, threads, seed):
    got = turns.run_peer("hf_generate.py", "--prompts", common.SHARED / "data/self_instruct_user_oriented.jsonl",
                         "--count", count, "--rows", rows, "--threads", threads, "--seed", seed)
    return {"rate": got["useful_tokens_per_s"]["median"], "peak_rss_mib": got["peak_rss_mib"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=16, help="prompts")
    parser.add_argument("--rows", type=int, default=64, help="the peer's batch")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--turns", type=int, default=2)
    options = parser.parse_args()
    prompts = common.out_folder() / "generation_prompts.jsonl"
    common.write_rows(prompts, common.real_prompts(options.count))
    pairs = [(ours(prompts, options.threads, seed), peer(options.count, options.rows, options.threads, seed))
             for seed in range(1, options.turns + 1)]
    summary = pairs[-1][0]["summary"]
    turns.figure("generation: prompt tokens computed / prompt tokens",
                 round(summary["prefilled_tokens"] / max(1, summary["prompt_tokens"]), 3), most=1,
                 note="a prompt is computed once for its 4 samples")
    holds = turns.report("generation, useful tokens/s", "tokens/s", pairs, LEAST_RATIO,
                         f"{options.count} prompts x 4, transformers with {options.rows} rows, {options.threads} threads")
    sys.exit(0 if holds else 1)


if __name__ == "__main__":
    main()
