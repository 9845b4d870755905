"""What the screens have to show."""

from dataclasses import dataclass
from uuid import uuid4

from local.sample import Sample, Sizes
from tests.deployed import StackUnderTest

NOBODY = "http://127.0.0.1:9/hooks"
"""Where nothing listens."""


@dataclass(frozen=True)
class Seeded:
    """Ids, for the addresses of screens."""

    boost: str
    video: str
    sponsorship: str
    streamer: str
    promotion: str
    broadcast: str
    hook: str
    delivery: str


def seed(stack: StackUnderTest) -> Seeded:
    """A few of each: one boost runs over days, one has ended, one has not begun; the rest has gone on or goes on."""
    with Sample(stack.embedded, Sizes()) as sample:
        hook, delivery = sample.hook(NOBODY, "boost.*", "promotion.settled")
        sponsorship = sample.sponsorship()
        promotion = sample.promotion()
        broadcast = sample.broadcast()
        video = sample.views(f"video-{uuid4().hex[:8]}")
        sample.sync()
        boost = sample.boost(video, 9_000, 30, "execute")
        sample.boost("teaser", 1_000, 1, "execute", daily_limit=1_000)
        sample.boost("trailer", 4_000, 14, pattern="burst", daily_limit=600)
    return Seeded(boost, video, sponsorship.id, "nina", promotion, broadcast, hook, delivery)
