"""Servers for tests: cloakroom-server or redis-server, each in a temporary directory of its own.

    with servers.start("cloakroom", {"appendonly": "yes"}) as server:
        server.connect().call("PING")

The binary of Cloakroom is the one that CLOAKROOM_SERVER names, else build/release/cloakroom-server;
redis-server comes from PATH or REDIS_SERVER. Both are started the same way: with a configuration
file as the only argument, because a drop-in server must accept that. CLOAKROOM_TEST_PORTS
("7401-7410") limits the ports; without it the kernel gives any free one.

A server dies with the test process, even when that is killed. `log_path` has its output.
"""

import atexit
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from . import resp

REPOSITORY = Path(__file__).resolve().parents[2]
START_TIMEOUT_S = 20
STOP_TIMEOUT_S = 10
KINDS = ("cloakroom", "redis")
PROGRAMS = {}  # of further kinds
_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>

DEFAULTS = {
    "bind": "127.0.0.1",
    "save": '""',
    "appendonly": "no",
    "enable-debug-command": "yes",
}


class ServerFailed(Exception):
    """The server did not start, or ended when it should not have."""


def binary(kind):
    """The path of the server's program."""
    if kind in PROGRAMS:
        return PROGRAMS[kind]
    if kind == "redis":
        return os.environ.get("REDIS_SERVER") or shutil.which("redis-server") or "redis-server"
    return os.environ.get("CLOAKROOM_SERVER") or str(
        REPOSITORY / "build" / "release" / "cloakroom-server")


def available(kind):
    """Whether the program of this kind of server exists."""
    return shutil.which(binary(kind)) is not None


def free_port():
    """A port on which nobody listens now. Another process may still take it first."""
    confined = os.environ.get("CLOAKROOM_TEST_PORTS")
    if not confined:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return probe.getsockname()[1]
    low, _, high = confined.partition("-")
    for port in range(int(low), int(high or low) + 1):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise ServerFailed(f"no free port in {confined}")


class Server:
    """One running server. Use `start`, and `stop` or a with statement."""

    def __init__(self, kind, directives=None, directory=None, port=None):
        self.kind = kind
        self.port = port
        self.directives = {**DEFAULTS, **(directives or {})}
        self._own_directory = directory is None
        self.directory = Path(directory or tempfile.mkdtemp(prefix=f"{kind}-"))
        self.log_path = self.directory / "server.log"
        self._process = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def pid(self):
        return self._process.pid

    def log(self):
        """Everything that the server wrote to its output so far."""
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def launch(self):
        """Starts the process and returns when it answers PING. Also restarts a stopped server."""
        self.spawn()
        self.wait_until_ready()
        return self

    def spawn(self):
        """Starts the process, and returns while it still loads."""
        self.port = self.port or free_port()
        config = self.directory / "server.conf"
        lines = [f"port {self.port}", f"dir {self.directory}"]
        for name, value in self.directives.items():
            if value is None:
                continue  # it has no such directive
            for one in value if isinstance(value, (list, tuple)) else [value]:
                lines.append(f"{name} {one}")
        config.write_text("\n".join(lines) + "\n")
        with open(self.log_path, "ab") as log:
            self._process = subprocess.Popen(
                [binary(self.kind), str(config)], stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, cwd=self.directory, preexec_fn=_die_with_parent)
        atexit.register(self.stop)

    def wait_until_ready(self, timeout_s=START_TIMEOUT_S):
        """Returns when the server answers PING with PONG, which it does not do while it loads."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            try:
                with self.connect(timeout_s=1.0) as connection:
                    reply = connection.call("PING")
                if reply == b"PONG" or reply.startswith(b"NOAUTH"):
                    return
            except (OSError, resp.ConnectionClosed, resp.ReplyTimeout):
                pass
            time.sleep(0.01)
        state = self._process.poll()
        self.kill()
        raise ServerFailed(f"{self.kind} on port {self.port} is not ready (exit status {state}):\n"
                           + self.log()[-4000:])

    def is_running(self):
        return self._process is not None and self._process.poll() is None

    def connect(self, timeout_s=10.0):
        return resp.Connection(self.port, timeout_s=timeout_s)

    def exit_status(self, timeout_s=STOP_TIMEOUT_S):
        """Waits for a server that is about to end by itself; returns its exit status."""
        return self._process.wait(timeout_s)

    def signal(self, number):
        self._process.send_signal(number)

    def terminate(self):
        """Asks the server to end, and returns its exit status."""
        if self.is_running():
            self._process.terminate()
        try:
            return self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise ServerFailed(f"{self.kind} did not end within {STOP_TIMEOUT_S} s of SIGTERM")

    def kill(self):
        """Ends the process at once, as a crash would; the directory stays for a restart."""
        if self._process is None:
            return
        if self._process.poll() is None:
            children = _children(self._process.pid)
            self._process.kill()
            for child in children:
                _kill_if_there(child)
        self._process.wait()

    def stop(self):
        """Ends the process and removes the directory that `start` made for it."""
        atexit.unregister(self.stop)
        self.kill()
        if self._own_directory:
            shutil.rmtree(self.directory, ignore_errors=True)


def _children(pid):
    """redis-server saves in a child; one that outlived it would rename its file under the next
    server."""
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _kill_if_there(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def _die_with_parent():
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def start(kind, directives=None, directory=None, port=None):
    """Starts a server; returns it when it answers PING."""
    if kind not in KINDS:
        raise ValueError(f"unknown kind of server: {kind}")
    if not available(kind):
        raise ServerFailed(f"no program at {binary(kind)}")
    return Server(kind, directives, directory, port).launch()
