#!/usr/bin/env python3
"""srlm on bad input: a few lines on stderr that say what to do, exit 2 for wrong usage and 1 otherwise, no signal.

    program_test.py BIN_FOLDER
"""

import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[3]
BIN = ""  # set by main
MOST_LINES = 8


def run(*arguments, cwd=None, timeout=60):
    return subprocess.run([f"{BIN}/srlm", *arguments], cwd=cwd, timeout=timeout, text=True, capture_output=True,
                          stdin=subprocess.DEVNULL)


class Program(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = pathlib.Path(self.folder.name)

    def fails(self, code, pattern, *arguments, **options):
        """srlm with these arguments ends with `code`, and stderr has `pattern` in few lines. Gives stderr."""
        with self.subTest(arguments=arguments):
            ended = run(*arguments, **options)
            self.assertEqual(ended.returncode, code, ended.stderr + ended.stdout)
            self.assertRegex(ended.stderr, pattern)
            self.assertLessEqual(len(ended.stderr.splitlines()), MOST_LINES, ended.stderr)
            return ended.stderr

    def config(self, text="", **changes):
        """A configuration that is right, with `changes` of its lines and `text` added."""
        lines = {
            "name": "test",
            "model": str(SOURCE / "tests/reference/models/smollm2"),
            "data": "{ift: %s}" % (SOURCE / "tests/e2e/data/ift_tiny.jsonl"),
            "prompts": "{per_round: 4, new_per_round: 4, wave_size: 2}",
        }
        lines.update(changes)
        path = self.path / "config.yaml"
        path.write_text("".join(f"{key}: {value}\n" for key, value in lines.items() if value is not None) + text)
        return str(path)

    def rows(self, name, text):
        path = self.path / name
        path.write_text(text)
        return str(path)


class Usage(Program):
    def test_help_and_version_are_no_failures(self):
        for arguments in (["--help"], ["--version"], ["run", "--help"], ["status", "--help"], ["inspect", "--help"],
                          ["export", "--help"], ["pause", "--help"], ["resume", "--help"], ["cancel", "--help"],
                          ["--list-failpoints"]):
            ended = run(*arguments)
            self.assertEqual((ended.returncode, ended.stderr), (0, ""), arguments)
            self.assertTrue(ended.stdout)

    def test_version_is_the_projects(self):
        version = re.search(r"project\(srlm VERSION (\S+)", (SOURCE / "CMakeLists.txt").read_text())[1]
        self.assertEqual(run("--version").stdout, f"srlm {version}\n")

    def test_wrong_calls_exit_with_2(self):
        run_dir = str(self.path)
        for pattern, arguments in (
            ("inspect", []),
            ("fly", ["fly"]),
            ("CONFIG", ["run"]),
            ("--fast", ["run", "a.yaml", "--fast"]),
            ("--set", ["run", "a.yaml", "--set"]),
            ("RUN|address|[Rr]equire", ["status"]),
            ("address", ["status", run_dir, "--address", "127.0.0.1:1"]),
            ("TABLE", ["inspect", run_dir]),
            ("tables", ["inspect", run_dir, "tables"]),
            ("--round", ["inspect", run_dir, "pairs", "--round", "-1"]),
            ("--limit", ["inspect", run_dir, "pairs", "--limit", "many"]),
            ("yaml", ["export", run_dir, "yaml"]),
            ("RUN", ["fsck"]),
            ("no run here", ["fsck", run_dir]),
            ("no such run folder", ["fsck", run_dir + "/nowhere"]),
            ("RUN|address|[Rr]equire", ["pause"]),
            ("wait-s", ["cancel", run_dir, "--wait-s", "-1"]),
            ("CONFIG", ["plan"]),
            ("NAME=NUMBER", ["plan", "a.yaml", "--length", "answer"]),
            ("--gpus", ["plan", "a.yaml", "--gpus", "0"]),
        ):
            self.fails(2, pattern, *arguments)


class Plan(Program):
    def test_a_plan_for_gpus_needs_nothing_but_a_configuration(self):
        ended = run("plan", self.config(), "--model", "llama-3-8b", "--gpus", "8", "--gpu", "h100-80gb",
                    "--length", "answer=300", "--json")
        self.assertEqual((ended.returncode, ended.stderr), (0, ""))
        plan = json.loads(ended.stdout)
        self.assertEqual(plan["lengths"]["answer"], {"value": 300.0, "source": "given"})
        self.assertEqual(plan["layout"]["trainer.ranks"], 8)
        self.assertEqual(plan["round"]["seconds"],
                         sum(phase["seconds"] for phase in plan["phases"] if phase["phase"] != "sft"))
        text = run("plan", self.config(), "--model", "llama-3-8b", "--gpus", "8").stdout
        for words in ("suggested layout", "generate_and_judge", "GPU-hours", "disk at most"):
            self.assertIn(words, text)

    def test_what_cannot_be_planned_is_said(self):
        config = self.config()
        self.fails(1, "h100-80gb", "plan", config, "--gpus", "8", "--gpu", "abacus")
        self.fails(1, "smollm2-135m", "plan", config, "--model", "nothing-1b", "--gpus", "8")
        self.fails(1, "--length letters: there is prompt", "plan", config, "--gpus", "8", "--length", "letters=3")
        self.fails(1, "workers: the model does not fit", "plan", config, "--model", "llama-2-70b", "--gpus", "1")
        self.fails(1, r"workers\.tensor_parallel", "plan", config, "--set", "workers.tensor_parallel=2")


class Configuration(Program):
    def test_check_accepts_a_right_one(self):
        ended = run("run", self.config(), "--check")
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertFalse((self.path / "runs").exists())

    def test_output_that_cannot_be_written_is_a_failure_and_a_closed_pipe_is_not(self):
        command = [f"{BIN}/srlm", "run", self.config(), "--check"]
        with open("/dev/full", "w") as full:
            ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
        self.assertEqual(ended.returncode, 1)
        self.assertRegex(ended.stderr, "standard output: cannot write: No space left")
        read, write = os.pipe()
        os.close(read)
        ended = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True, timeout=60)
        os.close(write)
        self.assertEqual((ended.returncode, ended.stderr), (0, ""))

    def test_a_model_without_a_tokenizer_is_said_before_anything_starts(self):
        model = self.path / "model"
        model.mkdir()
        for file in (SOURCE / "tests/reference/models/smollm2").iterdir():
            if file.name != "tokenizer.json":
                (model / file.name).write_bytes(file.read_bytes())
        self.fails(1, r"tokenizer\.json", "run", self.config(model=str(model)), "--check")
        self.fails(1, r"tokenizer\.json", "run", self.config(model=str(model)), "--run-dir", str(self.path / "run"))
        self.assertFalse((self.path / "run").exists())

    def test_wrong_ones_are_named_with_their_line(self):
        for pattern, text in (
            (r"config\.yaml:5: .*smaples.*samples", "generation: {smaples: 4}\n"),
            (r"config\.yaml:5: .*samples", "generation: {samples: four}\n"),
            (r"config\.yaml:5: .*beta", "dpo: {beta: -1}\n"),
            (r"config\.yaml:\d+", "dpo: [1\n"),
        ):
            self.fails(1, pattern, "run", self.config(text), "--check")

    def test_overrides_are_checked_too(self):
        self.fails(1, "--set dpo.bta=1.*beta", "run", self.config(), "--check", "--set", "dpo.bta=1")
        self.fails(1, "--set", "run", self.config(), "--check", "--set", "dpo.beta")

    def test_missing_files_are_named(self):
        self.fails(1, "nowhere.yaml", "run", str(self.path / "nowhere.yaml"))
        self.fails(1, "folder", "run", self.folder.name)
        self.fails(1, "model: .*/none", "run", self.config(model="/none"), "--check")
        self.fails(1, "data.ift: .*none.jsonl", "run", self.config(data="{ift: /none.jsonl}"), "--check")

    def test_bad_rows_are_named_with_their_line(self):
        good = '{"prompt": "Hi.", "completion": "Hello."}\n'
        for pattern, text in (
            (r"ift\.jsonl:2: ", good + '{"prompt": "Hi."\n'),
            (r"ift\.jsonl:2: ", good + '{"prompt": "Hi."}\n'),
            (r"ift\.jsonl", ""),
        ):
            ift = self.rows("ift.jsonl", text)
            self.fails(1, pattern, "run", self.config(data=f"{{ift: {ift}}}"), "--check")
        prompts = self.rows("prompts.jsonl", '{"prompt_id": 1, "prompt": "A?"}\n{"prompt_id": 1, "prompt": "B?"}\n')
        data = f"{{ift: {SOURCE}/tests/e2e/data/ift_tiny.jsonl, prompts: {prompts}}}"
        self.fails(1, r"prompts\.jsonl:2: ", "run", self.config(data=data), "--check")


