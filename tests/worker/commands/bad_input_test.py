#!/usr/bin/env python3
"""srlm-worker's file commands on bad input: exit 2 for wrong usage, 1 otherwise, never a signal, and a line or three
that say where and what.

    bad_input_test.py BIN_FOLDER
"""

import json
import os
import shutil
import struct
import unittest

from worker_program import MODEL, WorkerProgram, main

PROMPTS = [{"prompt_id": "a", "prompt": "Name a colour."}]
ITEMS = [{"prompt": "Name a colour.", "response": "Blue."}]


class Usage(WorkerProgram):
    def test_wrong_calls_exit_with_2(self):
        good = ["--model", MODEL, "--prompts", "p", "--out", "o"]
        judge = ["judge", "--model", MODEL, "--items", "p", "--out", "o"]
        for pattern, arguments in (
            ("--run RUN", []),
            ("fly", ["fly"]),
            ("--fast", ["generate", *good, "--fast"]),
            ("--prompts", ["generate", "--model", MODEL, "--out", "o"]),
            ("--model", ["generate", "--prompts", "p", "--out", "o"]),
            ("--out", ["logprobs", "--model", MODEL, "--items", "p"]),
            ("--samples", ["generate", *good, "--samples", "0"]),
            ("--samples", ["generate", *good, "--samples", "many"]),
            ("--temperature", ["generate", *good, "--temperature", "-0.1"]),
            ("--temperature", ["generate", *good, "--temperature", "nan"]),
            ("--top-p", ["generate", *good, "--top-p", "0"]),
            ("--top-p", ["generate", *good, "--top-p", "1.5"]),
            ("--max-new-tokens", ["generate", *good, "--max-new-tokens", "0"]),
            ("--max-new-tokens", ["generate", *good, "--max-new-tokens", "99999999999999999999"]),
            ("--threads", ["generate", *good, "--threads", "0"]),
            ("--threads", ["generate", *good, "--threads", "-1"]),
            ("--seed", ["generate", *good, "--seed", "-1"]),
            ("--seed", ["generate", *good, "--seed", "x"]),
            ("--votes", [*judge, "--votes", "0"]),
            ("--verdict", [*judge, "--verdict", "guessed"]),
            ("--verdict digit", [*judge, "--pairwise", "--verdict", "digit"]),
            ("--special-tokens-in-text", ["generate", *good, "--special-tokens-in-text", "maybe"]),
            ("--launch-id", ["--launch-id", "1"]),
            ("--run", ["--run", "r", "generate", *good]),
            ("--orphan-timeout-s", ["--run", "r", "--orphan-timeout-s", "0"]),
        ):
            self.fails(2, pattern, *arguments)

    def test_help_and_version_are_no_failures(self):
        for arguments in (["--help"], ["--version"], ["generate", "--help"], ["judge", "--help"],
                          ["logprobs", "--help"]):
            ended = self.run_worker(*arguments)
            self.assertEqual((ended.returncode, ended.stderr), (0, ""), arguments)
            self.assertTrue(ended.stdout)


