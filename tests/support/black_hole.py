"""A port in front of a server, behind which packets get lost.

    hole = BlackHole(lambda: server.port, seed=1)
    hole.start()
    resp.Connection(hole.port)

Every now and then one of the connections falls into a hole: for a while nothing gets through from the
client, to the client, or both ways, not even that one end has closed. The ends notice nothing. After
that either everything arrives late, as TCP repeats what was lost, or both ends are reset and what
was on its way has vanished. A connection begun while the server is down waits until it is up, as if
its first packet were lost.

It is a proxy and not `tc netem`, which needs root and a module that not every kernel has.
"""

import random
import selectors
import socket
import struct
import threading
import time

TICK_S = 0.01
CONNECT_AGAIN_S = 0.02
SEND_TIMEOUT_S = 10
MOST_BYTES = 1 << 20
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends RST


class _Pair:
    """The two sockets of one connection; `ends`: client, server."""

    def __init__(self, client):
        self.ends = [client]
        self.is_open = True
        self.is_lost = False

    def other(self, end):
        return self.ends[1 - self.ends.index(end)]


class BlackHole(threading.Thread):
    """`always_resets`: nothing that fell into a hole arrives late. `holes`, `resets`: how many there
    were."""

    def __init__(self, port_of, seed, every_s=0.1, longest_s=1.0, always_resets=False):
        super().__init__(name="black hole", daemon=True)
        self._port_of = port_of
        self._random = random.Random(seed)
        self._every_s, self._longest_s = every_s, longest_s
        self._always_resets = always_resets
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self._listener.getsockname()[1]
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._pairs, self._unconnected, self._lost = set(), [], []
        self._over = threading.Event()
        self.holes = self.resets = 0
        self.failure = None

    def stop(self):
        self._over.set()
        self.join(20)
        assert not self.is_alive(), "the black hole hangs"
        if self.failure is not None:
            raise self.failure

    def run(self):
        try:
            self._serve()
        except Exception as failure:  # a thread's exception must reach the test
            self.failure = failure
        finally:
            self._listener.close()
            for pair in [*self._pairs, *self._unconnected]:
                self._close(pair)

    def _serve(self):
        connect_at = lose_at = 0.0
        while not self._over.is_set():
            for key, _ in self._selector.select(TICK_S):
                if key.data is None:
                    self._unconnected.append(_Pair(self._listener.accept()[0]))
                elif key.data.is_open and key.fd >= 0:
                    self._forward(key.data, key.fileobj)
            now = time.monotonic()
            if self._unconnected and now >= connect_at:
                self._unconnected = [pair for pair in self._unconnected if not self._connect(pair)]
                connect_at = now + CONNECT_AGAIN_S if self._unconnected else now
            if now >= lose_at:
                self._lose(now)
                lose_at = now + self._every_s
            self._find(now)

    def _connect(self, pair):
        try:
            pair.ends.append(socket.create_connection(("127.0.0.1", self._port_of()), timeout=1))
        except OSError:
            return False
        for end in pair.ends:
            end.settimeout(SEND_TIMEOUT_S)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._selector.register(end, selectors.EVENT_READ, pair)
        self._pairs.add(pair)
        return True

    def _forward(self, pair, source):
        try:
            data = source.recv(MOST_BYTES)
            if data:
                pair.other(source).sendall(data)
                return
        except OSError:
            pass
        self._close(pair)

    def _close(self, pair, reset=False):
        for end in pair.ends:
            if end in self._selector.get_map():
                self._selector.unregister(end)
            if reset:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            end.close()
        pair.is_open = False
        self._pairs.discard(pair)

    def _lose(self, now):
        """Drops a connection into a hole: it is not read from, so its ends notice nothing."""
        able = [pair for pair in self._pairs if not pair.is_lost]
        if not able:
            return
        pair = self._random.choice(able)
        pair.is_lost = True
        ends = self._random.choice([pair.ends[:1], pair.ends[1:], pair.ends])
        for end in ends:
            self._selector.unregister(end)
        self._lost.append((now + self._random.uniform(0.05, self._longest_s), pair, ends))
        self.holes += 1

    def _find(self, now):
        """Ends the holes that were long enough."""
        over = [hole for hole in self._lost if hole[0] <= now or not hole[1].is_open]
        self._lost = [hole for hole in self._lost if hole not in over]
        for _, pair, ends in over:
            if not pair.is_open:
                continue
            if self._always_resets or self._random.random() < 0.5:
                self._close(pair, reset=True)
                self.resets += 1
                continue
            pair.is_lost = False
            for end in ends:
                self._selector.register(end, selectors.EVENT_READ, pair)
