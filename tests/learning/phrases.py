"""How people ask: each task can be said in four ways, and each of them can be read back."""

import re

from truth import LENGTHS, Task

OPENERS = {"letters": ("write letters", "give letters", "letters please", "some letters"),
           "numbers": ("write numbers", "give numbers", "numbers please", "some numbers"),
           "words": ("write words", "give words", "words please", "some words")}
# Three wordings of each demand; {} is its value.
WORDINGS = {"first": ("start {}", "begin {}", "first {}"), "last": ("end {}", "finish {}", "last {}"),
            "has": ("use {}", "include {}", "somewhere {}"), "lacks": ("without {}", "avoid {}", "nowhere {}"),
            "length": ("length {}", "size {}", "count {}"), "order": ("{}",) * 3}
# (wording, order of the demands)
TEMPLATES = ((0, ("first", "last", "middle", "length", "order")), (1, ("length", "order", "first", "middle", "last")),
             (2, ("middle", "length", "first", "last", "order")), (0, ("order", "last", "first", "length", "middle")))
NUMBER_OF = {word: number for number, word in LENGTHS.items()}


def pattern(kind, template):
    """The template's text with a named place for each value."""
    wording, demands = TEMPLATES[template]
    names = [("lacks" if kind == "numbers" else "has") if name == "middle" else name for name in demands]
    clauses = [WORDINGS[name][wording].replace("{}", "{" + demand + "}") for name, demand in zip(names, demands)]
    return " ".join([OPENERS[kind][template], *clauses])


def say(task, template):
    """The prompt of a task in one of the four ways."""
    return pattern(task.kind, template).format(first=task.first, last=task.last, middle=task.middle,
                                               length=LENGTHS[task.length], order=task.order)


READERS = [(kind, re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>\\S+)", pattern(kind, template))))
           for kind in OPENERS for template in range(len(TEMPLATES))]


def read(prompt):
    """The task that a prompt asks for; ValueError when it is not of this language."""
    for kind, reader in READERS:
        match = reader.fullmatch(prompt.strip())
        if match:
            values = match.groupdict()
            return Task(kind, values["first"], values["last"], values["middle"], NUMBER_OF[values["length"]],
                        values["order"])
    raise ValueError(f"not a prompt of the small world: {prompt!r}")


def vocabulary():
    """Every word that a prompt may hold besides the symbols of its values."""
    texts = [pattern(kind, template) for kind in OPENERS for template in range(len(TEMPLATES))]
    return sorted({word for text in texts for word in text.split() if "{" not in word})
