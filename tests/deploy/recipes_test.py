#!/usr/bin/env python3
"""`srlm run --check` accepts every recipe of deploy/recipes, with small stand-ins for the models and the data that it
names; and names what is missing when they are not there.

    recipes_test.py BIN_FOLDER PLUGIN_FOLDER
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
RECIPES = SOURCE / "deploy/recipes"
SEED = SOURCE / "deploy/data/seed"
REFERENCE = SOURCE / "tests/reference/models"
STAND_INS = {  # model that a recipe names: a random one of its family, without the chat template that it lacks
    "Meta-Llama-3-8B": (REFERENCE / "llama3", False),
    "Llama-2-70b-hf": (REFERENCE / "llama2", False),
    "Llama-2-70b-chat-hf": (REFERENCE / "llama2", True),
}
BIN = PLUGINS = ""  # set by main


class Recipes(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="srlm-recipes-")
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name)

    def check(self, recipe, *more):
        environment = {**os.environ, "SRLM_MODELS": str(self.path / "models"), "SRLM_DATA": str(self.path / "data"),
                       "SRLM_DEVICE_PLUGIN": f"{PLUGINS}/libsrlm_host_device.so"}  # eight devices that are host memory
        return subprocess.run([f"{BIN}/srlm", "run", str(recipe), "--check", "--run-dir", str(self.path / "run"), *more],
                              timeout=60, text=True, capture_output=True, stdin=subprocess.DEVNULL, env=environment)

    def stand_in(self):
        shutil.copytree(SEED, self.path / "data")
        for name in ("test_prompts", "validation_prompts"):
            rows = [{"prompt_id": f"{name}-{i}", "prompt": f"Write line {i} of {name}."} for i in range(3)]
            (self.path / "data" / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        for name, (model, with_template) in STAND_INS.items():
            target = self.path / "models" / name
            shutil.copytree(model, target)
            config = json.loads((target / "config.json").read_text())
            config.update({"num_attention_heads": 8, "num_key_value_heads": 8, "head_dim": 6})  # as many ranks can share
            (target / "config.json").write_text(json.dumps(config))
            if not with_template:
                (target / "chat_template.jinja").unlink(missing_ok=True)
                config = json.loads((target / "tokenizer_config.json").read_text())
                config.pop("chat_template", None)
                (target / "tokenizer_config.json").write_text(json.dumps(config))

    def test_every_recipe_is_a_whole_configuration(self):
        self.stand_in()
        recipes = sorted(RECIPES.glob("*.yaml"))
        self.assertGreaterEqual(len(recipes), 2)
        for recipe in recipes:
            with self.subTest(recipe=recipe.name):
                ended = self.check(recipe)
                self.assertEqual(ended.returncode, 0, ended.stderr)
                self.assertIn("right", ended.stdout)
                self.assertFalse((self.path / "run").exists())

    def test_what_a_recipe_names_and_is_not_there_is_said_by_its_key(self):
        ended = self.check(RECIPES / "llama2-70b-64gpu.yaml")
        self.assertEqual(ended.returncode, 1)
        for key in ("model: ", "data.ift: ", "data.eft: ", "data.evaluation: ", "data.evaluation_prompts: ",
                    "data.validation_prompts: ", "prompts.writer: ", "evaluation.judge: "):
            self.assertIn(key, ended.stderr)

    def test_a_base_model_needs_the_template_that_the_recipes_bring(self):
        self.stand_in()
        ended = self.check(RECIPES / "llama3-8b-8gpu.yaml", "--set", "chat_template=")
        self.assertEqual(ended.returncode, 1)
        self.assertIn("chat template", ended.stderr)


if __name__ == "__main__":
    PLUGINS = sys.argv.pop(2)
    BIN = sys.argv.pop(1)
    unittest.main()
