"""An operator's first hour: what the program says about itself before it starts, and when it cannot.

Redis has nothing of this; the tests are skipped on redis-server.
"""

import os
import re
import resource
import select
import socket
import subprocess
import time

import pytest

from support import resp, servers

NOBODY = 65534


@pytest.fixture(autouse=True)
def _cloakroom_only(server_kind):
    if server_kind != "cloakroom":
        pytest.skip("about cloakroom-server's own words")


@pytest.fixture
def start(tmp_path):
    """Runs the program with arguments until it ends: (exit status, output)."""
    def run(*arguments, **options):
        done = subprocess.run([servers.binary("cloakroom"), *map(str, arguments)], cwd=tmp_path,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=20,
                              check=False, **options)
        return done.returncode, done.stdout
    return run


def _lines_with(output, word):
    return [line for line in output.splitlines() if word in line]


# --- Options that print something and do not start the server -------------------------------------


def test_help_lists_options_signals_and_exit_codes(start):
    status, output = start("--help")
    assert status == 0
    for word in ("--check-config", "--print-defaults", "SIGHUP", "Exit status:", "NOTIFY_SOCKET"):
        assert word in output


def test_printed_defaults_are_a_configuration(start, tmp_path):
    status, defaults = start("--print-defaults")
    assert status == 0
    (tmp_path / "defaults.conf").write_text(defaults)
    status, output = start("--check-config", "defaults.conf")
    assert status == 0 and "defaults.conf: no errors found" in output


def test_check_config_starts_nothing(start, start_server, tmp_path):
    running = start_server()
    (tmp_path / "a.conf").write_text(f"port {running.port}\ncluster-enabled no\n")
    status, output = start("--check-config", "a.conf")
    assert status == 0
    assert "Accepted, but without effect in this version: cluster-enabled" in output


def test_check_config_shows_the_warnings_of_a_start(start):
    status, output = start("--check-config", "--protected-mode", "no", "--bind", "0.0.0.0")
    assert status == 0
    assert _lines_with(output, "Warning: There is no password")
    status, output = start("--check-config", "--bind", "127.0.0.1")
    assert status == 0 and not _lines_with(output, "no password")


def test_check_config_names_the_bad_line_and_fails(start, tmp_path):
    (tmp_path / "bad.conf").write_text("port 7000\nmaxmemory lots\n")
    status, output = start("--check-config", "bad.conf")
    assert status == 1
    assert "at line 2" in output and ">>> 'maxmemory lots'" in output


OTHERS_ADDRESS = "203.0.113.77"


@pytest.mark.parametrize("directives", [
    {"logfile": "/nonexistent/a.log"}, {"unixsocket": "/nonexistent/c.sock"}, {"bind": OTHERS_ADDRESS},
    {"port": "0"},
], ids=["logfile", "unixsocket", "bind", "nowhere"])
def test_check_config_finds_what_the_start_finds_in_the_same_words(start, tmp_path, directives):
    directives = {"port": servers.free_port(), **directives}
    (tmp_path / "a.conf").write_text("".join(f"{name} {value}\n" for name, value in directives.items()))
    status, checked = start("--check-config", "a.conf")
    assert status == 1 and "no errors found" not in checked
    line, = checked.splitlines()
    status, started = start("a.conf")
    assert status == 1 and line in started


def test_check_config_of_a_running_servers_socket_finds_nothing(start, start_server, tmp_path):
    path = tmp_path / "c.sock"
    start_server({"unixsocket": path})
    status, output = start("--check-config", "--port", 0, "--unixsocket", path)
    assert status == 0 and "no errors found" in output


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user, which only root may")
def test_check_config_finds_what_this_user_may_not_write(start, tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o755)
    for folder in [tmp_path, *tmp_path.parents]:
        folder.chmod(folder.stat().st_mode | 0o111)
    status, output = start("--check-config", "--logfile", closed / "a.log", "--unixsocket", closed / "c.sock",
                           user=NOBODY)
    assert status == 1
    log, unix_socket = _lines_with(output, "Permission denied")
    assert "Can't open the log file" in log
    assert f"Let the server's user write to {closed}/" in unix_socket


def test_missing_include_names_the_line_that_asks_for_it(start, tmp_path):
    (tmp_path / "a.conf").write_text("port 7000\ninclude /nonexistent.conf\n")
    status, output = start("--check-config", "a.conf")
    assert status == 1
    assert f"{tmp_path / 'a.conf'}, at line 2" in output
    assert "can't open config file '/nonexistent.conf': No such file or directory" in output


# --- A start that fails: one line that says what to do --------------------------------------------


def test_port_in_use_tells_how_to_find_its_server(start, start_server):
    taken = start_server()
    status, output = start("--port", taken.port, "--bind", "127.0.0.1")
    assert status == 1
    line, = _lines_with(output, "Address already in use")
    assert f"'ss -ltnp sport = :{taken.port}'" in line and "set another 'port'" in line


def test_address_of_another_machine_tells_what_to_write(start):
    status, output = start("--port", servers.free_port(), "--bind", OTHERS_ADDRESS)
    assert status == 1
    line, = _lines_with(output, "Cannot assign requested address")
    assert "write a '-' before the address" in line


def test_bad_line_tells_how_to_check(start, tmp_path):
    (tmp_path / "bad.conf").write_text("bogus yes\n")
    status, output = start("bad.conf")
    assert status == 1
    assert f"cloakroom-server --check-config {tmp_path / 'bad.conf'}" in output.strip().splitlines()[-1]


