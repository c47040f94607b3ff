#!/usr/bin/env python3
"""Cuts what `srlm prepare` made to the sizes of a trial, and takes prompts for the rounds and for comparisons from
ranked training prompts that neither IFT nor EFT use.

    parts.py RANKED_ANSWERS PREPARED OUT IFT_ROWS ROUND_PROMPTS COMPARED_PROMPTS MEASURED_PROMPTS

MEASURED_PROMPTS: of the evaluation part; 0: all.
"""

import json
import pathlib
import sys


def read(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def write(path, rows):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def main():
    ranked, prepared, out = map(pathlib.Path, sys.argv[1:4])
    ift_rows, round_prompts, compared, measured = map(int, sys.argv[4:8])
    texts = {row["prompt_id"]: row["prompt_text"] for row in read(ranked)}
    unused = [row["prompt_id"] for row in read(prepared / "rejects.jsonl") if row["reason"] == "not_needed"]
    if len(unused) < round_prompts + compared:
        sys.exit(f"parts.py: {len(unused)} unused prompts, wanted {round_prompts + compared}")
    prompts = [{"prompt_id": prompt_id, "prompt": texts[prompt_id]} for prompt_id in unused]
    evaluation = read(prepared / "evaluation.jsonl")
    if measured:
        kept = list(dict.fromkeys(row["prompt_id"] for row in evaluation))[:measured]
        evaluation = [row for row in evaluation if row["prompt_id"] in kept]
    best = {}  # of each evaluation prompt, the answer that people liked best
    for row in evaluation:
        if row["prompt_id"] not in best or row["quality_score"] > best[row["prompt_id"]]["quality_score"]:
            best[row["prompt_id"]] = row
    write(out / "ift_part.jsonl", read(prepared / "ift.jsonl")[:ift_rows])
    write(out / "eft.jsonl", read(prepared / "eft.jsonl"))
    write(out / "prompts.jsonl", prompts[:round_prompts])
    write(out / "compared.jsonl", prompts[round_prompts:round_prompts + compared])
    write(out / "evaluation.jsonl", evaluation)
    write(out / "held_out.jsonl",
          [{"id": row["prompt_id"], "prompt": row["prompt_text"], "response": row["response_text"]}
           for row in best.values()])


if __name__ == "__main__":
    main()
