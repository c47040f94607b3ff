#!/usr/bin/env python3
"""figures.py TITLE OUT_DIR PART...: runs each part and gathers its figures.

A part is an executable. Every line of its standard output that is a JSON object is one figure:
    {"figure": "what was measured", "value": 3.1e-5, "limit": "<= 1e-3", "pass": true}
`unit` and `note` may be added; without `limit` the figure is only recorded. All other output is shown and kept in
OUT_DIR/<part>.log. A part that ends with another code than 0 fails, whatever it printed.

Writes OUT_DIR/results.jsonl (with date, commit, part, command and seconds added) and OUT_DIR/results.md (a table).
The exit code is 1 when a figure or a part failed.
"""

import datetime
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def main():
    if len(sys.argv) < 4:
        print(__doc__, file=sys.stderr)
        return 2
    title, out = sys.argv[1], Path(sys.argv[2])
    parts = [Path(part).resolve() for part in sys.argv[3:]]
    out.mkdir(parents=True, exist_ok=True)
    figures = []
    for part in parts:
        figures += figures_of(part, out)
        write_results(title, figures, out)  # after each part, so that an interrupted run keeps what it has
    failed = [figure for figure in figures if not figure["pass"]]
    print(f"\n{title}: {len(figures) - len(failed)} of {len(figures)} figures hold; {out / 'results.md'}")
    for figure in failed:
        print(f"FAILED {figure['part']}: {figure['figure']} = {figure['value']} (limit {figure['limit']})")
    return 1 if failed else 0


def figures_of(part, out):
    """Runs a part; its figures, with what identifies the measurement added."""
    print(f"== {part.name}", flush=True)
    started = time.monotonic()
    found = []
    with open(out / f"{part.stem}.log", "w", encoding="utf-8") as log:
        process = subprocess.Popen([part], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                   errors="replace", cwd=ROOT)
        for line in process.stdout:
            print(line, end="", flush=True)
            log.write(line)
            figure = parse_figure(line)
            if figure:
                found.append(figure)
        code = process.wait()
    if code != 0 and all(figure["pass"] for figure in found):
        found.append({"figure": "exit code", "value": code, "limit": "0", "pass": False})
    if not found:
        found.append({"figure": "exit code", "value": code, "limit": "0", "pass": code == 0})
    about = {
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "commit": commit(),
        "part": part.name,
        "command": os.path.relpath(part, ROOT),
        "part_seconds": round(time.monotonic() - started, 1),
    }
    return [{**figure, **about} for figure in found]


def parse_figure(line):
    """The figure that a line of output holds, or None."""
    try:
        value = json.loads(line)
    except ValueError:
        return None
    if not isinstance(value, dict) or "figure" not in value:
        return None
    return {"value": None, "limit": "", "pass": True, **value}


def commit():
    answer = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True)
    return answer.stdout.strip() or "unknown"


def write_results(title, figures, out):
    with open(out / "results.jsonl", "w", encoding="utf-8") as file:
        file.writelines(json.dumps(figure, ensure_ascii=False) + "\n" for figure in figures)
    lines = [
        f"# {title}",
        "",
        f"{os.cpu_count()} cores, {cpu_name()}; commit {figures[-1]['commit']}.",
        "",
        "| date | figure | measured | limit | | command |",
        "|---|---|---|---|---|---|",
    ]
    for figure in figures:
        verdict = "" if figure["limit"] == "" else "holds" if figure["pass"] else "**fails**"
        what = figure["figure"] + (f" ({figure['note']})" if figure.get("note") else "")
        measured = " ".join(filter(None, [show(figure["value"]), figure.get("unit", "")]))
        cells = [figure["date"][:10], what, measured, str(figure["limit"]), verdict, f"`{figure['command']}`"]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    (out / "results.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def show(value):
    return f"{value:.5g}" if isinstance(value, float) else "" if value is None else str(value)


def cpu_name():
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


if __name__ == "__main__":
    sys.exit(main())
