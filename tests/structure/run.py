#!/usr/bin/python3
"""Checks what the tree promises about itself; the last line is "N passed, N failed".

    run.py                 every tracked .h, .cc, .py and .md file

Of C++ files: who may include whom, header guards, and that tests mirror the tree. Of these and of
Python files: at most 600 lines. Of Markdown files: lines of at most 100 characters.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MAX_LINES = 600
MAX_COLUMNS = 100  # of Markdown; clang-format cares for C++

# A folder may include itself and the folders listed here. CMake's targets say the same; this check
# also sees what a target gets through another.
MAY_INCLUDE = {
    "protocol": set(),
    "storage": set(),
    "replication": {"storage", "protocol"},
    "clients": {"protocol"},
    "server": {"replication", "storage", "protocol"},
    "packaging": set(),
    "bench": {"clients", "server", "replication", "storage", "protocol"},
    "tests": {"clients", "server", "replication", "storage", "protocol"},
}
# The rooms of a folder, lowest first: each may include itself and those before it.
ROOMS = {
    "storage": "base gate changes sessions values keyspace snapshot access upkeep".split(),
    "replication": "files stream rdb aof link check".split(),
    "server": "context config log session metrics pubsub tracking sessions script persistence roles execution info commands net process".split(),
}
# These sources put the rooms together and may include all of them; headers never may.
PUT_TOGETHER = ("storage/keyspace/keyspace.cc", "server/context/server.cc")
# Tests that mirror no source file: those of the whole server, of servers that replicate each other,
# and of /cloakroom.conf.
MIRROR_NOTHING = ("tests/stress/", "tests/replication/simulator/", "tests/server/config/cloakroom_conf_test.cc")
LINK_OR_WORD = re.compile(r"\s*([-*] )?(\[[^]]*\]\([^)]*\)|\S+)\s*")
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)


def tracked():
    """The files that git tracks or would track and that are checked, as paths below the root."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *(f"*{kind}" for kind in CHECKS)]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True)
    return sorted(path for path in set(listed.stdout.split()) if (ROOT / path).is_file())


def wrong_include(path, text):
    folder = path.split("/")[0]
    for included in INCLUDE.findall(text):
        target = included.split("/")[0]
        if target in MAY_INCLUDE and target != folder and target not in MAY_INCLUDE.get(folder, ()):
            return f"{folder}/ must not include {included}"
        if target not in MAY_INCLUDE and (ROOT / path).parent.joinpath(included).is_file():
            return f'include "{included}" by its path from the root'
    return None


def room_of(path):
    """The place of a source's room in its folder's order; None where there are no rooms."""
    folder, _, rest = path.partition("/")
    if folder not in ROOMS:
        return None
    room = rest.partition("/")[0]
    return ROOMS[folder].index(room) if room in ROOMS[folder] else -1


def wrong_room(path, text):
    here = room_of(path)
    if here is None:
        return None
    folder = path.split("/")[0]
    if here < 0:
        return f"no room of {folder}/: there are {', '.join(ROOMS[folder])}"
    if path in PUT_TOGETHER:
        return None
    for included in INCLUDE.findall(text):
        if included.startswith(f"{folder}/") and room_of(included) > here:
            return f"{ROOMS[folder][here]}/ must not include {included}, of a room above it"
    return None


def wrong_guard(path, text):
    if not path.endswith(".h"):
        return None
    guard = "CLOAKROOM_" + re.sub(r"[^A-Za-z0-9]", "_", path).upper() + "_"
    if f"#ifndef {guard}\n#define {guard}\n" in text and text.endswith(f"#endif  // {guard}\n"):
        return None
    return f"the header's guard is to be {guard}"


def too_long(_, text):
    lines = text.count("\n")
    return f"{lines} lines: past {MAX_LINES} it is two nouns" if lines > MAX_LINES else None


def too_wide(_, text):
    """Tables, blocks of code, and lines that are one link or one word, such as a URL, may be wider."""
    fenced = code = False
    blank = True
    for number, line in enumerate(text.splitlines(), start=1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        code = line.startswith("    ") and (blank or code)
        blank = not line.strip()
        exempt = fenced or code or line.startswith("|") or LINK_OR_WORD.fullmatch(line)
        if len(line) > MAX_COLUMNS and not exempt:
            return f"line {number} has {len(line)} characters: {MAX_COLUMNS} at most"
    return None


def mirrors_nothing(path, _):
    """tests/storage/keyspace/table_test.cc belongs to storage/keyspace/table.{h,cc}. A test of one aspect of a file
    or folder is named after that and the aspect: call_offload_test.cc."""
    if not path.endswith("_test.cc") or path.startswith(MIRROR_NOTHING):
        return None
    source = Path(path.removeprefix("tests/").removesuffix("_test.cc"))
    words = source.name.split("_")
    for count in range(len(words), 0, -1):
        name = "_".join(words[:count])
        if list((ROOT / source.parent).glob(f"{name}.*")) or list(
                (ROOT / source.parent).glob(f"{name}_*.cc")) or (ROOT / source.parent / name).is_dir():
            return None
    return f"no {source}.cc or {source}.h, nor a file that it is an aspect of"


def in_no_folder(path, _):
    return "in no folder that the design names" if path.split("/")[0] not in MAY_INCLUDE else None


CXX = (in_no_folder, wrong_include, wrong_room, wrong_guard, too_long, mirrors_nothing)
CHECKS = {".h": CXX, ".cc": CXX, ".py": (too_long,), ".md": (too_wide,)}


def main():
    passed = failed = 0
    for path in tracked():
        text = (ROOT / path).read_text()
        checks = CHECKS[Path(path).suffix]
        errors = [error for error in (check(path, text) for check in checks) if error]
        for error in errors:
            print(f"FAILED {path}: {error}")
        passed, failed = passed + (not errors), failed + bool(errors)
    print(f"{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
