"""The server as a process: addresses, sockets, passwords, configuration lines, event loops."""

import os
import re
import resource
import socket
import stat
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from support import resp, servers


def _other_addresses():
    """Addresses of this host other than loopback."""
    done = subprocess.run(["ip", "-o", "-4", "addr", "show", "scope", "global"], capture_output=True,
                          text=True, check=False)
    return [line.split()[3].split("/")[0] for line in done.stdout.splitlines()]


def _wait_until_refused(host, port):
    deadline = time.monotonic() + 10
    while True:
        try:
            resp.Connection(port, host=host).close()
        except ConnectionRefusedError:
            return
        assert time.monotonic() < deadline, f"{host}:{port} still answers"
        time.sleep(0.02)


@pytest.fixture
def outside_address():
    addresses = _other_addresses()
    if not addresses:
        pytest.skip("this host has only its loopback address")
    return addresses[0]


def test_protected_mode_turns_strangers_away(start_server, outside_address):
    server = start_server({"bind": "*", "protected-mode": "yes"})
    with resp.Connection(server.port, host=outside_address) as stranger:
        reply = stranger.read()
        assert isinstance(reply, resp.Error)
        assert reply.startswith(b"DENIED Redis is running in protected mode because protected mode is "
                                b"enabled and no password is set for the default user.")
        assert stranger.is_closed()
    with server.connect() as local:
        assert local.call("PING") == b"PONG"


def test_password_or_setting_ends_protected_mode(start_server, outside_address):
    for directives in ({"requirepass": "cloak"}, {"protected-mode": "no"}):
        server = start_server({"bind": "*", **directives})
        with resp.Connection(server.port, host=outside_address) as stranger:
            assert not stranger.call("PING").startswith(b"DENIED")


def test_several_addresses_and_no_other(start_server, outside_address):
    server = start_server({"bind": "127.0.0.1 127.0.0.3 ::1"})
    for host in ("127.0.0.1", "127.0.0.3", "::1"):
        with resp.Connection(server.port, host=host) as connection:
            assert connection.call("PING") == b"PONG"
    for host in ("127.0.0.2", outside_address):
        with pytest.raises(ConnectionRefusedError):
            resp.Connection(server.port, host=host)


def test_optional_address_may_be_missing(start_server):
    server = start_server({"bind": "127.0.0.1 -203.0.113.77"})
    with server.connect() as connection:
        assert connection.call("PING") == b"PONG"


def test_addresses_and_port_change_while_it_serves(start_server):
    server = start_server({"bind": "127.0.0.1"})
    old, new = server.port, servers.free_port()
    with server.connect() as admin:
        assert admin.call("CONFIG", "SET", "bind", "127.0.0.1 127.0.0.3") == b"OK"
        with resp.Connection(old, host="127.0.0.3") as connection:
            assert connection.call("PING") == b"PONG"
        assert admin.call("CONFIG", "SET", "port", str(new), "bind", "127.0.0.3") == b"OK"
        with resp.Connection(new, host="127.0.0.3") as connection:
            assert connection.call("PING") == b"PONG"
        for host, port in (("127.0.0.1", old), ("127.0.0.3", old), ("127.0.0.1", new)):
            _wait_until_refused(host, port)
        assert admin.call("PING") == b"PONG"


def test_address_that_cannot_be_had_changes_nothing(start_server):
    server, other = start_server(), start_server()
    with server.connect() as admin:
        error = admin.call("CONFIG", "SET", "bind", "203.0.113.77")
        assert error == (b"ERR CONFIG SET failed (possibly related to argument 'bind') - "
                         b"Failed to bind to specified addresses.")
        error = admin.call("CONFIG", "SET", "port", str(other.port))
        assert error == (b"ERR CONFIG SET failed (possibly related to argument 'port') - "
                         b"Unable to listen on this port. Check server logs.")
        assert admin.call("CONFIG", "GET", "port") == [b"port", str(server.port).encode()]
    with server.connect() as connection:
        assert connection.call("PING") == b"PONG"


def test_more_clients_than_open_files_are_refused(start_server):
    server = start_server()
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (2000, 2000))
    with server.connect() as admin:
        error = admin.call("CONFIG", "SET", "maxclients", "1000000000")
        assert error.startswith(b"ERR CONFIG SET failed (possibly related to argument 'maxclients') - "
                                b"The operating system is not able to handle the specified number of "
                                b"clients, try with ")
        assert admin.call("CONFIG", "GET", "maxclients") == [b"maxclients", b"10000"]


