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


@pytest.fixture(scope="module", params=["cloakroom-server", "cloakroom-check-rdb", "cloakroom-check-aof",
                                        "cloakroom-drill"])
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


def test_manual_sets_off_a_directive_that_is_commented_out(tree):
    lines = _lines(tree / "usr/share/man/man5/cloakroom.conf.5.gz")
    conf = (REPOSITORY / "cloakroom.conf").read_text()
    suggested = re.findall(r"^# (?:io-threads|include) .*$", conf, re.MULTILINE)
    assert len(suggested) == 2
    for line in suggested:
        assert line in [shown.strip() for shown in lines]


def _page(path):
    """A page on one line."""
    return " ".join(" ".join(_lines(path)).split())


def _lines(path):
    """A page as a reader sees it; groff must not warn about it."""
    source = subprocess.run(["gzip", "-dc", path], capture_output=True, check=True).stdout
    done = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-rLL=200n", "-P-cbou"], input=source,
                          capture_output=True, check=True)
    assert done.stderr == b""
    return done.stdout.decode().replace("\u2010", "-").replace("\u2212", "-").splitlines()


@pytest.fixture
def completed(tree, tmp_path):
    """The completions that bash offers for the last of some words, in a directory with a few files."""
    script = tree / "usr/share/bash-completion/completions/cloakroom-server"
    (tmp_path / "folder").mkdir()
    for name in ("a.conf", "two words.conf", "b.txt"):
        (tmp_path / name).touch()

    def complete(*words):
        done = _output("bash", "-c", f"source {script}; COMP_WORDS=(cloakroom-server \"$@\"); COMP_CWORD=$#;"
                       " _cloakroom_server; printf '%s\\n' \"${COMPREPLY[@]}\"", "bash", *words, cwd=tmp_path)
        return set(done.stdout.splitlines()) - {""}

    return complete


def test_completion_knows_options_and_directives(completed):
    assert completed("--check") == {"--check-config"}
    assert completed("--maxmemory-p") == {"--maxmemory-policy"}
    assert {"--version", "--appendonly", "--replicaof"} <= completed("--")


def test_completion_knows_every_directive_and_no_other(completed, tree):
    defaults = _output(tree / "usr/bin/cloakroom-server", "--print-defaults").stdout
    names = set(re.findall(r"(?m)^(?:# )?([a-z]\S*)(?: |$)", defaults))
    options = {"--check-config", "--print-defaults", "--version", "--help"}
    assert completed("--") == options | {f"--{name}" for name in names}


def test_completion_offers_configuration_files(completed):
    files = {"a.conf", "two words.conf", "folder"}
    assert completed("") == completed("--check-config", "") == files


def test_completion_leaves_a_directives_value_to_readline(completed):
    assert completed("--logfile", "") == set()


def test_packaged_configuration_differs_only_where_it_says(tree):
    def lines(path):
        return [line for line in path.read_text().splitlines() if line and not line.startswith("#")]

    ours = lines(REPOSITORY / "cloakroom.conf")
    changed = [line for line in lines(tree / "etc/cloakroom/cloakroom.conf") if line not in ours]
    assert sorted(changed) == sorted(lines(REPOSITORY / "packaging/package.conf"))
