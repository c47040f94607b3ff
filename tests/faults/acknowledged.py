"""Which results a run's workers were told are stored, and whether its ledger has them."""

import pathlib
import re
import shutil
import sqlite3
import tempfile

LINE = re.compile(r'\] acknowledged .*? refused=0 items=(?:"(.*?)"|(\S+))')
QUERIES = {
    "candidate": "SELECT count(*) FROM prompts WHERE round = ? AND prompt_id = ? AND state <> 'open'",
    "anchor": "SELECT count(*) FROM prompts WHERE round = ? AND prompt_id = ? AND state NOT IN ('open', 'anchor')",
    "likelihood": "SELECT count(*) FROM likelihoods JOIN prompts USING (round, position) WHERE round = ? AND "
                  "prompt_id = ? AND sample = ? AND model = 'M' || ?",
    "vote": "SELECT count(*) FROM candidates WHERE round = ? AND prompt_id = ? AND sample = ? AND "
            "(score IS NOT NULL OR reason <> '')",
    "new_prompt": "SELECT count(*) FROM attempts WHERE round = ? AND attempt = ? AND state <> 'asked'",
    "evaluation": "SELECT count(*) FROM evaluation_votes WHERE model = ? AND (? = 'expected') = (vote = -1) AND answer = ?",
    "evaluation_answer": "SELECT count(*) FROM evaluation_answers WHERE model = ? AND prompt = ?",
    "comparison": "SELECT count(*) FROM comparisons WHERE model = ? AND other = ? AND prompt = ? AND "
                  "(? = 'backward') = backward",
    "held_out": "SELECT count(*) FROM held_out WHERE model = ? AND answer = ?",
    "meta_vote": "SELECT count(*) FROM meta_votes JOIN prompts USING (round, position) WHERE round = ? AND "
                 "prompt_id = ? AND sample = ? AND first = ? AND second = ?",
}


def acknowledged(run_dir):
    """Ids of the items whose results the workers' logs say were acknowledged and none of their batch refused."""
    items = set()
    for log in pathlib.Path(run_dir, "logs/srlm-worker").glob("*/*.log"):
        for line in log.read_text(errors="replace").splitlines():
            match = LINE.search(line)
            if match:
                items.update((match[1] or match[2]).split(" "))
    return items


def stored(ledger, item):
    parts = item.split("/")
    return ledger.execute(QUERIES[parts[1]], (parts[0], *parts[2:])).fetchone()[0] > 0


def lost_results(run_dir):
    """Those that the ledger lacks. A copy is read: a killed coordinator's last commit may have to be taken back."""
    items = acknowledged(run_dir)  # before the copy
    with tempfile.TemporaryDirectory(prefix="srlm-ledger-") as folder:
        for name in ("ledger.sqlite", "ledger.sqlite-journal"):
            if pathlib.Path(run_dir, name).exists():
                shutil.copy(pathlib.Path(run_dir, name), folder)
        path = pathlib.Path(folder, "ledger.sqlite")
        if not path.exists():
            return sorted(items)
        ledger = sqlite3.connect(path)
        try:
            if ledger.execute("SELECT count(*) FROM sqlite_master WHERE name = 'prompts'").fetchone()[0] == 0:
                return sorted(items)
            return sorted(item for item in items if not stored(ledger, item))
        finally:
            ledger.close()
