"""Writes the tiny random models of tests/reference/models, one for each family and each variant of it that srlm reads,
and their logits in transformers (float32) as tests/reference/data/logits_<name>.json.

    ~/.cache/srlm/venv-reference/bin/python tests/reference/make_tiny_models.py

Everything follows from the constants here: run again, it writes the same bytes. Weights are much larger than an
initialiser's: attention is peaked, and a wrong rotation, mask or head mapping moves logits by far more than 1e-4.
The logits files: {"model", "token_ids" [24], "positions", "logits" [positions, vocabulary], "transformers"}, where
logits[i] follow the token at positions[i].
"""
import json
import pathlib
import shutil

import torch
from safetensors.torch import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

HERE = pathlib.Path(__file__).resolve().parent
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]  # ids 0, 1, 2
VOCABULARY = 320
POSITIONS = [0, 1, 11, 23]
CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}")
# What the byte pairs of the tokenizer are counted on.
CORPUS = [
    "user\nassistant\nsystem\nScore: 3", "The answer is on the subject and gives some information to the user.",
    "Explain in one sentence why the rain falls down and not up.", "It falls because the earth pulls on it.",
    "What is the sum of 12 and 30? The sum is 42.", "Write the name of the town and the name of the river."]

LLAMA = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu", "attention_bias": False,
    "mlp_bias": False, "rms_norm_eps": 1e-5, "vocab_size": VOCABULARY, "max_position_embeddings": 1024,
    "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 2, "torch_dtype": "float32", "use_cache": True}

QWEN = {key: value for key, value in LLAMA.items() if key not in ("attention_bias", "mlp_bias")} | {
    "rms_norm_eps": 1e-6}
GEMMA = {key: value for key, value in QWEN.items() if key != "hidden_act"} | {
    "architectures": ["Gemma3ForCausalLM"], "model_type": "gemma3_text", "hidden_activation": "gelu_pytorch_tanh",
    "attention_bias": False, "final_logit_softcapping": None, "attn_logit_softcapping": None}


def shape(hidden, intermediate, layers, heads, kv_heads, head_dim=None):
    sizes = {"hidden_size": hidden, "intermediate_size": intermediate, "num_hidden_layers": layers,
             "num_attention_heads": heads, "num_key_value_heads": kv_heads}
    return sizes | ({"head_dim": head_dim} if head_dim else {})


