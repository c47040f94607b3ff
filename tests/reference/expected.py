"""The expected verdict: `srlm-worker judge --verdict expected` against transformers' probabilities of the digits.

    ~/.cache/srlm/venv-reference/bin/python tests/reference/expected.py [--count 32]

Both answers of human-ranked pairs of ${SRLM_SHARED}/data are judged with deploy/templates/judge.txt. The assistant's turn
is opened with "Score: "; the digits' log-probabilities there, normalised over 0 to 5, give the expected score. Also
checked: the digits are one token each there. Leaves its files in SRLM_OUT.
"""
import argparse
import sys

import reference_common as common

LIMIT = 1e-3
OPENING = "Score: "
MOST_TOKENS = 1024


def expected_score(model, tokenizer, question):
    """(expected value, probabilities of 0..5) after the opening; softmax in float64 of float32 logits."""
    import torch
    opening = common.encode(tokenizer, OPENING)
    digits = []
    for score in range(6):
        ids = common.encode(tokenizer, f"{OPENING}{score}")
        assert ids[:-1] == opening, f"{score} is not one token after '{OPENING}'"
        digits.append(ids[-1])
    ids = common.encode(tokenizer, common.user_turn(tokenizer, question)) + opening
    with torch.inference_mode():
        logits = model(input_ids=torch.tensor([ids]), logits_to_keep=1).logits[0, -1]
    probabilities = logits.double()[digits].softmax(0).tolist()
    return sum(score * p for score, p in enumerate(probabilities)), probabilities


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=32, help="pairs")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    out = common.out_folder()
    tokenizer = common.load_tokenizer(common.SMOLLM2)
    pairs = common.real_pairs(tokenizer, options.count, most_tokens=MOST_TOKENS)
    items = [{"prompt": pair["prompt"], "response": pair[key]} for pair in pairs for key in ("chosen", "rejected")]
    common.write_rows(out / "expected_items.jsonl", items)
    common.run_program(common.program("srlm-worker"), "judge", "--model", common.SMOLLM2, "--items",
                       out / "expected_items.jsonl", "--out", out / "expected_srlm.jsonl", "--verdict", "expected",
                       "--threads", options.threads)
    ours = common.read_rows(out / "expected_srlm.jsonl")
    model = common.load_model(common.SMOLLM2, options.threads)
    template = (common.ROOT / "deploy/templates/judge.txt").read_text(encoding="utf-8").rstrip("\n")
    worst_score = worst_probability = 0.0
    for item, row in zip(items, ours, strict=True):
        # One pass, so that "{response}" inside a prompt stays as it is.
        before, rest = template.split("{prompt}")
        between, after = rest.split("{response}")
        theirs, probabilities = expected_score(
            model, tokenizer, before + item["prompt"] + between + item["response"] + after)
        worst_score = max(worst_score, abs(row["expected"] - theirs))
        worst_probability = max(worst_probability, *(abs(a - b) for a, b in zip(row["probabilities"], probabilities)))
    note = f"{len(items)} answers of {len(pairs)} pairs"
    common.figure("expected verdict: largest difference of a digit's probability", worst_probability, note=note)
    sys.exit(0 if common.figure("expected verdict: largest difference of the score from transformers", worst_score,
                                LIMIT, note=note) else 1)


if __name__ == "__main__":
    main()
