"""A replica of several ranks against one rank, on the real model: the same greedy tokens but for near-ties, and memory.

    workers_figures.py [--ranks 3] [--prompts 24]
"""

import argparse
import json
import pathlib
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "reference")]
import ranks  # noqa: E402
import reference_common as common  # noqa: E402

NEAR_TIE = 1e-3  # of log-probabilities
KV_CACHE_MIB = 64
BASE_MIB = 64  # the program itself: code's data, MPI's buffers, tokenizer, activations of a batch


def share_bytes(config, count):
    """Float32 bytes of a rank's part of the weights (common/model/shard.h), and of its key-value cache."""
    hidden, inner, heads = config["hidden_size"], config["intermediate_size"], config["num_attention_heads"]
    head_dim = config.get("head_dim") or hidden // heads
    kv_size = config["num_key_value_heads"] * head_dim / min(count, config["num_key_value_heads"])
    block = 2 * hidden + 2 * hidden * heads * head_dim / count + 2 * hidden * kv_size + 3 * hidden * inner / count
    elements = config["num_hidden_layers"] * block + hidden + config["vocab_size"] * hidden / count
    return 4 * elements + KV_CACHE_MIB * 2**20


def generate(folder, count, prompts):
    out = folder / f"answers-{count}.jsonl"
    peaks = ranks.run(count, [common.program("srlm-worker"), "generate", "--model", common.SMOLLM2, "--prompts", prompts,
                              "--out", out, "--samples", 1, "--greedy", "--max-new-tokens", 48, "--max-batch", 8,
                              "--threads", 1, "--kv-cache-mib", KV_CACHE_MIB], folder / f"says-{count}.txt")
    return {row["prompt_id"]: row for row in common.read_rows(out)}, peaks


def token_logprobs(folder, rows, texts):
    """One rank's (ids, log-probabilities) of each answer of some prompts."""
    items, out = folder / "items.jsonl", folder / "logprobs.jsonl"
    common.write_rows(items, [{"prompt": texts[row["prompt_id"]], "response": row["text"]} for row in rows])
    common.run_program(common.program("srlm-worker"), "logprobs", "--model", common.SMOLLM2, "--items", items, "--out", out)
    return [(row["token_ids"], row["token_logprobs"]) for row in common.read_rows(out)]


def near_ties(folder, texts, pairs):
    """How many answers part where one rank gives both tokens log-probabilities less than NEAR_TIE apart."""
    if not pairs:
        return 0
    ours = token_logprobs(folder, [one for one, _ in pairs], texts)
    theirs = token_logprobs(folder, [other for _, other in pairs], texts)
    ties = 0
    for (one, other), (ids, logp), (other_ids, other_logp) in zip(pairs, ours, theirs):
        at = next((i for i, (a, b) in enumerate(zip(one["token_ids"], other["token_ids"])) if a != b), None)
        same = at is not None and ids[:at + 1] == one["token_ids"][:at + 1] and other_ids[:at + 1] == other["token_ids"][:at + 1]
        ties += bool(same and abs(logp[at] - other_logp[at]) < NEAR_TIE)
    return ties


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ranks", type=int, default=3)
    parser.add_argument("--prompts", type=int, default=24)
    options = parser.parse_args()
    config = json.loads((common.SMOLLM2 / "config.json").read_text())
    rows = common.read_rows(common.SHARED / "data/mt_bench_questions.jsonl")[:options.prompts]
    with tempfile.TemporaryDirectory(prefix="srlm-parallel-") as name:
        folder = pathlib.Path(name)
        prompts = folder / "prompts.jsonl"
        common.write_rows(prompts, [{"prompt_id": str(i), "prompt": (row.get("turns") or [row.get("prompt")])[0]}
                                    for i, row in enumerate(rows)])
        alone, _ = generate(folder, 1, prompts)
        together, peaks = generate(folder, options.ranks, prompts)
        different = [(row, together[key]) for key, row in alone.items() if row["token_ids"] != together[key]["token_ids"]]
        ties = near_ties(folder, {row["prompt_id"]: row["prompt"] for row in common.read_rows(prompts)}, different)
    tokens = sum(len(row["token_ids"]) for row in alone.values())
    worst = max(abs(row["logprob"] - together[key]["logprob"]) for key, row in alone.items()
                if row["token_ids"] == together[key]["token_ids"])
    note = f"SmolLM2-135M, {len(alone)} prompts, {tokens} tokens, {ties} near-ties below {NEAR_TIE:g}"
    limit = 1.1 * share_bytes(config, options.ranks) + BASE_MIB * 2**20
    good = [common.figure(f"replica of {options.ranks} ranks: greedy answers that differ from one rank's, near-ties aside",
                          len(different) - ties, 0, note=note),
            common.figure(f"replica of {options.ranks} ranks: log-probability of an answer, largest difference",
                          worst, NEAR_TIE),
            common.figure(f"replica of {options.ranks} ranks: largest rank's own memory, against its share of weights and "
                          f"cache + 10 % + {BASE_MIB} MiB", round(max(peaks) / 2**20), round(limit / 2**20), unit="MiB",
                          note=f"share {share_bytes(config, options.ranks) / 2**20:.0f} MiB")]
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
