"""When two replies count as equal: to the byte, or by one of these rules.

A rule is a function of redis-server's reply and the reply of the server under test. It is called
only when the bytes differ. Each allows one inherent difference and nothing else.
"""

import itertools

from support import resp

SECONDS_TOLERANCE = 5
MILLISECONDS_TOLERANCE = 5000


def split(buffer):
    """The replies in a buffer, each as its bytes. The buffer must hold whole replies."""
    replies, at, size = [], 0, len(buffer)
    while at < size:
        end = skip(buffer, at)
        replies.append(buffer[at:end])
        at = end
    return replies


def skip(buffer, at):
    """Where the reply that starts at `at` ends."""
    left = 1
    while left:
        kind = buffer[at]
        line = buffer.index(b"\r\n", at)
        left -= 1
        if kind in b"$=":
            size = int(buffer[at + 1:line])
            at = line + 2 if size < 0 else line + size + 4
            continue
        if kind in b"*~>":
            left += max(int(buffer[at + 1:line]), 0)
        elif kind == 37:  # %
            left += 2 * int(buffer[at + 1:line])
        at = line + 2
    return at


def value(reply):
    return resp.parse(reply)[0]


def _order(item):
    return repr(item)


def unordered(ours, theirs):
    """Members, keys and fields come in any order."""
    return _containers(ours, theirs) and sorted(map(_order, ours)) == sorted(map(_order, theirs))


def _containers(ours, theirs):
    return isinstance(ours, list) and type(ours) is type(theirs)


def pairs(ours, theirs):
    """A map, or a flat array of pairs, in any order."""
    if not _containers(ours, theirs) or len(ours) % 2 and not isinstance(ours, resp.Map):
        return False
    if isinstance(ours, resp.Map):
        return unordered(ours, theirs)
    return unordered(list(zip(ours[::2], ours[1::2])), list(zip(theirs[::2], theirs[1::2]))) \
        and len(ours) == len(theirs)


def _sorted_all(item):
    """With everything in any container sorted."""
    if isinstance(item, (list, tuple)):
        return sorted(map(_sorted_all, item), key=_order)
    return item


def libraries(ours, theirs):
    """Libraries, and the functions of each, come in any order."""
    return _containers(ours, theirs) and _sorted_all(ours) == _sorted_all(theirs)


def _near(tolerance):
    def rule(ours, theirs):
        """A remaining or absolute time differs by what passed between the two servers."""
        return (type(ours) is int and type(theirs) is int and ours > 0 and theirs > 0
                and abs(ours - theirs) <= tolerance)
    return rule


seconds = _near(SECONDS_TOLERANCE)
milliseconds = _near(MILLISECONDS_TOLERANCE)


def shape(ours, theirs):
    """Random members: the same type and number of them."""
    if type(ours) is not type(theirs) or isinstance(ours, resp.Error):
        return False
    return not isinstance(ours, list) or (
        len(ours) == len(theirs) and all(map(shape, ours, theirs)))


def scan(rule):
    """A cursor and a page. If both cursors are 0, the pages hold the same; else only the shape counts,
    because each server walks in its own way (the state check walks to the end)."""
    def compare(ours, theirs):
        if not _containers(ours, theirs) or len(ours) != 2 or len(theirs) != 2:
            return False
        if ours[0] == b"0" and theirs[0] == b"0":
            return rule(ours[1], theirs[1])
        cursor = theirs[0]
        return type(cursor) is bytes and cursor.isdigit() and _containers(ours[1], theirs[1])
    return compare


def encoding(ours, theirs):
    """7.2 packs small sets and lists that 7.0 does not."""
    return theirs == b"listpack" and ours in (b"hashtable", b"quicklist")


def number(ours, theirs):
    """A size, an idle time or a reference count: any number."""
    return type(ours) is int and type(theirs) is int


