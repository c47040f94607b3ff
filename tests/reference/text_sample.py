#!/usr/bin/env python3
"""Writes data/text_sample.jsonl: 300 rows of our own making with Hugging Face's token ids and rendered templates.

Run with the reference environment's Python (make verify sets it up); tests/common/text/text_sample_test.cc reads it."""
import json
import random

from text_rows import DATA, TEMPLATES, conversation_row, load_tokenizer, text_row
from text_sample_parts import CODE, EMOJI, FORMS, INVISIBLE, NUMBERS, REPEATS, SENTENCES, SPACES

ROWS, CONVERSATIONS = 300, 110
ROLES = ("user", "assistant")


def texts(special, draw):
    """Text rows by hand first, then seeded mixtures of everything until the count is reached."""
    rows = ["", " ", "  ", "\n", "a", " a", "a ", "\u0000", "7", " 7", *SENTENCES, *EMOJI, *CODE, *NUMBERS, *FORMS, *REPEATS]
    rows += [f"n={' ' * run}{run}{' ' * run}x" for run in range(1, 9)]
    rows += ["\n".join(f"{' ' * indent}{indent} item" for indent in range(6)), "\t1\t22\t\t333 \t 4"]
    rows += [" ".join(f"a{space}b{space}{space}1" for space in SPACES), SPACES, "x".join(INVISIBLE)]
    rows += ["".join(map(chr, range(0x20))) + "\u007f", "".join(map(chr, range(0x80, 0xA0)))]
    rows += [f"cut{chr(code)}here {chr(code)}1{chr(code)}" for code in (0, 1, 7, 8, 0x1B, 0x1C, 0x1F, 0x7F, 0x9F)]
    rows += [f"before {token} after" for token in special]
    start, end, stop = "<|im_start|>", "<|im_end|>", "<|endoftext|>"
    rows += [end, end + end, f"{start}user\nhi{end}\n{start}assistant\n", f"  {stop}  12", f"1{end}2", f"<{end}>",
             "<|im_end", "|im_end|>", "<|im_\u200bend|>", "<|IM_END|>", "< |im_end|>", f"\ue000{end}\ue001",
             "<|im_<|im_end|>end|>", f"é{stop}é", "<<|im_start|>|im_start|>", "<file_sep><filename>a.c<gh_stars>3"]
    pieces = [*SENTENCES, *EMOJI, *CODE, *NUMBERS, *FORMS, *special]
    while len(rows) < ROWS - CONVERSATIONS:
        parts = [cut(draw.choice(pieces), draw) for _ in range(draw.randint(2, 6))]
        gaps = [draw.choice([" ", "", "\n", "  ", "\n\n", "\t", " \n", draw.choice(SPACES), " " * draw.randint(3, 9)]) for _ in parts]
        rows.append("".join(part + gap for part, gap in zip(parts, gaps)))
    assert len(rows) == ROWS - CONVERSATIONS, f"{len(rows)} text rows by hand: raise ROWS or CONVERSATIONS"
    return rows


def cut(text, draw):
    """Some stretch of a text, which may begin or end inside a word, an emoji or a special token."""
    start = draw.randrange(max(1, len(text) // 2))
    return text[start:start + draw.randint(1, 40)]


def conversations(special, draw):
    """Conversations of one to five turns, with and without a system message, over the model's template and our four."""
    fixed = [
        ["Hi", None], ["  spaces around  ", None], ["", ""], ["\n\nlines\n\n", "\u00a0odd\u3000"], ["\u001ccontrol\u001f", "\u000bodd\u0085"],
        ["Is <|im_end|> a marker?", "Yes: <|im_end|>\n<|im_start|>user\nno"], ["<|im_start|>system\nObey.<|im_end|>", None],
        ["<think>a</think>b", "x</think>\n\n  y"], ["{{ 7 * 7 }} {% if %} {# c #}", "{{ messages }}"], ["\ue000<|im_end|>\ue001", None],
        ["Hello there 12  345", "It's 'quoted' \"twice\" \\ and / back"], ["<|endoftext|>", "<|im_end|>"],
    ]
    pool = [*SENTENCES, *EMOJI, *CODE, *NUMBERS, *FORMS]
    templates = [None, None, "brackets.jinja", "headers.jinja", "blocks.jinja", "values.jinja"]
    for index in range(CONVERSATIONS):
        if index < 2 * len(fixed):
            turns = [turn for turn in fixed[index // 2] if turn is not None]
            template = None if index % 2 == 0 else templates[2 + index // 2 % 4]
        else:
            turns = [some_content(pool, special, draw) for _ in range(draw.randint(1, 5))]
            template = draw.choice(templates)
        messages = [{"role": ROLES[turn % 2], "content": content} for turn, content in enumerate(turns)]
        if draw.random() < 0.4:
            messages.insert(0, {"role": "system", "content": some_content(pool, special, draw)})
        yield messages, template


def some_content(pool, special, draw):
    text = "".join(cut(draw.choice(pool), draw) for _ in range(draw.randint(1, 3)))
    if draw.random() < 0.25:
        at = draw.randint(0, len(text))
        text = text[:at] + draw.choice(special) + text[at:]
    return draw.choice(["", " ", "\n", "\t"]) + text + draw.choice(["", " ", "\n"])


def main():
    tokenizer, draw = load_tokenizer(), random.Random(3)
    special = sorted(token.content for token in tokenizer.added_tokens_decoder.values() if token.special)
    rows = [text_row(tokenizer, text) for text in texts(special, draw)]
    rows += [conversation_row(tokenizer, *conversation) for conversation in conversations(special, draw)]
    assert len(rows) == ROWS and {row.get("template") for row in rows} >= {path.name for path in TEMPLATES.iterdir()}
    path = DATA / "text_sample.jsonl"
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, separators=(",", ":")) + "\n" for row in rows)
    print(f"wrote {path}: {len(rows)} rows, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
