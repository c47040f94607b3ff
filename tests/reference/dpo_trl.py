"""What TRL's DPOTrainer does in 5 steps on tests/reference/data/dpo_pairs.jsonl, to hold `srlm-trainer dpo` against.

    ~/.cache/srlm/venv-reference/bin/python tests/reference/dpo_trl.py tiny               # the stored values, seconds
    ~/.cache/srlm/venv-reference/bin/python tests/reference/dpo_trl.py smollm2            # the stored values, minutes
    ... dpo_trl.py variants                                          # other losses on the tiny model, half a minute
    ... dpo_trl.py lora                                              # adapters of PEFT on the tiny model, seconds
    ... dpo_trl.py smollm2 --no-store --out DIR                      # only its final weights, as a folder (538 MB)
    ... dpo_trl.py compare --start FOLDER --theirs FOLDER --ours FOLDER   # relative L2 difference of the two updates

`tiny` writes data/dpo_tiny.json and data/dpo_tiny.safetensors (final weights), `smollm2` writes data/dpo_smollm2.json,
`variants` writes data/dpo_variants.json, `lora` data/dpo_lora.json, where PEFT begins with adapters that `srlm-trainer
--epochs 0` (SRLM_BIN) has written in its format.
Two of the variants' losses TRL 1.16 has only for a batch of one pair as we define them: smoothed labels ("aot", which sorts the batch first) and the chosen answer's NLL ("sft", a mean over the batch's tokens,
where ours is over each answer's). TRL leaves lengths out of the rewards that it logs, so those are not compared.
TRL is fed strings: the prompt rendered by the chat template with the assistant's turn opened, and each answer with the
end-of-turn token, without the newline that the template would put after it. The JSON states every setting ours needs;
"steps" hold values before each update, rewards with beta in them, grad_norm before clipping.
"""
import argparse
import pathlib
import shutil
import tempfile

import reference_common as common

SETTINGS = {
    "beta": 0.1, "global_batch": 4, "steps": 5, "epochs": 1, "shuffle": False, "schedule": "constant",
    "warmup_ratio": 0.0, "adam_beta1": 0.9, "adam_beta2": 0.95, "adam_epsilon": 1e-8, "weight_decay": 0.1,
    "weight_decay_on": "matrices and embeddings; not on norm weights", "max_grad_norm": 1.0, "dropout": 0.0,
    "loss": "sigmoid, mean over the batch's pairs, log-probabilities summed over answer and end-of-turn token"}
# Ours: srlm-trainer's flags; trl: those of DPOConfig.
VARIANTS = {
    "ipo": {"ours": {"loss": "ipo", "length-normalised": True}, "trl": {"loss_type": ["ipo"]}},
    "length_normalised": {"ours": {"length-normalised": True, "beta": 5.0},
                          "trl": {"loss_type": ["sigmoid_norm"], "beta": 5.0}},
    "label_smoothing": {"ours": {"label-smoothing": 0.2, "global-batch": 1},
                        "trl": {"loss_type": ["aot"], "label_smoothing": 0.2, "per_device_train_batch_size": 1}},
    "nll": {"ours": {"nll-weight": 0.7, "global-batch": 1},
            "trl": {"loss_type": ["sigmoid", "sft"], "loss_weights": [1.0, 0.7], "per_device_train_batch_size": 1}},
    "ipo_nll": {"ours": {"loss": "ipo", "length-normalised": True, "nll-weight": 1.0, "global-batch": 1},
                "trl": {"loss_type": ["ipo", "sft"], "loss_weights": [1.0, 1.0], "per_device_train_batch_size": 1}},
}
VARIANT_VALUES = ("step", "loss", "grad_norm", "logp_chosen", "logp_rejected")
LORA = {"lora-rank": 4, "lora-alpha": 8, "seed": 1}
LORA_LEARNING_RATE = 5e-3
CASES = {"tiny": (common.HERE / "models/smollm2", 1e-4), "smollm2": (common.SMOLLM2, 1e-5)}


