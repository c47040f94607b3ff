#!/usr/bin/env python3
"""Whether rounds of self-reward teach a model: the small world, its arms and seeds, measured.

    learn.py BIN_FOLDER OUT [--seeds 11,12,13] [--arms own,random,true] [--docs FOLDER] [--set key=value]...

Goes on where it stopped. Writes OUT/results.json, results.md and learning.svg; with --docs, the plot and the figures as
learning.svg and learning.json there too.
"""

import argparse
import json
import pathlib
import sys
import time

sys.dont_write_bytecode = True
import yaml  # noqa: E402
from experiment import ARMS, Experiment, OtherSettings  # noqa: E402
from plot import draw  # noqa: E402
from programs import ProgramFailed, Programs  # noqa: E402
from results import GAINS, MEASURES, aims, summarise  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("bin_folder")
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--seeds", default="11,12,13")  # seeds below 10 were for choosing the settings
    parser.add_argument("--arms", default=",".join(ARMS))
    parser.add_argument("--world", type=pathlib.Path, default=HERE / "world.yaml")
    parser.add_argument("--docs", type=pathlib.Path)
    parser.add_argument("--set", action="append", default=[], dest="settings")
    return parser.parse_args()


def cell(value, measure):
    if value["value"] is None:
        return "-"
    scale, form = (1, "{:.2f}") if "grade" in measure else (100, "{:.1f}")
    return f"{form} [{form}, {form}]".format(*(scale * value[key] for key in ("value", "low", "high")))


def table(summary):
    """The figures as a Markdown table, and each aim with whether it holds."""
    lines = ["| model | " + " | ".join(name.replace("_", " ") for name in MEASURES) + " |",
             "|---" * (len(MEASURES) + 1) + "|"]
    for name, figures in summary["models"].items():
        lines.append(f"| {name} | " + " | ".join(cell(figures[measure], measure) for measure in MEASURES) + " |")
    for title, by_arm in (("last - M1", summary["gains"]), ("the same over seeds", summary["gains_over_seeds"])):
        for arm, gains in by_arm.items():
            cells = [cell(gains[measure], measure) if measure in gains else "" for measure in MEASURES]
            lines += [f"| {arm}: {title} | " + " | ".join(cells) + " |"] * bool(gains)
    lines += ["", "| seed | M1's training: mean loss of the last four eighths | " +
              " | ".join(f"{arm}: pairs (steps) a round" for arm in summary["gains"]) + " | exact: " +
              ", ".join(summary["models"]) + " |", "|---" * (len(summary["gains"]) + 3) + "|"]
    for seed, arms in summary["rounds"].items():
        of_arms = [", ".join(f"{row['pairs']} ({row['steps']})" for row in arms[arm]) for arm in summary["gains"]]
        exact = ", ".join(f"{100 * figures['exact']:.1f}" for figures in summary["seeds"][seed].values())
        losses = ", ".join(f"{loss:.3f}" for loss in summary["first_losses"][seed])
        lines.append(f"| {seed} | {losses} | " + " | ".join(of_arms) + f" | {exact} |")
    lines.append("")
    lines += [f"- {'holds' if holds else 'does not hold'}: {what}" for what, holds in aims(summary)]
    if "share" in summary:
        share = "{value:.2f} [{low:.2f}, {high:.2f}]".format(**summary["share"])
        lines.append(f"- (own - random) / (true - random) of exact answers: {share}")
    return "\n".join(lines) + "\n"


def main():
    options = arguments()
    world = yaml.safe_load(options.world.read_text(encoding="utf-8"))
    seeds, arms = [int(seed) for seed in options.seeds.split(",")], options.arms.split(",")
    programs = Programs(options.bin_folder)
    experiments = [Experiment(programs, options.out / f"seed-{seed}", seed, world, options.settings) for seed in seeds]
    for experiment in experiments:
        experiment.prepare()
        experiment.first_model()
        for arm in arms:
            experiment.arm(arm)
    summary = summarise(experiments, world["data"]["rounds"], arms) | {
        "date": time.strftime("%Y-%m-%d", time.gmtime()), "world": world,
        "settings": options.settings}
    note = f"{summary['date']}, seeds {options.seeds}; bars: 95 % over prompts, given these trainings"
    written = {"results.json": json.dumps(summary, indent=1) + "\n", "results.md": table(summary),
               "learning.svg": draw(summary, note)}
    for name, content in written.items():
        (options.out / name).write_text(content, encoding="utf-8")
    if options.docs:
        (options.docs / "learning.svg").write_text(written["learning.svg"], encoding="utf-8")
        (options.docs / "learning.json").write_text(written["results.json"], encoding="utf-8")
    print(written["results.md"])
    return 0 if all(holds for _, holds in aims(summary)) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (OtherSettings, ProgramFailed) as error:
        sys.exit(f"learn.py: {error}")
