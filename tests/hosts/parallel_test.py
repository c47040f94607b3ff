#!/usr/bin/env python3
"""Many ranks over two hosts (network namespaces). Replicas of two ranks, one on each host, and training on four ranks with
full sharding, against one host and one rank on the same pairs; and what two training ranks send over the wire in each
mode, against the formulas of docs/architecture.md. sandbox.py says what is needed.

    parallel_test.py BIN_FOLDER        one figure a line (tests/tools/figures.py)
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import sandbox  # noqa: E402
from run_on_hosts import Run, on_hosts, settings  # noqa: E402

FOLDER = pathlib.Path(__file__).resolve().parent
REFERENCE = FOLDER.parent / "reference"
LOSS = 1e-5  # relative
WIRE = 1.15  # headers, the norm, the losses, where each rank is
MODEL = REFERENCE / "models/llama3"  # its heads can be shared by two
SETS = [f"model={MODEL}", "workers.tensor_parallel=2", "workers.replicas=2", "launcher.hosts=['h2:2', 'h3:2']",
        "workers.hosts=['h2:1', 'h3:1', 'h2:1', 'h3:1']", "trainer.ranks=4", "trainer.sharding=full"]


def figure(name, value, limit, note=""):
    good = value <= limit
    print(json.dumps({"figure": f"two hosts: {name}", "value": value, "limit": f"<= {limit:g}", "pass": good,
                      "note": note}), flush=True)
    return good


def steps(log):
    rows = [json.loads(line) for line in pathlib.Path(log).read_text().splitlines()]
    return [row for row in rows if "loss" in row]


def replay(bin_folder, run_dir, folder):
    """The steps of the run's DPO job on one rank of this host, on the pairs that the run trained on."""
    job = pathlib.Path(run_dir) / "jobs/dpo-1"
    arguments = json.loads((job / "job.json").read_text())["arguments"]
    log = pathlib.Path(folder) / "replay.jsonl"
    ended = subprocess.run([f"{bin_folder}/srlm-trainer", "dpo", "--model", f"{run_dir}/models/M1", "--data",
                            f"{job}/data.jsonl", "--out", f"{folder}/replayed", "--log", log, *arguments],
                           stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600)
    assert ended.returncode == 0, ended.stderr[-3000:]
    return steps(job / "log.jsonl"), steps(log)


def sent_in(hosts, bin_folder, folder, sharding, count):
    """Bytes that leave both hosts in a job of two ranks, one on each, of so many steps; and what its log says of a step."""
    out, log = pathlib.Path(folder) / f"{sharding}-{count}", pathlib.Path(folder) / f"{sharding}-{count}.jsonl"
    trainer = [f"{bin_folder}/srlm-trainer", "dpo", "--model", REFERENCE / "models/smollm2", "--data",
               REFERENCE / "data/dpo_pairs.jsonl", "--out", out, "--log", log, "--max-steps", count, "--global-batch", 4,
               "--threads", 1, "--sharding", sharding]
    command = ["mpirun", "--allow-run-as-root", "--oversubscribe", "--bind-to", "none", "--mca", "btl", "tcp,self", "--mca",
               "plm_rsh_agent", FOLDER / "rsh_agent.sh", "--mca", "mpi_yield_when_idle", "1", "--host", "h2:1,h3:1", "-n", "2",
               *trainer]
    before = hosts.sent_bytes("h2") + hosts.sent_bytes("h3")
    ended = subprocess.run(hosts.on("h2", *map(str, command)), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                           timeout=300)
    assert ended.returncode == 0, ended.stderr[-3000:]
    return hosts.sent_bytes("h2") + hosts.sent_bytes("h3") - before, steps(log)[-1]["sent_bytes"]


def wire_figures(hosts, bin_folder, folder):
    few, many = 4, 24
    good = []
    for sharding in ("none", "optimizer", "full"):
        (short, _), (long, formula) = (sent_in(hosts, bin_folder, folder, sharding, count) for count in (few, many))
        a_step = (long - short) / (many - few) / 2  # of one host
        good.append(figure(f"bytes on the wire a step, sharding {sharding}, over the formula's",
                           round(a_step / formula, 3), WIRE, f"{a_step:.0f} against {formula} bytes"))
        good.append(figure(f"the formula's bytes a step, sharding {sharding}, over those on the wire",
                           round(formula / a_step, 3), 1))
    return all(good)


def main():
    bin_folder = os.path.abspath(sys.argv[1])
    sandbox.enter()
    with tempfile.TemporaryDirectory(prefix="srlm-parallel-") as folder:
        hosts = sandbox.Hosts(3, folder)
        sets = [*settings(f"{folder}/prompts.jsonl", 60, 1), *on_hosts(), *SETS]
        run = Run(bin_folder, f"{folder}/run", sets, prefix=lambda *command: hosts.on("h1", *command))
        try:
            run.await_end()
        except BaseException:
            run.process.kill()
            raise
        left = run.loop.processes()
        run.digest()  # by `srlm fsck`: everything is there exactly once
        on_the_wire = wire_figures(hosts, bin_folder, folder)
        hosts.remove()
        ours, alone = replay(bin_folder, run.loop.run_dir, folder)
    assert len(ours) == len(alone) > 3, (len(ours), len(alone))
    worst = max(abs(a["loss"] - b["loss"]) / abs(b["loss"]) for a, b in zip(ours, alone))
    good = [figure("losses of training on 4 ranks with full sharding against one rank, relative", worst, LOSS,
                   f"{len(ours)} steps on the same pairs"),
            figure("processes left by replicas of two ranks and 4 trainer ranks", len(left), 0,
                   "and srlm fsck finds every row there exactly once")]
    return 0 if all(good) and on_the_wire else 1


if __name__ == "__main__":
    sys.exit(main())
