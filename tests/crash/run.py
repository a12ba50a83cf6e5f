#!/usr/bin/python3
"""Kills a server with SIGKILL again and again and looks at what is left after each restart.

    run.py                                  100 kills over all modes; CLOAKROOM_SERVER names the binary
    run.py --server redis --kills 20        proves the checks
    run.py --self-test                      redis-server's files, damaged: proves that the checks see
    run.py --seed 7 --mode always           settings and moments of a run again, as far as time allows

A life is one directory through some kills, with its mode and settings. README.md says what must hold.
A failure prints the seed, the life and what differs, and keeps the directory: `as-killed` has the files
that the restart found, `data` those that it left. The last line is "N passed, N failed", one check for
each kill, and with Cloakroom one for each life: redis-server must load what is left in the end.
"""

import argparse
import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from crash import life, modes, self_test  # noqa: E402
from support import resp, servers  # noqa: E402

KILLS_IN_LIFE = 6
BIG_SHARE = 0.4


class Tally:
    """Counts the checks, and prints their results."""

    def __init__(self):
        self.passed = self.failed = 0

    def broken(self, where, one, error):
        self.failed += 1
        print(f"FAILED {where}: {error}\n    {', '.join(one.story)}\n    settings {one.directives}\n"
              f"    kept: {one.directory}", flush=True)


def live(kind, mode, seed, kills, tally):
    """One life of up to `kills` kills; returns how many there were."""
    big = random.Random(seed).random() < BIG_SHARE
    one, done, failed_before, started = life.Life(kind, mode, seed, big), 0, tally.failed, time.monotonic()
    where = f"life {seed}, {mode.name}{', big' if big else ''}"
    try:
        one.begin()
        while done < kills:
            count = one.crash()
            done, tally.passed = done + count, tally.passed + count
        if kind == "cloakroom" and servers.available("redis"):
            one.exchange()
            tally.passed += 1
    except (life.Wrong, servers.ServerFailed, OSError, AssertionError, resp.ConnectionClosed,
            resp.ReplyTimeout) as error:
        tally.broken(f"{where}, after {done} kills", one, error)
    finally:
        one.end(keep=tally.failed > failed_before)
    synced = (f", {one.follower.partial} partial and {one.follower.full} full syncs"
              if one.follower else "")
    print(f"{where}: {done} kills, {one.units_done()} units{synced}, {time.monotonic() - started:.1f} s",
          flush=True)
    return max(done, 1)


def run(options):
    chosen = [mode for mode in modes.MODES if options.mode in (None, mode.name)]
    tally, done, lives = Tally(), 0, 0
    while done < options.kills:
        mode = chosen[lives % len(chosen)]
        done += live(options.server, mode, options.seed + lives,
                     min(KILLS_IN_LIFE, options.kills - done), tally)
        lives += 1
    return tally.passed, tally.failed


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--server", choices=servers.KINDS, default="cloakroom")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--self-test", action="store_true")
    parser.add_argument("--mode", choices=[mode.name for mode in modes.MODES])
    options = parser.parse_args()
    if options.seed is None:
        options.seed = random.SystemRandom().randrange(1 << 31)
    print(f"seed {options.seed}", flush=True)
    if options.self_test:
        passed, failed = self_test.run(options.seed)
    else:
        passed, failed = run(options) if servers.available(options.server) else (0, 1)
    print(f"{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
