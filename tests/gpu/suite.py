#!/usr/bin/env python3
"""Every test and benchmark of srlm that needs a GPU, as tests/gpu/run_all.sh calls it.

    suite.py BUILD [--out FOLDER] [--model DIR] [--peer PYTHON] [--small]

Tests, on each of which the device must agree with the processor:
  kernels         paged attention and top-p sampling of our own against ATen's operations on the device
  engine          logits of thirteen tiny models against transformers', float32 and bfloat16; answers in any batch
  greedy          greedy answers of the model, float32: log-probabilities of the equal ones agree, and at most one in ten,
                  which are counted, is another
  bfloat16        log-probabilities of given answers in bfloat16: within 0.1 a token
  training        losses of ten DPO steps, float32: within 1e-4; bfloat16: the first is ln 2
  tensor parallel the greedy answers again over as many devices as share the model
  sharded         the training's losses over several devices, with full sharding
  hang            a rank stopped inside a collective is named at its deadline
Benchmarks:
  decode          tokens/s at several batches, and the share of what memory's bandwidth allows
  prefill         tokens/s of judging long prompts, and the share of what arithmetic allows
  dpo             tokens/s of a DPO step, and the share of what arithmetic allows (6 or 8 FLOP a parameter and token)
Peers, with --peer: transformers' generate and TRL's DPO on the same device and data.

--small: sizes that a processor can do. With SRLM_DEVICE_PLUGIN naming the plug-in of the tests, whose devices are host
memory, it checks this suite itself.
"""

import argparse
import datetime
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

SOURCE = pathlib.Path(__file__).resolve().parents[2]
CACHE = pathlib.Path(os.environ.get("SRLM_CACHE", pathlib.Path.home() / ".cache/srlm"))
# Dense bfloat16 TFLOP/s and GB/s, as their makers say.
MAKERS = {"H200": (989, 4800), "H100 NVL": (835, 3900), "H100 PCIe": (756, 2000), "H100": (989, 3350), "A100": (312, 2039),
          "L40S": (362, 864), "B200": (2250, 8000)}
LIMIT_S = 1800


class Failed(Exception):
    pass


def check(condition, text):
    if not condition:
        raise Failed(text)


def parameters_of(model):
    """Elements of the weights, and those that a token is multiplied with."""
    config = json.loads((model / "config.json").read_text())
    hidden, layers = config["hidden_size"], config["num_hidden_layers"]
    heads, kv = config["num_attention_heads"], config.get("num_key_value_heads", config["num_attention_heads"])
    dim = config.get("head_dim") or hidden // heads
    block = hidden * dim * (2 * heads + 2 * kv) + 3 * hidden * config["intermediate_size"]
    return layers * block + config["vocab_size"] * hidden, 2 * layers * kv * dim


