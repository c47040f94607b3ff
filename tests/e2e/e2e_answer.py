#!/usr/bin/env python3
"""srlm answer: a model's answers to AlpacaEval's and MT-Bench's questions, read as those benchmarks' programs read them.

    e2e_answer.py BIN_FOLDER
"""

import glob
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

MODEL = pathlib.Path(__file__).resolve().parents[1] / "reference/models/smollm2"
BIN = ""  # set by main
ALPACA = [{"instruction": "Name a river.", "output": "The Rhine.", "generator": "reference", "dataset": "helpful_base"},
          {"instruction": "Name \"two\" seas.\n- one\n- two", "dataset": "koala"}]
MT_BENCH = [{"question_id": 81, "category": "writing", "turns": ["Write a line.", "Write it again."]},
            {"question_id": 101, "category": "math", "turns": ["What is 2 + 2?", "And twice that?"]},
            {"question_id": 7, "category": "other", "turns": ["word " * 3000, "Again?"]}]


class Answer(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name)

    def answer(self, benchmark, questions, out, *more, code=0, model=MODEL):
        ended = subprocess.run([f"{BIN}/srlm", "answer", str(model), "--benchmark", benchmark, "--questions",
                                str(questions), "--out", str(out), "--max-new-tokens", "8", "--threads", "1", *more],
                               timeout=120, text=True, capture_output=True, stdin=subprocess.DEVNULL)
        self.assertEqual(ended.returncode, code, ended.stderr)
        return ended.stderr

    def test_alpaca_evals_model_outputs(self):
        """alpaca_eval reads .json files as tables: one generator, and instruction and output in every row."""
        for name, content in (("list.json", json.dumps(ALPACA)),
                              ("lines.jsonl", "".join(json.dumps(row) + "\n" for row in ALPACA))):
            questions, out = self.path / name, self.path / "outputs.json"
            questions.write_text(content)
            self.assertIn("of 2 texts are cut at 8 tokens; --max-new-tokens",
                          self.answer("alpaca-eval", questions, out, "--name", "M2"))
            rows = json.loads(out.read_text(encoding="utf-8"))
            self.assertEqual([row["instruction"] for row in rows], [row["instruction"] for row in ALPACA])
            self.assertEqual({row["generator"] for row in rows}, {"M2"})
            self.assertEqual([row["dataset"] for row in rows], ["helpful_base", "koala"])
            for row in rows:
                self.assertEqual(set(row), {"instruction", "output", "generator", "dataset"})
                self.assertTrue(row["output"])
                self.assertNotEqual(row["output"], "The Rhine.")

    def test_fastchats_model_answers(self):
        """FastChat reads each model_answer/NAME.jsonl by question_id, and judges the two turns of its first choice."""
        questions = self.path / "question.jsonl"
        questions.write_text("".join(json.dumps(row) + "\n" for row in MT_BENCH))
        folder = self.path / "model_answer"
        folder.mkdir()
        said = self.answer("mt-bench", questions, folder / "tiny.jsonl", "--name", "tiny")
        self.assertRegex(said, r'1 of 5 texts are empty; the first:\n  7/0 "word word .*": .*\d')
        self.assertEqual(os.listdir(folder), ["tiny.jsonl"])
        answers = {}
        for filename in sorted(glob.glob(os.path.join(folder, "*.jsonl"))):
            with open(filename, encoding="utf-8") as lines:
                rows = [json.loads(line) for line in lines]
            answers[os.path.basename(filename)[:-6]] = {row["question_id"]: row for row in rows}
        self.assertEqual(list(answers), ["tiny"])
        self.assertEqual(list(answers["tiny"]), [81, 101, 7])
        for question in MT_BENCH:
            row = answers["tiny"][question["question_id"]]
            self.assertEqual(row["model_id"], "tiny")
            self.assertEqual([choice["index"] for choice in row["choices"]], [0])
            self.assertEqual(len(row["choices"][0]["turns"]), 2)
            self.assertIsInstance(row["tstamp"], float)
        self.assertTrue(all(answers["tiny"][81]["choices"][0]["turns"]))
        self.assertEqual(answers["tiny"][7]["choices"][0]["turns"], ["", ""])  # too long for the model
        self.assertEqual(len({row["answer_id"] for row in answers["tiny"].values()}), 3)

    def test_a_second_turn_is_asked_after_the_first_answer(self):
        questions, out = self.path / "question.jsonl", self.path / "tiny.jsonl"
        questions.write_text(json.dumps(MT_BENCH[1]) + "\n")
        self.answer("mt-bench", questions, out)
        first, second = json.loads(out.read_text())["choices"][0]["turns"]  # math is greedy
        asked = self.path / "asked.jsonl"
        asked.write_text(json.dumps({"prompt_id": "x", "messages": [
            {"role": "user", "content": MT_BENCH[1]["turns"][0]}, {"role": "assistant", "content": first},
            {"role": "user", "content": MT_BENCH[1]["turns"][1]}]}) + "\n")
        subprocess.run([f"{BIN}/srlm-worker", "generate", "--model", MODEL, "--prompts", asked, "--out",
                        self.path / "second.jsonl", "--samples", "1", "--greedy", "--max-new-tokens", "8"], check=True,
                       timeout=60, capture_output=True, stdin=subprocess.DEVNULL)
        self.assertEqual(json.loads((self.path / "second.jsonl").read_text())["text"], second)

    def test_answers_that_are_all_empty_are_a_failure(self):
        questions, out = self.path / "question.jsonl", self.path / "tiny.jsonl"
        questions.write_text(json.dumps(MT_BENCH[2]) + "\n")
        self.assertIn("all 1 answers are empty", self.answer("mt-bench", questions, out, code=1))
        self.assertFalse(out.exists())

    def test_a_model_without_a_chat_template_is_given_one(self):
        model, template, out = self.path / "model", MODEL / "chat_template.jinja", self.path / "outputs.json"
        shutil.copytree(MODEL, model)
        (model / "chat_template.jinja").unlink()
        questions = self.path / "list.json"
        questions.write_text(json.dumps(ALPACA))
        self.assertIn("pass --chat-template", self.answer("alpaca-eval", questions, out, code=1, model=model))
        self.answer("alpaca-eval", questions, out, "--name", "M2", "--chat-template", str(template), model=model)
        given = out.read_text()
        self.answer("alpaca-eval", questions, out, "--name", "M2")
        self.assertEqual(out.read_text(), given)
        self.assertIn("leave --chat-template out",
                      self.answer("alpaca-eval", questions, out, "--chat-template", str(template), code=1))

    def test_an_output_that_cannot_be_written_is_said_before_anything_is_read(self):
        self.assertIn("none/out", self.answer("mt-bench", self.path / "no_questions", self.path / "none/out", code=1))

    def test_wrong_questions_are_named(self):
        wrong = self.path / "wrong.json"
        for benchmark, content, pattern in (("alpaca-eval", '[{"output": "x"}]', "wrong.json: element 1"),
                                            ("alpaca-eval", "[]", "empty"),
                                            ("alpaca-eval", '[\n{"instruction": "a"},\n', "wrong.json:3: is no whole"),
                                            ("alpaca-eval", '[{"instruction": " "}]', "no text 'instruction'"),
                                            ("alpaca-eval", '[{"instruction": "a", "dataset": 1}]', "'dataset' as number"),
                                            ("mt-bench", '{"question_id": "a", "turns": ["x"]}\n', "wrong.json:1"),
                                            ("mt-bench", '{"question_id": 1}\n', "wrong.json:1: 'turns'"),
                                            ("mt-bench", '{"question_id": 1, "turns": []}\n', "empty list"),
                                            ("mt-bench", '{"question_id": 1, "turns": ["a", " "]}\n', "element 2 is empty"),
                                            ("mt-bench", '{"question_id": 1, "turns": ["a"], "category": 2}\n',
                                             "'category'"),
                                            ("mt-bench", '{"question_id": 1, "turns": ["a"]}\n' * 2,
                                             "wrong.json:2: 'question_id' 1 is in line 1 too")):
            wrong.write_text(content)
            self.assertIn(pattern, self.answer(benchmark, wrong, self.path / "out", code=1))
            self.assertFalse((self.path / "out").exists())


if __name__ == "__main__":
    BIN = os.path.abspath(sys.argv.pop(1))
    unittest.main()
