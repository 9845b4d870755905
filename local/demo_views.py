"""The demo's views: several viewers, what is refused and why, and the parts before, during and after a sync."""

import time
from collections import Counter
from dataclasses import dataclass
from threading import Event, Thread
from typing import Any, Protocol

import httpx

from local.errors import LocalError

VIEWERS = 8
BOT = "Googlebot/2.1 (+http://www.google.com/bot.html)"
DONE_WITHIN_SECONDS = 120
LOOKS_PER_SECOND = 10

Json = dict[str, Any]


class Screen(Protocol):
    """What is used of the demo's screen."""

    def tell(self, label: str, text: str, note: str = "") -> None: ...
    def check(self, claim: str, numbers: str, *, holds: bool) -> None: ...


@dataclass(frozen=True)
class Look:
    """One answer of the count, and how many views were accepted when it was asked for and when it came."""

    accepted_before: int
    accepted_after: int
    count: Json

    @property
    def organic(self) -> int:
        return int(sum(self.count["organic"].values()))

    @property
    def is_right(self) -> bool:
        return self.accepted_before <= self.organic <= self.accepted_after


class Audience:
    """Viewers of one video, without tokens: each has a browser of its own."""

    def __init__(self, url: str, video: str, came: int = 0) -> None:
        self._http = httpx.Client(base_url=url, timeout=60, trust_env=False)
        self._video = video
        self.accepted = 0
        self._came = came

    def close(self) -> None:
        self._http.close()

    def view(self, user_agent: str) -> Json:
        answer = self._http.post(
            "/api/views", json={"content_type": "video", "content_id": self._video}, headers={"user-agent": user_agent}
        )
        if answer.is_error:
            raise LocalError(f"POST /api/views answered {answer.status_code}: {answer.text[:500]}")
        self._http.cookies.clear()  # Each call is another browser's.
        view: Json = answer.json()
        self.accepted += view["counted"]
        return view

    def newcomer(self) -> Json:
        """A view by someone who was not there before."""
        self._came += 1
        return self.view(_browser(self._came))

    def again(self, number: int) -> Json:
        """One more view by one who was."""
        return self.view(_browser(number))

    def look(self) -> Look:
        before = self.accepted
        answer = self._http.get(f"/api/views/video/{self._video}")
        answer.raise_for_status()
        return Look(before, self.accepted, answer.json())


def _browser(number: int) -> str:
    return f"Mozilla/5.0 (X11; Linux x86_64; rv:{100 + number}.0) Gecko/20100101 Firefox/{100 + number}.0"


class ViewsPart:
    """Tracks, starts a sync, and looks at the count all the way through it, beside whatever else the demo does."""

    def __init__(self, api: Any, url: str, video: str, screen: Screen) -> None:
        self._api = api
        self._screen = screen
        self._audience = Audience(url, video)
        self._looks: list[Look] = []
        self._ended = Event()
        self._failures: list[Exception] = []
        self._watcher = Thread(target=self._watch, daemon=True)
        self._started: Json = {}

    def start(self) -> None:
        """The first view and the sync that moves it, before all else: the sync waits for 16 s."""
        self._audience.newcomer()
        self._started = self._api.post("/api/admin/views/sync")

    def begin(self) -> None:
        for _ in range(VIEWERS - 1):
            self._audience.newcomer()
        counted = self._audience.accepted
        self._screen.tell("View", f"{VIEWERS} viewers watch the video: {counted} views counted")
        refused = [self._audience.again(number + 1) for number in range(3)] + [self._audience.view(BOT)]
        for view, who in ((refused[0], "one of them again"), (refused[-1], "a crawler")):
            wait = view.get("retry_after_seconds")
            note = f"counts again in {wait // 3600} h {wait % 3600 // 60:02} min" if wait else ""
            self._screen.tell("", f"{who}: refused by {', '.join(view['reasons'])}", note)
        self._looks.append(self._audience.look())
        self._screen.tell("Parts", f"before  {_parts(self._looks[0])}")
        self._screen.tell(
            "Sync", self._started["outcome"], "the first numbers the shards, and moves the views 16 s later"
        )
        reasons = Counter(reason for view in refused for reason in view["reasons"])
        self._screen.check(
            "each refused view names the rules that refused it",
            ", ".join(f"{reason} {times}" for reason, times in reasons.items()),
            holds=not any(view["counted"] for view in refused)
            and reasons == {"cooldown": 3, "daily_viewed": 3, "bot": 1},
        )
        self._watcher.start()

    def _watch(self) -> None:
        try:
            while not self._ended.is_set():
                self._audience.newcomer()
                self._looks.append(self._audience.look())
                self._ended.wait(1 / LOOKS_PER_SECOND)
        except Exception as error:
            self._failures.append(error)

    def end(self) -> None:
        """Waits until the views are moved, and puts the checks on the screen's list."""
        try:
            sync = self._await_sync()
        finally:
            self._ended.set()
            self._watcher.join(60)
        if self._failures:
            raise LocalError(f"A viewer was turned away: {self._failures[0]!r}")
        after = self._audience.look()
        self._looks.append(after)
        halfway = next((look for look in self._looks if look.count["organic"]["synced"]), after)
        self._screen.tell("Parts", f"during  {_parts(halfway)}")
        self._screen.tell("", f"after   {_parts(after)}", f"epoch {sync['epoch']}: {sync['views']:,} views moved")
        shown = [look.organic for look in self._looks]
        synced, pending = after.count["organic"]["synced"], after.count["organic"]["pending"]
        self._screen.check(
            "every view that was accepted is shown, synced or pending",
            f"{synced:,} + {pending:,} = {self._audience.accepted:,}",
            holds=synced + pending == self._audience.accepted and synced == sync["views"] > 0,
        )
        self._screen.check(
            "no look during sync and boost was wrong, or lower than the one before",
            f"{len(shown):,} looks: {shown[0]:,} → {shown[-1]:,}",
            holds=all(look.is_right for look in self._looks) and shown == sorted(shown),
        )

    def _await_sync(self) -> Json:
        deadline = time.monotonic() + DONE_WITHIN_SECONDS
        while True:
            sync: Json = self._api.get("/api/admin/views/sync")
            if sync["epoch"] >= 1 and sync["phase"] == "done":
                return sync
            if time.monotonic() >= deadline:
                raise LocalError(
                    f"The sync is at epoch {sync['epoch']}, {sync['phase']}, after {DONE_WITHIN_SECONDS} s"
                )
            time.sleep(0.5)


def _parts(look: Look) -> str:
    organic, boosted = look.count["organic"], look.count["boosted"]
    total = look.count["view_count"]
    return f"{organic['synced']:>3,} synced + {organic['pending']:>3,} pending + {boosted:>5,} boosted = {total:>5,}"
