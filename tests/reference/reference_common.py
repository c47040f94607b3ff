"""What the reference scripts share: where things are, loading in transformers as float32, chat rendering, log-probabilities."""
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
    return tokenizer.apply_chat_template([{"role": "user", "content": text}], tokenize=False, add_generation_prompt=True)


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


def versions():
    import torch
    import transformers
    return {"transformers": transformers.__version__, "torch": torch.__version__, "dtype": "float32"}
