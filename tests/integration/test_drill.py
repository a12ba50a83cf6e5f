"""cloakroom-drill: what it finds in a topology, what it does to one, and what it leaves alone."""

import json
import os
import signal
import threading
from contextlib import contextmanager

import pytest

from links import PROMPT, follow, replication
from saving import wait_until
from sentinels import NAME, known, wait_longer
from support import servers

TIMEOUT_S = 60
FEW = ("--clients", 6, "--rate", 10, "--before", 1, "--after", 1)


@pytest.fixture
def pair(start_one):
    """A primary and its replica, of one kind."""
    def start(kind, directives=None):
        if not servers.available(kind):
            pytest.skip(f"no program at {servers.binary(kind)}")
        kept = {**PROMPT, "save": "3600 1000000", **(directives or {})}
        primary, replica = (start_one(kind, kept) for _ in range(2))
        follow(replica, primary)
        return primary, replica
    return start


@pytest.fixture
def rehearse(run_drill, tmp_path):
    """Runs a drill with few clients and returns its report; it must end with this status."""
    def rehearsal(where, name, *words, status=0, environment=None):
        prefix = tmp_path / "report"
        code, said = run_drill("run", *where, "--i-mean", name, "--report", prefix, *FEW, *words,
                         environment=environment)
        assert code == status, said
        assert (tmp_path / "report.html").read_text().endswith("</html>\n")
        report = json.loads((tmp_path / "report.json").read_text())
        lines = (tmp_path / "report.ledger").read_text().splitlines()
        writes = {tuple(line.split()[1:3]) for line in lines if not line.startswith(("#", "lost"))}
        assert len(writes) == sum(level["acknowledged"] for level in report["writes"].values()) > 50
        return report
    return rehearsal


def at(server):
    return f"127.0.0.1:{server.port}"


def by_primary(server):
    return "--primary", at(server)


def by_sentinels(sentinels):
    return "--sentinel", *(f"127.0.0.1:{port}" for port in sentinels.ports), "--master", NAME


def findings(said):
    """{(verdict, about): text} of `check --json`."""
    return {(one["verdict"], one["about"]): one["text"] + one.get("advice", "")
            for one in json.loads(said)["findings"]}


def has_no_key(server):
    with server.connect() as connection:
        return connection.ok("INFO", "keyspace").strip() == b"# Keyspace"


def is_primary(server):
    return replication(server)["role"] == "master"


def assert_nothing_lost(report, levels=("WAIT 1",)):
    for level in levels:
        assert report["writes"][level]["acknowledged"] > 0
        assert report["writes"][level]["lost"] == 0
    assert report["sessions"]["written"] == report["outage"]["clients_back"] == 6
    assert report["sessions"]["lost"] == report["sessions"]["not_read_at_the_end"] == 0


# ---- check --------------------------------------------------------------------------------------


def test_a_healthy_pair_is_ok(run_drill, pair, primary_kind):
    primary, replica = pair(primary_kind)
    status, said = run_drill("check", *by_primary(primary), "--seconds", 1)
    assert status == 0, said
    assert "0 warnings, 0 failed" in said and "a replica may be away" in said
    assert at(primary) in said and at(replica) in said


def test_a_server_without_replicas_fails(run_drill, start_one):
    status, said = run_drill("check", *by_primary(start_one("redis")), "--seconds", 1, "--json")
    assert status == 2
    assert ("failed", "replica") in findings(said)


def test_a_small_backlog_is_a_warning(run_drill, pair):
    primary, _ = pair("redis", {"repl-backlog-size": "16384"})
    with writing(primary):
        status, said = run_drill("check", *by_primary(primary), "--seconds", 1, "--away", 600, "--json")
    assert status == 1, said
    assert "repl-backlog-size" in findings(said)["warning", "backlog"]
    assert json.loads(said)["away_s"] < 600


@contextmanager
def writing(server):
    """Somebody writes as fast as the server lets them."""
    ending = threading.Event()

    def write():
        with server.connect() as connection:
            while not ending.is_set():
                connection.ok("SET", "k", "v" * 1000)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join()


