"""The sync's part of the database: the control item, organic totals, daily rows, refusals, and what failed."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime

from pynamodb.expressions.condition import Condition
from pynamodb.transactions import TransactWrite

from sluice.dynamodb import Database, bind, read_batch, readable, setting, transient_as_unavailable, update_if
from sluice.errors import Unavailable
from sluice.totals import TotalItem
from views import keys, totals
from views.control import Control
from views.items import (
    DAYS,
    AwayItem,
    ControlItem,
    DailyItem,
    FailureItem,
    PlatformDayItem,
    RefusedHourItem,
    RefusedItem,
    ViewsItem,
    id_of,
)
from views.sync.applying import Added, AwayRow, ContentViews, Failure, MovedRefusals

UNFOLDED_BUCKETS = 16
_FAILED = "failed#"


class SyncStore:
    """`views.sync.epochs.EpochStore` on DynamoDB."""

    def __init__(self, views_table: str, totals_table: str) -> None:
        self._database = Database()
        bind(ViewsItem, views_table)
        bind(TotalItem, totals_table)

    def control(self) -> Control | None:
        return ControlItem.present()

    def move(self, before: Control | None, after: Control) -> bool:
        # The SDK sends again what got no answer: then it is this very write that keeps its copy from being done.
        return self._moved(before, after) or self.control() == after

    def _moved(self, before: Control | None, after: Control) -> bool:
        return update_if(
            ControlItem("sync", "control"),
            actions=setting(ControlItem, vars(after)),
            condition=_unmoved(before),
        )

    def record(self, epoch: Control) -> None:
        with transient_as_unavailable():
            ControlItem(f"sync:{epoch.epoch}", "epoch", **vars(epoch)).save()

    def epoch(self, number: int) -> Control | None:
        """How a closed epoch went."""
        return ControlItem.past(number)

    def failures(self, number: int) -> list[Failure]:
        """What could not be added in an epoch."""
        with transient_as_unavailable():
            of_failures = FailureItem.part.startswith(_FAILED)
            items = FailureItem.query(f"sync:{number}", of_failures, consistent_read=True)
            return list(readable(items, _failure))

    def apply(self, epoch: int, added: Sequence[ContentViews]) -> list[Added]:
        def fill(transaction: TransactWrite, together: Sequence[ContentViews]) -> None:
            for each in together:
                totals.add_organic(transaction, *keys.content_of(each.content), each.views, epoch)
                for day, views in each.by_day.items():
                    transaction.update(_daily(each.content, day), actions=[DailyItem.views.add(views)])
            _add_to_days(transaction, sum((Counter(each.by_day) for each in together), Counter()))

        return self._commit(added, fill)

    def add_refusals(self, epoch: int, added: Sequence[MovedRefusals]) -> list[Added]:
        def fill(transaction: TransactWrite, together: Sequence[MovedRefusals]) -> None:
            hours: Counter[tuple[str, str]] = Counter()
            for each in together:
                rules, content, day, hour = keys.refusal_of(each.field)
                hours[day, f"{hour}#{rules}"] += each.refusals
                transaction.update(
                    RefusedItem(f"refused#{day}", f"{hour}#{rules}#{content}"),
                    actions=[RefusedItem.refusals.add(each.refusals), RefusedItem.last_epoch.set(epoch)],
                    condition=RefusedItem.last_epoch.does_not_exist() | (RefusedItem.last_epoch < epoch),
                )
            for (day, part), refusals in hours.items():
                counter = RefusedHourItem(f"refused_hours#{day}", part)
                transaction.update(counter, actions=[RefusedHourItem.refusals.add(refusals)])

        return self._commit(added, fill)

    def unfolded(self, limit: int, without: Collection[str] = ()) -> list[AwayRow]:
        of_each = -(-limit // UNFOLDED_BUCKETS)
        with transient_as_unavailable():
            return [row for bucket in range(UNFOLDED_BUCKETS) for row in _unfolded(bucket, of_each, without)]

    def fold(self, epoch: int, rows: Sequence[AwayRow], ours: Collection[AwayRow], expires_at: int) -> bool:
        def fill(transaction: TransactWrite) -> None:
            added = [row for row in rows if row in ours]
            for content, views in Counter(row.content for row in added).items():
                totals.add_folded(transaction, *keys.content_of(content), views)
            for (content, day), views in Counter((row.content, row.day) for row in added).items():
                transaction.update(_daily(content, day), actions=[DailyItem.views.add(views)])
            _add_to_days(transaction, Counter(row.day for row in added))
            for row in rows:
                transaction.update(
                    AwayItem(*_away_key(row)),
                    actions=[
                        AwayItem.unfolded.remove(),
                        AwayItem.folded_epoch.set(epoch),
                        AwayItem.expires_at.set(expires_at),
                    ],
                    condition=AwayItem.unfolded.exists(),
                )

        return self._database.commit(fill)

    def still_unfolded(self, rows: Sequence[AwayRow]) -> dict[AwayRow, datetime | None]:
        keys_of_rows = [_away_key(row) for row in rows]
        found = dict(read_batch(AwayItem, keys_of_rows, lambda item: (_row(item), _unfolded_since(item))))
        return {row: found.get(row) for row in rows if row not in found or found[row]}

    def _commit[T](self, items: Sequence[T], fill_with: Callable[[TransactWrite, Sequence[T]], None]) -> list[Added]:
        """Commit all in one transaction; when that cannot be, each in one of its own, to know what became of it."""
        added: Added
        try:
            added = not items or self._database.commit(lambda transaction: fill_with(transaction, items))
        except Unavailable:
            raise
        except Exception as error:  # Told to the caller, who counts it.
            added = error
        if added is True:
            return [True] * len(items)
        return [added] if len(items) == 1 else [self._commit([each], fill_with)[0] for each in items]

    def count_failure(self, name: str, epoch: int, reason: str) -> int:
        item = FailureItem(f"sync:{epoch}", f"{_FAILED}{name}")
        with transient_as_unavailable():
            item.update(actions=[FailureItem.failures.add(1), FailureItem.reason.set(reason)])
        return int(item.failures)

    def report_parked(self, content: str, epoch: int) -> None:
        with transient_as_unavailable():
            FailureItem(f"sync:{epoch}", f"{_FAILED}{content}").update(actions=[FailureItem.is_parked.set(1)])


def _unmoved(before: Control | None) -> Condition:
    if before is None:
        return ControlItem.epoch.does_not_exist()
    unmoved: Condition = (ControlItem.epoch == before.epoch) & (ControlItem.step == before.step)
    return unmoved


def _unfolded(bucket: int, limit: int, without: Collection[str]) -> list[AwayRow]:
    """The first rows of a bucket, which is sorted by content, and has many rows of one that cannot be folded."""
    rows: list[AwayRow] = []
    behind = None
    while len(rows) < limit:
        page = [_row(item) for item in AwayItem.by_unfolded.query(str(bucket), behind, limit=limit - len(rows))]
        rows += [row for row in page if row.content not in without]
        if not page or page[-1].content not in without:
            break
        behind = AwayItem.content > page[-1].content
    return rows


def _daily(content: str, day: str) -> DailyItem:
    return DailyItem(id_of(keys.content_of(content)), day)


def _add_to_days(transaction: TransactWrite, by_day: Mapping[str, int]) -> None:
    """Add views to the platform's days, in the transaction that adds them to the days of their contents."""
    for day, views in by_day.items():
        transaction.update(PlatformDayItem(DAYS, day), actions=[PlatformDayItem.views.add(views)])


def _away_key(row: AwayRow) -> tuple[str, str]:
    return row.viewer, f"{row.day}#{row.content}"


def _unfolded_since(item: AwayItem) -> datetime | None:
    """When the view was taken; None when it is folded."""
    return datetime.fromisoformat(item.counted_at) if item.unfolded else None


def _failure(item: FailureItem) -> Failure:
    return Failure(item.part.removeprefix(_FAILED), int(item.failures), item.reason, bool(item.is_parked))


def _row(item: AwayItem) -> AwayRow:
    day, _, content = item.part.partition("#")
    return AwayRow(item.id, day, content)
