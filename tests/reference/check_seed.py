"""Checks what deploy/data/seed promises: forms, lengths, balance, no overlap between sets, and that length predicts
neither a score of eft.jsonl nor a rank of evaluation.jsonl. Standard library only.

    python3 tests/reference/check_seed.py [--seed-folder deploy/data/seed] [--template deploy/templates/judge.txt]

Prints one line a property with its figures; exit 1 and the reason on the first that does not hold.
"""
import argparse
import collections
import itertools
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
# The filters that new prompts must pass (../../shared/method.md); demonstrations should not teach what they reject.
BLACKLIST = re.compile(r"\b(images?|graphs?|pictures?|files?|maps?|draw|plot|go to)\b", re.IGNORECASE)
TOO_SIMILAR = 0.7  # ROUGE-L F


def read_rows(path):
    text = path.read_text(encoding="utf-8")
    check(text.isascii(), f"{path.name} is not plain ASCII")
    check(text.endswith("\n"), f"{path.name} does not end in a newline")
    return [json.loads(line) for line in text.splitlines()]


def check(holds, message):
    if not holds:
        sys.exit(f"check_seed: {message}")


def words(text):
    return re.findall(r"[a-z0-9]+", text.lower())


def rouge_l(first, second):
    """ROUGE-L F of two word lists: longest common subsequence against both lengths."""
    row = [0] * (len(second) + 1)
    for word in first:
        previous = row[:]
        for j, other in enumerate(second):
            row[j + 1] = previous[j] + 1 if word == other else max(previous[j + 1], row[j])
    return 2 * row[-1] / (len(first) + len(second)) if first and second else 0.0


def correlation(xs, ys):
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    covariance = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys))
    spread = sum((x - mean_x) ** 2 for x in xs) * sum((y - mean_y) ** 2 for y in ys)
    return covariance / spread**0.5


def best_threshold(lower, higher):
    """Share of two groups of lengths that the best single threshold tells apart, in either direction."""
    total = len(lower) + len(higher)
    shares = [(sum(x <= t for x in lower) + sum(x > t for x in higher)) / total for t in {*lower, *higher}]
    return max(max(share, 1 - share) for share in shares)


def check_ift(rows):
    check(36 <= len(rows) <= 48, f"ift.jsonl has {len(rows)} rows")
    lengths = []
    for number, row in enumerate(rows, 1):
        roles = [message["role"] for message in row["messages"]]
        check(roles == ["user", "assistant"], f"ift.jsonl:{number}: roles {roles}")
        lengths.append(len(row["messages"][1]["content"].split()))
    check(max(lengths) <= 90, f"ift.jsonl: an answer of {max(lengths)} words")
    print(f"ift: {len(rows)} rows, answers of {min(lengths)} to {max(lengths)} words")
    return [row["messages"][0]["content"] for row in rows]


def check_eft(rows):
    check(36 <= len(rows) <= 48, f"eft.jsonl has {len(rows)} rows")
    counts = collections.Counter(row["score"] for row in rows)
    check(sorted(counts) == [0, 1, 2, 3, 4, 5] and all(6 <= n <= 8 for n in counts.values()),
          f"eft.jsonl: scores not balanced: {dict(counts)}")
    for number, row in enumerate(rows, 1):
        check(set(row) == {"prompt", "response", "justification", "score"}, f"eft.jsonl:{number}: fields")
        check(0 < len(row["justification"].split()) <= 20, f"eft.jsonl:{number}: justification over 20 words")
        check("score" not in row["justification"].lower(), f"eft.jsonl:{number}: the justification names the score")
    check(len({row["justification"] for row in rows}) == len(rows), "eft.jsonl: a justification is repeated")
    value = correlation([len(row["response"]) for row in rows], [row["score"] for row in rows])
    check(abs(value) <= 0.15, f"eft.jsonl: length and score correlate, r = {value:.2f}")
    lengths = {score: [len(row["response"]) for row in rows if row["score"] == score] for score in counts}
    for score in range(5):
        share = best_threshold(lengths[score], lengths[score + 1])
        # Of eight and eight lengths drawn at random the best threshold tells 0.69 apart on average.
        check(share <= 0.7, f"eft.jsonl: a threshold on length tells {share:.2f} of scores {score} and {score + 1} apart")
    low, high = (sum((lengths[score] for score in scores), []) for scores in ((0, 1, 2), (3, 4, 5)))
    check(best_threshold(low, high) <= 0.65, "eft.jsonl: a threshold on length tells bad answers from good ones")
    print(f"eft: {len(rows)} rows, {dict(sorted(counts.items()))}, length-score correlation {value:+.2f}; of neighbouring "
          f"scores no length tells more than {max(best_threshold(lengths[s], lengths[s + 1]) for s in range(5)):.2f} apart")
    return sorted({row["prompt"] for row in rows})


