"""What a plain transformers loop does in 5 steps of SFT on tests/reference/data/sft_rows.jsonl, to hold
`srlm-trainer sft` against.

    ~/.cache/srlm/venv-reference/bin/python tests/reference/sft_reference.py tiny      # the stored values, seconds
    ~/.cache/srlm/venv-reference/bin/python tests/reference/sft_reference.py smollm2   # the stored values, a minute
    ... sft_reference.py smollm2 --no-store --out DIR   # only its final weights, as a folder

`tiny` writes data/sft_tiny.json and data/sft_tiny.safetensors, `smollm2` writes data/sft_smollm2.json. The loss is the
mean cross-entropy over all answer tokens (with the end-of-turn token) of the global batch: long answers count more.
"""
import argparse
import pathlib

import dpo_trl
import reference_common as common

SETTINGS = {
    "global_batch": 4, "steps": 5, "epochs": 1, "shuffle": False, "schedule": "constant",
    "warmup_ratio": 0.0, "adam_beta1": 0.9, "adam_beta2": 0.95,
    "adam_epsilon": 1e-8, "weight_decay": 0.1, "weight_decay_on": "matrices and embeddings; not on norm weights",
    "max_grad_norm": 1.0, "dropout": 0.0, "loss": "mean over the global batch's answer and end-of-turn tokens"}
CASES = {"tiny": (common.HERE / "models/llama3", 5e-4), "smollm2": (common.SMOLLM2, 1e-4)}


def prompt_and_answer(row):
    """Both forms of a row: messages of one turn, or prompt and completion."""
    if "messages" in row:
        return [message["content"] for message in row["messages"]]
    return row["prompt"], row["completion"]


def answer_loss(model, prompt_ids, answer_ids):
    """Summed cross-entropy of the answer's tokens."""
    import torch
    logits = model(input_ids=torch.tensor([prompt_ids + answer_ids]), logits_to_keep=len(answer_ids) + 1).logits[0, :-1]
    return torch.nn.functional.cross_entropy(logits, torch.tensor(answer_ids), reduction="sum")


def train(folder, learning_rate, rows):
    import torch
    tokenizer, model = common.load_tokenizer(folder), common.load_model(folder).train()
    undecayed = [name for name, parameter in model.named_parameters() if parameter.dim() == 1]
    groups = [{"params": [p for name, p in model.named_parameters() if (name in undecayed) == skipped],
               "weight_decay": 0.0 if skipped else SETTINGS["weight_decay"]} for skipped in (False, True)]
    optimiser = torch.optim.AdamW(groups, lr=learning_rate, eps=SETTINGS["adam_epsilon"],
                                  betas=(SETTINGS["adam_beta1"], SETTINGS["adam_beta2"]))
    steps, size = [], SETTINGS["global_batch"]
    for step in range(SETTINGS["steps"]):
        batch = [common.encode_pair(tokenizer, *prompt_and_answer(row)) for row in rows[step * size:(step + 1) * size]]
        tokens, loss = sum(len(answer) for _, answer in batch), 0.0
        for prompt, answer in batch:
            part = answer_loss(model, prompt, answer) / tokens
            part.backward()
            loss += part.item()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), SETTINGS["max_grad_norm"]).item()
        optimiser.step()
        optimiser.zero_grad()
        steps.append({"step": step, "loss": loss, "grad_norm": norm, "learning_rate": learning_rate,
                      "answer_tokens": tokens})
    return steps, model, undecayed


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("case", choices=CASES)
    parser.add_argument("--out", type=pathlib.Path, help="also save the trained model as a folder")
    parser.add_argument("--no-store", action="store_true", help="leave the stored values as they are")
    options = parser.parse_args()
    folder, learning_rate = CASES[options.case]
    steps, model, undecayed = train(folder, learning_rate, common.read_rows(common.DATA / "sft_rows.jsonl"))
    if not options.no_store:
        common.write_json(common.DATA / f"sft_{options.case}.json", common.versions() | {
            "model": folder.name, "data": "sft_rows.jsonl", "settings": SETTINGS | {"learning_rate": learning_rate},
            "update_norm": dpo_trl.update_norm(folder, model), "without_weight_decay": undecayed, "steps": steps})
        if options.case == "tiny":
            dpo_trl.save_weights(model, common.DATA / "sft_tiny.safetensors")
    if options.out:
        model.save_pretrained(options.out)
    for row in steps:
        print(row)


if __name__ == "__main__":
    main()
