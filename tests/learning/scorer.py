#!/usr/bin/env python3
"""Scores of a round's candidates for `judge.verdict: program`: {"id", "prompt", "response"} a line on standard input,
{"id", "score"} a line on standard output.

    scorer.py true | scorer.py random SEED

Only the two arms that the model's own judgement is compared with are run with it.
"""

import json
import random
import sys

sys.dont_write_bytecode = True
from phrases import read  # noqa: E402
from truth import POINTS, grade  # noqa: E402


def score(row, arguments):
    if arguments[0] == "true":
        return grade(read(row["prompt"]), row["response"])
    return random.Random(f"{arguments[1]} {row['id']}").uniform(0, POINTS)  # of the row, not of when it comes


def main(arguments):
    if not (arguments == ["true"] or len(arguments) == 2 and arguments[0] == "random"):
        sys.exit(__doc__)
    for line in sys.stdin:
        row = json.loads(line)
        print(json.dumps({"id": row["id"], "score": score(row, arguments)}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
