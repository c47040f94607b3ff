"""What the experiments say together: each model's figures over all seeds, gains from M1, and what is aimed at."""

from experiment import ARMS
from intervals import difference, interval, over_seeds, ratio, ratio_of_gains

MEASURES = ("exact", "grade", "greedy_exact", "greedy_grade", "judge", "judge_m1", "judge_own")
# The samples that a model judges are its own: other ones than M1's, so that no gain can be told.
GAINS = tuple(measure for measure in MEASURES if measure != "judge_own")
FIRST_SECONDS, ARM_SECONDS = 8 * 60, 15 * 60  # for M1, and for M1 and an arm's models, on two cores


def pooled(experiments, label, measure):
    """{"seed prompt": (total, count)} of a model over the seeds."""
    return {f"{experiment.seed} {key}": tuple(value) for experiment in experiments
            for key, value in experiment.result(label)["groups"][measure].items()}


def labels(rounds, arm):
    return ["M1"] + [f"{arm}-M{number}" for number in range(2, rounds + 2)]


def summarise(experiments, rounds, arms=ARMS):
    """One object: `models` {label: {measure: interval}}, `gains` {arm: {measure: interval of last - M1}}, both over
    prompts and given these trainings; `gains_over_seeds` of several seeds: an interval that holds for another seed;
    `steps` of exact answers from model to model; `seeds` {seed: {label: {measure: value}}}; `share` (own - random) /
    (true - random) of exact answers; `rounds` {seed: {arm: [{"pairs", "steps"}]}}; `costs` {seed: {run: seconds}};
    `first_losses` {seed: mean loss of M1's training in each of its last four eighths}."""
    out = {"seeds_used": [experiment.seed for experiment in experiments], "models": {}, "gains": {}, "steps": {},
           "kinds": {}, "costs": {}, "rounds": {}, "first_losses": {}, "gains_over_seeds": {}}
    for arm in arms:
        names = labels(rounds, arm)
        for name in names:
            out["models"].setdefault(name, {measure: interval(pooled(experiments, name, measure).values())
                                            for measure in MEASURES})
            out["kinds"].setdefault(name, {
                kind: sum(e.result(name)["figures"]["kinds"][kind]["value"] for e in experiments) / len(experiments)
                for kind in experiments[0].result(name)["figures"]["kinds"]})
        out["gains"][arm] = {measure: difference(pooled(experiments, names[0], measure),
                                                 pooled(experiments, names[-1], measure)) for measure in GAINS}
        out["steps"][arm] = [difference(pooled(experiments, before, "exact"), pooled(experiments, after, "exact"))
                             for before, after in zip(names, names[1:])]
    out["seeds"] = {experiment.seed: {name: {measure: ratio(experiment.result(name)["groups"][measure].values())
                                             for measure in MEASURES}
                                      for name in out["models"]} for experiment in experiments}
    for experiment in experiments:
        out["costs"][experiment.seed] = {name: experiment.kept(f"{name}.cost") for name in ("m1", *arms)}
        out["rounds"][experiment.seed] = {arm: experiment.kept(f"{arm}.rounds") for arm in arms}
        out["first_losses"][experiment.seed] = last_losses(experiment.log("m1", "sft"))
    for arm in arms:
        ends = [(seed["M1"], seed[labels(rounds, arm)[-1]]) for seed in out["seeds"].values()]
        out["gains_over_seeds"][arm] = {measure: over_seeds([last[measure] - first[measure] for first, last in ends])
                                        for measure in GAINS if len(ends) > 1}
    if set(ARMS) <= set(arms):
        out["share"] = ratio_of_gains(*(pooled(experiments, labels(rounds, arm)[-1], "exact") for arm in ARMS))
    return out


def last_losses(log):
    losses = [row["loss"] for row in log if "loss" in row]
    eighth = len(losses) // 8
    return [sum(losses[-n * eighth:][:eighth]) / eighth for n in (4, 3, 2, 1)] if eighth else []


def aims(summary):
    """[(what must hold, whether it does)], with the figures in the words."""
    def points(value):
        return f"{100 * value['value']:+.1f} [{100 * value['low']:+.1f}, {100 * value['high']:+.1f}]"

    def rates(measure):
        return [100 * seed["M1"][measure] for seed in summary["seeds"].values()]

    def minutes(of):
        """Computing time over two cores, the dearest seed's: other programs of the machine do not count."""
        return max(of(costs) for costs in summary["costs"].values()) / 2 / 60

    def named(values):
        return ", ".join(f"{value:.1f}" for value in values)

    exact, judge = rates("exact"), rates("judge")
    first = minutes(lambda costs: costs["m1"]["computed_seconds"])
    longest = minutes(lambda costs: costs["m1"]["computed_seconds"] + max(
        costs[arm]["computed_seconds"] for arm in summary["gains"]))
    found = [(f"each M1's exact rate is between 30 and 70 %: {named(exact)}", all(30 <= rate <= 70 for rate in exact)),
             (f"each M1's judge is right on 60 to 85 % of pairs: {named(judge)}", all(60 <= rate <= 85 for rate in judge)),
             (f"M1 takes at most 8 minutes of two cores: {first:.1f}", first <= FIRST_SECONDS / 60),
             (f"M1 and an arm's models take at most 15: {longest:.1f}", longest <= ARM_SECONDS / 60)]
    if "own" in summary["gains"]:
        gain, steps = summary["gains"]["own"], summary["steps"]["own"]
        found += [("own: every round gains: " + ", ".join(map(points, steps)), all(s["low"] > 0 for s in steps)),
                  (f"own: at least 10 points together: {points(gain['exact'])}", gain["exact"]["value"] >= 0.10),
                  (f"own: the judge is not worse by more than its interval: {points(gain['judge'])}",
                   gain["judge"]["high"] >= 0)]
    if "random" in summary["gains"]:
        # Random scores move a model somewhere: what differs by chance is the training, so that seeds are what to ask.
        gain = summary["gains_over_seeds"]["random"].get("exact") or summary["gains"]["random"]["exact"]
        found.append((f"random: the interval includes no gain: {points(gain)}", gain["low"] <= 0 <= gain["high"]))
    return found
