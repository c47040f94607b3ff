#!/usr/bin/env python3
"""The small world itself: its language can be read back, its grades are what they say, its seed data is as configured.

    truth_test.py
"""

import json
import pathlib
import random
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
from intervals import difference, interval  # noqa: E402
from measure import agreement  # noqa: E402
from people import answer, new_task  # noqa: E402
from phrases import TEMPLATES, read, say  # noqa: E402
from programs import rows  # noqa: E402
from seed_data import write_seed_data  # noqa: E402
from tiny_model import words, write_model  # noqa: E402
from truth import Task, checks, grade  # noqa: E402

CONFIG = {"kinds": ["letters", "numbers", "words"], "ift_rows": 300, "ift_quality": 0.75, "eft_rows": 400, "eft_answers": 2,
          "eft_quality": [0.4, 1.0], "eft_noise": 0.1, "eft_justified": 0.5, "evaluation_prompts": 20,
          "evaluation_answers": 4, "test_prompts": 50, "rounds": 2, "prompts_per_round": 60}


class Truth(unittest.TestCase):
    def test_every_demand_is_a_point(self):
        letters = Task("letters", "b", "k", "c", 4, "distinct")
        for text, met in {"b c d k": (1, 1, 1, 1, 1), "c b d k": (0, 1, 1, 1, 1), "b c d c": (1, 0, 1, 1, 0),
                          "b d k": (1, 1, 0, 0, 1), "": (0, 0, 0, 0, 0), "b cat d k": (0, 0, 0, 0, 0)}.items():
            self.assertEqual(checks(letters, text.split()), tuple(map(bool, met)), text)
            self.assertEqual(grade(letters, text), sum(met))
        numbers = Task("numbers", "12", "20", "15", 3, "rising")
        for text, points in {"12 14 20": 5, "12 15 20": 4, "12 20 14": 3, "20 14 12": 2, "13 14 20": 4}.items():
            self.assertEqual(grade(numbers, text), points, text)
        items = Task("words", "cat", "fig", "red", 4, "mixed")
        for text, points in {"cat red cat fig": 5, "cat red blue fig": 4, "red red cat cat": 2, "fig": 2}.items():
            self.assertEqual(grade(items, text), points, text)

    def test_what_is_said_in_any_way_is_read_back_and_can_be_done(self):
        generator, known = random.Random(3), set(words())
        for number in range(2000):
            task = new_task(generator)
            for template in range(len(TEMPLATES)):
                prompt = say(task, template)
                self.assertEqual(read(prompt), task, prompt)
                self.assertLessEqual(set(prompt.split()), known)
            self.assertEqual(grade(task, answer(generator, task, 1.0)), 5, task)
        with self.assertRaises(ValueError):
            read("write a poem")

    def test_people_meet_demands_as_often_as_they_are_told(self):
        generator, met = random.Random(4), [0] * 5
        for number in range(3000):
            task = new_task(generator)
            met = [a + b for a, b in zip(met, checks(task, answer(generator, task, 0.75).split()))]
        for total in met:
            self.assertAlmostEqual(total / 3000, 0.75, delta=0.05)


class SeedData(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="srlm-learning-")
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name)

    def test_no_task_is_in_two_files_and_counts_are_the_configuration_s(self):
        write_seed_data(self.path, CONFIG, 1)
        tasks = {}
        for name, count in {"ift": 300, "eft": 400, "evaluation": 80, "prompts": 120, "test": 50}.items():
            read_rows = rows(self.path / f"{name}.jsonl")
            self.assertEqual(len(read_rows), count, name)
            tasks[name] = {read(row["prompt"]) for row in read_rows}
        self.assertEqual(len(tasks["prompts"]), 120)
        self.assertEqual(sum(map(len, tasks.values())), len(set.union(*tasks.values())))

    def test_grades_of_people_are_as_noisy_as_configured_and_others_are_true(self):
        write_seed_data(self.path, CONFIG | {"eft_rows": 2000}, 2)
        eft = rows(self.path / "eft.jsonl")
        justified = [row for row in eft if row["justification"]]
        self.assertAlmostEqual(len(justified) / len(eft), 0.5, delta=0.05)
        wrong = 0
        for row in justified:
            marks = [word == "yes" for word in row["justification"].split()]
            self.assertEqual(sum(marks), row["score"])
            wrong += sum(mark != met for mark, met in zip(marks, checks(read(row["prompt"]), row["response"].split())))
        self.assertAlmostEqual(wrong / (5 * len(justified)), 0.1, delta=0.02)
        for row in rows(self.path / "evaluation.jsonl"):
            self.assertEqual(row["score"], grade(read(row["prompt"]), row["response"]))

    def test_the_seed_is_an_argument(self):
        for name, seed in {"a": 1, "b": 1, "c": 2}.items():
            write_seed_data(self.path / name, CONFIG, seed)
            write_model(self.path / name, {"hidden": 16, "intermediate": 32, "layers": 1, "heads": 2}, seed)
        for file in ("ift.jsonl", "eft.jsonl", "prompts.jsonl", "model.safetensors"):
            first, again, other = [(self.path / name / file).read_bytes() for name in "abc"]
            self.assertEqual(first, again, file)
            self.assertNotEqual(first, other, file)

    def test_the_tokenizer_has_an_id_for_every_word(self):
        write_model(self.path, {"hidden": 16, "intermediate": 32, "layers": 1, "heads": 2}, 1)
        vocabulary = json.loads((self.path / "tokenizer.json").read_text())["model"]["vocab"]
        self.assertEqual(sorted(vocabulary.values()), list(range(len(vocabulary))))
        self.assertEqual(json.loads((self.path / "config.json").read_text())["vocab_size"], len(vocabulary))


class Figures(unittest.TestCase):
    def test_agreement_counts_pairs_whose_grades_differ(self):
        judged = [("a", 3.0, 5), ("a", 2.0, 4), ("a", 2.0, 4), ("b", 1.0, 2), ("b", 1.0, 3), ("c", 1, 1)]
        self.assertEqual(agreement(judged), {"a": (2.0, 2), "b": (0.5, 1)})

    def test_intervals_hold_the_mean_and_differences_are_paired(self):
        generator = random.Random(5)
        before = {key: (generator.random() < 0.4, 1) for key in range(400)}
        after = {key: (max(hit, generator.random() < 0.2), 1) for key, (hit, _) in before.items()}
        one, gain = interval(before.values()), difference(before, after)
        self.assertLess(one["low"], one["value"])
        self.assertLess(one["value"], one["high"])
        self.assertAlmostEqual(one["high"] - one["low"], 2 * 1.96 * (0.24 / 400)**0.5, delta=0.02)
        self.assertGreater(gain["low"], 0)
        self.assertLess(gain["high"] - gain["low"], one["high"] - one["low"])  # the same prompts, drawn together
        self.assertEqual(interval([])["value"], None)


if __name__ == "__main__":
    unittest.main()