def test_missing_directory_is_a_bad_line(start, tmp_path):
    (tmp_path / "a.conf").write_text("dir /nonexistent\n")
    status, output = start("a.conf")
    assert status == 1
    assert ">>> 'dir /nonexistent'" in output and "No such file or directory" in output


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user, which only root may")
def test_directory_without_rights_tells_whose_it_should_be(start, tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    for folder in [tmp_path, *tmp_path.parents]:
        folder.chmod(folder.stat().st_mode | 0o111)
    status, output = start("--port", servers.free_port(), "--dir", closed, user=NOBODY)
    assert status == 1
    line, = _lines_with(output, "Permission denied")
    assert f"Can't chdir to '{closed}'" in line and "let user nobody enter it" in line
    closed.chmod(0o755)
    status, output = start("--check-config", "--dir", closed, user=NOBODY)
    assert status == 0
    line, = _lines_with(output, "Permission denied")
    assert f"Run 'chown nobody {closed}'" in line


def test_log_file_without_directory_tells_so(start):
    status, output = start("--port", servers.free_port(), "--logfile", "/nonexistent/a.log")
    assert status == 1
    line, = _lines_with(output, "Can't open the log file: No such file or directory")
    assert "Make the directory of '/nonexistent/a.log'" in line


def test_few_file_descriptors_are_said_and_lived_with(start_server, tmp_path):
    def limit():
        resource.setrlimit(resource.RLIMIT_NOFILE, (500, 500))

    port = servers.free_port()
    process = subprocess.Popen([servers.binary("cloakroom"), "--port", str(port), "--bind", "127.0.0.1"],
                               cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               text=True, preexec_fn=limit)
    try:
        _connect(process, port).close()
    finally:
        process.terminate()
        output, _ = process.communicate(timeout=10)
    line, = _lines_with(output, "maxclients has been reduced to")
    assert "Current maximum open files is 500." in line and "LimitNOFILE=" in line
    # Two loops or more, each with its share of descriptors.
    reduced = int(re.search(r"reduced to (\d+) ", line).group(1))
    assert 300 < reduced < 450


def _connect(process, port):
    deadline = time.monotonic() + 10
    while True:
        try:
            return resp.Connection(port)
        except OSError:
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.02)


# --- Unix sockets ---------------------------------------------------------------------------------


def test_stale_unix_socket_is_removed_and_said(start_server, tmp_path):
    path = tmp_path / "c.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    server = start_server({"unixsocket": path})
    with resp.Connection(0, path=str(path)) as connection:
        assert connection.call("PING") == b"PONG"
    assert f"Removing {path}" in server.log()


def test_unix_socket_of_a_living_server_is_left_alone(start, start_server, tmp_path):
    path = tmp_path / "c.sock"
    start_server({"unixsocket": path})
    status, output = start("--port", 0, "--unixsocket", path)
    assert status == 1
    line, = _lines_with(output, "Failed opening Unix socket")
    assert "Another server listens there" in line
    with resp.Connection(0, path=str(path)) as connection:
        assert connection.call("PING") == b"PONG"


def test_file_in_the_unix_sockets_place_is_left_alone(start, tmp_path):
    path = tmp_path / "precious"
    path.write_text("data")
    status, output = start("--port", 0, "--unixsocket", path)
    assert status == 1 and "it is no socket" in output
    assert path.read_text() == "data"


@pytest.mark.parametrize("path, remedy", [
    ("/nonexistent/c.sock", "Make the directory /nonexistent/"),
    ("/tmp/" + "x" * 200, "has at most 107 characters"),
], ids=["missing", "long"])
def test_unix_socket_that_cannot_be_says_why(start, path, remedy):
    status, output = start("--port", 0, "--unixsocket", path)
    assert status == 1
    line, = _lines_with(output, "Failed opening Unix socket")
    assert remedy in line


# --- Messages to systemd --------------------------------------------------------------------------


@pytest.fixture
def supervised(tmp_path, monkeypatch, start_server):
    """Starts a server as systemd does; (server, hear), where hear(word) waits for a message."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind(str(tmp_path / "notify"))

    def hear(word, timeout_s=10.0):
        deadline = time.monotonic() + timeout_s
        while (left := deadline - time.monotonic()) > 0 and select.select([listener], [], [], left)[0]:
            message = listener.recv(4096).decode()
            if word in message:
                return message
        return None

    def begin(directives=None, watchdog_ms=None):
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        if watchdog_ms:
            monkeypatch.setenv("WATCHDOG_USEC", str(watchdog_ms * 1000))
        return start_server(directives), hear

    yield begin
    listener.close()


def test_systemd_hears_ready_status_and_stopping(supervised):
    server, hear = supervised()
    assert hear("READY=1")
    assert "STATUS=Ready: " in hear("STATUS=")
    assert server.terminate() == 0
    assert hear("STOPPING=1")


def test_watchdog_hears_signs_of_life_and_the_status_counts(supervised):
    server, hear = supervised(watchdog_ms=300)
    with server.connect() as connection:
        connection.ok("SET", "key", "1")
        assert hear("WATCHDOG=1") and hear("WATCHDOG=1")
        assert hear(", 1 keys, ")


def test_stuck_event_loop_falls_silent_and_speaks_again(supervised):
    server, hear = supervised({"io-threads": 1, "busy-reply-threshold": 0x7fffffff}, watchdog_ms=150)
    with server.connect() as connection:
        connection.send("EVAL", "local t = redis.call('TIME') local stop = t[1] + 2 "
                                "repeat t = redis.call('TIME') until t[1] + 0 >= stop return 1", "0")
        assert hear("WATCHDOG=1")
        last_heard = time.monotonic()
        while hear("WATCHDOG=1", timeout_s=0.5):
            assert time.monotonic() - last_heard < 5, "a stuck loop is reported as alive"
        assert connection.read() == 1
        assert hear("WATCHDOG=1")
    assert "Event loop 0 has not answered" in server.log()
