"""A client that sends units one after the other and remembers which of them were acknowledged."""

import threading
import time

from support import resp

LARGEST_PIPELINE = 6


class Writer(threading.Thread):
    """Sends unit start + 1, start + 2 … in small pipelines until the server is gone.

    `sent` is the last unit of which anything was sent. `error` is a reply that the server should not
    have sent. Read everything else after the thread has ended."""

    def __init__(self, server, units, start, digest, rng):
        super().__init__(daemon=True)
        self.units = units
        self.sent = self.acknowledged = start
        self.error = None
        self._acknowledgements = [(0.0, start)]  # (when, the last unit until then)
        self._server, self._digest, self._rng = server, digest, rng
        self._stopping = False

    def acknowledged_at(self, moment):
        """The last unit that was acknowledged at a moment of the monotonic clock."""
        return max(i for when, i in self._acknowledgements if when <= moment)

    def finish(self):
        """Stops after the current pipeline, for a server that keeps running."""
        self._stopping = True

    def run(self):
        try:
            with self._server.connect(timeout_s=60) as connection:
                while not self._stopping and self.error is None:
                    self._pipeline(connection)
        except (OSError, resp.ConnectionClosed):
            pass  # the kill is the purpose of the run
        except resp.ReplyTimeout as error:
            self.error = f"writer {self.units.writer}: {error}"

    def _pipeline(self, connection):
        count = self._rng.randint(1, LARGEST_PIPELINE)
        requests = [self.units.request(self.sent + 1 + n, self._digest) for n in range(count)]
        first, self.sent = self.sent + 1, self.sent + count
        connection.send_raw(b"".join(data for data, _ in requests))
        for i, (_, replies) in enumerate(requests, first):
            for _ in range(replies):
                reply = connection.read()
            self._acknowledge(i, reply)

    def _acknowledge(self, i, reply):
        wrong = [one for one in (reply if isinstance(reply, list) else [reply])
                 if one is None or isinstance(one, resp.Error)]
        if wrong or reply is resp.NULL_ARRAY:
            self.error = f"writer {self.units.writer}, unit {i}: {wrong[:1]}"
            return
        self.acknowledged = i
        self._acknowledgements.append((time.monotonic(), i))
