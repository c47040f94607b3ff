"""A run on a disk of its own, that is small and goes wrong on request."""

import json
import os
import pathlib
import sys
import time

sys.dont_write_bytecode = True
from faulty_run import FaultyRun  # noqa: E402
from small_disk import SmallDisk  # noqa: E402


class DiskRun(FaultyRun):
    """A run on a small disk. The programs' own output is elsewhere, since its loss would prove nothing."""

    def __init__(self, bin_folder, folder, *settings):
        os.mkdir(folder)
        self.disk = SmallDisk(folder)
        super().__init__(bin_folder, pathlib.Path(folder) / "run", *settings)
        self.says = pathlib.Path(f"{folder}.out")

    def remove(self):
        self.end()
        self.disk.remove()

    def status(self):
        return self.rows("status", self.run_dir, "--json")[0]

    def await_status(self, what, wanted, seconds=60, meanwhile=lambda: None):
        deadline = time.monotonic() + seconds
        status = None
        while time.monotonic() < deadline:
            if self.life.poll() is not None:
                raise AssertionError(f"it ended before: {what}\n{self.says.read_text()}")
            meanwhile()
            ended = self.srlm("status", self.run_dir, "--json", timeout=30)
            if ended.returncode == 0:
                status = json.loads(ended.stdout)
                if wanted(status):
                    return status
            time.sleep(0.02)
        raise AssertionError(f"not in {seconds} s: {what}\n{json.dumps(status)}\n{self.says.read_text()}")

    def await_phase(self, *phases):
        """Until it is in one of these."""
        return self.await_status(f"phase {phases}", lambda s: (s.get("progress") or {}).get("phase") in phases)

    def await_work(self):
        """Until workers answer prompts: they begin while new ones are still written."""
        return self.await_phase("prompts", "generate_and_judge")

    def await_pause(self, meanwhile=lambda: None):
        """The message of the pause."""
        status = self.await_status("pause", lambda s: s["state"] == "paused", meanwhile=meanwhile)
        return status["message"]
