"""What is measured: the runs, the rows that each yields, and the goal of each row.

A run is one call of the generator; its figures become one or more rows of the report. A goal is a
bound of Cloakroom's own figure ("own") or of the ratio Cloakroom / Redis ("ratio"); `better` says
which way is good.
"""

from dataclasses import dataclass, field

COMMANDS = ("set", "get", "hset", "hget", "hmget", "sadd", "incr", "eval")
MEMORY_GOALS = {"string": 100, "session": 2250, "cache": 690, "tag": 60, "bigtag": 60}
MEMORY_NAMES = {
    "string": "string, 26 B key, 32 B value, TTL",
    "session": "session hash, five short fields + 2,000 B, TTL",
    "cache": "cache hash {d 500 B, t, m, i}, 49 B key, TTL",
    "tag": "tag set member of 40 characters, sets of 1,000",
    "bigtag": "tag set member of 40 characters, one set of all",
}


@dataclass(frozen=True)
class Row:
    """One line of the report, taken from the figure `key` of its run."""

    name: str
    key: str
    unit: str
    better: str = "lower"
    scale: float = 1.0
    goal_ratio: float | None = None
    goal_own: float | None = None


@dataclass(frozen=True)
class Run:
    """One call of the generator against each server in turn."""

    name: str
    arguments: tuple
    rows: tuple
    rounds: int = 5
    group: str = ""
    directives: dict = field(default_factory=dict)


def command_runs(quick):
    seconds = 1 if quick else 4
    for pipeline in (1, 16):
        goal = 0.92 if pipeline == 1 else 0.5
        for command in COMMANDS:
            name = f"{command.upper()} -P {pipeline}"
            yield Run(
                f"{command}-p{pipeline}",
                ("command", "--name", command, "--pipeline", pipeline, "--connections", 50,
                 "--seconds", seconds),
                (Row(f"{name}, server CPU per op", "cpu_us_per_op", "µs", goal_ratio=goal),
                 Row(f"{name}, throughput", "ops_per_s", "ops/s", better="higher")),
                group="Commands, 50 connections")


def visit_runs(quick):
    seconds = 1 if quick else 5
    for reconnect, name in ((0, "kept connections"), (1, "a new connection each")):
        yield Run(
            "visit-new" if reconnect else "visit-kept",
            ("visit", "--reconnect", reconnect, "--connections", 20, "--seconds", seconds),
            (Row(f"session visit, {name}: server CPU", "cpu_us_per_op", "µs", goal_ratio=0.92),
             Row(f"session visit, {name}: visits", "ops_per_s", "/s", better="higher"),
             Row(f"session visit, {name}: p99", "p99_us", "ms", scale=1e-3)),
            group="Session visit (11 commands, 7 round trips, 2 KB)")


def memory_runs(quick):
    items = {"string": 1_000_000, "session": 100_000, "cache": 300_000, "tag": 1_000_000,
             "bigtag": 1_000_000}
    for shape, goal in MEMORY_GOALS.items():
        count = items[shape] // 10 if quick else items[shape]
        yield Run(
            f"memory-{shape}", ("memory", "--name", shape, "--items", count),
            (Row(MEMORY_NAMES[shape], "bytes_per_item", "B", goal_own=goal),),
            rounds=1, group="Memory per item (used_memory)")


def stall_runs(quick):
    items = 200_000 if quick else 1_000_000
    grow = 1_000_000 if quick else 10_000_000
    what = {
        "quiet": (items, "nothing else", {}),
        "expire": (items, f"{items:,} keys expire at once", {"p999_us": 2000}),
        "keys": (items, f"KEYS * over {items:,} keys", {"max_us": 5000}),
        "flushall": (items, f"FLUSHALL of {items:,} keys", {}),
        "grow": (grow, f"a table grows to {grow:,} keys", {}),
    }
    for scenario, (count, name, goals) in what.items():
        rows = [Row(f"{name}: {label}", key, "ms", scale=1e-3,
                    goal_own=goals[key] / 1e3 if key in goals else None)
                for label, key in (("p50", "p50_us"), ("p99", "p99_us"), ("p99.9", "p999_us"),
                                   ("max", "max_us"))]
        if scenario == "expire":
            rows.append(Row(f"{name}: until all are gone", "gone_s", "s"))
            rows.append(Row(f"{name}: until memory is back", "memory_back_s", "s", goal_own=2.0))
        yield Run(f"stall-{scenario}", ("stall", "--name", scenario, "--items", count), tuple(rows),
                  rounds=3, group="Latency of a quiet visitor meanwhile")


def idle_runs(quick):
    count = 1_000 if quick else 10_000
    yield Run(
        "idle", ("idle", "--connections", count),
        (Row(f"{count:,} idle connections: resident memory", "rss_bytes", "MB", scale=1e-6,
             goal_own=40.0 * count / 10_000),),
        rounds=3, group="Idle connections")


def all_runs(quick):
    """Every run, in the order of the report."""
    return [run for runs in (command_runs, visit_runs, memory_runs, stall_runs, idle_runs)
            for run in runs(quick)]
