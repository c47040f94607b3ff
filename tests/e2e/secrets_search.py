"""Looks for a run's private keys where they must not be: in files, command lines and environments."""

import base64
import pathlib


def traces(run_dir):
    """Texts and bytes that only the private keys of a run hold: their PEM lines, and the number that each key is, raw,
    in hexadecimal and in base64."""
    found = set()
    for path in pathlib.Path(run_dir, "secrets").rglob("*"):
        if not path.is_file() or b"PRIVATE KEY" not in path.read_bytes():
            continue
        body = path.read_text().split("PRIVATE KEY-----\n")[1].split("-----END")[0]
        lines = body.split()
        found.update(line.encode() for line in lines[:2])  # what follows is the public half, which certificates show
        der = base64.b64decode("".join(lines))
        at = der.index(b"\x02\x01\x01\x04\x20") + 5  # ECPrivateKey: version 1, then 32 bytes
        number = der[at:at + 32]
        found.update({number, number.hex().encode(), base64.b64encode(number)})
    return found


def files_with(folder, needles, skip=()):
    """Files below `folder` that hold one of `needles`; `skip`: names of folders right in it that are left out."""
    found = []
    for path in sorted(pathlib.Path(folder).rglob("*")):
        if path.is_file() and path.relative_to(folder).parts[0] not in skip:
            content = path.read_bytes()
            if any(needle in content for needle in needles):
                found.append(str(path))
    return found


def processes_with(ids, needles):
    """Of the processes `ids`, those whose command line or environment holds one of `needles`; and how many were read."""
    found, read = [], 0
    for pid in ids:
        try:
            content = b"".join(pathlib.Path("/proc", str(pid), name).read_bytes() for name in ("cmdline", "environ"))
        except OSError:
            continue  # ended meanwhile
        read += 1
        if any(needle in content for needle in needles):
            found.append(pid)
    return found, read
