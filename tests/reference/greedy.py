"""Greedy generation of SmolLM2-135M-Instruct, or --model DIR: `srlm-worker generate --greedy` against transformers, token for token.

    ~/.cache/srlm/venv-reference/bin/python tests/reference/greedy.py [--count 32 --max-new-tokens 64]

Prompts are ${SRLM_SHARED}/data's user-oriented instructions. Leaves in SRLM_OUT greedy_prompts.jsonl,
greedy_transformers.jsonl ({"prompt_id", "token_ids", "gaps"}: at each step the distance of the two largest logits),
greedy_srlm.jsonl and greedy_verdict.json (prompts that differ, where, and transformers' gap there). Holds when at
most 4 prompts of 32 differ, each first at a near-tie, a gap below 1e-3. --theirs FILE, --ours FILE take kept outputs.
"""
import argparse
import json
import sys

import reference_common as common

NEAR_TIE = 1e-3
MOST_DIFFERENT = 4


def transformers_rows(folder, prompts, max_new_tokens, threads):
    import torch
    tokenizer, model = common.load_tokenizer(folder), common.load_model(folder, threads)
    rows = []
    for row in prompts:
        ids = torch.tensor([common.encode(tokenizer, common.user_turn(tokenizer, row["prompt"]))])
        with torch.inference_mode():
            output = model.generate(
                input_ids=ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=max_new_tokens,
                eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id, output_logits=True,
                return_dict_in_generate=True)
        largest = [step[0].topk(2).values for step in output.logits]
        rows.append({"prompt_id": row["prompt_id"], "token_ids": output.sequences[0, ids.shape[1]:].tolist(),
                     "gaps": [round((top[0] - top[1]).item(), 6) for top in largest]})
    return rows


def compare(theirs, ours):
    """The prompts whose tokens differ: where first, and how far apart transformers' two best tokens were there."""
    ours = {row["prompt_id"]: row["token_ids"] for row in ours}
    different = []
    for row in theirs:
        mine, reference = ours[row["prompt_id"]], row["token_ids"]
        if mine == reference:
            continue
        step = next((i for i, pair in enumerate(zip(mine, reference)) if pair[0] != pair[1]),
                    min(len(mine), len(reference)))
        gap = row["gaps"][step] if step < len(row["gaps"]) else None  # None: ours goes on after their end
        different.append({"prompt_id": row["prompt_id"], "step": step, "gap": gap,
                          "ours": mine[step:step + 3], "theirs": reference[step:step + 3]})
    return different


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=32)
    parser.add_argument("--model", default=common.SMOLLM2, help="a model folder")
    parser.add_argument("--max-new-tokens", type=int, default=64)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--theirs", help="transformers' rows from an earlier run")
    parser.add_argument("--ours", help="output of srlm-worker generate on greedy_prompts.jsonl")
    options = parser.parse_args()
    out = common.out_folder()
    prompts = common.real_prompts(options.count)
    common.write_rows(out / "greedy_prompts.jsonl", prompts)
    if not options.ours:
        options.ours = out / "greedy_srlm.jsonl"
        common.run_program(common.program("srlm-worker"), "generate", "--model", options.model, "--prompts",
                           out / "greedy_prompts.jsonl", "--out", options.ours, "--greedy", "--samples", 1,
                           "--max-new-tokens", options.max_new_tokens, "--threads", options.threads)
    if options.theirs:
        theirs = common.read_rows(options.theirs)
    else:
        theirs = transformers_rows(options.model, prompts, options.max_new_tokens, options.threads)
        common.write_rows(out / "greedy_transformers.jsonl", theirs)
    different = compare(theirs, common.read_rows(options.ours))
    far = [row for row in different if row["gap"] is None or row["gap"] >= NEAR_TIE]
    common.write_json(out / "greedy_verdict.json", {
        "prompts": len(theirs), "tokens": sum(len(row["token_ids"]) for row in theirs), "different": different})
    for row in different:
        print(json.dumps(row))
    of = common.of_model(options.model)
    holds = [common.figure(f"greedy{of}: prompts of {len(theirs)} that differ from transformers", len(different),
                           MOST_DIFFERENT),
             common.figure(f"greedy{of}: of these, not at a near-tie below {NEAR_TIE:g}", len(far), 0)]
    sys.exit(0 if all(holds) else 1)


if __name__ == "__main__":
    main()
