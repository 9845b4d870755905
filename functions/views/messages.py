"""The messages of the sync's queue. Only this module distinguishes their three kinds."""

import json
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any, Self

from sluice.errors import Unreadable


@dataclass(frozen=True)
class EpochStep:
    """One step of an epoch: the whole content of a queue message. With a day it also opens the epoch."""

    epoch: int
    step: int
    day: str | None = None

    @classmethod
    def of(cls, epoch: Any, step: Any, day: Any) -> Self:
        """Raises Unreadable."""
        try:
            if day is not None:
                date.fromisoformat(day)
            return cls(int(epoch), int(step), day)
        except (ValueError, TypeError) as error:
            raise Unreadable("The message names no step of an epoch") from error

    def body(self) -> str:
        """`{"epoch": 7, "step": 3}`, and `"day": "2026-11-20"` if there is one."""
        return json.dumps({name: value for name, value in vars(self).items() if value is not None})


@dataclass(frozen=True)
class Opening:
    """The schedule's message, which opens an epoch: when it was due."""

    at: datetime

    @classmethod
    def of(cls, scheduled_at: Any) -> Self:
        """Raises Unreadable for what names no moment."""
        try:
            at = datetime.fromisoformat(scheduled_at)
        except (ValueError, TypeError) as error:
            raise Unreadable("The message's scheduled_at is no time") from error
        if at.tzinfo is None:
            raise Unreadable("The message's scheduled_at names no time zone")
        return cls(at)


@dataclass(frozen=True)
class Page:
    """A message of a rebuild: the page to add next, and the shards that are rebuilt. Without a rebuild: begin one."""

    rebuild: str = ""
    shards: tuple[int, ...] = ()
    bucket: int = 0
    after: str = ""

    @classmethod
    def of(cls, fields: Any) -> Self:
        """Raises Unreadable."""
        try:
            page = cls(**fields)
            return replace(page, shards=tuple(int(shard) for shard in page.shards), bucket=int(page.bucket))
        except (ValueError, TypeError) as error:
            raise Unreadable("The message names no page of registered content") from error

    def body(self) -> str:
        """`{"registered": {"rebuild": "5f...", "shards": [3], "bucket": 0, "after": "story:123"}}`."""
        return json.dumps({"registered": asdict(self)})


type Message = EpochStep | Opening | Page


def parse(body: str) -> Message:
    """The message of a `body`: a step, `{"scheduled_at": "2026-11-21T00:00:00Z"}` or a page. Raises Unreadable."""
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Unreadable("The message is no JSON") from error
    match fields:
        case {"registered": page}:
            return Page.of(page)
        case {"scheduled_at": scheduled_at}:
            return Opening.of(scheduled_at)
        case {"epoch": epoch, "step": step}:
            return EpochStep.of(epoch, step, fields.get("day"))
    raise Unreadable("The message names no step of an epoch")
