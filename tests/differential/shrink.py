"""Delta debugging: the shortest stream that still makes the two servers differ.

Every try replays a candidate on emptied servers. A candidate counts when it shows a difference of
the same command, so that a shorter stream with another bug does not take its place.
"""

import time

BUDGET_S = 40


def shrink(duel, history, difference):
    """(stream, the difference that it shows), or (stream, None) if the difference does not show again."""
    deadline = time.monotonic() + BUDGET_S
    def shows(candidate):
        found = duel.replay(_grouped(candidate))
        return found if found and found.name == difference.name else None

    units = _units(history)
    last = shows(units)
    if last is None:
        return history, None
    units, last = _minimal(units, last, shows, deadline)
    units, last = _minimal(_single_steps(units), last, shows, deadline)
    return _grouped(units), last


def _minimal(units, last, shows, deadline):
    """Removes smaller and smaller pieces until none can be removed, or the time is over."""
    pieces = 2
    while len(units) > 1 and time.monotonic() < deadline:
        size = max(len(units) // pieces, 1)
        for start in range(0, len(units), size):
            candidate = units[:start] + units[start + size:]
            found = shows(candidate) if candidate and time.monotonic() < deadline else None
            if found:
                units, last, pieces = candidate, found, max(pieces - 1, 2)
                break
        else:
            if size == 1:
                break
            pieces = min(pieces * 2, len(units))
    return units, last


def _single_steps(units):
    """Each step in a batch of its own, if that cannot make equal servers differ."""
    return [(protocol, part) for protocol, steps in units
            for part in ([steps] if _inseparable(steps) else [[step] for step in steps])]


def _inseparable(steps):
    return any(step[1] == "spop" or b"\r\npast\r\n" in step[0] for step in steps)


def _units(history):
    """[(protocol, steps)] where the steps of a unit stay together."""
    units, last = [], None
    for protocol, steps in history:
        for step in steps:
            if step[3] != last:
                units.append((protocol, []))
                last = step[3]
            units[-1][1].append(step)
    return units


def _grouped(units):
    """Joins neighbours with the same protocol into batches again."""
    stream = []
    for protocol, steps in units:
        if not stream or stream[-1][0] != protocol:
            stream.append((protocol, []))
        stream[-1][1].extend(steps)
    return stream
