"""cloakroom-check-aof against redis-check-aof: same files, same words, same exit code, same files after."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from support import servers


def command(*arguments):
    parts = [b"*%d\r\n" % len(arguments)]
    parts += [b"$%d\r\n%s\r\n" % (len(one), one) for one in arguments]
    return b"".join(parts)


SET = command(b"SET", b"a", b"1")
MULTI, EXEC = command(b"MULTI"), command(b"EXEC")
TIMED = b"#TS:1000\r\n" + SET + b"#TS:2000\r\n" + SET + b"#TS:3000\r\n" + SET
MANIFEST = b"file b.aof seq 1 type b\nfile i1.aof seq 1 type i\nfile i2.aof seq 2 type i\n"


def log(first, second, manifest=MANIFEST):
    return {"m.manifest": manifest, "b.aof": SET, "i1.aof": first, "i2.aof": second}


SINGLE = {
    "good": SET * 2, "empty": b"", "eof-at-length": SET + b"*3\r\n", "torn-length": SET + b"*3\r\n$3",
    "no-prefix": SET + b"PING\r\n", "wrong-prefix": SET + b"*1\r\n:4\r\n",
    "too-long": SET + b"*1\r\n$4\r\nPINGxxyy", "no-number": SET + b"*1\r\n$x\r\nPING\r\n",
    "negative": SET + b"*1\r\n$-1\r\nPING\r\n", "no-count": SET + b"*x\r\n", "no-words": SET + b"*0\r\n",
    "huge": b"*1\r\n$9999999999999\r\nabc", "hugest": b"*1\r\n$9223372036854775807\r\nabc",
    "open-multi": SET + MULTI + SET, "torn-multi": SET + MULTI + SET[:-3], "nested": SET + MULTI + MULTI,
    "exec-alone": SET + EXEC, "transaction": SET + MULTI + SET + EXEC + SET, "annotations": TIMED,
    "odd-annotations": b"#TS:x\r\n" + SET + b"#other\r\n" + SET + b"#TS:1",
    "long-annotation": b"#TS:" + b"1" * 3000 + b"\r\n" + SET, "short": b"REDIS",
}
MANY = {
    "good": log(SET, b""), "torn-last": log(SET, SET + SET[:-3]), "torn-middle": log(SET + SET[:-3], SET),
    "timed": log(TIMED, b"#TS:4000\r\n" + SET + b"#TS:5000\r\n" + SET),
    "missing": log(SET, SET, MANIFEST + b"file i3.aof seq 3 type i\n"),
    "no-base": log(SET, SET, b"# comment\nfile i1.aof seq 1 type i\n"),
    "missing-base": log(SET, SET, b"file x.aof seq 1 type b\n"),
    "nested": log(SET + MULTI + MULTI, SET), "exec-alone": log(SET, SET + EXEC),
    "rdb-behind-the-base": log(b"REDIS0010\xff" + b"\0" * 8, SET),
    "folder-as-base": log(SET, SET, b"file .. seq 1 type b\nfile i1.aof seq 1 type i\n"),
    "folder-behind-the-base": log(SET, SET, MANIFEST + b"file .. seq 3 type i\n"),
    "history-only": log(SET, SET, b"file h seq 1 type h\n"),
}


@pytest.fixture(scope="session")
def tools(program):
    ours = Path(servers.binary("cloakroom")).parent / "cloakroom-check-aof"
    if not ours.exists():
        pytest.skip(f"no program at {ours}")
    return program("redis-check-aof"), str(ours)


def outcome(tool, folder, files, arguments, answer):
    """The program's output, its exit code, and the files after it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    done = subprocess.run([tool, *arguments], cwd=folder, input=answer, capture_output=True, timeout=30,
                          check=False)
    text = done.stdout.replace(tool.encode(), b"TOOL").replace(b"cloakroom-check-aof", b"redis-check-aof")
    # After the end of a torn line, redis-check-aof prints a byte of the line that it read before.
    text = re.sub(rb"got: 00..", b"got: 00", text)
    return text, done.returncode, {path.name: path.read_bytes() for path in folder.iterdir()}


def compare(tools, tmp_path, files, arguments, answer=b""):
    theirs, ours = (outcome(tool, tmp_path / "d", files, arguments, answer) for tool in tools)
    assert ours == theirs


@pytest.mark.parametrize("name", SINGLE)
def test_single_files(tools, tmp_path, name):
    files = {"a.aof": SINGLE[name]}
    compare(tools, tmp_path, files, ["a.aof"])
    for answer in (b"y\n", b"n\n", b""):
        compare(tools, tmp_path, files, ["--fix", "a.aof"], answer)
    for seconds in ("0", "500", "1500", "3500"):
        compare(tools, tmp_path, files, ["--truncate-to-timestamp", seconds, "a.aof"])


@pytest.mark.parametrize("name", MANY)
def test_manifests(tools, tmp_path, name):
    compare(tools, tmp_path, MANY[name], ["m.manifest"])
    compare(tools, tmp_path, MANY[name], ["./m.manifest"])
    compare(tools, tmp_path, MANY[name], ["--fix", "m.manifest"], b"y\n")
    for seconds in ("200", "2500", "4500", "9000"):
        compare(tools, tmp_path, MANY[name], ["--truncate-to-timestamp", seconds, "m.manifest"])


def test_a_tail_torn_at_every_byte(tools, tmp_path):
    text = SET + MULTI + SET + EXEC
    for length in range(1, len(text)):
        compare(tools, tmp_path, {"a.aof": text[:length]}, ["a.aof"])


def test_usage_and_files_that_are_not_there(tools, tmp_path):
    for arguments in ([], ["--foo", "a"], ["--fix", "a", "b"], ["none.aof"], ["--fix", "none.aof"], ["."],
                      ["--truncate-to-timestamp", "x", "a.aof"]):
        compare(tools, tmp_path, {}, arguments)


def test_a_manifest_that_is_wrong_says_the_line(tools, tmp_path):
    for line in (b"file a seq 3 type q\n", b"file a seq 2 type i\n", b"file d/a seq 3 type i\n", b"\n",
                 b"file a seq 3\n", b"file a seq 3 type b\n"):
        files = log(SET, SET, MANIFEST + line)
        theirs, ours = (outcome(tool, tmp_path / "d", files, ["m.manifest"], b"") for tool in tools)
        assert ours[1] == theirs[1] == 1
        # redis-server's lines have a process id and the time in front.
        for words in ours[0].splitlines()[1:]:
            assert words in theirs[0]
