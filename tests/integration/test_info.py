"""INFO and its neighbours as clients, redis-cli and the Prometheus exporter read them."""

import re
import subprocess
import time
import urllib.request

import pytest

from support import servers

# Who reads a field: Symfony and Credis (redis_version), Symfony's tag-aware adapter
# (maxmemory_policy), Magento's status page (memory, hits), redis-cli --stat, redis_exporter, Sentinel.
FIELDS = {
    "server": ["redis_version", "redis_mode", "os", "arch_bits", "process_id", "run_id", "tcp_port",
               "uptime_in_seconds", "uptime_in_days", "hz", "executable", "config_file"],
    "clients": ["connected_clients", "maxclients", "blocked_clients", "tracking_clients"],
    "memory": ["used_memory", "used_memory_human", "used_memory_rss", "used_memory_peak",
               "used_memory_dataset", "used_memory_lua", "maxmemory", "maxmemory_human",
               "maxmemory_policy", "mem_fragmentation_ratio", "mem_allocator"],
    "persistence": ["loading", "rdb_changes_since_last_save", "rdb_bgsave_in_progress",
                    "rdb_last_save_time", "rdb_last_bgsave_status", "rdb_last_bgsave_time_sec",
                    "aof_enabled", "aof_rewrite_in_progress", "aof_last_write_status"],
    "stats": ["total_connections_received", "total_commands_processed", "instantaneous_ops_per_sec",
              "total_net_input_bytes", "total_net_output_bytes", "rejected_connections",
              "expired_keys", "evicted_keys", "keyspace_hits", "keyspace_misses",
              "pubsub_channels", "pubsub_patterns", "latest_fork_usec", "total_error_replies"],
    "replication": ["role", "connected_slaves", "master_failover_state", "master_replid",
                    "master_replid2", "master_repl_offset", "second_repl_offset",
                    "repl_backlog_active", "repl_backlog_size"],
    "cpu": ["used_cpu_sys", "used_cpu_user"],
    "cluster": ["cluster_enabled"],
}


def _info(connection, *sections):
    text = connection.call("INFO", *sections).decode()
    return dict(line.split(":", 1) for line in text.split("\r\n") if ":" in line)


@pytest.mark.parametrize("section", sorted(FIELDS))
def test_section_has_the_fields_that_clients_read(connection, section):
    missing = [name for name in FIELDS[section] if name not in _info(connection, section)]
    assert not missing


def test_all_sections_come_without_an_argument(connection):
    text = connection.call("INFO").decode()
    heads = [head.lower() for head in re.findall(r"^# (\w+)\r$", text, re.MULTILINE)]
    assert set(FIELDS) | {"keyspace", "errorstats"} <= set(heads)
    assert text.endswith("\r\n")


def test_version_is_one_that_clients_accept(connection):
    major, minor, patch = map(int, _info(connection)["redis_version"].split("."))
    assert (major, minor, patch) >= (7, 0, 0)


def test_keyspace_counts_keys_and_expires(connection):
    connection.pipeline([("SET", f"key{n}", n) for n in range(5)] + [("EXPIRE", "key1", "100")])
    line = _info(connection, "keyspace")["db0"]
    assert re.match(r"keys=5,expires=1,avg_ttl=\d+", line)


def test_hits_and_misses_are_counted(connection):
    connection.ok("CONFIG", "RESETSTAT")
    connection.pipeline([("SET", "key", "1"), ("GET", "key"), ("GET", "key"), ("GET", "nosuch")])
    stats = _info(connection, "stats")
    assert (stats["keyspace_hits"], stats["keyspace_misses"]) == ("2", "1")


def test_commandstats_and_errorstats_follow_the_traffic(connection):
    connection.ok("CONFIG", "RESETSTAT")
    connection.pipeline([("SET", "key", "text"), ("GET", "key"), ("GET", "key"), ("INCR", "key")])
    stats = _info(connection, "commandstats")
    assert stats["cmdstat_get"].startswith("calls=2,usec=")
    assert "failed_calls=1" in stats["cmdstat_incr"]
    assert _info(connection, "errorstats")["errorstat_ERR"] == "count=1"


def test_used_memory_grows_with_the_data(connection):
    before = int(_info(connection, "memory")["used_memory"])
    for n in range(100):
        connection.ok("SET", f"big{n}", "x" * 50_000)
    grown = int(_info(connection, "memory")["used_memory"]) - before
    assert 5_000_000 <= grown < 7_000_000


def test_config_get_is_a_flat_array(connection):
    assert connection.call("CONFIG", "GET", "maxmemory") == [b"maxmemory", b"0"]


def test_info_is_verbatim_text_for_resp3(connection):
    connection.hello(3)
    reply = connection.call("INFO", "server")
    assert reply.format == b"txt" and b"redis_version:" in reply


def test_several_sections_at_once(connection):
    text = connection.call("INFO", "clients", "memory").decode()
    assert re.findall(r"^# (\w+)\r$", text, re.MULTILINE) == ["Clients", "Memory"]
    assert connection.call("INFO", "nosuchsection") == b""


@pytest.fixture
def metrics(server, program, environment):
    """Reads the exporter's page about the server."""
    port = servers.free_port()
    exporter = subprocess.Popen(
        [program("prometheus-redis-exporter"), "-redis.addr", f"redis://127.0.0.1:{server.port}",
         "-web.listen-address", f"127.0.0.1:{port}", "-check-keys", "sess_*"],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment)

    def read():
        deadline = time.monotonic() + 15
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as page:
                    return page.read().decode()
            except OSError:
                assert time.monotonic() < deadline and exporter.poll() is None
                time.sleep(0.05)

    yield read
    exporter.terminate()
    exporter.communicate(timeout=10)


def test_exporter_reads_the_server_without_an_error(server, connection, metrics):
    connection.ok("HSET", "sess_abc", "data", "x")
    connection.ok("GET", "nosuch")
    text = metrics()
    values = dict(re.findall(r"^(redis_\w+) ([\d.e+-]+)$", text, re.MULTILINE))
    assert values["redis_up"] == "1"
    assert 'redis_exporter_last_scrape_error{err=""} 0' in text
    assert float(values["redis_connected_clients"]) >= 1
    assert float(values["redis_memory_used_bytes"]) > 0
    assert float(values["redis_keyspace_misses_total"]) >= 1
    assert float(values["redis_uptime_in_seconds"]) >= 0
    assert 'redis_db_keys{db="db0"} 1' in text
    assert re.search(r'redis_key_size\{db="db0",key="sess_abc"\} 1', text)
    assert re.search(r'redis_commands_total\{cmd="hset"\} [1-9]', text)
    assert re.search(r'redis_instance_info\{[^}]*redis_version="\d+\.\d+\.\d+"', text)
