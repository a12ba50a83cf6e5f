"""The two servers of a differential run and the connections to them.

Both get the same bytes. A batch of replies ends with the reply to the ECHO that was appended to it,
so nothing needs to be parsed to know that the batch is complete.
"""

import re
import socket
import time

from differential import compare
from support import resp, servers
from support.value_types import BY_NAME

DATABASES = 4
SET_MAX_LISTPACK_ENTRIES = 128  # redis.conf's default
WALKED_FROM = 128  # larger values are also read by HSCAN or SSCAN
LOG_TAIL = 1500
_READ_TIMEOUT_S = 20
_END = b"end-of-batch-7f3a"
_END_OF_EVENTS = b"__keyevent@end"
_EVENT_CLASSES = "EAmn"
_END_REQUEST = resp.encode([b"ECHO", _END])
_END_REPLY = b"$%d\r\n%s\r\n" % (len(_END), _END)


class ServerLost(Exception):
    """A server closed a connection, stopped answering, or ended."""


class Side:
    """One server, with a connection for each protocol; fresh ones after every reset."""

    def __init__(self, server):
        self.server = server
        self._sockets = {}
        self._listener = None

    @property
    def kind(self):
        return self.server.kind

    def reset(self):
        """Empties the server and forgets all connection state."""
        self.close()
        try:
            self._empty()
        except (OSError, resp.ConnectionClosed, resp.ReplyTimeout):
            self.server.kill()
            self.server.launch()
            self._empty()
        self.events()

    def _empty(self):
        with self.server.connect() as admin:
            admin.ok("CONFIG", "SET", "notify-keyspace-events", _EVENT_CLASSES)
            admin.ok("FLUSHALL")
            admin.call("SCRIPT", "FLUSH")
            admin.call("FUNCTION", "FLUSH")
            if self._has_log():
                self._forget_log(admin)

    def restart(self):
        """Ends the server and starts it on what it kept: its log, or else a snapshot. Scripts are
        flushed, because redis-server forgets them and Cloakroom does not."""
        self.close()
        if not self._has_log():
            with self.server.connect(timeout_s=_READ_TIMEOUT_S) as admin:
                admin.ok("SAVE")
        self.server.terminate()
        self.server.launch()
        with self.server.connect() as admin:
            admin.ok("CONFIG", "SET", "notify-keyspace-events", _EVENT_CLASSES)
            admin.ok("SCRIPT", "FLUSH")
        self.events()

    def events(self):
        """What happened to keys since the last call, in order: (channel, key). Nothing of a
        server with a log: each replays it by commands of its own."""
        if self._has_log():
            return []
        if self._listener is None:
            self._listener = self.server.connect(timeout_s=_READ_TIMEOUT_S)
            self._listener.call("PSUBSCRIBE", "__keyevent@*")
        with self.server.connect() as admin:
            admin.ok("PUBLISH", _END_OF_EVENTS, "")
        seen = []
        while True:
            channel, key = self._listener.read()[2:4]
            if channel == _END_OF_EVENTS:
                return seen
            seen.append((bytes(channel), bytes(key)))

    def _has_log(self):
        return self.server.directives.get("appendonly") == "yes"

    @staticmethod
    def _forget_log(admin):
        """Empties the log, so that reading it back is as quick in the last epoch as in the first.
        Nothing else rewrites it, because each server would change encodings at a different moment."""
        admin.ok("BGREWRITEAOF")
        busy = (b"aof_rewrite_in_progress:1", b"aof_rewrite_scheduled:1")
        while any(text in admin.ok("INFO", "persistence") for text in busy):
            time.sleep(0.002)

    def last_words(self):
        """The end of the server log, if the server no longer runs."""
        return "" if self.server.is_running() else "\n" + self.server.log()[-LOG_TAIL:]

    def close(self):
        for one in self._sockets.values():
            one.close()
        self._sockets = {}
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def _socket(self, protocol):
        if protocol not in self._sockets:
            one = socket.create_connection(("127.0.0.1", self.server.port), _READ_TIMEOUT_S)
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._sockets[protocol] = one
            if protocol == 3:
                self._exchange(one, resp.encode(["HELLO", 3]))
        return self._sockets[protocol]

    def send(self, protocol, data):
        try:
            self._socket(protocol).sendall(data + _END_REQUEST)
        except OSError as error:
            raise ServerLost(f"{self.kind}: {error}") from error

    def receive(self, protocol):
        """The bytes of all replies of the batch that was sent."""
        return self._receive(self._socket(protocol))

    def _exchange(self, one, data):
        one.sendall(data + _END_REQUEST)
        return self._receive(one)

    def _receive(self, one):
        parts, tail = [], b""
        while not tail.endswith(_END_REPLY):
            try:
                data = one.recv(1 << 20)
            except OSError as error:
                raise ServerLost(f"{self.kind}: {error or 'no reply in time'}") from error
            if not data:
                raise ServerLost(f"{self.kind} closed the connection")
            parts.append(data)
            tail = (tail + data)[-len(_END_REPLY):]
        return b"".join(parts)[:-len(_END_REPLY)]

    def command_table(self):
        """name -> flags, with subcommands as container|name."""
        table = {}
        with self.server.connect() as connection:
            for row in connection.ok("COMMAND"):
                _add(table, row)
        return table

    def state(self):
        """{(db, key): description} of everything that the server holds."""
        state = {}
        with self.server.connect(timeout_s=_READ_TIMEOUT_S) as connection:
            for db in range(DATABASES):
                connection.ok("SELECT", db)
                keys = sorted(connection.ok("KEYS", "*"))
                if sorted(set(_walk(connection, ["SCAN"]))) != keys:
                    state[db, b"<SCAN>"] = ("does not visit the keys of KEYS",)
                rows = _describe(connection, keys)
                state.update(((db, key), row) for key, row in zip(keys, rows))
        return state


