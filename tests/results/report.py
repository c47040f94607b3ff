#!/usr/bin/env python3
"""What a run of tests/results/run.sh measured, as a section of a page.

    report.py FOLDER SIZE MODEL PAGE

The section stands in PAGE between two marks, and takes the place of an earlier one; the rest of the page stays.
"""

import datetime
import json
import os
import pathlib
import random
import subprocess
import sys

BEGIN, END = "<!-- real model: begin, written by tests/results/report.py -->", "<!-- real model: end -->"
JUDGE_ROWS = [
    ("pairwise accuracy", "pairwise_accuracy"),
    ("pairwise accuracy, matched length", "pairwise_accuracy_length_matched"),
    ("\"longer wins\"", "longer_wins"),
    ("\"longer wins\", matched length", "longer_wins_length_matched"),
    ("exact match", "exact_match"),
    ("5-best", "five_best"),
    ("Spearman", "spearman"),
    ("Kendall", "kendall"),
    ("correlation of score and length", "length_correlation"),
]
HEAD_TO_HEAD = {"win": "win", "tie": "tie", "lose": "lose", "win_rate": "win rate",
                "win_rate_length_matched": "win rate, matched length",
                "win_rate_length_controlled": "win rate, length-controlled", "preference": "preference",
                "flipped": "other verdict in the other order", "prefers_first": "prefers the first",
                "longer_wins": "the longer wins"}
MODELS = ["M0", "M1", "M2", "M3"]
PAIRS = [("M1", "M0"), ("M2", "M1"), ("M3", "M2")]


def figure(value, digits=3):
    """A figure with its interval and n; plain numbers as they are."""
    if value is None:
        return "-"
    if not isinstance(value, dict):
        return f"{value:.{digits}f}" if isinstance(value, float) else str(value)
    if value["value"] is None:
        return "-"
    return f"{value['value']:.{digits}f} [{value['low']:.{digits}f}, {value['high']:.{digits}f}] n {value['n']}"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows])


def standard_error(value):
    """Of a figure with a 95 % interval."""
    return (value["high"] - value["low"]) / (2 * 1.96)


def aim(models):
    """Whether EFT lifted the judge over M0 by two standard errors on pairs of matched length."""
    lift = models[1]["judge_gain"]["pairwise_accuracy_length_matched"]
    if lift["value"] is None:
        return "The aim cannot be told: no pair of matched length was measured."
    error = standard_error(lift)
    reached = "reached" if error > 0 and lift["value"] >= 2 * error else "not reached"
    return (f"Aim, a lift of M1 over M0 of two standard errors on pairs of matched length: {reached}. The lift is "
            f"{lift['value']:+.3f}, its standard error {error:.3f} (both judges on the same draws of prompts).")


def judge_section(models):
    rows = [[name] + [figure(model["judge"].get(key)) for model in models] for name, key in JUDGE_ROWS]
    for name, key in JUDGE_ROWS[:2]:
        rows.append([f"{name}: over M0's"] + [figure(model.get("judge_gain", {}).get(key)) for model in models])
    return table(["judge, on people's ranking"] + MODELS, rows) + "\n\n" + aim(models)


def answer_section(models):
    rows = []
    for name, key in (("characters an answer", "characters"), ("tokens an answer", "tokens"),
                      ("distinct-1", "distinct_1"), ("distinct-2", "distinct_2"), ("answers cut at 128 tokens", "cut")):
        digits = 0 if key in ("characters", "tokens") else 3
        rows.append([name] + [figure(model["answers"].get(key), digits) for model in models])
    return table(["answers"] + MODELS, rows)


def bootstrap(rows, value):
    """value(rows), and its 95 % interval over draws of whole rows (a row is a prompt)."""
    draw = random.Random(1)
    values = sorted(value(draw.choices(rows, k=len(rows))) for _ in range(1000))
    return {"value": value(rows), "low": values[25], "high": values[974], "n": len(rows)}


def likelihoods(folder):
    """Model -> prompt -> (log-probability, tokens) of the answer that people liked best."""
    models = {}
    for name in MODELS:
        rows = [json.loads(line) for line in (folder / f"logprobs-{name}.jsonl").read_text().splitlines()]
        models[name] = {row["id"]: (row["logprob"], len(row["token_ids"])) for row in rows if "error" not in row}
    return models


