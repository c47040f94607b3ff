"""What the experiments say together: each model's figures over all seeds, gains from M1, and what the issue aims at."""

from experiment import ARMS
from intervals import difference, interval, ratio

MEASURES = ("exact", "grade", "greedy_exact", "greedy_grade", "judge", "judge_own")


def pooled(experiments, label, measure):
    """{"seed prompt": (total, count)} of a model over the seeds."""
    return {f"{experiment.seed} {key}": tuple(value) for experiment in experiments
            for key, value in experiment.result(label)["groups"][measure].items()}


def labels(rounds, arm):
    return ["M1"] + [f"{arm}-M{number}" for number in range(2, rounds + 2)]


def summarise(experiments, rounds, arms=ARMS):
    """One object: `models` {label: {measure: interval}}, `gains` {arm: {measure: interval of last - M1}}, `steps` of
    exact answers from model to model, `seeds` {seed: {label: value of exact}}, `share` (own - random) / (true -
    random)."""
    out = {"seeds_used": [experiment.seed for experiment in experiments], "models": {}, "gains": {}, "steps": {},
           "kinds": {}, "costs": {}}
    for arm in arms:
        names = labels(rounds, arm)
        for name in names:
            out["models"].setdefault(name, {measure: interval(pooled(experiments, name, measure).values())
                                            for measure in MEASURES})
            out["kinds"].setdefault(name, {
                kind: sum(e.result(name)["figures"]["kinds"][kind]["value"] for e in experiments) / len(experiments)
                for kind in experiments[0].result(name)["figures"]["kinds"]})
        out["gains"][arm] = {measure: difference(pooled(experiments, names[0], measure),
                                                 pooled(experiments, names[-1], measure)) for measure in MEASURES}
        out["steps"][arm] = [difference(pooled(experiments, before, "exact"), pooled(experiments, after, "exact"))
                             for before, after in zip(names, names[1:])]
    out["seeds"] = {experiment.seed: {name: {measure: ratio(experiment.result(name)["groups"][measure].values())
                                             for measure in MEASURES}
                                      for name in out["models"]} for experiment in experiments}
    for experiment in experiments:
        out["costs"][experiment.seed] = {name: experiment.cost(name) for name in ("m1", *arms)}
    gain = {arm: out["gains"][arm]["exact"]["value"] for arm in arms}
    if set(ARMS) <= set(arms) and gain["true"] != gain["random"]:
        out["share"] = (gain["own"] - gain["random"]) / (gain["true"] - gain["random"])
    return out


def aims(summary):
    """[(what must hold, whether it does)], with the figures in the words."""
    def points(value):
        return f"{100 * value['value']:+.1f} [{100 * value['low']:+.1f}, {100 * value['high']:+.1f}]"

    first = summary["models"]["M1"]
    exact, judge = 100 * first["exact"]["value"], 100 * first["judge"]["value"]
    found = [(f"M1's exact rate is between 30 and 70 %: {exact:.1f}", 30 <= exact <= 70),
             (f"M1's judge is right on 60 to 85 % of pairs: {judge:.1f}", 60 <= judge <= 85)]
    if "own" in summary["gains"]:
        gain, steps = summary["gains"]["own"], summary["steps"]["own"]
        found += [("own: every round gains: " + ", ".join(map(points, steps)), all(s["value"] > 0 for s in steps)),
                  (f"own: at least 10 points together: {points(gain['exact'])}", gain["exact"]["value"] >= 0.10),
                  (f"own: the judge is not worse by more than its interval: {points(gain['judge'])}",
                   gain["judge"]["high"] >= 0)]
    if "random" in summary["gains"]:
        gain = summary["gains"]["random"]["exact"]
        found.append((f"random: the interval includes no gain: {points(gain)}", gain["low"] <= 0))
    return found
