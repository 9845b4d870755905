"""`make browser`, and what the tests in a browser rest on; none of it starts a browser."""

import hashlib
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.browser.console import AXE
from tests.browser.screens import SCREENS
from tests.template_reader import ROOT


def program(folder: Path, name: str, script: str) -> Path:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return file


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A PATH on which nothing is."""
    folder = tmp_path / "bin"
    folder.mkdir()
    return folder


def make_browser(path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """With Playwright's own nowhere, and its host not to be reached."""
    outside = {"PLAYWRIGHT_BROWSERS_PATH": str(path / "none"), "PLAYWRIGHT_DOWNLOAD_HOST": "http://127.0.0.1:1"}
    return subprocess.run(
        [sys.executable, "-m", "local.browser"],
        cwd=ROOT,
        env={"PATH": str(path), "HOME": str(path), **outside, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_is_on_the_path_is_used_in_order_and_what_is_given_before_it(path: Path, tmp_path: Path) -> None:
    chrome = program(path, "google-chrome", "echo Chrome 1")
    of_the_path = make_browser(path).stdout
    chromium = program(path, "chromium", "echo Chromium 2")
    before_it = make_browser(path).stdout
    given = program(tmp_path, "mine", "echo Mine 3")
    first = make_browser(path, CHROMIUM=str(given)).stdout

    assert (of_the_path, before_it) == (f"Chrome 1: {chrome}\n", f"Chromium 2: {chromium}\n")
    assert first == f"Mine 3: {given}\n"


def test_one_that_does_not_start_is_none(path: Path) -> None:
    broken = program(path, "chromium", "exit 127")
    chrome = program(path, "google-chrome", "echo Chrome 1")

    found, given = make_browser(path), make_browser(path, CHROMIUM=str(broken))

    assert found.stdout == f"Chrome 1: {chrome}\n"
    assert (given.returncode, given.stderr.count("\n")) == (1, 1)
    assert "is no browser that starts" in given.stderr


def test_on_an_empty_path_without_a_network_both_ways_are_named(path: Path) -> None:
    """No apt-get is found, so none is run."""
    ended = make_browser(path)

    assert ended.returncode == 1
    assert "not reached" in ended.stdout
    assert "playwright install" in ended.stderr
    assert "apt-get install chromium" in ended.stderr


def is_debian() -> bool:
    try:
        return platform.freedesktop_os_release()["ID"] == "debian"
    except OSError:
        return False


@pytest.mark.skipif(not is_debian(), reason="apt-get installs a Chromium on Debian only")
def test_on_debian_apt_get_installs_it_when_playwright_does_not(path: Path) -> None:
    program(path, "sudo", 'shift; "$@"')
    program(path, "true", "exit 0")
    installed = f"printf '#!/bin/sh\\necho Chromium 4\\n' > {path}/chromium; /bin/chmod +x {path}/chromium"
    program(path, "apt-get", f'echo "$@" >> {path}/asked; [ "$1" = update ] || {{ {installed}; }}')

    ended = make_browser(path)

    assert (ended.returncode, ended.stdout.splitlines()[-1]) == (0, f"Chromium 4: {path}/chromium"), ended.stderr
    assert (path / "asked").read_text().splitlines() == ["update", "install -y --no-install-recommends chromium"]


def test_axe_is_the_file_that_its_readme_names() -> None:
    readme = (AXE.parent / "README.md").read_text()

    assert hashlib.sha256(AXE.read_bytes()).hexdigest() in readme
    assert (AXE.parent / "LICENSE").read_text().startswith("Mozilla Public License, version 2.0")


def test_every_address_of_the_console_is_among_the_screens_that_are_tested() -> None:
    app = (ROOT / "console/static/app.js").read_text()
    routes = re.findall(r'\["([a-z/{}]+)", [A-Z]\w+\]', app)

    def shape(address: str) -> str:
        return re.sub(r"\{\w+\}|(?<=views/)video", "{}", address)

    assert len(routes) > 20
    assert {shape(each) for each in routes} <= {shape(each.address) for each in SCREENS}


def test_ci_gets_a_browser_and_fails_without_one() -> None:
    run = (ROOT / ".ci/run").read_text()

    assert os.access(ROOT / ".ci/run", os.X_OK)
    assert "make browser\nBROWSER=required exec make test\n" in run
