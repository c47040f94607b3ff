"""`srlm-trainer` against the stored steps of TRL's DPOTrainer (dpo_trl.py) and of a plain SFT loop (sft_reference.py).

    ~/.cache/srlm/venv-reference/bin/python tests/reference/training.py dpo tiny [--ranks 2]
    ~/.cache/srlm/venv-reference/bin/python tests/reference/training.py sft smollm2 --theirs FOLDER
    ~/.cache/srlm/venv-reference/bin/python tests/reference/training.py dpo variants      # TRL's other losses

Runs the trainer with the settings of data/<kind>_<case>.json and compares step by step: loss, margin, rewards and
gradient norm within 1e-4 + 1e-3 |value|; step 0 of DPO is ln 2 within 1e-4; the total update differs by at most 1e-2
relative L2. The tiny models' trained weights are stored; --theirs is the folder from `dpo_trl.py smollm2 --out` or
`sft_reference.py smollm2 --out` (without it the update of SmolLM2 is not compared).
"""
import argparse
import json
import math
import shutil
import sys

import dpo_trl
import reference_common as common
import sft_reference

COMPARED = {"dpo": ("loss", "margin", "rewards_chosen", "rewards_rejected", "grad_norm"), "sft": ("loss", "grad_norm")}


def train(kind, folder, reference, ranks, threads, more=None):
    """Runs srlm-trainer, with the flags `more`; (its log's step rows, the folder it wrote)."""
    settings = reference["settings"]
    out = common.out_folder() / f"{kind}_{reference['model']}_{ranks}"
    shutil.rmtree(out, ignore_errors=True)
    log = common.out_folder() / f"{kind}_{reference['model']}_{ranks}.jsonl"
    log.unlink(missing_ok=True)
    flags = {"learning-rate": settings["learning_rate"], "final-learning-rate": settings["learning_rate"],
             "schedule": "constant", "warmup-ratio": 0, "global-batch": settings["global_batch"], "epochs": 1,
             "max-steps": settings["steps"], "adam-beta1": settings["adam_beta1"], "adam-beta2": settings["adam_beta2"],
             "weight-decay": settings["weight_decay"], "max-grad-norm": settings["max_grad_norm"], "shuffle": "false",
             "seed": 1} | ({"beta": settings["beta"]} if kind == "dpo" else {}) | (more or {})
    command = [common.program("srlm-trainer"), kind, "--model", folder, "--data", common.DATA / reference["data"],
               "--out", out, "--log", log] + [part for name, value in flags.items() for part in (f"--{name}", value)]
    if threads:
        command += ["--threads", threads]
    if ranks > 1:
        command = [common.ROOT / "tests/mpirun.sh", ranks] + command
    common.run_program(*command)
    return [row for row in common.read_rows(log) if "loss" in row], out


def compare_variants(folder, ranks, threads):
    reference = json.loads((common.DATA / "dpo_variants.json").read_text(encoding="utf-8"))
    holds = []
    for name, variant in reference["variants"].items():
        flags = {flag: str(value).lower() for flag, value in variant["ours"].items()}
        ours, _ = train("dpo", folder, reference, ranks, threads, flags)
        for key in ("loss", "grad_norm"):
            worst = max(abs(a[key] - b[key]) / (1e-4 + 1e-3 * abs(b[key])) for a, b in zip(ours, variant["steps"]))
            holds.append(common.figure(f"dpo {name}, {ranks} ranks: {key}, largest difference / (1e-4 + 1e-3 |value|)",
                                       worst, 1))
            first = abs(ours[0][key] / variant["steps"][0][key] - 1)
            holds.append(common.figure(f"dpo {name}, {ranks} ranks: {key}, relative difference at step 0", first, 1e-4))
    return holds


def compare_steps(kind, name, ours, theirs):
    assert [row["step"] for row in ours] == [row["step"] for row in theirs], "other steps than the reference's"
    holds = []
    for key in COMPARED[kind]:
        worst = max(abs(a[key] - b[key]) / (1e-4 + 1e-3 * abs(b[key])) for a, b in zip(ours, theirs))
        holds.append(common.figure(f"{name}: {key}, largest difference / (1e-4 + 1e-3 |value|)", worst, 1))
    if kind == "dpo":
        holds.append(common.figure(f"{name}: step 0 loss from ln 2", abs(ours[0]["loss"] - math.log(2)), 1e-4))
    return holds


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=("dpo", "sft"))
    parser.add_argument("case", choices=("tiny", "smollm2", "variants"))
    parser.add_argument("--ranks", type=int, default=1)
    parser.add_argument("--threads", type=int, help="of a rank; the trainer's default when absent")
    parser.add_argument("--theirs", help="folder of the reference's trained weights")
    options = parser.parse_args()
    if options.case == "variants":
        holds = compare_variants(dpo_trl.CASES["tiny"][0], options.ranks, options.threads)
        sys.exit(0 if all(holds) else 1)
    folder = (dpo_trl if options.kind == "dpo" else sft_reference).CASES[options.case][0]
    stored = common.DATA / f"{options.kind}_{options.case}"
    reference = json.loads(stored.with_suffix(".json").read_text(encoding="utf-8"))
    steps, out = train(options.kind, folder, reference, options.ranks, options.threads)
    name = f"{options.kind} {options.case}, {options.ranks} ranks"
    holds = compare_steps(options.kind, name, steps, reference["steps"])
    theirs = options.theirs or (stored.with_suffix(".safetensors") if options.case == "tiny" else None)
    if theirs:
        relative, _ = dpo_trl.update_difference(folder, theirs, out)
        holds.append(common.figure(f"{name}: relative L2 difference of the total update", relative, 1e-2))
    sys.exit(0 if all(holds) else 1)


if __name__ == "__main__":
    main()
