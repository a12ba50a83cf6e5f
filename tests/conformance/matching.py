"""Compares a reply with the notation that the conformance files use for it.

    "text"  bulk string      "+OK"  simple string     "-ERR text"  exactly this error
    "$-1"   bulk string that begins with + - or $     7, null, [..]  as in JSON
Bytes above 127 are written as \\u0080 to \\u00ff. Objects stand for everything else; each is one
key and its operand (see MATCHERS below for the list, README.md for a table).
"""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support import resp  # noqa: E402


class Mismatch(Exception):
    """Says where a reply differs from the expected one."""


def match(expected, actual, variables):
    """Returns if the reply is as expected, else raises Mismatch. May store into `variables`."""
    if isinstance(expected, dict):
        if len(expected) != 1:
            raise ValueError(f"a matcher is an object with one key: {expected!r}")
        name, operand = next(iter(expected.items()))
        MATCHERS[name](operand, actual, variables)
    elif isinstance(expected, list):
        _array(list, expected, actual, variables)
    elif not resp.same(scalar(expected), actual):
        raise Mismatch(f"expected {expected!r}, got {show(actual)}")


def scalar(expected):
    """The reply that a string, a number, a boolean or null stands for."""
    if not isinstance(expected, str):
        return expected
    data = expected.encode("latin-1")
    kind = {"+": resp.Simple, "-": resp.Error, "$": bytes}.get(expected[:1])
    return kind(data[1:]) if kind else data


def notation(reply):
    """The inverse of `match`: how a reply is written in a conformance file."""
    if reply is None or isinstance(reply, (bool, int)):
        return reply
    if reply is resp.NULL_ARRAY:
        return {"null": "array"}
    if isinstance(reply, resp.Map):
        return {"map": [[notation(k), notation(v)] for k, v in reply]}
    if isinstance(reply, (resp.Set, resp.Push)):
        return {type(reply).__name__.lower(): [notation(item) for item in reply]}
    if isinstance(reply, list):
        return [notation(item) for item in reply]
    text = reply.decode("latin-1")
    if isinstance(reply, resp.Simple):
        return "+" + text
    if isinstance(reply, resp.Error):
        return "-" + text
    for kind, name in ((resp.Double, "double"), (resp.BigNumber, "big"),
                       (resp.Verbatim, "verbatim")):
        if isinstance(reply, kind):
            return {name: text}
    return "$" + text if text[:1] in ("+", "-", "$") else text


def show(reply):
    return repr(notation(reply))[:600]


def _array(kind, expected, actual, variables):
    if type(actual) is not kind:
        raise Mismatch(f"expected {kind.__name__} {expected!r}, got {show(actual)}")
    if len(actual) != len(expected):
        raise Mismatch(f"expected {len(expected)} items {expected!r}, got {show(actual)}")
    for index, (want, item) in enumerate(zip(expected, actual)):
        try:
            match(want, item, variables)
        except Mismatch as error:
            raise Mismatch(f"[{index}]: {error}") from error


def _unordered(kind, expected, actual, variables):
    if type(actual) is not kind:
        raise Mismatch(f"expected {kind.__name__} {expected!r}, got {show(actual)}")
    if len(actual) != len(expected):
        raise Mismatch(f"expected {len(expected)} items {expected!r}, got {show(actual)}")
    left = list(actual)
    for want in expected:
        for index, item in enumerate(left):
            if _matches(want, item, variables):
                del left[index]
                break
        else:
            raise Mismatch(f"nothing matches {want!r} in {show(actual)}")


def _matches(expected, actual, variables):
    try:
        match(expected, actual, variables)
    except Mismatch:
        return False
    return True


def _map(expected, actual, variables):
    if type(actual) is not resp.Map:
        raise Mismatch(f"expected a map, got {show(actual)}")
    pairs = expected.items() if isinstance(expected, dict) else expected
    _unordered(list, [list(pair) for pair in pairs], [list(pair) for pair in actual], variables)


def _pairs(expected, actual, variables):
    """A map of RESP3, or RESP2's flat array of the same pairs, in any order."""
    if type(actual) is resp.Map:
        return _map(expected, actual, variables)
    if type(actual) is not list or len(actual) % 2:
        raise Mismatch(f"expected pairs, got {show(actual)}")
    _map(expected, resp.Map(zip(actual[::2], actual[1::2])), variables)


def _fields(expected, actual, variables):
    """Pairs of which only the named ones are compared."""
    if type(actual) is list and len(actual) % 2 == 0:
        actual = list(zip(actual[::2], actual[1::2]))
    elif type(actual) is not resp.Map:
        raise Mismatch(f"expected a map or pairs, got {show(actual)}")
    found = {key: value for key, value in actual if isinstance(key, bytes)}
    for name, want in expected.items():
        if name.encode("latin-1") not in found:
            raise Mismatch(f"no field {name!r} in {show(list(found))}")
        match(want, found[name.encode("latin-1")], variables)


