#!/usr/bin/env python3
"""verify_text.py TEXT_ROWS: token ids, decoding and rendered templates of all rows of the shared data against Hugging Face.

TEXT_ROWS is build/tests/bin/text_rows. Every string field of every row of ${SRLM_SHARED:-../shared}/data/*.jsonl is
encoded (special tokens as their ids, and as text) and decoded; every prompt with its answer, and every list of turns,
is rendered as a conversation over the model's own template and those of data/text_templates. Prints a figure a line
(tests/tools/figures.py)."""
import json
import subprocess
import sys
import tempfile

from text_rows import SMOLLM2, TEMPLATES, conversation_row, load_tokenizer, text_row
from reference_common import SHARED, read_rows

# Fields that hold a question and its answer, by the files that have them.
PAIRS = [("prompt_text", "response_text"), ("instruction", "input"), ("input", "output"), ("instruction", "output")]


def strings(value):
    """Every string inside a row, with the empty ones."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from strings(item)


def objects(value):
    """Every object inside a row, its own instances included: an instance sees its row's fields too."""
    yield value
    for instance in value.get("instances", []):
        yield {**value, **instance}


def conversations(row):
    for item in objects(row):
        for question, answer in PAIRS:
            if isinstance(item.get(question), str) and isinstance(item.get(answer), str):
                yield [("user", item[question]), ("assistant", item[answer])]
                yield [("user", item[question])]
    turns = row.get("turns", [])
    if turns:
        yield [("user", turns[0])]
        yield [(("user", "assistant")[index % 2], turn) for index, turn in enumerate(turns)]
        yield [("system", turns[-1]), ("user", turns[0])]


def our_answers(tool, rows):
    with tempfile.TemporaryFile("w+", encoding="utf-8") as questions:
        questions.writelines(json.dumps(row) + "\n" for row in rows)
        questions.seek(0)
        output = subprocess.run([tool, SMOLLM2, TEMPLATES], stdin=questions, stdout=subprocess.PIPE, check=True).stdout
    return [json.loads(line) for line in output.decode("utf-8").split("\n") if line]


def expected_text(tokenizer, text):
    row = text_row(tokenizer, text)
    row["decoded"] = tokenizer.decode(row["ids"], skip_special_tokens=True)
    row["decoded_start"] = tokenizer.decode(row["ids"][:len(row["ids"]) // 2], skip_special_tokens=False)
    return row


def report(name, ours, expected):
    wrong = [index for index, pair in enumerate(zip(ours, expected, strict=True)) if pair[0] != pair[1]]
    for index in wrong[:3]:
        print(f"{name} {index}:\n  ours     {json.dumps(ours[index])[:600]}\n  expected {json.dumps(expected[index])[:600]}")
    tokens = sum(len(row["ids"]) for row in expected)
    print(json.dumps({"figure": f"{name} that differ from Hugging Face's", "value": len(wrong), "limit": "0",
                      "pass": not wrong and bool(expected), "note": f"of {len(expected)}, {tokens} tokens"}), flush=True)
    return not wrong


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    tool, tokenizer = sys.argv[1], load_tokenizer()
    texts, talks = {}, {}  # dicts keep the order and drop repeats
    for path in sorted((SHARED / "data").glob("*.jsonl")):
        for row in read_rows(path):
            texts |= dict.fromkeys(strings(row))
            talks |= dict.fromkeys(tuple(talk) for talk in conversations(row))
    talks = [[{"role": role, "content": content} for role, content in talk] for talk in talks]
    holds = report("texts", our_answers(tool, [{"text": text} for text in texts]),
                   [expected_text(tokenizer, text) for text in texts])
    for template in [None, *sorted(path.name for path in TEMPLATES.iterdir())]:
        # One template wants turns in order, which a system message with a question keeps too.
        rows = [{"messages": talk, **({"template": template} if template else {})} for talk in talks]
        expected = [conversation_row(tokenizer, talk, template) for talk in talks]
        holds &= report(f"conversations over {template or 'the template of the model'}", our_answers(tool, rows), expected)
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
