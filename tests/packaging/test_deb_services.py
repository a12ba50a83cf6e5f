"""What the .deb does with services that run, services that are enabled, and others."""

import pytest

MAIN = "cloakroom-server.service"
CACHE = "cloakroom-server@cache.service"
PAGES = "cloakroom-server@pages.service"


@pytest.fixture(autouse=True)
def _installed(root, systemd, packages):
    """Each test begins with a fresh install."""
    root.run("dpkg", "--purge", "cloakroom")
    root.dpkg("-i", packages.deb)
    yield
    systemd.call("stop", "cloakroom-*")


@pytest.fixture(params=["upgrade", "downgrade", "reinstall"])
def change(request, root, packages):
    """Installs a release over another that is installed."""
    if request.param == "downgrade":
        root.dpkg("-i", packages.next_deb)
    package = packages.next_deb if request.param == "upgrade" else packages.deb
    return lambda: root.dpkg("-i", package)


def test_first_install_starts_and_enables_the_server(systemd):
    assert systemd.starts() == {MAIN: 1}
    assert systemd.enabled() == {MAIN}


def test_another_release_restarts_what_runs(systemd, change):
    systemd.call("start", CACHE)
    before = systemd.starts()
    change()
    assert systemd.starts() == {unit: count + 1 for unit, count in before.items()}
    assert set(before) == {MAIN, CACHE}


def test_another_release_leaves_stopped_what_is_stopped(systemd, change):
    systemd.call("enable", CACHE)
    systemd.call("stop", MAIN)
    change()
    assert systemd.starts() == {}
    assert systemd.enabled() == {MAIN, CACHE}


def test_another_release_leaves_disabled_what_is_disabled(systemd, change):
    systemd.call("disable", "--now", MAIN)
    change()
    assert systemd.starts() == {} and systemd.enabled() == set()


def test_removal_stops_all_servers_and_masks_them(root, systemd):
    systemd.call("enable", CACHE)
    systemd.call("start", CACHE, PAGES)
    root.run("dpkg", "--remove", "cloakroom")
    assert systemd.starts() == {}
    assert systemd.state(MAIN) == systemd.state(CACHE) == "masked"


def test_install_after_removal_starts_what_was_enabled(root, systemd, packages):
    systemd.call("enable", CACHE)
    systemd.call("start", CACHE, PAGES)
    root.run("dpkg", "--remove", "cloakroom")
    root.dpkg("-i", packages.deb)
    assert systemd.starts() == {MAIN: 1, CACHE: 1}
    assert systemd.enabled() == {MAIN, CACHE}
    # The next upgrade counts as an upgrade again.
    systemd.call("stop", MAIN)
    root.dpkg("-i", packages.next_deb)
    assert set(systemd.starts()) == {CACHE}


def test_install_after_removal_leaves_alone_what_was_disabled(root, systemd, packages):
    systemd.call("disable", "--now", MAIN)
    root.run("dpkg", "--remove", "cloakroom")
    root.dpkg("-i", packages.deb)
    assert systemd.starts() == {} and systemd.enabled() == set()
    assert systemd.state(MAIN) == "disabled"


def test_purge_leaves_no_link(root, systemd):
    systemd.call("enable", CACHE)
    systemd.call("start", CACHE)
    root.run("dpkg", "--purge", "cloakroom")
    assert systemd.starts() == {}
    assert root.run("find", "/etc/systemd", "/run", "-name", "cloakroom*") == ""
    assert root.run("find", "/var/lib/systemd", "-name", "cloakroom*", "-type", "f") == ""


def test_purge_after_removal_leaves_no_link(root, systemd):
    systemd.call("enable", CACHE)
    root.run("dpkg", "--remove", "cloakroom")
    root.run("dpkg", "--purge", "cloakroom")
    assert root.run("find", "/etc/systemd", "/run", "-name", "cloakroom*") == ""
