"""What happens to a run in a schedule, and when: drawn from a seed, or one failpoint."""

import dataclasses
import random

PROGRAMS = ("srlm", "srlm-worker", "srlm-trainer")
# Phases of the run in their order, as `srlm run` prints them, and the roles whose processes are there then.
PHASES = ("supervised fine-tuning", "evaluate the judge", "generate and judge", "DPO", "evaluate the judge")
TRAINER_PHASES, WORKER_PHASES = (0, 3), (1, 2, 4)
ROLES = ("worker", "worker_mpirun", "trainer", "trainer_mpirun", "coordinator")
LONGEST_DELAY_S = 1.2  # about as long as a phase
# Seconds that a process is stopped: less than a lease (2 s), more, and more than what ends a worker that hangs.
STOPS_S = (1.0, 3.0, 5.5)

OFTEN_PASSED = ("ledger.", "worker.begin", "worker.end", "submit.")
ONCE_A_LIFE = ("owner.", "file.before_rename@c", "file.after_rename@c", "training.before", "training.after_d")


@dataclasses.dataclass
class Fault:
    kind: str  # kill, stop, pause, take_over, failpoint
    role: str = ""
    phase: int = 0
    delay_s: float = 0
    seconds: float = 0  # of a stop or a pause
    failpoint: str = ""  # name[@subject]:pass

    def __str__(self):
        if self.kind == "failpoint":
            return f"failpoint {self.failpoint}"
        span = f" for {self.seconds:g} s" if self.seconds else ""
        role = f" {self.role.replace('_', ' of a ')}" if self.role else ""
        if "_mpirun" in self.role:
            role = f" mpirun of a {self.role.split('_')[0]}"
        return f"{self.kind}{role}{span} {self.delay_s:.2f} s into phase {self.phase}"


@dataclasses.dataclass
class Plan:
    name: str
    replay: str
    faults: list

    def __str__(self):
        return "; ".join(map(str, self.faults))


def random_fault(rng, failpoints):
    """Signals are as likely as failpoints; a pause or a takeover comes now and then."""
    kind = rng.choice(("kill", "kill", "stop", "stop", "failpoint", "failpoint", "failpoint", "pause", "take_over"))
    if kind == "failpoint":
        name = rng.choice(failpoints)
        most = 12 if name.startswith(OFTEN_PASSED) else 1 if name.startswith(ONCE_A_LIFE) else 3
        return Fault(kind, failpoint=f"{name}:{rng.randint(1, most)}")
    role = rng.choice(ROLES) if kind in ("kill", "stop") else "coordinator" if kind == "take_over" else ""
    phases = TRAINER_PHASES if role.startswith("trainer") else WORKER_PHASES if role.startswith("worker") else range(5)
    seconds = rng.choice(STOPS_S) if kind == "stop" else round(rng.uniform(0, 1), 1) if kind == "pause" else 0
    return Fault(kind, role, rng.choice(list(phases)), round(rng.uniform(0, LONGEST_DELAY_S), 2), seconds)


def random_plan(seed, failpoints):
    rng = random.Random(seed)
    # A takeover is what passes the copy of a ledger; it has its own schedule.
    names = [name for name in failpoints if name != "ledger.before_apart"]
    faults = [random_fault(rng, names) for _ in range(rng.randint(1, 4))]
    # A failpoint is armed when a life begins, so those that end a life come first.
    of_coordinator = failpoints[:failpoints.index("worker.registered")]
    faults.sort(key=lambda fault: (fault.phase, fault.delay_s, fault.failpoint.split(":")[0] not in of_coordinator))
    return Plan(f"seed {seed}", f"--seed {seed}", faults)


def each_program_plan():
    kills = [Fault("kill", "trainer", 0, 0.5), Fault("kill", "worker", 2, 0.5), Fault("kill", "coordinator", 2, 1),
             Fault("kill", "trainer_mpirun", 3, 0.5)]
    return Plan("each program", "--each-program", kills)


def failpoint_plan(name):
    faults = [Fault("failpoint", failpoint=f"{name}:1")]
    if name == "ledger.before_apart":  # passed by who takes a run from one that lives
        faults.insert(0, Fault("take_over", "coordinator", 2, 0.1))
    return Plan(f"failpoint {name}", f"--failpoints {name}", faults)
