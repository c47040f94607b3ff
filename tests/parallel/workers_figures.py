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
BASE_MIB = 160  # the program itself: code's data, MPI's buffers, tokenizer, activations of a batch


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


def compare(alone, together):
    """(tokens compared, answers that part at a near-tie, those that part elsewhere, largest difference before)."""
    tokens = ties = others = 0
    worst = 0.0
    for prompt_id, row in alone.items():
        other = together[prompt_id]
        pairs = list(zip(row["token_ids"], other["token_ids"], row["logprobs"], other["logprobs"]))
        for ours, theirs, logp, other_logp in pairs:
            if ours != theirs:
                near = abs(logp - other_logp) < NEAR_TIE
                ties, others = ties + near, others + (not near)
                break
            tokens += 1
            worst = max(worst, abs(logp - other_logp))
        else:
            others += len(row["token_ids"]) != len(other["token_ids"])
    return tokens, ties, others, worst


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
    tokens, ties, others, worst = compare(alone, together)
    note = f"SmolLM2-135M, {len(alone)} prompts, {tokens} tokens, {ties} near-ties below {NEAR_TIE:g}"
    limit = 1.1 * share_bytes(config, options.ranks) + BASE_MIB * 2**20
    good = [common.figure(f"replica of {options.ranks} ranks: greedy answers that differ from one rank's, near-ties aside",
                          others, 0, note=note),
            common.figure(f"replica of {options.ranks} ranks: log-probabilities of these tokens, largest difference",
                          worst, NEAR_TIE),
            common.figure(f"replica of {options.ranks} ranks: largest rank's own memory, against its share of weights and "
                          f"cache + 10 % + {BASE_MIB} MiB", round(max(peaks) / 2**20), round(limit / 2**20), unit="MiB",
                          note=f"share {share_bytes(config, options.ranks) / 2**20:.0f} MiB")]
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
