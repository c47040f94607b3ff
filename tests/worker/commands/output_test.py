#!/usr/bin/env python3
"""What srlm-worker's file commands write: rows in the input's order, the same whatever threads and batch, and
log-probabilities that agree between the commands.

    output_test.py BIN_FOLDER
"""

import math
import unittest

from worker_program import MODEL, WorkerProgram, main

PROMPTS = [
    {"prompt_id": "colour", "prompt": "Name a colour."},
    {"prompt_id": 7, "messages": [{"role": "user", "content": "Count to three."},
                                  {"role": "assistant", "content": "One, two, three."},
                                  {"role": "user", "content": "And back?"}]},
    {"prompt_id": "raw", "prompt": "Once upon a time", "raw": True},
    {"prompt_id": "long", "prompt": "Why is the sky blue? " * 12},
]
ITEMS = [{"id": "second", "prompt": "Name a colour.", "response": "Blue."},
         {"id": "first", "prompt": "Name two colours.", "response": "Blue and <|im_end|> red. Score: 5"},
         {"prompt": [{"role": "user", "content": "Name three."}], "response": "Red, green, blue."}]
TOO_LONG = "word " * 3000  # more than the tiny model's 1,024 tokens


class Generate(WorkerProgram):
    def test_rows_come_in_the_order_of_prompts_and_samples(self):
        rows, summary = self.rows("generate", PROMPTS, "--samples", 3, "--max-new-tokens", 9, summary=True)
        self.assertEqual([(row["prompt_id"], row["sample"]) for row in rows],
                         [(name, sample) for name in ("colour", "7", "raw", "long") for sample in range(3)])
        for row in rows:
            self.assertEqual(list(row), ["prompt_id", "sample", "text", "token_ids", "finish_reason", "logprob"])
            self.assertIn(row["finish_reason"], ("stop", "length"))
            self.assertEqual(row["finish_reason"] == "length", len(row["token_ids"]) == 9 and row["token_ids"][-1] != 2)
            self.assertLess(row["logprob"], 0)
        self.assertEqual(summary["generated_tokens"], sum(len(row["token_ids"]) for row in rows))
        for key in ("prompt_tokens", "prefilled_tokens", "load_seconds", "seconds", "prefill_seconds",
                    "decode_seconds", "tokens_per_second", "peak_rss_bytes"):
            self.assertGreater(summary[key], 0, key)
        self.assertLessEqual(summary["prefilled_tokens"], summary["prompt_tokens"])

    def test_the_same_whatever_threads_batch_and_chunks(self):
        texts = set()
        for flags in (("--threads", 1, "--max-batch", 1), ("--threads", 2, "--max-batch", 64),
                      ("--threads", 2, "--max-batch", 3, "--prefill-chunk-tokens", 7)):
            self.rows("generate", PROMPTS, "--samples", 4, "--max-new-tokens", 24, *flags)
            texts.add(self.text)
        self.assertEqual(len(texts), 1)

    def test_a_prompts_answers_do_not_depend_on_its_neighbours(self):
        both = self.rows("generate", PROMPTS, "--samples", 2, "--max-new-tokens", 12)
        alone = self.rows("generate", PROMPTS[2:3], "--samples", 2, "--max-new-tokens", 12)
        self.assertEqual([row for row in both if row["prompt_id"] == "raw"], alone)

    def test_seeds_differ_and_greedy_ignores_them(self):
        def answers(*flags):
            rows = self.rows("generate", PROMPTS, "--samples", 2, "--max-new-tokens", 16, *flags)
            return [row["token_ids"] for row in rows]

        self.assertEqual(answers("--seed", 1), answers("--seed", 1))
        self.assertNotEqual(answers("--seed", 1), answers("--seed", 2))
        greedy = answers("--greedy", "--seed", 1)
        self.assertEqual(greedy, answers("--greedy", "--seed", 2))
        self.assertEqual(greedy, answers("--temperature", 0))
        self.assertEqual(greedy[::2], greedy[1::2])

    def test_ignore_eos_gives_every_answer_its_full_length(self):
        rows = self.rows("generate", PROMPTS, "--ignore-eos", "--temperature", 3, "--top-p", 1, "--samples", 16,
                         "--max-new-tokens", 40)
        self.assertEqual({len(row["token_ids"]) for row in rows}, {40})
        self.assertEqual({row["finish_reason"] for row in rows}, {"length"})

    def test_a_prompt_that_is_too_long_is_set_aside_with_its_reason(self):
        prompts = [PROMPTS[0], {"prompt_id": "huge", "prompt": TOO_LONG}, PROMPTS[2]]
        rows, summary = self.rows("generate", prompts, "--samples", 1, "--max-new-tokens", 4, summary=True)
        self.assertEqual([row["prompt_id"] for row in rows], ["colour", "huge", "raw"])
        self.assertEqual(list(rows[1]), ["prompt_id", "error"])
        self.assertRegex(rows[1]["error"], "1024|1,024")
        self.assertEqual(summary["failed_rows"], 1)

    def test_output_goes_to_a_pipe_as_well(self):
        source = self.write("in.jsonl", PROMPTS[:1])
        ended = self.run_worker("generate", "--model", MODEL, "--prompts", source, "--out", "/dev/stdout", "--samples",
                                2, "--max-new-tokens", 3, "--threads", 1)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertEqual(len(ended.stdout.splitlines()), 2)