def check_prompts(rows):
    check(len(rows) >= 20, f"prompts.jsonl has {len(rows)} rows")
    check(len({row["prompt_id"] for row in rows}) == len(rows), "prompts.jsonl: a prompt_id is repeated")
    print(f"prompts: {len(rows)} rows")
    return [row["prompt"] for row in rows]


def check_evaluation(rows):
    groups = collections.defaultdict(list)
    for row in rows:
        groups[row["prompt_text"]].append(row)
    check(len(groups) == 15 and len({row["response_id"] for row in rows}) == 60, "evaluation.jsonl is not 15 x 4")
    longer_wins = matched = matched_longer = pairs = equal = 0
    for prompt, answers in groups.items():
        scores = [row["quality_score"] for row in answers]
        check(sorted(scores) == [0.0, 0.33, 0.66, 1.0], f"evaluation.jsonl: scores of {prompt!r}: {scores}")
        check(len({row["prompt_id"] for row in answers}) == 1, f"evaluation.jsonl: prompt_id of {prompt!r}")
        for a, b in itertools.combinations(answers, 2):
            better, worse = (a, b) if a["quality_score"] > b["quality_score"] else (b, a)
            x, y = len(better["response_text"]), len(worse["response_text"])
            pairs += 1
            equal += x == y
            longer_wins += x > y
            if max(x, y) <= 1.3 * min(x, y):
                matched += 1
                matched_longer += x > y
    share, matched_share = longer_wins / (pairs - equal), matched_longer / matched
    check(0.4 <= share <= 0.55, f"evaluation.jsonl: the longer answer is better in {share:.2f} of the pairs")
    check(matched >= 20, f"evaluation.jsonl: only {matched} pairs matched in length")
    check(0.35 <= matched_share <= 0.6, f"evaluation.jsonl: of matched pairs, longer is better in {matched_share:.2f}")
    print(f"evaluation: 15 x 4, {pairs} pairs, longer is better in {share:.2f}; "
          f"{matched} matched within 1.3x, longer is better in {matched_share:.2f}")
    return list(groups)


def check_disjoint(sets):
    worst = (0.0, "", "")
    for (name, prompts), (other_name, others) in itertools.combinations_with_replacement(sets.items(), 2):
        for i, prompt in enumerate(prompts):
            for other in others[i + 1:] if name == other_name else others:
                similarity = rouge_l(words(prompt), words(other))
                worst = max(worst, (similarity, f"{name}: {prompt}", f"{other_name}: {other}"))
    check(worst[0] <= TOO_SIMILAR, f"ROUGE-L {worst[0]:.2f} between {worst[1]!r} and {worst[2]!r}")
    print(f"no two prompts above ROUGE-L {TOO_SIMILAR}; the closest: {worst[0]:.2f}")


def check_filters(prompts):
    for prompt in prompts:
        check(3 < len(prompt.split()) <= 150 and not BLACKLIST.search(prompt) and prompt[0].isalnum()
              and not prompt.startswith("Write a program"), f"the new-prompt filters reject {prompt!r}")


def check_template(path):
    text = path.read_text(encoding="utf-8")
    check(text.count("{prompt}") == 1 and text.count("{response}") == 1, f"{path.name}: placeholders")
    check(text.index("{prompt}") < text.index("{response}"), f"{path.name}: the prompt comes first, to share a prefix")
    check("Score: <total points>" in text, f"{path.name}: the last line's form is missing")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed-folder", type=pathlib.Path, default=ROOT / "deploy/data/seed")
    parser.add_argument("--template", type=pathlib.Path, default=ROOT / "deploy/templates/judge.txt")
    options = parser.parse_args()
    sets = {}
    for name, checker in (("ift", check_ift), ("eft", check_eft), ("prompts", check_prompts),
                          ("evaluation", check_evaluation)):
        sets[name] = checker(read_rows(options.seed_folder / f"{name}.jsonl"))
    check_disjoint(sets)
    check_filters(sets["ift"] + sets["prompts"])
    check_template(options.template)


if __name__ == "__main__":
    main()
