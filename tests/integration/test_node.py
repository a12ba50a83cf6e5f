"""ioredis, node-redis and BullMQ, in the versions that node/package.json names."""

import os
import shutil
from pathlib import Path

import pytest

from programs import run

NODE = Path(__file__).parent / "node"
CACHE = Path(os.environ.get("CLOAKROOM_NODE_CACHE", "~/.cache/cloakroom-node")).expanduser()


@pytest.fixture(scope="session")
def node_modules(program):
    """The folder with the packages, installed once and again when package.json changes."""
    npm = program("npm")
    wanted = (NODE / "package.json").read_bytes()
    installed = CACHE / "package.json"
    complete = CACHE / "complete"
    if not complete.is_file() or installed.read_bytes() != wanted:
        CACHE.mkdir(parents=True, exist_ok=True)
        complete.unlink(missing_ok=True)
        shutil.copyfile(NODE / "package.json", installed)
        try:
            run([npm, "install", "--prefix", CACHE, "--no-audit", "--no-fund", "--ignore-scripts"])
        except AssertionError as error:
            pytest.skip(f"npm cannot install the clients: {error}")
        complete.touch()
    return CACHE


@pytest.fixture
def node(server, program, environment, node_modules):
    """Runs one of our Node programs, which prints "ok" when everything held."""
    def script(name, *arguments):
        done = run([program("node"), NODE / name, server.port, *arguments], timeout_s=60,
                   environment={**environment, "CLOAKROOM_NODE_MODULES": str(node_modules)})
        assert done.stdout == b"ok\n"
    return script


@pytest.mark.parametrize("library", ["ioredis", "redis-4"])
def test_node_client(node, library):
    node("clients.mjs", library)


@pytest.mark.parametrize("library", ["ioredis", "redis"])
def test_node_client_uses_every_type(node, library):
    node("types.mjs", library)


@pytest.mark.parametrize("scenario", ["jobs", "retry", "delay", "limit", "priority", "flow", "stalled"])
def test_bullmq_runs_its_queues(node, scenario):
    node("bullmq.mjs", scenario)
