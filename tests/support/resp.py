"""A RESP2/RESP3 client that keeps the wire type of every reply.

Client libraries fold +OK and $2 OK into one string and three kinds of null into None. A drop-in
server must get those right as well, so the tests read replies with this client:

    simple string  Simple (bytes)       null          None ($-1 and RESP3's _)
    error          Error (bytes)        null array    NULL_ARRAY (*-1)
    bulk string    bytes                boolean       bool
    integer        int                  double        Double (bytes: the text as it was sent)
    array          list                 big number    BigNumber (bytes)
    map            Map (list of pairs)  verbatim      Verbatim (bytes, with .format)
    set            Set (list)           push          Push (list)
    attribute      skipped

A Connection belongs to one thread. Every read has a time-out, so a stuck server fails the test and
does not hang it.
"""

import socket

CRLF = b"\r\n"
_KEPT = 1 << 20


class Simple(bytes):
    """+text"""


class Error(bytes):
    """-text"""


class Double(bytes):
    """,text: compared as text, because the text is what a client sees."""


class BigNumber(bytes):
    """(digits"""


class Verbatim(bytes):
    """=fmt:text"""

    format = b"txt"


class Map(list):
    """%n: a list of (key, value) pairs in the order of the wire."""


class Set(list):
    """~n: a list in the order of the wire."""


class Push(list):
    """>n"""


class NullArray:
    """*-1, which only RESP2 has."""

    def __repr__(self):
        return "NULL_ARRAY"


NULL_ARRAY = NullArray()


class ConnectionClosed(Exception):
    """The server closed the connection where a reply was due."""


class ReplyTimeout(Exception):
    """No whole reply came within the time-out."""


class ProtocolViolation(Exception):
    """The server sent bytes that are not RESP."""


def to_bytes(argument):
    """An argument as it goes over the wire; text is Latin-1 so that any byte can be written."""
    if isinstance(argument, (bytes, bytearray)):
        return bytes(argument)
    if isinstance(argument, str):
        return argument.encode("latin-1")
    return str(argument).encode()


def encode(arguments):
    """One request as an array of bulk strings."""
    parts = [b"*%d\r\n" % len(arguments)]
    for argument in arguments:
        data = to_bytes(argument)
        parts.append(b"$%d\r\n%s\r\n" % (len(data), data))
    return b"".join(parts)


class Incomplete(Exception):
    """The buffer ends before the reply does."""


def parse(buffer, at=0):
    """The reply that starts at `at`, and where it ends; raises Incomplete if a part is missing."""
    end = buffer.find(CRLF, at)
    if end < 0:
        raise Incomplete
    kind, line, after = bytes(buffer[at:at + 1]), bytes(buffer[at + 1:end]), end + 2
    if kind == b"$":
        return _sized(buffer, after, int(line), bytes)
    if kind == b":":
        return int(line), after
    if kind == b"+":
        return Simple(line), after
    if kind == b"-":
        return Error(line), after
    if kind in _AGGREGATES:
        return _aggregate(buffer, after, int(line), _AGGREGATES[kind])
    if kind == b"_":
        return None, after
    if kind == b"#":
        return {b"t": True, b"f": False}[line], after
    if kind == b",":
        return Double(line), after
    if kind == b"(":
        return BigNumber(line), after
    if kind == b"=":
        text, after = _sized(buffer, after, int(line), bytes)
        verbatim = Verbatim(text[4:])
        verbatim.format = text[:3]
        return verbatim, after
    if kind == b"|":
        _, after = _aggregate(buffer, after, int(line), Map)
        return parse(buffer, after)
    raise ProtocolViolation(f"unknown reply type in {bytes(buffer[at:at + 60])!r}")


def _sized(buffer, at, size, kind):
    if size < 0:
        return None, at
    if len(buffer) < at + size + 2:
        raise Incomplete
    if buffer[at + size:at + size + 2] != CRLF:
        raise ProtocolViolation("a bulk string does not end with CRLF")
    return kind(buffer[at:at + size]), at + size + 2


def _aggregate(buffer, at, count, kind):
    if count < 0:
        return NULL_ARRAY, at
    items = kind()
    for _ in range(count):
        item, at = parse(buffer, at)
        if kind is Map:
            value, at = parse(buffer, at)
            item = (item, value)
        items.append(item)
    return items, at


_AGGREGATES = {b"*": list, b"%": Map, b"~": Set, b">": Push}


def same(left, right):
    """Whether two replies are equal in value and in wire type, including nested replies."""
    if type(left) is not type(right):
        return False
    if isinstance(left, (list, tuple)):
        return len(left) == len(right) and all(map(same, left, right))
    return left == right


class Connection:
    """A socket that sends requests and reads whole replies."""

    def __init__(self, port, host="127.0.0.1", timeout_s=10.0, path=None):
        if path is None:
            self._socket = socket.create_connection((host, port), timeout=timeout_s)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        else:
            self._socket = socket.socket(socket.AF_UNIX)
            self._socket.settimeout(timeout_s)
            self._socket.connect(path)
        self._buffer = bytearray()
        self._at = 0  # how much of the buffer was read

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._socket.close()

    def shutdown_write(self):
        self._socket.shutdown(socket.SHUT_WR)

    def send_raw(self, data):
        self._socket.sendall(data)

    def send(self, *arguments):
        self._socket.sendall(encode(arguments))

    def read(self, timeout_s=None):
        """The next message of the server, whatever it is: a reply or a push."""
        if timeout_s is not None:
            self._socket.settimeout(timeout_s)
        while True:
            try:
                reply, self._at = parse(self._buffer, self._at)
            except Incomplete:
                self._fill()
                continue
            self._forget()
            return reply

    def _forget(self):
        """Moves the rest of the buffer to its front, but not after every small reply."""
        if self._at > _KEPT or self._at == len(self._buffer):
            del self._buffer[:self._at]
            self._at = 0

    def _fill(self):
        try:
            data = self._socket.recv(1 << 20)
        except socket.timeout as error:
            raise ReplyTimeout("no reply in time") from error
        except ConnectionError as error:
            raise ConnectionClosed(str(error)) from error
        if not data:
            raise ConnectionClosed("closed by the server")
        self._buffer += data

    def call(self, *arguments):
        """Sends one request and reads one message."""
        self.send(*arguments)
        return self.read()

    def ok(self, *arguments):
        """`call` for set-up steps: an error reply is an exception."""
        reply = self.call(*arguments)
        if isinstance(reply, Error):
            raise AssertionError(f"{arguments!r} answered {reply!r}")
        return reply

    def pipeline(self, requests):
        """Sends all requests in one write and reads as many messages."""
        self._socket.sendall(b"".join(map(encode, requests)))
        return [self.read() for _ in requests]

    def hello(self, version):
        """Switches the protocol; the reply is a map (RESP3) or a flat array (RESP2)."""
        return self.ok("HELLO", version)

    def is_closed(self, timeout_s=5.0):
        """Whether the server closes the connection, after what it may still send."""
        try:
            while True:
                self.read(timeout_s)
        except ConnectionClosed:
            return True
        except ReplyTimeout:
            return False
