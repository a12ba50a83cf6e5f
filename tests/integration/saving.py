"""Requests and waits that the tests of persistence share."""

import re
import time

PATIENCE_S = 20


def info(connection):
    text = connection.ok("INFO", "persistence").decode()
    return dict(re.findall(r"^(\w+):(.*?)\r?$", text, re.MULTILINE))


def wait_until(holds, what):
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, f"not {what} in time"
        time.sleep(0.01)


def wait_for_save(connection):
    """Waits for the BGSAVE in progress; returns its status."""
    wait_until(lambda: info(connection)["rdb_bgsave_in_progress"] == "0", "saved")
    return info(connection)["rdb_last_bgsave_status"]


def wait_for_rewrite(connection):
    """Waits for the rewrite of the log; returns its status."""
    busy = ("aof_rewrite_in_progress", "aof_rewrite_scheduled")
    wait_until(lambda: [info(connection)[name] for name in busy] == ["0", "0"], "rewritten")
    return info(connection)["aof_last_bgrewrite_status"]


def wait_until_written(connection):
    """Waits for the log's last bytes: the server keeps them for some milliseconds, and kill -9 loses them."""
    wait_until(lambda: info(connection)["aof_buffer_length"] == "0", "written")


def crash(server):
    """Kills the server with kill -9, and restarts it."""
    server.kill()
    server.launch()


def dump(server):
    return server.directory / "dump.rdb"
