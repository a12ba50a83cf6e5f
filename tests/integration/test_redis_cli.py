"""Every mode of redis-cli that operators use works."""

import json
import os
import pty
import re
import signal
import subprocess
import time

import pytest

from programs import run
from support import resp

PIPED_COMMANDS = 1_000_000


@pytest.fixture
def cli(server, program, environment):
    """Runs redis-cli with arguments and returns its standard output as text."""
    def call(*arguments, stdin=None, code=0, timeout_s=60):
        done = run([program("redis-cli"), "-p", server.port, *arguments], stdin=stdin, code=code,
                   environment=environment, timeout_s=timeout_s)
        return done.stdout.decode()
    return call


def _run_for(command, seconds, environment):
    """The terminal output of a mode that never ends, until Ctrl-C."""
    ours, terminal = pty.openpty()
    process = subprocess.Popen([str(part) for part in command], stdout=terminal, stderr=terminal,
                               env=environment)
    os.close(terminal)
    time.sleep(seconds)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    process.wait(timeout=10)
    output = b""
    try:
        while part := os.read(ours, 65536):
            output += part
    except OSError:
        pass  # a terminal gives EIO when its other end is closed
    os.close(ours)
    return output.decode()


def _fill(server, keys):
    with server.connect() as connection:
        connection.pipeline([("SET", f"string:{n}", "v" * (n % 50)) for n in range(keys)])
        connection.ok("HSET", "hash:big", *[part for n in range(300) for part in (f"f{n}", n)])
        connection.ok("SADD", "set:big", *[f"member{n}" for n in range(400)])
        connection.ok("SET", "string:big", "x" * 9000)


def test_scan_lists_every_key_once(server, cli):
    _fill(server, 2000)
    names = cli("--scan").split()
    assert len(names) == len(set(names)) == 2003


def test_scan_keeps_to_its_pattern(server, cli):
    _fill(server, 200)
    assert sorted(cli("--scan", "--pattern", "*:big").split()) == [
        "hash:big", "set:big", "string:big"]


def _fill_every_type(server):
    """A small and a big key of each type, and 100 strings."""
    _fill(server, 100)
    with server.connect() as connection:
        for size, count in (("small", 3), ("big", 700)):
            connection.ok("RPUSH", f"list:{size}", *(f"item{n}" for n in range(count)))
            connection.ok("ZADD", f"zset:{size}", *(word for n in range(count) for word in (n / 4, f"m{n}")))
            connection.pipeline([("XADD", f"stream:{size}", "*", "n", n) for n in range(count)])
        connection.ok("HSET", "hash:small", "f", "v")
        connection.ok("SADD", "set:small", "m")


BIGGEST = (("string", "9000 bytes"), ("list", "700 items"), ("hash", "300 fields"), ("set", "400 members"),
           ("zset", "700 members"), ("stream", "700 entries"))


def test_bigkeys_finds_the_biggest_of_each_type(server, cli):
    _fill_every_type(server)
    output = cli("--bigkeys")
    assert "Sampled 111 keys in the keyspace!" in output
    for kind, size in BIGGEST:
        assert re.search(f"Biggest +{kind} found '\"{kind}:big\"' has {size}", output), output
    for counted in ("2 lists with 703 items", "2 zsets with 703 members", "2 streams with 703 entries"):
        assert counted in output


def test_memkeys_finds_the_heaviest_of_each_type(server, cli):
    _fill_every_type(server)
    output = cli("--memkeys")
    assert "Sampled 111 keys in the keyspace!" in output
    assert "error" not in output.lower()
    for kind, _ in BIGGEST:
        found = re.search(f"Biggest +{kind} found '\"{kind}:big\"' has (\\d+) bytes", output)
        assert found and int(found[1]) > 700, output


def test_memkeys_looks_at_as_many_items_as_it_is_told(server, cli):
    _fill_every_type(server)
    for samples in ("1", "0"):
        output = cli("--memkeys-samples", samples)
        assert re.search("Biggest +zset found '\"zset:big\"'", output), output


