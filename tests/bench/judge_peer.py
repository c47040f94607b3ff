"""The peer's hf_judge.py on kept answers: judge_peer.py [arguments of hf_judge.py] ANSWERS.json.

hf_judge.py samples the answers that it judges. Here they are sampled once and kept in ANSWERS.json, as lists of texts
a prompt, so that our judge reads the same ones and later turns need not sample again. What is timed stays the peer's.
"""
import json
import pathlib
import sys

from turns import PEERS

sys.path.insert(0, str(PEERS))
import hf_judge  # noqa: E402


def keep_answers(path):
    """Puts a memory into hf_judge's first call of generate, which makes the answers."""
    generate = hf_judge.generate
    made = []

    def generate_or_recall(*arguments):
        if made:
            return generate(*arguments)
        made.append(True)
        if path.exists():
            return json.loads(path.read_text()), 0, 0
        result = generate(*arguments)
        path.write_text(json.dumps(result[0]))
        return result

    hf_judge.generate = generate_or_recall


if __name__ == "__main__":
    keep_answers(pathlib.Path(sys.argv.pop()))
    hf_judge.main()
