"""What is measured of replication: runs, rows and goals, as in figures.py. A run's scenario is one of
replication.py's; "apply" and "restart" have the number of records as their only argument."""

from figures import Row, Run

GROUP = "Replication"
SET_GOALS = {1: 0.9, 16: 0.55}  # of each length of a pipeline
APPEND_GOALS = {1: 60, 2: None, 4: 150}  # ns, of each number of threads


def _set_load(pipeline, quick):
    return ("command", "--name", "set", "--pipeline", pipeline, "--connections", 50,
            "--seconds", 1 if quick else 4)


def set_runs(quick):
    """SET with a replica; and with a log as well, compared with either of them."""
    for pipeline, goal in SET_GOALS.items():
        what = f"SET -P {pipeline} with a replica"
        yield Run(f"repl-set-p{pipeline}", _set_load(pipeline, quick),
                  (Row(f"{what}: the primary's CPU per op", "cpu_us_per_op", "µs", goal_ratio=goal),
                   Row(f"{what}: throughput", "ops_per_s", "ops/s", better="higher")),
                  group=GROUP, scenario="attached")
    what = "SET -P 16 with a replica and a log"
    yield Run("repl-both-set-p16", _set_load(16, quick),
              (Row(f"{what}: the primary's CPU per op", "cpu_us_per_op", "µs"),
               Row(f"{what}: CPU to that with a log alone", "to_log", "×", goal_own=1.03),
               Row(f"{what}: CPU to that with a replica alone", "to_replica", "×", goal_own=1.03),
               Row("SET -P 16 with a log alone: CPU per op", "log_cpu_us_per_op", "µs"),
               Row("SET -P 16 with a replica alone: CPU per op", "replica_cpu_us_per_op", "µs")),
              group=GROUP, scenario="log and replica")


def append_runs(quick):
    """The time that a writing thread needs for the place of a change in the stream and its bytes."""
    rows = []
    for count, goal in APPEND_GOALS.items():
        what = f"append to the stream, {count} thread{'s' if count > 1 else ''}"
        benchmark = f"BM_LogAppend/real_time/threads:{count}"
        rows += [Row(f"{what}: real time of each", f"{benchmark} ns", "ns"),
                 Row(f"{what}: CPU of each", f"{benchmark} cpu", "ns", goal_own=goal)]
    yield Run("repl-append",
              ("--benchmark_filter=BM_LogAppend/", f"--benchmark_min_time={0.1 if quick else 0.5}"),
              tuple(rows), group=GROUP, servers=("cloakroom",), micro=True)


def following_runs(quick):
    """How fast a replica applies, how far it is behind, and what waiting for it costs."""
    records = 300_000 if quick else 2_000_000
    what = f"a replica catches up by {records:,} SETs"
    yield Run("repl-apply", (records,),
              (Row(f"{what}: applied per second", "records_per_s", "M/s", better="higher", scale=1e-6,
                   goal_own=3),
               Row(f"{what}: the replica's CPU for each", "replica_cpu_us", "µs")),
              group=GROUP, scenario="apply")
    seconds = 1 if quick else 4
    what = "SET -P 16 as fast as it goes"
    yield Run("repl-lag",
              ("replication", "--name", "lag", "--pipeline", 16, "--connections", 50,
               "--seconds", seconds),
              (Row(f"{what}: the replica's lag, p50", "lag_p50_ms", "ms"),
               Row(f"{what}: the replica's lag, p99", "lag_p99_ms", "ms", goal_own=50),
               Row(f"{what}: the replica's lag, max", "lag_max_ms", "ms"),
               Row(f"{what}: the replica's lag, most bytes", "lag_max_bytes", "MB", scale=1e-6),
               Row(f"{what}: throughput", "ops_per_s", "ops/s", better="higher")),
              rounds=3, group=GROUP, scenario="attached")
    what = "SET and WAIT 1 together, one connection"
    yield Run("repl-wait", ("replication", "--name", "wait", "--seconds", seconds),
              (Row("PING, one connection: p50", "ping_p50_us", "µs"),
               Row(f"{what}: p50", "p50_us", "µs", goal_own=500),
               Row(f"{what}: p99", "p99_us", "µs")),
              rounds=3, group=GROUP, scenario="attached")


def _meanwhile_rows(what):
    for client, does in (("write", "writes"), ("read", "reads")):
        yield Row(f"{what}: one {does}, quiet p99.9", f"{client}_quiet_p999_us", "ms", scale=1e-3)
        yield Row(f"{what}: one {does}, p99.9", f"{client}_p999_us", "ms", scale=1e-3)
        yield Row(f"{what}: one {does}, p99.9 to quiet", f"{client}_p999_ratio", "×", goal_own=1.5)
        yield Row(f"{what}: one {does}, max", f"{client}_max_us", "ms", scale=1e-3)


def full_sync_runs(quick, megabytes):
    """The primary may use both cores, for a child or threads. redis-server keeps replicas however much
    they have not read, or it would never get the slow one through; Cloakroom has its default limit."""
    megabytes = megabytes or (100 if quick else 2048)
    what = f"full sync of {megabytes:,} MB, two replicas"
    yield Run("repl-full-sync",
              ("replication", "--name", "full-sync", "--items", megabytes * 1024,
               "--seconds", 1 if quick else 10),
              (Row(f"{what}: seconds until both have it", "seconds", "s", goal_ratio=1.0),
               Row(f"{what}: seconds until the fast one has it", "fast_seconds", "s"),
               Row(f"{what}: replicas dropped", "dropped", "", goal_own=0),
               Row(f"{what}: memory before (PSS of all processes)", "memory_before_bytes", "MB",
                   scale=1e-6),
               Row(f"{what}: peak memory to before", "memory_ratio", "×", goal_own=1.05),
               Row(f"{what}: bytes of the snapshot", "snapshot_bytes", "MB", scale=1e-6),
               Row(f"{what}: written meanwhile", "written_mb_per_s", "MB/s", better="higher"),
               *_meanwhile_rows(what)),
              rounds=1, group=GROUP, scenario="full sync", server_cores=(0, 1),
              directives={"client-output-buffer-limit": "replica 0 0 0"},
              own_directives={"client-output-buffer-limit": "replica 256mb 64mb 60"})


def restart_runs(quick):
    records = 50_000 if quick else 1_000_000
    what = f"{records:,} strings, restart from the log of the"
    rows = []
    for who in ("replica", "primary"):
        rows += [Row(f"{what} {who}: full syncs", f"{who}_full_syncs", "", goal_own=0),
                 Row(f"{what} {who}: until both have the same", f"{who}_link_s", "s")]
    yield Run("repl-restart", (records,), tuple(rows), rounds=3, group=GROUP, scenario="restart",
              server_cores=(0, 1))


def all_runs(quick, megabytes=None):
    """Every run, in the order of the report."""
    return [*set_runs(quick), *append_runs(quick), *following_runs(quick),
            *full_sync_runs(quick, megabytes), *restart_runs(quick)]
