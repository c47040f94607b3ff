"""Hugging Face's side of the text comparison: token ids, ids with special tokens as text, decoding, rendering.

The tokenizer is the converted folder's tokenizer.json. transformers' GGUF loader would not do: it forgets SmolLM2's
pre-tokenizer of single digits, which shows at runs of spaces before a number."""
import json

from reference_common import DATA, SMOLLM2  # sets the environment that transformers reads, so it comes first
from transformers import AutoTokenizer

TEMPLATES = DATA / "text_templates"


def load_tokenizer(folder=SMOLLM2):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    ours = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["pre_tokenizer"]
    used = json.loads(tokenizer.backend_tokenizer.to_str())["pre_tokenizer"]
    kinds = [part["type"] for part in ours["pretokenizers"]]
    assert kinds == ["Digits", "ByteLevel"] and ours["pretokenizers"][0]["individual_digits"], ours
    assert used == ours, f"transformers changed the pre-tokenizer to {used}"
    return tokenizer


def encode(tokenizer, text, as_text=False):
    return tokenizer(text, add_special_tokens=False, split_special_tokens=as_text)["input_ids"]


def encode_as_text_chatml(tokenizer, messages):
    """Ids of the ChatML prompt with special tokens in roles and contents as text, piece by piece: what stands between
    two of the template's own markers is one piece."""
    start, end = tokenizer.convert_tokens_to_ids(["<|im_start|>", "<|im_end|>"])
    if messages[0]["role"] != "system":
        greeting = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"
        messages = [{"role": "system", "content": greeting}, *messages]
    ids = []
    for message in messages:
        ids += [start, *encode(tokenizer, f"{message['role']}\n{message['content']}", as_text=True), end]
        ids += encode(tokenizer, "\n", as_text=True)
    return [*ids, start, *encode(tokenizer, "assistant\n", as_text=True)]


def text_row(tokenizer, text):
    """`ids_as_text` only where it differs."""
    ids, as_text = encode(tokenizer, text), encode(tokenizer, text, as_text=True)
    row = {"text": text, "ids": ids}
    return row if ids == as_text else {**row, "ids_as_text": as_text}


def conversation_row(tokenizer, messages, template=None):
    """`rendered` without, `prompt` = what the generation prompt adds, `ids` of both together."""
    chat_template = None if template is None else (TEMPLATES / template).read_text(encoding="utf-8")

    def render(generation):
        return tokenizer.apply_chat_template(messages, chat_template=chat_template, tokenize=False,
                                             add_generation_prompt=generation)

    rendered, prompt = render(False), render(True)
    row = {"messages": messages, **({"template": template} if template else {}), "rendered": rendered}
    # Most templates only add to the end; the whole is kept where one does not.
    row |= {"adds": prompt[len(rendered):]} if prompt.startswith(rendered) else {"prompt": prompt}
    row["ids"] = encode(tokenizer, prompt)
    if template is None:
        as_text = encode_as_text_chatml(tokenizer, messages)
        row |= {"ids_as_text": as_text} if as_text != row["ids"] else {}
    return row
