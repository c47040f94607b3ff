#!/usr/bin/env python3
"""figures.py TITLE OUT_DIR PAGE PART...: runs each part and gathers its figures.

A part is an executable. Every line of its standard output that is a JSON object is one figure:
    {"figure": "what was measured", "value": 3.1e-5, "limit": "<= 1e-3", "pass": true}
`unit` and `note` may be added; without `limit` the figure is only recorded; figures of one `group` are one row of the
page, which says how many of them hold. All other output is shown and kept in
OUT_DIR/<part>.log. A part that ends with another code than 0 fails, whatever it printed.

Writes OUT_DIR/results.jsonl (with date, commit, part, command and seconds added), OUT_DIR/results.md (a table), and the
table of PAGE that stands between `<!-- TITLE: begin -->` and `<!-- TITLE: end -->`: rows of a part replace those of the
same command, rows of other parts stay as they were measured.
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
HEADER = ["| date | figure | measured | limit | | command |", "|---|---|---|---|---|---|"]


def main():
    if len(sys.argv) < 5:
        print(__doc__, file=sys.stderr)
        return 2
    title, out, page = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    parts = [Path(part).resolve() for part in sys.argv[4:]]
    read_page(title, page)  # a page without its marks is found before hours have passed
    out.mkdir(parents=True, exist_ok=True)
    figures = []
    for part in parts:
        found = figures_of(part, out)
        figures += found
        write_results(title, figures, out)  # after each part, so that an interrupted run keeps what it has
        write_page(title, found, page)
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
        value = json.loads(line[max(0, line.find('{"figure"')):])  # a test runner's dots may stand before it
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
        *HEADER,
        *[row_of(figure) for figure in figures],
    ]
    (out / "results.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def row_of(figure):
    verdict = "" if figure["limit"] == "" else "holds" if figure["pass"] else "**fails**"
    what = figure["figure"] + (f" ({figure['note']})" if figure.get("note") else "")
    measured = " ".join(filter(None, [show(figure["value"]), figure.get("unit", "")]))
    cells = [figure["date"][:10], what, measured, str(figure["limit"]), verdict, f"`{figure['command']}`"]
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"


def grouped(figures):
    """The figures, with each group as one figure in the place of its first."""
    seen, rows = set(), []
    for figure in figures:
        group = figure.get("group")
        if group is None:
            rows.append(figure)
        elif group not in seen:
            seen.add(group)
            members = [other for other in figures if other.get("group") == group]
            holding = sum(other["pass"] for other in members)
            rows.append({**figure, "figure": group, "value": f"{holding} of {len(members)}", "limit": "all", "note": "",
                         "pass": holding == len(members)})
    return rows


def read_page(title, page):
    """What stands before the rows of this title's table, the rows, and what follows."""
    begin, end = f"<!-- {title}: begin -->\n", f"<!-- {title}: end -->\n"
    text = page.read_text(encoding="utf-8")
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        sys.exit(f"figures.py: {page} needs the lines '{begin.strip()}' and '{end.strip()}', once each and in this order")
    head, rest = text.split(begin)
    table, tail = rest.split(end)
    return head + begin, [row for row in table.splitlines() if row and row not in HEADER], end + tail


def write_page(title, figures, page):
    """Puts a part's figures into the page's table, which is in the order of the commands."""
    head, rows, tail = read_page(title, page)
    command = f"`{figures[0]['command']}`"
    rows = [row for row in rows if command_of(row) != command] + [row_of(figure) for figure in grouped(figures)]
    rows.sort(key=command_of)
    unfinished = page.with_name(page.name + ".tmp")
    unfinished.write_text(head + "\n".join([*HEADER, *rows]) + "\n" + tail, encoding="utf-8")
    os.replace(unfinished, page)


def command_of(row):
    return row.rsplit(" | ", 1)[-1].removesuffix(" |")


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