class Runs(Program):
    def test_a_missing_run_is_said(self):
        nowhere = str(self.path / "nowhere")
        for arguments in (["status", nowhere], ["inspect", nowhere, "pairs"], ["export", nowhere, "pairs"],
                          ["status", self.folder.name], ["inspect", self.folder.name, "pairs"],
                          ["pause", nowhere], ["resume", nowhere], ["cancel", self.folder.name]):
            self.fails(1, re.escape(self.folder.name), *arguments)

    def test_an_address_without_a_coordinator_is_given_up(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))  # and not listening
            begin = time.monotonic()
            self.fails(1, "no coordinator", "status", "--address", f"127.0.0.1:{taken.getsockname()[1]}")
            self.assertLess(time.monotonic() - begin, 10)
        self.fails(1, "nonsense", "status", "--address", "nonsense")

    def test_an_output_that_cannot_be_written_is_said_first(self):
        self.fails(1, "none/out.jsonl", "export", self.folder.name, "pairs", "--out", str(self.path / "none/out.jsonl"))
        self.fails(1, re.escape(self.folder.name), "export", self.folder.name, "pairs", "--out", self.folder.name)

    def test_a_run_folder_that_is_a_file_is_said(self):
        path = self.rows("file", "")
        self.fails(1, re.escape(path), "run", self.config(), "--run-dir", path)

    def test_a_port_in_use_is_said(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            self.fails(1, str(port), "run", self.config(), "--run-dir", str(self.path / "run"), "--set",
                       f"coordinator.address=127.0.0.1:{port}")

    def test_without_security_an_address_beyond_loopback_is_refused(self):
        self.fails(1, "loopback", "run", self.config(security="off"), "--run-dir", str(self.path / "run"), "--set",
                   "coordinator.address=0.0.0.0:0")

    def test_a_missing_mpirun_is_said(self):
        self.fails(1, "no-such-mpirun", "run", self.config(), "--run-dir", str(self.path / "run"), "--set",
                   "launcher.command=no-such-mpirun -n {ranks} {program}")


if __name__ == "__main__":
    BIN = os.path.abspath(sys.argv.pop(1))
    unittest.main()
