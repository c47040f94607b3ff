"""The people of the small world: they think of tasks, and answer them as well as they are told to."""

from truth import ALPHABETS, ORDERS, Task, checks, in_order

TRIES = 400


def ordered_row(random, kind, order, length):
    """A random row of a kind that is in the given order."""
    alphabet = ALPHABETS[kind]
    if order == "repeat":
        row = random.sample(alphabet, length - 1)
        row.insert(random.randrange(length), random.choice(row))
        return row
    if order in ("mixed", "paired"):
        while True:
            row = [random.choice(alphabet) for _ in range(length)]
            if in_order(order, row):
                return row
    row = random.sample(alphabet, length)
    if order in ("rising", "falling"):
        row.sort(key=int, reverse=order == "falling")
    return row


def new_task(random, kinds=tuple(ALPHABETS)):
    """A task that can be done: its demands are read off an answer."""
    kind = random.choice(kinds)
    order, length = random.choice(ORDERS[kind]), random.randint(3, 6)
    row = ordered_row(random, kind, order, length)
    if kind == "numbers":
        middle = random.choice([symbol for symbol in ALPHABETS[kind] if symbol not in row])
    else:
        middle = random.choice(row[1:-1])
    return Task(kind, row[0], row[-1], middle, length, order)


def attempt(random, task, wanted):
    """A row that was made with the wanted demands in mind; it need not meet just these."""
    first, last, middle, length, order = wanted
    size = task.length if length else random.choice([n for n in range(2, 8) if n != task.length])
    if order:
        row = ordered_row(random, task.kind, task.order, size)
    else:
        row = [random.choice(ALPHABETS[task.kind]) for _ in range(size)]

    if first:
        row[0] = task.first
    if last:
        row[-1] = task.last
    if middle and task.kind != "numbers" and task.middle not in row and size > 2:
        row[random.randrange(1, size - 1)] = task.middle
    if task.kind == "numbers" and order:
        inner = sorted(random.sample(ALPHABETS["numbers"], size - 2), key=int, reverse=task.order == "falling")
        low, high = sorted((int(row[0]), int(row[-1])))
        between = [str(n) for n in range(low + 1, high) if not middle or str(n) != task.middle]
        if len(between) >= size - 2:
            inner = sorted(random.sample(between, size - 2), key=int, reverse=task.order == "falling")
        row[1:-1] = inner
    return row


def answer(random, task, quality):
    """An answer's text that meets each demand with probability `quality`, as nearly as one is found."""
    wanted = tuple(random.random() < quality for _ in range(5))
    best, matched = [], -1
    for _ in range(TRIES):
        row = attempt(random, task, wanted)
        same = sum(met == want for met, want in zip(checks(task, row), wanted))
        if same > matched:
            best, matched = row, same
        if matched == 5:
            break
    return " ".join(best)
