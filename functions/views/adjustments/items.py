"""The items of the views table that adjustments have.

| id                 | part              |                                                        |
|--------------------|-------------------|--------------------------------------------------------|
| content#story#123  | adjusted#01K...   | one adjustment: `views.items.AdjustedItem`             |
| content#story#123  | adjustments       | the head of the content's chain of audit entries       |
"""

from sluice.audit import HeadAttributes
from views.items import ViewsItem


class HeadItem(HeadAttributes, ViewsItem):
    """The last audit entry of a content's adjustments."""
