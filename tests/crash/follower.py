"""A replica of the server that is killed. After each restart it goes on, with a partial sync or a full
one, and must then hold the same data: a log that names the wrong offset makes them differ."""

import re
import time

from support import resp, servers

PATIENCE_S = 60
PROMPT = {"repl-diskless-sync-delay": "0", "repl-ping-replica-period": "1"}  # of its primary
QUIET = {"appendonly": "yes", "save": '""', "repl-timeout": "60"}


def _replication(server):
    with server.connect(timeout_s=PATIENCE_S) as connection:
        text = connection.ok("INFO", "replication").decode()
    return dict(re.findall(r"^(\w+):(.*?)\r?$", text, re.MULTILINE))


def _digest(server):
    with server.connect(timeout_s=PATIENCE_S) as connection:
        return connection.ok("DEBUG", "DIGEST")


class Follower:
    """It has a log of its own, and is killed in some crashes too."""

    def __init__(self, primary, directory, rng):
        self._primary, self._rng = primary, rng
        directory.mkdir()
        self._server = servers.Server(
            "cloakroom", {**QUIET, "replicaof": f"127.0.0.1 {primary.port}"}, directory=directory)
        self._server.launch()
        self.partial = self.full = 0

    def crash(self):
        """While the primary is down."""
        if self._rng.random() < 0.5:
            self._server.kill()

    def restart(self):
        if not self._server.is_running():
            self._server.launch()

    def differences(self):
        """Waits until it has all that its primary has, which nobody changes meanwhile."""
        deadline = time.monotonic() + PATIENCE_S
        wrong = "it never had a link"
        while time.monotonic() < deadline:
            try:
                wrong = self._difference()
            except (OSError, resp.ConnectionClosed, resp.ReplyTimeout) as error:
                wrong = repr(error)
            if wrong is None:
                self._count()
                return []
            time.sleep(0.05)
        return [f"the replica: {wrong}"]

    def _difference(self):
        ours, its = _replication(self._server), _replication(self._primary)
        if ours["master_link_status"] != "up":
            return "no link"
        if ours["slave_repl_offset"] != its["master_repl_offset"]:
            return f"at {ours['slave_repl_offset']}, not at {its['master_repl_offset']}"
        return None if _digest(self._server) == _digest(self._primary) else "other data"

    def _count(self):
        with self._primary.connect(timeout_s=PATIENCE_S) as connection:
            text = connection.ok("INFO", "stats").decode()
        self.full += int(re.search(r"sync_full:(\d+)", text)[1])
        self.partial += int(re.search(r"sync_partial_ok:(\d+)", text)[1])

    def stop(self):
        self._server.stop()