class Files(WorkerProgram):
    def generate(self, pattern, prompts=None, model=MODEL, out=None, flags=()):
        source = prompts if prompts is not None else self.write("good.jsonl", PROMPTS)
        target = out or self.path / "out.jsonl"
        self.fails(1, pattern, "generate", "--model", model, "--prompts", source, "--out", target, "--threads", 1,
                   *flags)
        self.assertFalse(os.path.isfile(target), "a failed command leaves an output")

    def test_prompt_files_are_refused_with_file_and_line(self):
        good = '{"prompt_id": "a", "prompt": "x"}\n'
        for pattern, content in (
            (r"in\.jsonl.*no rows", ""),
            (r"in\.jsonl.*no rows", "\n  \n"),
            (r"in\.jsonl:2: .*JSON", good + '{"prompt_id": "b", "prompt"\n'),
            (r"in\.jsonl:2: .*object", good + "[1]\n"),
            (r"in\.jsonl:2: .*JSON", good + "{'prompt_id': 1}\n"),
            (r"in\.jsonl:1: .*JSON", b'{"prompt_id": "a", "prompt": "\xff\xfe"}\n'),
            (r"in\.jsonl:1: .*JSON", b"\x00\x01\x02"),
            (r"in\.jsonl:2: .*prompt_id", good + '{"prompt": "x"}\n'),
            (r"in\.jsonl:2: .*prompt", good + '{"prompt_id": "b"}\n'),
            (r"in\.jsonl:2: .*prompt", good + '{"prompt_id": "b", "prompt": ""}\n'),
            (r"in\.jsonl:2: .*prompt", good + '{"prompt_id": "b", "prompt": 5}\n'),
            (r"in\.jsonl:2: .*messages", good + '{"prompt_id": "b", "messages": []}\n'),
            (r"in\.jsonl:2: .*role", good + '{"prompt_id": "b", "messages": [{"content": "x"}]}\n'),
            (r"in\.jsonl:3: .*'a'.*line 1", good + '{"prompt_id": "b", "prompt": "x"}\n' + good),
        ):
            self.generate(pattern, self.write("in.jsonl", content))

    def test_files_that_are_not_there_or_no_files(self):
        self.generate("none.jsonl", self.path / "none.jsonl")
        self.generate(str(self.path), self.path)

    def test_items_are_refused_with_file_and_line(self):
        for pattern, row in (
            ("response", {"prompt": "x"}),
            ("prompt", {"response": "x"}),
            ("prompt", {"prompt": "", "response": "x"}),
            ("response_token_ids", {"prompt": "x", "response": "y", "response_token_ids": ["a"]}),
            ("response_token_ids", {"prompt": "x", "response": "y", "response_token_ids": [-4]}),
        ):
            source = self.write("items.jsonl", [*ITEMS, row])
            for command in ("judge", "logprobs"):
                self.fails(1, rf"items\.jsonl:2: .*{pattern}", command, "--model", MODEL, "--items", source, "--out",
                           self.path / "out.jsonl")

    def test_token_ids_outside_the_vocabulary_are_an_error_of_their_row(self):
        bad = [{"prompt_token_ids": [1, 4000], "response_token_ids": [5]},
               {"prompt_token_ids": [1], "response_token_ids": [2000000000]},
               {"response_token_ids": [5, 320, 6]}]
        rows = self.rows("logprobs", [*({"prompt": "x", "response": "y", **ids} for ids in bad), *ITEMS])
        for row in rows[:-1]:
            self.assertIn("vocabulary", row["error"])
            self.assertIsNone(row["logprob"])
        self.assertNotIn("error", rows[-1])

    def test_one_file_for_output_and_summary_is_refused(self):
        self.generate("--out and --summary are both", flags=("--summary", self.path / "out.jsonl"))

    def test_outputs_that_cannot_be_written(self):
        self.generate("missing.*out", out=self.path / "missing" / "out.jsonl")
        self.assertFalse((self.path / "missing").exists(), "parent folders are not created")
        self.generate(str(self.path), out=self.path)
        self.generate("missing", flags=["--summary", self.path / "missing" / "summary.json"])
        self.generate("out", out="/proc/out.jsonl")

    def test_templates_that_are_wrong(self):
        items = self.write("items.jsonl", ITEMS)
        judge = ["judge", "--model", MODEL, "--items", items, "--out", self.path / "out.jsonl"]
        self.fails(1, "none.txt", *judge, "--template", self.path / "none.txt")
        self.fails(1, "response", *judge, "--template", self.write("no_response.txt", "Grade {prompt}.\n"))
        broken = self.write("broken.jinja", "{% for m in messages %}{{ m.content }}")
        self.generate("broken.jinja", flags=["--chat-template", broken])
        self.generate("none.jinja", flags=["--chat-template", self.path / "none.jinja"])


