"""Something of every context on a stack, for tests in a browser and for pictures. All of it by calls of the API."""

from contextlib import closing
from dataclasses import dataclass
from typing import Any, Self

from local.api import Api, Json
from local.demo_views import BOT, Audience
from local.sponsors import Campaign, Sponsors
from local.stack import EmbeddedStack

BOOSTS, PROMOTIONS, BROADCASTS = "/api/admin/fake-views", "/v2/campaigns", "/api/campaigns"
HOOKS = "/api/admin/hooks"
ADVERTISER, PROMOTER, SENDER = "acme", "orbit", "lumen"
STREAMERS = ("nina", "omar", "pia")
LIKES = ("mia", "leo", "zoe", "ada")
SCRIPTS = ("90001", "90014", "90015", "90010")
"""Phones of the sandbox that end in these are refused, never delivered, read, and of unknown outcome."""


@dataclass(frozen=True)
class Sizes:
    """How much of it."""

    viewers: int = 6
    impressions: int = 40
    recipients: int = 12


@dataclass
class Sample:
    """Each method makes one context's, and returns the id of what its screen shows best."""

    stack: EmbeddedStack
    sizes: Sizes

    def __post_init__(self) -> None:
        self._people = Sponsors(self.stack)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._people.close()

    @property
    def admin(self) -> Api:
        return self._people.admin

    def boost(self, video: str, total: int, days: int, *commands: str, **terms: Any) -> str:
        """A boost to which the commands are given."""
        order = {"video_id": video, "total_count": total, "duration_days": days, "pattern": "steady"}
        made = self.admin.post(BOOSTS, {**order, "daily_limit": total // days + 100, **terms})
        for each in commands:
            self.admin.post(f"{BOOSTS}/{made['id']}/{each}")
        return str(made["id"])

    def views(self, video: str, viewers: int | None = None, after: int = 0) -> str:
        """By new viewers, after those before. Of each one counts; every third comes again, and a crawler comes too."""
        with closing(Audience(self.stack.api_url, video, came=after)) as audience:
            for number in range(after + 1, after + (viewers or self.sizes.viewers) + 1):
                audience.newcomer()
                if number % 3 == 0:
                    audience.again(number)
            audience.view(BOT)
        self.admin.put(f"/api/admin/content/video/{video}", {"title": video, "owner": ADVERTISER})
        return video

    def sync(self) -> None:
        """Begin to move the pending views; the first takes some 16 s."""
        self.admin.post("/api/admin/views/sync")

    def sponsorship(self, name: str = "Winter sale") -> Campaign:
        """A campaign that pays two streamers: one has seen half of its viewers, one a few, one has not begun."""
        target = 2 * self.sizes.impressions
        budget = target * 165 * len(STREAMERS)
        self._people.deposit(budget)
        campaign = self._people.start(target, budget, {"name": name, "milestones": [self.sizes.impressions]})
        for streamer, share in zip(STREAMERS, (2, 4, 0), strict=True):
            self._people.join(campaign, streamer)
            if share:
                self._impressions(campaign, streamer, self.sizes.impressions // share)
        return campaign

    def _impressions(self, campaign: Campaign, streamer: str, number: int) -> None:
        for start in range(0, number, 50):
            viewers = [f"{streamer} {each}" for each in range(start, min(start + 50, number))]
            wanted = {"streamer_id": streamer, "viewers": viewers}
            answer = self._people.platform.post(f"{campaign.path}/impressions/tokens", wanted)
            self._people.send(campaign, [each["token"] for each in answer["tokens"]])

    def promotion(self, title: str = "Winter is here") -> str:
        """A promotion that runs, and whose posts people liked."""
        deposit = {"amount": 20_000, "currency": "USD", "reference": "sample"}
        self.admin.post(f"/api/v1/wallets/{PROMOTER}/deposits", deposit)
        owner = self._people.api(PROMOTER)
        owner.put("/v2/connections/sandbox", {"token": PROMOTER})
        texts = [f"{title} #ad", "All of it is at https://example.com"]
        terms = {"title": title, "network": "sandbox", "texts": texts, "budget": 10_000, "currency": "USD"}
        made = owner.post(PROMOTIONS, {**terms, "duration_minutes": 24 * 60})
        path = f"{PROMOTIONS}/{made['id']}"
        owner.post(f"{path}/publish", {})
        running = self._people.until(path, lambda seen: seen["status"] != "CampaignPending" or seen["error"])
        about = {"created_at": "2020-01-01T00:00:00Z", "followers": 100, "following": 50}
        for handle in LIKES:
            self.admin.put(f"/v2/sandbox/accounts/{handle}", about)
        self.admin.put(f"/v2/sandbox/posts/{running['tweet_id']}/engagement", {"like": LIKES, "repost": LIKES[:2]})
        functions, name = self.stack.deployed.client("lambda"), "PromotionsTrackingScheduleFunction"
        functions.invoke(FunctionName=self._people.resources[name], Payload=b"{}")
        return str(made["id"])

    def broadcast(self, name: str = "Winter news", *, is_started: bool = True) -> str:
        """A campaign at the sandbox, with some of everything that can happen to a message."""
        owner = self._people.api(SENDER)
        phones = [f"55119{at:03d}10000" for at in range(self.sizes.recipients - len(SCRIPTS))]
        phones += [f"55119{at:03d}{script}" for at, script in enumerate(SCRIPTS)]
        people = [{"phone": phone, "variables": {"name": f"friend {at}"}} for at, phone in enumerate(phones)]
        terms = {"name": name, "instanceId": self._instance(owner), "message": "Hi {{name}}, winter is here"}
        made = owner.post(BROADCASTS, {**terms, "recipients": people})
        if is_started:
            owner.post(f"{BROADCASTS}/{made['id']}/actions", {"action": "start"})
        return str(made["id"])

    def hook(self, url: str, *events: str, description: str = "An example") -> tuple[str, str]:
        """An endpoint, and the delivery of a test to it, once an attempt was made."""
        made = self.admin.post(HOOKS, {"url": url, "events": list(events), "description": description})
        path = f"{HOOKS}/{made['id']}"
        self.admin.post(f"{path}/test")
        found = self._people.until(f"{path}/deliveries", lambda seen: any(each["attempts"] for each in seen["items"]))
        return str(made["id"]), str(found["items"][-1]["id"])

    def _instance(self, owner: Api) -> str:
        found: list[Json] = owner.get("/api/instances")["items"]
        about = {"name": "Shop", "provider": "sandbox", "address": SENDER}
        return str((found or [owner.post("/api/instances", about)])[0]["id"])
