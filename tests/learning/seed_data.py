"""Writes the files of one seed: what people wrote (IFT), how they graded (EFT), the prompts of the rounds, and what the
models are measured on. No task is in two of them, in whatever words."""

import json
import pathlib
import random

from people import answer, new_task
from phrases import TEMPLATES, say
from truth import checks, grade

TRIES = 10000  # at a task that was not drawn before


def new_tasks(generator, kinds, count):
    """Tasks that are all different, in a random order: those that are drawn first are the frequent ones."""
    drawn = {}  # in the order of drawing
    for _ in range(count):
        for _ in range(TRIES):
            task = new_task(generator, kinds)
            if task not in drawn:
                break
        else:
            raise ValueError(f"{len(drawn)} tasks are drawn, and none is left of {kinds}: ask for fewer rows")
        drawn[task] = None
    tasks = list(drawn)
    generator.shuffle(tasks)
    return tasks


class Tasks:
    """Deals tasks once each."""

    def __init__(self, generator, kinds, count):
        self.generator = generator
        self.left = iter(new_tasks(generator, kinds, count))

    def prompt(self):
        """(task, its prompt) of the next task."""
        task = next(self.left)
        return task, say(task, self.generator.randrange(len(TEMPLATES)))


def seen(generator, task, text, noise):
    """Which demands a person finds met in an answer: each is misread with probability `noise`."""
    return [met != (generator.random() < noise) for met in checks(task, text.split())]


def write_rows(path, rows):
    pathlib.Path(path).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def ift_rows(tasks, config):
    for _ in range(config["ift_rows"]):
        task, prompt = tasks.prompt()
        yield {"prompt": prompt, "completion": answer(tasks.generator, task, config["ift_quality"])}


def eft_rows(tasks, config):
    low, high = config["eft_quality"]
    answers = config["eft_answers"]
    for _ in range(config["eft_rows"] // answers):
        task, prompt = tasks.prompt()
        for _ in range(answers):
            text = answer(tasks.generator, task, tasks.generator.uniform(low, high))
            marks = seen(tasks.generator, task, text, config["eft_noise"])
            justified = tasks.generator.random() < config["eft_justified"]
            justification = " ".join("yes" if mark else "no" for mark in marks) if justified else ""
            yield {"prompt": prompt, "response": text, "justification": justification, "score": sum(marks)}


def evaluation_rows(tasks, config):
    low, high = config["eft_quality"]
    for number in range(config["evaluation_prompts"]):
        task, prompt = tasks.prompt()
        for index in range(config["evaluation_answers"]):
            text = answer(tasks.generator, task, tasks.generator.uniform(low, high))
            yield {"prompt_id": f"e{number}", "prompt": prompt, "response_id": f"e{number}-{index}", "response": text,
                   "score": grade(task, text)}


def write_seed_data(folder, config, seed):
    """ift.jsonl, eft.jsonl, evaluation.jsonl, prompts.jsonl and test.jsonl in a folder."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    count = (config["test_prompts"] + config["evaluation_prompts"] + config["rounds"] * config["prompts_per_round"] +
             config["ift_rows"] + config["eft_rows"] // config["eft_answers"])
    tasks = Tasks(random.Random(seed), config["kinds"], count)
    write_rows(folder / "test.jsonl", ({"prompt_id": f"t{number}", "prompt": tasks.prompt()[1]}
                                       for number in range(config["test_prompts"])))
    write_rows(folder / "evaluation.jsonl", evaluation_rows(tasks, config))
    write_rows(folder / "prompts.jsonl", ({"prompt_id": f"p{number}", "prompt": tasks.prompt()[1]}
                                          for number in range(config["rounds"] * config["prompts_per_round"])))
    write_rows(folder / "ift.jsonl", ift_rows(tasks, config))
    write_rows(folder / "eft.jsonl", eft_rows(tasks, config))
