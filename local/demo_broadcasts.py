"""The demo's broadcasts: two campaigns on one number, lost answers, a throttle, an opt-out, a pause; nobody twice."""

import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from local.api import Api, Json
from local.demo_beside import PartBeside
from local.errors import LocalError
from local.fakes.http import TOKEN
from local.fakes.messages import Call, Fault
from local.fakes.webhooks import JWT_KEY
from local.fakes.whatsapp import FakeWhatsApp, Hook
from local.sponsors import DONE_WITHIN_SECONDS, Sponsors
from local.stack import EmbeddedStack
from sluice.clock import SystemClock

OWNER = "lumen"
PEOPLE = 100
"""Of each of the two campaigns."""
RATE = 600
"""Messages a minute of the number, and of each campaign."""
WINDOW_SECONDS, SLACK_SECONDS = 10, 4
AT_MOST = (WINDOW_SECONDS + SLACK_SECONDS) * RATE // 60 + RATE // 60
"""Messages in any window of so many seconds: the promise of docs/broadcasts.md, (W + slack) / T + k."""
PARAMETERS = {"MaxRatePerMinute": str(RATE), "WorkerConcurrency": "2"}
"""Of the demo's own stack: its provider is faster than a stack allows by default, and shares its cores."""
CAMPAIGNS = "/api/campaigns"
STILL_SECONDS = 2


