"""One figure of one kind of server as a primary with replicas of the same kind. What happens to them
is a scenario, which a run names; the generator drives it, or this process."""

import os
import time
from contextlib import contextmanager
from pathlib import Path

from measure import LOAD_CORE, RunFailed, generate, new_server, on_cores, servers

STEP_TIMEOUT_S = 120
LOOK_AGAIN_S = 0.002
# Both start to send a full sync as soon as a replica is there, and no PING moves an offset.
PROMPT = {"repl-diskless-sync": "yes", "repl-diskless-sync-delay": "0",
          "repl-ping-replica-period": "3600"}
LOG = {"appendonly": "yes", "appendfsync": "everysec", "auto-aof-rewrite-percentage": "0"}
# What a full sync has no figure of when a replica never gets the data.
OF_A_WHOLE_SYNC = ("seconds", "fast_seconds", "snapshot_bytes", "write_p999_ratio", "read_p999_ratio")
KEYS = 100_000  # that WriteRecords of the generator writes to
TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def measure(generator, kind, run, directives):
    """The figures of the run's scenario. `directives` are those of primary and replica."""
    return SCENARIOS[run.scenario](generator, kind, run, {**PROMPT, **directives})


@contextmanager
def _primary_and_replica(kind, run, directives, replica_cores=(LOAD_CORE,), replica_nice=0):
    """Two fresh servers. The replica is where the load is, so that it takes nothing from its primary's
    core; it does not follow yet."""
    with new_server(kind, directives) as primary, new_server(kind, directives) as replica:
        on_cores(run.server_cores, primary.launch)
        on_cores(replica_cores, replica.launch)
        if replica_nice:
            _make_nice(replica, replica_nice)
        yield primary, replica


def _make_nice(server, nice):
    """Of all its threads: Linux counts the priority for each, and new ones inherit it."""
    for task in Path(f"/proc/{server.pid}/task").iterdir():
        os.setpriority(os.PRIO_PROCESS, int(task.name), nice)


def _info(server, section):
    with server.connect() as connection:
        text = connection.ok("INFO", section).decode()
    return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)


def _syncs(primary):
    """How many full and partial syncs it has granted."""
    stats = _info(primary, "stats")
    return int(stats["sync_full"]), int(stats["sync_partial_ok"])


def _follow(replica, port):
    with replica.connect() as connection:
        connection.ok("REPLICAOF", "127.0.0.1", port)


def _await(what, condition):
    deadline = time.monotonic() + STEP_TIMEOUT_S
    while not condition():
        if time.monotonic() > deadline:
            raise RunFailed(f"not within {STEP_TIMEOUT_S} s: {what}")
        time.sleep(LOOK_AGAIN_S)


def _in_step(primary, replica):
    """Whether the replica has all that its primary has, and both know it."""
    theirs, own = _info(primary, "replication"), _info(replica, "replication")
    return (own["role"] == "slave" and own["master_link_status"] == "up"
            and "state=online" in theirs.get("slave0", "")
            and int(own["slave_repl_offset"]) >= int(theirs["master_repl_offset"]))


def _attach(primary, replica):
    _follow(replica, primary.port)
    _await("the replica has all data", lambda: _in_step(primary, replica))


def _attached(generator, kind, run, directives):
    """A load on the primary while a replica follows it."""
    with _primary_and_replica(kind, run, directives) as (primary, replica):
        _attach(primary, replica)
        before = _syncs(primary)
        figures = generate(generator, primary, (*run.arguments, "--replica-port", replica.port))
        if _syncs(primary) != before or _info(primary, "replication")["connected_slaves"] != "1":
            raise RunFailed(f"{kind}: the primary has dropped its replica during {run.name}")
        return figures


def _log_and_replica(generator, kind, run, directives):
    """The same load with a log alone, a replica alone, and both, on fresh servers each time."""
    logged = {**directives, **LOG}
    with new_server(kind, logged) as server:
        on_cores(run.server_cores, server.launch)
        log = generate(generator, server, run.arguments)
    replica = _attached(generator, kind, run, directives)
    both = _attached(generator, kind, run, logged)
    return {**both,
            "log_cpu_us_per_op": log["cpu_us_per_op"],
            "replica_cpu_us_per_op": replica["cpu_us_per_op"],
            "to_log": both["cpu_us_per_op"] / log["cpu_us_per_op"],
            "to_replica": both["cpu_us_per_op"] / replica["cpu_us_per_op"]}


