"""What the campaign items of all contexts share, for the contexts, the sweeper and the audit trail."""

from datetime import datetime

from pynamodb.attributes import NumberAttribute, UnicodeAttribute, UTCDateTimeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from sluice.audit import HeadAttributes
from sluice.clock import rfc3339
from sluice.dynamodb import TableItem, bound_to

PART = "campaign"
HALTED = "halted"
"""The partition that lists a context's halted campaigns, by their ids."""
UNKNOWN_CALLS = "unknown"
"""The partition that lists the calls outside with an unknown outcome, by `unknown_call`: the oldest is the first."""


def unknown_call(campaign_id: str, since: datetime) -> str:
    """The `part` of a call in its list: `2026-11-20T08:30:00.000000Z#prm_...`."""
    return f"{rfc3339(since)}#{campaign_id}"


def unknown_since(part: str) -> datetime:
    """When a call in that list began."""
    return datetime.fromisoformat(part.partition("#")[0])


class ChainedAttributes(HeadAttributes):
    """The engine's attributes, for a context's own model of its campaigns; each is the field of that name.

    Not a model: PynamoDB would take the table from a second model. Attributes with a default are newer than the first
    campaigns, whose items lack them.
    """

    created_at = UTCDateTimeAttribute()
    created_by = UnicodeAttribute()
    updated_at = UTCDateTimeAttribute()
    step = NumberAttribute()
    wake_at = UTCDateTimeAttribute(null=True)
    committed_by = UnicodeAttribute(null=True)
    steps_done = NumberAttribute(default=0)
    max_steps = NumberAttribute(default=0)
    sweeps = NumberAttribute(default=0)
    request = UnicodeAttribute(null=True)


class ByCreation(GlobalSecondaryIndex["ListedItem"]):
    """A table's campaigns by the time of their creation."""

    class Meta:
        index_name = "by_creation"
        projection = KeysOnlyProjection()

    kind = UnicodeAttribute(hash_key=True)
    created_at = UTCDateTimeAttribute(range_key=True)


class _ByStatus(GlobalSecondaryIndex["ListedItem"]):
    class Meta:
        index_name = "by_status"
        projection = KeysOnlyProjection()

    status = UnicodeAttribute(hash_key=True)
    created_at = UTCDateTimeAttribute(range_key=True)


class ListedItem(TableItem):
    """The keys of a campaign, as the indexes project them; or a row of a list. A context's own has its table's Meta.

    It has no discriminator: PynamoDB would filter its queries by `kind`. One index does not project it; in the other it
    is a key, and DynamoDB does not filter by keys.
    """

    by_creation = ByCreation()
    by_status = _ByStatus()


class _ByWake(GlobalSecondaryIndex["ChainedItem"]):
    class Meta:
        index_name = "by_wake"
        projection = KeysOnlyProjection()

    status = UnicodeAttribute(hash_key=True)
    wake_at = UTCDateTimeAttribute(range_key=True)


class ChainedItem(HeadAttributes, TableItem):
    """A campaign as the step chain and the audit log know it; its context keeps more in the same item."""

    class Meta(TableItem.Meta):
        pass

    status = UnicodeAttribute()
    step = NumberAttribute()
    wake_at = UTCDateTimeAttribute(null=True)
    sweeps = NumberAttribute(default=0)
    sweep_at = UTCDateTimeAttribute(null=True)
    by_wake = _ByWake()


def items_in(table_name: str) -> type[ChainedItem]:
    """The campaign items of one context's table."""
    return bound_to(ChainedItem, table_name)
