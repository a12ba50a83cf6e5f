#!/usr/bin/python3
"""Sends the same random commands to redis-server and to Cloakroom and compares every reply.

    run.py                          200,000 commands, a random seed
    run.py --seed 7 --commands 1000000
    run.py --family sets --family scripting
    run.py --reload 4000            DEBUG RELOAD at random, once in 4,000 commands, or a restart
    run.py --reload 2000 --log      the same with an append-only log, and DEBUG LOADAOF besides
    run.py --under-test redis       redis-server against itself: proves the rules of compare.py
    run.py --self-test              the same with an alteration of one side: proves the comparison

The last line is "N passed, N failed", in commands compared; the exit status is 0 only when nothing
failed. A difference is printed as the shortest stream that still shows it. README.md has the rest.
"""

import argparse
import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from differential import compare, generator, servers_pair, shrink, vocabulary  # noqa: E402
from support import resp, servers  # noqa: E402

BATCH = 400
BATCHES_IN_EPOCH = 25
SECOND_PROTOCOL = 0.3
MAX_DIFFERENCES = 25
# RESTART is sent to no server: it stands for the end of both servers and a new start.
RELOADS = [(b"DEBUG", b"RELOAD")] * 4 + [(b"RESTART",)]
LOG_RELOADS = [*RELOADS, *[(b"DEBUG", b"LOADAOF")] * 3]
LOG_SETTINGS = {"appendonly": "yes", "appendfsync": "no", "auto-aof-rewrite-percentage": "0"}
SHOWN_REPLY = 500
SHOWN_REQUEST = 2000
SHOWN_COMMANDS = 50


class Difference(Exception):
    """Where the two servers differ: `at` indexes the stream, None for the final state."""

    def __init__(self, text, at=None, name="final state"):
        super().__init__(text)
        self.at, self.name = at, name


class Duel:
    """Two servers that get the same stream. A stream is a list of batches (protocol, steps)."""

    def __init__(self, sides):
        self.sides = sides

    def reset(self):
        for side in self.sides:
            side.reset()

    def play(self, protocol, steps):
        """Sends a batch to both; raises Difference at the first step whose replies differ."""
        begin = 0
        for at, step in enumerate(steps):
            if step[1] == "restart":
                self._play(protocol, steps, begin, at)
                self._restart(at)
                begin = at + 1
        self._play(protocol, steps, begin, len(steps))

    def _restart(self, at):
        try:
            for side in self.sides:
                side.restart()
        except (servers.ServerFailed, OSError, AssertionError, resp.ConnectionClosed,
                resp.ReplyTimeout) as error:
            raise Difference(f"no restart: {error}", at, "restart") from error

    def _play(self, protocol, all_steps, begin, end):
        """Plays a part of a batch that has no restart in it."""
        if begin == end:
            return
        try:
            self._play_part(protocol, all_steps[begin:end])
        except Difference as difference:
            difference.at += begin
            raise

    def _play_part(self, protocol, steps):
        data = b"".join([step[0] for step in steps])
        try:
            for side in self.sides:
                side.send(protocol, data)
            ours, theirs = [side.receive(protocol) for side in self.sides]
            events = [side.events() for side in self.sides]
        except (servers_pair.ServerLost, resp.ConnectionClosed, resp.ReplyTimeout) as error:
            words = "".join(side.last_words() for side in self.sides)
            raise Difference(f"{error}{words}", len(steps) - 1, "lost server") from error
        if ours != theirs:
            self._compare(protocol, steps, compare.split(ours), compare.split(theirs))
        text = compare.events(*events)
        if text:
            raise Difference(f"keyspace events: {text}", len(steps) - 1, "events")

    def _compare(self, protocol, steps, ours, theirs):
        queued = []
        for index, (step, mine, other) in enumerate(zip(steps, ours, theirs)):
            rule = step[2]
            if mine == b"+QUEUED\r\n":
                queued.append(rule)
            elif step[1] == "exec":
                rule, queued = compare.transaction(queued), []
            elif step[1] == "discard":
                queued = []
            if mine != other and not self._forgiven(rule, mine, other):
                raise Difference(f"RESP{protocol} {servers_pair.shown(step[0])[:SHOWN_REPLY]}\n"
                                 f"      {self.sides[0].kind}: {mine[:SHOWN_REPLY]!r}\n"
                                 f"      {self.sides[1].kind}: {other[:SHOWN_REPLY]!r}",
                                 index, step[1])
        if len(ours) != len(theirs):
            raise Difference(f"{len(ours)} and {len(theirs)} replies to the same batch",
                             len(steps) - 1, "number of replies")

    @staticmethod
    def _forgiven(rule, mine, other):
        return rule is not None and bool(rule(compare.value(mine), compare.value(other)))

    def check_state(self):
        try:
            ours, theirs = [side.state() for side in self.sides]
        except (OSError, AssertionError, KeyError, resp.ConnectionClosed,
                resp.ReplyTimeout) as error:
            raise Difference(f"cannot read the state: {error!r}") from error
        text = servers_pair.state_difference(ours, theirs)
        if text:
            raise Difference(f"{self.sides[0].kind} / {self.sides[1].kind}: {text}")

    def replay(self, stream):
        """The first difference that a whole stream shows on empty servers, or None."""
        self.reset()
        try:
            for protocol, steps in stream:
                self.play(protocol, steps)
            self.check_state()
        except Difference as difference:
            return difference
        return None


