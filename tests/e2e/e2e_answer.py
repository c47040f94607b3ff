#!/usr/bin/env python3
"""srlm answer: a model's answers to AlpacaEval's and MT-Bench's questions, read as those benchmarks' programs read them.

    e2e_answer.py BIN_FOLDER
"""

import glob
import json
import os
import pathlib
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

    def answer(self, benchmark, questions, out, *more, code=0):
        ended = subprocess.run([f"{BIN}/srlm", "answer", str(MODEL), "--benchmark", benchmark, "--questions",
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
            self.answer("alpaca-eval", questions, out, "--name", "M2")
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
        self.answer("mt-bench", questions, folder / "tiny.jsonl", "--name", "tiny")
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

    def test_wrong_questions_are_named(self):
        wrong = self.path / "wrong.json"
        for benchmark, content, pattern in (("alpaca-eval", '[{"output": "x"}]', "wrong.json: element 1"),
                                            ("alpaca-eval", "[]", "empty"), ("alpaca-eval", "[1, ", "JSON list"),
                                            ("mt-bench", '{"question_id": "a", "turns": ["x"]}\n', "wrong.json:1"),
                                            ("mt-bench", '{"question_id": 1}\n', "turns")):
            wrong.write_text(content)
            self.assertIn(pattern, self.answer(benchmark, wrong, self.path / "out", code=1))
            self.assertFalse((self.path / "out").exists())


if __name__ == "__main__":
    BIN = os.path.abspath(sys.argv.pop(1))
    unittest.main()
