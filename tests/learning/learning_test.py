#!/usr/bin/env python3
"""A short round of the small world: M1 learns from people to answer and to judge, and M2 from M1's own judgement, from
true scores, and from the ordinary programs alone.

    learning_test.py BIN_FOLDER
"""

import json
import os
import pathlib
import sys
import tempfile
import unittest
import xml.dom.minidom

sys.dont_write_bytecode = True
import yaml  # noqa: E402
from experiment import HERE, Experiment, OtherSettings  # noqa: E402
from learn import table  # noqa: E402
from phrases import read  # noqa: E402
from plot import draw  # noqa: E402
from programs import Programs, rows  # noqa: E402
from results import aims, summarise  # noqa: E402
from truth import grade  # noqa: E402

BIN = ""  # set by main
ARMS = ("own", "random", "true")
SETTINGS = ["sft.epochs=5"]


class ShortRound(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="srlm-learning-")
        cls.addClassCleanup(folder.cleanup)
        cls.path = pathlib.Path(folder.name)
        world = yaml.safe_load((HERE / "short.yaml").read_text(encoding="utf-8"))
        world["data"] |= {"rounds": 1, "prompts_per_round": 400}
        cls.programs = Programs(BIN)
        cls.experiment = Experiment(cls.programs, cls.path / "seed-1", 1, world, SETTINGS)
        cls.experiment.prepare()
        cls.experiment.first_model()
        for arm in ARMS:
            cls.experiment.arm(arm)
        cls.summary = summarise([cls.experiment], world["data"]["rounds"], ARMS)

    def inspect(self, arm, table):
        text = self.programs.output("srlm", "inspect", self.experiment.folder / arm, table, "--json")
        return [json.loads(line) for line in text.splitlines()]

    def test_people_teach_answering_and_judging(self):
        first = self.summary["models"]["M1"]
        self.assertGreater(first["greedy_grade"]["low"], 3.0)  # a random model's is 0
        self.assertGreater(first["judge"]["low"], 0.5)         # a random judge's

    def test_its_own_judgement_chooses_better_answers_more_often_than_worse_ones(self):
        right = wrong = 0
        for row in self.inspect("own", "pairs"):
            if row["outcome"] != "paired":
                continue
            task = read(row["prompt"])
            chosen, rejected = grade(task, row["chosen"]), grade(task, row["rejected"])
            right, wrong = right + (chosen > rejected), wrong + (chosen < rejected)
        self.assertGreater(right, 100)
        self.assertGreater(right, 1.5 * wrong)

    def test_true_scores_are_those_of_the_program_and_make_the_pairs(self):
        candidates = {(row["prompt_id"], row["sample"]): row for row in self.inspect("true", "candidates")}
        prompts = {row["prompt_id"]: read(row["prompt"]) for row in self.inspect("true", "prompts")}
        scored = [row for row in candidates.values() if row["score"] is not None]
        self.assertGreater(len(scored), 1000)
        for row in scored:
            self.assertEqual(row["score"], grade(prompts[row["prompt_id"]], row["text"]), row)
        for row in self.inspect("true", "pairs"):
            if row["outcome"] == "paired":
                self.assertGreater(row["chosen_score"], row["rejected_score"])

    def test_a_round_makes_answers_better(self):
        for arm in ("own", "true"):
            self.assertGreater(self.summary["gains"][arm]["exact"]["value"], 0, arm)
        self.assertLess(self.summary["gains"]["random"]["exact"]["low"], 0)  # random scores teach nothing
        self.assertGreater(self.summary["gains"]["own"]["grade"]["low"], 0)

    def test_arms_begin_with_the_very_m1_that_was_trained_once(self):
        weights = {name: (self.experiment.folder / name / "models/M1/model.safetensors").read_bytes()
                   for name in ("m1", *ARMS)}
        for arm in ARMS:
            self.assertEqual(weights["m1"], weights[arm])
        self.assertEqual(rows(self.experiment.folder / "own/jobs/sft/log.jsonl")[-1]["steps"], 0)

    def test_what_is_done_is_not_done_again(self):
        files = {path: path.stat().st_mtime_ns for path in self.experiment.folder.rglob("*") if path.is_file()}
        again = Experiment(self.programs, self.experiment.folder, 1, self.experiment.world, SETTINGS)
        again.prepare()
        again.first_model()
        for arm in ARMS:
            again.arm(arm)
        self.assertEqual(files, {path: path.stat().st_mtime_ns for path in again.folder.rglob("*") if path.is_file()})

    def test_the_plot_and_the_aims_are_made_of_it(self):
        image = xml.dom.minidom.parseString(draw(self.summary, "a short round"))
        self.assertEqual(len(image.getElementsByTagName("circle")), 3 * len(ARMS) * 2)  # panels, arms, models
        self.assertEqual(len(aims(self.summary)), 8)
        self.assertIn(f"| {self.summary['rounds'][1]['own'][0]['pairs']} (", table(self.summary))

    def test_a_folder_of_other_settings_is_refused(self):
        other = Experiment(self.programs, self.experiment.folder, 1, self.experiment.world, [*SETTINGS, "dpo.beta=0.2"])
        self.assertRaisesRegex(OtherSettings, "was made with other settings", other.prepare)

    def test_the_models_own_judgement_asks_no_program(self):
        self.assertTrue((self.experiment.folder / "true/judgements").is_dir())
        self.assertFalse((self.experiment.folder / "own/judgements").exists())


if __name__ == "__main__":
    BIN = os.path.abspath(sys.argv.pop(1))
    unittest.main()
