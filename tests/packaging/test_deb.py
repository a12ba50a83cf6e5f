"""The .deb on a clean Debian 12, from the first install to the purge. The tests run in file order."""

import re
import subprocess

import pytest

from roots import Service
from support import servers

CONF = "/etc/cloakroom/cloakroom.conf"
DATA = "/var/lib/cloakroom"

# Owner and mode of paths that are not root's, or not 755 (directories, programs) or 644 (files).
OWNERS = {
    "/etc/cloakroom": ("cloakroom", "cloakroom", "700"),
    CONF: ("cloakroom", "cloakroom", "600"),
    DATA: ("cloakroom", "cloakroom", "700"),
    "/var/log/cloakroom": ("cloakroom", "cloakroom", "700"),
}
PROGRAMS = ["/usr/bin/cloakroom-server", "/usr/bin/cloakroom-check-rdb", "/usr/bin/cloakroom-check-aof",
            "/usr/bin/cloakroom-drill"]


def _settings(root):
    """The configuration's directives, comments left out."""
    lines = (root / CONF).read_text().splitlines()
    return dict(line.split(None, 1) for line in lines if line and not line.startswith("#"))


def _edit(root, name, value):
    """Edits the configuration as an operator does."""
    path = root / CONF
    text, count = re.subn(rf"(?m)^{name} .*$", f"{name} {value}", path.read_text())
    assert count == 1
    path.write_text(text)


def _installed_version(root):
    return root.run("dpkg-query", "-W", "-f", "${Version}", "cloakroom")


def test_it_installs_on_a_clean_system(root, packages):
    output = root.dpkg("-i", packages.deb)
    assert "warning" not in output.lower() and "error" not in output.lower()
    assert _installed_version(root) == packages.version


def test_it_needs_nothing_but_glibc_and_what_every_system_has(packages):
    depends = subprocess.run(["dpkg-deb", "-f", packages.deb, "Depends"], capture_output=True,
                             text=True, check=True).stdout
    assert {entry.split()[0] for entry in depends.split(",")} == {"libc6", "passwd"}
    version, = re.findall(r"libc6 \(>= 2\.(\d+)\)", depends)
    assert int(version) <= 34


def test_every_file_has_its_owner_and_mode(root):
    paths = root.run("dpkg", "-L", "cloakroom").split()
    assert set(OWNERS) < set(paths)
    for path in paths:
        if path == "/.":
            continue
        is_open = (root / path).is_dir() or path in PROGRAMS
        assert root.owner(path) == OWNERS.get(path, ("root", "root", "755" if is_open else "644")), path


def test_user_cannot_log_in_and_owns_no_home(root):
    entry = root.run("getent", "passwd", "cloakroom").strip().split(":")
    assert entry[5:] == [DATA, "/usr/sbin/nologin"]
    assert int(entry[2]) < 1000


def test_program_is_of_the_packages_version(root, packages):
    version = packages.version.rpartition("-")[0]
    assert f"v={version} " in root.run("cloakroom-server", "--version")


def test_default_configuration_is_safe(root):
    settings = _settings(root)
    assert settings["bind"] == "127.0.0.1 -::1"
    assert settings["protected-mode"] == "yes"
    assert settings["dir"] == DATA
    assert settings["supervised"] == "systemd" and settings["daemonize"] == "no"
    assert settings["logfile"].startswith("/var/log/cloakroom/")


def test_default_configuration_is_accepted(root):
    output = root.run("setpriv", "--reuid=cloakroom", "--regid=cloakroom", "--clear-groups",
                      "cloakroom-server", "--check-config", CONF)
    assert f"{CONF}: no errors found" in output
    assert "Cannot write" not in output


def test_service_serves_a_shopper_as_its_user(root, port, visit):
    _edit(root, "port", port)
    _edit(root, "maxmemory", "64mb")
    with Service(root, port) as service:
        assert service.user() == "cloakroom"
        with service.connect() as connection:
            visit.make(connection)
            visit.make(connection)
            assert visit.writes(connection) == 2
            assert connection.ok("CONFIG", "REWRITE") == b"OK"
        assert service.stop() == 0
    log = (root / "/var/log/cloakroom/cloakroom.log").read_text()
    assert "Ready to accept connections" in log and "bye bye" in log
    assert root.owner("/var/log/cloakroom/cloakroom.log") == ("cloakroom", "cloakroom", "600")
    assert root.owner(CONF) == OWNERS[CONF]


def test_stop_leaves_the_data_on_disk(root, saves):
    if not saves:
        pytest.skip("this server has no persistence yet")
    assert root.owner(f"{DATA}/dump.rdb")[:2] == ("cloakroom", "cloakroom")


def _changes_release(root, port, visit, saves, package, version):
    """Installs another release over the running one's files; conf, data and user stay."""
    before = _settings(root)
    root.dpkg("-i", package)
    assert _installed_version(root) == version
    assert _settings(root) == before and before["port"] == str(port)
    with Service(root, port) as service:
        with service.connect() as connection:
            known = visit.writes(connection)
            visit.make(connection)
        assert service.stop() == 0
    if not saves:
        pytest.skip("this server has no persistence yet: conf and service checked, data not")
    assert known > 0
    return known