class Suite:
    def __init__(self, arguments, folder):
        self.build = pathlib.Path(arguments.build).resolve()
        self.model = pathlib.Path(arguments.model)
        self.peer = arguments.peer
        self.small = arguments.small
        self.folder = folder
        self.plain = None  # the processor's losses
        self.bin = self.build / "bin"
        rows = self.run([self.bin / "srlm-worker", "devices"]).stdout.splitlines()
        self.devices = [json.loads(row) for row in rows]
        self.name = self.devices[0]["name"]
        maker = next((value for name, value in MAKERS.items() if name in self.name), (None, None))
        self.tflops = maker[0]
        self.bandwidth = maker[1] or self.devices[0]["bandwidth_gb_s"] or None
        self.results = {"date": datetime.date.today().isoformat(), "devices": self.devices, "model": self.model.name,
                        "tests": [], "benchmarks": []}

    def run(self, command, timeout=LIMIT_S, expect=0, **environment):
        ended = subprocess.run([str(word) for word in command], text=True, capture_output=True, timeout=timeout,
                               stdin=subprocess.DEVNULL, env={**os.environ, **environment})
        check(expect is None or ended.returncode == expect,
              f"{' '.join(map(str, command[:4]))} ...: exit {ended.returncode}\n{ended.stderr[-2000:]}")
        return ended

    def write(self, name, rows):
        path = self.folder / name
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return path

    def launch(self, ranks):
        return [SOURCE / "tests/mpirun.sh", ranks] if ranks > 1 else []

    def worker(self, command, rows, *flags, ranks=1, device=True, dtype="float32", model=None):
        """Output rows and summary of a file command."""
        source, out, summary = self.write("in.jsonl", rows), self.folder / "out.jsonl", self.folder / "summary.json"
        where = ["--device", "cuda", "--dtype", dtype] if device else []
        self.run([*self.launch(ranks), self.bin / "srlm-worker", command, "--model", model or self.model,
                  "--prompts" if command == "generate" else "--items", source, "--out", out, "--summary", summary, *where,
                  *flags])
        return [json.loads(line) for line in out.read_text().splitlines()], json.loads(summary.read_text())

    def prompts(self, count):
        texts = ["What is the capital of France?", "Write three sentences about the sea.", "Name two prime numbers.",
                 "Explain why the sky is blue.", "Give me a recipe for bread.", "How do birds find their way?"]
        return [{"prompt_id": f"p{i}", "prompt": f"{texts[i % len(texts)]} ({i})"} for i in range(count)]

    # Tests.

    def gtest(self, name):
        self.run([self.build / "tests/bin" / name], SRLM_TEST_PLUGIN=os.environ.get(
            "SRLM_DEVICE_PLUGIN", str(self.bin / "libsrlm_cuda.so")), SRLM_SOURCE=str(SOURCE))
        return "passed"

    def test_kernels(self):
        return self.gtest("device_kernels_test")

    def test_engine(self):
        return "skipped: its own test" if self.small else self.gtest("aten_engine_test")

    def same_answers(self, ranks):
        flags = ["--greedy", "--samples", 1, "--max-new-tokens", 16 if self.small else 64]
        rows = self.prompts(4 if self.small else 32)
        plain, _ = self.worker("generate", rows, *flags, device=False)
        device, _ = self.worker("generate", rows, *flags, ranks=ranks)
        others = [row["prompt_id"] for row, other in zip(plain, device) if row["token_ids"] != other["token_ids"]]
        near = 0
        for row, other in zip(plain, device):
            if row["token_ids"] == other["token_ids"]:
                check(abs(row["logprob"] - other["logprob"]) < 1e-3 * (1 + len(row["token_ids"])) ** 0.5 + 1e-3,
                      f"{row['prompt_id']}: log-probability {row['logprob']} and {other['logprob']}")
                continue
            near += 1
        check(near <= len(rows) // 10, f"{near} of {len(rows)} greedy answers differ: {others}")
        return f"{near} of {len(rows)} answers differ"

    def test_greedy(self):
        return self.same_answers(1)

    def items(self, count):
        return [{"id": str(i), "prompt": row["prompt"], "response": "It is a good question, and the answer is long. " * (1 + i % 5)}
                for i, row in enumerate(self.prompts(count))]

    def test_bfloat16(self):
        rows = self.items(4 if self.small else 32)
        plain, _ = self.worker("logprobs", rows, device=False)
        device, _ = self.worker("logprobs", rows, dtype="bfloat16")
        worst = max(abs(a["logprob"] - b["logprob"]) / len(a["token_ids"]) for a, b in zip(plain, device))
        check(worst < 0.1, f"log-probability a token differs by {worst:.4f}")
        return f"{worst:.4f} a token at most"

    def train(self, ranks, *flags, device="cuda", dtype="float32", steps=10, model=None, data=None, start_only=False):
        out = pathlib.Path(tempfile.mkdtemp(dir=self.folder)) / "model"
        where = [] if device == "cpu" else ["--device", device, "--dtype", dtype]
        command = [*self.launch(ranks), self.bin / "srlm-trainer", "dpo", "--model",
                   model or SOURCE / "tests/reference/models/llama3", "--data",
                   data or SOURCE / "tests/reference/data/dpo_pairs.jsonl", "--out", out, "--log", f"{out}.jsonl",
                   "--global-batch", 4, "--max-steps", steps, "--learning-rate", 1e-4, *where, *flags]
        if start_only:
            return out, subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                         text=True, stdin=subprocess.DEVNULL)
        self.run(command)
        return [row for row in map(json.loads, pathlib.Path(f"{out}.jsonl").read_text().splitlines()) if "loss" in row]

    def near(self, rows, expected):
        worst = max(abs(a["loss"] - b["loss"]) / abs(b["loss"]) for a, b in zip(rows, expected, strict=True))
        check(worst < 1e-4, f"losses differ by {worst:.2e} relative")
        return f"{worst:.1e} relative at most"

    def plain_losses(self):
        if self.plain is None:
            self.plain = self.train(1, device="cpu")
        return self.plain

    def test_training(self):
        told = self.near(self.train(1), self.plain_losses())
        first = self.train(1, dtype="bfloat16")[0]["loss"]
        check(abs(first - 0.6931472) < 1e-4, f"bfloat16: the first loss is {first}")
        return told

    def test_tensor_parallel(self):
        config = json.loads((self.model / "config.json").read_text())
        heads, kv = config["num_attention_heads"], config.get("num_key_value_heads", config["num_attention_heads"])
        sizes = [n for n in range(2, len(self.devices) + 1) if heads % n == 0 and (kv % n == 0 or n % kv == 0)]
        if not sizes:
            return f"skipped: no number of {len(self.devices)} devices divides {heads} heads"
        return f"{sizes[0]} devices: {self.same_answers(sizes[0])}"

    def test_sharded(self):
        ranks = min(2 if self.small else 4, len(self.devices))
        if ranks < 2:
            return "skipped: one device"
        return f"{ranks} devices: " + self.near(self.train(ranks, "--sharding", "full"), self.plain_losses())

    def test_hang(self):
        if len(self.devices) < 2:
            return "skipped: one device"
        deadline = 3 if self.small else 10
        out, process = self.train(2, "--rank-timeout", deadline, start_only=True, steps=100000)
        try:
            log = pathlib.Path(f"{out}.jsonl")
            end = time.monotonic() + 300
            while not log.exists() or log.read_text().count('"loss"') < 3:
                check(process.poll() is None and time.monotonic() < end, "the job did not begin")
                time.sleep(0.1)
            pids = [int(path.name) for path in pathlib.Path("/proc").glob("[0-9]*")
                    if str(out).encode() in self.command_line(path) and b"OMPI_COMM_WORLD_RANK=1\0" in self.environment(path)]
            check(len(pids) == 1, f"rank 1 is processes {pids}")
            os.kill(pids[0], signal.SIGSTOP)
            begin = time.monotonic()
            said = process.communicate(timeout=60)[1]
            took = time.monotonic() - begin
            check(re.search(rf"did not end within {deadline} s.*: .*rank 1\b", said), said[-2000:])
            return f"named {took:.1f} s after it was stopped (deadline {deadline} s)"
        finally:
            process.kill()

    @staticmethod
    def command_line(path):
        try:
            return (path / "cmdline").read_bytes().split(b"\0")[0] and (path / "cmdline").read_bytes()
        except OSError:
            return b""

    @staticmethod
    def environment(path):
        try:
            return (path / "environ").read_bytes() + b"\0"
        except OSError:
            return b""

    # Benchmarks.

    def share(self, value, limit):
        return None if not limit else round(value / limit, 3)

    def bench_decode(self):
        weights, kv = parameters_of(self.model)
        for batch in ((2,) if self.small else (1, 16, 64, 256)):
            tokens = 8 if self.small else 256
            flags = ["--samples", 1, "--max-new-tokens", tokens, "--ignore-eos", "--temperature", 0.7, "--top-p", 0.9,
                     "--max-batch", batch]
            for kernels in ((), ("--own-kernels",)):
                _, summary = self.worker("generate", self.prompts(batch), *flags, *kernels, dtype="bfloat16")
                rate = summary["tokens_per_second"]
                context = 40 + tokens / 2
                bound = self.bandwidth and 1e9 * self.bandwidth / (2 * weights / batch + 2 * kv * context)
                yield {"what": f"decode, batch {batch}" + (", own kernels" if kernels else ""), "tokens_per_second": round(rate, 1),
                       "share_of_bandwidth": self.share(rate, bound)}

    def bench_prefill(self):
        weights, _ = parameters_of(self.model)
        text = "The quick brown fox jumps over the lazy dog. " * (4 if self.small else 60)
        rows = [{"id": str(i), "prompt": f"{i}: {text}", "response": f"{i} {text}"} for i in range(4 if self.small else 128)]
        _, summary = self.worker("logprobs", rows, "--prefill-chunk-tokens", 4096, dtype="bfloat16")
        rate = summary["prefilled_tokens"] / summary["seconds"]
        yield {"what": "prefill", "tokens_per_second": round(rate, 1),
               "share_of_arithmetic": self.share(2 * weights * rate, self.tflops and 1e12 * self.tflops)}

    def bench_dpo(self):
        weights, _ = parameters_of(self.model)
        words = "one two three four five six seven eight nine ten " * (1 if self.small else 20)
        data = self.write("pairs.jsonl", [{"prompt": f"{i}: say something.", "chosen": f"{i} {words}", "rejected": f"{words} {i}"}
                                          for i in range(8 if self.small else 64)])
        for name, flags, factor in (("kept", [], 6), ("recomputed", ["--activation-checkpointing", "block"], 8)):
            steps = 2 if self.small else 8
            rows = self.train(1, "--micro-batch-tokens", 8192, *flags, dtype="bfloat16", model=self.model, data=data, steps=steps)
            seconds = sorted(row["seconds"] for row in rows[1:])
            tokens = rows[-1]["tokens"]
            rate = tokens / seconds[len(seconds) // 2]
            yield {"what": f"DPO step, activations {name}", "tokens_per_second": round(rate, 1),
                   "share_of_arithmetic": self.share(factor * weights * rate, self.tflops and 1e12 * self.tflops)}

    def bench_peers(self):
        if not self.peer:
            return
        ended = self.run([self.peer, SOURCE / "tests/gpu/peers.py", self.model, "--small" if self.small else "--full"])
        for line in ended.stdout.splitlines():
            yield json.loads(line)

    def everything(self):
        for name in dir(self):
            if not name.startswith("test_"):
                continue
            begin = time.monotonic()
            try:
                result, passed = getattr(self, name)(), True
            except (Failed, subprocess.TimeoutExpired) as error:
                result, passed = str(error), False
            self.results["tests"].append({"test": name[5:].replace("_", " "), "passed": passed, "result": result,
                                          "seconds": round(time.monotonic() - begin, 1)})
            print(f"{'ok  ' if passed else 'FAIL'} {name[5:]}: {result}", flush=True)
        for name in ("bench_decode", "bench_prefill", "bench_dpo", "bench_peers"):
            try:
                for row in getattr(self, name)():
                    self.results["benchmarks"].append(row)
                    print(f"     {row}", flush=True)
            except (Failed, subprocess.TimeoutExpired) as error:
                self.results["tests"].append({"test": name, "passed": False, "result": str(error), "seconds": 0})
                print(f"FAIL {name}: {error}", flush=True)

    def markdown(self):
        of = self.devices[0]
        lines = [f"{len(self.devices)} x {self.name}, {of['libraries']}, {self.results['date']}; {self.model.name}", "",
                 "| test | | |", "|---|---|---|"]
        for row in self.results["tests"]:
            lines.append(f"| {row['test']} | {'passed' if row['passed'] else 'failed'} | {row['result'].splitlines()[0]} |")
        lines += ["", "| benchmark | tokens/s | of memory's bandwidth | of arithmetic |", "|---|---|---|---|"]
        for row in self.results["benchmarks"]:
            lines.append(f"| {row['what']} | {row['tokens_per_second']} | {row.get('share_of_bandwidth') or ''} | "
                         f"{row.get('share_of_arithmetic') or ''} |")
        return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("build")
    parser.add_argument("--out", default="runs/gpu")
    parser.add_argument("--model", default=str(CACHE / "models/SmolLM2-135M-Instruct"))
    parser.add_argument("--peer")
    parser.add_argument("--small", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="srlm-gpu-") as folder:
        try:
            suite = Suite(arguments, pathlib.Path(folder))
        except Failed as error:
            sys.exit(f"no GPU to test: {error}")
        suite.everything()
    out = pathlib.Path(arguments.out)
    out.mkdir(parents=True, exist_ok=True)
    (out / "gpu.json").write_text(json.dumps(suite.results, indent=1) + "\n")
    (out / "gpu.md").write_text(suite.markdown())
    print(f"{out}/gpu.md, {out}/gpu.json")
    sys.exit(0 if all(row["passed"] for row in suite.results["tests"]) else 1)


if __name__ == "__main__":
    main()