def test_sentinels_that_are_well_and_then_not(run_drill, pair, sentinels):
    primary, replica = pair("redis", {"appendonly": "no"})
    sentinels.start(primary, [replica])
    check = ("check", *by_sentinels(sentinels), "--seconds", 1, "--json")
    status, said = run_drill(*check)
    assert status == 0, said
    assert ("ok", "quorum") in findings(said)

    with replica.connect() as connection:
        connection.ok("CONFIG", "SET", "save", "")
        status, said = run_drill(*check)
        assert status == 1 and "appendonly yes" in findings(said)["warning", "persistence"], said
        connection.ok("CONFIG", "SET", "save", "3600 1000000")

    with replica.connect() as connection:
        connection.ok("CONFIG", "SET", "replica-priority", 0)
        status, said = run_drill(*check)
        assert status == 2 and "replica-priority" in findings(said)["failed", "priority"], said
        connection.ok("CONFIG", "SET", "replica-priority", 100)
        connection.ok("REPLICAOF", "127.0.0.1", 1)
        status, said = run_drill(*check)
        assert status == 2 and "masterauth" in findings(said)["failed", "link"], said
        connection.ok("REPLICAOF", "127.0.0.1", primary.port)

    sentinels.kill(1)
    sentinels.kill(2)
    survivor = ("check", "--sentinel", f"127.0.0.1:{sentinels.ports[0]}", "--master", NAME, "--seconds", 1, "--json")
    wait_longer(lambda: known(sentinels.ports[0], "SENTINEL", "CKQUORUM", NAME) is None, "missed")
    assert "NOQUORUM" in findings(run_drill(*survivor)[1])["failed", "quorum"]


def test_a_password_is_sent_and_never_shown(run_drill, pair):
    secret = {"requirepass": "open-sesame", "masterauth": "open-sesame"}
    primary, replica = (servers.Server("redis", {**PROMPT, "save": "3600 1000000", **secret}) for _ in range(2))
    with primary.launch(), replica:
        replica.directives["replicaof"] = f"127.0.0.1 {primary.port}"
        replica.launch()
        check = ("check", *by_primary(primary), "--seconds", 1)
        password = {"CLOAKROOM_DRILL_PASSWORD": "open-sesame"}
        wait_until(lambda: run_drill(*check, environment=password)[0] == 0, "linked")
        for words, environment in (((), {}), (("--password", "shut-sesame"), {}), (("--user", "x"), password)):
            status, said = run_drill(*check, *words, environment=environment)
            assert status == 2 and "sesame" not in said, said
            assert "NOAUTH" in said or "WRONGPASS" in said


def test_servers_and_sentinels_with_passwords_of_their_own(run_drill, rehearse, sentinels):
    secret = {"requirepass": "open-sesame", "masterauth": "open-sesame"}
    primary, replica = (servers.Server("cloakroom", {**PROMPT, "save": "3600 1000000", **secret})
                        for _ in range(2))
    with primary.launch(), replica:
        replica.directives["replicaof"] = f"127.0.0.1 {primary.port}"
        replica.launch()
        sentinels.start(primary, [replica], server_password="open-sesame", password="keep-watch")
        both = {"CLOAKROOM_DRILL_PASSWORD": "open-sesame",
                "CLOAKROOM_DRILL_SENTINEL_PASSWORD": "keep-watch"}
        check = ("check", *by_sentinels(sentinels), "--seconds", 1, "--json")
        for name in both:
            status, said = run_drill(*check, environment={k: v for k, v in both.items() if k != name})
            assert status in (2, 3) and "NOAUTH" in said, said
        assert run_drill(*check, environment=both)[0] == 0
        report = rehearse(by_sentinels(sentinels), NAME, "--how", "graceful", environment=both)
        assert_nothing_lost(report, ("plain", "WAIT 1"))
        assert report["next_primary"] == at(replica)


# ---- run: what it refuses -------------------------------------------------------------------------


def test_it_does_nothing_unless_it_is_meant(run_drill, pair):
    primary, replica = pair("redis")
    where = ("run", *by_primary(primary), "--how", "kill", "--heal-command", "false")
    for words in ((), ("--i-mean", at(replica))):
        status, said = run_drill(*where, *words)
        assert status == 2 and "nothing was done" in said, said
        assert f"--i-mean {at(primary)}" in said and "the primary ends" in said
    assert is_primary(primary) and has_no_key(primary)


def test_it_does_nothing_while_others_are_connected(run_drill, pair, primary_kind):
    primary, replica = pair(primary_kind)
    meant = ("run", *by_primary(primary), "--how", "graceful", "--i-mean", at(primary))
    for server in (primary, replica):
        with server.connect() as other:
            other.ok("CLIENT", "SETNAME", "shop")
            status, said = run_drill(*meant)
            assert status == 2 and "other clients are connected" in said and "'shop'" in said, said
    assert is_primary(primary) and has_no_key(primary)


