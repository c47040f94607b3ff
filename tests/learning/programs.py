"""The ordinary programs, run on files. What a file holds is done once: it appears when it is whole."""

import json
import os
import pathlib
import subprocess


class ProgramFailed(RuntimeError):
    """A program's end with another code than 0, with its last words."""


def rows(path):
    return [json.loads(line) for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines()]


class Programs:
    """The programs in one folder."""

    def __init__(self, bin_folder, threads=0):
        self.bin = os.path.abspath(bin_folder)
        self.threads = ["--threads", str(threads)] if threads else []

    def run(self, program, *arguments, show=False):
        """Runs a program to its end. `show`: its output goes to ours."""
        command = [f"{self.bin}/{program}", *map(str, arguments)]
        process = subprocess.Popen(command, text=True, stdin=subprocess.DEVNULL, stdout=None if show else subprocess.PIPE,
                                   stderr=None if show else subprocess.STDOUT)
        try:
            said, _ = process.communicate()
        except KeyboardInterrupt:  # the terminal has told the program as well: it ends in order
            process.wait()
            raise
        if process.returncode != 0:
            words = "" if show else f":\n{said[-2000:]}"
            raise ProgramFailed(f"{' '.join(command)} ended with {process.returncode}{words}")

    def output(self, program, *arguments):
        """Standard output of a program that must succeed."""
        return subprocess.run([f"{self.bin}/{program}", *map(str, arguments)], text=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, check=True).stdout

    def answers(self, model, prompts, out, samples, seed, temperature):
        """Rows of `srlm-worker generate`; temperature 0 is greedy."""
        if not out.exists():
            self.run("srlm-worker", "generate", "--model", model, "--prompts", prompts, "--out", out, "--samples",
                     samples, "--seed", seed, "--temperature", temperature, "--top-p", 1, "--max-new-tokens", 16,
                     *self.threads)
        return rows(out)

    def scores(self, model, items, template, out):
        """Expected scores of (prompt, response), in their order."""
        if not out.exists():
            source = out.with_suffix(".items")
            source.write_text("".join(json.dumps({"prompt": prompt, "response": response}) + "\n"
                                      for prompt, response in items), encoding="utf-8")
            self.run("srlm-worker", "judge", "--model", model, "--items", source, "--out", out, "--template", template,
                     "--verdict", "expected", *self.threads)
        return [row["score"] for row in rows(out)]