def run_trl(folder, learning_rate, pairs, variant=None, adapter=None):
    """(list of per-step values, trained model, names without weight decay) of one pass over `pairs`; with `adapter`, a
    folder, PEFT's adapters are trained in place of the model."""
    import torch
    from datasets import Dataset
    from trl import DPOConfig, DPOTrainer

    tokenizer = common.load_tokenizer(folder)
    model, reference = common.load_model(folder).train(), common.load_model(folder)
    if adapter:
        from peft import PeftModel
        model, reference = PeftModel.from_pretrained(model, adapter, is_trainable=True), None
    losses = []

    class Recorder(DPOTrainer):
        def compute_loss(self, *arguments, **options):
            loss = super().compute_loss(*arguments, **options)
            losses.append(loss.item())
            return loss

    rows = [{"prompt": common.user_turn(tokenizer, pair["prompt"]),
             "chosen": pair["chosen"] + tokenizer.eos_token, "rejected": pair["rejected"] + tokenizer.eos_token}
            for pair in pairs]
    scratch = tempfile.mkdtemp()
    try:
        options = dict(
            output_dir=scratch, per_device_train_batch_size=SETTINGS["global_batch"], gradient_accumulation_steps=1,
            max_steps=SETTINGS["steps"], max_length=None, learning_rate=learning_rate, beta=SETTINGS["beta"],
            optim="adamw_torch", adam_beta1=SETTINGS["adam_beta1"], adam_beta2=SETTINGS["adam_beta2"],
            adam_epsilon=SETTINGS["adam_epsilon"], weight_decay=SETTINGS["weight_decay"],
            max_grad_norm=SETTINGS["max_grad_norm"], lr_scheduler_type="constant", warmup_steps=0,
            train_sampling_strategy="sequential", disable_dropout=True, bf16=False, fp16=False, use_cpu=True,
            gradient_checkpointing=False, logging_steps=1, save_strategy="no", report_to=[], disable_tqdm=True, seed=1)
        config = DPOConfig(**(options | (variant or {})))
        trainer = Recorder(model=model, ref_model=reference, args=config, train_dataset=Dataset.from_list(rows),
                           processing_class=tokenizer)
        check_tokens(tokenizer, trainer.train_dataset, pairs)
        decayed = set(trainer.get_decay_parameter_names(model))
        trainer.train()
    finally:
        shutil.rmtree(scratch)
    logs = [log for log in trainer.state.log_history if "rewards/margins" in log]
    assert len(logs) == len(losses) == SETTINGS["steps"]
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    steps = [{"step": step, "loss": loss, "grad_norm": float(log["grad_norm"]), "learning_rate": log["learning_rate"],
              "rewards_chosen": log["rewards/chosen"], "rewards_rejected": log["rewards/rejected"],
              "margin": log["rewards/margins"], "accuracy": log["rewards/accuracies"],
              "logp_chosen": log["logps/chosen"], "logp_rejected": log["logps/rejected"]}
             for step, (loss, log) in enumerate(zip(losses, logs))]
    return steps, model, sorted(name for name, _ in model.named_parameters() if name not in decayed)


def check_tokens(tokenizer, dataset, pairs):
    """TRL's ids must be those of prompt and answer tokenised apart, as srlm does."""
    for row, pair in zip(dataset, pairs, strict=True):
        for key in ("chosen", "rejected"):
            assert (row["prompt_ids"], row[f"{key}_ids"]) == common.encode_pair(tokenizer, pair["prompt"], pair[key])


def save_weights(model, path):
    from safetensors.torch import save_file
    save_file({name: tensor.detach().contiguous() for name, tensor in model.named_parameters()}, path,
              metadata={"format": "pt"})
    pathlib.Path(path).chmod(0o644)


def read_weights(folder):
    """Named float64 tensors of all safetensors files of a folder (or of one file)."""
    from safetensors.torch import load_file
    folder = pathlib.Path(folder)
    files = [folder] if folder.is_file() else sorted(folder.glob("*.safetensors"))
    return {name: tensor.double() for file in files for name, tensor in load_file(file).items()}


