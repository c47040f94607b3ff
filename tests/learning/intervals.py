"""Means over prompts with 95 % intervals by a bootstrap that draws whole prompts."""

import statistics

import numpy

DRAWS = 1000
T_95 = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571, 7: 2.447, 8: 2.365, 9: 2.306, 10: 2.262}  # by values


def ratio(groups):
    """Sum over sums: groups are (total, count) of a prompt each."""
    count = sum(group[1] for group in groups)
    return sum(group[0] for group in groups) / count if count else None


def drawn_sums(groups):
    """[draws, columns] sums over prompts drawn with replacement; the same groups always give the same draws."""
    values = numpy.asarray(groups, dtype=numpy.float64)  # [prompts, columns]
    generator = numpy.random.Generator(numpy.random.PCG64(len(values)))
    weights = generator.multinomial(len(values), numpy.full(len(values), 1 / len(values)), size=DRAWS)
    return weights @ values


def bounds(value, count, drawn):
    """{"value", "n", "low", "high"}; draws that are no number (nothing to divide by) are left out."""
    drawn = drawn[numpy.isfinite(drawn)]
    if value is None or not len(drawn):
        return {"value": None, "n": count, "low": None, "high": None}
    low, high = numpy.quantile(drawn, [0.025, 0.975])
    return {"value": float(value), "n": count, "low": float(low), "high": float(high)}


def interval(groups):
    """Interval of the mean of (total, count) groups; n is the number of groups."""
    groups = list(groups)
    if not groups:
        return bounds(None, 0, numpy.empty(0))
    sums = drawn_sums(groups)
    with numpy.errstate(divide="ignore", invalid="ignore"):
        return bounds(ratio(groups), len(groups), sums[:, 0] / sums[:, 1])


def difference(before, after):
    """Interval of after - before, both {group: (total, count)}, over the groups that are in both, drawn together."""
    pairs = [(*before[key], *after[key]) for key in before if key in after]
    if not pairs:
        return bounds(None, 0, numpy.empty(0))
    sums = drawn_sums(pairs)
    low, high = ratio([pair[:2] for pair in pairs]), ratio([pair[2:] for pair in pairs])
    with numpy.errstate(divide="ignore", invalid="ignore"):
        drawn = sums[:, 2] / sums[:, 3] - sums[:, 0] / sums[:, 1]
    return bounds(None if low is None or high is None else high - low, len(pairs), drawn)


def over_seeds(values):
    """Student's interval of the mean of one value a seed, 2 to 10 of them."""
    mean, half = statistics.fmean(values), T_95[len(values)] * statistics.stdev(values) / len(values) ** 0.5
    return {"value": mean, "n": len(values), "low": mean - half, "high": mean + half}


def ratio_of_gains(own, random, true):
    """Interval of (own - random) / (true - random), each {group: (total, count)} over the same groups, drawn together. Of
    gains from one first model it is the same: that falls out of both differences."""
    values = numpy.asarray([(*own[key], *random[key], *true[key]) for key in own], numpy.float64)

    def share(columns):
        own_mean, random_mean, true_mean = (columns[i] / columns[i + 1] for i in (0, 2, 4))
        return (own_mean - random_mean) / (true_mean - random_mean)

    with numpy.errstate(divide="ignore", invalid="ignore"):
        value = share(values.sum(axis=0))
        return bounds(value if numpy.isfinite(value) else None, len(values), share(drawn_sums(values).T))
