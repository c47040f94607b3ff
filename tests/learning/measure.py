"""How well a model answers the test prompts, and how well it judges: people's answers, and its own."""

import collections
import itertools

from intervals import interval
from phrases import read
from programs import rows
from truth import POINTS, grade

SAMPLES = 4  # of a test prompt


def graded(prompts, answers):
    """[(prompt_id, prompt, text, grade)] of generated rows."""
    texts = {row["prompt_id"]: row["prompt"] for row in prompts}
    tasks = {prompt_id: read(prompt) for prompt_id, prompt in texts.items()}
    return [(row["prompt_id"], texts[row["prompt_id"]], row["text"], grade(tasks[row["prompt_id"]], row["text"]))
            for row in answers]


def sums(keyed_values):
    """{key: (total, count)}."""
    totals = collections.defaultdict(lambda: (0, 0))
    for key, value in keyed_values:
        totals[key] = (totals[key][0] + value, totals[key][1] + 1)
    return dict(totals)


def agreement(judged):
    """{prompt_id: (pairs in the truth's order, pairs)} of [(prompt_id, score, grade)]; the judge's tie counts half."""
    groups = collections.defaultdict(list)
    for prompt_id, score, points in judged:
        groups[prompt_id].append((score, points))
    pairs = []
    for prompt_id, answers in groups.items():
        for (score, points), (other, other_points) in itertools.combinations(answers, 2):
            if points != other_points:
                right = 0.5 if score == other else float((score > other) == (points > other_points))
                pairs.append((prompt_id, right))
    return sums(pairs)


class Measured:
    """A model's answers and judgements on the test prompts and the evaluation set of a seed's folder; files go to
    `folder`/`label`. M1 is measured first: all judge its samples."""

    def __init__(self, programs, model, data, template, folder, label, seed, temperature=1.0):
        out = folder / label
        out.mkdir(parents=True, exist_ok=True)
        prompts = rows(data / "test.jsonl")
        sampled = graded(prompts, programs.answers(model, data / "test.jsonl", out / "sampled.jsonl", SAMPLES, seed,
                                                   temperature))
        greedy = graded(prompts, programs.answers(model, data / "test.jsonl", out / "greedy.jsonl", 1, seed, 0))
        people = rows(data / "evaluation.jsonl")
        people_scores = programs.scores(model, [(row["prompt"], row["response"]) for row in people], template,
                                        out / "people_scores.jsonl")
        own_scores = programs.scores(model, [(prompt, text) for _, prompt, text, _ in sampled], template,
                                     out / "own_scores.jsonl")
        first = graded(prompts, rows(folder / "M1" / "sampled.jsonl"))
        first_scores = programs.scores(model, [(prompt, text) for _, prompt, text, _ in first], template,
                                       out / "first_scores.jsonl")
        self.groups = {
            "exact": sums((key, points == POINTS) for key, _, _, points in sampled),
            "grade": sums((key, points) for key, _, _, points in sampled),
            "greedy_exact": sums((key, points == POINTS) for key, _, _, points in greedy),
            "greedy_grade": sums((key, points) for key, _, _, points in greedy),
            "judge": agreement((row["prompt_id"], score, row["score"]) for row, score in zip(people, people_scores)),
            "judge_m1": agreement((key, score, points) for (key, _, _, points), score in zip(first, first_scores)),
            "judge_own": agreement((key, score, points)
                                   for (key, _, _, points), score in zip(sampled, own_scores))}
        self.kinds = {kind: interval(sums((key, points == POINTS) for key, prompt, _, points in sampled
                                          if read(prompt).kind == kind).values())
                      for kind in sorted({read(row["prompt"]).kind for row in prompts})}
        self.lengths = sum(len(text.split()) for _, _, text, _ in sampled) / len(sampled)

    def figures(self):
        """{name: {"value", "n", "low", "high"}}, and the exact rate of each kind of task."""
        return {name: interval(groups.values()) for name, groups in self.groups.items()} | {
            "kinds": self.kinds, "mean_length": self.lengths}
