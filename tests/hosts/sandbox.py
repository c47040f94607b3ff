"""Several hosts on one machine: network namespaces with a switch between them, in a sandbox that nobody else sees.

The sandbox is a network, mount and process namespace of its own (and a user namespace where the caller is not root). All
that a test makes in it, namespaces, links, rules and processes, ends with the test, however that ends.
"""

import json
import os
import pathlib
import shlex
import subprocess
import sys

MARK = "SRLM_TEST_SANDBOX"
FOLDER = pathlib.Path(__file__).resolve().parent


def enter():
    """Starts this script again inside a sandbox; comes back there."""
    if os.environ.get(MARK) == "1":
        run("mount", "-t", "tmpfs", "tmpfs", netns_folder())
        run("ip", "link", "set", "lo", "up")
        return
    for program in ("unshare", "nsenter", "ip", "nft"):
        if subprocess.run(["sh", "-c", f"command -v {program}"], capture_output=True).returncode != 0:
            sys.exit(f"{program} is not in PATH: install util-linux, iproute2 and nftables")
    netns_folder()
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    os.environ[MARK] = "1"
    os.execvp("unshare", ["unshare", *user, "--net", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child",
                          sys.executable, *sys.argv])


def netns_folder():
    """Where `ip netns` keeps its namespaces; a folder that is there outside, too, as only root could make it inside."""
    folder = pathlib.Path("/run/netns")
    if not folder.is_dir():
        try:
            folder.mkdir()
        except PermissionError:
            sys.exit("no folder /run/netns: as root, `mkdir /run/netns`, once")
    return str(folder)


def run(*command, **options):
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL, **options)
    if ended.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: {ended.stderr}")
    return ended.stdout


class Hosts:
    """Hosts h1, h2, ... at 10.77.0.1, 10.77.0.2, ..., each with a link to one switch."""

    def __init__(self, count, folder):
        self.names = [f"h{i}" for i in range(1, count + 1)]
        self.file = pathlib.Path(folder) / "hosts"
        lines = ["127.0.0.1 localhost"] + [f"10.77.0.{i} {name}" for i, name in enumerate(self.names, 1)]
        self.file.write_text("\n".join(lines) + "\n")
        run("ip", "link", "add", "switch", "type", "bridge")
        run("ip", "link", "set", "switch", "up")
        for i, name in enumerate(self.names, 1):
            run("ip", "netns", "add", name)
            run("ip", "link", "add", f"port{i}", "type", "veth", "peer", "name", "eth0", "netns", name)
            run("ip", "link", "set", f"port{i}", "master", "switch", "up")
            run("ip", "-n", name, "addr", "add", f"10.77.0.{i}/24", "dev", "eth0")
            for device in ("lo", "eth0"):
                run("ip", "-n", name, "link", "set", device, "up")
            self._nft(name, "table inet faults {\n"
                            "  chain in { type filter hook input priority 0; policy accept; }\n"
                            "  chain out { type filter hook output priority 0; policy accept; }\n"
                            "}\n")
        os.environ["SRLM_TEST_HOSTS"] = str(self.file)  # rsh_agent.sh reads it

    def remove(self):
        for i, name in enumerate(self.names, 1):
            run("ip", "link", "del", f"port{i}")
            run("ip", "netns", "del", name)
        run("ip", "link", "del", "switch")

    def on(self, name, *command):
        """The command that runs `command` on a host."""
        return [str(FOLDER / "rsh_agent.sh"), name, "exec", shlex.join(command)]

    def sent_bytes(self, name):
        """All that has left a host so far."""
        return json.loads(run("ip", "-n", name, "-s", "-j", "link", "show", "eth0"))[0]["stats64"]["tx"]["bytes"]

    def cut(self, name, incoming=True, outgoing=True):
        """Drops what comes to a host, what leaves it, or both."""
        if incoming:
            self._nft(name, "add rule inet faults in iifname eth0 drop\n")
        if outgoing:
            self._nft(name, "add rule inet faults out oifname eth0 drop\n")

    def lose(self, name, percent):
        """Drops that share of what comes to a host."""
        self._nft(name, f"add rule inet faults in iifname eth0 numgen random mod 100 < {percent} drop\n")

    def heal(self, name):
        self._nft(name, "flush chain inet faults in\nflush chain inet faults out\n")

    def _nft(self, name, rules):
        subprocess.run(["nsenter", f"--net=/run/netns/{name}", "nft", "-f", "-"], input=rules, text=True, check=True,
                       timeout=30)
