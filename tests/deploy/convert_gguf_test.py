#!/usr/bin/env python3
"""A small GGUF file becomes a Hugging Face folder: rows of q and k in that order, tokenizer and configuration whole.

Runs in the Python environment of the set-up (gguf, numpy, safetensors)."""

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import gguf
import numpy
from safetensors.numpy import load_file

CONVERTER = Path(__file__).resolve().parents[2] / "deploy" / "convert_gguf.py"
HIDDEN, HEADS, KV_HEADS, HIDDEN_MLP, VOCABULARY = 8, 2, 1, 12, 4


def interleaved(weight, heads):
    """Row order of GGUF: the two halves that RoPE rotates, row by row in turns."""
    half = weight.shape[0] // heads // 2
    rows = [head * 2 * half + side * half + i for head in range(heads) for i in range(half) for side in (0, 1)]
    return weight[rows]


class ConvertTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.gguf_file = Path(self.folder.name, "small.gguf")
        self.out = Path(self.folder.name, "models", "small")

    def write_gguf(self, pre_tokenizer="smollm"):
        random = numpy.random.default_rng(1)
        matrix = lambda rows, columns: random.standard_normal((rows, columns)).astype(numpy.float32)
        self.q, self.k = matrix(HIDDEN, HIDDEN), matrix(HIDDEN // HEADS * KV_HEADS, HIDDEN)
        writer = gguf.GGUFWriter(self.gguf_file, "llama")
        writer.add_block_count(1)
        writer.add_context_length(64)
        writer.add_embedding_length(HIDDEN)
        writer.add_feed_forward_length(HIDDEN_MLP)
        writer.add_head_count(HEADS)
        writer.add_head_count_kv(KV_HEADS)
        writer.add_layer_norm_rms_eps(1e-5)
        writer.add_rope_freq_base(100000.0)
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre(pre_tokenizer)
        writer.add_token_list(["<|end|>", "a", "b", "ab"])
        writer.add_token_types([3, 1, 1, 1])
        writer.add_token_merges(["a b"])
        writer.add_bos_token_id(0)
        writer.add_eos_token_id(0)
        writer.add_pad_token_id(0)
        writer.add_chat_template("{{ messages[0].content }}\n")
        writer.add_tensor("token_embd.weight", matrix(VOCABULARY, HIDDEN))
        writer.add_tensor("output_norm.weight", numpy.ones(HIDDEN, numpy.float32))
        writer.add_tensor("blk.0.attn_q.weight", interleaved(self.q, HEADS))
        writer.add_tensor("blk.0.attn_k.weight", interleaved(self.k, KV_HEADS))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()

    def convert(self):
        return subprocess.run([sys.executable, CONVERTER, self.gguf_file, "--out", self.out], capture_output=True,
                              text=True, check=False)

    def test_rows_of_q_and_k_are_in_hugging_face_order(self):
        self.write_gguf()
        self.assertEqual(self.convert().returncode, 0)
        tensors = load_file(self.out / "model.safetensors")
        numpy.testing.assert_array_equal(tensors["model.layers.0.self_attn.q_proj.weight"], self.q)
        numpy.testing.assert_array_equal(tensors["model.layers.0.self_attn.k_proj.weight"], self.k)
        self.assertEqual(tensors["model.embed_tokens.weight"].shape, (VOCABULARY, HIDDEN))

    def test_configuration_and_tokenizer_are_whole(self):
        self.write_gguf()
        self.assertEqual(self.convert().returncode, 0)
        config = json.loads((self.out / "config.json").read_text())
        self.assertEqual((config["rms_norm_eps"], config["rope_theta"]), (1e-5, 100000.0))
        self.assertTrue(config["tie_word_embeddings"])
        tokenizer = json.loads((self.out / "tokenizer.json").read_text())
        self.assertEqual(tokenizer["model"]["merges"], [["a", "b"]])
        self.assertEqual([token["content"] for token in tokenizer["added_tokens"]], ["<|end|>"])
        self.assertEqual((self.out / "chat_template.jinja").read_text(), "{{ messages[0].content }}\n")
        self.assertEqual(json.loads((self.out / "generation_config.json").read_text())["eos_token_id"], 0)

    def test_a_folder_that_is_there_is_left_alone(self):
        self.write_gguf()
        self.convert()
        before = (self.out / "config.json").stat().st_mtime_ns
        self.assertEqual(self.convert().returncode, 0)
        self.assertEqual((self.out / "config.json").stat().st_mtime_ns, before)

    def test_a_failed_conversion_leaves_nothing(self):
        self.write_gguf(pre_tokenizer="default")
        done = self.convert()
        self.assertEqual(done.returncode, 1)
        self.assertIn("tokenizer.ggml.pre", done.stderr)
        self.assertNotIn("Traceback", done.stderr)
        self.assertEqual(list(self.out.parent.iterdir()), [])


if __name__ == "__main__":
    unittest.main()
