"""packaging/magento/failover.md, done as it says: its configurations, its check, a live drill,
and the move of a shop from Redis to Cloakroom and back."""

import re
import subprocess

import pytest

from links import PROMPT, follow, replication
from sentinels import NAME, known, wait_longer
from support import servers

GUIDE = (servers.REPOSITORY / "packaging/magento/failover.md").read_text()
PASSWORD = {"CLOAKROOM_DRILL_PASSWORD": "a-long-random-word"}
HERE = "127.0.0.1"
FEW = ("--clients", 6, "--before", 1, "--after", 1)


def block(title):
    """The indented lines of the guide below `# title`."""
    found, = re.findall(rf"(?m)^    # {re.escape(title)}\n((?:    \S.*\n)+)", GUIDE)
    return [line.strip() for line in found.splitlines()]


def directives(title, primary=None):
    """A block's directives, with addresses of this machine."""
    lines = dict(line.split(" ", 1) for line in block(title))
    lines["bind"] = HERE
    if "replicaof" in lines:
        assert lines["replicaof"] == "10.0.0.1 6379"
        lines["replicaof"] = f"{HERE} {primary.port}"
    return lines


@pytest.fixture
def sentinel_ports(tmp_path):
    """Starts three Sentinels as the guide has them; the addresses that they have here."""
    processes = []

    def start(primary):
        ports = [servers.free_port() for _ in range(3)]
        for port in ports:
            folder = tmp_path / str(port)
            folder.mkdir()
            text = "\n".join(block("/etc/redis/sentinel.conf")) + "\n"
            for theirs, ours in (("bind 10.0.0.1", f"bind {HERE}"), ("port 26379", f"port {port}"),
                                 ("dir /var/lib/redis", f"dir {folder}"),
                                 ("10.0.0.1 6379", f"{HERE} {primary.port}")):
                assert text.count(theirs) == 1, theirs
                text = text.replace(theirs, ours)
            (folder / "sentinel.conf").write_text(text)
            processes.append(subprocess.Popen(
                [servers.binary("redis"), str(folder / "sentinel.conf"), "--sentinel"],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        for port in ports:
            wait_longer(lambda p=port: len(known(p, "SENTINEL", "SENTINELS", "sessions") or []) == 2, "met")
            wait_longer(lambda p=port: len(known(p, "SENTINEL", "REPLICAS", "sessions") or []) == 1, "found")
        return ports

    yield start
    for process in processes:
        process.kill()
        process.wait()


def shown_options():
    """The options of the commands that the guide shows."""
    commands = re.findall(r"(?m)^ +(?:cloakroom-drill|--how)(?:.*\\\n)*.*$", GUIDE)
    without_the_users = re.sub(r"'[^']*'", "", " ".join(commands))
    return sorted(set(re.findall(r"--[a-z-]+", without_the_users)))


def test_the_guide_shows_options_that_there_are(run_drill):
    status, text = run_drill("--help")
    assert status == 0 and len(shown_options()) > 8
    assert [option for option in shown_options() if option not in text] == []


def test_its_steps(run_drill, start_one, sentinel_ports, primary_kind, tmp_path):
    primary = start_one(primary_kind, directives("cache1: /etc/cloakroom/cloakroom.conf"))
    replica = start_one(primary_kind, directives("cache2: /etc/cloakroom/cloakroom.conf", primary))
    where = ("--sentinel", *(f"{HERE}:{port}" for port in sentinel_ports(primary)), "--master", "sessions")

    def is_ok():
        return run_drill("check", *where, "--seconds", 1, environment=PASSWORD)[0] == 0
    wait_longer(is_ok, "ok")

    with primary.connect() as shop:
        shop.ok("AUTH", "a-long-random-word")
        status, said = run_drill("run", *where, "--how", "graceful", "--live", "--i-mean", "sessions",
                                 *FEW, "--report", tmp_path / "drill", environment=PASSWORD)
    assert status == 0, said
    assert f"{HERE}:{replica.port} is a primary" in said
    assert f"{HERE}:{primary.port} is a replica of {HERE}:{replica.port}" in said


def test_a_shop_moves_to_cloakroom_and_back(run_drill, start_one, sentinels, tmp_path):
    for kind in servers.KINDS:
        if not servers.available(kind):
            pytest.skip(f"no program at {servers.binary(kind)}")
    kept = {**PROMPT, "save": "3600 1000000"}
    redis, ours = start_one("redis", kept), start_one("cloakroom", kept)
    with redis.connect() as connection:
        connection.ok("HSET", "sess_1", "data", "a basket", "lock", 0)
    follow(ours, redis)
    sentinels.start(redis, [ours])
    where = ("--sentinel", *(f"{HERE}:{port}" for port in sentinels.ports), "--master", NAME)
    for number, (former, new) in enumerate(((redis, ours), (ours, redis))):
        wait_longer(lambda: run_drill("check", *where, "--seconds", 1)[0] == 0, "ok")
        status, said = run_drill("run", *where, "--how", "graceful", "--live", "--i-mean", NAME, *FEW,
                                 "--report", tmp_path / f"move-{number}")
        assert status == 0, said
        assert replication(new)["role"] == "master"
        assert replication(former)["role"] == "slave"
        with new.connect() as connection:
            assert connection.ok("HGET", "sess_1", "data") == b"a basket"
