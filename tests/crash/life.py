"""One directory through several crashes: work, kill -9, restart, check; then work goes on."""

import hashlib
import random
import shutil
import tempfile
import time
from pathlib import Path

from crash import disorder, disturber, follower, modes, transfers, units, verify, writer
from support import resp, servers

MOVERS = 8
DISORDERS_IN_LIFE = 10_000_000  # more than the work before one kill needs
LONGEST_WORK_S = 0.7
LONGEST_SHUTDOWN_S = 0.1
FOLLOWED_SHARE = 0.5  # of the lives with a log
LOADS_KILLED = (0, 0, 0, 1, 2)  # how many of the starts that follow a crash are killed as well
DIGEST = hashlib.sha1(units.SCRIPT.encode()).hexdigest()


class Wrong(Exception):
    """A promise that was not kept."""


class Life:
    """Settings, data and models of one directory. Call `begin`, `crash` several times, `end`."""

    def __init__(self, kind, mode, seed, big):
        self._rng = random.Random(seed)
        self.kind, self.mode = kind, mode
        self.directory = Path(tempfile.mkdtemp(prefix=f"crash-{kind}-{mode.name}-"))
        self.directives = mode.directives(self._rng)
        count = 2 if big else 4
        self._units = [units.Units(n, 400_000 if big else 20_000, huge=big and n == 0)
                       for n in range(count)]
        self._models = [units.Model(one) for one in self._units]
        self._ballast = verify.Ballast(16, 1 << 20, 20_000) if big else verify.Ballast(1, 1000, 0)
        self._coats = disorder.BIG_COATS if big else disorder.COATS
        self._disorders = 0  # numbers that those of the lives before have used
        self._saved = [0] * count  # by the last snapshot that was finished
        self._took_s = {}
        self._load_s = 0.05
        self._server = None
        self._followed = kind == "cloakroom" and mode.has_log and self._rng.random() < FOLLOWED_SHARE
        if self._followed:
            self.directives.update(follower.PROMPT)
        self.follower = None
        self.damage = lambda data: None  # what self_test does to the files before a restart
        self.story = []  # what happened to this directory, for the report of a failure

    def begin(self):
        """Starts the server with its first data, all of it on the disk."""
        safe = {"appendfsync": "always"} if self.mode.has_log else {}
        self._server = servers.Server(self.kind, {**self.directives, **safe},
                                      directory=self.directory / "data")
        self._server.directory.mkdir()
        self._server.launch()
        with self._server.connect(timeout_s=60) as connection:
            transfers.prepare(connection)
            disorder.prepare(connection, self._coats)
            for one in self._units:
                for command in one.first():
                    connection.ok(*command)
            self._ballast.write(connection)
            connection.ok("SCRIPT", "LOAD", units.SCRIPT)
            if self.mode.has_log:
                connection.ok("CONFIG", "SET", "appendfsync", self.mode.appendfsync)
            else:
                connection.ok("SAVE")
        self._server.directives = {**self._server.directives, **self.directives}
        if self._followed:
            self.follower = follower.Follower(self._server, self.directory / "follower", self._random())

    def crash(self):
        """Works until a kill, and restarts. Returns the number of kills; raises Wrong."""
        writers, others, disturbing = self._start_clients()
        killed_at, ended = self._kill(writers, disturbing)
        for client in (*writers, *others, disturbing):
            client.join(timeout=60)
        self._took_s.update(disturbing.took_s)
        self._saved = disturbing.saved or self._saved
        errors = [client.error for client in (*writers, *others, disturbing) if client.error]
        bounds = [(self._least(n, one, killed_at, ended), one.sent) for n, one in enumerate(writers)]
        self._keep_as_killed()
        self.damage(self.directory / "data")
        if self.follower:
            self.follower.crash()
        kills = 1 + self._kill_loads()
        self._restart()
        errors += self.look(self._server, bounds)
        if self.follower:
            self.follower.restart()
            errors += self.follower.differences()
        if errors:
            raise Wrong("; ".join(errors))
        return kills

    def _start_clients(self):
        digest = DIGEST if self.kind == "cloakroom" else None
        writers = [writer.Writer(self._server, one, model.n, digest, self._random())
                   for one, model in zip(self._units, self._models)]
        movers = [transfers.Mover(self._server, self._random()) for _ in range(MOVERS)]
        self._disorders += DISORDERS_IN_LIFE
        movers += disorder.start(self._server, self._coats, self._disorders, self._random)
        disturbing = disturber.Disturber(self._server, writers, self.mode.has_log, self._random())
        for client in (*writers, *movers, disturbing):
            client.start()
        return writers, movers, disturbing

    def _random(self):
        return random.Random(self._rng.random())

    def _kill(self, writers, disturbing):
        """Kills at a random moment, during an action, or during a shutdown. Returns when, and, after a
        complete shutdown, each writer's last acknowledged unit before it, or else None."""
        chance = self._rng.random()
        time.sleep(self._rng.uniform(0.02, LONGEST_WORK_S if chance < 0.4 else LONGEST_WORK_S / 2))
        if chance < 0.1:
            return self._kill_shutdown(writers)
        if chance >= 0.4:
            disturbing.begun.clear()
            disturbing.begun.wait(2)
            # Until a little after its end, when files are renamed and old ones removed.
            time.sleep(self._took_s.get(disturbing.action, 0.05) * self._rng.uniform(0, 1.1))
        killed_at = time.monotonic()
        self._server.kill()
        self._tell(f"killed {'in ' + disturbing.action if chance >= 0.4 else 'at random'}")
        return killed_at, None

    def _kill_shutdown(self, writers):
        before = [one.acknowledged for one in writers]
        with self._server.connect(timeout_s=60) as connection:
            connection.send("SHUTDOWN", "SAVE")
            time.sleep(self._rng.uniform(0, LONGEST_SHUTDOWN_S))
        killed_at, complete = time.monotonic(), not self._server.is_running()
        self._server.kill()
        complete = complete and self._server.exit_status() == 0
        self._tell("shut down" if complete else "killed while it shut down")
        return killed_at, before if complete else None

    def _least(self, n, one, killed_at, ended):
        least = self.mode.promised(self.kind, one, killed_at, self._saved[n])
        return max(least, ended[n]) if ended else least

    def _keep_as_killed(self):
        """Keeps the files as they are before the restart changes them: they show the cause of a failure."""
        shutil.rmtree(self.directory / "as-killed", ignore_errors=True)
        shutil.copytree(self.directory / "data", self.directory / "as-killed")

    def _kill_loads(self):
        count = self._rng.choice(LOADS_KILLED)
        for _ in range(count):
            self._server.spawn()
            time.sleep(self._load_s * self._rng.uniform(0, 1.1))
            self._server.kill()
            self._tell("killed while it loaded")
        return count

    def _restart(self):
        started = time.monotonic()
        self._server.spawn()
        try:
            self._server.wait_until_ready()
        except servers.ServerFailed as error:
            raise Wrong(f"no restart: {error}") from error
        self._load_s = time.monotonic() - started

    def look(self, server, bounds):
        """The errors of a server that has loaded the files."""
        try:
            with server.connect(timeout_s=60) as connection:
                wrong = list(verify.differences(connection, self._models, bounds, self._ballast))
                wrong += disorder.differences(connection, self._coats)
                known = connection.ok("SCRIPT", "EXISTS", DIGEST)
        except (OSError, AssertionError, resp.ConnectionClosed, resp.ReplyTimeout) as error:
            return [f"cannot look: {error!r}"]
        if server.kind == "cloakroom" and known != [1]:
            wrong.append("the loaded script is forgotten")
        # After a snapshot was loaded, the data of that snapshot is safe.
        self._saved = [model.n for model in self._models]
        return wrong

    def exchange(self):
        """redis-server loads what Cloakroom left, with equal content. Raises Wrong."""
        if self.follower:
            self.follower.stop()
        self._server.kill()
        other = servers.Server("redis", self.directives, directory=self._server.directory)
        try:
            other.launch()
            wrong = self.look(other, [(model.n, model.n) for model in self._models])
        except servers.ServerFailed as error:
            wrong = [str(error)]
        finally:
            other.stop()
        if wrong:
            raise Wrong("redis-server after Cloakroom: " + "; ".join(wrong))

    def units_done(self):
        return sum(model.n for model in self._models)

    def _tell(self, what):
        self.story.append(what)

    def end(self, keep):
        """Stops the server, and removes the directory unless it is to be kept."""
        for one in (self.follower, self._server):
            if one is not None:
                one.stop()
        if not keep:
            shutil.rmtree(self.directory, ignore_errors=True)