# name -> (config.json, shards, stored dtype, chat template in its own file)
VARIANTS = {
    # Multi-head attention, untied, no rope_scaling key at all.
    "llama2": (LLAMA | shape(48, 80, 2, 3, 3) | {"rope_theta": 10000.0, "tie_word_embeddings": False},
               1, torch.float32, True),
    # Grouped heads wider than hidden / heads, Llama 3 scaling with every band in use, two end-of-turn ids.
    "llama3": (LLAMA | shape(48, 72, 2, 4, 2, 16) | {
        "rope_theta": 500000.0, "tie_word_embeddings": False, "rope_scaling": {
            "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
            "original_max_position_embeddings": 64}}, 1, torch.float32, False),
    # Mistral without a sliding window, as its version 0.2 and later are.
    "mistral": ({key: value for key, value in LLAMA.items() if key not in ("attention_bias", "mlp_bias")}
                | shape(48, 96, 2, 4, 1) | {
        "architectures": ["MistralForCausalLM"], "model_type": "mistral", "sliding_window": None,
        "rope_theta": 1000000.0, "tie_word_embeddings": False}, 1, torch.float32, True),
    # Tied, an odd number of heads in one group, three layers; head_dim and rope_scaling null are written out.
    "smollm2": (LLAMA | shape(48, 80, 3, 3, 1, 16) | {
        "rope_theta": 100000.0, "rope_scaling": None, "tie_word_embeddings": True}, 1, torch.float32, True),
    # Linear scaling, in the form that transformers 5 writes (rope_parameters, dtype).
    "linear": ({key: value for key, value in LLAMA.items() if key != "torch_dtype"} | shape(48, 96, 2, 4, 2) | {
        "dtype": "float32", "rope_parameters": {"rope_type": "linear", "factor": 4.0, "rope_theta": 10000.0},
        "tie_word_embeddings": True}, 1, torch.float32, True),
    # Linear scaling in the old form ("type"), and weights in three files with an index.
    "sharded": (LLAMA | shape(48, 64, 3, 4, 2, 8) | {
        "rope_theta": 10000.0, "rope_scaling": {"type": "linear", "factor": 2.0}, "tie_word_embeddings": False},
                3, torch.float32, True),
    # Weights stored in bfloat16, computed in float32.
    "bfloat16": (LLAMA | shape(64, 96, 2, 4, 2) | {
        "rope_theta": 10000.0, "rope_scaling": None, "tie_word_embeddings": True, "torch_dtype": "bfloat16"},
                 1, torch.bfloat16, True),
    # Mistral 0.1: every layer sees a window.
    "mistral_window": ({key: value for key, value in LLAMA.items() if key not in ("attention_bias", "mlp_bias")}
                       | shape(48, 96, 2, 4, 2) | {
        "architectures": ["MistralForCausalLM"], "model_type": "mistral", "sliding_window": 7,
        "rope_theta": 10000.0, "tie_word_embeddings": False}, 1, torch.float32, True),
    # Biases on queries, keys and values; a window that is written down and not used, as Qwen's files have it.
    "qwen2": (QWEN | shape(48, 80, 2, 4, 2) | {
        "architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "rope_theta": 1000000.0, "sliding_window": 6,
        "max_window_layers": 1, "use_sliding_window": False, "tie_word_embeddings": True}, 1, torch.float32, True),
    # The same with the window, from the second layer on, and untied.
    "qwen2_window": (QWEN | shape(48, 80, 3, 4, 2) | {
        "architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "rope_theta": 1000000.0, "sliding_window": 6,
        "max_window_layers": 1, "use_sliding_window": True, "tie_word_embeddings": False}, 1, torch.float32, True),
    # Norms over heads that are wider than hidden / heads.
    "qwen3": (QWEN | shape(48, 72, 2, 4, 2, 24) | {
        "architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "attention_bias": False,
        "rope_theta": 1000000.0, "sliding_window": None, "use_sliding_window": False, "max_window_layers": 2,
        "tie_word_embeddings": True}, 1, torch.float32, True),
    # Two layers with a window and one without, each kind with its own rotation, as files before transformers 5 say it.
    "gemma3": (GEMMA | shape(48, 80, 3, 4, 1, 16) | {
        "sliding_window": 6, "sliding_window_pattern": 3, "query_pre_attn_scalar": 20, "rope_theta": 1000000.0,
        "rope_local_base_freq": 10000.0, "rope_scaling": {"rope_type": "linear", "factor": 8.0}},
               1, torch.float32, True),
    # The same as transformers 5 writes it.
    "gemma3_new": ({key: value for key, value in GEMMA.items() if key != "torch_dtype"} | shape(64, 96, 2, 4, 2, 16) | {
        "dtype": "float32", "sliding_window": 5, "query_pre_attn_scalar": 16,
        "layer_types": ["full_attention", "sliding_attention"], "tie_word_embeddings": True, "rope_parameters": {
            "full_attention": {"rope_type": "default", "rope_theta": 500000.0},
            "sliding_attention": {"rope_type": "default", "rope_theta": 5000.0}}}, 1, torch.float32, True),
}


def make_tokenizer():
    """Byte-level BPE: the special tokens, 256 bytes, and the commonest pairs of CORPUS."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()), show_progress=False,
        special_tokens=[AddedToken(text, special=True, normalized=False) for text in SPECIAL])
    tokenizer.train_from_iterator(CORPUS, trainer)
    assert tokenizer.get_vocab_size() == VOCABULARY
    return tokenizer


def make_weights(config, seed):
    """Named tensors of a model, in transformers' order and names, normal with a spread that suits their role."""
    generator = torch.Generator().manual_seed(seed)
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    heads, kv_heads = config["num_attention_heads"], config["num_key_value_heads"]
    width = config.get("head_dim") or hidden // heads

    def normal(rows, columns, gain):
        return torch.randn(rows, columns, generator=generator) * gain / columns**0.5

    family = config["model_type"]
    norms_from = 0 if family == "gemma3_text" else 1  # Gemma multiplies by 1 + weight

    def norm(size=hidden):
        return norms_from + 0.2 * torch.randn(size, generator=generator)

    weights = {"model.embed_tokens.weight": torch.randn(config["vocab_size"], hidden, generator=generator) * 0.5}
    for layer in range(config["num_hidden_layers"]):
        prefix = f"model.layers.{layer}."
        weights[prefix + "self_attn.q_proj.weight"] = normal(heads * width, hidden, 1.5)
        weights[prefix + "self_attn.k_proj.weight"] = normal(kv_heads * width, hidden, 1.5)
        weights[prefix + "self_attn.v_proj.weight"] = normal(kv_heads * width, hidden, 1.0)
        weights[prefix + "self_attn.o_proj.weight"] = normal(hidden, heads * width, 1.0)
        weights[prefix + "mlp.gate_proj.weight"] = normal(inner, hidden, 1.0)
        weights[prefix + "mlp.up_proj.weight"] = normal(inner, hidden, 1.0)
        weights[prefix + "mlp.down_proj.weight"] = normal(hidden, inner, 1.0)
        weights[prefix + "input_layernorm.weight"] = norm()
        weights[prefix + "post_attention_layernorm.weight"] = norm()
        if family == "qwen2":
            for name, rows in (("q", heads), ("k", kv_heads), ("v", kv_heads)):
                weights[f"{prefix}self_attn.{name}_proj.bias"] = torch.randn(rows * width, generator=generator)
        if family in ("qwen3", "gemma3_text"):
            weights[prefix + "self_attn.q_norm.weight"] = norm(width)
            weights[prefix + "self_attn.k_norm.weight"] = norm(width)
        if family == "gemma3_text":
            weights[prefix + "pre_feedforward_layernorm.weight"] = norm()
            weights[prefix + "post_feedforward_layernorm.weight"] = norm()
    weights["model.norm.weight"] = norm()
    if not config.get("tie_word_embeddings", family == "gemma3_text"):
        weights["lm_head.weight"] = normal(config["vocab_size"], hidden, 1.5)
    return weights


