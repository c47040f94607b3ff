#!/usr/bin/env python3
"""A judge that is no model: it scores an answer by how many different characters it has. What a file tells it, it does
wrong.

    score_tiny.py WAY_FILE
"""

import json
import os
import pathlib
import sys
import time


def main():
    way_file = pathlib.Path(sys.argv[1])
    way = way_file.read_text()
    rows = [json.loads(line) for line in sys.stdin]
    if way == "wait":  # to be ended by somebody; at most a minute
        way_file.with_suffix(".pid").write_text(str(os.getpid()))
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            time.sleep(0.1)
    if way == "fail":
        print("the reward model is not there", file=sys.stderr)
        sys.exit(3)
    if way == "no_json":
        print("Loading the reward model ...")
    scores = [{"id": row["id"], "score": len(set(row["response"])) % 6} for row in rows]
    if way == "out_of_range":
        scores[1]["score"] = 6
    if way == "missing":
        del scores[2]
    if way == "twice":
        scores.append(scores[0])
    if way == "unknown":
        scores[0]["id"] = "nobody/0"
    for score in reversed(scores):  # any order will do
        print(json.dumps(score))


if __name__ == "__main__":
    main()
