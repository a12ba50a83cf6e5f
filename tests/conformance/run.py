#!/usr/bin/python3
"""Runs the request/reply pairs of tests/conformance/*.json against servers.

    run.py                        against redis-server and Cloakroom
    run.py --server redis         proves that the files are right
    run.py strings.json -k SETEX  one file, the cases whose name has SETEX

The last line is "N passed, N failed"; the exit status is 0 only when nothing failed and something
passed. README.md describes the files.
"""

import argparse
import json
import re
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from conformance import matching  # noqa: E402
from support import resp, servers  # noqa: E402

FOLDER = Path(__file__).resolve().parent
UNTIL_TIMEOUT_S = 5.0
RETRY_PAUSE_S = 0.01
CLOAKROOM_VERSION = (999,)


class Failure(Exception):
    """A step of a case that did not go as written."""


def tokens(line):
    """Splits a request line as redis-cli does: blanks separate, quotes hold, \\xHH is a byte."""
    words, pattern = [], re.compile(r"""\s*("((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|(\S+))""")
    at, line = 0, line.rstrip()
    while at < len(line):
        found = pattern.match(line, at)
        quoted = found.group(2) if found.group(2) is not None else found.group(3)
        words.append(found.group(4) if quoted is None else _unescape(quoted))
        at = found.end()
    return words


def _unescape(text):
    named = {"n": "\n", "r": "\r", "t": "\t", "0": "\0"}

    def replace(found):
        escape = found.group(1)
        return chr(int(escape[1:], 16)) if escape[0] == "x" and len(escape) == 3 else named.get(
            escape, escape)
    return re.sub(r"\\(x[0-9a-fA-F]{2}|.)", replace, text)


class Runner:
    """Runs the cases on one server, one after the other; each starts on an empty keyspace."""

    def __init__(self, server, version):
        self._server = server
        self._version = version
        self._admin = server.connect()
        self._commands = {name.decode() for name in self._admin.ok("COMMAND", "LIST")}

    def skips(self, case):
        """Why a case does not apply to this server, or None."""
        since, until = case.get("since"), case.get("until")
        if since and self._version < parse_version(since):
            return "since " + since
        if until and self._version >= parse_version(until):
            return "until " + until
        absent = [name for name in case.get("needs", []) if name not in self._commands]
        return "without " + " ".join(absent) if absent else None

    def run(self, case, version):
        """Raises Failure if the case does not hold under this version of the protocol."""
        self._prepare()
        case = under(version, case)
        run = CaseRun(self._server, version)
        try:
            for number, step in enumerate(case["steps"], 1):
                run.step(number, step)
        finally:
            for step in case.get("cleanup", []):
                run.step("cleanup", step)
            run.close()

    def _prepare(self):
        try:
            replies = self._admin.pipeline([["FLUSHALL"], ["SCRIPT", "FLUSH"], ["FUNCTION", "FLUSH"]])
        except (OSError, resp.ConnectionClosed, resp.ReplyTimeout):
            if not self._server.is_running():
                self._server.launch()
            self._admin = self._server.connect()
            replies = self._admin.pipeline([["FLUSHALL"], ["SCRIPT", "FLUSH"], ["FUNCTION", "FLUSH"]])
        for reply in replies:
            if isinstance(reply, resp.Error):
                raise Failure(f"cannot empty the server: {reply.decode()}")