def dumped(ours, theirs):
    """Each server packs values in its own way; RESTORE of either's payload is checked elsewhere."""
    return type(ours) is bytes and type(theirs) is bytes


def pending(ours, theirs):
    """XPENDING's entries: how long they have been idle depends on the moment."""
    if not _containers(ours, theirs) or len(ours) != len(theirs):
        return False
    return all(_containers(mine, other) and len(mine) == len(other) == 4 and mine[:2] == other[:2]
               and mine[3] == other[3] for mine, other in zip(ours, theirs))


def consumers(ours, theirs):
    """XINFO CONSUMERS: 7.2 adds when a consumer was active; when it was seen depends on the moment."""
    if not _containers(ours, theirs) or len(ours) != len(theirs):
        return False
    return all(_containers(mine, other) and _fields(mine)[:2] == _fields(other)[:2]
               for mine, other in zip(ours, theirs))


def _fields(reply):
    """The fields of a map, or of RESP2's flat array."""
    return list(reply) if isinstance(reply, resp.Map) else list(zip(reply[::2], reply[1::2]))


def errors(ours, theirs):
    """Both refuse, but a newer server knows more forms of the command and names another error."""
    return isinstance(ours, resp.Error) and isinstance(theirs, resp.Error)


def checked_later(ours, theirs):
    """7.2 checks the arguments of BITCOUNT and BITPOS even when the key does not exist."""
    return type(ours) is int and isinstance(theirs, resp.Error)


def scored_rank(ours, theirs):
    """7.2 knows WITHSCORE, so that ZRANK and ZREVRANK have other errors with a third argument."""
    return isinstance(ours, resp.Error) and ours.startswith(b"ERR wrong number of arguments") \
        and theirs == b"ERR syntax error"


def transaction(rules):
    """EXEC's reply: an element for each queued command, each under its own rule."""
    def compare(ours, theirs):
        if not _containers(ours, theirs) or not len(ours) == len(theirs) == len(rules):
            return False
        return all(resp.same(mine, other) or (rule is not None and rule(mine, other))
                   for rule, mine, other in zip(rules, ours, theirs))
    return compare


RULES = {
    "keys": unordered, "smembers": unordered, "sinter": unordered, "sunion": unordered,
    "sdiff": unordered, "hkeys": unordered, "hvals": unordered, "pubsub|channels": unordered,
    "pubsub|shardchannels": unordered, "function|list": libraries, "hgetall": pairs, "scan": scan(unordered),
    "sscan": scan(unordered), "hscan": scan(pairs), "zscan": scan(pairs), "ttl": seconds,
    "expiretime": seconds, "pttl": milliseconds, "pexpiretime": milliseconds,
    "object|encoding": encoding, "object|idletime": number, "object|refcount": number,
    "memory|usage": number, "srandmember": shape, "spop": shape, "hrandfield": shape,
    "zrandmember": shape, "randomkey": shape, "dump": dumped, "bitcount": checked_later, "bitpos": checked_later,
    "zrank": scored_rank, "zrevrank": scored_rank,
    "client|kill": errors, "xpending": pending, "xinfo|consumers": consumers,
}


def events(ours, theirs):
    """The first difference of two lists of (channel, key) as text, or None. The keys that SORT misses
    come in the order of a set, so misses that follow each other are put in order."""
    ours, theirs = _misses_in_order(ours), _misses_in_order(theirs)
    for at in range(max(len(ours), len(theirs))):
        mine = ours[at] if at < len(ours) else None
        other = theirs[at] if at < len(theirs) else None
        if mine != other:
            return f"number {at}: {ours[at:at + 3]} / {theirs[at:at + 3]}, before it {ours[:at][-2:]}"
    return None


def _misses_in_order(events_seen):
    ordered = []
    for is_miss, run in itertools.groupby(events_seen, lambda event: event[0].endswith(b":keymiss")):
        ordered += sorted(run) if is_miss else run
    return ordered