def test_unix_socket_has_its_permissions(start_server, tmp_path):
    path = tmp_path / "cloakroom.sock"
    server = start_server({"unixsocket": path, "unixsocketperm": "770"})
    mode = path.stat().st_mode
    assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o770
    with resp.Connection(server.port, path=str(path)) as connection:
        assert connection.call("SET", "key", "1") == b"OK"
        assert b"addr=" + str(path).encode() + b":0" in connection.call("CLIENT", "INFO")
    assert server.terminate() == 0
    assert not path.exists()


def test_monitor_names_the_unix_socket(start_server, tmp_path):
    path = str(tmp_path / "named.sock")
    server = start_server({"unixsocket": path})
    with server.connect() as monitor, socket.socket(socket.AF_UNIX) as client:
        monitor.call("MONITOR")
        client.connect(path)
        client.sendall(b"PING\r\nEVAL 'return 1' 0\r\n")
        for command in ("PING", "EVAL"):
            assert f' [0 unix:{path}] "{command}"'.encode() in monitor.read()


def test_unix_socket_alone_is_enough(server_kind, tmp_path):
    path = tmp_path / "only.sock"
    process = _run(server_kind, tmp_path, "--port", "0", "--unixsocket", path)
    try:
        deadline = time.monotonic() + 10
        while not path.exists():
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.02)
        with resp.Connection(0, path=str(path)) as connection:
            assert connection.call("PING") == b"PONG"
    finally:
        process.terminate()
        assert process.wait(timeout=10) == 0


