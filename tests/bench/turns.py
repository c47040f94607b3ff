"""What the measurements share: our program and a peer's script on the same work, one after the other, several times.

A shared machine drifts, so only runs of the same minutes are compared, and the figure is a ratio. Both sides leave
their own JSON: ours by --summary, the peers' by --json. Environment as tests/tools/run_figures.sh sets it.
"""
import json
import os
import pathlib
import statistics
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "reference"))
import reference_common as common  # noqa: E402

PEERS = common.SHARED / "bench"


def run_peer(script, *arguments):
    """Runs a peer's script (a name in PEERS, or a path) with --json; what it measured."""
    out = common.out_folder() / f"peer_{pathlib.Path(script).stem}.json"
    out.unlink(missing_ok=True)
    command = [sys.executable, PEERS / script, "--model", common.SMOLLM2, "--json", out, *arguments]
    run_quietly(command, out.with_suffix(".log"))
    return json.loads(out.read_text())


def run_ours(name, *arguments):
    """Runs `srlm-worker ARGUMENTS` with --summary; what it measured."""
    summary = common.out_folder() / f"ours_{name}.json"
    summary.unlink(missing_ok=True)
    command = [common.program("srlm-worker"), *arguments, "--model", common.SMOLLM2, "--summary", summary]
    run_quietly(command, summary.with_suffix(".log"))
    got = json.loads(summary.read_text())
    if got["failed_rows"] > 0:
        sys.exit(f"{got['failed_rows']} rows could not be done, so this is not the peer's work: {summary}")
    return got


def run_quietly(command, log):
    """Runs a command to its end; a failure ends this script with the last lines that it said."""
    command = [str(part) for part in command]
    environment = {**os.environ, "OMP_NUM_THREADS": "2", "TRANSFORMERS_VERBOSITY": "error"}
    with open(log, "w", encoding="utf-8") as file:
        code = subprocess.run(command, stdout=file, stderr=subprocess.STDOUT, env=environment).returncode
    if code != 0:
        sys.stderr.write("".join(log.read_text(errors="replace").splitlines(keepends=True)[-8:]))
        sys.exit(f"exit code {code}: {' '.join(command)}")


def report(what, unit, turns, least_ratio, note):
    """Figures of `turns`, pairs (ours, peer) of {"rate", "peak_rss_mib"}: the ratio of the median rates, at least
    `least_ratio`, and memory, at most the peer's. Returns whether both hold."""
    ours, peer = ([turn[side] for turn in turns] for side in (0, 1))
    rates = [statistics.median(row["rate"] for row in side) for side in (ours, peer)]
    for name, side, rate in (("ours", ours, rates[0]), ("peer", peer, rates[1])):
        figure(f"{what}, {name}", round(rate, 4), unit=unit, note="turns " + " ".join(f"{r['rate']:.3g}" for r in side))
    memory = [max(row["peak_rss_mib"] for row in side) for side in (ours, peer)]
    return all([
        figure(f"{what}, ours / peer", round(rates[0] / rates[1], 2), least=least_ratio, note=note),
        figure(f"{what}: memory, ours / peer", round(memory[0] / memory[1], 3), most=1,
               note=f"{memory[0]:.0f} and {memory[1]:.0f} MiB"),
    ])


def figure(name, value, least=None, most=None, **extra):
    """Prints a figure for tests/tools/figures.py; returns whether it holds."""
    row = {"figure": name, "value": value}
    if least is not None:
        row |= {"limit": f">= {least:g}", "pass": value >= least}
    if most is not None:
        row |= {"limit": f"<= {most:g}", "pass": value <= most}
    print(json.dumps(row | extra), flush=True)
    return row.get("pass", True)
