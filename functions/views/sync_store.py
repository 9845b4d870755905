"""The sync's part of the database: the control item, organic totals, daily rows, and what could not be applied."""

from pynamodb.attributes import NumberAttribute, UnicodeAttribute, UTCDateTimeAttribute
from pynamodb.expressions.condition import Condition

from sluice import totals
from sluice.dynamodb import Bound, bind, transient_as_unavailable, update_if
from sluice.totals import TotalItem
from views import keys
from views.epochs import Control, Phase


class ViewsItem(Bound):
    """An item of the views table. No id of the sync's own holds a `#`, as a content's does."""

    class Meta(Bound.Meta):
        pass

    id = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)


class ControlItem(ViewsItem):
    """How far an epoch is. `sync`, `control`: the present one; `sync:7`, `epoch`: how the seventh went."""

    epoch = NumberAttribute()
    phase = UnicodeAttribute()
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


class DailyItem(ViewsItem):
    """Organic views of one content (`story#123`) in the epochs of one day (`2026-11-20`)."""

    views = NumberAttribute()
    last_epoch = NumberAttribute()


class FailureItem(ViewsItem):
    """`sync:7`, `failed#story:123`: how often and why a content could not be applied in an epoch."""

    failures = NumberAttribute()
    reason = UnicodeAttribute()
    is_parked = NumberAttribute(null=True)


class SyncStore:
    """`views.epochs.Store` on DynamoDB."""

    def __init__(self, views_table: str, totals_table: str) -> None:
        bind(ViewsItem, views_table)
        bind(TotalItem, totals_table)

    def control(self) -> Control | None:
        with transient_as_unavailable():
            found = list(ControlItem.query("sync", ControlItem.part == "control", consistent_read=True))
        return _control(found[0]) if found else None

    def move(self, before: Control | None, after: Control) -> bool:
        return update_if(
            ControlItem("sync", "control"),
            actions=[
                ControlItem.epoch.set(after.epoch),
                ControlItem.phase.set(after.phase.value),
                ControlItem.step.set(after.step),
                ControlItem.day.set(after.day),
                ControlItem.shards.set(after.shards),
                ControlItem.opened_at.set(after.opened_at),
                ControlItem.closed_at.set(after.closed_at) if after.closed_at else ControlItem.closed_at.remove(),
                ControlItem.committed_by.set(after.committed_by)
                if after.committed_by
                else ControlItem.committed_by.remove(),
                ControlItem.pages.set(after.pages),
                ControlItem.contents.set(after.contents),
                ControlItem.views.set(after.views),
                ControlItem.parked.set(after.parked),
            ],
            condition=_unmoved(before),
        )

    def record(self, epoch: Control) -> None:
        item = ControlItem(f"sync:{epoch.epoch}", "epoch", **(vars(epoch) | {"phase": epoch.phase.value}))
        with transient_as_unavailable():
            item.save()

    def epoch(self, number: int) -> Control | None:
        """How a closed epoch went."""
        with transient_as_unavailable():
            found = list(ControlItem.query(f"sync:{number}", ControlItem.part == "epoch", consistent_read=True))
        return _control(found[0]) if found else None

    def apply(self, content: str, views: int, epoch: int) -> bool:
        return totals.add_organic(*keys.content_of(content), views, epoch)

    def apply_daily(self, content: str, day: str, views: int, epoch: int) -> bool:
        return update_if(
            DailyItem("#".join(keys.content_of(content)), day),
            actions=[DailyItem.views.add(views), DailyItem.last_epoch.set(epoch)],
            condition=DailyItem.last_epoch.does_not_exist() | (DailyItem.last_epoch < epoch),
        )

    def count_failure(self, content: str, epoch: int, reason: str) -> int:
        item = FailureItem(f"sync:{epoch}", f"failed#{content}")
        with transient_as_unavailable():
            item.update(actions=[FailureItem.failures.add(1), FailureItem.reason.set(reason)])
        return int(item.failures)

    def report_parked(self, content: str, epoch: int) -> None:
        with transient_as_unavailable():
            FailureItem(f"sync:{epoch}", f"failed#{content}").update(actions=[FailureItem.is_parked.set(1)])


def _unmoved(before: Control | None) -> Condition:
    if before is None:
        return ControlItem.epoch.does_not_exist()
    unmoved: Condition = (ControlItem.epoch == before.epoch) & (ControlItem.step == before.step)
    return unmoved


def _control(item: ControlItem) -> Control:
    return Control(
        epoch=int(item.epoch),
        phase=Phase(item.phase),
        step=int(item.step),
        day=item.day,
        shards=int(item.shards),
        opened_at=item.opened_at,
        closed_at=item.closed_at,
        committed_by=item.committed_by,
        pages=int(item.pages),
        contents=int(item.contents),
        views=int(item.views),
        parked=int(item.parked),
    )
