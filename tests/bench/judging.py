"""Speed of judging: `srlm-worker judge` and transformers' generate (hf_judge.py) in turns, on the same answers.

4 answers to each of the first prompts of ${SRLM_SHARED}/data's user-oriented instructions, sampled once by transformers;
3 votes an answer with the peer's judge prompt, temperature 0.7, top-p 0.9, at most 100 tokens. The expected verdict,
one forward pass an answer, is measured beside it.
"""
import argparse
import json
import pathlib
import sys

import turns
from turns import common

LEAST_RATIO = 4
VOTES = 3


def peer(answers, options):
    got = turns.run_peer(pathlib.Path(__file__).with_name("judge_peer.py"), *peer_arguments(answers, options))
    return {"rate": got["votes_per_s"], "peak_rss_mib": got["peak_rss_mib"], "parse_rate": got["parse_rate"]["median"]}


def peer_arguments(answers, options):
    return ["--prompts", common.SHARED / "data/self_instruct_user_oriented.jsonl", "--count", options.count, "--rows",
            options.rows, "--votes", VOTES, "--threads", options.threads, answers]


def ours(verdict, items, template, options, seed):
    got = turns.run_ours(f"judge_{verdict}", "judge", "--items", items, "--out",
                         common.out_folder() / f"judged_{verdict}.jsonl", "--verdict", verdict, "--votes", VOTES,
                         "--template", template, "--temperature", 0.7, "--top-p", 0.9, "--max-new-tokens", 100,
                         "--seed", seed, "--threads", options.threads)
    return {"rate": got.get("votes_per_second", 0), "peak_rss_mib": got["peak_rss_bytes"] / 2**20, "summary": got}


def write_items(answers, items, template, count):
    """Our judge's input: the same prompts, answers and judge prompt as the peer's."""
    sys.path.insert(0, str(turns.PEERS))
    import common as peers_common
    template.write_text(peers_common.JUDGE_PROMPT)
    common.write_rows(items, [{"prompt": row["prompt"], "response": answer}
                              for row, texts in zip(common.real_prompts(count), json.loads(answers.read_text()),
                                                    strict=True) for answer in texts])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=4, help="prompts")
    parser.add_argument("--rows", type=int, default=24, help="the peer's batch")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--turns", type=int, default=2)
    options = parser.parse_args()
    out = common.out_folder()
    answers, items, template = (out / name for name in ("judge_answers.json", "judge_items.jsonl", "judge_prompt.txt"))
    answers.unlink(missing_ok=True)
    pairs = []
    for seed in range(1, options.turns + 1):
        theirs = peer(answers, options)
        write_items(answers, items, template, options.count)
        pairs.append((ours("sampled", items, template, options, seed), theirs))
    report(pairs, ours("expected", items, template, options, 1), options)


def report(pairs, expected, options):
    sampled, theirs = pairs[-1]
    summary = sampled["summary"]
    turns.figure("judging: prompt tokens computed / prompt tokens",
                 round(summary["prefilled_tokens"] / max(1, summary["prompt_tokens"]), 3), most=1,
                 note="an answer's judge prompt once for its votes, the template's beginning once")
    turns.figure("judging: parse rate, ours", summary["parse_rate"], note=f"peer {theirs['parse_rate']}")
    turns.figure("judging, expected verdicts/s", round(4 * options.count / expected["summary"]["seconds"], 3),
                 unit="answers/s", note="one forward pass an answer")
    holds = turns.report("judging, votes/s", "votes/s", pairs, LEAST_RATIO,
                         f"{4 * options.count} answers x {VOTES} votes, transformers with {options.rows} rows")
    sys.exit(0 if holds else 1)


if __name__ == "__main__":
    main()
