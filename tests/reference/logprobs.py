"""Log-probabilities of real answers: `srlm-worker logprobs` and `srlm-trainer dpo --print-logprobs` against
transformers, and `srlm-worker logprobs` against what was recorded while sampling.

    ~/.cache/srlm/venv-reference/bin/python tests/reference/logprobs.py pairs [--count 64]
    ~/.cache/srlm/venv-reference/bin/python tests/reference/logprobs.py recorded [--count 16]

`pairs`: both answers of 64 human-ranked pairs of ${SRLM_SHARED}/data, up to 1,024 tokens with their prompt. The
difference of two sums, divided by the root of the number of tokens, is at most 1e-3; token ids are equal. The trainer
prints its own values on 1 and on 2 ranks.
`recorded`: answers sampled by `srlm-worker generate` for real prompts, whose `logprob` was recorded at the time. An
answer takes part when it ended by itself and its text gives the same tokens again.
Leaves its files in SRLM_OUT.
"""
import argparse
import math
import sys

import reference_common as common

LIMIT = 1e-3


def scaled_difference(ours, theirs, tokens):
    return abs(ours - theirs) / math.sqrt(tokens)


def run_logprobs(folder, items, name, threads):
    out = common.out_folder()
    common.write_rows(out / f"{name}_items.jsonl", items)
    common.run_program(common.program("srlm-worker"), "logprobs", "--model", folder, "--items",
                       out / f"{name}_items.jsonl", "--out", out / f"{name}_srlm.jsonl", "--threads", threads)
    return common.read_rows(out / f"{name}_srlm.jsonl")


def trainer_logprobs(folder, pairs, ranks):
    """(sum, tokens) of each answer, chosen and rejected in turns, as the trainer's ranks compute them."""
    out = common.out_folder()
    common.write_rows(out / "logprobs_pairs.jsonl", pairs)
    printed = out / f"logprobs_trainer_{ranks}.jsonl"
    mpirun = [common.ROOT / "tests/mpirun.sh", ranks] if ranks > 1 else []
    common.run_program(*mpirun, common.program("srlm-trainer"), "dpo", "--model", folder, "--data",
                       out / "logprobs_pairs.jsonl", "--print-logprobs", printed)
    return [(row[f"{key}_logp"], row[f"{key}_tokens"]) for row in common.read_rows(printed)
            for key in ("chosen", "rejected")]


def compare_pairs(options):
    tokenizer = common.load_tokenizer(options.model)
    pairs = common.real_pairs(tokenizer, options.count or 64, most_tokens=1024)
    items = [{"prompt": pair["prompt"], "response": pair[key]} for pair in pairs for key in ("chosen", "rejected")]
    ours = run_logprobs(options.model, items, "logprobs", options.threads)
    assert len(ours) == len(items), f"{len(ours)} rows for {len(items)} items"
    trainers = {ranks: trainer_logprobs(options.model, pairs, ranks) for ranks in (1, 2)}
    model = common.load_model(options.model, options.threads)
    worst_sum = worst_token = 0.0
    lengths = "{} to {}".format(*common.extremes(
        sum(map(len, common.encode_pair(tokenizer, item["prompt"], item["response"]))) for item in items))
    worst_trainer = dict.fromkeys(trainers, 0.0)
    different_ids = different_counts = 0
    for number, (item, row) in enumerate(zip(items, ours)):
        prompt_ids, response_ids = common.encode_pair(tokenizer, item["prompt"], item["response"])
        theirs = common.token_logprobs(model, prompt_ids, response_ids)
        for ranks, values in trainers.items():
            logp, tokens = values[number]
            different_counts += tokens != len(theirs)
            worst_trainer[ranks] = max(worst_trainer[ranks], scaled_difference(logp, sum(theirs), len(theirs)))
        if row["token_ids"] != response_ids:
            different_ids += 1
            continue
        worst_sum = max(worst_sum, scaled_difference(row["logprob"], sum(theirs), len(theirs)))
        worst_token = max([worst_token] + [abs(a - b) for a, b in zip(row["token_logprobs"], theirs, strict=True)])
    note = f"{len(items)} answers of {len(pairs)} pairs, {lengths} tokens with their prompts"
    of = common.of_model(options.model)
    common.figure(f"logprobs{of}: largest difference of one token's log-probability", worst_token, note=note)
    return [common.figure(f"logprobs{of}: difference of sums over the root of the tokens from transformers, largest", worst_sum, LIMIT,
                          note=note),
            common.figure(f"logprobs{of}: answers with other token ids than transformers", different_ids, 0, note=note),
            common.figure(f"trainer{of}: answers with another number of tokens", different_counts, 0, note=note),
            *(common.figure(f"trainer{of}: difference of sums over the root of the tokens from transformers, largest", worst, LIMIT,
                            note=f"{note}, {ranks} ranks") for ranks, worst in worst_trainer.items())]


def compare_recorded(options):
    out = common.out_folder()
    prompts = common.real_prompts(options.count or 16)
    common.write_rows(out / "recorded_prompts.jsonl", prompts)
    common.run_program(common.program("srlm-worker"), "generate", "--model", options.model, "--prompts",
                       out / "recorded_prompts.jsonl", "--out", out / "recorded_generated.jsonl", "--samples", 4,
                       "--temperature", 0.7, "--top-p", 0.9, "--max-new-tokens", 128, "--seed", 1,
                       "--threads", options.threads)
    tokenizer = common.load_tokenizer(options.model)
    texts = {row["prompt_id"]: row["prompt"] for row in prompts}
    rows = [row for row in common.read_rows(out / "recorded_generated.jsonl")
            if row["token_ids"] and row["token_ids"][-1] == tokenizer.eos_token_id
            and common.encode(tokenizer, row["text"]) == row["token_ids"][:-1]]
    items = [{"prompt": texts[row["prompt_id"]], "response": row["text"]} for row in rows]
    again = run_logprobs(options.model, items, "recorded", options.threads)
    of = common.of_model(options.model)
    worst = max((scaled_difference(a["logprob"], b["logprob"], len(a["token_ids"]))
                 for a, b in zip(rows, again, strict=True)), default=0)
    return [len(rows) > 0,
            common.figure(f"recorded{of} while sampling: difference of sums over the root of the tokens from logprobs, largest", worst,
                          LIMIT, note=f"{len(rows)} answers")]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("pairs", "recorded"))
    parser.add_argument("--count", type=int, help="pairs (64) or prompts (16)")
    parser.add_argument("--model", default=common.SMOLLM2, help="a model folder")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    holds = compare_pairs(options) if options.what == "pairs" else compare_recorded(options)
    sys.exit(0 if all(holds) else 1)


if __name__ == "__main__":
    main()
