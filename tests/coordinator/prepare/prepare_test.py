#!/usr/bin/env python3
"""`srlm prepare` on files: what it writes, that it writes the same again, and what it says about bad data.

    prepare_test.py BIN_FOLDER
"""

import gzip
import hashlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(SOURCE / "tests/e2e"))
from loop import Loop  # noqa: E402

SEED = SOURCE / "deploy/data/seed"
BIN = ""  # set by main


def prepare(*arguments, timeout=200):
    return Loop(BIN, "").srlm("prepare", *map(str, arguments), timeout=timeout)


def rows(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def is_training(prompt_id):
    return hashlib.sha256(prompt_id.encode()).digest()[0] < 205


class Prepare(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="srlm-prepare-")
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name)
        self.out = self.path / "out"

    def write(self, name, *lines):
        path = self.path / name
        path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        return path

    def answers(self, count=30, **more):
        """Ranked answers to `count` English prompts, two each."""
        return [{"prompt_id": f"p{i}", "prompt_text": f"What should I know about the number {i} in daily life?",
                 "response_id": f"p{i}-{rank}", "quality_score": 1 - rank,
                 "response_text": f"This is the {'best' if rank == 0 else 'worst'} answer about the number {i}.", **more}
                for i in range(count) for rank in (1, 0)]

    def succeeds(self, *arguments):
        ended = prepare(*arguments, "--out", self.out)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        return ended.stdout

    def fails(self, pattern, *arguments, code=1):
        ended = prepare(*arguments, "--out", self.out)
        self.assertEqual(ended.returncode, code, ended.stdout + ended.stderr)
        self.assertRegex(ended.stderr, pattern)
        return ended.stderr

    def reasons(self):
        """(stage, reason, id) of all that was left out."""
        return {(row["stage"], row["reason"], row["prompt_id"]) for row in rows(self.out / "rejects.jsonl")}

    def report(self):
        return json.loads((self.out / "report.json").read_text())

    def lessons(self, *numbers, **more):
        """EFT rows on the answers to some prompts of answers()."""
        return [{"prompt": row["prompt_text"], "response": row["response_text"], "score": 1 + 3 * row["quality_score"],
                 "justification": "It says something about the number.", **more}
                for row in self.answers() if int(row["prompt_id"][1:]) in numbers]

    @staticmethod
    def chat(prompt, answer="This is a plain answer to what was asked.", system=None):
        return ([{"role": "system", "content": system}] if system else []) + [
            {"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]

    def test_it_parts_prompts_by_the_hash_of_their_ids(self):
        said = self.succeeds(self.write("in.jsonl", *self.answers()))
        ift, evaluation = rows(self.out / "ift.jsonl"), rows(self.out / "evaluation.jsonl")
        self.assertTrue(all(is_training(row["prompt_id"]) for row in ift))
        self.assertEqual({row["prompt_id"] for row in evaluation},
                         {f"p{i}" for i in range(30) if not is_training(f"p{i}")})
        self.assertTrue(all("the best answer" in row["messages"][1]["content"] for row in ift))
        report = json.loads((self.out / "report.json").read_text())
        self.assertEqual(report["ift_rows"] + report["lesson_prompts"], sum(is_training(f"p{i}") for i in range(30)))
        self.assertIn("evaluation.jsonl", said)

    def test_the_same_seed_writes_the_same_bytes_and_another_does_not(self):
        source = self.write("in.jsonl", *self.answers())
        self.succeeds(source)
        first = {path.name: path.read_bytes() for path in self.out.iterdir()}
        self.succeeds(source)
        self.assertEqual({path.name: path.read_bytes() for path in self.out.iterdir()}, first)
        self.succeeds(source, "--seed", "2")
        self.assertNotEqual((self.out / "ift.jsonl").read_bytes(), first["ift.jsonl"])

    def test_every_row_that_is_left_out_has_its_reason(self):
        answers = self.answers() + [
            {"prompt_id": "deutsch", "prompt_text": "Was ist die Hauptstadt von Frankreich?", "response_text": "Paris.",
             "quality_score": 1},
            {"prompt_id": "again", "prompt_text": "what should i know about the number 3 in daily life",
             "response_text": "Nothing at all.", "quality_score": 1}]
        overlap = next(f"p{i}" for i in range(30) if is_training(f"p{i}"))
        evaluation = self.write("evaluation.jsonl",
                                {"turns": [f"What should I know about the number {overlap[1:]} in daily life?"]})
        self.succeeds(self.write("in.jsonl", *answers), "--evaluation", evaluation)
        reasons = {(row["reason"], row["prompt_id"]) for row in rows(self.out / "rejects.jsonl")}
        self.assertLessEqual({("not_english", "deutsch"), ("duplicate_prompt", "again"),
                              ("overlaps_evaluation", overlap)}, reasons)
        self.assertNotIn(overlap, {row["prompt_id"] for row in rows(self.out / "ift.jsonl")})
        counted = {row["reason"]: row["count"] for row in json.loads((self.out / "report.json").read_text())["rejects"]}
        self.assertEqual(sum(counted.values()), len(rows(self.out / "rejects.jsonl")))

    def test_ready_made_rows_are_checked_and_passed_on(self):
        self.succeeds("--ift", SEED / "ift.jsonl", "--eft", SEED / "eft.jsonl", "--evaluation", SEED / "evaluation.jsonl")
        self.assertEqual(len(rows(self.out / "ift.jsonl")), len(rows(SEED / "ift.jsonl")))
        eft = rows(self.out / "eft.jsonl")
        self.assertTrue(eft and all(row["origin"] == "given" for row in eft))
        bad = self.write("bad.jsonl", {"prompt": "a", "response": "b", "justification": "c", "score": 6})
        self.fails(r"bad\.jsonl:1: 'score' is 6", "--ift", SEED / "ift.jsonl", "--eft", bad)
        self.fails(r"eft\.jsonl:1: is a judgement, a row of EFT; give such rows with --eft",
                   "--ift", SEED / "eft.jsonl")

    def test_prompts_of_given_lessons_are_kept_out_of_ift(self):
        source = self.write("in.jsonl", *self.answers())
        numbers = [i for i in range(30) if is_training(f"p{i}")][:5]
        eft = self.write("eft.jsonl", *self.lessons(*numbers))
        self.succeeds(source, "--eft", eft)
        self.assertEqual(len(rows(self.out / "eft.jsonl")), 10)
        self.assertEqual({row["prompt_id"] for row in rows(self.out / "ift.jsonl")},
                         {f"p{i}" for i in range(30) if is_training(f"p{i}") and i not in numbers})
        self.assertEqual({key for key in self.reasons() if key[0] != "evaluation"},
                         {("ift", "overlaps_eft", f"p{i}") for i in numbers})
        # What it wrote may be given again, and gives the same.
        first = {path.name: path.read_bytes() for path in self.out.iterdir() if path.suffix == ".jsonl"}
        (self.out / "eft.jsonl").rename(self.path / "again.jsonl")
        self.succeeds(source, "--eft", self.path / "again.jsonl")
        again = {path.name: path.read_bytes() for path in self.out.iterdir() if path.suffix == ".jsonl"}
        self.assertEqual({**again, "rejects.jsonl": b""}, {**first, "rejects.jsonl": b""})

    def test_given_rows_must_be_like_made_ones(self):
        first = self.chat("What should I know about tomatoes?")
        ift = self.write("ift.jsonl", {"messages": first}, {"messages": self.chat("what should I know about TOMATOES")},
                         {"messages": self.chat("Was sind die Ursachen der Revolution in Frankreich gewesen?")},
                         {"messages": first + self.chat("And what about potatoes and carrots?")},
                         {"messages": self.chat("What should I know about onions?", system="Be brief.")})
        lessons = self.lessons(0, 1)
        lessons[3] = {**lessons[3], "justification": "Fine. Score: 3"}
        eft = self.write("eft.jsonl", *lessons, lessons[0], *self.lessons(2, score=1))
        said = self.succeeds("--ift", ift, "--eft", eft)
        self.assertEqual(self.reasons(), {
            ("ift", "duplicate_prompt", f"{ift}:2"), ("ift", "not_english", f"{ift}:3"),
            ("ift", "not_first_turn", f"{ift}:4"), ("eft", "score_inside", f"{eft}:4"),
            ("eft", "same_answer", f"{eft}:5"), *(key for key in self.reasons() if key[1] == "balance")})
        self.assertEqual(len(rows(self.out / "ift.jsonl")), 2)
        self.assertEqual(self.report()["eft"], {"origin": "given", "scores_before_balance": [0, 4, 0, 0, 1, 0],
                                                "scores": [0, 1, 0, 0, 1, 0]})
        self.assertIn("before balancing", said)
        self.succeeds("--ift", ift, "--eft", eft, "--no-balance")
        self.assertEqual(len(rows(self.out / "eft.jsonl")), 5)
        self.succeeds("--ift", ift, "--eft", eft, "--keep-given")
        self.assertEqual([len(rows(self.out / name)) for name in ("ift.jsonl", "eft.jsonl")], [5, 7])
        self.assertEqual(self.reasons(), set())

    def test_given_rows_of_one_kind_are_enough(self):
        self.succeeds("--eft", SEED / "eft.jsonl")
        self.assertEqual({path.name for path in self.out.iterdir()}, {"eft.jsonl", "rejects.jsonl", "report.json"})
        self.succeeds("--ift", SEED / "ift.jsonl")
        self.assertEqual({path.name for path in self.out.iterdir()}, {"ift.jsonl", "rejects.jsonl", "report.json"})
        single = self.write("single.jsonl", *(row for row in self.answers() if row["quality_score"] == 1))
        self.succeeds(single, "--eft", SEED / "eft.jsonl")  # for IFT, where nothing is ranked

    def test_ift_keeps_a_system_message(self):
        asked = [f"What is the number {i} good for?" for i in range(10)]
        pairs = [{"chosen": self.chat(prompt, "It is good for a lot of things.", "Be brief."),
                  "rejected": self.chat(prompt, "It is no good at all.", "Be brief.")} for prompt in asked]
        source = self.write("pairs.jsonl", *pairs)
        self.fails("begin with a system message, which rows of EFT and evaluation have no place for", source)
        self.succeeds(source, "--eft-share", "0")
        self.assertEqual({row["messages"][0]["content"] for row in rows(self.out / "ift.jsonl")}, {"Be brief."})
        self.assertLessEqual({key[:2] for key in self.reasons()}, {("evaluation", "system_message")})

    def test_a_prompt_of_two_files_is_taken_from_the_first(self):
        first = self.write("first.jsonl", *self.answers())
        scored = [{"prompt": row["prompt_text"], "response": row["response_text"], "helpfulness": 3}
                  for row in self.answers()]
        second = self.write("second.jsonl", *scored)
        third = self.write("third.jsonl", *scored[:2], {"prompt": "What else is there to know about numbers?",
                                                        "response": "There is a lot to know.", "helpfulness": 4})
        self.succeeds(second, third, "--eft-share", "0")
        self.assertEqual({row["detail"] for row in rows(self.out / "rejects.jsonl")
                          if row["reason"] == "duplicate_prompt"}, {f"as in {second}"})
        self.succeeds(first, second)  # other ids, the same texts
        self.fails("is named twice; give each file once", first, first)
        other = self.write("other.jsonl", {"prompt_id": "p0", "prompt_text": "Something else?", "response_text": "No."})
        self.fails("prompt 'p0' is in .*first.jsonl with another text; ids must differ", first, other)

    def test_bad_data_is_named(self):
        single = [row for row in self.answers() if row["quality_score"] == 1]
        self.fails("each of the prompts has one answer", self.write("single.jsonl", *single))
        unscored = [{key: value for key, value in row.items() if key != "quality_score"} for row in self.answers()]
        self.fails("no scores, or equal ones", self.write("unscored.jsonl", *unscored))
        said = self.fails("no row of IFT is left .prompts for EFT: [0-9]+, by --eft-share 1, prompts for evaluation",
                          self.write("in.jsonl", *self.answers()), "--eft-share", "1")
        self.assertNotIn("reasons", said)  # nothing was left out
        self.fails("missing.jsonl", self.path / "missing.jsonl")
        self.fails("no known format", self.write("other.jsonl", {"text": "a"}))
        self.fails("nothing to read")
        (self.path / "latin1.jsonl").write_bytes('{"prompt_id": "é"}\n'.encode("latin-1"))
        self.fails(r"latin1\.jsonl:1: not valid JSON", self.path / "latin1.jsonl")
        packed = self.path / "packed.jsonl.gz"
        packed.write_bytes(gzip.compress(b'{"prompt_id": "a"}'))
        self.fails(r"packed\.jsonl\.gz: is compressed \(gzip\); unpack it first: gunzip -k FILE", packed)
        source = self.write("in.jsonl", *self.answers())
        self.fails("eft-share", source, "--eft-share", "1.5", code=2)
        self.succeeds(self.path / "single.jsonl", "--eft-share", "0")
        self.assertEqual(len(rows(self.out / "ift.jsonl")), sum(is_training(row["prompt_id"]) for row in single))

    def test_why_nothing_is_left_can_be_read(self):
        answers = self.answers()
        for row in answers:
            row["prompt_text"] = "Was ist die Hauptstadt von Frankreich im Jahre " + row["prompt_id"][1:] + "?"
        self.fails("no row of IFT is left .left out: 30, with reasons in .*rejects.jsonl",
                   self.write("in.jsonl", *answers))
        self.assertEqual({row["reason"] for row in rows(self.out / "rejects.jsonl")}, {"not_english"})

    def test_what_a_failed_command_leaves_is_of_it_alone(self):
        good = self.write("good.jsonl", *self.answers())
        self.succeeds(good)
        before = {path.name: path.read_bytes() for path in self.out.iterdir()}
        self.fails("missing.jsonl", self.path / "missing.jsonl")  # before it has made anything
        self.assertEqual({path.name: path.read_bytes() for path in self.out.iterdir()}, before)

        training = self.write("training.jsonl", *(row for row in self.answers() if is_training(row["prompt_id"])))
        said = self.fails("no ranked prompt is in the evaluation part", training)
        self.assertIn(f"{self.out} has ift.jsonl, rejects.jsonl and report.json of this command", said)
        self.assertEqual({path.name for path in self.out.iterdir()}, {"ift.jsonl", "rejects.jsonl", "report.json"})
        self.assertIn("no ranked prompt", self.report()["failed"])
        self.assertEqual(self.report()["ift_rows"], len(rows(self.out / "ift.jsonl")))
        self.succeeds(good)
        self.assertEqual({path.name: path.read_bytes() for path in self.out.iterdir()}, before)
        self.assertIsNone(self.report()["failed"])

        (self.out / "evaluation.jsonl").unlink()
        (self.out / "evaluation.jsonl").mkdir()  # cannot be written, and so nothing is
        self.fails("evaluation.jsonl", good, "--seed", "2")
        self.assertEqual({path.name: path.read_bytes() for path in self.out.iterdir() if path.is_file()},
                         {name: content for name, content in before.items() if name != "evaluation.jsonl"})

    def test_what_is_made_stays_when_eft_alone_fails(self):
        source = self.write("in.jsonl", *self.answers())
        said = self.fails("no row of EFT is left", source, "--model", os.environ["SRLM_MODEL"],
                          "--max-eft-prompts", "2", "--scores", "sampled", "--max-new-tokens", "2")
        self.assertIn("has ift.jsonl, evaluation.jsonl, rejects.jsonl and report.json", said)
        self.assertEqual(self.report()["ift_rows"], len(rows(self.out / "ift.jsonl")))
        self.assertEqual(self.report()["evaluation_answers"], len(rows(self.out / "evaluation.jsonl")))
        self.assertFalse((self.out / "eft.jsonl").exists())
        self.assertIn("unparsed", {reason for _, reason, _ in self.reasons()})

    def test_a_model_justifies_scores_of_people_and_a_stopped_command_goes_on(self):
        source = self.write("in.jsonl", *self.answers())
        command = [source, "--model", os.environ["SRLM_MODEL"], "--max-eft-prompts", "3", "--probe", "2",
                   "--scores", "human", "--max-new-tokens", "24"]
        process = subprocess.Popen([f"{BIN}/srlm", "prepare", *map(str, command), "--out", str(self.out)], text=True,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(process.communicate)
        self.addCleanup(process.terminate)
        for line in process.stdout:  # the worker is about to start
            if "justifying 6 scores" in line:
                break
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 1, errors)
        self.assertIn("the same command goes on", errors)
        self.assertFalse((self.out / "eft.jsonl").exists())
        self.assertEqual(self.workers(), [])

        said = self.succeeds(*command)
        self.assertIn("scores: human", said)
        eft = rows(self.out / "eft.jsonl")
        self.assertTrue(eft)
        used = {row["prompt_id"] for row in eft}
        self.assertTrue(all(row["origin"] == "human" and row["justification"] for row in eft))
        self.assertTrue(all(row["score"] == (5 if "best" in row["response"] else 0) for row in eft))
        self.assertEqual(used & {row["prompt_id"] for row in rows(self.out / "ift.jsonl")}, set())
        self.assertEqual(used & {row["prompt_id"] for row in rows(self.out / "evaluation.jsonl")}, set())
        report = json.loads((self.out / "report.json").read_text())["eft"]
        self.assertEqual(sum(report["scores"]), len(eft))

        # Again: what the model wrote is taken from the folder.
        before = {path.name: path.stat().st_mtime_ns for path in (self.out / "work").iterdir()}
        content = (self.out / "eft.jsonl").read_bytes()
        (self.out / "eft.jsonl").unlink()
        self.succeeds(*command)
        self.assertEqual({path.name: path.stat().st_mtime_ns for path in (self.out / "work").iterdir()}, before)
        self.assertEqual((self.out / "eft.jsonl").read_bytes(), content)

    def test_a_model_that_is_not_there_or_fails_is_named(self):
        source = self.write("in.jsonl", *self.answers())
        self.fails("no-model", source, "--model", self.path / "no-model")
        self.fails("--scores", source, "--scores", "human", code=2)
        broken = self.path / "broken"
        broken.mkdir()
        (broken / "config.json").write_text("{}")
        (broken / "model.safetensors").write_text("")
        said = self.fails("srlm-worker failed.*exit code 1", source, "--model", broken)
        self.assertIn("has ift.jsonl, evaluation.jsonl, rejects.jsonl and report.json of this command", said)
        self.assertIn("srlm-worker failed", self.report()["failed"])

    def workers(self):
        """Running processes that have this test's folder in their command line."""
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and str(self.path).encode() in (entry / "cmdline").read_bytes():
                    found.append(entry.name)
            except OSError:
                continue  # ended meanwhile
        return found


if __name__ == "__main__":
    BIN = sys.argv.pop(1)
    unittest.main()
