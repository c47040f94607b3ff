#!/usr/bin/env python3
"""status_latency.py RUN QUERIES: milliseconds of each GetStatus over one open channel, as a JSON list; with the client
of docs/operations.md."""

import contextlib
import io
import json
import pathlib
import sys
import time

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs/operations.md"


def main():
    client = PAGE.read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
    names = {}
    queries = int(sys.argv.pop())
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile(client, str(PAGE), "exec"), names)  # pylint: disable=exec-used
    latencies = []
    for _ in range(queries):
        begin = time.monotonic()
        names["call"](names["request"], timeout=10)
        latencies.append((time.monotonic() - begin) * 1000)
    print(json.dumps(latencies))


if __name__ == "__main__":
    main()
