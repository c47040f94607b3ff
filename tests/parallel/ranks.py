"""Ranks of a program under mpirun, and the most memory of their own (RssAnon: no mapped files) that each ever had."""

import os
import pathlib
import subprocess
import time

SOURCE = pathlib.Path(__file__).resolve().parents[2]
LOOK_EVERY_S = 0.01


def rss_anon(pid):
    """Bytes; None when the process has ended."""
    try:
        for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return None


def pids_of(program, wanted):
    """Processes of a program for which `wanted(words, environment)` holds, by rank."""
    found = {}
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
            environment = (entry / "environ").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue  # ended meanwhile
        if os.path.basename(words[0]) == os.path.basename(program) and wanted(words, environment):
            rank = [word.split("=")[1] for word in environment if word.startswith("OMPI_COMM_WORLD_RANK=")]
            found[int(rank[0]) if rank else 0] = int(entry.name)
    return found


def run(ranks, command, log, seconds=1800):
    """Runs `command` on so many ranks; the peak of each rank's own memory, bytes, by rank."""
    token = f"SRLM_TEST_TOKEN={os.getpid()}-{time.monotonic_ns()}"
    words = [str(SOURCE / "tests/mpirun.sh"), str(ranks), *map(str, command)]
    peaks, pids = {}, {}
    with open(log, "ab") as says:
        launch = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=says, stderr=says,
                                  env={**os.environ, **dict([token.split("=")])})
    end = time.monotonic() + seconds
    try:
        while launch.poll() is None:
            if time.monotonic() > end:
                raise AssertionError(f"{words} took more than {seconds} s")
            if len(pids) < ranks:
                pids.update(pids_of(command[0], lambda words, environment: token in environment))
            for rank, pid in pids.items():
                peaks[rank] = max(peaks.get(rank, 0), rss_anon(pid) or 0)
            time.sleep(LOOK_EVERY_S)
    finally:
        if launch.poll() is None:
            launch.terminate()
            launch.wait(timeout=60)
    assert launch.returncode == 0, f"{words}: {launch.returncode}\n{pathlib.Path(log).read_text()[-3000:]}"
    return [peaks[rank] for rank in sorted(peaks)]
