"""Proves that the checks find bugs: damages redis-server's files between the kill and the restart.

Each damage is what a bug would leave, and must be found. Without damage nothing must be found.
"""

import shutil

from crash import disorder, life, modes
from support import resp, servers

ALWAYS = modes.MODES[0]
SNAPSHOTS = modes.MODES[-1]
TRIES = 5


def nothing(_):
    """No damage."""


def cut_log(data):
    """Writes that were acknowledged are missing."""
    log = _last_log(data)
    with open(log, "r+b") as file:
        file.truncate(max(log.stat().st_size - 20_000, 0))


def repeat_log(data):
    """A part of the log is applied twice, as by a rewrite that forgot where it began."""
    log = _last_log(data)
    log.write_bytes(log.read_bytes() * 2)


def older_snapshot(data):
    """The snapshot is one that was replaced long ago."""
    if not (data / "kept.rdb").exists():
        shutil.copy(data / "dump.rdb", data / "kept.rdb")
    shutil.copy(data / "kept.rdb", data / "dump.rdb")


def _append(data, *commands):
    with open(_last_log(data), "ab") as file:
        for command in commands:
            file.write(resp.encode(command))


def lost_coat(data):
    """A key that was moved, or whose database was swapped, is gone."""
    _append(data, *(word for db in disorder.COAT_DBS
                    for word in (("SELECT", db), ("DEL", "coat7", "away7"))))


def doubled_coat(data):
    """A key that was moved is in both databases."""
    source, target = disorder.COAT_DBS
    _append(data, ("SELECT", source), ("SET", "coat9", 9), ("SELECT", target), ("SET", "coat9", 9))


def torn_generation(data):
    """A part of a database that was flushed is left."""
    _append(data, ("SELECT", disorder.GENERATION_DB), ("SET", "generation1", 0))


def union_of_less(data):
    """A union lacks what one of its sources held."""
    _append(data, ("SELECT", disorder.UNION_DB),
            ("DEL", "copy0"),
            ("SET", "done0", 1), ("SADD", "union0", "1:0"))


def _last_log(data):
    return max((data / "appendonlydir").glob("*.incr.aof"),
               key=lambda path: int(path.name.split(".")[-3]))


DAMAGES = ((ALWAYS, nothing), (ALWAYS, cut_log), (ALWAYS, repeat_log), (ALWAYS, lost_coat),
           (ALWAYS, doubled_coat), (ALWAYS, torn_generation), (ALWAYS, union_of_less),
           (SNAPSHOTS, nothing), (SNAPSHOTS, older_snapshot))


def run(seed):
    """Returns (passed, failed), a check for each damage."""
    results = [_found(mode, damage, seed) == (damage is not nothing) for mode, damage in DAMAGES]
    for (mode, damage), held in zip(DAMAGES, results):
        print(f"{'ok' if held else 'FAILED'}  {mode.name}: {damage.__doc__}")
    return sum(results), len(results) - sum(results)


def _found(mode, damage, seed):
    one = life.Life("redis", mode, seed, big=False)
    one.damage = damage
    try:
        one.begin()
        for _ in range(TRIES):  # a kill soon after a rewrite or a save leaves little to damage
            one.crash()
    except (life.Wrong, servers.ServerFailed) as error:
        if damage is nothing:
            print(f"{mode.name}: {error}\n    {', '.join(one.story)}\n    settings {one.directives}")
        return True
    finally:
        one.end(keep=False)
    return False
