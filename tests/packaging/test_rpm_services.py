"""What the .rpm does with services that run, services that are enabled, and others."""

import pytest

from roots import rpm

MAIN = "cloakroom-server.service"
CACHE = "cloakroom-server@cache.service"
PAGES = "cloakroom-server@pages.service"


@pytest.fixture(autouse=True)
def _installed(root, systemd, packages):
    """Each test begins with a fresh install, the server enabled and running."""
    rpm(root, "-i", "--nodeps", packages.rpm)
    systemd.call("enable", MAIN)
    systemd.call("start", MAIN)
    yield
    rpm(root, "-e", "--allmatches", "--noscripts", "cloakroom", check=False)
    systemd.call("stop", "cloakroom-*")
    systemd.call("disable", MAIN, CACHE, PAGES)


def test_upgrade_restarts_what_runs_and_leaves_the_rest(root, systemd, packages):
    systemd.call("enable", PAGES)
    systemd.call("start", CACHE)
    rpm(root, "-U", "--nodeps", packages.next_rpm)
    assert systemd.starts() == {MAIN: 2, CACHE: 2}
    assert systemd.enabled() == {MAIN, PAGES}


def test_upgrade_leaves_stopped_what_is_stopped(root, systemd, packages):
    systemd.call("stop", MAIN)
    rpm(root, "-U", "--nodeps", packages.next_rpm)
    assert systemd.starts() == {} and systemd.enabled() == {MAIN}


def test_erase_stops_and_disables_all_servers(root, systemd):
    systemd.call("enable", CACHE)
    systemd.call("start", CACHE, PAGES)
    rpm(root, "-e", "cloakroom")
    assert systemd.starts() == {}
    assert systemd.enabled() == set()


def test_erase_without_systemd_disables_all_servers(root, systemd):
    systemd.call("enable", CACHE)
    (root / "/run/systemd/system").rename(root / "/run/systemd/away")
    rpm(root, "-e", "cloakroom")
    (root / "/run/systemd/away").rename(root / "/run/systemd/system")
    assert systemd.enabled() == set()
