"""transformers loads model folders that srlm wrote, and computes what srlm computes with them.

    ~/.cache/srlm/venv-reference/bin/python tests/reference/load_models.py RUN/models/M1 RUN/models/M2 RUN/models/M3
    ... load_models.py FOLDER --logits OURS.json     # {"token_ids", "positions", "logits"} as data/logits_<name>.json

For each folder: no weight missing, left over or of another shape; the tokenizer and chat template load; and for 8
answers of deploy/data/seed/evaluation.jsonl each token's log-probability, a log-softmax over all logits, is within
1e-4 of `srlm-worker logprobs`. With --logits, the logits themselves are compared as well.
"""
import argparse
import json
import pathlib
import sys

import reference_common as common

LIMIT = 1e-4


def load(folder):
    import torch
    import transformers
    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(2)
    model, report = transformers.AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, output_loading_info=True)
    problems = {key: sorted(map(str, value)) for key, value in report.items() if value}
    assert not problems, f"{folder}: {problems}"
    return common.load_tokenizer(folder), model.eval()


def worst_logprob(folder, tokenizer, model):
    rows = common.read_rows(common.ROOT / "deploy/data/seed/evaluation.jsonl")[::8]
    items = [{"prompt": row["prompt_text"], "response": row["response_text"]} for row in rows]
    source, target = common.out_folder() / "load_items.jsonl", common.out_folder() / f"load_{folder.name}.jsonl"
    common.write_rows(source, items)
    common.run_program(common.program("srlm-worker"), "logprobs", "--model", folder, "--items", source, "--out", target)
    worst = 0.0
    for item, ours in zip(items, common.read_rows(target), strict=True):
        prompt_ids, response_ids = common.encode_pair(tokenizer, item["prompt"], item["response"])
        assert ours["token_ids"] == response_ids, f"{folder}: token ids of {item['response']!r}"
        theirs = common.token_logprobs(model, prompt_ids, response_ids)
        worst = max([worst] + [abs(a - b) for a, b in zip(ours["token_logprobs"], theirs, strict=True)])
    return worst


def worst_logit(model, path):
    import torch
    ours = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
    with torch.inference_mode():
        logits = model(input_ids=torch.tensor([ours["token_ids"]])).logits[0, ours["positions"]]
    return (logits - torch.tensor(ours["logits"])).abs().max().item()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=pathlib.Path)
    parser.add_argument("--logits", help="srlm's logits of the first folder's model")
    options = parser.parse_args()
    holds = []
    for folder in options.folders:
        tokenizer, model = load(folder)
        holds.append(common.figure(f"{folder.name} in transformers: largest difference of a token's log-probability",
                                   worst_logprob(folder, tokenizer, model), LIMIT))
        if options.logits and folder == options.folders[0]:
            holds.append(common.figure(f"{folder.name} in transformers: largest difference of a logit",
                                       worst_logit(model, options.logits), LIMIT))
    sys.exit(0 if all(holds) else 1)


if __name__ == "__main__":
    main()
