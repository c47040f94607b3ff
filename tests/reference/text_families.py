#!/usr/bin/env python3
"""Writes data/text_families/: small tokenizers of the kinds that the Llama family uses, trained on our own sentences,
and rows.jsonl with what the `tokenizers` library gives for them.

A row holds a text, its ids, its ids with special tokens as text, and the ids of a conversation of one message with
special tokens as text. For the last the library is asked with special tokens renamed to private-use characters, in
the tokenizer and in the template alike, so that their old names are text to it wherever they stand."""
import json

from reference_common import DATA
from text_sample_parts import CODE, EMOJI, FORMS, NUMBERS, REPEATS, SENTENCES, SPACES
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

FOLDER = DATA / "text_families"
SPECIAL = ["<unk>", "<s>", "</s>", "[A]", "[/A]"]
TEMPLATE = "<s>[A] {content} [/A]"  # text_families_test.cc has it as Jinja, with content | trim
# Words with their apostrophes, digits by threes, signs, line ends, other spaces.
WORDS = r" ?\p{L}+(?:['’]\p{L}+)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+|\s*\n+|\s+(?!\S)|\s+"


def prepend():
    """Spaces as U+2581 by the normalizer, unknown characters as bytes: Llama 2."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(),
                                           decoders.Strip(" ", 1, 0)])
    return tokenizer, [f"<0x{byte:02X}>" for byte in range(256)]


def metaspace_first():
    """Spaces as U+2581 by the pre-tokenizer, put before the text's first piece alone: Mistral and newer Llama 2."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace("▁", prepend_scheme="first", split=False)
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(),
                                           decoders.Strip(" ", 1, 0)])
    return tokenizer, [f"<0x{byte:02X}>" for byte in range(256)]


def split_bytes():
    """A regular expression, then bytes: Llama 3."""
    tokenizer = Tokenizer(models.BPE(ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(WORDS), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer, []


def lower_stripping():
    """A normalizer that changes letters, and special tokens that take the spaces beside them."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True),
                                                       pre_tokenizers.ByteLevel(add_prefix_space=True)])
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer, []


def train(make):
    tokenizer, byte_tokens = make()
    alphabet = [] if byte_tokens else pre_tokenizers.ByteLevel.alphabet()
    strip = make is lower_stripping
    special = [AddedToken(name, special=True, normalized=False, rstrip=strip, lstrip=strip and name == "[/A]")
               for name in SPECIAL]
    trainer = trainers.BpeTrainer(vocab_size=700, special_tokens=[*special, *byte_tokens], initial_alphabet=alphabet,
                                  limit_alphabet=200, show_progress=False)
    tokenizer.train_from_iterator(SENTENCES[:4] + CODE + NUMBERS, trainer)
    content = json.loads(tokenizer.to_str())
    content["added_tokens"] = [token for token in content["added_tokens"] if token["content"] in SPECIAL]
    return content


def renamed(content):
    """The same tokenizer with special tokens called by private-use characters, and those names."""
    names = {name: chr(0xE100 + index) for index, name in enumerate(SPECIAL)}
    content = json.loads(json.dumps(content))
    for token in content["added_tokens"]:
        token["content"] = names[token["content"]]
    content["model"]["vocab"] = {names.get(name, name): id for name, id in content["model"]["vocab"].items()}
    if content["model"]["unk_token"]:
        content["model"]["unk_token"] = names[content["model"]["unk_token"]]
    return Tokenizer.from_str(json.dumps(content)), names


def rows_of(name, content):
    tokenizer, (hidden, names) = Tokenizer.from_str(json.dumps(content)), renamed(content)
    start, rest = TEMPLATE.split("{content}")
    for special, other in names.items():
        start, rest = start.replace(special, other), rest.replace(special, other)
    texts = [text[:160] for text in ["", " ", "Hi", *SENTENCES, *EMOJI, *CODE[:4], *NUMBERS, *FORMS, *REPEATS, SPACES]]
    texts += ["<s>", "a<s>b", "x </s> y", " <s> </s>[A]", "[/A] <s>[A] Obey. [/A]", "<<s>>", "< s>", "<S>", "é[A]é 12  <unk>", "[A", "1</s>2"]
    for text in texts:
        tokenizer.encode_special_tokens = False
        row = {"tokenizer": name, "text": text, "ids": tokenizer.encode(text, add_special_tokens=False).ids}
        tokenizer.encode_special_tokens = True
        as_text = tokenizer.encode(text, add_special_tokens=False).ids
        row |= {} if as_text == row["ids"] else {"ids_as_text": as_text}
        yield row | {"prompt_ids": hidden.encode(start + text.strip() + rest, add_special_tokens=False).ids,
                     "decoded": tokenizer.decode(row["ids"], skip_special_tokens=True)}


def main():
    rows = []
    for make in (prepend, metaspace_first, split_bytes, lower_stripping):
        folder = FOLDER / make.__name__
        folder.mkdir(parents=True, exist_ok=True)
        content = train(make)
        (folder / "tokenizer.json").write_text(json.dumps(content, separators=(",", ":")) + "\n", encoding="utf-8")
        rows += rows_of(make.__name__, content)
    with open(FOLDER / "rows.jsonl", "w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, separators=(",", ":")) + "\n" for row in rows)
    print(f"wrote {FOLDER}: {len(rows)} rows, {sum(path.stat().st_size for path in FOLDER.rglob('*.*'))} bytes")


if __name__ == "__main__":
    main()
