"""Asks a server for saves and rewrites at random moments, and records which of them finished."""

import re
import threading
import time

from support import resp

LONGEST_PAUSE_S = 0.15
POLL_S = 0.004
SAVE_SHARE = 0.15
# Words in the replies while a save or rewrite runs, which the server may have begun by itself, or after a shutdown has
# cut it short.
BUSY = (b"in progress", b"in background", b"Another child process is active", b"given up")


def persistence(connection):
    """INFO persistence as a dictionary of texts."""
    info = connection.ok("INFO", "persistence").decode()
    return dict(re.findall(r"^(\w+):(.*?)\r?$", info, re.MULTILINE))


class Disturber(threading.Thread):
    """Does one action after the other until the server is gone.

    `saved` holds, for each writer, its last acknowledged unit before the start of the last snapshot
    that finished. `begun` is set when an action begins, so that a kill can be aimed at it."""

    def __init__(self, server, writers, has_log, rng):
        super().__init__(daemon=True)
        self.saved = None
        self.error = None
        self.begun = threading.Event()
        self.action = None
        self.took_s = {}  # action -> how long it took the last time
        self._server, self._writers, self._has_log, self._rng = server, writers, has_log, rng
        self._stopping = False

    def finish(self):
        self._stopping = True

    def run(self):
        try:
            with self._server.connect(timeout_s=60) as connection:
                while not self._stopping:
                    time.sleep(self._rng.uniform(0, LONGEST_PAUSE_S))
                    self._act(connection)
        except (OSError, resp.ConnectionClosed):
            pass
        except (AssertionError, resp.ReplyTimeout) as error:
            self.error = f"a save or rewrite: {error}"

    def _act(self, connection):
        rewrites = self._has_log and self._rng.random() < 0.6
        saves = "SAVE" if self._rng.random() < SAVE_SHARE else "BGSAVE"
        self.action = "BGREWRITEAOF" if rewrites else saves
        before = [writer.acknowledged for writer in self._writers]
        started = time.monotonic()
        self.begun.set()
        reply = connection.call(self.action)
        if isinstance(reply, resp.Error):
            if not any(words in reply for words in BUSY):
                raise AssertionError(f"{self.action} answered {reply!r}")
            self._wait(connection)  # for the work that the server began by itself
            return
        status = self._wait(connection)
        self.took_s[self.action] = time.monotonic() - started
        if rewrites:
            if status["aof_last_bgrewrite_status"] != "ok":
                raise AssertionError("a rewrite failed")
            return
        if status["rdb_last_bgsave_status"] != "ok":
            raise AssertionError("a save failed")
        self.saved = before

    @staticmethod
    def _wait(connection):
        """Waits until no save and no rewrite runs; returns INFO persistence then."""
        while True:
            status = persistence(connection)
            busy = [status[name] for name in (
                "rdb_bgsave_in_progress", "aof_rewrite_in_progress", "aof_rewrite_scheduled")]
            if busy == ["0", "0", "0"]:
                return status
            time.sleep(POLL_S)
