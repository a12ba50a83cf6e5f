"""What tests of persistence ask a server, and wait for."""

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
    """How the snapshot in the background has ended."""
    wait_until(lambda: info(connection)["rdb_bgsave_in_progress"] == "0", "saved")
    return info(connection)["rdb_last_bgsave_status"]


def wait_for_rewrite(connection):
    """How the rewrite of the log has ended."""
    busy = ("aof_rewrite_in_progress", "aof_rewrite_scheduled")
    wait_until(lambda: [info(connection)[name] for name in busy] == ["0", "0"], "rewritten")
    return info(connection)["aof_last_bgrewrite_status"]


def wait_until_written(connection):
    """What waits in the server's own memory, some milliseconds' worth, does not survive kill -9."""
    wait_until(lambda: info(connection)["aof_buffer_length"] == "0", "written")


def crash(server):
    """kill -9 and a restart."""
    server.kill()
    server.launch()


def dump(server):
    return server.directory / "dump.rdb"
