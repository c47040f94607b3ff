"""Means over prompts with 95 % intervals by a bootstrap that draws whole prompts."""

import random

DRAWS = 1000


def ratio(groups):
    """Sum over sums: groups are (total, count) of a prompt each."""
    count = sum(group[1] for group in groups)
    return sum(group[0] for group in groups) / count if count else None


def interval(groups, statistic=ratio, draws=DRAWS):
    """{"value", "n", "low", "high"} of a statistic over groups; n is the number of groups."""
    groups = list(groups)
    generator = random.Random(len(groups))  # the same groups always give the same interval
    values = sorted(filter(lambda value: value is not None,
                           (statistic(generator.choices(groups, k=len(groups))) for _ in range(draws if groups else 0))))
    if not values:
        return {"value": None, "n": len(groups), "low": None, "high": None}
    return {"value": statistic(groups), "n": len(groups), "low": values[int(0.025 * len(values))],
            "high": values[int(0.975 * len(values))]}


def difference(before, after):
    """Interval of after - before, both {group: (total, count)} over the same groups, which are drawn together."""
    pairs = [(before[key], after[key]) for key in before if key in after]

    def statistic(drawn):
        low, high = ratio([pair[0] for pair in drawn]), ratio([pair[1] for pair in drawn])
        return None if low is None or high is None else high - low

    return interval(pairs, statistic)
