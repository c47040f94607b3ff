#!/usr/bin/env python3
"""transformers and TRL on the same GPU, as suite.py measures srlm: a JSON row a measurement.

    peers.py MODEL --small|--full
"""

import json
import sys
import tempfile
import time

import torch
from datasets import Dataset
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import DPOConfig, DPOTrainer


def decode(model, tokenizer, batch, tokens):
    texts = [tokenizer.apply_chat_template([{"role": "user", "content": f"What is the capital of France? ({i})"}],
                                           tokenize=False, add_generation_prompt=True) for i in range(batch)]
    inputs = tokenizer(texts, return_tensors="pt", padding=True, padding_side="left").to(model.device)
    flags = {"do_sample": True, "temperature": 0.7, "top_p": 0.9, "min_new_tokens": tokens, "max_new_tokens": tokens}
    model.generate(**inputs, **{**flags, "min_new_tokens": 4, "max_new_tokens": 4})
    torch.cuda.synchronize()
    begin = time.monotonic()
    model.generate(**inputs, **flags)
    torch.cuda.synchronize()
    return batch * tokens / (time.monotonic() - begin)


def dpo(path, model, tokenizer, pairs, steps, words):
    rows = [{"prompt": f"{i}: say something.", "chosen": f"{i} {words}", "rejected": f"{words} {i}"} for i in range(pairs)]
    tokens = sum(2 * len(tokenizer(row["prompt"])["input_ids"]) + len(tokenizer(row["chosen"])["input_ids"])
                 + len(tokenizer(row["rejected"])["input_ids"]) for row in rows[:4]) / 4
    with tempfile.TemporaryDirectory() as folder:
        config = DPOConfig(output_dir=folder, per_device_train_batch_size=4, max_steps=steps, bf16=True, report_to=[],
                           save_strategy="no", logging_steps=1, learning_rate=1e-6)
        trainer = DPOTrainer(model=model, args=config, train_dataset=Dataset.from_list(rows), processing_class=tokenizer)
        trainer.args.max_steps = 1
        trainer.train()
        trainer.args.max_steps = steps
        torch.cuda.synchronize()
        begin = time.monotonic()
        trainer.train()
        torch.cuda.synchronize()
        return 4 * tokens * steps / (time.monotonic() - begin)


def main():
    path, size = sys.argv[1], sys.argv[2]
    if not torch.cuda.is_available():
        sys.exit("this Python's torch sees no GPU")
    small = size == "--small"
    tokenizer = AutoTokenizer.from_pretrained(path)
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.bfloat16).cuda()
    for batch in ((1, 2) if small else (1, 16, 64, 256)):
        rate = decode(model, tokenizer, batch, 8 if small else 256)
        print(json.dumps({"what": f"transformers: decode, batch {batch}", "tokens_per_second": round(rate, 1)}), flush=True)
    words = "one two three four five six seven eight nine ten " * (1 if small else 20)
    rate = dpo(path, model, tokenizer, 8 if small else 64, 2 if small else 8, words)
    print(json.dumps({"what": "TRL: DPO step", "tokens_per_second": round(rate, 1)}), flush=True)


if __name__ == "__main__":
    main()