def test_upgrade_keeps_data_and_edited_configuration(root, port, visit, saves, packages):
    version = packages.version.rpartition("-")[0]
    assert _changes_release(root, port, visit, saves, packages.next_deb, f"{version}-2") == 2


def test_downgrade_keeps_data_and_edited_configuration(root, port, visit, saves, packages):
    assert _changes_release(root, port, visit, saves, packages.deb, packages.version) == 3


def test_reinstall_over_itself_changes_nothing(root, packages):
    before = _settings(root)
    root.dpkg("-i", packages.deb)
    assert _settings(root) == before
    assert root.owner(CONF) == OWNERS[CONF]


def test_modes_that_the_administrator_overrode_stay(root, packages):
    root.run("dpkg-statoverride", "--update", "--add", "cloakroom", "cloakroom", "0750", DATA)
    root.dpkg("-i", packages.deb)
    assert root.owner(DATA) == ("cloakroom", "cloakroom", "750")
    root.run("dpkg-statoverride", "--remove", DATA)
    root.run("chmod", "700", DATA)


def test_upgrade_takes_from_the_group_what_the_first_packages_gave_it(root, packages):
    root.run("chown", "root:cloakroom", "/etc/cloakroom")
    root.run("chmod", "770", "/etc/cloakroom")
    root.run("chmod", "640", CONF)
    root.run("chmod", "750", DATA, "/var/log/cloakroom")
    root.dpkg("-i", packages.deb)
    for path, owner in OWNERS.items():
        assert root.owner(path) == owner


def test_instance_of_the_template_unit_serves_beside(root, port):
    other = servers.free_port()
    (root / "/etc/cloakroom/pages.conf").write_text(f"include {CONF}\nport {other}\n")
    with Service(root, port) as first, Service(root, other, "cloakroom-server@.service", "pages") as pages:
        with first.connect() as connection, pages.connect() as another:
            connection.ok("SET", "key", "sessions")
            assert another.call("GET", "key") is None
            assert another.call("CONFIG", "GET", "dir")[1] == f"{DATA}/pages".encode()
        assert first.stop() == 0 and pages.stop() == 0
    assert (root / "/var/log/cloakroom/pages.log").exists()


def test_log_rotates(root):
    # The clean system has no logrotate: this machine's reads the file, without the root's user and systemctl.
    text = (root / "/etc/logrotate.d/cloakroom").read_text()
    text, count = re.subn(r"(?ms)^ *(su .*?$|sharedscripts$|postrotate.*?endscript$)", "", text)
    assert count == 3
    ours = root / "/tmp/logrotate.conf"
    ours.write_text(text.replace("/var/log/cloakroom", str(root / "/var/log/cloakroom")))
    ours.chmod(0o644)
    done = subprocess.run(["logrotate", "--force", "--state", root / "/tmp/logrotate.state", ours],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (root / "/var/log/cloakroom/cloakroom.log.1").exists()


def test_remove_keeps_configuration_data_and_user(root):
    root.run("dpkg", "--remove", "cloakroom")
    assert not (root / "/usr/bin/cloakroom-server").exists()
    assert _settings(root)["maxmemory"] == "64mb"
    assert (root / DATA).is_dir()
    root.run("getent", "passwd", "cloakroom")


def test_install_after_remove_finds_everything(root, port, visit, saves, packages):
    root.dpkg("-i", packages.deb)
    assert _settings(root)["port"] == str(port)
    assert root.owner(CONF) == OWNERS[CONF]
    with Service(root, port) as service:
        with service.connect() as connection:
            known = visit.writes(connection)
        assert service.stop() == 0
    if not saves:
        pytest.skip("this server has no persistence yet: conf and service checked, data not")
    assert known == 4


def test_purge_takes_configuration_and_logs_and_keeps_the_data(root, saves):
    (root / "/etc/cloakroom/pages.conf").unlink()
    (root / f"{DATA}/kept").write_text("")
    output = root.run("dpkg", "--purge", "cloakroom")
    assert f"The data in {DATA} is kept" in output
    assert not (root / "/etc/cloakroom").exists()
    assert not (root / "/var/log/cloakroom").exists()
    assert (root / f"{DATA}/kept").exists()
    assert (root / f"{DATA}/dump.rdb").exists() == saves


def test_purge_without_data_leaves_nothing(root, packages):
    root.run("rm", "-r", DATA)
    root.dpkg("-i", packages.deb)
    root.run("dpkg", "--purge", "cloakroom")
    left = root.run("find", "/etc", "/usr", "/var", "-name", "*cloakroom*", check=False).split()
    assert [path for path in left if not path.startswith("/var/lib/systemd/deb-systemd-helper")] == []
