"""What both end-to-end tests share: running the programs, reading what a run says about itself."""

import json
import os
import pathlib
import subprocess
import time

FOLDER = pathlib.Path(__file__).resolve().parent


class Loop:
    """The programs in one folder, and one run."""

    def __init__(self, bin_folder, run_dir):
        self.bin = os.path.abspath(bin_folder)
        self.run_dir = str(run_dir)

    def srlm(self, *arguments, timeout=500, **environment):
        """Runs srlm to its end; one that takes too long is asked to end, so that it ends what it started."""
        process = subprocess.Popen([f"{self.bin}/srlm", *arguments], text=True, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, **environment})
        try:
            out, errors = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.terminate()
            out, errors = process.communicate(timeout=60)
            raise AssertionError(f"srlm {arguments[0]} took more than {timeout} s:\n{out}{errors}") from None
        return subprocess.CompletedProcess(process.args, process.returncode, out, errors)

    def kill_once_there_is(self, table, *arguments, seconds=240):
        """Runs srlm, slowly, and kills it as soon as a table of its ledger has a row."""
        process = subprocess.Popen([f"{self.bin}/srlm", *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, env={**os.environ, "SRLM_SLOWDOWN": "30"})
        try:
            end = time.monotonic() + seconds
            while not self.srlm("inspect", self.run_dir, table, "--json").stdout:
                assert process.poll() is None and time.monotonic() < end, f"nothing in {table}"
        finally:
            process.kill()
            process.wait(timeout=60)

    def run_arguments(self, config, *more):
        return ["run", str(FOLDER / config), "--run-dir", self.run_dir, *more]

    def output(self, *arguments):
        """Standard output of a command that must succeed."""
        ended = self.srlm(*arguments)
        assert ended.returncode == 0, f"srlm {' '.join(arguments)}: {ended.returncode}\n{ended.stderr}"
        return ended.stdout

    def rows(self, *arguments):
        return [json.loads(line) for line in self.output(*arguments).splitlines()]

    def inspect(self, table, *more):
        return self.rows("inspect", self.run_dir, table, "--json", *more)

    def fsck(self):
        """What `srlm fsck` says about the run, which must be stopped and as it must be."""
        ended = self.srlm("fsck", self.run_dir, "--json")
        report = json.loads(ended.stdout) if ended.stdout else {"found": ended.stderr}
        assert ended.returncode == 0, f"srlm fsck: {ended.returncode}\n{json.dumps(report['found'], indent=1)}"
        assert report["digest"], report
        return report

    def digest(self):
        """SHA-256 over what the run has made, which must be whole."""
        return self.fsck()["digest"]

    def generate(self, model, prompts, out):
        """`srlm-worker generate` with one of the run's models: rows that it wrote."""
        command = [f"{self.bin}/srlm-worker", "generate", "--model", f"{self.run_dir}/models/{model}", "--prompts",
                   str(prompts), "--out", str(out), "--samples", "1", "--max-new-tokens", "8", "--greedy"]
        ended = subprocess.run(command, timeout=120, text=True, capture_output=True, stdin=subprocess.DEVNULL)
        assert ended.returncode == 0, ended.stderr
        return [json.loads(line) for line in pathlib.Path(out).read_text(encoding="utf-8").splitlines()]

    def ask_by_reflection(self):
        """What the Python client of docs/operations.md prints, run as a reader of that page would."""
        page = (FOLDER.parents[1] / "docs/operations.md").read_text(encoding="utf-8")
        client = page.split("```python\n")[1].split("```")[0]
        ended = subprocess.run([os.environ["SRLM_CLIENT_PYTHON"], "-c", client, self.run_dir], timeout=60, text=True,
                               capture_output=True, stdin=subprocess.DEVNULL)
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout)

    def processes(self):
        """Ids of running processes whose command line names the run's folder."""
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            try:
                words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
            except OSError:
                continue  # ended meanwhile
            if any(self.run_dir in word for word in words):
                found.append((int(entry.name), " ".join(words)))
        return found