def test_hotkeys_work_under_lfu(start_server, program, environment):
    server = start_server({"maxmemory-policy": "allkeys-lfu"})
    _fill_every_type(server)
    reads = {"string:big": ("STRLEN",), "hash:big": ("HLEN",), "set:big": ("SCARD",), "list:big": ("LINDEX", 5),
             "zset:big": ("ZCARD",), "stream:big": ("XLEN",)}
    with server.connect() as connection:
        for key, (name, *words) in reads.items():
            connection.pipeline([(name, key, *words)] * 3000)
    done = run([program("redis-cli"), "-p", server.port, "--hotkeys"], environment=environment)
    output = done.stdout.decode()
    assert "Sampled 111 keys in the keyspace!" in output
    summary = [line for line in output.splitlines() if "keyname:" in line]
    assert {line.split()[-1].strip('"') for line in summary[:len(reads)]} == set(reads), output


def test_hotkeys_without_lfu_say_what_is_missing(server, program, environment):
    _fill(server, 1)
    done = run([program("redis-cli"), "-p", server.port, "--hotkeys"], code=1,
               environment=environment)
    assert b"ERR An LFU maxmemory policy is not selected" in done.stderr


def test_stat_prints_a_line_per_second(server, program, environment):
    output = _run_for([program("redis-cli"), "-p", server.port, "--stat", "-i", "0.2"], 1.0,
                      environment)
    lines = output.splitlines()
    assert "data" in lines[0] and "keys" in lines[1] and "mem" in lines[1]
    assert len(lines) >= 4
    assert lines[2].split()[0] == "0"


def test_latency_samples_pings(server, program, environment):
    output = _run_for([program("redis-cli"), "-p", server.port, "--latency"], 1.0, environment)
    last = output.rsplit("min:", 1)[1]
    low, high, average, samples = re.findall(r"[\d.]+", last)[:4]
    assert int(samples) > 10 and 0 <= float(low) <= float(average) <= float(high)


@pytest.mark.slow
def test_pipe_takes_a_million_commands(server, cli):
    commands = b"".join(resp.encode(("SET", b"piped:%d" % (n % 50_000), b"%d" % n))
                        for n in range(PIPED_COMMANDS))
    output = cli("--pipe", stdin=commands, timeout_s=120)
    assert f"errors: 0, replies: {PIPED_COMMANDS}" in output
    with server.connect() as connection:
        assert connection.call("DBSIZE") == 50_000
        assert connection.call("GET", "piped:49999") == b"%d" % (PIPED_COMMANDS - 1)


def test_pipe_counts_errors(cli):
    commands = b"SET a 1\r\nINCR a\r\nHGET a field\r\nNOSUCH\r\nGET a\r\n"
    output = cli("--pipe", stdin=commands, code=1)
    assert "errors: 2, replies: 5" in output


def test_monitor_shows_what_other_clients_send(server, program, environment):
    process = subprocess.Popen([program("redis-cli"), "-p", str(server.port), "MONITOR"],
                               stdout=subprocess.PIPE, env=environment)
    assert process.stdout.readline() == b"OK\n"
    with server.connect() as connection:
        connection.ok("SELECT", "3")
        connection.ok("SET", "a key", 'quote " and \n line')
        connection.ok("EVAL", "return redis.call('GET', KEYS[1])", "1", "a key")
    lines = [process.stdout.readline().decode() for _ in range(4)]
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=10)
    assert '"SELECT" "3"' in lines[0]
    stamp, database, _ = lines[1].split(" ", 2)
    assert abs(float(stamp) - time.time()) < 60 and database == "[3"
    assert lines[1].rstrip().endswith(r'"SET" "a key" "quote \" and \n line"')
    assert '"EVAL"' in lines[2]
    assert '[3 lua] "GET" "a key"' in lines[3]


def test_raw_replies_are_bare(server, cli):
    with server.connect() as connection:
        connection.ok("SADD", "set", "one")
    assert cli("--raw", "SMEMBERS", "set") == "one\n"
    assert cli("--no-raw", "SMEMBERS", "set") == '1) "one"\n'
    assert cli("--no-raw", "GET", "missing") == "(nil)\n"
    assert cli("--no-raw", "DBSIZE") == "(integer) 1\n"


def test_csv_quotes_its_fields(server, cli):
    with server.connect() as connection:
        connection.ok("HSET", "hash", "a", "1", "b", 'x"y')
    assert cli("--csv", "HMGET", "hash", "a", "b", "c") == '"1","x\\"y",NULL\n'


def test_json_speaks_resp3(server, cli):
    with server.connect() as connection:
        connection.ok("HSET", "hash", "a", "1", "b", "2")
    assert json.loads(cli("-3", "--json", "HGETALL", "hash")) == {"a": "1", "b": "2"}
    assert json.loads(cli("--json", "HMGET", "hash", "a", "none")) == ["1", None]
    assert json.loads(cli("--json", "-2", "HGETALL", "hash")) == ["a", "1", "b", "2"]


