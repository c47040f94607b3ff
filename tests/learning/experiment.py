"""One seed of the small world: its files, its M1, and its arms, each an ordinary run of `srlm`. What is done stays
done: an interrupted experiment goes on where it was."""

import json
import os
import pathlib
import resource
import shutil
import sys
import time

from measure import Measured
from programs import rows
from seed_data import write_seed_data
from tiny_model import write_model

HERE = pathlib.Path(__file__).resolve().parent
ARMS = ("own", "random", "true")


def computed_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class OtherSettings(RuntimeError):
    """What is done in a folder was done with other settings."""


def write_whole(path, text):
    """The file appears with all of its text."""
    unfinished = path.with_name(path.name + ".tmp")
    unfinished.write_text(text, encoding="utf-8")
    os.replace(unfinished, path)


class Experiment:
    """A seed's folder. `world`: what world.yaml says; `settings`: further `--set` of every run."""

    def __init__(self, programs, folder, seed, world, settings=()):
        self.programs = programs
        self.folder = pathlib.Path(folder)
        self.seed = seed
        self.world = world
        self.settings = [*world.get("settings", []), *settings]

    def prepare(self):
        """The seed's files and M0, whole or not at all. A folder that was made with other settings is refused."""
        asked = json.dumps({"world": self.world, "settings": self.settings, "seed": self.seed} |
                           {name: (HERE / name).read_text(encoding="utf-8") for name in ("run.yaml", "judge.txt")},
                           sort_keys=True)
        known = self.folder / "asked.json"
        if (self.folder / "world").exists():
            if not known.exists() or known.read_text(encoding="utf-8") != asked:
                raise OtherSettings(f"{self.folder} was made with other settings: name another folder, or remove it")
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        write_whole(known, asked)
        unfinished = self.folder / "world.tmp"
        shutil.rmtree(unfinished, ignore_errors=True)
        write_seed_data(unfinished, self.world["data"], self.seed)
        write_model(unfinished / "M0", self.world["model"], self.seed)
        os.replace(unfinished, self.folder / "world")

    def run(self, name, model, *settings):
        """`srlm run` to its end; adds what it cost to cost.json beside the run."""
        data = self.folder / "world"
        pairs = [f"seed={self.seed}", f"model={model}", f"prompts.per_round={self.world['data']['prompts_per_round']}",
                 *(f"data.{key}={data}/{key}.jsonl" for key in ("ift", "eft", "prompts")), *self.settings, *settings]
        begin, begin_computed = time.monotonic(), computed_seconds()
        try:
            self.programs.run("srlm", "run", HERE / "run.yaml", "--run-dir", self.folder / name,
                              *(word for pair in pairs for word in ("--set", pair)), show=True)
        finally:
            self.add_cost(name, time.monotonic() - begin, computed_seconds() - begin_computed)

    def add_cost(self, name, seconds, computed):
        path = self.folder / f"{name}.cost.json"
        cost = json.loads(path.read_text()) if path.exists() else {"seconds": 0, "computed_seconds": 0}
        write_whole(path, json.dumps({"seconds": cost["seconds"] + seconds,
                                      "computed_seconds": cost["computed_seconds"] + computed}) + "\n")

    def first_model(self):
        """M1: supervised fine-tuning of M0 on what people wrote. Its folder."""
        model = self.folder / "m1" / "models" / "M1"
        if not self.measured("M1").exists():
            self.run("m1", self.folder / "world" / "M0", "run.iterations=0")
            self.measure("M1", model)
        return model

    def arm(self, name):
        """The rounds of an arm from M1."""
        rounds = self.world["data"]["rounds"]
        models = [f"M{number}" for number in range(2, rounds + 2)]
        if all(self.measured(f"{name}-{model}").exists() for model in models):
            return
        verdict = []
        if name != "own":  # the model's own judgement is the configuration's
            program = [sys.executable, str(HERE / "scorer.py"), name] + [str(self.seed)] * (name == "random")
            verdict = ["judge.verdict=program", f"judge.program={json.dumps(program)}"]
        self.run(name, self.first_model(), f"run.iterations={rounds}", "sft.epochs=0", *verdict)
        write_whole(self.folder / f"{name}.rounds.json", json.dumps(self.rounds(name)) + "\n")
        for model in models:
            self.measure(f"{name}-{model}", self.folder / name / "models" / model)

    def rounds(self, name):
        """[{"pairs", "steps"}] of each round of a run: its pairs, and the steps that trained on them."""
        text = self.programs.output("srlm", "inspect", self.folder / name, "rounds", "--json")
        return [{"pairs": row["pairs"], "steps": self.log(name, f"dpo-{row['round']}")[-1]["steps"]}
                for row in map(json.loads, text.splitlines()) if row["round"] > 0]

    def log(self, name, job):
        """Rows that a training job of a run has logged."""
        return rows(self.folder / name / "jobs" / job / "log.jsonl")

    def measured(self, label):
        return self.folder / "measured" / f"{label}.json"

    def measure(self, label, model):
        """Writes the figures of a model and the sums by prompt that they are made of."""
        if self.measured(label).exists():
            return
        measured = Measured(self.programs, model, self.folder / "world", HERE / "judge.txt", self.folder / "measured",
                            label, self.seed)
        write_whole(self.measured(label), json.dumps({"figures": measured.figures(), "groups": measured.groups}) + "\n")

    def result(self, label):
        return json.loads(self.measured(label).read_text(encoding="utf-8"))

    def kept(self, name):
        """What a file beside the runs holds, None when there is none."""
        path = self.folder / f"{name}.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
