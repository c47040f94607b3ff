"""Logits and log-probabilities of SmolLM2-135M-Instruct in transformers (float32), data/smollm2_logits.json.

    ~/.cache/srlm/venv-reference/bin/python tests/reference/smollm2_logits.py

{"logits": [{"text", "token_ids", "indices" [128], "values" [128]}]: after the last token, the 64 largest logits and 64 at
fixed vocabulary indices; "pairs": [{"prompt", "response", "prompt_token_ids", "token_ids", "token_logprobs",
"logprob"}]: prompt rendered with the chat template, token_ids the response's with its end-of-turn token}.
"""
import torch

import reference_common as common

FIXED = [(i * 769 + 5) % 49152 for i in range(64)]
RAW_TEXT = "The three largest planets of the solar system are Jupiter, Saturn and"
QUESTIONS = ["How many legs does a spider have?", "Write one line of Python that prints the numbers 1 to 10."]
PAIRS = [
    ("How many legs does a spider have?", "A spider has eight legs."),
    ("Name a drink that is good in hot weather.",
     "Cold mint tea: steep fresh mint for five minutes, let it cool, and serve it over ice with a slice of lemon."),
    ("Write one line of Python that prints the numbers 1 to 10.", "print(*range(1, 11), sep=\"\\n\")"),
    ("Is it safe to look at the sun?",
     "No. Sunlight burns the retina, and because it has no pain nerves you notice only later.\n\n"
     "- Never look at it without a proper filter.\n- Sunglasses are not enough \u2600\ufe0f."),
]


def logits_of(model, text, ids):
    with torch.inference_mode():
        last = model(input_ids=torch.tensor([ids]), logits_to_keep=1).logits[0, -1]
    indices = last.topk(64).indices.tolist() + FIXED
    return {"text": text, "token_ids": ids, "indices": indices, "values": [round(last[i].item(), 6) for i in indices]}


def pair_of(model, tokenizer, prompt, response):
    prompt_ids, response_ids = common.encode_pair(tokenizer, prompt, response)
    values = common.token_logprobs(model, prompt_ids, response_ids)
    return {"prompt": prompt, "response": response, "prompt_token_ids": prompt_ids, "token_ids": response_ids,
            "token_logprobs": [round(value, 6) for value in values], "logprob": round(sum(values), 6)}


def main():
    tokenizer, model = common.load_tokenizer(common.SMOLLM2), common.load_model(common.SMOLLM2)
    texts = [RAW_TEXT] + [common.user_turn(tokenizer, question) for question in QUESTIONS]
    common.write_json(common.DATA / "smollm2_logits.json", common.versions() | {
        "logits": [logits_of(model, text, common.encode(tokenizer, text)) for text in texts],
        "pairs": [pair_of(model, tokenizer, prompt, response) for prompt, response in PAIRS]})


if __name__ == "__main__":
    main()
