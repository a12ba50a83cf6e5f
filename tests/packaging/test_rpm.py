"""The .rpm in a root and an rpm database of its own. The tests run in file order.

The root is the same clean Debian 12 as in the .deb's tests: it has the shell and useradd that the scripts
need. rpm does not know its glibc, so the tests read dependencies and do not resolve them.
"""

import re
import subprocess

import pytest

from roots import Service, rpm

CONF = "/etc/cloakroom/cloakroom.conf"
OWNERS = {
    "/etc/cloakroom": ("cloakroom", "cloakroom", "700"),
    CONF: ("cloakroom", "cloakroom", "600"),
    "/var/lib/cloakroom": ("cloakroom", "cloakroom", "700"),
    "/var/log/cloakroom": ("cloakroom", "cloakroom", "700"),
}


def _query(package, *arguments):
    return subprocess.run(["rpm", "-qp", package, *arguments], capture_output=True, text=True,
                          check=True).stdout


def test_it_needs_nothing_but_glibc_and_what_every_system_has(packages):
    needs = _query(packages.rpm, "--requires").splitlines()
    libraries = {need for need in needs if ".so." in need}
    assert {need.split("(")[0] for need in libraries} <= {"libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2"}
    versions = [int(minor) for minor in re.findall(r"GLIBC_2\.(\d+)", " ".join(libraries))]
    assert versions and max(versions) <= 34
    others = {need.split(" ")[0].split("(")[0] for need in needs} - {"libc.so.6", "libm.so.6",
                                                                    "ld-linux-x86-64.so.2"}
    assert others <= {"/bin/sh", "config", "rpmlib", "rtld", "shadow-utils"}


def test_it_installs_with_its_scripts(root, packages):
    output = rpm(root, "-i", "--nodeps", packages.rpm)
    assert "warning" not in output and "error" not in output
    root.run("getent", "passwd", "cloakroom")


def test_every_file_has_its_owner_and_mode(root, packages):
    paths = _query(packages.rpm, "-l").split()
    assert set(OWNERS) < set(paths)
    for path in paths:
        is_open = (root / path).is_dir() or path.startswith("/usr/bin/")
        assert root.owner(path) == OWNERS.get(path, ("root", "root", "755" if is_open else "644")), path


def test_configuration_is_marked_as_such(packages):
    assert _query(packages.rpm, "--configfiles").split() == [CONF, "/etc/logrotate.d/cloakroom"]


def test_service_serves_a_shopper_as_its_user(root, port, visit):
    path = root / CONF
    path.write_text(re.sub(r"(?m)^port .*$", f"port {port}", path.read_text()))
    with Service(root, port) as service:
        assert service.user() == "cloakroom"
        with service.connect() as connection:
            visit.make(connection)
        assert service.stop() == 0


def test_upgrade_takes_from_the_group_what_the_first_packages_gave_it(root, packages):
    root.run("chown", "root:cloakroom", "/etc/cloakroom")
    root.run("chmod", "770", "/etc/cloakroom")
    root.run("chmod", "750", "/var/lib/cloakroom", "/var/log/cloakroom")
    rpm(root, "-U", "--nodeps", packages.next_rpm)
    for path in ("/etc/cloakroom", "/var/lib/cloakroom", "/var/log/cloakroom"):
        assert root.owner(path) == OWNERS[path]
    rpm(root, "-U", "--oldpackage", "--nodeps", packages.rpm)


@pytest.mark.parametrize("direction", ["upgrade", "downgrade"])
def test_another_release_keeps_the_edited_configuration_and_the_data(root, port, visit, saves, packages,
                                                                     direction):
    package = packages.next_rpm if direction == "upgrade" else packages.rpm
    rpm(root, "-U", "--oldpackage", "--nodeps", package)
    assert f"\nport {port}\n" in (root / CONF).read_text()
    with Service(root, port) as service:
        with service.connect() as connection:
            known = visit.writes(connection)
        assert service.stop() == 0
    if not saves:
        pytest.skip("this server has no persistence yet: conf and service checked, data not")
    assert known == 1


def test_erase_keeps_the_edited_configuration_the_data_and_the_user(root):
    data = root / "/var/lib/cloakroom/kept"
    data.write_text("")
    rpm(root, "-e", "cloakroom")
    assert not (root / "/usr/bin/cloakroom-server").exists()
    assert (root / f"{CONF}.rpmsave").exists()
    assert data.exists()
    root.run("getent", "passwd", "cloakroom")