def _cpu_s(server):
    """User and system time of the process so far."""
    fields = Path(f"/proc/{server.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK_S


def _apply(generator, kind, run, directives):
    """A replica is away while its primary is written to, and comes back with a partial sync. From then
    on nothing but the replica limits how fast it applies what it has missed."""
    records = run.arguments[0]
    with _primary_and_replica(kind, run, {**directives, "repl-backlog-size": "1gb"},
                              replica_cores=(0, 1)) as (primary, replica):
        write = ("replication", "--name", "records", "--items")
        generate(generator, primary, (*write, KEYS))
        _attach(primary, replica)
        _follow(replica, servers.free_port())  # where nobody listens
        _await("the replica is away", lambda: _info(primary, "replication")["connected_slaves"] == "0")
        begin = int(_info(primary, "replication")["master_repl_offset"])
        generate(generator, primary, (*write, records))
        end = int(_info(primary, "replication")["master_repl_offset"])
        before, cpu_before_s = _syncs(primary), _cpu_s(replica)
        applied_s = _catch_up(primary, replica, begin, end)
        cpu_s = _cpu_s(replica) - cpu_before_s
        if _syncs(primary) != (before[0], before[1] + 1):
            raise RunFailed(f"{kind}: the replica that came back got no partial sync")
        return {"records_per_s": records / applied_s, "replica_cpu_us": 1e6 * cpu_s / records,
                "bytes_per_record": (end - begin) / records}


def _catch_up(primary, replica, begin, end):
    """Seconds that the replica takes to apply all bytes between two offsets, without the handshake: as
    fast as from the first of them that it is seen to have applied."""
    first = None
    with replica.connect(timeout_s=STEP_TIMEOUT_S) as connection:
        started = time.monotonic()
        connection.ok("REPLICAOF", "127.0.0.1", primary.port)
        while time.monotonic() < started + STEP_TIMEOUT_S:
            text = connection.ok("INFO", "replication").decode()
            now, applied = time.monotonic(), int(text.split("slave_repl_offset:")[1].split()[0])
            if applied >= end:
                break
            if first is None and applied > begin:
                first = now, applied
            time.sleep(LOOK_AGAIN_S)
        else:
            raise RunFailed(f"{replica.kind}: the replica does not catch up")
    if first is None:  # too little to be seen on its way
        return now - started
    return (now - first[0]) * (end - begin) / (end - first[1])


def _full_sync(generator, kind, run, directives):
    """Two replicas get all data at once: they come within a second, and the primary waits for both. The
    one that is a server has the lowest priority, as if it were on another machine."""
    together = {"repl-diskless-sync-delay": "5", "repl-diskless-sync-max-replicas": "2"}
    with _primary_and_replica(kind, run, {**directives, **together}, replica_nice=19) as (
            primary, replica):
        figures = generate(generator, primary, (*run.arguments, "--replica-port", replica.port))
    return {**dict.fromkeys(OF_A_WHOLE_SYNC), **figures}


def _restart(generator, kind, run, directives):
    """A replica restarts from its log, and then the primary from its own."""
    with _primary_and_replica(kind, run, {**directives, **LOG}, replica_cores=(0, 1)) as (
            primary, replica):
        replica.directives["replicaof"] = f"127.0.0.1 {primary.port}"
        _attach(primary, replica)
        generate(generator, primary, ("memory", "--name", "string", "--items", run.arguments[0]))
        _await("all is replicated", lambda: _in_step(primary, replica))
        before = _syncs(primary)[0]
        replica_s = _restart_one(replica, primary, replica)
        replica_syncs = _syncs(primary)[0] - before
        primary_s = _restart_one(primary, primary, replica)
        return {"replica_link_s": replica_s, "replica_full_syncs": replica_syncs,
                "primary_link_s": primary_s, "primary_full_syncs": _syncs(primary)[0]}


def _restart_one(server, primary, replica):
    """Seconds from the start of the new process until the replica has all data of its primary."""
    server.terminate()
    started = time.monotonic()
    on_cores((0, 1), server.spawn)
    server.wait_until_ready(STEP_TIMEOUT_S)
    _await("the replica is back", lambda: _in_step(primary, replica))
    return time.monotonic() - started


SCENARIOS = {"attached": _attached, "log and replica": _log_and_replica, "apply": _apply,
             "full sync": _full_sync, "restart": _restart}
