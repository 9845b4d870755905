"""`make pictures`: writes docs/pictures, the console with something of everything in it, on a stack of its own.

What is seen is what the API answered: no row is written by hand, so a young stack has one day of views, and no past.
"""

import argparse
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from local import browser as chromiums
from local import tokens
from local.errors import LocalError, run
from local.paths import ROOT
from local.sample import BOOSTS, BROADCASTS, Sample, Sizes
from local.stack import EmbeddedStack, temporary

FOLDER = ROOT / "docs" / "pictures"
LARGEST_BYTES = 150_000
DESK, PHONE = (1280, 800), (390, 844)
SETTLED_SECONDS, WAIT_SECONDS = 1, 120
SIZES = Sizes(viewers=60, impressions=100, recipients=60)
VIDEOS = {"spring-teaser": 60, "winter-film": 36, "interview": 21}
"""Viewers of each."""
_AWAITED = re.compile("Loading|Looking")
_NOT_READ = re.compile("^\u2013$")


@dataclass(frozen=True)
class Picture:
    name: str
    address: str
    scheme: str = "light"
    size: tuple[int, int] = DESK


def fill(stack: EmbeddedStack) -> dict[str, str]:
    """Something of everything, some of it done, some going on. The ids that addresses name."""
    with Sample(stack, SIZES) as sample:
        ids = {"promotion": sample.promotion(), "sponsorship": sample.sponsorship().id}
        for video, viewers in VIDEOS.items():
            sample.views(video, viewers)
        sample.sync()
        sample.boost("interview", 2_000, 1, "execute", daily_limit=2_000)
        sample.boost("winter-film", 9_000, 20, "execute", pattern="progressive", daily_limit=900)
        sample.boost("documentary", 4_000, 14, pattern="burst", daily_limit=600)
        ids["boost"] = sample.boost("spring-teaser", 15_000, 30, "execute", daily_limit=600)
        _until(sample, f"{BOOSTS}/{ids['boost']}", "executed_count", 500)
        _until(sample, "/api/admin/views/sync", "epoch", 1)
        sample.views("spring-teaser", 12, after=VIDEOS["spring-teaser"])
        ids["broadcast"] = sample.broadcast()
        _until(sample, f"{BROADCASTS}/{ids['broadcast']}/progress", "sentCount", 12)
    return ids


def _until(sample: Sample, path: str, field: str, least: int) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while int(sample.admin.get(path)[field]) < least:
        if time.monotonic() > deadline:
            raise LocalError(f"{field} of {path} is not {least} after {WAIT_SECONDS} s.")
        time.sleep(0.2)


def pictures(ids: dict[str, str]) -> list[Picture]:
    return [
        # What moves comes first.
        Picture("broadcast", f"broadcasts/{ids['broadcast']}"),
        Picture("broadcasts", "broadcasts"),
        Picture("overview", "overview"),
        Picture("overview-dark", "overview", "dark"),
        Picture("boost", f"boosts/{ids['boost']}"),
        Picture("new-boost", "boosts/new"),
        Picture("sponsorship", f"sponsorships/{ids['sponsorship']}"),
        Picture("promotion", f"promotions/{ids['promotion']}"),
        Picture("views", "views/video/spring-teaser", "dark"),
        Picture("phone", "boosts", size=PHONE),
    ]


@contextmanager
def _page(browser: Browser, picture: Picture) -> Iterator[Page]:
    width, height = picture.size
    context = browser.new_context(
        color_scheme="dark" if picture.scheme == "dark" else "light",
        locale="en-GB",
        timezone_id="UTC",
        reduced_motion="reduce",
        viewport={"width": width, "height": height},
    )
    try:
        yield context.new_page()
    finally:
        context.close()


def take(browser: Browser, picture: Picture, console: str, token: str, file: Path) -> None:
    """The screen once everything on it was read, as far as the window shows it."""
    with _page(browser, picture) as page:
        page.goto(f"{console}#token={token}&to={picture.address}")
        page.get_by_role("heading", level=1).wait_for()
        if picture.address == "boosts/new":
            page.get_by_label("Videos").fill("spring-teaser")
            page.get_by_label("Views in all").fill("12000")
            page.get_by_label("Days", exact=True).fill("14")
            page.get_by_label("At most a day").fill("1200")
            page.get_by_text("Burst", exact=True).click()
        page.wait_for_load_state("networkidle")
        page.get_by_role("status").filter(has_text=_AWAITED).first.wait_for(state="detached")
        page.locator("dd.figure").filter(has_text=_NOT_READ).first.wait_for(state="detached")
        page.wait_for_timeout(1_000 * SETTLED_SECONDS)
        page.screenshot(path=file, animations="disabled")


def main() -> None:
    argparse.ArgumentParser(prog="python -m local.pictures", description=__doc__).parse_args()
    program = chromiums.find()
    if program is None:
        raise LocalError(chromiums.MISSING)
    FOLDER.mkdir(parents=True, exist_ok=True)
    with temporary("pictures") as stack:
        print("Starting and deploying a stack ...", flush=True)
        stack.start_and_build()
        stack.deploy()
        ids = fill(stack)
        token = tokens.mint(stack.deployed, "admin", "ada", hours=1)
        with sync_playwright() as playwright:
            chromium = playwright.chromium.launch(executable_path=program, args=chromiums.options())
            for picture in pictures(ids):
                file = FOLDER / f"{picture.name}.png"
                take(chromium, picture, f"{stack.api_url}/console", token, file)
                size = file.stat().st_size
                print(f"  {file.relative_to(ROOT)}: {size:,} bytes", flush=True)
                if size > LARGEST_BYTES:
                    raise LocalError(f"{file} has {size:,} bytes, more than {LARGEST_BYTES:,}.")
            chromium.close()


if __name__ == "__main__":
    run(main)
