"""`make browser`: a Chromium for tests/browser and `make pictures`. What is there is used; else one is installed."""

import os
import platform
import shutil
import subprocess
import sys
import time

from local.errors import LocalError, run
from local.paths import LOCAL

NAMES = ("chromium", "chromium-browser", "google-chrome")
MISSING = "No Chromium was found: `make browser` gets one."
DOWNLOAD_SECONDS = 60
_LOG = LOCAL / "browser.log"
_LINE_EVERY_SECONDS = 5


def find() -> str | None:
    """The program: $CHROMIUM, else one on the PATH, else Playwright's own.

    Raises LocalError when $CHROMIUM is no browser that starts.
    """
    if given := os.environ.get("CHROMIUM"):
        if not _version(given):
            raise LocalError(f"CHROMIUM={given} is no browser that starts: give the path of a Chromium or Chrome.")
        return given
    on_path = next((each for name in NAMES if (each := shutil.which(name)) and _version(each)), None)
    return on_path or _playwrights_own()


def options() -> list[str]:
    """What Chromium is started with. Its sandbox refuses root, and a container may have no locale."""
    return ["--lang=en-US", *(["--no-sandbox"] if os.geteuid() == 0 else [])]


def _version(program: str) -> str:
    """`Chromium 150.0.7871.100`; empty when it does not start, as without its libraries."""
    try:
        ended = subprocess.run([program, "--version"], capture_output=True, text=True, check=False, timeout=60)
    except OSError:
        return ""
    return ended.stdout.strip() if ended.returncode == 0 else ""


def _playwrights_own() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if _version(path) else None


def _download() -> bool:
    """Playwright's own build, from its host: some networks do not reach it."""
    print("Downloading Playwright's Chromium ...", flush=True)
    command = [sys.executable, "-m", "playwright", "install", "chromium"]
    with _LOG.open("w") as log:
        try:
            ended = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, check=False, timeout=DOWNLOAD_SECONDS)
        except subprocess.TimeoutExpired:
            print(f"  not done after {DOWNLOAD_SECONDS} s")
            return False
    if ended.returncode:
        print(f"  not reached: {_reason()}")
    return ended.returncode == 0


def _reason() -> str:
    """The first line of the log that is an error's."""
    lines = _LOG.read_text(errors="replace").splitlines()
    return next((line.strip() for line in lines if "error" in line.lower()), lines[-1] if lines else "it says nothing")


def _as_root() -> list[str] | None:
    """What to put before a command for it to run as root; None where that takes a password."""
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo and subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode == 0:
        return [sudo, "-n"]
    return None


def _is_debian() -> bool:
    """Debian itself: Ubuntu's package of this name installs a snap."""
    try:
        return platform.freedesktop_os_release()["ID"] == "debian" and shutil.which("apt-get") is not None
    except OSError:
        return False


def _apt_get() -> bool:
    before = _as_root() if _is_debian() else None
    if before is None:
        return False
    print("Installing Debian's package chromium: some 100 MB, a few minutes ...", flush=True)
    return _shown([*before, "apt-get", "update"]) and _shown(
        [*before, "apt-get", "install", "-y", "--no-install-recommends", "chromium"]
    )


def _shown(command: list[str]) -> bool:
    """Whether it ended well. A line of what it does is printed every few seconds, and all of them kept in the log."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
    running = subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert running.stdout is not None
    last = time.monotonic()
    with _LOG.open("a") as log, running.stdout as lines:
        for line in lines:
            log.write(line)
            if time.monotonic() - last >= _LINE_EVERY_SECONDS:
                print(f"  {line.strip()[:100]}", flush=True)
                last = time.monotonic()
    if running.wait():
        print(f"  `{' '.join(command)}` failed; see {_LOG}")
    return running.returncode == 0


def main() -> None:
    LOCAL.mkdir(exist_ok=True)
    # The download may want libraries that the system lacks: then the package brings them.
    program = find() or (find() if _download() else None) or (find() if _apt_get() else None)
    if not program:
        raise LocalError(
            "No Chromium could be installed. Either of these gets one:\n"
            "       .venv/bin/playwright install --with-deps chromium   where its host can be reached\n"
            "       the system's package, as root: apt-get install chromium, dnf install chromium, apk add chromium\n"
            "       One that is elsewhere: CHROMIUM=/path/to/chromium make ..."
        )
    print(f"{_version(program)}: {program}")


if __name__ == "__main__":
    run(main)