class Models(WorkerProgram):
    def model(self, **files):
        """A copy of the tiny model with files replaced (bytes) or removed (None)."""
        folder = self.path / "model"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(MODEL, folder)
        for name, content in files.items():
            path = folder / name.replace("__", ".")
            path.unlink(missing_ok=True)
            if content is not None:
                path.write_bytes(content)
        return folder

    def refused(self, pattern, **files):
        source = self.write("good.jsonl", PROMPTS)
        self.fails(1, pattern, "generate", "--model", self.model(**files), "--prompts", source, "--out",
                   self.path / "out.jsonl", "--threads", 1)

    def config(self, **changes):
        config = json.loads((MODEL / "config.json").read_text())
        config.update(changes)
        return json.dumps(config).encode()

    def weights(self):
        """Header and data of the tiny model's weights."""
        content = (MODEL / "model.safetensors").read_bytes()
        size = struct.unpack("<Q", content[:8])[0]
        return json.loads(content[8:8 + size]), content[8 + size:]

    @staticmethod
    def safetensors(header, data):
        text = header if isinstance(header, bytes) else json.dumps(header).encode()
        return struct.pack("<Q", len(text)) + text + data

    def test_a_model_that_is_not_there(self):
        source = self.write("good.jsonl", PROMPTS)
        for model in (self.path / "none", source):
            self.fails(1, str(model), "generate", "--model", model, "--prompts", source, "--out", self.path / "out")
        self.refused("config.json", config__json=None)
        self.refused("safetensors", model__safetensors=None)
        self.refused("tokenizer.json", tokenizer__json=None)

    def test_configurations_that_are_wrong(self):
        self.refused("config.json", config__json=b"{")
        self.refused("config.json", config__json=b"[]")
        self.refused("mamba", config__json=self.config(model_type="mamba", architectures=["MambaForCausalLM"]))
        self.refused("hidden_size", config__json=self.config(hidden_size="wide"))
        self.refused("hidden_size", config__json=self.config(hidden_size=-48))
        self.refused("config.json", config__json=self.config(num_hidden_layers=2**40))
        self.refused("config.json", config__json=self.config(num_attention_heads=0))
        self.refused("config.json", config__json=self.config(num_key_value_heads=3))

    def test_weights_of_another_shape(self):
        self.refused("model.safetensors.*shape|shape.*model.safetensors", config__json=self.config(intermediate_size=96))
        self.refused("model.layers.2", config__json=self.config(num_hidden_layers=3))

    def test_safetensors_that_are_cut_or_hostile(self):
        whole = (MODEL / "model.safetensors").read_bytes()
        header, data = self.weights()
        name = next(key for key in header if key != "__metadata__")

        def changed(**changes):
            return self.safetensors({**header, name: {**header[name], **changes}}, data)

        for content in (
            b"",
            whole[:5],
            whole[:8],
            whole[:100],
            whole[:-1000],
            struct.pack("<Q", 2**63) + whole[8:],
            struct.pack("<Q", len(whole) * 2) + whole[8:],
            self.safetensors(b"{", data),
            self.safetensors(b"[]", data),
            self.safetensors(b"[" * 100000, data),
            self.safetensors(b"{}", data),
            changed(data_offsets=[0, 2**62]),
            changed(data_offsets=[-8, 0]),
            changed(data_offsets=[100, 0]),
            changed(data_offsets=[0]),
            changed(data_offsets="x"),
            changed(shape=[2**32, 2**32]),
            changed(shape=[-1, 48]),
            changed(shape="x"),
            changed(shape=[]),
            changed(dtype="F128"),
            changed(dtype="I8"),
            changed(dtype=7),
        ):
            self.refused(r"safetensors", model__safetensors=content)

    def test_a_tokenizer_that_is_no_tokenizer(self):
        self.refused("tokenizer.json", tokenizer__json=b"{}")
        self.refused("tokenizer.json", tokenizer__json=b"\x00\xff")

    def test_a_base_model_without_a_chat_template_names_the_flag(self):
        config = json.loads((MODEL / "tokenizer_config.json").read_text())
        config.pop("chat_template", None)
        self.refused("--chat-template", tokenizer_config__json=json.dumps(config).encode(), chat_template__jinja=None)


if __name__ == "__main__":
    main()
