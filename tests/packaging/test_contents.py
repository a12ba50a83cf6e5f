"""What is in the packages, without installing them: the binary, the unit, the manual, the linters."""

import re
import subprocess

import pytest

from roots import REPOSITORY

GLIBC_MINOR = 34  # RHEL 9 and Amazon Linux 2023 have 2.34, Ubuntu 22.04 has 2.35
GLIBC_LIBRARIES = {"libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2"}
MAX_EXPOSURE = 20  # systemd-analyze security's score times ten


def _output(*command, **options):
    return subprocess.run([*map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False, **options)


@pytest.fixture(scope="module")
def tree(packages, tmp_path_factory):
    """The .deb, unpacked."""
    folder = tmp_path_factory.mktemp("deb")
    subprocess.run(["dpkg-deb", "-x", packages.deb, folder], check=True)
    return folder


@pytest.fixture(scope="module", params=["cloakroom-server", "cloakroom-check-rdb", "cloakroom-check-aof"])
def program(request, tree):
    path = tree / "usr/bin" / request.param
    if not path.exists():
        pytest.skip(f"no {request.param} yet")
    return path


def test_programs_load_nothing_but_glibc(program):
    needed = re.findall(r"NEEDED\s+(\S+)", _output("objdump", "-p", program).stdout)
    assert needed and set(needed) <= GLIBC_LIBRARIES


def test_programs_run_on_the_oldest_glibc(program):
    symbols = re.findall(r"\(GLIBC_2\.(\d+)(?:\.\d+)?\)\s+(\S+)", _output("objdump", "-T", program).stdout)
    assert len(symbols) > 50
    assert [symbol for symbol in symbols if int(symbol[0]) > GLIBC_MINOR] == []


def test_programs_are_hardened(program):
    headers = _output("readelf", "-hdlW", program).stdout
    assert "DYN (Position-Independent Executable" in headers
    assert "GNU_RELRO" in headers and "NOW" in headers
    assert re.search(r"GNU_STACK.* RW ", headers)


def test_lintian_finds_nothing(packages):
    done = _output("lintian", "--fail-on=error,warning", packages.deb)
    assert done.returncode == 0 and not re.search(r"^[EW]: ", done.stdout, re.MULTILINE), done.stdout


def test_rpmlint_finds_nothing(packages):
    done = _output("rpmlint", "-c", REPOSITORY / "packaging/rpmlint.toml", packages.rpm)
    assert re.search(r" 0 errors, 0 warnings", done.stdout), done.stdout


@pytest.mark.parametrize("name", ["cloakroom-server.service", "cloakroom-server@.service"])
def test_units_are_hardened(tree, name):
    done = _output("systemd-analyze", "security", "--offline=true", f"--threshold={MAX_EXPOSURE}",
                   tree / "usr/lib/systemd/system" / name)
    assert done.returncode == 0, done.stdout
    assert "Overall exposure level" in done.stdout


def test_units_are_valid(tree):
    done = _output("systemd-analyze", "verify", "--man=no", f"--root={tree}",
                   "cloakroom-server.service", "cloakroom-server@pages.service")
    assert not re.search(r"cloakroom-server\S*:\d+:", done.stdout), done.stdout


def test_manual_says_what_help_says(program, tree):
    text = _page(tree / f"usr/share/man/man8/{program.name}.8.gz")
    for option in re.findall(r"^  (--?\S+)", _output(program, "--help").stdout, re.MULTILINE):
        assert option.rstrip(",") in text


def test_manual_explains_every_directive_of_the_configuration(tree):
    text = _page(tree / "usr/share/man/man5/cloakroom.conf.5.gz")
    conf = (REPOSITORY / "cloakroom.conf").read_text()
    for line in re.findall(r"^[a-z].*$", conf, re.MULTILINE):
        assert " ".join(line.split()) in text


def _page(path):
    """A page as a reader sees it, on one line; groff must have nothing to say about it."""
    source = subprocess.run(["gzip", "-dc", path], capture_output=True, check=True).stdout
    done = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-rLL=200n", "-P-cbou"], input=source,
                          capture_output=True, check=True)
    assert done.stderr == b""
    return " ".join(done.stdout.decode().replace("\u2010", "-").replace("\u2212", "-").split())


def test_completion_knows_options_and_directives(tree):
    script = tree / "usr/share/bash-completion/completions/cloakroom-server"

    def completed(word):
        done = _output("bash", "-c", f"source {script}; COMP_WORDS=(cloakroom-server '{word}'); COMP_CWORD=1;"
                       " _cloakroom_server; echo \"${COMPREPLY[@]}\"")
        return done.stdout.split()

    assert completed("--check") == ["--check-config"]
    assert completed("--maxmemory-p") == ["--maxmemory-policy"]
    assert "--version" in completed("--") and "--appendonly" in completed("--")


def test_packaged_configuration_differs_only_where_it_says(tree):
    def lines(path):
        return [line for line in path.read_text().splitlines() if line and not line.startswith("#")]

    ours = lines(REPOSITORY / "cloakroom.conf")
    changed = [line for line in lines(tree / "etc/cloakroom/cloakroom.conf") if line not in ours]
    assert sorted(changed) == sorted(lines(REPOSITORY / "packaging/package.conf"))
