"""What the console and the command line weigh, and how fast they are: bytes, requests, first content, help."""

import json
import os
import statistics
import subprocess
import sys
import time
from resource import RUSAGE_CHILDREN, getrusage
from typing import Any

import httpx
from playwright.sync_api import Page, sync_playwright

from local import browser
from local.sample import Sample, Sizes
from local.stack import temporary
from local.tokens import mint
from tests.bench_tables import a_table, console

VISITS = 7
STARTS = 9
SETTLED_SECONDS = 2
_FIRST = """JSON.stringify((() => {
  const [page] = performance.getEntriesByType("navigation");
  const paint = performance.getEntriesByName("first-contentful-paint")[0];
  return {
    "first content, ms": paint ? paint.startTime : null,
    "DOMContentLoaded, ms": page.domContentLoadedEventEnd,
    "largest content, ms": window.largest || null,
    "layout shift": window.shifted || 0,
    "heap, MB": performance.memory.usedJSHeapSize / 1e6,
  };
})())"""
_WATCH = """
new PerformanceObserver(list => { for (const each of list.getEntries()) window.largest = each.startTime; })
  .observe({type: "largest-contentful-paint", buffered: true});
new PerformanceObserver(list => {
  for (const each of list.getEntries()) window.shifted = (window.shifted || 0) + each.value;
}).observe({type: "layout-shift", buffered: true});
"""
BUDGETS = {
    "first content, ms": "",
    "DOMContentLoaded, ms": "400",
    "largest content, ms": "1,200",
    "layout shift": "0.1",
    "heap, MB": "8",
}


def main() -> None:
    bench_help()
    program = browser.find()
    if program is None:
        console.print(browser.MISSING)
        return
    with temporary("bench", tell=lambda line: console.print(f"  {line}")) as stack:
        stack.start()
        stack.deploy()
        with Sample(stack, Sizes()) as sample:
            sample.boost("spring-teaser", 15_000, 30, "execute", daily_limit=600)
        bench_bytes(f"{stack.api_url}/console")
        bench_visits(program, f"{stack.api_url}/console#token={mint(stack.deployed, 'admin', hours=1)}&to=overview")


def bench_help() -> None:
    """CPU of a fresh process, beside a bare interpreter: a ratio, because the machine is shared."""
    table = a_table("process", "CPU ms", "of a bare one", "budget")
    bare = _cpu_ms([sys.executable, "-c", "pass"])
    table.add_row("python -c pass", f"{bare:.0f}", "1.0", "")
    for words, budget in ((["--help"], "6.0"), (["boosts", "--help"], "")):
        took = _cpu_ms([sys.executable, "-m", "sluice_cli", *words])
        table.add_row(f"sluice {' '.join(words)}", f"{took:.0f}", f"{took / bare:.1f}", budget)
    console.print(table)


def _cpu_ms(command: list[str]) -> float:
    environment = {**os.environ, "PYTHONPATH": "cli"}

    def once() -> float:
        before = getrusage(RUSAGE_CHILDREN)
        subprocess.run(command, env=environment, check=True, capture_output=True)
        after = getrusage(RUSAGE_CHILDREN)
        return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000

    return statistics.median(once() for _ in range(STARTS))


def bench_bytes(address: str) -> None:
    page = httpx.get(address)
    prefix = address.removesuffix("console")
    version = page.text.partition("./console/")[2].partition("/")[0]
    table = a_table("file", "bytes", "gzipped, on the wire")
    total = 0
    for name in ("", *(f"/{version}/{each}" for each in ("app.js", "app.css", "vendor/preact.js", "icon.svg"))):
        with httpx.stream("GET", f"{prefix}console{name}", headers={"accept-encoding": "gzip"}) as answer:
            sent = sum(len(piece) for piece in answer.iter_raw())
            plain = len(httpx.get(f"{prefix}console{name}").content)
        total += sent
        table.add_row(name.rpartition("/")[2] or "the page", f"{plain:,}", f"{sent:,}")
    table.add_row("together", "", f"{total:,} of 81,920")
    console.print(table)


def bench_visits(program: str, link: str) -> None:
    """Medians of new browsers, of a stack whose functions have run already."""
    seen: list[dict[str, Any]] = []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=browser.options())
        for _ in range(VISITS + 1):
            context = chromium.new_context(viewport={"width": 1280, "height": 900})
            page = context.new_page()
            page.add_init_script(_WATCH)
            seen.append(_visit(page, link))
            context.close()
        chromium.close()
    table = a_table("a first visit", "median", "budget")
    for name, budget in BUDGETS.items():
        values = [each[name] for each in seen[1:] if each[name] is not None]
        table.add_row(name, f"{statistics.median(values):,.3g}" if values else "not measured", budget)
    console.print(table)


def _visit(page: Page, link: str) -> dict[str, Any]:
    page.goto(link)
    page.get_by_role("heading", level=1).wait_for()
    time.sleep(SETTLED_SECONDS)
    devtools = page.context.new_cdp_session(page)
    answer = devtools.send("Runtime.evaluate", {"expression": _FIRST, "returnByValue": True})
    found: dict[str, Any] = json.loads(answer["result"]["value"])
    return found