class BroadcastsPart(PartBeside):
    """Two campaigns through one number at an Evolution API on this machine."""

    name = "broadcasts"

    def __init__(self, stack: EmbeddedStack, screen: Any) -> None:
        super().__init__(screen)
        self._people = Sponsors(stack)
        self._fake = FakeWhatsApp(SystemClock())

    @property
    def _owner(self) -> Api:
        return self._people.api(OWNER)

    def play(self) -> None:
        with self._fake.running() as host:
            first, second = (
                self._campaign(name, at, self._instance(host)) for at, name in enumerate(("Winter", "Sale"))
            )
            self._send(first, second)

    def _instance(self, host: str) -> str:
        """The id of the number's instance, which both campaigns use."""
        found = self._owner.get("/api/instances")["items"]
        if found:
            return str(found[0]["id"])
        keys = {"apiKey": TOKEN, "jwtKey": JWT_KEY}
        about = {"name": "Shop", "provider": "evolution", "address": "shop", "baseUrl": f"http://{host}"}
        made = self._owner.post("/api/instances", {**about, "credentials": keys})
        self._people.admin.put(f"/api/instances/{made['id']}", {"rateLimit": RATE})
        url = f"{self._people.stack.api_url}/webhooks/evolution/{made['id']}"
        self._fake.hooks["evolution", "shop"] = Hook(url, JWT_KEY)
        return str(made["id"])

    def _campaign(self, name: str, number: int, instance: str) -> str:
        """The path of a campaign of a hundred people."""
        phones = [phone_of(number, each) for each in range(PEOPLE)]
        people = [{"phone": phone, "variables": {"name": f"friend {at}"}} for at, phone in enumerate(phones)]
        terms = {"name": name, "instanceId": instance, "message": "Hi {{name}}, winter is here", "rateLimit": RATE}
        made = self._owner.post(CAMPAIGNS, {**terms, "recipients": people})
        return f"{CAMPAIGNS}/{made['id']}"

    def _send(self, first: str, second: str) -> None:
        messages = self._fake.messages
        for phone in (phone_of(0, 10), phone_of(1, 20)):
            messages.script(Fault.LOST, to=phone)
        messages.script(Fault.THROTTLED, to=phone_of(1, 30))
        # A delivery is told of the first campaign alone: two hundred webhooks show what four hundred would.
        for each in range(PEOPLE):
            if each not in (20, 30):
                messages.script(Fault.WEBHOOK_NEVER, to=phone_of(1, each))
        leaver = phone_of(0, PEOPLE - 1)
        for path in (first, second):
            self._owner.post(f"{path}/actions", {"action": "start"})
        self._screen.tell(
            "Broadcast",
            f"{OWNER} starts 2 campaigns of {PEOPLE} people on one number, at {RATE} a minute together",
            first.rpartition("/")[2],
        )
        self._until(first, lambda seen: seen["sentCount"] > 0)  # the later it pauses, the nearer is the end
        paused = self._owner.post(f"{first}/actions", {"action": "pause"})
        self._fake.inbound("evolution", "shop", leaver, "Sair!")
        in_flight, still = self._watch(first)
        self._until_of("/api/suppressions", lambda seen: seen["items"])
        self._owner.post(f"{first}/actions", {"action": "resume"})
        self._screen.tell(
            "Pause",
            f"the first answers at {paused['sentCount']} of {PEOPLE} sent, {paused['inFlight']} in flight",
            f"{still} sent {STILL_SECONDS} s later",
        )
        self._screen.tell("Opt out", f"{leaver} writes Sair! meanwhile, and is on the list of the suppressed")
        ended = [self._until(path, lambda seen: seen["status"] == "COMPLETED") for path in (first, second)]
        delivered = self._until(first, lambda seen: seen["deliveredCount"] >= seen["sentCount"])
        self._check(ended, delivered, leaver, paused, in_flight, still)

    def _check(self, ended: list[Json], delivered: Json, leaver: str, paused: Json, in_flight: int, still: int) -> None:
        calls = self._fake.messages.accepted()
        by_phone = Counter(call.to for call in calls)
        sent = sum(each["sentCount"] for each in ended)
        total = sum(each["totalRecipients"] for each in ended)
        skipped = sum(each["skippedCount"] for each in ended)
        faults = Counter(call.fault for call in self._fake.messages.calls)
        lost, throttled = faults[Fault.LOST], faults[Fault.THROTTLED]
        self._screen.tell(
            "Sent",
            f"{sent} of {total}, {skipped} skipped",
            f"{lost} answers were lost, and found by a look; {throttled} was throttled, and came again",
        )
        self._screen.tell(
            "Delivered",
            f"{delivered['deliveredCount']} of the first campaign's, by signed webhooks",
            "the second has none",
        )
        self._screen.check(
            "nobody gets a message twice, though answers were lost",
            f"{len(calls)} messages to {len(by_phone)} people, {lost} lost answers, {throttled} throttled, {sent} sent",
            holds=max(by_phone.values()) == 1 and len(calls) == sent and (lost, throttled) == (2, 1),
        )
        most = most_within(calls, timedelta(seconds=WINDOW_SECONDS))
        self._screen.check(
            "the number's rate holds over both campaigns",
            f"{most} in the fullest {WINDOW_SECONDS} s, {AT_MOST} allowed",
            holds=most <= AT_MOST,
        )
        self._screen.check(
            "who opted out gets nothing, and everybody else does",
            f"{by_phone[leaver]} to {leaver[-4:]}; {sent} sent + {skipped} skipped = {total}",
            holds=by_phone[leaver] == 0 and skipped == 1 and sent + skipped == total,
        )
        self._screen.check(
            "after the pause was answered nothing new was claimed",
            f"{paused['sentCount']} sent + {paused['inFlight']} in flight → {still} sent",
            holds=in_flight == 0 and paused["sentCount"] <= still <= paused["sentCount"] + paused["inFlight"],
        )
        self._screen.check(
            "each delivery that the provider told of is counted once",
            f"{delivered['deliveredCount']} of {delivered['sentCount']}",
            holds=delivered["deliveredCount"] == delivered["sentCount"],
        )

    def _watch(self, path: str) -> tuple[int, int]:
        """What is in flight and what was sent, some time after the pause."""
        self._until(path, lambda seen: not seen["inFlight"])
        time.sleep(STILL_SECONDS)
        seen = self._owner.get(f"{path}/progress")
        return int(seen["inFlight"]), int(seen["sentCount"])

    def _until(self, path: str, holds: Callable[[Json], Any]) -> Json:
        """The progress of a campaign, once it is so."""
        return self._until_of(f"{path}/progress", holds)

    def _until_of(self, path: str, holds: Callable[[Json], Any]) -> Json:
        deadline = time.monotonic() + DONE_WITHIN_SECONDS
        while not holds(seen := self._owner.get(path)):
            if time.monotonic() > deadline:
                raise LocalError(f"{path} is, after {DONE_WITHIN_SECONDS} s: {seen}")
            time.sleep(1 / self._people.looks_per_second)
        return seen


def phone_of(campaign: int, number: int) -> str:
    """A phone that is nobody's: `5511900010042`."""
    return f"55119{campaign:04d}{number:04d}"


def most_within(calls: list[Call], window: timedelta) -> int:
    """The most calls in any window of that length."""
    times = sorted(call.began_at for call in calls)
    return max((sum(begin <= each < begin + window for each in times) for begin in times), default=0)
