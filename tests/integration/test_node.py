"""ioredis and node-redis, in the versions that node/package.json names."""

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


@pytest.mark.parametrize("library", ["ioredis", "redis"])
def test_node_client(server, program, environment, node_modules, library):
    done = run([program("node"), NODE / "clients.mjs", server.port, library], timeout_s=30,
               environment={**environment, "CLOAKROOM_NODE_MODULES": str(node_modules)})
    assert done.stdout == b"ok\n"