def _add(table, row):
    name = row[0].decode().lower()
    table[name] = {bytes(flag).decode() for flag in row[2]}
    for sub in row[9] if len(row) > 9 else []:
        _add(table, sub)


def _walk(connection, words):
    """All pages of a SCAN; a server may return fewer items than it is asked for."""
    cursor, items = b"0", []
    while True:
        cursor, page = connection.ok(*words, cursor, "COUNT", 500)
        items += page
        if cursor == b"0":
            return items


def _describe(connection, keys):
    """(type, value in a fixed order, milliseconds to live, encoding) of each key."""
    rows = [BY_NAME[bytes(kind)] for kind in connection.pipeline([["TYPE", key] for key in keys])]
    requests = []
    for key, row in zip(keys, rows):
        requests += [row.request(key), ["PTTL", key], ["OBJECT", "ENCODING", key]]
    replies = connection.pipeline(requests)
    for index, (key, row) in enumerate(zip(keys, rows)):
        value, ttl, encoding = replies[3 * index:3 * index + 3]
        if isinstance(value, list):
            value = row.items(value)
            if row.name == b"stream":
                value.append(_groups(connection, key))
            if row.walk and len(value) > WALKED_FROM:
                walked = row.items(_walk(connection, [row.walk, key]))
                if sorted(set(walked)) != value:
                    value.append(f"{row.walk} differs")
        yield row.name, value, ttl, encoding


def _groups(connection, key):
    """What a stream has beside its entries: its IDs and counts, and what is pending in its groups."""
    info = connection.ok("XINFO", "STREAM", key)
    head = [info[at + 1] for at, field in enumerate(info)
            if field in (b"last-generated-id", b"max-deleted-entry-id", b"entries-added")]
    groups = connection.ok("XINFO", "GROUPS", key)
    full = connection.ok("XINFO", "STREAM", key, "FULL", "COUNT", 0)
    pending = [_field(group, b"pending") for group in _field(full, b"groups")]
    return head, groups, pending


def _field(reply, name):
    """The value of a field in RESP2's flat array."""
    return reply[reply.index(name) + 1]


def state_difference(ours, theirs):
    """The first difference of two states as text, or None."""
    for place in sorted(set(ours) | set(theirs)):
        mine, other = ours.get(place), theirs.get(place)
        if mine is None or other is None:
            return f"db {place[0]} key {place[1]!r}: only one side has it: {mine} / {other}"
        if len(mine) != len(other) or len(mine) == 1:
            return f"db {place[0]}: SCAN does not visit what KEYS answers"
        if mine[:2] != other[:2]:
            return f"db {place[0]} key {place[1]!r}: {mine[:2]!r} / {other[:2]!r}"[:1000]
        if mine[2] != other[2] and not compare.milliseconds(mine[2], other[2]):
            return f"db {place[0]} key {place[1]!r}: PTTL {mine[2]} / {other[2]}"
        if mine[3] != other[3] and not _packed_since(mine, other):
            return f"db {place[0]} key {place[1]!r}: encoding {mine[3]} / {other[3]}"
    return None


def _packed_since(mine, other):
    """7.2 packs small sets and lists; this does not allow a packed hash or a big packed set."""
    small = mine[0] == b"list" or mine[0] == b"set" and len(mine[1]) <= SET_MAX_LISTPACK_ENTRIES
    return small and compare.encoding(mine[3], other[3])


def start(kinds, directives=None):
    """Starts one server of each kind, with the same settings."""
    return [Side(servers.start(kind, directives)) for kind in kinds]


def words(data):
    """The arguments of one encoded request, for printing."""
    return [bytes(word) for word in resp.parse(data)[0]]


def shown(data):
    return " ".join(_quoted(word) for word in words(data))


def _quoted(word):
    if re.fullmatch(rb"[!#-&(-\[\]-~]+", word):
        return word.decode()
    return '"' + "".join(chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\x{byte:02x}"
                         for byte in word) + '"'
