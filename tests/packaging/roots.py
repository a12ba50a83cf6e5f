"""Root file systems to install into: a clean Debian 12, made once by debootstrap and copied.

Everything is below build/roots; `clean` stays there between runs, copies go with the test run.
"""

import os
import re
import shlex
import shutil
import subprocess
import time
from pathlib import Path

from support import resp

REPOSITORY = Path(__file__).resolve().parents[2]
ROOTS = REPOSITORY / "build" / "roots"
SUITE = "bookworm"
DEFAULT_MIRROR = "http://deb.debian.org/debian"
START_TIMEOUT_S = 20


def mirror():
    """The first archive of Debian that apt on this machine uses."""
    apt = Path("/etc/apt")
    for path in [apt / "sources.list", *sorted(apt.glob("sources.list.d/*"))]:
        text = path.read_text() if path.is_file() else ""
        for url in re.findall(r"^(?:URIs:|deb(?: \[.*\])?)\s+(https?://\S+/debian/?)\s*$|"
                              r"^deb(?: \[.*\])? (https?://\S+/debian/?) ", text, re.MULTILINE):
            return url[0] or url[1]
    return DEFAULT_MIRROR


def _clean():
    """A minimal Debian, with nothing added."""
    clean, done = ROOTS / SUITE, ROOTS / f"{SUITE}.done"
    if not done.exists():
        shutil.rmtree(clean, ignore_errors=True)
        ROOTS.mkdir(parents=True, exist_ok=True)
        subprocess.run(["debootstrap", "--variant=minbase", SUITE, clean, mirror()], check=True,
                       stdout=subprocess.DEVNULL)
        done.touch()
    return clean


class Root:
    """A copy of the clean Debian, in which programs run by chroot."""

    def __init__(self, name):
        self.path = ROOTS / name
        self.remove()
        subprocess.run(["cp", "-a", "--reflink=auto", _clean(), self.path], check=True)

    def remove(self):
        shutil.rmtree(self.path, ignore_errors=True)

    def __truediv__(self, path):
        """The path, as seen from outside of the root."""
        return self.path / str(path).lstrip("/")

    def run(self, *command, check=True):
        """Runs a command inside, as root; returns its output, both streams."""
        done = subprocess.run(["chroot", self.path, *map(str, command)], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                              env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C",
                                   "DEBIAN_FRONTEND": "noninteractive"})
        assert not check or done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}"
        return done.stdout

    def dpkg(self, *arguments):
        """Runs dpkg with our packages, by their path outside."""
        inside = []
        for argument in arguments:
            if isinstance(argument, Path):
                shutil.copy(argument, self / f"/tmp/{argument.name}")
                argument = f"/tmp/{argument.name}"
            inside.append(argument)
        return self.run("dpkg", *inside)

    def run_as(self, user, groups, *command):
        """Runs a command as a user with more groups; returns its exit status and output."""
        done = subprocess.run(["chroot", self.path, "setpriv", f"--reuid={user}", f"--regid={user}",
                               f"--groups={groups}", *map(str, command)], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        return done.returncode, done.stdout

    def owner(self, path):
        """(user, group, mode) as names of the root and an octal string."""
        return tuple(self.run("stat", "-c", "%U %G %a", path).split())

    def unit(self, name):
        """The [Service] settings of a unit, as a dictionary of lists."""
        settings = {}
        for line in (self / f"/usr/lib/systemd/system/{name}").read_text().splitlines():
            key, equals, value = line.partition("=")
            if equals and not key.startswith("#"):
                settings.setdefault(key, []).append(value)
        return settings


def rpm(root, *arguments, check=True):
    """Runs rpm with a database inside the root; returns its output."""
    (root / "/var/lib/rpm").mkdir(parents=True, exist_ok=True)
    done = subprocess.run(["rpm", "--root", root.path, "--dbpath", "/var/lib/rpm", *map(str, arguments)],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert not check or done.returncode == 0, done.stdout
    return done.stdout


class Systemd:
    """The systemd that the packages' scripts see: systemctl.sh in systemctl's place."""

    WANTS = "/etc/systemd/system/multi-user.target.wants"

    def __init__(self, root):
        self._root = root
        (root / "/run/systemd/system").mkdir(parents=True, exist_ok=True)
        shutil.copy(Path(__file__).with_name("systemctl.sh"), root / "/usr/bin/systemctl")
        (root / "/usr/bin/systemctl").chmod(0o755)

    def call(self, *arguments):
        self._root.run("systemctl", *arguments)

    def starts(self):
        """The units that run, and how often each was started."""
        units = self._root / "/run/units"
        return {unit.name: len(unit.read_text().splitlines()) for unit in units.glob("*")}

    def enabled(self):
        return {link.name for link in (self._root / self.WANTS).glob("cloakroom-*") if link.is_symlink()}

    def state(self, unit):
        """The output of `systemctl is-enabled`."""
        return self._root.run("systemctl", "is-enabled", unit, check=False).strip()


class Service:
    """Runs a unit as systemd would: its directories, its user, its ExecStart."""

    def __init__(self, root, port, unit="cloakroom-server.service", instance="", unix_socket=None):
        self._root = root
        self.port = port
        self._unix_socket = unix_socket and str(root / unix_socket)
        settings = {key: [value.replace("%i", instance) for value in values]
                    for key, values in root.unit(unit).items()}
        self._user, = settings["User"]
        self._umask = int(settings["UMask"][0], 8)
        self._command = shlex.split(settings["ExecStart"][0])
        for setting, base in (("StateDirectory", "/var/lib"), ("LogsDirectory", "/var/log"),
                              ("RuntimeDirectory", "/run")):
            for name in settings.get(setting, []):
                mode, = settings[f"{setting}Mode"]
                root.run("install", "-d", "-o", self._user, "-g", self._user, "-m", mode, f"{base}/{name}")
        self._process = None

    def start(self):
        as_user = ["setpriv", f"--reuid={self._user}", f"--regid={self._user}", "--init-groups",
                   "--no-new-privs", "--bounding-set=-all"]
        self._process = subprocess.Popen(
            ["chroot", self._root.path, *as_user, *self._command], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, umask=self._umask)
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            try:
                with self.connect() as connection:
                    if connection.call("PING") == b"PONG":
                        return self
            except OSError:
                pass
            if self._process.poll() is not None or time.monotonic() > deadline:
                self._process.kill()
                raise AssertionError(f"{self._command} does not serve:\n{self._process.stdout.read()}")
            time.sleep(0.02)

    def stop(self):
        """Sends SIGTERM, as systemd does; returns the exit status."""
        self._process.terminate()
        return self._process.wait(START_TIMEOUT_S)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def connect(self):
        return resp.Connection(self.port, path=self._unix_socket)

    def user(self):
        """The name of the user that it runs as."""
        uid = os.stat(f"/proc/{self._process.pid}").st_uid
        return self._root.run("id", "-nu", uid).strip()
