"""Exact resume of training on the real model: DPO on 2 ranks, undisturbed and killed, to the same bits.

    training_resume.py [--steps 6] [--ranks 2]

A rank of the disturbed job is killed (SIGKILL, by its id) twice, and the newest checkpoint loses a bit before the last
launch. Prints figures for tests/tools/figures.py.
"""
import argparse
import pathlib
import shutil
import signal
import sys

import reference_common as common

sys.path.insert(0, str(common.ROOT / "tests/trainer"))
from trainer_job import TrainerJob  # noqa: E402

SECONDS = 3600  # a launch


def make_job(name, options):
    folder = common.out_folder() / f"resume_{name}"
    shutil.rmtree(folder, ignore_errors=True)
    return TrainerJob(pathlib.Path(common.program("srlm-trainer")).parent, folder, "dpo", common.SMOLLM2,
                      common.DATA / "dpo_pairs.jsonl", options.ranks, "--global-batch", 4, "--max-steps", options.steps,
                      "--learning-rate", 1e-5, "--threads", 1, "--checkpoint-steps", 2)


def kill_after(job, rows, rank):
    job.start()
    if not job.await_rows(rows, SECONDS):
        sys.exit(f"the job ended before row {rows}:\n{job.said()}")
    job.signal(rank, signal.SIGKILL)
    job.wait(SECONDS)


def flip_a_bit(job):
    newest = job.checkpoints / f"step-{job.steps_saved()[-1]:08}" / f"first_moment-00001-of-{job.ranks:05}.f32"
    with open(newest, "r+b") as file:
        file.seek(newest.stat().st_size // 2)
        byte = file.read(1)[0]
        file.seek(-1, 1)
        file.write(bytes([byte ^ 1]))
    return str(newest)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--ranks", type=int, default=2)
    options = parser.parse_args()
    calm, killed = make_job("calm", options), make_job("killed", options)
    if calm.run(seconds=SECONDS) != 0:
        sys.exit(calm.said())
    kill_after(killed, 2, 0)
    kill_after(killed, options.steps - 1, options.ranks - 1)
    flipped = flip_a_bit(killed)
    if killed.run(seconds=SECONDS) != 0:
        sys.exit(killed.said())
    different = sum(a != b for a, b in zip(calm.rows(), killed.rows(), strict=True))
    refused = killed.events("resumed")[-1]["refused"]
    note = f"SmolLM2-135M, {options.steps} steps on {options.ranks} ranks, killed twice, a checkpoint's bit flipped"
    good = [common.figure("resume: log rows that differ from the undisturbed job's", different, 0, note=note),
            common.figure("resume: files of final weights that differ", int(calm.weights() != killed.weights()), 0),
            common.figure("resume: torn checkpoints that were not refused by their file",
                          int(not any(flipped in reason for reason in refused)), 0)]
    for job in (calm, killed):
        shutil.rmtree(job.folder)
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
