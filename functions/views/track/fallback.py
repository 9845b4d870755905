"""Counts a view in the database while Redis is away, for the next sync to fold in. botocore is imported at first use.

A row for each viewer, content and day is all that is remembered, so it is all that is asked (S2-33): once per day holds
whether that rule is on or off, and cooldown, session and daily limit do not. What Redis counted is not known here: the
sync asks Redis before it adds a row's view.
"""

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from sluice.clock import rfc3339
from sluice.errors import Unavailable
from views import keys
from views.rules import COUNTED, DAILY_VIEWED, Calendar, Decision

READ_SECONDS = 1.0
SECONDS = 2.5
"""For all views of one call: with a connection and an answer as late as may be, still less than the function has."""


class Fallback:
    """Puts rows into the views table. `connect` makes botocore's DynamoDB client, when it is first needed.

    `seconds` is a clock that never goes back.
    """

    def __init__(
        self,
        table: str,
        zone: ZoneInfo,
        connect: Callable[[], Any] | None = None,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._table = table
        self._zone = zone
        self._calendar = Calendar(zone)
        self._client = cache(connect or _dynamodb)
        self._seconds = seconds

    def track_many(self, viewer: str, contents: Sequence[tuple[str, str]], now: datetime) -> list[Decision]:
        """As `track`, for a viewer's views one after another. Raises Unavailable, also when it is slow."""
        client, ends = self._client(), self._seconds() + SECONDS
        decisions = []
        for content in contents:
            if self._seconds() > ends:
                raise Unavailable("Neither Redis nor the database counts views in time")
            decisions.append(self._put(client, viewer, keys.content_field(*content), now))
        return decisions

    def track(self, viewer: str, content_type: str, content_id: str, now: datetime) -> Decision:
        """Count a view, once a day. Raises Unavailable, and then it may or may not be counted: never twice, though."""
        return self.track_many(viewer, [(content_type, content_id)], now)[0]

    def _put(self, client: Any, viewer: str, content: str, now: datetime) -> Decision:
        from botocore.exceptions import BotoCoreError, ClientError

        day = now.astimezone(self._zone).date().isoformat()
        item = {
            "id": f"viewer#{viewer}",
            "part": f"{day}#{content}",
            "content": content,
            # Where the sync looks for it, whatever the number of shards in Redis.
            "unfolded": str(keys.shard_of(viewer)),
            "counted_at": rfc3339(now),
        }
        try:
            client.put_item(
                TableName=self._table,
                Item={name: {"S": value} for name, value in item.items()},
                ConditionExpression="attribute_not_exists(id)",
            )
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "ConditionalCheckFailedException":
                moment = self._calendar.moment(now)
                return Decision.after((DAILY_VIEWED,), moment.day_end - moment.now)
            raise _neither_counts(error) from error
        except BotoCoreError as error:
            raise _neither_counts(error) from error
        return COUNTED


def _neither_counts(error: Exception) -> Unavailable:
    from sluice import aws

    return Unavailable(f"Neither Redis nor the database counts views: {aws.why('DynamoDB', error)}")


def _dynamodb() -> Any:
    from sluice import aws

    # Once: a caller who is told to come back gets the same answer a moment later as from a second attempt here.
    return aws.client("dynamodb", read_seconds=READ_SECONDS, attempts=1)
