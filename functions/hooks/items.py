"""The items of the hooks table.

| id                 | part        | kind     |                                                                |
|--------------------|-------------|----------|----------------------------------------------------------------|
| hok_...            | campaign    | endpoint | an endpoint, with the head of its audit chain; deleted ones too |
| hooks              | hok_...     | row      | lists the endpoints that are not deleted                       |
| dlv_...            | campaign    | campaign | a delivery; its id is made of the endpoint's and the event's    |
| dlv_...            | attempt#003 | attempt  | what came of an attempt, kept 30 days                          |
| hooks              | count       | count    | how many these are                                             |
| deliveries#hok_... | dlv_...     | row      | lists an endpoint's deliveries                                 |
| held#hok_...       | dlv_...     | row      | lists those of them that are held                              |
| platform           | campaign    | platform | whether the platform is stopped (the kernel's)                 |
"""

from pynamodb.attributes import DiscriminatorAttribute, NumberAttribute, UnicodeAttribute, UTCDateTimeAttribute

from hooks.campaign import Attempt, DeliveryStatus
from hooks.endpoint import Endpoint, HookStatus
from sluice.audit import HeadAttributes
from sluice.chained import PART, ChainedAttributes
from sluice.dynamodb import DataAttribute, EnumAttribute, TableItem, TextsAttribute
from sluice.outward import Call

HOOKS = "hooks"
COUNT = "count"
ATTEMPT = "attempt#"


class HooksItem(TableItem):
    """Any item of the table; one batch read may bring several kinds."""

    class Meta(TableItem.Meta):
        pass

    kind = DiscriminatorAttribute()


class DeliveryItem(ChainedAttributes, HooksItem, discriminator=PART):
    """A delivery; each attribute is the field of that name."""

    status = EnumAttribute(DeliveryStatus)
    hook_id = UnicodeAttribute()
    event_id = UnicodeAttribute()
    event_type = UnicodeAttribute()
    event_at = UTCDateTimeAttribute()
    body = UnicodeAttribute()
    attempts = NumberAttribute()
    call = DataAttribute(Call, null=True)
    ended_at = UTCDateTimeAttribute(null=True)
    replayed_by = UnicodeAttribute(null=True)
    expires_at = NumberAttribute(null=True)


class AttemptItem(HooksItem, discriminator="attempt"):
    """An attempt, as the log shows it: no body, no signature, no secret."""

    at = UTCDateTimeAttribute()
    outcome = UnicodeAttribute()
    milliseconds = NumberAttribute()
    excerpt = UnicodeAttribute(default="")
    expires_at = NumberAttribute()

    def attempt(self) -> Attempt:
        number = int(self.part.removeprefix(ATTEMPT))
        return Attempt(number, self.at, self.outcome, int(self.milliseconds), self.excerpt)


class EndpointItem(HeadAttributes, HooksItem, discriminator="endpoint"):
    """An endpoint; each attribute is the field of that name."""

    url = UnicodeAttribute()
    created_at = UTCDateTimeAttribute()
    created_by = UnicodeAttribute()
    updated_at = UTCDateTimeAttribute()
    master = NumberAttribute()
    events = TextsAttribute()
    description = UnicodeAttribute(default="")
    hook_status = EnumAttribute(HookStatus)
    """Not `status`: the index of statuses is the deliveries'."""
    disabled_reason = UnicodeAttribute(null=True)
    generation = NumberAttribute()
    old_generation = NumberAttribute(null=True)
    old_master = NumberAttribute(null=True)
    old_signs_until = UTCDateTimeAttribute(null=True)
    failing_since = UTCDateTimeAttribute(null=True)
    first_failing_event_at = UTCDateTimeAttribute(null=True)
    next_probe_at = UTCDateTimeAttribute(null=True)
    failures = NumberAttribute(default=0)
    last_success_at = UTCDateTimeAttribute(null=True)
    request = UnicodeAttribute(null=True)

    def endpoint(self) -> Endpoint:
        names = [each for each in Endpoint.__dataclass_fields__ if each != "status"]
        values = {name: getattr(self, name) for name in names}
        return Endpoint(status=self.hook_status, **values)


class CountItem(HooksItem, discriminator="count"):
    """How many endpoints there are that are not deleted: it keeps their number below its limit."""

    endpoints = NumberAttribute()


class RowItem(HooksItem, discriminator="row"):
    """An entry in a list: its `part` is what it lists."""

    expires_at = NumberAttribute(null=True)
