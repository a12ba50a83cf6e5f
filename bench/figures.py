"""What is measured: the runs, the rows that each gives, and the goal of each row.

A run is one call of the generator, or of the micro-benchmarks for Cloakroom's parts below the
server; its figures become one or more rows of the report. A goal is a bound of Cloakroom's own
figure ("own") or of the ratio Cloakroom / Redis ("ratio"); `better` says which way is good.
"""

import resource
from dataclasses import dataclass, field

COMMANDS = ("set", "get", "hset", "hget", "hmget", "sadd", "incr", "eval")
# What the generator's commands on lists, sorted sets and streams send.
COLLECTION_COMMANDS = {
    "lpush": "LPUSH and LPOP in turn, 1,000 lists",
    "zadd": "ZADD of another score, 100,000 members",
    "zrange": "ZRANGE of 10 of 100,000 members",
    "zrank": "ZRANK, 100,000 members",
    "xadd": "XADD MAXLEN ~ 1000, 1,000 streams",
    "xreadgroup": "XADD and XREADGROUP COUNT 1 in turn, 1,000 streams",
}
COLLECTION_GOALS = {1: 0.92, 16: 0.6}  # of each length of a pipeline
# In a pipeline of these, Redis itself spends little time outside of system calls.
PIPELINE_GOALS = {"incr": 0.6, "sadd": 0.6, "eval": 0.6}
# The cost of a round of the event loop depends on how many clients it serves.
LOOP_GOALS = {1: 0.92, 4: 0.75, 16: 0.82, 50: 0.85}
MEMORY_GOALS = {"string": 100, "session": 2250, "cache": 690, "tag": 60, "bigtag": 60}
# For these the goal is a ratio to Redis.
COLLECTION_MEMORY_GOALS = {"list": 0.8, "biglist": 0.8, "zset": 0.7, "bigzset": 0.7, "stream": 1.0}
MEMORY_NAMES = {
    "string": "string, 26 B key, 32 B value, TTL",
    "session": "session hash, five short fields + 2,000 B, TTL",
    "cache": "cache hash {d 500 B, t, m, i}, 49 B key, TTL",
    "tag": "tag set member of 40 characters, sets of 1,000",
    "bigtag": "tag set member of 40 characters, one set of all",
    "list": "list item of 20 characters, lists of 100",
    "biglist": "list item of 20 characters, one list of all",
    "zset": "sorted set member of 16 characters, sets of 20",
    "bigzset": "sorted set member of 16 characters, sets of 100,000",
    "stream": "stream entry of three fields, 23 B of values, streams of 1,000",
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
    """One call of the generator against each server in turn, or of micro_bench."""

    name: str
    arguments: tuple
    rows: tuple
    rounds: int = 5
    group: str = ""
    directives: dict = field(default_factory=dict)
    own_directives: dict = field(default_factory=dict)  # of Cloakroom alone
    server_cores: tuple = (0,)
    restarted: bool = False  # and measured until it has loaded its files
    servers: tuple = ("cloakroom", "redis")
    micro: bool = False  # micro_bench with these arguments, and no server
    scenario: str = ""  # of replication.py: what happens to a primary and its replica


def command_runs(quick):
    for pipeline in (1, 16):
        for command in COMMANDS:
            goal = 0.92 if pipeline == 1 else PIPELINE_GOALS.get(command, 0.5)
            yield _command_run(command, f"{command.upper()} -P {pipeline}", pipeline, goal,
                               "Commands, 50 connections", quick)


def collection_runs(quick):
    """Commands on lists, sorted sets and streams."""
    for pipeline, goal in COLLECTION_GOALS.items():
        for command, what in COLLECTION_COMMANDS.items():
            yield _command_run(command, f"{what}, -P {pipeline}", pipeline, goal,
                               "Lists, sorted sets, streams, 50 connections", quick)


def _command_run(command, name, pipeline, goal, group, quick):
    return Run(
        f"{command}-p{pipeline}",
        ("command", "--name", command, "--pipeline", pipeline, "--connections", 50,
         "--seconds", 1 if quick else 4),
        (Row(f"{name}, server CPU per op", "cpu_us_per_op", "µs", goal_ratio=goal),
         Row(f"{name}, throughput", "ops_per_s", "ops/s", better="higher")),
        group=group)


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


def native_runs(quick):
    """Sessions by SESSION.*; beside redis-server with the library's protocol."""
    seconds = 1 if quick else 5
    group = "Native sessions, beside the library's protocol on redis-server"
    for reconnect, name, goal in ((0, "kept", 0.4), (1, "new", 0.5)):
        what = f"native visit, {name} connections"
        yield Run(f"native-visit-{name}",
                  ("visit", "--native", 1, "--reconnect", reconnect, "--connections", 20,
                   "--seconds", seconds),
                  (Row(f"{what}: server CPU", "cpu_us_per_op", "µs", goal_ratio=goal),
                   Row(f"{what}: visits", "ops_per_s", "/s", better="higher"),
                   Row(f"{what}: p99", "p99_us", "ms", scale=1e-3)), group=group)
    yield Run("native-log", ("visit", "--native", 1, "--connections", 20, "--seconds", 1),
              (Row("native visit: bytes of log per visit", "log_bytes_per_op", "B", goal_ratio=0.9),),
              rounds=1, group=group, server_cores=(0, 1),
              directives={"appendonly": "yes", "appendfsync": "everysec",
                          "auto-aof-rewrite-percentage": "0"})
    what = "six requests of 50 ms on one session"
    yield Run("native-waits", ("sessions", "--name", "waits", "--rounds", 1 if quick else 5),
              (Row(f"{what}: mean wait", "mean_wait_ms", "ms", goal_own=130),
               Row(f"{what}: longest wait", "max_wait_ms", "ms"),
               Row(f"{what}: commands", "commands", "", goal_own=12)), rounds=1, group=group)
    yield Run("native-parked",
              ("sessions", "--name", "waits", "--native", 0, "--rounds", 1 if quick else 5),
              (Row(f"{what}, by the library, session-park-polls 450: mean wait", "mean_wait_ms", "ms",
                   goal_own=150),
               Row(f"{what}, by the library, session-park-polls 450: commands", "commands", "")),
              rounds=1, group=group, own_directives={"session-park-polls": "450"})
    yield Run("native-handover", ("sessions", "--name", "waits"),
              (Row("from a COMMIT to the next one's lock: p50", "p50_us", "ms", scale=1e-3),
               Row("from a COMMIT to the next one's lock: p99", "p99_us", "ms", scale=1e-3,
                   goal_own=1)),
              rounds=3, group=group, servers=("cloakroom",))
    yield Run("native-locks", ("sessions", "--name", "locks", "--connections", 50, "--seconds", 1),
              (Row("SET beside 1,000 held locks, to SET alone", "ratio", "×", goal_own=1.02),),
              rounds=1 if quick else 3, group=group, servers=("cloakroom",))
    # As many as the descriptors of a process allow here, up to the goal's 100,000.
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 1_000
    count = 1_000 if quick else min(100_000, most)
    yield Run("native-waiters", ("sessions", "--name", "waiters", "--connections", count),
              (Row(f"{count:,} requests wait: memory of each beyond its connection",
                   "bytes_per_waiter", "B", goal_own=1000),
               Row(f"{count:,} requests wait: CPU of a core", "cpu_percent", "%", goal_own=1)),
              rounds=1, group=group, servers=("cloakroom",),
              own_directives={"maxclients": str(count + 100)})


def loop_runs(quick):
    """The event loop: single requests of this many connections, and visits, with one loop on one core
    and with two that share both cores with the load."""
    seconds = 1 if quick else 2
    group = "The event loop, no pipeline"
    for count, goal in LOOP_GOALS.items():
        for command in ("get", "set"):
            what = f"{command.upper()}, {count} connection{'s' if count > 1 else ''}"
            load = ("command", "--name", command, "--connections", count, "--seconds", seconds)
            yield Run(f"loop-{command}-c{count}", load, _loop_rows(what, goal), rounds=9, group=group)
            yield Run(f"loop2-{command}-c{count}", load, _loop_rows(f"two loops: {what}", 1.0),
                      rounds=9, group=group, own_directives={"io-threads": "2"},
                      server_cores=(0, 1))
    for reconnect, name, goal in ((0, "kept", 0.85), (1, "new", 0.91)):
        load = ("visit", "--reconnect", reconnect, "--connections", 20, "--seconds", seconds)
        what = f"session visit, {name} connections"
        yield Run(f"loop-visit-{name}", load, _loop_rows(what, goal), rounds=9, group=group)
        yield Run(f"loop2-visit-{name}", load, _loop_rows(f"two loops: {what}", 1.0), rounds=9,
                  group=group, own_directives={"io-threads": "2"}, server_cores=(0, 1))


def _loop_rows(what, goal):
    return (Row(f"{what}: server CPU per op", "cpu_us_per_op", "µs", goal_ratio=goal),
            Row(f"{what}: p99", "p99_us", "µs"))


def memory_runs(quick):
    fewer = {"session": 100_000, "cache": 300_000}
    for shape, name in MEMORY_NAMES.items():
        count = fewer.get(shape, 1_000_000) // (10 if quick else 1)
        yield Run(
            f"memory-{shape}", ("memory", "--name", shape, "--items", count),
            (Row(name, "bytes_per_item", "B", goal_own=MEMORY_GOALS.get(shape),
                 goal_ratio=COLLECTION_MEMORY_GOALS.get(shape)),),
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


def _meanwhile_rows(what):
    """The latencies of two clients during a save or rewrite, compared with those before it."""
    for client, does in (("write", "writes"), ("read", "reads")):
        for label, key in (("p50", "p50_us"), ("p99", "p99_us"), ("p99.9", "p999_us"),
                           ("max", "max_us")):
            yield Row(f"{what}: one {does}, quiet {label}", f"{client}_quiet_{key}", "ms", scale=1e-3)
            yield Row(f"{what}: one {does}, {label}", f"{client}_{key}", "ms", scale=1e-3,
                      goal_own=5.0 if label == "max" else None)
        yield Row(f"{what}: one {does}, p99.9 to quiet", f"{client}_p999_ratio", "×", goal_own=1.5)


def persistence_runs(quick, megabytes=None):
    """Saves or rewrites data while one client writes and one reads, and then loads it. The server may
    use both cores, for a child or threads."""
    megabytes = megabytes or (200 if quick else 2048)
    log = {"appendonly": "yes", "appendfsync": "everysec", "auto-aof-rewrite-percentage": "0"}
    members = 100_000 if quick else 1_000_000
    shapes = {"string": (megabytes * 1024, f"{megabytes:,} MB of 1 KB values", 1),
              "session": (megabytes * 500, f"{megabytes * 500:,} sessions", 1),
              # The save is so short that it runs five times, to give the clients enough samples.
              "set": (members, f"one set of {members:,}", 5)}
    for run, action, directives, size in (("save", "BGSAVE", {}, "snapshot_bytes"),
                                          ("rewrite", "BGREWRITEAOF", log, "log_bytes")):
        for shape, (items, data, times) in shapes.items():
            if shape == "set" and run != "save":
                continue
            what = f"{run}, {data}"
            yield Run(
                f"{run}-{shape}",
                ("persistence", "--name", shape, "--action", action, "--items", items,
                 "--seconds", 2 if quick else 10, "--times", times),
                (Row(f"{what}: seconds", "seconds", "s", goal_ratio=1.0),
                 # A log also holds the writes made meanwhile, so only the snapshot has a goal.
                 Row(f"{what}: bytes on disk", size, "MB", scale=1e-6,
                     goal_ratio=1.02 if run == "save" else None),
                 Row(f"{what}: memory before (PSS of all processes)", "memory_before_bytes", "MB",
                     scale=1e-6),
                 Row(f"{what}: peak memory to before", "memory_ratio", "×", goal_own=1.05),
                 *_meanwhile_rows(what),
                 Row(f"{what}: seconds to load after a restart", "load_s", "s", goal_ratio=0.5)),
                rounds=3, group=f"{action} while one writes and one reads", directives=directives,
                server_cores=(0, 1), restarted=True)


def log_runs(quick):
    """The cost of the log, under each appendfsync and without it. One event loop each, so that only
    the log makes the difference, and a second core for the log's writer."""
    seconds = 1 if quick else 4
    settings = {"off": {"appendonly": "no", "io-threads": "1"}} | {
        fsync: {"appendonly": "yes", "appendfsync": fsync, "auto-aof-rewrite-percentage": "0",
                "io-threads": "1"}
        for fsync in ("no", "everysec", "always")}
    loads = {
        "set-p1": ("SET -P 1", ("command", "--name", "set", "--pipeline", 1, "--connections", 50)),
        "set-p16": ("SET -P 16", ("command", "--name", "set", "--pipeline", 16, "--connections", 50)),
        "visit": ("session visit", ("visit", "--connections", 20)),
    }
    for fsync, directives in settings.items():
        for load, (name, arguments) in loads.items():
            what = f"{name}, log {fsync}"
            rows = [Row(f"{what}: server CPU per op", "cpu_us_per_op", "µs", goal_ratio=1.0),
                    Row(f"{what}: throughput", "ops_per_s", "/s", better="higher"),
                    Row(f"{what}: p99", "p99_us", "ms", scale=1e-3)]
            if load == "visit" and fsync != "off":
                rows.append(Row(f"{what}: bytes of log per visit", "log_bytes_per_op", "B",
                                goal_ratio=1.02))
            yield Run(f"aof-{fsync}-{load}", (*arguments, "--seconds", seconds), tuple(rows),
                      rounds=5, group="The append-only log", directives=directives,
                      server_cores=(0, 1))


def thread_runs(quick):
    """The gain of a second thread in the keyspace, on each thread's own keys and on shared keys; and
    the time that an operation takes of a thread when threads share what it needs."""
    cases = {f"BM_{command.capitalize()}/uniform:{uniform}/real_time/threads": f"{command}, {keys}"
             for command in ("GET", "SET")
             for uniform, keys in ((0, "keys of each thread's own"), (1, "the same keys"))}
    rows = []
    for benchmark, what in cases.items():
        rows.append(Row(f"{what}, one thread: items per second", f"{benchmark}:1", "M/s",
                        better="higher", scale=1e-6))
        rows.append(Row(f"{what}, two threads: items per second to one thread",
                        f"{benchmark}:2 to 1", "×", better="higher", goal_own=1.8))
    yield Run("threads", ("--benchmark_filter=BM_(Get|Set)/",
                          f"--benchmark_min_time={0.1 if quick else 0.5}"),
              tuple(rows), group="Threads in the keyspace", servers=("cloakroom",), micro=True)
    shared = {"BM_GetHot": "GET of one key", "BM_SetHot": "SET of one key",
              "BM_LogAppend": "the log's append", "BM_MaxmemoryCheck": "maxmemory's check"}
    rows = []
    for benchmark, what in {**shared, **{f"{name}/uniform:1": f"{what}, a million keys" for name, what
                                         in (("BM_Get", "GET"), ("BM_Set", "SET"))}}.items():
        rows += [Row(f"{what}, {count} thread{'s' if count > 1 else ''}{how}",
                     f"{benchmark}/real_time/threads:{count} {key}", "ns")
                 for count in (1, 2) for key, how in (("ns", ""), ("cpu", ", CPU"))]
    yield Run("threads-shared",
              (f"--benchmark_filter=({'|'.join(shared)})/|BM_(Get|Set)/uniform:1",
               f"--benchmark_min_time={0.1 if quick else 0.5}"),
              tuple(rows), group="Of each thread, an operation in the keyspace",
              servers=("cloakroom",), micro=True)


def all_runs(quick, megabytes=None):
    """Every run, in the order of the report."""
    makers = (command_runs, collection_runs, visit_runs, native_runs, loop_runs, memory_runs, stall_runs, idle_runs)
    runs = [run for make in makers for run in make(quick)]
    return [*runs, *persistence_runs(quick, megabytes), *log_runs(quick), *thread_runs(quick)]