def test_live_demands_that_check_finds_nothing(run_drill, pair):
    primary, replica = pair("redis")
    with replica.connect() as connection:
        connection.ok("CONFIG", "SET", "replica-priority", 0)
    status, said = run_drill("run", *by_primary(primary), "--how", "graceful", "--live", "--i-mean", at(primary))
    assert status == 2 and "--live demands" in said and "priority" in said, said
    assert is_primary(primary)


def test_a_freeze_needs_debug(run_drill, pair):
    primary, _ = pair("redis", {"enable-debug-command": "no"})
    status, said = run_drill("run", *by_primary(primary), "--how", "freeze", "--i-mean", at(primary))
    assert status == 2 and "enable-debug-command" in said, said


# ---- run: what it does ----------------------------------------------------------------------------


def test_graceful_by_failover_and_back(rehearse, pair, primary_kind):
    primary, replica = pair(primary_kind, {"appendonly": "yes"})
    report = rehearse(by_primary(primary), at(primary), "--how", "graceful", "--back")
    assert_nothing_lost(report, report["writes"] if primary_kind == "cloakroom" else ("plain", "WAIT 1"))
    assert report["next_primary"] == at(replica)
    assert is_primary(primary) and not is_primary(replica)
    assert has_no_key(primary)
    assert {sample["role"] for sample in report["samples"]} >= {"primary", "replica"}


def test_graceful_with_sentinels(rehearse, pair, sentinels, primary_kind):
    primary, replica = pair(primary_kind)
    sentinels.start(primary, [replica])
    report = rehearse(by_sentinels(sentinels), NAME, "--how", "graceful")
    assert_nothing_lost(report, ("plain", "WAIT 1"))
    assert report["next_primary"] == at(replica)
    assert any(event["text"].startswith("+switch-master") for event in report["events"])
    assert is_primary(replica) and not is_primary(primary) and has_no_key(replica)
    with primary.connect() as connection:  # no pause is left
        assert b"READONLY" in connection.call("SET", "k", "v")


def test_sentinel_failover_as_it_is(rehearse, pair, sentinels):
    primary, replica = pair("redis")
    sentinels.start(primary, [replica])
    report = rehearse(by_sentinels(sentinels), NAME, "--how", "sentinel")
    assert_nothing_lost(report)
    assert is_primary(replica) and has_no_key(replica)


def test_kill_with_sentinels(rehearse, pair, sentinels, primary_kind):
    primary, replica = pair(primary_kind)
    sentinels.start(primary, [replica])
    report = rehearse(by_sentinels(sentinels), NAME, "--how", "kill")
    assert_nothing_lost(report)
    assert not primary.is_running()
    assert report["next_primary"] == at(replica) and has_no_key(replica)
    assert 0.5 < report["outage"]["p50_s"] <= report["outage"]["max_s"] < TIMEOUT_S
    assert sum(code["count"] for code in report["errors"].values()) > 0
    assert any(event["text"].startswith("+odown") for event in report["events"])


def test_freeze_without_sentinels(rehearse, pair):
    primary, _ = pair("cloakroom")
    report = rehearse(by_primary(primary), at(primary), "--how", "freeze", "--hold", 2,
                      "--timeout-ms", 500)
    assert_nothing_lost(report, ("plain", "WAIT 1"))
    assert report["outage"]["p50_s"] > 1
    assert "time-out" in report["errors"]
    assert is_primary(primary) and has_no_key(primary)


def test_a_cut_is_healed_after_an_interrupt(drill, pair, tmp_path):
    primary, _ = pair("redis")
    healed = tmp_path / "healed"
    process = drill("run", *by_primary(primary), "--i-mean", at(primary), *FEW, "--how", "cut",
                    "--cut-command", f"kill -STOP {primary.pid}", "--hold", 60, "--timeout-ms", 200,
                    "--heal-command", f"kill -CONT {primary.pid}; echo $DRILL_PORT > {healed}",
                    "--report", tmp_path / "report")
    try:
        while " s  the cut-command runs" not in process.stdout.readline():
            assert process.poll() is None, process.stderr.read()
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=TIMEOUT_S)
    finally:
        process.kill()
        os.kill(primary.pid, signal.SIGCONT)
    assert process.returncode == 130, said
    assert "runs the heal-command" in said and f"{at(primary)} is a primary" in said
    assert healed.read_text() == f"{primary.port}\n"
    assert is_primary(primary) and has_no_key(primary)
