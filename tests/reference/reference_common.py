"""What the reference scripts share: places, loading in transformers as float32, chat rendering, log-probabilities."""
import json
import os
import pathlib

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
DATA = HERE / "data"
CACHE = pathlib.Path(os.environ.get("SRLM_CACHE") or pathlib.Path.home() / ".cache/srlm")
SMOLLM2 = CACHE / "models/SmolLM2-135M-Instruct"
SHARED = pathlib.Path(os.environ.get("SRLM_SHARED") or ROOT.parent / "shared")


def read_rows(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def write_rows(path, rows):
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)


def write_json(path, value):
    path = pathlib.Path(path)
    lines = []  # a line a key, and a line an element of a list of objects
    for key, item in value.items():
        if isinstance(item, list) and item and isinstance(item[0], dict):
            lines.append(f'"{key}": [\n  ' + ",\n  ".join(map(json.dumps, item)) + "]")
        else:
            lines.append(f'"{key}": {json.dumps(item)}')
    path.write_text("{" + ",\n ".join(lines) + "}\n", encoding="utf-8")
    print(f"wrote {path}")


def load_model(folder, threads=2):
    """transformers' model of a folder, float32, evaluation mode."""
    import torch
    import transformers
    torch.set_num_threads(threads)
    transformers.utils.logging.disable_progress_bar()
    return transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()


def load_tokenizer(folder):
    import transformers
    return transformers.AutoTokenizer.from_pretrained(folder)


def user_turn(tokenizer, text):
    """One user message as the model sees it, ready for the answer."""
    return tokenizer.apply_chat_template(
        [{"role": "user", "content": text}], tokenize=False, add_generation_prompt=True)


def encode(tokenizer, text):
    return tokenizer(text, add_special_tokens=False).input_ids


def encode_pair(tokenizer, prompt, response):
    """(prompt ids, response ids with the end-of-turn token), each text tokenised on its own, as srlm does."""
    return (encode(tokenizer, user_turn(tokenizer, prompt)),
            encode(tokenizer, response) + [tokenizer.eos_token_id])


def token_logprobs(model, prompt_ids, response_ids):
    """log p of each response token given all before it; log-softmax in float64 of float32 logits, [response]."""
    import torch
    with torch.inference_mode():
        ids = torch.tensor([prompt_ids + response_ids])
        logits = model(input_ids=ids, logits_to_keep=len(response_ids) + 1).logits[0, :-1]
        return logits.double().log_softmax(-1).gather(1, torch.tensor(response_ids)[:, None])[:, 0].tolist()


def of_model(folder):
    """What a figure says of its model: nothing of the usual one."""
    return "" if pathlib.Path(folder) == SMOLLM2 else f", {pathlib.Path(folder).name}"


def extremes(values):
    """(smallest, largest)."""
    values = list(values)
    return min(values), max(values)


def versions():
    import torch
    import transformers
    return {"transformers": transformers.__version__, "torch": torch.__version__, "dtype": "float32"}


def figure(name, value, limit=None, **extra):
    """Prints one figure in the form that tests/tools/figures.py gathers; passes when value <= limit. Returns that."""
    row = {"figure": name, "value": value}
    if limit is not None:
        row |= {"limit": f"<= {limit:g}", "pass": bool(value <= limit)}
    print(json.dumps(row | extra), flush=True)
    return row.get("pass", True)


def program(name):
    """Path of one of srlm's programs: in SRLM_BIN, else in build/bin."""
    return str(pathlib.Path(os.environ.get("SRLM_BIN") or ROOT / "build/bin") / name)


def run_program(*command):
    """Runs a command to its end; its standard error is shown, another code than 0 ends this script."""
    import subprocess
    import sys
    if not pathlib.Path(command[0]).exists():
        sys.exit(f"no program {command[0]}: build it first, or set SRLM_BIN")
    ended = subprocess.run([str(part) for part in command], stdout=subprocess.DEVNULL)
    if ended.returncode != 0:
        sys.exit(f"exit code {ended.returncode}: {' '.join(map(str, command))}")


def out_folder():
    """Where a script leaves its files: SRLM_OUT, else build/reference."""
    folder = pathlib.Path(os.environ.get("SRLM_OUT") or ROOT / "build/reference")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def real_prompts(count):
    """Rows of the first `count` user-oriented instructions, each with its input after an empty line."""
    rows = []
    for number, task in enumerate(read_rows(SHARED / "data/self_instruct_user_oriented.jsonl")[:count]):
        extra = task["instances"][0]["input"] if task.get("instances") else ""
        text = f"{task['instruction']}\n\n{extra}" if extra else task["instruction"]
        rows.append({"prompt_id": f"real-{number:03d}", "prompt": text})
    return rows


def real_pairs(tokenizer, count, most_tokens):
    """Best against worst human-ranked English answer of a prompt, where both fit in `most_tokens` with it."""
    answers = {}
    for row in read_rows(SHARED / "data/oasst2_ranked_answers.jsonl"):
        if row["language"] == "en":
            answers.setdefault(row["prompt_text"], []).append((row["quality_score"], row["response_text"]))
    pairs = []
    for prompt, ranked in answers.items():
        worst, best = min(ranked, key=lambda r: r[0]), max(ranked, key=lambda r: r[0])
        pair = {"prompt": prompt, "chosen": best[1], "rejected": worst[1]}
        tokens = [sum(map(len, encode_pair(tokenizer, prompt, pair[key]))) for key in ("chosen", "rejected")]
        if best[0] > worst[0] and max(tokens) <= most_tokens:
            pairs.append(pair)
        if len(pairs) == count:
            break
    return pairs