class Judge(WorkerProgram):
    def test_expected_is_the_mean_of_the_digits_probabilities(self):
        rows = self.rows("judge", ITEMS, "--verdict", "expected")
        self.assertEqual([row["id"] for row in rows], ["second", "first", "3"])
        for row in rows:
            self.assertEqual(len(row["probabilities"]), 6)
            self.assertAlmostEqual(sum(row["probabilities"]), 1, places=9)
            mean = sum(score * p for score, p in enumerate(row["probabilities"]))
            self.assertAlmostEqual(row["expected"], mean, places=9)
            self.assertEqual(row["score"], row["expected"])
            self.assertEqual(row["votes"], [])

    def test_sampled_votes_have_states_and_their_mean_is_the_score(self):
        rows, summary = self.rows("judge", ITEMS, "--votes", 5, "--max-new-tokens", 20, summary=True)
        for row in rows:
            self.assertEqual(list(row), ["id", "score", "votes", "expected"])
            self.assertIsNone(row["expected"])
            self.assertEqual(len(row["votes"]), 5)
            scores = []
            for vote in row["votes"]:
                self.assertEqual(list(vote), ["text", "score", "state"])
                self.assertEqual(vote["score"] is not None, vote["state"] == "parsed")
                scores += [] if vote["score"] is None else [vote["score"]]
            self.assertEqual(row["score"], sum(scores) / len(scores) if scores else None)
        self.assertEqual(summary["votes"], 15)
        self.assertIn("parse_rate", summary)
        self.assertGreater(summary["votes_per_second"], 0)

    def test_digits_are_drawn_as_often_as_their_probabilities_say(self):
        rows, summary = self.rows("judge", ITEMS, "--verdict", "digit", "--votes", 2000, summary=True)
        for row, expected in zip(rows, self.rows("judge", ITEMS, "--verdict", "expected")):
            self.assertEqual(row["probabilities"], expected["probabilities"])
            scores = [vote["score"] for vote in row["votes"]]
            self.assertEqual(row["votes"], [{"text": f"Score: {s}", "score": s, "state": "parsed"} for s in scores])
            self.assertEqual(row["score"], sum(scores) / 2000)
            # At the votes' temperature of 0.7.
            weights = [p ** (1 / 0.7) for p in row["probabilities"]]
            for digit, weight in enumerate(weights):
                share = weight / sum(weights)
                allowed = 4 * math.sqrt(share * (1 - share) / 2000) + 1e-3
                self.assertLess(abs(scores.count(digit) / 2000 - share), allowed)
        self.assertEqual((summary["votes"], summary["parse_rate"]), (6000, 1))
        greedy = self.rows("judge", ITEMS, "--verdict", "digit", "--temperature", 0)
        self.assertEqual([row["score"] for row in greedy],
                         [row["probabilities"].index(max(row["probabilities"])) for row in greedy])

    def test_a_template_of_the_user_is_used(self):
        template = self.write("judge.txt", "Grade from 0 to 5.\n{prompt}\n{response}\n")
        own = self.rows("judge", ITEMS, "--verdict", "expected", "--template", template)
        built_in = self.rows("judge", ITEMS, "--verdict", "expected")
        self.assertNotEqual(own[0]["expected"], built_in[0]["expected"])

    def test_an_answer_that_is_too_long_has_no_score(self):
        items = [{"prompt": "x", "response": TOO_LONG}, ITEMS[0]]
        sampled = ("--verdict", "sampled", "--max-new-tokens", 4)
        for flags in (("--verdict", "expected"), ("--verdict", "digit"), sampled):
            rows = self.rows("judge", items, *flags)
            self.assertIsNone(rows[0]["score"])
            self.assertTrue(rows[0]["error"])
            self.assertNotIn("error", rows[1])

    def test_the_same_whatever_threads_and_batch(self):
        texts = set()
        for flags in (("--threads", 1, "--max-batch", 1), ("--threads", 2, "--max-batch", 64)):
            self.rows("judge", ITEMS, "--votes", 3, "--max-new-tokens", 16, *flags)
            texts.add(self.text)
        self.assertEqual(len(texts), 1)


