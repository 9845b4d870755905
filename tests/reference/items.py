"""The items of the reference's table.

| id       | part     | kind     |                                                     |
|----------|----------|----------|-----------------------------------------------------|
| bst_...  | campaign | campaign | the campaign itself                                 |
| platform | campaign | platform | whether the platform is stopped (the kernel's)      |
"""

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from sluice.chained import PART, ChainedAttributes
from sluice.dynamodb import Bound, EnumAttribute
from tests.reference.campaign import Status


class CampaignItem(ChainedAttributes, Bound):
    """A campaign; each attribute is the field of that name."""

    class Meta(Bound.Meta):
        pass

    id = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)
    kind = UnicodeAttribute(default=PART)
    status = EnumAttribute(Status)
    total = NumberAttribute()
    pace_seconds = NumberAttribute()
    counted = NumberAttribute()
    call = UnicodeAttribute(null=True)