def likelihood_section(folder):
    models = likelihoods(folder)
    mean = lambda rows: sum(logprob for logprob, _ in rows) / sum(tokens for _, tokens in rows)  # noqa: E731
    text = table(["people's best answers"] + MODELS,
                 [["log-probability a token"] + [figure(bootstrap(list(models[name].values()), mean)) for name in MODELS]])
    rows = []
    for a, b in PAIRS:
        signs = [(models[a][key][0] > models[b][key][0]) - (models[a][key][0] < models[b][key][0])
                 for key in models[a].keys() & models[b].keys()]
        shares = [bootstrap(sorted(signs), lambda drawn, sign=sign: drawn.count(sign) / len(drawn)) for sign in (1, 0, -1)]
        rows.append([f"{a} against {b}"] + [figure(share) for share in shares])
    return text + "\n\n" + table(["head to head by likelihood of people's best answers", "win", "tie", "lose"], rows)


def compare_section(folder):
    rows = []
    for a, b in PAIRS:
        head = json.loads((folder / f"compare-{a}-{b}.json").read_text())["head_to_head"]
        rows.append([f"{a} against {b}"] + [figure(head[key]) for key in HEAD_TO_HEAD])
    return table(["head to head, judged by M3 in both orders", *HEAD_TO_HEAD.values()], rows) + (
        "\n\nWith so few comparisons a difference within these intervals cannot be seen.")


def health_section(folder):
    rounds = [json.loads(line) for line in (folder / "rounds.jsonl").read_text().splitlines()]
    keys = ["model", "prompts", "new_prompts", "candidates", "votes", "parse_rate", "unscored", "failed_items",
            "mean_score", "mean_length", "pairs", "ties", "first_loss", "loss", "margin", "accuracy"]
    keys = [key for key in keys if any(row.get(key) is not None for row in rounds)]
    names = sorted({name for row in rounds for name in row["health"]})
    return table([key.replace("_", " ") for key in keys], [[figure(row.get(key)) for key in keys] for row in rounds]) + (
        "\n\n") + table(["health"] + [row["model"] for row in rounds],
                        [[name.replace("_", " ")] + [figure(row["health"].get(name)) for row in rounds] for name in names])


def data_section(folder):
    prepared = json.loads((folder / "prepared/report.json").read_text())
    eft = prepared["eft"]
    counts = {name: len((folder / "data" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines())
              for name in ("ift_part", "eft", "prompts", "compared", "evaluation", "held_out")}
    return (f"Seed data (`srlm prepare`): {counts['ift_part']} rows of IFT, {counts['eft']} of EFT on {eft['prompts']} "
            f"prompts, scores 0 to 5: {eft['scores']}, origin `{eft['origin']}` ({eft['probe_parsed']} of "
            f"{eft['probe_judgements']} trial judgements of the model had a score). {counts['prompts']} prompts for the "
            f"rounds, {counts['compared']} to compare answers on, {counts['evaluation']} ranked answers and "
            f"{counts['held_out']} best answers of the evaluation part to measure on; no prompt is in two of these.")


def steps_section(folder):
    rows = [line.split("\t") for line in (folder / "steps.tsv").read_text().splitlines()]
    text = table(["step", "seconds", "command"], [[name, seconds, f"`{command}`"] for name, seconds, command in rows])
    for name, path in (("$SRLM_RESULTS", str(folder)), ("$SRLM_SHARED", os.environ.get("SRLM_SHARED", "../shared"))):
        text = text.replace(path, name)
    return text


def section(folder, size, model):
    models = json.loads((folder / "evaluate.json").read_text())["models"]
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], text=True, capture_output=True).stdout.strip()
    seed = json.loads((folder / "prepared/report.json").read_text())["seed"]
    day = datetime.date.today().isoformat()
    return "\n\n".join([
        f"## The real 135M model on real data\n{model} (M0) on Open Assistant's ranked answers; size "
        f"`{size}`, seed {seed}, {day}, commit {commit or '?'}. Figures are with 95 % intervals clustered by prompt and n. "
        "Once more: `make results`.",
        data_section(folder), judge_section(models), likelihood_section(folder), compare_section(folder),
        answer_section(models), "Rounds:\n\n" + health_section(folder), steps_section(folder)])


def main():
    folder, size, model, page = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3], pathlib.Path(sys.argv[4])
    text = page.read_text(encoding="utf-8") if page.exists() else "# Results\n"
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    text = before.rstrip() + f"\n\n{BEGIN}\n{section(folder, size, model)}\n{END}\n" + after.lstrip("\n")
    page.write_text(text.replace(str(pathlib.Path.home()), "~"), encoding="utf-8")


if __name__ == "__main__":
    main()
