"""A disk that is small, or goes wrong on request: a tmpfs in a mount namespace that nobody else sees."""

import os
import pathlib
import subprocess
import sys

MARK = "SRLM_TEST_MOUNTS"
MIB = 1 << 20


def enter():
    """Starts this script again where it may mount; comes back there. What is mounted goes with the script."""
    if os.environ.get(MARK) == "1":
        return
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    os.environ[MARK] = "1"
    try:
        os.execvp("unshare", ["unshare", *user, "--mount", sys.executable, *sys.argv])
    except FileNotFoundError:
        sys.exit("unshare is not in PATH: install util-linux")


def run(*command):
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL)
    if ended.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: {ended.stderr}")


class SmallDisk:
    """Mounted at a folder that is there."""

    def __init__(self, folder, mib=64, inodes=2000):
        self.folder = pathlib.Path(folder)
        self.ballast = self.folder / "ballast"
        run("mount", "-t", "tmpfs", "-o", f"size={mib}m,nr_inodes={inodes}", "tmpfs", str(folder))

    def remove(self):
        run("umount", "--lazy", str(self.folder))

    def free_bytes(self):
        info = os.statvfs(self.folder)
        return info.f_bavail * info.f_frsize

    def free_inodes(self):
        return os.statvfs(self.folder).f_favail

    def take_space(self, but=0):
        """Fills the disk but for so many bytes; again, for what has become free since."""
        self.ballast.mkdir(exist_ok=True)
        size = self.free_bytes() - but
        if size <= 0:
            return
        with open(self.ballast / "space", "ab") as file:
            try:
                os.posix_fallocate(file.fileno(), file.tell(), size)
            except OSError:
                pass  # somebody else took some

    def take_inodes(self, but=0):
        self.ballast.mkdir(exist_ok=True)
        for _ in range(self.free_inodes() - but):
            try:
                (self.ballast / str(len(os.listdir(self.ballast)))).touch()
            except OSError:
                return

    def give_back(self):
        """Deletes what was taken."""
        for path in self.ballast.glob("*"):
            path.unlink()

    def make_read_only(self):
        """Whatever is opened from now on; what is open for writing stays so, since Linux refuses anything else."""
        run("mount", "--bind", str(self.folder), str(self.folder))
        run("mount", "-o", "remount,bind,ro", str(self.folder))

    def make_writable(self):
        run("umount", str(self.folder))
