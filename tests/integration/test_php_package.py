"""The Composer package cloakroom/session (clients/php): PHPUnit's tests, one case each, and PSR-12.

PHPUnit runs once, with redis-server and with Cloakroom. Under `--server redis` it has no Cloakroom,
and the tests that need one are skipped."""

import os
import re
import shutil
import subprocess
import tempfile
import xml.etree.ElementTree as xml
from pathlib import Path

import pytest

from support import servers

PACKAGE = Path(__file__).resolve().parents[2] / "clients" / "php"
RUN_TIMEOUT_S = 400
NO_SERVER = "/nonexistent/cloakroom-server"
_BAD = ("failure", "error", "warning", "skipped")
_IGNORED = re.compile(r"^##teamcity\[testIgnored name='([^']*)' message='([^']*)'", re.MULTILINE)

pytestmark = pytest.mark.timeout(RUN_TIMEOUT_S + 50)


def _phpunit(*arguments, environment=None):
    return subprocess.run([shutil.which("phpunit"), *arguments], cwd=PACKAGE,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=RUN_TIMEOUT_S, check=False, errors="replace",
                          env={**os.environ, **(environment or {})})


def _listed():
    """The names of all tests, as the report names them; none without PHPUnit."""
    if shutil.which("phpunit") is None:
        return []
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "tests.xml"
        done = _phpunit("--list-tests-xml", str(path))
        assert path.exists(), done.stdout + done.stderr
        names = []
        for case_class in xml.parse(path).iter("testCaseClass"):
            for method in case_class.iter("testCaseMethod"):
                data = method.get("dataSet")
                name = method.get("name") + (f" with data set {data}" if data else "")
                names.append(f"{case_class.get('name')}::{name}")
    return names


def pytest_generate_tests(metafunc):
    if "php_test" in metafunc.fixturenames:
        names = _listed() or [pytest.param("", marks=pytest.mark.skip("phpunit is not installed"))]
        metafunc.parametrize("php_test", names)


@pytest.fixture(scope="module")
def report(server_kind):
    """What PHPUnit says of each test: None, or a kind and a text."""
    program = servers.binary("cloakroom") if server_kind == "cloakroom" else NO_SERVER
    outcomes = {}
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "junit.xml"
        events = Path(directory) / "teamcity.txt"
        done = _phpunit("--log-junit", str(path), "--log-teamcity", str(events),
                        environment={"CLOAKROOM_SERVER": program})
        assert path.exists(), done.stdout + done.stderr
        # The XML does not say why a test was skipped.
        reasons = dict(_IGNORED.findall(events.read_text()))
        for case in xml.parse(path).iter("testcase"):
            name = case.get("name")
            bad = next((part for part in case if part.tag in _BAD), None)
            outcomes[f"{case.get('class')}::{name}"] = (
                None if bad is None else (bad.tag, bad.text or reasons.get(name, bad.tag)))
    return outcomes


def test_php(php_test, report):
    assert php_test in report, "PHPUnit did not run it"
    if report[php_test] is None:
        return
    kind, text = report[php_test]
    if kind == "skipped":
        pytest.skip(text.strip())
    pytest.fail(text.strip(), pytrace=False)


def test_code_style(program):
    done = subprocess.run([program("phpcs")], cwd=PACKAGE, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
