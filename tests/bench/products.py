#!/usr/bin/env python3
"""What determinism costs: speed of the engine's matrix products, summed in one order whatever the batch, against
libtorch's on the same values."""

import json
import os
import pathlib
import subprocess
import sys

PROGRAM = pathlib.Path(os.environ["SRLM_BIN"]).parent / "tests/bin/bench_products"
ROWS = (16, 64, 256)  # a small batch, the usual one, and a chunk of a prompt
LEAST = 0.85


def main():
    passed = True
    out = subprocess.run([PROGRAM, *map(str, ROWS)], check=True, capture_output=True, text=True, timeout=600).stdout
    for row in map(json.loads, out.splitlines()):
        ratio = row["theirs_s"] / row["ours_s"]
        passed &= ratio >= LEAST
        print(json.dumps({"figure": f"speed of products in a fixed order against libtorch's, {row['rows']} rows",
                          "value": round(ratio, 2), "unit": "ratio", "limit": f">= {LEAST}", "pass": ratio >= LEAST,
                          "note": f"{row['kernels']}: {row['ours_s']:.4f} s against {row['theirs_s']:.4f} s"}))
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