def save_tensors(tensors, path):
    save_file(tensors, path, metadata={"format": "pt"})
    path.chmod(0o644)


def save_weights(folder, weights, shards, dtype):
    weights = {name: tensor.to(dtype).contiguous() for name, tensor in weights.items()}
    if shards == 1:
        save_tensors(weights, folder / "model.safetensors")
        return
    names = list(weights)
    index = {"metadata": {"total_size": sum(t.numel() * t.element_size() for t in weights.values())}, "weight_map": {}}
    for shard in range(shards):
        part = names[shard * len(names) // shards:(shard + 1) * len(names) // shards]
        file = f"model-{shard + 1:05d}-of-{shards:05d}.safetensors"
        save_tensors({name: weights[name] for name in part}, folder / file)
        index["weight_map"] |= {name: file for name in part}
    write_json(folder / "model.safetensors.index.json", index)


def write_json(path, value):
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def write_folder(folder, config, shards, dtype, template_file, weights, tokenizer):
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    write_json(folder / "config.json", config)
    end_of_turn = [2, 0] if folder.name == "llama3" else 2
    write_json(folder / "generation_config.json", {"bos_token_id": 1, "eos_token_id": end_of_turn, "pad_token_id": 2})
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": SPECIAL[1], "eos_token": SPECIAL[2],
                "pad_token": SPECIAL[2], "unk_token": SPECIAL[0], "clean_up_tokenization_spaces": False,
                "model_max_length": config["max_position_embeddings"]}
    if template_file:
        (folder / "chat_template.jinja").write_text(CHAT_TEMPLATE, encoding="utf-8")
    else:
        settings["chat_template"] = CHAT_TEMPLATE
    write_json(folder / "tokenizer_config.json", settings)
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    save_weights(folder, weights, shards, dtype)


def reference_logits(folder, token_ids):
    import transformers
    transformers.utils.logging.disable_progress_bar()
    model, report = transformers.AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, output_loading_info=True)
    assert not report["missing_keys"] and not report["unexpected_keys"], report
    with torch.inference_mode():
        logits = model.eval()(input_ids=torch.tensor([token_ids])).logits[0, POSITIONS]
    return {"model": folder.name, "token_ids": token_ids, "positions": POSITIONS,
            "logits": [[round(value, 6) for value in row] for row in logits.tolist()],
            "transformers": transformers.__version__}


def main():
    torch.set_num_threads(1)
    tokenizer = make_tokenizer()
    generator = torch.Generator().manual_seed(24)
    token_ids = torch.randint(3, VOCABULARY, (24,), generator=generator).tolist()
    for seed, (name, (config, shards, dtype, template_file)) in enumerate(VARIANTS.items(), 1):
        folder = HERE / "models" / name
        write_folder(folder, config, shards, dtype, template_file, make_weights(config, seed), tokenizer)
        result = reference_logits(folder, token_ids)
        (HERE / "data").mkdir(exist_ok=True)
        (HERE / "data" / f"logits_{name}.json").write_text(json.dumps(result) + "\n", encoding="utf-8")
        spread = max(map(max, result["logits"])) - min(map(min, result["logits"]))
        size = sum(file.stat().st_size for file in folder.iterdir())
        print(f"{name}: {size} bytes, logits spread {spread:.2f}")


if __name__ == "__main__":
    main()
