"""Three redis-sentinels that watch a primary under the name "shop"."""

import subprocess
import time

from support import resp, servers

NAME = "shop"
# A Sentinel that starts before the others connects to them at its second attempt, a second later. With less
# than that it would take them for dead for a moment.
DOWN_AFTER_MS = 1500
PATIENCE_S = 60


class Sentinels:
    """`start` starts them, `stop` ends those that still run. `ports` are theirs, in order."""

    def __init__(self, directory):
        self._directory = directory
        self._processes = []
        self._password = None
        self.ports = []

    def start(self, primary, replicas=(), server_password=None, password=None):
        """Three, which know each other and these replicas from the start: to meet by themselves takes
        them some seconds. `password`: their own."""
        self._password = password
        self.ports = [servers.free_port() for _ in range(3)]
        for port in self.ports:
            folder = self._directory / f"sentinel-{port}"
            folder.mkdir()
            lines = [f"port {port}", f"dir {folder}", f"sentinel myid {port:040x}",
                     f"sentinel monitor {NAME} 127.0.0.1 {primary.port} 2",
                     f"sentinel down-after-milliseconds {NAME} {DOWN_AFTER_MS}",
                     f"sentinel failover-timeout {NAME} 10000"]
            lines += [f"sentinel known-replica {NAME} 127.0.0.1 {one.port}" for one in replicas]
            lines += [f"sentinel known-sentinel {NAME} 127.0.0.1 {other} {other:040x}"
                      for other in self.ports if other != port]
            if server_password:
                lines.append(f"sentinel auth-pass {NAME} {server_password}")
            if password:
                lines += [f"requirepass {password}", f"sentinel sentinel-pass {password}"]
            (folder / "sentinel.conf").write_text("\n".join(lines) + "\n")
            self._processes.append(subprocess.Popen(
                [servers.binary("redis"), str(folder / "sentinel.conf"), "--sentinel"],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        self._await_discovery(len(replicas))

    def _await_discovery(self, replicas):
        """Waits until each has heard of all replicas, by themselves, and the others can be reached."""
        def has_heard(port):
            listed = known(port, "SENTINEL", "REPLICAS", NAME, password=self._password) or []
            up = [one for one in listed if _fields(one).get("master-link-status") == "ok"]
            return len(up) == replicas and known(port, "SENTINEL", "CKQUORUM", NAME,
                                                 password=self._password)
        for port in self.ports:
            wait_longer(lambda p=port: has_heard(p), "found")

    def kill(self, number):
        self._processes[number].kill()
        self._processes[number].wait()

    def stop(self):
        for process in self._processes:
            process.kill()
            process.wait()


def _fields(reply):
    words = [word.decode() for word in reply]
    return dict(zip(words[::2], words[1::2]))


def ask(port, *words, password=None):
    with resp.Connection(port) as connection:
        if password:
            connection.ok("AUTH", password)
        return connection.ok(*words)


def known(port, *words, password=None):
    """The reply; None when there is none, or an error."""
    try:
        return ask(port, *words, password=password)
    except (OSError, AssertionError, resp.ConnectionClosed, resp.ReplyTimeout):
        return None


def wait_longer(holds, what, seconds=PATIENCE_S):
    """For what Sentinels do in seconds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not {what} in time"
        time.sleep(0.05)
