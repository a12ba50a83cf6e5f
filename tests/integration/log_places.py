"""Where an append-only log ends in the history of its stream, by what its annotations state."""

import re

from links import replication
from saving import wait_until

FOLDER = "appendonlydir"


def files(server):
    """The log's files, in the order in which they are read."""
    folder = server.directory / FOLDER
    manifest = (folder / "appendonly.aof.manifest").read_text()
    return [folder / name for name in re.findall(r"^file (\S+) ", manifest, re.MULTILINE)]


def last_file(server):
    return files(server)[-1]


def place(server):
    """The ID and the offset at the end of the last file; None if they are not known."""
    known = None
    text = last_file(server).read_bytes()
    at = 0
    while at < len(text):
        if text[at:at + 1] == b"#":
            end = text.index(b"\n", at) + 1
            known = _stated(text[at:end].rstrip(), known)
        else:
            end = _command_end(text, at)
            known = known and (known[0], known[1] + end - at)
        at = end
    return known


def _stated(line, known):
    history = re.fullmatch(rb"#REPL:([0-9a-f]{40}):(\d+)", line)
    if history:
        return history[1].decode(), int(history[2])
    offset = re.fullmatch(rb"#OFF:(\d+)", line)
    if offset and known:
        assert int(offset[1]) >= known[1], "it goes back"
        return known[0], int(offset[1])
    return known if line.startswith(b"#TS:") else None


def _command_end(text, at):
    head = re.compile(rb"\*(\d+)\r\n").match(text, at)
    at = head.end()
    for _ in range(int(head[1])):
        word = re.compile(rb"\$(\d+)\r\n").match(text, at)
        at = word.end() + int(word[1]) + 2
    return at


def await_logged(server):
    """Waits until the log accounts for everything that the server has, PINGs included."""
    def accounts():
        ours = replication(server)
        try:
            return place(server) == (ours["master_replid"], int(ours["master_repl_offset"]))
        except (FileNotFoundError, TypeError, ValueError, AttributeError, IndexError):
            return False  # it is being written
    wait_until(accounts, "logged")
