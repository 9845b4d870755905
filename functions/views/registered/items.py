"""The items of the views table that registered content has.

| id                | part      |                                                            |
|-------------------|-----------|------------------------------------------------------------|
| content#story#123 | about     | a content's title and owner, and the head of its audit log |
| registered#07     | story:123 | an entry in the list of registered contents                |
"""

from pynamodb.attributes import UnicodeAttribute, UTCDateTimeAttribute

from sluice.audit import HeadAttributes
from views.items import ViewsItem


class ContentItem(HeadAttributes, ViewsItem):
    """`content#story#123`, `about`: a content's title and owner, with the head of its audit chain."""

    title = UnicodeAttribute()
    owner = UnicodeAttribute()
    registered_at = UTCDateTimeAttribute()
    updated_at = UTCDateTimeAttribute()


class RegisteredItem(ViewsItem):
    """`registered#07`, `story:123`: an entry in the list of registered contents.

    A partition and not an index: a rebuild reads it consistently, so that it misses no content.
    """
