"""What others may show of the boosts' table: boosted views of the platform by day, as the caps count them."""

from collections.abc import Iterable
from datetime import date

from pynamodb.attributes import NumberAttribute

from sluice.dynamodb import TableItem, read_batch

USAGE = "usage"


class DayAttributes:
    """The day counters of a month's use: `d07`, executed on the seventh; `r07`, taken back on it.

    Not a model, as `sluice.chained.ChainedAttributes`. They are flat, because ADD into a missing map is an error; and
    PynamoDB drops what is not declared.
    """

    d01, d02, d03, d04, d05, d06, d07, d08 = (NumberAttribute(null=True) for _ in range(8))
    d09, d10, d11, d12, d13, d14, d15, d16 = (NumberAttribute(null=True) for _ in range(8))
    d17, d18, d19, d20, d21, d22, d23, d24 = (NumberAttribute(null=True) for _ in range(8))
    d25, d26, d27, d28, d29, d30, d31 = (NumberAttribute(null=True) for _ in range(7))
    r01, r02, r03, r04, r05, r06, r07, r08 = (NumberAttribute(null=True) for _ in range(8))
    r09, r10, r11, r12, r13, r14, r15, r16 = (NumberAttribute(null=True) for _ in range(8))
    r17, r18, r19, r20, r21, r22, r23, r24 = (NumberAttribute(null=True) for _ in range(8))
    r25, r26, r27, r28, r29, r30, r31 = (NumberAttribute(null=True) for _ in range(7))

    @classmethod
    def executed_on(cls, day: int) -> NumberAttribute:
        """The counter of the views that were executed on a day of the month."""
        counter: NumberAttribute = getattr(cls, f"d{day:02d}")
        return counter

    @classmethod
    def taken_back_on(cls, day: int) -> NumberAttribute:
        """The counter of the views that were taken back on a day of the month."""
        counter: NumberAttribute = getattr(cls, f"r{day:02d}")
        return counter


class BoostedDaysItem(DayAttributes, TableItem):
    """A month's use in the boosts table, as others read it: the days alone."""

    class Meta(TableItem.Meta):
        pass

    def on(self, day: int) -> int:
        """Boosted views of a day of the month; below 0 if more were taken back."""
        return int(getattr(self, f"d{day:02d}") or 0) - int(getattr(self, f"r{day:02d}") or 0)


def usage_id(month: str) -> str:
    """The id of a month's use (`2026-11`)."""
    return f"{USAGE}#{month}"


def read_days(days: Iterable[date]) -> dict[date, int]:
    """Boosted views of the platform on each day, consistently; 0 where there were none. Raises Unavailable.

    A month that cannot be read has none, and is logged for OperationsUnreadableRowsAlarm.
    """
    wanted = list(days)
    months = list(dict.fromkeys(usage_id(f"{day:%Y-%m}") for day in wanted))
    found = dict(read_batch(BoostedDaysItem, [(each, USAGE) for each in months], lambda item: (item.id, item)))
    items = [(day, found.get(usage_id(f"{day:%Y-%m}"))) for day in wanted]
    return {day: item.on(day.day) if item else 0 for day, item in items}
