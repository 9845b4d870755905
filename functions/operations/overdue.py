"""Finding campaigns whose step is overdue, and waking them: liveness rests on this, safety never does."""

from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import datetime, timedelta
from itertools import chain

from aws_lambda_powertools import Logger
from pynamodb.exceptions import DoesNotExist

from sluice import platform
from sluice.chained import PART, ChainedItem
from sluice.clock import Clock
from sluice.dynamodb import readable, update_if
from sluice.errors import Unavailable
from sluice.platform import PlatformItem

logger = Logger(child=True)

# A message that is due is on its way: only one that is later than this is missed.
_ON_ITS_WAY = timedelta(seconds=10)
_AGAIN_AFTER = timedelta(minutes=5)
_AGAIN_AT_MOST = timedelta(hours=4)


def ids(items: type[ChainedItem], live: Collection[str], now: datetime, most: int | None = None) -> Iterator[str]:
    """The ids of one table's overdue campaigns in `live` statuses, `most` of each, as the index knows them."""
    before = items.wake_at < now - _ON_ITS_WAY
    found = chain.from_iterable(items.by_wake.query(status, before, limit=most) for status in live)
    return readable(found, lambda campaign: str(campaign.id))


class Overdue:
    """The overdue campaigns of one context's table: those in a `live` status have a next step."""

    def __init__(
        self,
        items: type[ChainedItem],
        live: Collection[str],
        platform_items: type[PlatformItem],
        send: Callable[[str, int], None],
        clock: Clock,
        settles: Collection[str] = (),
    ) -> None:
        self._items = items
        self._live = live
        self._platform_items = platform_items
        self._send = send
        self._clock = clock
        self._settles = settles

    def wake(self) -> int:
        """Send the step of each overdue campaign to its queue; returns how many.

        A claim comes before each send, and is due again only after 5 minutes, then 10, 20, ... at most 4 hours, until
        the next commit: so a campaign that cannot go on is not flooded with messages. `step` is never bumped.
        While the platform is stopped, campaigns are late on purpose: only those in a status of `settles` are woken, for
        a step of theirs settles what is in flight and begins nothing.
        One that cannot be woken does not hold up the others. Raises Unavailable at the end if there were any.
        """
        live = self._live
        if platform.read(self._platform_items).is_stopped:
            logger.info("The platform is stopped: only what settles is woken")
            live = self._settles
        now = self._clock.now()
        woken, failures = 0, 0
        for campaign_id in ids(self._items, live, now):
            try:
                woken += self._claim_and_send(campaign_id, live, now)
            except Exception:  # whatever is wrong with this one
                logger.exception("Not woken", campaign_id=campaign_id)
                failures += 1
        if failures:
            raise Unavailable(f"{failures} overdue campaigns could not be woken, {woken} could")
        return woken

    def _claim_and_send(self, campaign_id: str, live: Collection[str], now: datetime) -> bool:
        try:
            campaign = self._items.get(campaign_id, PART, consistent_read=True)
        except DoesNotExist:
            return False
        if campaign.status not in live or campaign.wake_at is None or campaign.wake_at >= now - _ON_ITS_WAY:
            return False  # The index lags behind its table.
        if campaign.sweeps and campaign.sweep_at and now < campaign.sweep_at:
            return False
        if not claim(campaign, now):
            return False  # It went on by itself, or another sweeper has it.
        self._send(campaign_id, int(campaign.step))
        sweeps = int(campaign.sweeps) + 1
        logger.warning("Woken: its step was overdue", campaign_id=campaign_id, step=campaign.step, sweeps=sweeps)
        return True


def claim(campaign: ChainedItem, now: datetime) -> bool:
    """Claim a campaign, which no other sweeper then wakes before its time; False when it has changed since.

    The policy lists every attribute that is named here: a rule in tests/template compares the two.
    """
    items, sweeps = type(campaign), int(campaign.sweeps)
    again_after = min(_AGAIN_AFTER * 2 ** min(sweeps, 10), _AGAIN_AT_MOST)
    return update_if(
        campaign,
        [items.sweeps.set(sweeps + 1), items.sweep_at.set(now + again_after)],
        (items.step == campaign.step) & (items.sweeps == campaign.sweeps),
    )


def wake_all(contexts: Iterable[Overdue]) -> int:
    """Wake the overdue campaigns of every context; returns how many.

    What is wrong with one context keeps no other asleep. Raises the first error at the end, if there was any.
    """
    woken = 0
    failures: list[Exception] = []
    for context in contexts:
        try:
            woken += context.wake()
        except Exception as error:  # whatever is wrong with this one
            failures.append(error)
    for failure in failures[1:]:
        logger.error("Overdue campaigns were not woken", exc_info=failure)
    if failures:
        raise failures[0]
    return woken
