"""The items of the views table that registered content has.

| id                | part      |                                                                 |
|-------------------|-----------|-----------------------------------------------------------------|
| content#story#123 | about     | what it is called and whose it is, with the head of its entries |
| registered#07     | story:123 | that it is registered                                           |
"""

from pynamodb.attributes import UnicodeAttribute, UTCDateTimeAttribute

from sluice.audit import HeadAttributes
from views.items import ViewsItem


class ContentItem(HeadAttributes, ViewsItem):
    """`content#story#123`, `about`: what a content is called and whose it is, with the head of its audit chain."""

    title = UnicodeAttribute()
    owner = UnicodeAttribute()
    registered_at = UTCDateTimeAttribute()
    updated_at = UTCDateTimeAttribute()


class RegisteredItem(ViewsItem):
    """`registered#07`, `story:123`: that a content is registered.

    A partition and not an index: a rebuild reads it consistently, so that it misses none.
    """
