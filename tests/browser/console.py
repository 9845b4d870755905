"""The console as a person meets it: by roles and labels, never by its insides."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urldefrag

from playwright.sync_api import ConsoleMessage, Locator, Page, expect

PATIENCE_MILLISECONDS = 120_000
"""For what hangs: beside other tests, on two cores, a first answer may take its time."""
AXE = Path(__file__).parent / "axe" / "axe.min.js"
_AXE_RUN = """axe.run(document, {
  runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], resultTypes: ["violations"]
}).then(found => found.violations.map(each => each.id + " at " + each.nodes.map(node => node.target).join(", ")))"""
_TELL_VIOLATIONS = """addEventListener("securitypolicyviolation", event => console.error(
  `content security policy ${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}`))"""
# The same code in Chromium: it writes an answer of 4xx or 5xx, or none, to the console as an error.
_NOT_LOADED = re.compile(r"Failed to load resource")
# A page needs no socket: a stack that ends refuses it one, as does a sixth tab of one person. Tests of hints notice.
_NO_SOCKET = re.compile(r"WebSocket connection to '[^']*' failed")


class Guard:
    """What went wrong in the pages that it watches."""

    def __init__(self) -> None:
        self._found: list[str] = []
        self._expected: list[re.Pattern[str]] = []

    def watch(self, page: Page) -> None:
        page.add_init_script(_TELL_VIOLATIONS)
        page.on("console", self._said)
        page.on("pageerror", lambda error: self._found.append(f"threw {error}"))
        page.on("crash", lambda: self._found.append("crashed"))

    def expects(self, pattern: str) -> None:
        """This is what the test provokes."""
        self._expected.append(re.compile(pattern))

    def expects_refusals(self, *, wanted: bool = True) -> None:
        """Until the next check, the API may refuse, or be away."""
        if wanted:
            self._expected.append(_NOT_LOADED)

    def check(self) -> None:
        """Fails if there was anything that no test expected, since the last time."""
        found = [each for each in self._found if not any(pattern.search(each) for pattern in self._expected)]
        self._found, self._expected = [], []
        assert found == [], found

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning", "assert") and not _NO_SOCKET.search(message.text):
            self._found.append(f"{message.type}: {message.text} ({message.location.get('url')})")


class Console:
    """One tab."""

    def __init__(self, page: Page, url: str, guard: Guard) -> None:
        self.page = page
        self.url = url
        self.guard = guard
        self.requested: list[str] = []
        self.sockets: list[str] = []
        """The addresses of the WebSockets that were opened."""
        self._devtools = page.context.new_cdp_session(page)
        self._has_axe = False
        guard.watch(page)
        page.on("websocket", lambda socket: self.sockets.append(socket.url))
        page.on("request", lambda request: self.requested.append(urldefrag(request.url).url))

    def open(self, to: str, token: str | None = None) -> None:
        """A new document: by the link with a token, else as it is."""
        self._has_axe = False
        answer = self.page.goto(f"{self.url}#token={token}&to={to}" if token else f"{self.url}#/{to}")
        # None: only what is behind the # is another, and no document was asked for.
        assert answer is None or answer.ok, answer.text()

    def go(self, to: str) -> None:
        """Another screen, as by a bookmark. The document stays."""
        self.js(f"void (location.hash = {json.dumps('#/' + to)})")

    def resize(self, width: int, height: int = 900) -> None:
        self.page.set_viewport_size({"width": width, "height": height})

    @property
    def heading(self) -> Locator:
        return self.page.get_by_role("heading", level=1)

    @property
    def main(self) -> Locator:
        return self.page.get_by_role("main")

    @property
    def header(self) -> Locator:
        return self.page.get_by_role("banner")

    @property
    def navigation(self) -> Locator:
        return self.page.get_by_role("navigation")

    @property
    def dialog(self) -> Locator:
        return self.page.get_by_role("dialog")

    def button(self, name: str | re.Pattern[str], within: Locator | None = None) -> Locator:
        return (within or self.page).get_by_role("button", name=name, exact=isinstance(name, str))

    def link(self, name: str | re.Pattern[str], within: Locator | None = None) -> Locator:
        return (within or self.page).get_by_role("link", name=name, exact=isinstance(name, str))

    def is_drawn(self, heading: str | re.Pattern[str]) -> None:
        """Waits until the screen with this heading has its content: nothing of it is still awaited."""
        expect(self.heading).to_have_text(heading)
        expect(self.main.get_by_role("status").filter(has_text=re.compile("Loading|Reading|Waiting"))).to_have_count(0)

    def js(self, expression: str) -> Any:
        """The value of an expression. By the developer tools: Playwright's `evaluate` is code from a string, which the
        page's policy forbids."""
        answer = self._devtools.send(
            "Runtime.evaluate", {"expression": expression, "awaitPromise": True, "returnByValue": True}
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def violations(self) -> list[str]:
        """What axe finds on the screen."""
        if not self._has_axe:
            self.js(AXE.read_text(encoding="utf-8") + "; undefined")
            self._has_axe = True
        found: list[str] = self.js(_AXE_RUN)
        return found

    def overflow(self) -> int:
        """By how many pixels the page is wider than its window."""
        return int(self.js("document.documentElement.scrollWidth - document.documentElement.clientWidth"))