def _contains(expected, actual, variables):
    if not isinstance(actual, list):
        raise Mismatch(f"expected an array, got {show(actual)}")
    for want in expected:
        if not any(_matches(want, item, variables) for item in actual):
            raise Mismatch(f"nothing matches {want!r} in {show(actual)}")


def _each(operand, actual, variables):
    """[item, low, high]: every item matches, and their number is in the range."""
    want, low, high = operand
    if not isinstance(actual, list) or not low <= len(actual) <= high:
        raise Mismatch(f"expected {low} to {high} items, got {show(actual)}")
    for item in actual:
        match(want, item, variables)


def _distinct(operand, actual, variables):
    """[n, [pool..]]: n different items of the pool."""
    count, pool = operand
    if not isinstance(actual, list) or len(actual) != count:
        raise Mismatch(f"expected {count} items, got {show(actual)}")
    if len(set(actual)) != count or not set(actual) <= {scalar(item) for item in pool}:
        raise Mismatch(f"expected {count} different items of {pool!r}, got {show(actual)}")


def _one_of(operand, actual, variables):
    if not any(_matches(want, actual, variables) for want in operand):
        raise Mismatch(f"expected one of {operand!r}, got {show(actual)}")


def _all_of(operand, actual, variables):
    for want in operand:
        match(want, actual, variables)


def _int(operand, actual, variables):
    """[low, high], or "any"."""
    if type(actual) is not int:
        raise Mismatch(f"expected an integer, got {show(actual)}")
    if operand != "any" and not operand[0] <= actual <= operand[1]:
        raise Mismatch(f"expected {operand[0]} to {operand[1]}, got {actual}")


def _error(operand, actual, variables):
    if type(actual) is not resp.Error or not actual.startswith(operand.encode("latin-1")):
        raise Mismatch(f"expected an error that begins {operand!r}, got {show(actual)}")


def _regex(operand, actual, variables):
    if not isinstance(actual, bytes):
        raise Mismatch(f"expected text like {operand!r}, got {show(actual)}")
    if not re.search(operand.encode("latin-1"), actual, re.DOTALL | re.MULTILINE):
        raise Mismatch(f"expected text like {operand!r}, got {show(actual)}")


def _type(operand, actual, variables):
    kinds = {"array": list, "bulk": bytes, "simple": resp.Simple, "map": resp.Map,
             "set": resp.Set, "double": resp.Double, "verbatim": resp.Verbatim}
    if operand != "any" and type(actual) is not kinds[operand]:
        raise Mismatch(f"expected {operand}, got {show(actual)}")


def _store(operand, actual, variables):
    variables[operand] = actual


def _same_as(operand, actual, variables):
    if not resp.same(variables[operand], actual):
        raise Mismatch(f"expected {operand} = {show(variables[operand])}, got {show(actual)}")


def _near(operand, actual, variables):
    """[text, tolerance]: a double or a bulk string that holds a number."""
    if not isinstance(actual, bytes) or abs(float(actual) - float(operand[0])) > operand[1]:
        raise Mismatch(f"expected about {operand[0]}, got {show(actual)}")


def _of_type(kind):
    def matcher(operand, actual, variables):
        if type(actual) is not kind or actual != operand.encode("latin-1"):
            raise Mismatch(f"expected {kind.__name__} {operand!r}, got {show(actual)}")
    return matcher


def _null(operand, actual, variables):
    if not (actual is resp.NULL_ARRAY or (operand == "any" and actual is None)):
        raise Mismatch(f"expected a null array, got {show(actual)}")


def _repeat(operand, actual, variables):
    """[text, n]: a long bulk string."""
    if type(actual) is not bytes or actual != operand[0].encode("latin-1") * operand[1]:
        raise Mismatch(f"expected {operand[0]!r} {operand[1]} times, got {show(actual)}")


MATCHERS = {
    "null": _null, "double": _of_type(resp.Double), "big": _of_type(resp.BigNumber),
    "verbatim": _of_type(resp.Verbatim), "map": _map, "pairs": _pairs, "fields": _fields,
    "set": lambda *a: _unordered(resp.Set, *a), "push": lambda *a: _array(resp.Push, *a),
    "unordered": lambda *a: _unordered(list, *a), "contains": _contains, "each": _each,
    "distinct": _distinct, "one of": _one_of, "all of": _all_of, "int": _int, "error": _error,
    "regex": _regex, "type": _type, "as": _store, "same as": _same_as, "near": _near,
    "repeat": _repeat,
}
