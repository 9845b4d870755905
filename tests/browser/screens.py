"""All screens of the console, in one place: a new screen is one line here."""

import re
from dataclasses import dataclass

from tests.browser.seed import Seeded


@dataclass(frozen=True)
class Screen:
    """One screen, as the navigation or a link leads to it."""

    address: str
    """Below `#/`; names in braces are Seeded's."""
    heading: str
    """Its first heading begins with it. The heading of a detail is what it is of."""
    empties: str | None = None
    """Of a list: the path, below the API, whose answer it shows; as a pattern."""
    reads: bool = True
    """False for a form that shows nothing of the API before it is sent."""
    is_refused: bool = False
    """True where a 404 is an ordinary answer, such as for what is not connected yet: a browser logs it as an error."""

    def of(self, seeded: Seeded) -> str:
        return self.address.format(**vars(seeded))

    @property
    def title(self) -> re.Pattern[str]:
        return re.compile(f"^{self.heading}")


SCREENS = (
    Screen("overview", "Overview"),
    Screen("boosts", "Boosts", empties="/api/admin/fake-views"),
    Screen("boosts/new", "New boost", reads=False),
    Screen("boosts/{boost}", ""),
    Screen("broadcasts", "Broadcasts", empties="/api/campaigns"),
    Screen("broadcasts/new", "New broadcast"),
    Screen("broadcasts/instances", "Numbers", empties="/api/instances"),
    Screen("broadcasts/templates", "Templates", empties="/api/templates"),
    Screen("broadcasts/optouts", "Opt-outs", empties="/api/suppressions"),
    Screen("broadcasts/limits", "Limits"),
    Screen("broadcasts/{broadcast}", "Winter news"),
    Screen("sponsorships", "Sponsorships", empties="/api/v1/campaigns"),
    Screen("sponsorships/new", "New sponsorship", reads=False),
    Screen("sponsorships/{sponsorship}", "Winter sale"),
    Screen("sponsorships/{sponsorship}/{streamer}", "nina"),
    Screen("promotions", "Promotions", empties="/v2/campaigns"),
    Screen("promotions/new", "New promotion", reads=False, is_refused=True),
    Screen("promotions/connections", "Networks and accounts", is_refused=True),
    Screen("promotions/{promotion}", "Winter is here"),
    Screen("views", "Views"),
    Screen("views/video/{video}", "", is_refused=True),
    Screen("try", "Try", reads=False),
    Screen("sync", "Sync"),
    Screen("refusals", "Refusals"),
    Screen("wallets", "Wallets"),
    Screen("hooks", "Webhooks", empties="/api/admin/hooks"),
    Screen("hooks/new", "New endpoint", reads=False),
    Screen("hooks/{hook}", "127.0.0.1:9/hooks"),
    Screen("hooks/{hook}/deliveries/{delivery}", "hook.test"),
    Screen("audit", "Audit", empties="/api/admin/audit"),
    Screen("audit/{boost}", ""),
)
