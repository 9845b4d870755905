"""The items of the views table that the imports know.

| id       | part              |                                                                          |
|----------|-------------------|--------------------------------------------------------------------------|
| imp_...  | campaign          | the import itself: a campaign, as the step chain and the sweeper know it |
| imp_...  | rows#000001       | a chunk of its rows                                                      |
| imp_...  | skipped#000000042 | its 42nd row, which was not applied, and why                             |
| imports  | imp_...           | so that imports are listed, newest first                                 |
| platform | campaign          | whether the platform is stopped (the kernel's)                           |
"""

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute, UTCDateTimeAttribute

from sluice.chained import ChainedAttributes
from sluice.dynamodb import EnumAttribute
from views.imports.campaign import ImportStatus
from views.items import ViewsItem


class ImportItem(ChainedAttributes, ViewsItem):
    """An import; each attribute is the field of that name."""

    name = UnicodeAttribute()
    status = EnumAttribute(ImportStatus)
    chunks = NumberAttribute()
    rows = NumberAttribute()
    applied = NumberAttribute()
    skipped = NumberAttribute()
    views = NumberAttribute()
    started_at = UTCDateTimeAttribute(null=True)
    ended_at = UTCDateTimeAttribute(null=True)
    failure_reason = UnicodeAttribute(null=True)
    chunk = NumberAttribute()
    chunk_done = NumberAttribute()


class ChunkItem(ViewsItem):
    """Rows, as `[["story", "123", 50], ...]`."""

    rows = JSONAttribute()


class SkippedItem(ViewsItem):
    """A row that was not applied."""

    content_type = UnicodeAttribute()
    content_id = UnicodeAttribute()
    views = NumberAttribute()
    reason = UnicodeAttribute()


class ListedImportItem(ViewsItem):
    """An entry in the list of imports."""
