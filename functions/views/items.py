"""The items of the views table that the sync and the reports know.

| id                       | part                            |                                                      |
|--------------------------|---------------------------------|------------------------------------------------------|
| sync                     | control                         | how far the present epoch is                         |
| sync:7                   | epoch                           | how the seventh went                                 |
| sync:7                   | failed#story:123                | what of it could not be applied                      |
| content#story#123        | 2026-11-20                      | its organic views of a day                           |
| days                     | 2026-11-20                      | the sum of that day over all contents                |
| content#story#123        | adjusted#01M7...                | a correction by hand                                 |
| refused#2026-11-20       | 08#cooldown+daily_viewed#story:123 | refusals of a content by rules in one hour        |
| refused_hours#2026-11-20 | 08#cooldown+daily_viewed        | their sum over all contents                          |
| viewer#...               | 2026-11-20#story:123            | a view that was taken while Redis was away           |
"""

from pynamodb.attributes import NumberAttribute, UnicodeAttribute, UTCDateTimeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from sluice.dynamodb import EnumAttribute, TableItem, transient_as_unavailable, values_of
from views.content import Content
from views.control import Control, Phase


class ViewsItem(TableItem):
    """An item of the views table."""

    class Meta(TableItem.Meta):
        pass


DAYS = "days"
"""The id of the platform's days."""


def id_of(content: Content) -> str:
    """`content#story#123`: the id of all items of a content."""
    return "#".join(("content", *content))


class ControlItem(ViewsItem):
    """How far an epoch is. `sync`, `control`: the present one; `sync:7`, `epoch`: how the seventh went."""

    epoch = NumberAttribute()
    phase = EnumAttribute(Phase)
    step = NumberAttribute()
    day = UnicodeAttribute()
    shards = NumberAttribute()
    opened_at = UTCDateTimeAttribute()
    closed_at = UTCDateTimeAttribute(null=True)
    committed_by = UnicodeAttribute(null=True)
    pages = NumberAttribute()
    contents = NumberAttribute()
    views = NumberAttribute()
    parked = NumberAttribute()
    refusals = NumberAttribute()
    folded = NumberAttribute()

    @classmethod
    def present(cls) -> Control | None:
        """How far the present epoch is, by a consistent read; None before the first one. Raises Unavailable."""
        return cls._read("sync", "control")

    @classmethod
    def past(cls, epoch: int) -> Control | None:
        """How a closed epoch went, by a consistent read. Raises Unavailable."""
        return cls._read(f"sync:{epoch}", "epoch")

    @classmethod
    def _read(cls, item_id: str, part: str) -> Control | None:
        with transient_as_unavailable():
            items = list(cls.query(item_id, cls.part == part, consistent_read=True))
        return Control(**values_of(items[0], Control)) if items else None


class DailyItem(ViewsItem):
    """`content#story#123`, `2026-11-20`: organic views of one content that were counted on one day."""

    views = NumberAttribute()


class PlatformDayItem(ViewsItem):
    """`days`, `2026-11-20`: a day of all contents together, written with each content's own."""

    views = NumberAttribute(default=0)
    adjusted = NumberAttribute(default=0)


class AdjustedItem(ViewsItem):
    """`content#story#123`, `adjusted#01M7...`: views that were added or taken away by hand, and why."""

    views = NumberAttribute()
    reason = UnicodeAttribute()
    actor = UnicodeAttribute()
    at = UTCDateTimeAttribute()


class RefusedItem(ViewsItem):
    """`refused#2026-11-20`, `08#cooldown+daily_viewed#story:123`: views of a content that these rules, and no others,
    refused in one hour. The content `*` stands for those that found no room of their own.
    """

    refusals = NumberAttribute()
    last_epoch = NumberAttribute()


class RefusedHourItem(ViewsItem):
    """`refused_hours#2026-11-20`, `08#cooldown+daily_viewed`: the sum of that hour's rows over all contents."""

    refusals = NumberAttribute()


class _ByUnfolded(GlobalSecondaryIndex["AwayItem"]):
    class Meta:
        index_name = "by_unfolded"
        projection = KeysOnlyProjection()

    unfolded = UnicodeAttribute(hash_key=True)
    content = UnicodeAttribute(range_key=True)


class AwayItem(ViewsItem):
    """`viewer#...`, `2026-11-20#story:123`: a view that was taken while Redis was away. It is `unfolded` until the sync
    has added it, or has found that Redis counted it too.
    """

    content = UnicodeAttribute()
    counted_at = UnicodeAttribute()
    unfolded = UnicodeAttribute(null=True)
    folded_epoch = NumberAttribute(null=True)
    expires_at = NumberAttribute(null=True)
    by_unfolded = _ByUnfolded()


class FailureItem(ViewsItem):
    """`sync:7`, `failed#story:123`: how often and why a content could not be applied in an epoch."""

    failures = NumberAttribute()
    reason = UnicodeAttribute()
    is_parked = NumberAttribute(null=True)
