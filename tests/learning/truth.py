"""The truth of the small world: what a prompt asks for, and how many of its five points an answer earns.

Three kinds of tasks, each a row of symbols with five demands on it. To check a demand is to look at the row; to meet
all five at once is to plan it. Nothing here is ever called inside the loop of a model that judges itself.
"""

import dataclasses

GROUPS = {"animal": ["cat", "dog", "fox", "owl"], "colour": ["red", "blue", "green", "pink"],
          "fruit": ["fig", "pear", "plum", "lime"]}
GROUP_OF = {word: group for group, words in GROUPS.items() for word in words}
ALPHABETS = {"letters": list("abcdefghijkl"), "numbers": [str(number) for number in range(11, 29)],
             "words": list(GROUP_OF)}
LENGTHS = {3: "three", 4: "four", 5: "five", 6: "six"}
ORDERS = {"letters": ("distinct", "repeat"), "numbers": ("rising", "falling"), "words": ("mixed", "paired")}
POINTS = 5


@dataclasses.dataclass(frozen=True)
class Task:
    """`first` and `last` are symbols; `middle` must be in the answer, of numbers it must not. `order`: letters that are
    all distinct or have a repeat, numbers rising or falling, words of mixed groups (no neighbours of one) or paired
    ones (some neighbours of one)."""
    kind: str
    first: str
    last: str
    middle: str
    length: int
    order: str


def in_order(order, row):
    if order == "distinct":
        return len(set(row)) == len(row)
    if order == "repeat":
        return len(set(row)) < len(row)
    if order in ("mixed", "paired"):
        groups = [GROUP_OF[word] for word in row]
        return any(a == b for a, b in zip(groups, groups[1:])) == (order == "paired")
    ranks = [int(symbol) for symbol in row]
    steps = list(zip(ranks, ranks[1:]))
    return all(a < b for a, b in steps) if order == "rising" else all(a > b for a, b in steps)


def checks(task, row):
    """Which of the five demands a row of symbols meets; none when it is empty or has a symbol of another kind."""
    if not row or not set(row) <= set(ALPHABETS[task.kind]):
        return (False,) * POINTS
    return (row[0] == task.first, row[-1] == task.last, (task.middle in row) != (task.kind == "numbers"),
            len(row) == task.length, in_order(task.order, row))


def grade(task, answer):
    """Points of an answer's text, 0 to 5."""
    return sum(checks(task, answer.split()))
