"""Reads recorded client traffic (transcripts/README.md) and compares replies with it."""

import base64
import json
import time
import zlib

from support import resp

TTL_TOLERANCE_S = 2


def load(path):
    """The events of a file in order of execution: open, close and requests, with values resolved."""
    values, events = {}, []
    with open(path, encoding="utf-8") as lines:
        header = json.loads(next(lines))
        for line in lines:
            event = json.loads(line)
            if "val" in event:
                values[event["val"]] = _value(event)
            else:
                event["values"] = values
                events.append(event)
    return header, events


def _value(event):
    data = (zlib.decompress(base64.b64decode(event["z"])) if "z" in event
            else event["s"].encode())
    assert len(data) == event["n"], f"value {event['val']} is damaged"
    return data


def _bytes(item, values):
    if isinstance(item, str):
        return item.encode()
    if "b" in item:
        return base64.b64decode(item["b"])
    return values[item["$"]]


def request(event):
    """The arguments as bytes; times relative to the sending become absolute now."""
    arguments = []
    for item in event["q"]:
        if isinstance(item, dict) and "now" in item:
            arguments.append(b"%d" % (time.time() + item["now"]))
        elif isinstance(item, dict) and "nowms" in item:
            arguments.append(b"%d" % (time.time() * 1000 + item["nowms"]))
        else:
            arguments.append(_bytes(item, event["values"]))
    return arguments


def reply(item, values):
    """A recorded reply as support.resp would have read it."""
    if item is None or isinstance(item, int):
        return item
    if isinstance(item, list):
        return [reply(one, values) for one in item]
    if isinstance(item, dict):
        if "+" in item:
            return resp.Simple(item["+"].encode())
        if "-" in item:
            return resp.Error(item["-"].encode())
        if "*" in item:
            return resp.NULL_ARRAY
    return _bytes(item, values)


def batches(events):
    """Groups each request with those pipelined directly after it; other events stand alone."""
    group = []
    for event in events:
        if group and event.get("p") and event["c"] == group[-1]["c"]:
            group.append(event)
            continue
        if group:
            yield group
        group = [event]
    if group:
        yield group


class Scans:
    """The iterations in progress: cursors and portions differ by server, their union must not."""

    def __init__(self):
        self._open = {}

    def check(self, connection, arguments, got, recorded):
        # A cursor continues the same command except for the cursor.
        at = 1 if arguments[0].upper() == b"SCAN" else 2
        key = (connection, tuple(arguments[:at] + arguments[at + 1:]))
        ours, theirs = self._open.setdefault(key, (set(), set()))
        ours.update(got[1])
        theirs.update(recorded[1])
        if recorded[0] == b"0":
            del self._open[key]
            return got[0] != b"0" or ours == theirs
        return isinstance(got[0], bytes) and isinstance(got[1], list)


def _pairs(flat):
    return sorted(zip(flat[::2], flat[1::2]))


def matches(got, recorded, difference):
    """Whether a reply is the recorded one, apart from the difference that the record allows."""
    if difference is None:
        return resp.same(got, recorded)
    if isinstance(difference, dict):
        return (isinstance(got, list) and len(got) == len(recorded)
                and all(matches(one, other, difference.get(str(index)))
                        for index, (one, other) in enumerate(zip(got, recorded))))
    if type(got) is not type(recorded):
        return False
    if difference == "unordered":
        return sorted(got) == sorted(recorded)
    if difference == "pairs":
        return len(got) % 2 == 0 and _pairs(got) == _pairs(recorded)
    if difference == "ttl":
        return abs(got - recorded) <= TTL_TOLERANCE_S
    if difference == "pttl":
        return abs(got - recorded) <= TTL_TOLERANCE_S * 1000
    if difference == "scan":
        return got[0] == recorded[0] and sorted(got[1]) == sorted(recorded[1])
    assert difference == "volatile", f"unknown difference {difference!r}"
    return True
