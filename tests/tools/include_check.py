#!/usr/bin/env python3
"""include_check.py ROOT: the layering of the tree, checked on its #include lines. Prints file:line: what is wrong
for each breach, and exits 1 when there is one. docs/architecture.md says why the layers are as they are.

"Sees" is meant through all headers of the tree: a file sees torch when a header that it includes does, or when
its CMake target is marked TORCH (the precompiled header is in front of every file of such a target).
"""

import re
import sys
from pathlib import Path

EVERY_COMMON = {f"common/{leaf}" for leaf in "base config data text rpc device parallel model checkpoint aten".split()}

# Folder -> the folders whose headers it may include, besides its own. tests/ may include whatever it tests.
MAY_INCLUDE = {
    "common/base": set(),
    "common/config": {"common/base"},
    "common/data": {"common/base"},
    "common/text": {"common/base"},
    "common/aten": {"common/base", "common/model"},
    "common/device": {"common/base"},
    "common/cuda": {"common/base", "common/device"},
    "common/parallel": {"common/base", "common/device"},
    "common/rpc": {"common/base", "common/config", "proto"},
    "common/model": {"common/base", "common/config", "common/parallel"},
    "common/checkpoint": {"common/base", "common/config", "common/parallel"},
    "coordinator": {"common/base", "common/config", "common/data", "common/text", "common/rpc", "common/model",
                    "common/checkpoint", "proto"},
    "worker": EVERY_COMMON | {"proto"},
    "trainer": EVERY_COMMON | {"proto"},
}
WITHOUT_TORCH = ["common/base", "common/config", "common/data", "common/rpc", "common/text", "common/device",
                 "common/parallel", "common/model", "coordinator"]
WITHOUT_MPI = ["common/base", "common/config", "common/data", "common/rpc", "common/text", "coordinator"]

# What an outside header belongs to.
KINDS = {
    "torch": re.compile(r"(ATen|c10|torch|caffe2)/"),
    "glog": re.compile(r"glog/"),
    "gRPC": re.compile(r"(grpc|grpcpp|grpc\+\+)/|.*\.grpc\.pb\.h$"),
    "MPI": re.compile(r"mpi\.h$"),
    "CUDA": re.compile(r"(cuda\w*\.h|nccl\.h|cublas\w*\.h)$|(ATen|c10)/cuda/"),
}
SLOW_TORCH_HEADERS = {"torch/torch.h", "torch/all.h", "torch/extension.h"}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
TORCH_TARGET = re.compile(r"srlm_(?:library|program|test)\(\s*\w+\s+([^)]*\bTORCH\b[^)]*)\)")
SKIPPED = {".git", "build", "runs", "target"}


class Tree:
    """The C++ files below a folder, with their includes."""

    def __init__(self, root):
        self.root = root
        self.includes = {path: list(includes_of(root, path)) for path in cpp_files(root)}
        self._kinds = {}
        self._torch_sources = set(torch_sources(root))

    def kinds_seen(self, path):
        """Kind -> the chain of files that leads to it, for every kind of outside header that `path` sees."""
        if path in self._kinds:
            return self._kinds[path]
        seen = self._kinds[path] = {}  # entered first, so that headers that include each other end
        if path in self._torch_sources:
            seen["torch"] = [path, "its TORCH target"]
        for _, _, included in self.includes.get(path, []):
            for kind, pattern in KINDS.items():
                if pattern.match(included):
                    seen.setdefault(kind, [path, included])
            if included in self.includes:
                for kind, chain in self.kinds_seen(included).items():
                    seen.setdefault(kind, [path, *chain])
        return seen


def cpp_files(root):
    for path in sorted(root.rglob("*")):
        relative = path.relative_to(root)
        if path.suffix in {".cc", ".h", ".cu", ".cuh"} and not SKIPPED & set(relative.parts):
            yield relative.as_posix()


def includes_of(root, path):
    """(line number, quote mark, what is included) of every #include line. A test's header beside it, included by its
    bare name, is given its path from the top."""
    for number, line in enumerate((root / path).read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            beside = Path(path).parent / match[2]
            bare = match[1] == '"' and path.startswith("tests/") and (root / beside).exists()
            yield number, match[1], beside.as_posix() if bare else match[2]


def torch_sources(root):
    """Source files of the targets that CMake marks TORCH."""
    for listing in root.rglob("CMakeLists.txt"):
        folder = listing.parent.relative_to(root)
        if SKIPPED & set(folder.parts):
            continue
        for arguments in TORCH_TARGET.findall(listing.read_text(encoding="utf-8")):
            for word in arguments.split():
                if word.endswith(".cc"):
                    yield (folder / word).as_posix()


def folder_of(path):
    """The layer that a file of the tree, or a generated header, belongs to; None for tests and others."""
    if path.startswith("srlm/v1/"):
        return "proto"
    parts = path.split("/")
    folder = "/".join(parts[:2]) if parts[0] == "common" else parts[0]
    return folder if folder in MAY_INCLUDE or folder == "proto" else None


def breaches(root):
    """Every breach as (path, line, message)."""
    tree = Tree(root)
    for path, includes in tree.includes.items():
        for line, quote, included in includes:
            message = direct_breach(root, path, quote, included)
            if message:
                yield path, line, message
        for message in seen_breaches(path, tree.kinds_seen(path)):
            yield path, 1, message


def direct_breach(root, path, quote, included):
    if included in SLOW_TORCH_HEADERS:
        return f"includes {included}: use the precompiled ATen/ATen.h"
    if included.endswith(".cc"):
        return f"includes a source file, {included}"
    if quote == '"' and not included.startswith("srlm/v1/") and not (root / included).exists():
        return f'"{included}" is not a path from the top of the tree'
    own, other = folder_of(path), folder_of(included)
    if own and other and own != other and other not in MAY_INCLUDE[own]:
        return f"{own} may not include {other} ({included})"
    if own and included.startswith("tests/"):
        return f"{own} may not include tests ({included})"
    return None


def seen_breaches(path, kinds):
    folder = folder_of(path)
    if folder in WITHOUT_TORCH and "torch" in kinds:
        yield f"{folder} may not see torch: " + " -> ".join(kinds["torch"])
    if folder in WITHOUT_MPI and "MPI" in kinds:
        yield f"{folder} may not see MPI: " + " -> ".join(kinds["MPI"])
    if folder != "common/cuda" and "CUDA" in kinds:
        yield f"{folder} may not see CUDA, which is common/cuda's: " + " -> ".join(kinds["CUDA"])
    for kind in ("glog", "gRPC"):
        if "torch" in kinds and kind in kinds:
            yield f"sees torch and {kind}: " + " -> ".join(kinds["torch"]) + "; " + " -> ".join(kinds[kind])


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    found = list(breaches(root))
    for path, line, message in found:
        print(f"{path}:{line}: {message}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
