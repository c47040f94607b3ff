#!/usr/bin/env python3
"""run.py SECONDS [TARGET...]: fuzzes each target (all of tests/fuzz/corpus by default) for that long, two at a time,
from its kept corpus. Needs the target `fuzz_targets` of the asan preset.

An input that crashes, hangs, leaks or breaks a rule is left in build/fuzz/<target>/ and named, with the command that
runs it alone; the whole output is in build/fuzz/<target>/log. The exit code is 1 when any target found something or
did not run. With --figures each target's result is a line for tests/tools/figures.py.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parents[1]
LONGEST_INPUT_S = 60  # an input that takes longer hangs; the longest take 5 s of a free core
GRACE_S = 120  # for start, the kept corpus, and an end in order
MEMORY_MIB = 2048
LONGEST_INPUT_BYTES = 8192


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("seconds", type=int)
    parser.add_argument("targets", nargs="*")
    parser.add_argument("--bin", type=Path, default=ROOT / "build/asan/tests/fuzz", help="folder of the targets")
    parser.add_argument("--corpus", type=Path, default=FOLDER / "corpus", help="folder of a folder of inputs a target")
    parser.add_argument("--out", type=Path, default=ROOT / "build/fuzz")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--figures", action="store_true")
    arguments = parser.parse_args()
    targets = arguments.targets or sorted(path.name for path in arguments.corpus.iterdir())
    with ThreadPoolExecutor(arguments.jobs) as pool:
        results = list(pool.map(lambda target: fuzz(target, arguments), targets))
    return 0 if all(results) else 1


def fuzz(target, arguments):
    """Runs one target and prints what came of it; whether it ran and found nothing."""
    out, corpus = arguments.out.resolve() / target, arguments.corpus.resolve() / target
    shutil.rmtree(out, ignore_errors=True)
    for folder in ("found", "tmp"):
        (out / folder).mkdir(parents=True)
    program = arguments.bin.resolve() / target
    dictionary = FOLDER / "dictionaries" / f"{target}.txt"
    command = [str(program), f"-max_total_time={arguments.seconds}", f"-timeout={LONGEST_INPUT_S}",
               f"-rss_limit_mb={MEMORY_MIB}", f"-max_len={LONGEST_INPUT_BYTES}", "-print_final_stats=1",
               f"-artifact_prefix={out}/", str(out / "found"), str(corpus)]
    if dictionary.exists():
        command.insert(1, f"-dict={dictionary}")
    # Names of places in reports; no log lines of what is fuzzed, a run has thousands of its own.
    environment = {**os.environ, "TMPDIR": str(out / "tmp"), "GLOG_minloglevel": "3",
                   "ASAN_OPTIONS": "external_symbolizer_path=/usr/bin/addr2line"}
    with open(out / "log", "wb") as log:
        try:
            code = subprocess.run(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environment,
                                  timeout=arguments.seconds + GRACE_S, check=False).returncode
        except OSError as error:
            code = f"cannot be started: {error}"
        except subprocess.TimeoutExpired:
            code = "did not end in time"
    shutil.rmtree(out / "tmp")
    text = (out / "log").read_text(errors="replace")
    runs = int((re.findall(r"^stat::number_of_executed_units: (\d+)$", text, re.M) or [0])[-1])
    passed = code == 0 and runs > len(list(corpus.iterdir()))  # all of the corpus, and some of its own
    report(target, passed, code, runs, text, program, out, arguments)
    return passed


def report(target, passed, code, runs, text, program, out, arguments):
    if arguments.figures:
        print(json.dumps({"figure": f"fuzzing {target}: findings", "value": 0 if passed else 1, "limit": "0",
                          "pass": passed, "note": f"{arguments.seconds} s, {runs} inputs"}), flush=True)
    if passed:
        print(f"{target}: {runs} inputs in {arguments.seconds} s, nothing found", flush=True)
        return
    lines = [f"{target}: FAILED ({code}) after {runs} inputs; {out / 'log'}"]
    inputs = [path for path in sorted(out.iterdir()) if path.is_file() and path.name != "log"]
    lines += [f"  {program} {path}" for path in inputs]
    print("\n".join(lines + text.splitlines()[-60:]), flush=True)


if __name__ == "__main__":
    sys.exit(main())
