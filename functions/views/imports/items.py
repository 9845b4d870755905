"""The items of the views table that imports have.

| id       | part              |                                                                          |
|----------|-------------------|--------------------------------------------------------------------------|
| imp_...  | campaign          | the import itself: a campaign, as the step chain and the sweeper know it |
| imp_...  | rows#000001       | a chunk of its rows                                                      |
| imp_...  | skipped#000000042 | its 42nd row, which was not applied, and why                             |
| imports  | imp_...           | so that imports are listed, newest first                                 |
| platform | campaign          | whether the platform is stopped (the kernel's)                           |
"""

from dataclasses import fields

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute, UTCDateTimeAttribute

from sluice.chained import PART
from views.imports.campaign import Import, ImportStatus
from views.items import ViewsItem


class ImportItem(ViewsItem):
    """An import, or the platform's copy read beside it; each attribute is the field of that name."""

    name = UnicodeAttribute()
    created_at = UTCDateTimeAttribute()
    created_by = UnicodeAttribute()
    updated_at = UTCDateTimeAttribute()
    status = UnicodeAttribute()
    chunks = NumberAttribute()
    rows = NumberAttribute()
    applied = NumberAttribute()
    skipped = NumberAttribute()
    views = NumberAttribute()
    started_at = UTCDateTimeAttribute(null=True)
    ended_at = UTCDateTimeAttribute(null=True)
    chunk = NumberAttribute()
    chunk_done = NumberAttribute()
    step = NumberAttribute()
    wake_at = UTCDateTimeAttribute(null=True)
    committed_by = UnicodeAttribute(null=True)
    sweeps = NumberAttribute()
    audit_number = NumberAttribute()
    audit_hash = UnicodeAttribute()

    @classmethod
    def of(cls, found: Import) -> "ImportItem":
        values = {field.name: getattr(found, field.name) for field in fields(Import)} | {"status": found.status.value}
        return cls(values.pop("id"), PART, **values)

    def found(self) -> Import:
        values = {field.name: getattr(self, field.name) for field in fields(Import)}
        return Import(**values | {"status": ImportStatus(self.status)})


class ChunkItem(ViewsItem):
    """Rows, as `[["story", "123", 50], ...]`."""

    rows = JSONAttribute()


class SkippedItem(ViewsItem):
    """A row that was not applied."""

    content_type = UnicodeAttribute()
    content_id = UnicodeAttribute()
    views = NumberAttribute()
    reason = UnicodeAttribute()


class ListedItem(ViewsItem):
    """That there is an import."""