def test_resp3_maps_are_shown_as_maps(server, cli):
    with server.connect() as connection:
        connection.ok("HSET", "hash", "a", "1")
    assert cli("-3", "--no-raw", "HGETALL", "hash") == '1# "a" => "1"\n'


def test_x_takes_the_last_argument_from_stdin(server, cli):
    blob = bytes(range(256))
    assert cli("-x", "SET", "blob", stdin=blob) == "OK\n"
    with server.connect() as connection:
        assert connection.call("GET", "blob") == blob


def test_big_x_replaces_a_tag(server, cli):
    assert cli("-X", "tag", "SET", "key", "tag", "EX", "100", stdin=b"value") == "OK\n"
    with server.connect() as connection:
        assert connection.call("GET", "key") == b"value"


@pytest.mark.needs("dump")
def test_dump_and_restore_through_pipes(server, cli, program, environment):
    with server.connect() as connection:
        connection.ok("HSET", "hash", "field", "value")
    dump = run([program("redis-cli"), "-p", server.port, "-D", "", "--raw", "DUMP", "hash"],
               environment=environment).stdout
    assert cli("-X", "dump", "RESTORE", "copy", "0", "dump", stdin=dump) == "OK\n"
    assert cli("HGET", "copy", "field") == "value\n"


def test_eval_runs_a_script_file(server, cli, tmp_path):
    script = tmp_path / "script.lua"
    script.write_text("redis.call('SET', KEYS[1], ARGV[1])\nreturn {KEYS[1], ARGV[1], 3}")
    assert cli("--no-raw", "--eval", script, "key", ",", "value") == (
        '1) "key"\n2) "value"\n3) (integer) 3\n')


def test_commands_from_stdin_run_in_order(cli):
    assert cli(stdin=b"SET n 5\nINCR n\nGET n\n") == "OK\n6\n6\n"


def test_repeat_and_interval(cli):
    assert cli("-r", "3", "INCR", "n").split() == ["1", "2", "3"]


def test_database_by_option_and_by_uri(server, cli, program, environment):
    cli("-n", "5", "SET", "here", "yes")
    done = run([program("redis-cli"), "-u", f"redis://127.0.0.1:{server.port}/5", "GET", "here"],
               environment=environment)
    assert done.stdout == b"yes\n"
    assert cli("GET", "here") == "\n"


def test_errors_set_the_exit_code_with_e(cli):
    cli("-e", "NOSUCH", code=1)
    assert cli("NOSUCH").startswith("ERR unknown command 'NOSUCH'")


def test_password_by_option_and_environment(start_server, program, environment):
    server = start_server({"requirepass": "cloak"})
    cli = [program("redis-cli"), "-p", server.port]
    assert run([*cli, "PING"], environment=environment).stdout.startswith(b"NOAUTH ")
    by_option = run([*cli, "-a", "cloak", "--no-auth-warning", "PING"], environment=environment)
    assert by_option.stdout == b"PONG\n"
    by_environment = run([*cli, "PING"], environment={**environment, "REDISCLI_AUTH": "cloak"})
    assert by_environment.stdout == b"PONG\n"


def test_subscribe_prints_messages(server, program, environment):
    process = subprocess.Popen([program("redis-cli"), "-p", str(server.port), "SUBSCRIBE", "news"],
                               stdout=subprocess.PIPE, env=environment)
    lines = [process.stdout.readline() for _ in range(3)]
    assert lines == [b"subscribe\n", b"news\n", b"1\n"]
    with server.connect() as connection:
        assert connection.call("PUBLISH", "news", "coats are free") == 1
    received = [process.stdout.readline() for _ in range(3)]
    assert received == [b"message\n", b"news\n", b"coats are free\n"]
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=10)


def test_help_table_is_built_from_command_docs(cli):
    assert "set" in cli("COMMAND", "DOCS", "set")
    assert int(cli("COMMAND", "COUNT")) > 100


@pytest.mark.needs("psync")
def test_rdb_mode_downloads_a_snapshot(server, cli, tmp_path):
    _fill(server, 100)
    cli("--rdb", tmp_path / "copy.rdb")
    assert (tmp_path / "copy.rdb").read_bytes().startswith(b"REDIS00")