def update_difference(start, theirs, ours):
    """|(ours - start) - (theirs - start)| / |theirs - start| over all parameters of `theirs`."""
    start, theirs, ours = map(read_weights, (start, theirs, ours))
    difference = sum((ours[name] - theirs[name]).square().sum().item() for name in theirs)
    update = sum((theirs[name] - start[name]).square().sum().item() for name in theirs)
    return (difference / update) ** 0.5, update**0.5


def update_norm(folder, model):
    start = read_weights(folder)
    return sum((tensor.detach().double() - start[name]).square().sum().item()
               for name, tensor in model.named_parameters()) ** 0.5


def run_variants(folder, learning_rate, pairs):
    stored = {}
    for name, variant in VARIANTS.items():
        steps, _, _ = run_trl(folder, learning_rate, pairs, variant["trl"])
        stored[name] = variant | {"steps": [{key: step[key] for key in VARIANT_VALUES} for step in steps]}
    return stored


def run_lora(folder, pairs):
    """Steps of PEFT's adapters that begin as ours do, and the norm of what each of its matrices becomes."""
    scratch = tempfile.mkdtemp()
    flags = [word for name, value in LORA.items() for word in (f"--{name}", value)]
    try:
        common.run_program(common.program("srlm-trainer"), "dpo", "--model", folder, "--data",
                           common.DATA / "dpo_pairs.jsonl", "--epochs", 0, "--lora-save", "adapter", "--out",
                           f"{scratch}/adapter", *flags)
        steps, model, _ = run_trl(folder, LORA_LEARNING_RATE, pairs, adapter=f"{scratch}/adapter")
    finally:
        shutil.rmtree(scratch)
    norms = {name.replace(".default", ""): parameter.detach().double().norm().item()
             for name, parameter in model.named_parameters() if parameter.requires_grad}
    return steps, norms


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("case", choices=[*CASES, "variants", "lora", "compare"])
    parser.add_argument("--out", type=pathlib.Path, help="also save the trained model as a folder")
    parser.add_argument("--no-store", action="store_true", help="leave the stored values as they are")
    for name in ("start", "theirs", "ours"):
        parser.add_argument(f"--{name}", help="model folder or safetensors file, for compare")
    options = parser.parse_args()
    if options.case == "compare":
        relative, norm = update_difference(options.start, options.theirs, options.ours)
        print(f'{{"relative_difference": {relative:.3e}, "update_norm": {norm:.6e}}}')
        return
    import trl
    if options.case == "variants":
        folder, learning_rate = CASES["tiny"]
        pairs = common.read_rows(common.DATA / "dpo_pairs.jsonl")
        common.write_json(common.DATA / "dpo_variants.json", common.versions() | {
            "trl": trl.__version__, "model": folder.name, "data": "dpo_pairs.jsonl",
            "settings": SETTINGS | {"learning_rate": learning_rate},
            "variants": run_variants(folder, learning_rate, pairs)})
        return
    if options.case == "lora":
        import peft
        folder, _ = CASES["tiny"]
        steps, norms = run_lora(folder, common.read_rows(common.DATA / "dpo_pairs.jsonl"))
        common.write_json(common.DATA / "dpo_lora.json", common.versions() | {
            "trl": trl.__version__, "peft": peft.__version__, "model": folder.name, "data": "dpo_pairs.jsonl",
            "settings": SETTINGS | {"learning_rate": LORA_LEARNING_RATE} | LORA, "norms": norms, "steps": steps})
        return
    folder, learning_rate = CASES[options.case]
    steps, model, undecayed = run_trl(folder, learning_rate, common.read_rows(common.DATA / "dpo_pairs.jsonl"))
    if not options.no_store:
        common.write_json(common.DATA / f"dpo_{options.case}.json", common.versions() | {
            "trl": trl.__version__, "model": folder.name, "data": "dpo_pairs.jsonl",
            "settings": SETTINGS | {"learning_rate": learning_rate}, "update_norm": update_norm(folder, model),
            "without_weight_decay": undecayed, "steps": steps})
        if options.case == "tiny":
            save_weights(model, common.DATA / "dpo_tiny.safetensors")
    if options.out:
        model.save_pretrained(options.out)
    for row in steps:
        print(row)


if __name__ == "__main__":
    main()