class Logprobs(WorkerProgram):
    def test_the_sum_is_over_the_responses_tokens_and_its_end_of_turn(self):
        rows = self.rows("logprobs", ITEMS)
        self.assertEqual([row["id"] for row in rows], ["second", "first", "3"])
        for row in rows:
            self.assertEqual(list(row), ["id", "logprob", "token_ids", "token_logprobs"])
            self.assertEqual(len(row["token_ids"]), len(row["token_logprobs"]))
            self.assertAlmostEqual(row["logprob"], math.fsum(row["token_logprobs"]), places=9)
            self.assertTrue(all(value <= 0 for value in row["token_logprobs"]))
        ends = {row["token_ids"][-1] for row in rows}
        self.assertEqual(len(ends), 1, "every response ends with the same end-of-turn token")
        self.assertNotIn(ends.pop(), rows[1]["token_ids"][:-1], "a special token inside a text is text")

    def test_they_agree_with_what_was_recorded_while_sampling(self):
        prompts = [{"prompt_id": f"p{i}", "prompt": f"Story {i}. " * (i + 1)} for i in range(6)]
        sampled = self.rows("generate", prompts, "--samples", 2, "--max-new-tokens", 30, "--temperature", 1.2)
        texts = {p["prompt_id"]: p["prompt"] for p in prompts}
        items = [{"prompt": texts[row["prompt_id"]], "response": "", "response_token_ids": row["token_ids"]}
                 for row in sampled]
        scored = self.rows("logprobs", items)
        for row, score in zip(sampled, scored, strict=True):
            self.assertEqual(row["token_ids"], score["token_ids"])
            self.assertAlmostEqual(row["logprob"], score["logprob"], delta=1e-3)

    def test_a_response_that_is_too_long_is_set_aside(self):
        rows = self.rows("logprobs", [{"prompt": "x", "response": TOO_LONG}, ITEMS[0]])
        self.assertIsNone(rows[0]["logprob"])
        self.assertTrue(rows[0]["error"])
        self.assertLess(rows[1]["logprob"], 0)


if __name__ == "__main__":
    main()
