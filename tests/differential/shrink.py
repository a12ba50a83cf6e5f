"""Delta debugging: the shortest stream that still makes the two servers differ.

Every try replays a candidate on emptied servers. A candidate counts when it shows a difference of
the same command, so that a shorter stream with another bug does not take its place.
"""

import time

BUDGET_S = 40


def shrink(duel, history, difference):
    """(stream, the difference that it shows), or (stream, None) when it does not show again."""
    deadline = time.monotonic() + BUDGET_S
    flat = [(protocol, step) for protocol, steps in history for step in steps]

    def shows(candidate):
        found = duel.replay(_grouped(candidate))
        return found if found and found.name == difference.name else None

    last = shows(flat)
    if last is None:
        return history, None
    pieces = 2
    while len(flat) > 1 and time.monotonic() < deadline:
        size = max(len(flat) // pieces, 1)
        for start in range(0, len(flat), size):
            candidate = flat[:start] + flat[start + size:]
            found = shows(candidate) if candidate and time.monotonic() < deadline else None
            if found:
                flat, last, pieces = candidate, found, max(pieces - 1, 2)
                break
        else:
            if size == 1:
                break
            pieces = min(pieces * 2, len(flat))
    return _grouped(flat), last


def _grouped(flat):
    """Batches again: neighbours with the same protocol."""
    stream = []
    for protocol, step in flat:
        if not stream or stream[-1][0] != protocol:
            stream.append((protocol, []))
        stream[-1][1].append(step)
    return stream
