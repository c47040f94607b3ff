"""M0 of the small world: a random model of the Llama family of about a million parameters, with a tokenizer of whole
words, as a folder in Hugging Face's layout. Needs numpy and safetensors, not torch."""

import json
import pathlib

import numpy
from safetensors.numpy import save_file

from phrases import vocabulary
from truth import ALPHABETS, LENGTHS, ORDERS

SPECIAL = ["<|end|>", "<|user|>", "<|assistant|>", "<|unknown|>"]  # ids 0 to 3
CHAT_TEMPLATE = ("{% for message in messages %}<|{{ message['role'] }}|> {{ message['content'] }} <|end|>{% endfor %}"
                 "{% if add_generation_prompt %}<|assistant|>{% endif %}")
JUDGE_WORDS = ["judge", "answer", "yes", "no", "Score:"] + [str(score) for score in range(6)]


def words():
    """The vocabulary in the order of its ids."""
    values = [symbol for alphabet in ALPHABETS.values() for symbol in alphabet]
    values += [*LENGTHS.values()] + [order for orders in ORDERS.values() for order in orders]
    return list(dict.fromkeys(SPECIAL + JUDGE_WORDS + values + vocabulary()))


def tokenizer():
    """tokenizer.json: words between white space, each with an id of its own."""
    special = [{"id": index, "content": text, "single_word": False, "lstrip": True, "rstrip": True,
                "normalized": False, "special": True} for index, text in enumerate(SPECIAL)]
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": special, "normalizer": None,
            "pre_tokenizer": {"type": "WhitespaceSplit"}, "post_processor": None, "decoder": None,
            "model": {"type": "WordLevel", "vocab": {word: index for index, word in enumerate(words())},
                      "unk_token": SPECIAL[3]}}


def model_config(hidden, intermediate, layers, heads):
    return {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu", "attention_bias": False,
            "mlp_bias": False, "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "rope_scaling": None,
            "tie_word_embeddings": True, "vocab_size": len(words()), "max_position_embeddings": 128,
            "hidden_size": hidden, "intermediate_size": intermediate, "num_hidden_layers": layers,
            "num_attention_heads": heads, "num_key_value_heads": heads, "bos_token_id": None, "eos_token_id": 0,
            "pad_token_id": 0, "torch_dtype": "float32", "use_cache": True}


def random_weights(config, seed):
    """Normal weights that keep the size of what goes in; the layers' last matrices smaller by the root of twice their
    number."""
    generator = numpy.random.Generator(numpy.random.PCG64(seed))
    hidden, inner, layers = config["hidden_size"], config["intermediate_size"], config["num_hidden_layers"]

    def normal(rows, columns, gain=1.0):
        return (generator.standard_normal((rows, columns)) * gain / columns**0.5).astype(numpy.float32)

    weights, last = {"model.embed_tokens.weight": normal(config["vocab_size"], hidden)}, (2 * layers)**-0.5
    for layer in range(layers):
        prefix = f"model.layers.{layer}."
        for name in ("q", "k", "v"):
            weights[f"{prefix}self_attn.{name}_proj.weight"] = normal(hidden, hidden)
        weights[prefix + "self_attn.o_proj.weight"] = normal(hidden, hidden, last)
        weights[prefix + "mlp.gate_proj.weight"] = normal(inner, hidden)
        weights[prefix + "mlp.up_proj.weight"] = normal(inner, hidden)
        weights[prefix + "mlp.down_proj.weight"] = normal(hidden, inner, last)
        for name in ("input_layernorm", "post_attention_layernorm"):
            weights[f"{prefix}{name}.weight"] = numpy.ones(hidden, numpy.float32)
    weights["model.norm.weight"] = numpy.ones(hidden, numpy.float32)
    return weights


def write_json(path, value):
    path.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")


def write_model(folder, shape, seed):
    """Makes the folder; returns the number of parameters. `shape`: hidden, intermediate, layers, heads."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    config = model_config(**shape)
    weights = random_weights(config, seed)
    write_json(folder / "config.json", config)
    write_json(folder / "generation_config.json", {"eos_token_id": 0, "pad_token_id": 0})
    write_json(folder / "tokenizer.json", tokenizer())
    write_json(folder / "tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": SPECIAL[0],
                                                  "unk_token": SPECIAL[3], "clean_up_tokenization_spaces": False})
    (folder / "chat_template.jinja").write_text(CHAT_TEMPLATE, encoding="utf-8")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return sum(weight.size for weight in weights.values())
