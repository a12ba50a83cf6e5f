"""A primary whose every byte the test writes: for states that a real one passes too quickly."""

import socket
import time

from support import resp

PATIENCE_S = 10
EMPTY_RDB = b"REDIS0009\xff" + bytes(8)  # a checksum of 0 is not checked
REPLICATION_ID = "0123456789abcdef" * 2 + "01234567"


class HandPrimary:
    """Listens like a primary. `accept` gives the replica's next connection as a Link."""

    def __init__(self):
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=16)
        self._listener.settimeout(PATIENCE_S)
        self.port = self._listener.getsockname()[1]
        self._links = []

    def accept(self):
        accepted, _ = self._listener.accept()
        self._links.append(Link(accepted))
        return self._links[-1]

    def full_sync(self, rdb=EMPTY_RDB, offset=0, replication_id=REPLICATION_ID):
        """Accepts the replica and gives it all data; returns the link, on which the stream follows."""
        link = self.accept()
        link.shake_hands()
        link.send_raw(b"+FULLRESYNC %s %d\r\n" % (replication_id.encode(), offset))
        link.send_file(rdb)
        return link

    def partial_sync(self):
        """Accepts the replica and grants its PSYNC; returns the link and the words of the PSYNC."""
        link = self.accept()
        psync = link.shake_hands()
        link.send_raw(b"+CONTINUE\r\n")
        return link, psync

    def close(self):
        self._listener.close()
        for link in self._links:
            link.close()


class Link:
    """The primary's end of one connection."""

    def __init__(self, accepted):
        self._socket = accepted
        self._socket.settimeout(PATIENCE_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = b""

    def close(self):
        self._socket.close()

    def send_raw(self, data):
        self._socket.sendall(data)

    def send(self, *words):
        """Sends a command of the stream; returns how many bytes it adds to the offset."""
        data = resp.encode(words)
        self._socket.sendall(data)
        return len(data)

    def send_file(self, rdb):
        self._socket.sendall(b"$%d\r\n%s" % (len(rdb), rdb))

    def read(self):
        """The next request of the replica, as its words; the newlines between are nothing."""
        while True:
            self._received = self._received.lstrip(b"\n")
            try:
                words, end = resp.parse(self._received)
            except resp.Incomplete:
                self._fill()
                continue
            self._received = self._received[end:]
            return [bytes(word) for word in words]

    def read_line(self):
        """The next request of the replica that is a plain line: SYNC is one."""
        while b"\r\n" not in self._received:
            self._fill()
        line, _, self._received = self._received.lstrip(b"\n").partition(b"\r\n")
        return line

    def _fill(self):
        data = self._socket.recv(1 << 16)
        if not data:
            raise resp.ConnectionClosed("closed by the replica")
        self._received += data

    def shake_hands(self):
        """Says yes to everything up to PSYNC; returns its words."""
        while True:
            words = self.read()
            if words[0] == b"PSYNC":
                return words
            self.send_raw(b"+PONG\r\n" if words[0] == b"PING" else b"+OK\r\n")

    def await_ack(self, offset):
        """Reads until the replica has acknowledged so much, which it does every second."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            words = self.read()
            if words[:2] == [b"REPLCONF", b"ACK"] and int(words[2]) >= offset:
                return
            assert time.monotonic() < deadline, f"{offset} is not acknowledged; the last is {words}"

    def executed(self, offset):
        """Asks for an acknowledgement, and returns when the replica has executed up to `offset`,
        which is where the request begins; returns the offset behind the request. redis-server does
        not acknowledge the request itself at once."""
        behind = offset + self.send("REPLCONF", "GETACK", "*")
        self.await_ack(offset)
        return behind