class CaseRun:
    """The connections and variables of one run of one case."""

    def __init__(self, server, version):
        self._server = server
        self._resp = version
        self._connections = {}
        self.variables = {}

    def close(self):
        for connection in self._connections.values():
            connection.close()

    def connection(self, name):
        if name not in self._connections:
            connection = self._server.connect(timeout_s=UNTIL_TIMEOUT_S)
            self._connections[name] = connection
            if self._resp == 3:
                connection.hello(3)
        return self._connections[name]

    def step(self, number, step):
        try:
            self._step(*step) if isinstance(step, list) else self._until(step["until"])
        except (matching.Mismatch, OSError, resp.ConnectionClosed, resp.ReplyTimeout,
                resp.ProtocolViolation) as error:
            kind = "" if isinstance(error, matching.Mismatch) else type(error).__name__ + ": "
            raise Failure(f"step {number}, {_shown(step)}: {kind}{error}") from error

    def _step(self, request, *expected):
        name, verb, arguments = self.request(request)
        connection = self.connection(name)
        if verb == "closed":
            if not connection.is_closed():
                raise matching.Mismatch("the connection is still open")
            return
        if verb == "raw":
            connection.send_raw(matching.resp.to_bytes(arguments[0]))
        elif verb == "call":
            connection.send(*arguments)
        for one in expected:
            matching.match(one, connection.read(), self.variables)

    def _until(self, step):
        """Repeats the step, a few milliseconds apart, until it matches."""
        deadline = time.monotonic() + UNTIL_TIMEOUT_S
        while True:
            try:
                return self._step(*step)
            except matching.Mismatch:
                if time.monotonic() > deadline:
                    raise
                time.sleep(RETRY_PAUSE_S)

    def request(self, request):
        """(connection name, verb, arguments). "b> PING" is on connection b; "b<" only reads;
        "b! text" sends the text as it is; "b closed" waits for the end of the connection."""
        line = isinstance(request, str)
        head = request if line else str(request[0])
        found = re.match(r"(\w+)(>|<|!| closed$)\s?", head)
        name, verb = (found.group(1), found.group(2).strip()) if found else ("main", ">")
        if found and line:
            request = request[found.end():]
        elif found:
            request = request[1:]
        verb = {">": "call", "<": "read", "!": "raw", "closed": "closed"}[verb]
        if verb == "raw":
            return name, verb, [_unescape(request)]
        words = tokens(request) if line else request
        return name, verb, [self._argument(word) for word in words]

    def _argument(self, word):
        if isinstance(word, dict):
            text, count = word["repeat"]
            return text * count
        if not isinstance(word, str) or "${" not in word:
            return word
        return re.sub(r"\$\{(\w+)([+-]\d+)?\}", self._substitute, word)

    def _substitute(self, found):
        value = self.variables[found.group(1)]
        if found.group(2):
            value = int(value) + int(found.group(2))
        return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _shown(step):
    request = step[0] if isinstance(step, list) else step["until"][0]
    return json.dumps(request)[:200]


def versions(case):
    """The versions of the protocol that a case runs under."""
    resp_versions = case.get("resp", 2)
    return resp_versions if isinstance(resp_versions, list) else [resp_versions]


def under(version, part):
    """A case, or a part of one, with the replies of this version chosen where they differ."""
    if isinstance(part, list):
        return [under(version, item) for item in part]
    if not isinstance(part, dict):
        return part
    if part.keys() == {"resp2", "resp3"}:
        return under(version, part[f"resp{version}"])
    return {key: under(version, value) for key, value in part.items()}


def parse_version(text):
    return tuple(int(part) for part in text.split("."))


def version_of(server):
    """Redis' own version, or one above all for Cloakroom, which must satisfy every case."""
    if server.kind == "cloakroom":
        return CLOAKROOM_VERSION
    with server.connect() as connection:
        info = connection.ok("INFO", "server").decode()
    return parse_version(re.search(r"redis_version:([\d.]+)", info).group(1))


def load(names, wanted):
    """The cases of the named files, or of all, as (file, case)."""
    for path in [Path(name) for name in names] or sorted(FOLDER.glob("*.json")):
        path = path if path.exists() else FOLDER / path.name
        for case in json.loads(path.read_text())["cases"]:
            if wanted.lower() in case["name"].lower():
                yield path.name, case


def run_all(kind, cases):
    """Runs the cases on a server of this kind; returns (passed, failed)."""
    try:
        server = servers.start(kind)
    except servers.ServerFailed as error:
        print(f"FAILED {kind}: {error}")
        return 0, len(cases)
    passed, failed, skipped = 0, 0, {}
    with server:
        runner = Runner(server, version_of(server))
        for file, case in cases:
            reason = runner.skips(case)
            if reason:
                skipped[reason] = skipped.get(reason, 0) + 1
                continue
            try:
                for version in versions(case):
                    runner.run(case, version)
                passed += 1
            except (Failure, servers.ServerFailed) as error:
                failed += 1
                print(f"FAILED {kind} {file}: {case['name']} (RESP{version})\n    {error}")
    skips = ", ".join(f"{count} {reason}" for reason, count in sorted(skipped.items()))
    print(f"{kind}: {passed} passed, {failed} failed, {sum(skipped.values())} skipped"
          + (f" ({skips})" if skips else ""))
    return passed, failed


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("files", nargs="*", help="conformance files; all when none is named")
    parser.add_argument("--server", choices=["redis", "cloakroom", "both"], default="both")
    parser.add_argument("-k", default="", metavar="TEXT", help="only cases with TEXT in their name")
    options = parser.parse_args()
    cases = list(load(options.files, options.k))
    kinds = ["redis", "cloakroom"] if options.server == "both" else [options.server]
    results = [run_all(kind, cases) for kind in kinds]
    passed, failed = (sum(column) for column in zip(*results))
    print(f"{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