def _run(kind, folder, *arguments):
    """Starts the program itself, without waiting for it."""
    return subprocess.Popen([servers.binary(kind), *map(str, arguments)], cwd=folder,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_options_of_the_command_line_override_the_file(server_kind, tmp_path):
    port = servers.free_port()
    (tmp_path / "a.conf").write_text('port 1\nmaxmemory 1mb\nsave ""\n')
    process = _run(server_kind, tmp_path, "a.conf", "--port", port, "--maxmemory", "5mb", "--save", "")
    try:
        deadline = time.monotonic() + 10
        while True:
            try:
                connection = resp.Connection(port)
                break
            except OSError:
                assert process.poll() is None and time.monotonic() < deadline
                time.sleep(0.02)
        with connection:
            assert connection.call("CONFIG", "GET", "maxmemory") == [b"maxmemory", b"5242880"]
            assert connection.call("CONFIG", "GET", "save") == [b"save", b""]
    finally:
        process.terminate()
        assert process.wait(timeout=10) == 0


@pytest.mark.parametrize("line, reason", [
    ("nosuchdirective 1", "Bad directive or wrong number of arguments"),
    ("maxmemory", "wrong number of arguments"),
    ("port 123456", "argument must be between 0 and 65535 inclusive"),
    ("appendonly maybe", "argument must be 'yes' or 'no'"),
    ("maxmemory-policy sometimes", "argument(s) must be one of the following"),
    ("maxmemory lots", "argument must be a memory value"),
    ('save "unbalanced', "Unbalanced quotes in configuration line"),
], ids=lambda text: text.split()[0].strip('"'))
def test_bad_configuration_line_is_named(server_kind, tmp_path, line, reason):
    (tmp_path / "bad.conf").write_text(f"port {servers.free_port()}\n{line}\n")
    process = _run(server_kind, tmp_path, "bad.conf")
    output, _ = process.communicate(timeout=10)
    assert process.returncode == 1
    assert "FATAL CONFIG FILE ERROR" in output
    assert re.search(r"Reading the configuration file.*, at line 2\n", output)
    assert f">>> '{line}'" in output
    assert reason in output


def test_missing_configuration_file_is_fatal(server_kind, tmp_path):
    process = _run(server_kind, tmp_path, "nosuch.conf")
    output, _ = process.communicate(timeout=10)
    assert process.returncode == 1
    assert "Fatal error, can't open config file" in output and "nosuch.conf" in output


def test_port_in_use_is_fatal(server_kind, start_server, tmp_path):
    taken = start_server()
    process = _run(server_kind, tmp_path, "--port", taken.port, "--bind", "127.0.0.1", "--save", "")
    output, _ = process.communicate(timeout=10)
    assert process.returncode == 1
    assert "Address already in use" in output


def test_version_and_help_end_with_zero(server_kind, tmp_path):
    for option in ("--version", "--help"):
        process = _run(server_kind, tmp_path, option)
        output, _ = process.communicate(timeout=10)
        assert process.returncode == (0 if option == "--version" or server_kind == "cloakroom" else 1)
        assert output.strip()


def test_requirepass_from_the_first_to_the_last_step(start_server):
    server = start_server({"requirepass": "cloak"})
    with server.connect() as connection:
        assert connection.call("GET", "key") == resp.Error(b"NOAUTH Authentication required.")
        assert connection.call("AUTH", "wrong") == resp.Error(
            b"WRONGPASS invalid username-password pair or user is disabled.")
        assert connection.call("AUTH", "default", "cloak") == b"OK"
        assert connection.call("SET", "key", "1") == b"OK"
        assert connection.call("CONFIG", "SET", "requirepass", "room") == b"OK"
        assert connection.call("GET", "key") == b"1"
    with server.connect() as connection:
        assert connection.call("AUTH", "cloak").startswith(b"WRONGPASS ")
        reply = connection.call("HELLO", "3", "AUTH", "default", "room", "SETNAME", "shop")
        assert isinstance(reply, resp.Map)
        assert connection.call("CLIENT", "GETNAME") == b"shop"
        assert connection.call("CONFIG", "SET", "requirepass", "") == b"OK"
    with server.connect() as connection:
        assert connection.call("GET", "key") == b"1"


def test_hello_without_a_password_says_how(start_server):
    server = start_server({"requirepass": "cloak"})
    with server.connect() as connection:
        reply = connection.call("HELLO", "3")
        assert isinstance(reply, resp.Error) and reply.startswith(b"NOAUTH HELLO must be called with")
        assert connection.call("QUIT") == b"OK"
        assert connection.is_closed()


def test_auth_where_no_password_is_set(connection):
    assert connection.call("AUTH", "x") == resp.Error(
        b"ERR AUTH <password> called without any password configured for the default user. Are you "
        b"sure your configuration is correct?")


def test_a_storm_of_short_connections(start_server):
    server = start_server({"requirepass": "cloak"})
    page = (resp.encode(("AUTH", "cloak")) + resp.encode(("SELECT", "2"))
            + resp.encode(("INCR", "pages")))
    for _ in range(2000):
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as visitor:
            visitor.sendall(page)
            reply = b""
            while reply.count(b"\r\n") < 3:
                reply += visitor.recv(100)
            assert reply.startswith(b"+OK\r\n+OK\r\n:")
    with server.connect() as connection:
        connection.ok("AUTH", "cloak")
        connection.ok("SELECT", "2")
        assert connection.call("GET", "pages") == b"2000"


def test_pid_file_is_written_and_removed(start_server, tmp_path):
    path = tmp_path / "server.pid"
    server = start_server({"pidfile": path})
    assert path.read_text().strip() == str(server.pid)
    assert server.terminate() == 0
    assert not os.path.exists(path)


def _listening_sockets():
    """The inodes of all listening sockets."""
    inodes = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A":
                inodes.add(fields[9])
    for line in Path("/proc/net/unix").read_text().splitlines()[1:]:
        fields = line.split()
        if int(fields[3], 16) & 0x10000:
            inodes.add(fields[6])
    return {f"socket:[{inode}]" for inode in inodes}


def _clients_per_loop(server):
    """How many client sockets each event loop watches. Its epoll set is one that has a listening socket."""
    folder = Path(f"/proc/{server.pid}")
    opened = {}
    for entry in (folder / "fd").iterdir():
        try:
            opened[entry.name] = os.readlink(entry)
        except FileNotFoundError:
            pass
    counts = []
    listening = _listening_sockets()
    for number, target in opened.items():
        if target != "anon_inode:[eventpoll]":
            continue
        watched = re.findall(r"^tfd:\s+(\d+)", (folder / "fdinfo" / number).read_text(), re.MULTILINE)
        sockets = [opened[one] for one in watched if opened.get(one, "").startswith("socket:")]
        clients = [one for one in sockets if one not in listening]
        if len(clients) < len(sockets):
            counts.append(len(clients))
    return counts


def _wait_for_loops(server, counts):
    deadline = time.monotonic() + 10
    while sorted(_clients_per_loop(server)) != sorted(counts):
        assert time.monotonic() < deadline, _clients_per_loop(server)
        time.sleep(0.02)


@pytest.mark.parametrize("kind", ["IPv4", "IPv6", "unix", "rush"])
def test_as_many_connections_as_event_loops_means_one_for_each(start_server, tmp_path, kind):
    loops = 8
    path = str(tmp_path / "loops.sock")
    server = start_server({"io-threads": str(loops), "bind": "127.0.0.1 ::1", "unixsocket": path})
    if server.kind != "cloakroom":
        pytest.skip("redis-server has one event loop")
    _wait_for_loops(server, [0] * loops)
    connect = {"IPv6": lambda: resp.Connection(server.port, host="::1"),
               "unix": lambda: resp.Connection(0, path=path)}.get(kind, server.connect)
    if kind == "rush":
        with ThreadPoolExecutor(loops) as pool:
            clients = list(pool.map(lambda _: connect(), range(loops)))
    else:
        clients = [connect() for _ in range(loops)]
    for client in clients:
        assert client.call("PING") == b"PONG"
    assert _clients_per_loop(server) == [1] * loops
    # The next client goes to the loop that one has left.
    clients.pop(3).close()
    _wait_for_loops(server, [0] + [1] * (loops - 1))
    clients.append(connect())
    assert clients[-1].call("PING") == b"PONG"
    assert _clients_per_loop(server) == [1] * loops
    for client in clients:
        client.close()


def test_clients_up_to_the_limit_leave_descriptors_for_saving(server_kind, start_server, tmp_path,
                                                              monkeypatch):
    files = 400
    wrapper = tmp_path / "limited.sh"
    # Root may raise any limit, unless it drops that capability.
    drop = "setpriv --bounding-set -sys_resource" if os.getuid() == 0 else ""
    wrapper.write_text(f'#!/bin/sh\nulimit -n {files}\nexec {drop} {servers.binary(server_kind)} "$@"\n')
    wrapper.chmod(0o755)
    monkeypatch.setenv("CLOAKROOM_SERVER" if server_kind == "cloakroom" else "REDIS_SERVER", str(wrapper))
    server = start_server({"io-threads": "16", "appendonly": "yes", "bind": "127.0.0.1 ::1"})
    assert "maxclients has been reduced to" in server.log()
    assert f"Current maximum open files is {files}." in server.log()
    with server.connect() as admin:
        most = int(admin.call("CONFIG", "GET", "maxclients")[1])
        assert files / 3 < most < files
        others = [server.connect() for _ in range(most - 1)]
        assert all(one.call("PING") == b"PONG" for one in others)
        with server.connect() as refused:
            assert refused.read() == resp.Error(b"ERR max number of clients reached")
        for n in range(100):
            admin.ok("SET", f"key{n}", "x" * 1000)
        assert admin.call("SAVE") == b"OK"
        admin.call("BGREWRITEAOF")
        deadline = time.monotonic() + 10
        while b"aof_rewrite_in_progress:1" in admin.call("INFO", "persistence"):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert b"aof_last_bgrewrite_status:ok" in admin.call("INFO", "persistence")
        assert len(os.listdir(f"/proc/{server.pid}/fd")) <= files - 16
        for one in others:
            one.close()


@pytest.fixture
def one_core():
    """Confines the processes that are started meanwhile to a single core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    yield
    os.sched_setaffinity(0, before)


def test_event_loops_are_as_many_as_the_cores_it_may_use(one_core, start_server):
    server = start_server()
    if server.kind != "cloakroom":
        pytest.skip("redis-server has one in any case")
    with server.connect() as connection:
        assert connection.ok("CONFIG", "GET", "io-threads") == [b"io-threads", b"1"]


@pytest.mark.parametrize("disabled, allowed", (("yes", "0"), ("no", "1")))
def test_huge_pages_after_the_load_are_as_configured(start_server, disabled, allowed):
    server = start_server({"disable-thp": disabled})
    with open(f"/proc/{server.pid}/status", encoding="ascii") as status:
        found = re.search(r"^THP_enabled:\s+(\d)", status.read(), re.MULTILINE)
    if not found:
        pytest.skip("this kernel does not tell")
    assert found[1] == allowed
