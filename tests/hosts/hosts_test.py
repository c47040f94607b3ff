#!/usr/bin/env python3
"""A run over three hosts gives what it gives on one, also when links fail. Needs the right to make namespaces (root, or
user namespaces); sandbox.py says what is missing.

    hosts_test.py BIN_FOLDER           three cuts, as `make verify` runs it
    hosts_test.py BIN_FOLDER --all     every fault, one figure a line (tests/tools/figures.py)
    hosts_test.py BIN_FOLDER --all "20 %"    of these the ones with such a name
"""

import json
import os
import pathlib
import re
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import sandbox  # noqa: E402
from run_on_hosts import Run, leased_on, on_hosts, progress, settings  # noqa: E402

GENERATE, TRAIN = "generate_and_judge", "dpo"
RANK_TIMEOUT_S = 5
LONGEST_LOSSY_S = 400


class Faults:
    """What can happen to the hosts of a run. Each comes back when it is over and the links are whole again."""

    def __init__(self, hosts, run):
        self.hosts, self.run = hosts, run

    def nothing(self):
        pass

    def worker_cut(self, **direction):
        """A replica's host is cut off until its leases are given to others."""
        self.run.await_status("leases on h2", lambda s: progress(s, GENERATE) > 20 and leased_on(s, "h2") > 0)
        self.hosts.cut("h2", **direction)
        self.run.await_status("expired lease", lambda s: leased_on(s, "h2") == 0)
        self.hosts.heal("h2")

    def coordinator_cut(self, seconds, **direction):
        """The coordinator's host is cut off, for longer than a call waits."""
        self.run.await_status("leases", lambda s: progress(s, GENERATE) > 20 and leased_on(s, "h3") > 0)
        self.hosts.cut("h1", **direction)
        self._watch(seconds)
        self.hosts.heal("h1")

    def trainer_cut(self, seconds, **direction):
        """A rank's host is cut off in the middle of training."""
        at = progress(self.run.await_status("steps", lambda s: progress(s, TRAIN) > 3), TRAIN)
        self.hosts.cut("h3", **direction)
        still = progress(self._watch(seconds), TRAIN)
        assert at <= still < at + 100, f"training was at step {at} and is at {still} without a rank"
        self.hosts.heal("h3")

    def trainer_gone(self):
        """A rank's host is cut off for longer than the others wait: they end the job, and name it."""
        self.run.await_status("steps", lambda s: progress(s, TRAIN) > 1)
        self.hosts.cut("h3")
        wanted = re.compile(rf"did not end within {RANK_TIMEOUT_S} s .*: rank \d \(h3, process \d+\) has not been heard for")
        self.run.await_status("rank that is named", lambda s: any(map(wanted.search, s.get("last_errors", []))))
        self.hosts.heal("h3")

    def _watch(self, seconds):
        """Asks the coordinator, on its own host, for so long; its last answer."""
        begin = time.monotonic()
        return self.run.await_status("end of the cut", lambda s: time.monotonic() - begin > seconds)

    def loss(self, percent):
        """Packets are lost on all hosts, until training has begun: its small messages then wait for seconds each."""
        for name in self.hosts.names:
            self.hosts.lose(name, percent)
        self.run.await_status("a step", lambda s: progress(s, TRAIN) > 0, timeout=LONGEST_LOSSY_S)
        for name in self.hosts.names:
            self.hosts.heal(name)


INCOMING, OUTGOING = {"outgoing": False}, {"incoming": False}
# Name, fault, more settings.
SHORT = [
    ("a replica's host cut off both ways", lambda f: f.worker_cut()),
    ("the coordinator's host cut off both ways for 60 s", lambda f: f.coordinator_cut(60)),
    ("a trainer rank's host cut off until the others give it up", Faults.trainer_gone,
     f"trainer.rank_timeout_s={RANK_TIMEOUT_S}"),
]
ALL = [
    ("nothing", Faults.nothing),
    *SHORT,
    ("nothing reaches a replica's host", lambda f: f.worker_cut(**INCOMING)),
    ("nothing leaves a replica's host", lambda f: f.worker_cut(**OUTGOING)),
    ("nothing reaches the coordinator's host for 15 s", lambda f: f.coordinator_cut(15, **INCOMING)),
    ("nothing leaves the coordinator's host for 15 s", lambda f: f.coordinator_cut(15, **OUTGOING)),
    ("a trainer rank's host cut off both ways for 8 s", lambda f: f.trainer_cut(8)),
    ("nothing reaches a trainer rank's host for 8 s", lambda f: f.trainer_cut(8, **INCOMING)),
    ("nothing leaves a trainer rank's host for 8 s", lambda f: f.trainer_cut(8, **OUTGOING)),
    ("20 % of all packets lost until after the first step", lambda f: f.loss(20)),
]


def run_with(fault, bin_folder, folder, sets):
    """A run over three hosts with a fault: its digest and how long it took."""
    hosts = sandbox.Hosts(3, folder)
    begin = time.monotonic()
    run = Run(bin_folder, f"{folder}/run", [*sets, *on_hosts()], prefix=lambda *command: hosts.on("h1", *command))
    try:
        fault(Faults(hosts, run))
        run.await_end()
    except BaseException:
        run.process.kill()  # whatever it started ends with the sandbox
        raise
    seconds = time.monotonic() - begin
    names = {row["message"].split(" on ")[1].split(",")[0] for row in run.loop.inspect("events")
             if row["event"] == "worker_joined"}
    assert names == {"h2", "h3"}, names
    assert run.loop.processes() == [], run.loop.processes()
    hosts.remove()
    return run.digest(), seconds


def main():
    bin_folder, everything = os.path.abspath(sys.argv[1]), sys.argv[2:3] == ["--all"]
    wanted = sys.argv[3] if everything and len(sys.argv) > 3 else ""
    sandbox.enter()
    failed = 0
    with tempfile.TemporaryDirectory(prefix="srlm-hosts-") as folder:
        sets = settings(f"{folder}/prompts.jsonl", *((100, 8) if everything else (60, 1)))
        alone = Run(bin_folder, f"{folder}/alone", sets)
        alone.await_end()
        expected = alone.digest()
        print(f"on one host: digest {expected}", flush=True)
        for at, (name, fault, *more) in enumerate(ALL if everything else SHORT):
            if wanted not in name:
                continue
            os.mkdir(f"{folder}/{at}")
            try:
                digest, seconds = run_with(fault, bin_folder, f"{folder}/{at}", [*sets, *more])
                note = f"{seconds:.0f} s"
            except AssertionError as error:
                digest, note = "none", str(error)[-2000:]
            failed += digest != expected
            print(json.dumps({"figure": f"three hosts, {name}: digest of everything equals one host's", "value": digest,
                              "limit": f"= {expected}", "pass": digest == expected, "note": note,
                              "group": "three hosts, links cut or lossy: digest of everything equals one host's"}),
                  flush=True)
            if digest == "none":
                return 1  # the sandbox is no longer as it was
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
