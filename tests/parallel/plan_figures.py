"""What `srlm plan` says of SmolLM2-135M-Instruct on CPU ranks, against what the programs then take.

    plan_figures.py [--runs 3] [--only memory|time]

Memory: the most of its own (RssAnon) that a rank of each program has, for 1, 2 and 4 ranks in each mode of sharding, and
replicas of 1 and 3 ranks. Time: a round of `srlm run` on the demo's data, several times, and a plan before each with the
lengths that the rounds turn out to have; the medians of said over taken, for each phase.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "reference")]
import ranks  # noqa: E402
import reference_common as common  # noqa: E402

CONFIG = common.ROOT / "deploy/configs/demo.yaml"
SRLM = common.program("srlm")
MEMORY, TIME = 0.15, 0.25
WORDS = "the river small house and with green water time of under light many one day tree".split()


def plan(*flags):
    ended = subprocess.run([SRLM, "plan", CONFIG, "--json", *map(str, flags)], stdout=subprocess.PIPE, text=True)
    if ended.returncode != 0:
        sys.exit(f"srlm plan {flags} failed")
    return json.loads(ended.stdout)


def settings(**values):
    return [word for key, value in values.items() for word in ("--set", f"{key.replace('__', '.')}={value}")]


def off(said, taken):
    """How far off, as a share of what was taken."""
    return abs(said / taken - 1)


def text(number, count):
    return " ".join(WORDS[(number * 7 + i * i + i) % len(WORDS)] for i in range(count))


def trainer_memory(folder, count, sharding):
    """(said, taken) bytes of the largest rank, on 8 pairs a step of 60 + 2 * 120 tokens or so."""
    data, log = folder / "pairs.jsonl", folder / f"log-{count}-{sharding}.jsonl"
    pairs = [{"prompt": text(i, 40), "chosen": text(i + 1, 120), "rejected": text(i + 2, 120)} for i in range(16)]
    common.write_rows(data, pairs)
    peaks = ranks.run(count, [common.program("srlm-trainer"), "dpo", "--model", common.SMOLLM2, "--data", data, "--out",
                              folder / f"model-{count}-{sharding}", "--log", log, "--global-batch", 8, "--threads", 1,
                              "--micro-batch-tokens", 4096, "--sharding", sharding], folder / "trainer.log")
    rows = [json.loads(line) for line in log.read_text().splitlines() if '"loss"' in line]
    tokens = rows[0]["tokens"] / 8
    said = plan("--no-probe", "--length", f"prompt={tokens / 4}", "--length", f"answer={tokens * 3 / 8}", "--length",
                "sft_rows=1", "--length", "sft_row=1", "--length", "pairs=2",
                *settings(trainer__ranks=count, trainer__sharding=sharding, dpo__global_batch=8, dpo__epochs=1,
                          dpo__micro_batch_tokens=4096, prompts__per_round=8, prompts__new_per_round=0))
    return said["trainer"]["bytes"], max(peaks)


def worker_memory(folder, count):
    """(said, taken) bytes of the first rank: 16 answers of 64 tokens at once to 8 prompts of 100 or so."""
    data, out = folder / "prompts.jsonl", folder / f"answers-{count}.jsonl"
    common.write_rows(data, [{"prompt_id": f"p{i}", "prompt": text(i, 100), "raw": True} for i in range(8)])
    peaks = ranks.run(count, [common.program("srlm-worker"), "generate", "--model", common.SMOLLM2, "--prompts", data,
                              "--out", out, "--samples", 2, "--max-new-tokens", 64, "--ignore-eos", "--max-batch", 16,
                              "--threads", 1, "--kv-cache-mib", 1024], folder / "worker.log")
    said = plan("--no-probe", "--length", "prompt=100", "--length", "answer=64", "--length", "ranked=0",
                *settings(workers__tensor_parallel=count, workers__max_batch=16, workers__kv_cache_mib=1024,
                          prompts__per_round=8, prompts__new_per_round=0, generation__samples=2,
                          generation__max_new_tokens=64, judge__verdict="program",
                          judge__program="[/bin/true]"))
    return said["worker"]["bytes"], peaks[0]


def memory_figures(folder):
    good = []
    for count in (1, 2, 4):
        for sharding in ("none", "optimizer", "full") if count > 1 else ("none",):
            said, taken = trainer_memory(folder, count, sharding)
            good.append(common.figure(f"plan: memory of a training rank, {count} ranks, sharding {sharding}: off by",
                                      round(off(said, taken), 3), MEMORY,
                                      note=f"said {said >> 20} MiB, taken {taken >> 20}"))
    return good + [worker_figure(folder, count) for count in (1, 3)]


def worker_figure(folder, count):
    said, taken = worker_memory(folder, count)
    return common.figure(f"plan: memory of a worker's first rank, {count} ranks: off by", round(off(said, taken), 3),
                         MEMORY, note=f"said {said >> 20} MiB, taken {taken >> 20}")


def table(run, name):
    ended = subprocess.run([SRLM, "inspect", run, name, "--json"], stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(line) for line in ended.stdout.splitlines()]


ROUND = settings(run__iterations=1, prompts__per_round=12, prompts__new_per_round=0, data__evaluation="",
                 judge__votes=2, dpo__epochs=1)


def one_round(folder):
    """(lengths, seconds by phase) of a run with one round."""
    ended = subprocess.run([SRLM, "run", CONFIG, "--run-dir", folder, *ROUND], stdout=subprocess.DEVNULL)
    if ended.returncode != 0:
        sys.exit(f"srlm run failed; logs are in {folder}/logs")
    prompts = [row for row in table(folder, "prompts") if "prompt_token_ids" in row and row["prompt_token_ids"]]
    candidates = table(folder, "candidates")
    pairs = [row for row in table(folder, "pairs") if row["outcome"] == "paired"]
    tokenizer = common.load_tokenizer(common.SMOLLM2)
    votes = [len(common.encode(tokenizer, vote["text"])) + 1 for row in candidates for vote in row["votes"]]
    lengths = {"prompt": statistics.mean(len(row["prompt_token_ids"]) for row in prompts),
               "answer": statistics.mean(len(row["token_ids"]) for row in candidates),
               "verdict": statistics.mean(votes), "pairs": len(pairs) / len(prompts), "ranked": 0}
    events = [row for row in table(folder, "events") if row["round"] == 1]
    time = {}
    for row in events:
        time.setdefault(row["event"] + (":job" if "srlm-trainer" in row["message"] else ""), row["time_ms"] / 1000)
    made = [row["time_ms"] / 1000 for row in events if row["event"] == "model_made"][-1]
    return lengths, {"generate_and_judge": time["job_began"] - time["launched"], "dpo": made - time["launched:job"]}


def time_figures(folder, runs):
    ratios = {}
    for number in range(runs):
        lengths, taken = one_round(folder / f"run-{number}")
        flags = [word for name, value in lengths.items() for word in ("--length", f"{name}={value}")]
        said = {row["phase"]: row["seconds"] for row in plan(*flags, *ROUND)["phases"]}
        for phase, seconds in taken.items():
            print(f"{phase}: said {said[phase]:.1f} s, taken {seconds:.1f} s", flush=True)
            ratios.setdefault(phase, []).append(said[phase] / seconds)
    return [common.figure(f"plan: time of {phase}, median of {runs}: off by",
                          round(abs(statistics.median(values) - 1), 3), TIME,
                          note="said over taken " + ", ".join(f"{value:.2f}" for value in values))
            for phase, values in ratios.items()]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", choices=("memory", "time"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="srlm-plan-") as name:
        folder = pathlib.Path(name)
        good = memory_figures(folder) if options.only != "time" else []
        good += time_figures(folder, options.runs) if options.only != "memory" else []
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
