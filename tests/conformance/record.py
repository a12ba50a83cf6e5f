#!/usr/bin/python3
"""Turns a draft into a conformance file by asking redis-server for the replies.

    record.py drafts/strings.txt > strings.json

A draft is plain text. "# name" starts a case, with options in brackets, "# name [since=7.2
resp=3]"; resp=2,3 makes a case that runs under both versions of the protocol. Every other line is
a request as in the JSON files (one that starts with [ is a JSON list), optionally with " => reply"
when the reply is not to be recorded: it is volatile, unordered, or newer than the redis-server
that records. "until" before a request repeats it. "cleanup" before a request puts it among the
steps that run whatever happens.
Read the recorded replies before you commit them: they show what Redis does, not what it should do.
"""

import json
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from conformance import matching, run  # noqa: E402
from support import resp, servers  # noqa: E402


def parse(text):
    """The cases of a draft, with replies where the draft gives them."""
    cases = []
    for line in text.splitlines():
        if line.startswith("# "):
            name, _, options = line[2:].partition(" [")
            options = dict(word.split("=", 1) for word in options.rstrip("] ").split())
            cases.append({"name": name.strip(), "options": options, "steps": [], "cleanup": []})
        elif line.strip() and not line.startswith("//"):
            cases[-1]["cleanup" if line.startswith("cleanup ") else "steps"].append(_step(line))
    return cases


def _step(line):
    line = re.sub(r"^cleanup ", "", line)
    until = line.startswith("until ")
    request, arrow, replies = line[6 * until:].partition(" => ")
    request = json.loads(request) if request.startswith("[") else request.rstrip()
    expected = None
    if arrow:
        expected = json.loads("[" + replies + "]") if replies.strip() else []
    return {"until": until, "request": request, "expected": expected}


def record(server, draft, version):
    """One case with its replies for one version of the protocol."""
    case = {"name": draft["name"]}
    if version == 3:
        case["resp"] = 3
    for option in ("since", "until"):
        if option in draft["options"]:
            case[option] = draft["options"][option]
    with server.connect() as admin:
        admin.pipeline([["FLUSHALL"], ["SCRIPT", "FLUSH"], ["FUNCTION", "FLUSH"]])
    one = run.CaseRun(server, version)
    for part in ("steps", "cleanup"):
        steps = [_recorded(one, step, draft) for step in draft[part]]
        if steps:
            case[part] = steps
    one.close()
    return case


def _recorded(one, step, draft):
    request, expected = step["request"], step["expected"]
    name, verb, arguments = one.request(request)
    if verb == "closed":
        return [request]
    if expected is None:
        connection = one.connection(name)
        if verb == "raw":
            connection.send_raw(resp.to_bytes(arguments[0]))
        elif verb == "call":
            connection.send(*arguments)
        try:
            expected = [matching.notation(connection.read())]
        except (resp.ConnectionClosed, resp.ReplyTimeout) as error:
            raise run.Failure(f"{request}: {error!r}") from error
    elif "since" not in draft["options"]:
        full = [request, *expected]
        one.step("draft", {"until": full} if step["until"] else full)
    return {"until": [request, *expected]} if step["until"] else [request, *expected]


def merge(second, third):
    """One case made of two that differ only in the version of the protocol."""
    merged = {"name": second["name"], "resp": [2, 3]}
    for key in second:
        merged[key] = second[key] if key not in ("steps", "cleanup") else [
            _merged_step(*pair) for pair in zip(second[key], third[key])]
    return merged


def _merged_step(second, third):
    if isinstance(second, dict):
        return {"until": _merged_step(second["until"], third["until"])}
    return [second[0], *_either(second[1:], third[1:])]


def _either(two, three):
    """The reply of both versions, with both variants where it differs."""
    if two == three:
        return two
    if isinstance(two, list) and isinstance(three, list) and len(two) == len(three):
        return [_either(*pair) for pair in zip(two, three)]
    return {"resp2": two, "resp3": three}


def write(family, cases, out):
    """One line for each step, so that a diff reads well."""
    out.write(f'{{"family": {json.dumps(family)},\n "cases": [\n')
    for index, case in enumerate(cases):
        head = ", ".join(f"{json.dumps(key)}: {json.dumps(case[key])}"
                         for key in ("name", "resp", "since", "until") if key in case)
        out.write(f"  {{{head},\n   \"steps\": [\n    ")
        out.write(",\n    ".join(json.dumps(step) for step in case["steps"]) + "]")
        if "cleanup" in case:
            out.write(f',\n   "cleanup": {json.dumps(case["cleanup"])}')
        out.write("}" + ("," if index + 1 < len(cases) else "") + "\n")
    out.write(" ]}\n")


def main():
    path = Path(sys.argv[1])
    cases = []
    with servers.start("redis") as server:
        for draft in parse(path.read_text()):
            recorded = []
            for version in draft["options"].get("resp", "2").split(","):
                try:
                    recorded.append(record(server, draft, int(version)))
                except (run.Failure, resp.ConnectionClosed, resp.ReplyTimeout, OSError) as error:
                    print(f"{path.stem}: {draft['name']} (RESP{version}): {error!r}",
                          file=sys.stderr)
                    return 1
            cases.append(recorded[0] if len(recorded) == 1 else merge(*recorded))
    write(path.stem, cases, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
