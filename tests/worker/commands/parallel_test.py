#!/usr/bin/env python3
"""srlm-worker's file commands with a model that several ranks hold in parts: the rows of one rank, and clear ends when
they cannot work together.

    parallel_test.py BIN_FOLDER
"""

import subprocess

from worker_program import MODEL, SECONDS, SOURCE, WorkerProgram, main

PROMPTS = [{"prompt_id": f"p{i}", "prompt": "Count to three. " * (1 + 3 * i)} for i in range(5)]
ITEMS = [{"id": f"i{i}", "prompt": "Name a colour.", "response": "Blue and red. " * (1 + i)} for i in range(4)]


class Parallel(WorkerProgram):
    ranks = 1

    def run_worker(self, *arguments):
        command = [f"{self.bin_folder}/srlm-worker", *map(str, arguments)]
        launch = [] if self.ranks == 1 else [str(SOURCE / "tests/mpirun.sh"), str(self.ranks)]
        return subprocess.run([*launch, *command], timeout=SECONDS, text=True, capture_output=True, stdin=subprocess.DEVNULL)

    def on(self, ranks, *arguments, **more):
        self.ranks = ranks
        return self.rows(*arguments, **more)

    def test_greedy_answers_are_those_of_one_rank(self):
        flags = ("--greedy", "--samples", 1, "--max-new-tokens", 24)
        one = self.on(1, "generate", PROMPTS, *flags)
        for ranks in (2, 4):
            several = self.on(ranks, "generate", PROMPTS, *flags)
            self.assertEqual([row["token_ids"] for row in several], [row["token_ids"] for row in one])
            for row, expected in zip(several, one):
                self.assertAlmostEqual(row["logprob"], expected["logprob"], delta=1e-3)

    def test_samples_are_the_same_in_any_batch(self):
        texts = set()
        for flags in (("--max-batch", 1), ("--max-batch", 7, "--prefill-chunk-tokens", 9), ("--threads", 2)):
            self.on(2, "generate", PROMPTS, "--samples", 3, "--max-new-tokens", 16, *flags)
            texts.add(self.text)
        self.assertEqual(len(texts), 1)

    def test_scores_and_likelihoods_are_those_of_one_rank(self):
        for command, flags in (("judge", ("--verdict", "expected")), ("logprobs", ())):
            one, several = self.on(1, command, ITEMS, *flags), self.on(2, command, ITEMS, *flags)
            key = "score" if command == "judge" else "logprob"
            for row, expected in zip(several, one, strict=True):
                self.assertAlmostEqual(row[key], expected[key], delta=1e-3)

    def test_a_number_of_ranks_that_does_not_divide_the_model_is_refused(self):
        self.ranks = 3
        prompts, out = self.write("in.jsonl", PROMPTS), self.path / "out.jsonl"
        ended = self.run_worker("generate", "--model", MODEL, "--prompts", prompts, "--out", out)
        self.assertEqual(ended.returncode, 1, ended.stderr)
        self.assertRegex(ended.stderr, "3 ranks cannot share a model of 4 heads, 2 key-value heads.*possible are 1, 2, 4")
        self.assertFalse(out.exists())

    def test_a_bad_input_ends_all_ranks_and_only_the_first_says_so(self):
        self.ranks = 2
        prompts, out = self.write("in.jsonl", "{\n"), self.path / "out.jsonl"
        ended = self.run_worker("generate", "--model", MODEL, "--prompts", prompts, "--out", out)
        self.assertEqual(ended.returncode, 1, ended.stderr)
        self.assertEqual(ended.stderr.count("srlm-worker: "), 1, ended.stderr)


if __name__ == "__main__":
    main()
