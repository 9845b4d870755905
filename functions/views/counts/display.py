"""Shows contents' views exactly; while Redis is away, only the database's, marked as degraded (S2-33)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from aws_lambda_powertools import Logger

from views.breaker import Breaker
from views.content import Content
from views.counts.reading import Count, Reader, SyncedTotals
from views.held import RedisAway

logger = Logger(child=True)


class Source(StrEnum):
    """One of the two places that views are counted from."""

    DATABASE = "database"
    REDIS = "redis"


@dataclass
class Display:
    """Shows counts. `connect` gives a reader when one is needed: at first, and after each failure of Redis."""

    connect: Callable[[], Reader]
    totals: Callable[[Sequence[Content]], Mapping[Content, SyncedTotals]]
    breaker: Breaker
    _reader: Reader | None = field(default=None, init=False)

    def show(self, contents: Sequence[Content], source: Source | None = None) -> dict[Content, Count]:
        """The views of each content by their parts; with a `source`, only the parts that it has.

        Raises Unavailable when the database does not answer, or when Redis is the `source` and does not answer.
        """
        match source:
            case Source.DATABASE:
                return self._by_database(contents, is_degraded=False)
            case Source.REDIS:
                return {content: Count(0, count.pending, 0) for content, count in self._exactly(contents).items()}
        try:
            return self._exactly(contents)
        except RedisAway:
            return self._by_database(contents, is_degraded=True)

    def _exactly(self, contents: Sequence[Content]) -> dict[Content, Count]:
        if wait := self.breaker.open_seconds:
            raise RedisAway("Redis failed a moment ago and is left alone", wait)
        try:
            if self._reader is None:
                self._reader = self.connect()
            return self._reader.read(contents)
        except RedisAway as error:
            logger.warning("Redis is away: counts come from the database", exc_info=error)
            self._reader = None
            self.breaker.trip()
            raise

    def _by_database(self, contents: Sequence[Content], *, is_degraded: bool) -> dict[Content, Count]:
        totals = self.totals(contents)
        return {of: Count(total.organic, 0, total.boosted, is_degraded) for of, total in totals.items()}