class Run:
    """A run of many epochs; each starts with empty servers and ends with a comparison of the state."""

    def __init__(self, duel, stream, rng, out=print):
        self._duel = duel
        self._stream = stream
        self._rng = rng
        self._out = out
        self.passed = self.failed = 0
        self.signatures = {}
        self.shortest = None  # the stream of the last difference that was shrunk

    def epoch(self, commands):
        """Plays up to `commands` commands; ends early if the servers differ for good."""
        self._duel.reset()
        history = []
        for _ in range(BATCHES_IN_EPOCH):
            if commands <= 0:
                break
            protocol = 3 if self._rng.random() < SECOND_PROTOCOL else 2
            steps = self._stream.steps(min(BATCH, commands))
            commands -= len(steps)
            history.append((protocol, steps))
            try:
                self._duel.play(protocol, steps)
                self.passed += len(steps)
            except Difference as difference:
                self.passed += difference.at
                history[-1] = (protocol, steps[:difference.at + 1])
                self._report(difference, history)
                return
        try:
            self._duel.check_state()
        except Difference as difference:
            self._report(difference, history)

    def _report(self, difference, history):
        self.failed += 1
        count = self.signatures.get(difference.name, 0)
        self.signatures[difference.name] = count + 1
        if count:
            self._out(f"DIFFERENCE again at {difference.name}: {str(difference)[:SHOWN_REPLY]}")
            return
        self._out(f"DIFFERENCE {difference}")
        small, last = shrink.shrink(self._duel, history, difference)
        if last is None:
            self._out("  did not show again when replayed: it depends on time or on chance")
            return
        self.shortest = [(protocol, step) for protocol, steps in small for step in steps]
        self._out(f"  the shortest stream that shows it ({len(self.shortest)} commands):")
        if len(self.shortest) > SHOWN_COMMANDS:
            self._out(f"    … and {len(self.shortest) - SHOWN_COMMANDS} before these")
        for protocol, step in self.shortest[-SHOWN_COMMANDS:]:
            self._out(f"    RESP{protocol}  {servers_pair.shown(step[0])[:SHOWN_REQUEST]}")
        self._out(f"  which ends in: {last}")


def uncovered(tables):
    """Prints the commands that nothing covers; returns their number."""
    names = generator.missing(tables[1])
    for name in names:
        print(f"NO VOCABULARY for {name}: add a grammar or a reasoned exclusion to vocabulary.py")
    unused = sorted(generator.said_names() - set(tables[1]) - {"bogus", "object|bogus"})
    print(f"{len(tables[1])} commands in the table under test; not there, so not said: "
          f"{' '.join(unused) or 'none'}", flush=True)
    return len(names)


def play_all(sides, options):
    tables = [side.command_table() for side in sides]
    failed = uncovered(tables)
    known = set(tables[0]) & set(tables[1])
    stream = generator.Generator(options.seed, known, options.family,
                                 LOG_RELOADS if options.log else RELOADS, options.reload, options.log)
    run = Run(Duel(sides), stream, random.Random(options.seed + 1))
    started = time.monotonic()
    while run.passed + run.failed < options.commands and run.failed < MAX_DIFFERENCES:
        run.epoch(min(options.commands - run.passed - run.failed, BATCH * BATCHES_IN_EPOCH))
    elapsed_s = time.monotonic() - started
    print(f"seed {options.seed}: {run.passed + run.failed} commands in {elapsed_s:.1f} s")
    if run.failed >= MAX_DIFFERENCES:
        print(f"stopped after {run.failed} differences: {run.signatures}")
    return run.passed, run.failed + failed


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--commands", type=int, default=200_000)
    parser.add_argument("--family", action="append", choices=sorted(vocabulary.GRAMMARS))
    parser.add_argument("--under-test", choices=servers.KINDS, default="cloakroom")
    parser.add_argument("--reload", type=int, default=0, metavar="EVERY",
                        help="commands between two reloads, about; 0 for none")
    parser.add_argument("--log", action="store_true", help="both write an append-only log")
    parser.add_argument("--self-test", action="store_true")
    options = parser.parse_args()
    if options.seed is None:
        options.seed = random.SystemRandom().randrange(1 << 31)
    print(f"seed {options.seed}", flush=True)
    if options.self_test:
        from differential import self_test
        passed, failed = self_test.run(options.seed)
    else:
        try:
            sides = servers_pair.start(["redis", options.under_test],
                                       LOG_SETTINGS if options.log else None)
        except servers.ServerFailed as error:
            print(f"FAILED {error}\n0 passed, 1 failed")
            return 1
        try:
            passed, failed = play_all(sides, options)
        finally:
            for side in sides:
                side.close()
                side.server.stop()
    print(f"{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
