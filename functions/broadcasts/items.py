"""The items of both tables of the broadcasts. C is a campaign, `brd_<ULID>`; money is in 1/1,000,000.

`broadcasts`, small and indexed:

| id                   | part                    |                                                                     |
|----------------------|-------------------------|---------------------------------------------------------------------|
| C                    | campaign                | a campaign, and what its own chain has counted                      |
| C                    | count#send, count#hook0..7 | counters of the worker's records, and of the webhooks: ADD alone |
| C                    | due#<kind>#<time>#<key> | its agenda: claims, look-ups, retries                               |
| C                    | text                    | what it sends                                                       |
| C                    | import#imp_<ULID>       | a list that was, or is to be, uploaded                              |
| ins_<ULID>           | campaign                | an instance: pace, quota, breaker                                   |
| number#<provider>#<address> | number           | the instance that has a number: one                                 |
| tpl_<ULID>           | campaign, version#0003  | a template, and its versions, which never change                    |
| instances#<owner>, templates#<owner> | id of the thing | the lists of an owner                                       |
| instances, templates | id of the thing         | the lists of all owners                                             |
| instances            | count                   | how many instances there are: at most 1,000                         |
| quota#<owner>#2026-11-26 | quota               | what was claimed of that day, in the owner's zone                   |
| owner#<owner>        | owner                   | limits, opt-out words, frequency cap                                |
| contacts#<owner>     | audit                   | the head of the audit log of what the owner said of contacts        |
| platform             | campaign                | whether the platform is stopped (the kernel's)                      |

`messages`, large, its items expire by `expires_at`:

| id                   | part        |                                                                                 |
|----------------------|-------------|---------------------------------------------------------------------------------|
| C#g1#r03#0017        | 0000017342  | a row: generation, lane, 1,000 rows a partition; its place in the lane          |
| message#ins_x#<id>   | message     | a provider's id of a message -> its row; or a status that came first            |
| contact#<owner>#<hmac> | contact   | a person: suppressed, consent, last sends, last message of theirs               |
| suppressed#<owner>   | <hmac>      | the list of suppressed contacts, with their numbers                             |
| sandbox#<attempt>    | call        | what the sandbox accepted                                                       |
"""

from dataclasses import fields
from typing import Any, Self

from pynamodb.attributes import (
    BooleanAttribute,
    JSONAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UTCDateTimeAttribute,
)
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from broadcasts.agenda import Claimed, Due
from broadcasts.breaker import Base, Trouble
from broadcasts.campaign import (
    BroadcastStatus,
    Kind,
    Leftover,
    PauseReason,
    Text,
    Waiting,
)
from broadcasts.contact import Contact, Sent
from broadcasts.gate import Cap
from broadcasts.importing import Import, ListImportStatus, Tally, options_of
from broadcasts.instance import Instance, ProviderName
from broadcasts.lanes import Lane
from broadcasts.owners import Owner
from broadcasts.pacing import Slot
from broadcasts.prices import Price
from broadcasts.quotas import Hours
from broadcasts.row import COUNTED, OUTCOMES, Attempt, Counts, Evidence, Failure, Row, RowKey, Work
from broadcasts.template import Content, Template
from broadcasts.windows import Windows
from sluice.audit import HeadAttributes
from sluice.chained import PART, ByCreation, ChainedAttributes
from sluice.dynamodb import DataAttribute, EnumAttribute, TableItem, TextsAttribute, values_of

COUNT = "count#"
BY_WORKER = "count#send"
TEXT = "text"
_IMPORT = "import#"


def by_webhook(message_id: str) -> str:
    """The counter that a webhook's consumer adds to: one of eight, by the id of the queue's message."""
    return f"count#hook{sum(message_id.encode()) % 8}"


class BroadcastsItem(TableItem):
    """The table of the campaigns. Each kind of item has a model beside it."""

    class Meta(TableItem.Meta):
        pass


class _ByOwner(GlobalSecondaryIndex["ListedItem"]):
    class Meta:
        index_name = "by_owner"
        projection = KeysOnlyProjection()

    listed = UnicodeAttribute(hash_key=True)
    created_at = UTCDateTimeAttribute(range_key=True)


class _ByInstance(GlobalSecondaryIndex["ListedItem"]):
    class Meta:
        index_name = "by_instance"
        projection = KeysOnlyProjection()

    instance_id = UnicodeAttribute(hash_key=True)
    created_at = UTCDateTimeAttribute(range_key=True)


class ListedItem(BroadcastsItem):
    """The keys of a campaign, as the indexes project them; or a row of an owner's list."""

    by_creation = ByCreation()
    by_owner = _ByOwner()
    by_instance = _ByInstance()


class BroadcastItem(ChainedAttributes, BroadcastsItem):
    """A campaign; each attribute is the field of that name."""

    kind = EnumAttribute(Kind)
    listed = UnicodeAttribute(null=True)
    status = EnumAttribute(BroadcastStatus)
    name = UnicodeAttribute()
    instance_id = UnicodeAttribute()
    rate_limit = NumberAttribute()
    template_id = UnicodeAttribute(null=True)
    template_version = NumberAttribute(null=True)
    media_url = UnicodeAttribute(null=True)
    media_id = UnicodeAttribute(null=True)
    media_type = UnicodeAttribute(null=True)
    scheduled_for = UTCDateTimeAttribute(null=True)
    windows = DataAttribute(Windows, null=True)
    time_zone = UnicodeAttribute(null=True)
    budget = NumberAttribute(null=True)
    max_retries = NumberAttribute()
    currency = UnicodeAttribute()
    text_version = NumberAttribute()
    generation = NumberAttribute()
    accepted = NumberAttribute()
    laid = NumberAttribute()
    source = UnicodeAttribute(null=True)
    lanes = DataAttribute(tuple[Lane, ...])
    leftovers = DataAttribute(tuple[Leftover, ...])
    pass_number = NumberAttribute()
    include_unknown = BooleanAttribute()
    include_final = BooleanAttribute()
    slot = DataAttribute(Slot, null=True)
    counted = DataAttribute(Counts)
    doing = UnicodeAttribute(null=True)
    empties = NumberAttribute()
    base = DataAttribute(Base)
    probing = DataAttribute(Base, null=True)
    waiting_for = EnumAttribute(Waiting, null=True)
    running_since = UTCDateTimeAttribute(null=True)
    active_seconds = NumberAttribute()
    claims_done = NumberAttribute()
    budget_warned = BooleanAttribute()
    budget_reached = BooleanAttribute()
    started_at = UTCDateTimeAttribute(null=True)
    completed_at = UTCDateTimeAttribute(null=True)
    cancelled_at = UTCDateTimeAttribute(null=True)
    pause_reason = EnumAttribute(PauseReason, null=True)
    failure_reason = UnicodeAttribute(null=True)
    in_flight_until = UTCDateTimeAttribute(null=True)


class CountItem(BroadcastsItem):
    """A counter item: what some of a campaign's rows were counted for, by those that write it."""

    pending = NumberAttribute(default=0)
    sending = NumberAttribute(default=0)
    unknown = NumberAttribute(default=0)
    closed = NumberAttribute(default=0)
    sent = NumberAttribute(default=0)
    delivered = NumberAttribute(default=0)
    read = NumberAttribute(default=0)
    failed_retryable = NumberAttribute(default=0)
    failed_final = NumberAttribute(default=0)
    skipped = NumberAttribute(default=0)
    troubled = NumberAttribute(default=0)
    spent = NumberAttribute(default=0)
    reserved = NumberAttribute(default=0)

    def counts(self) -> Counts:
        return Counts(**{each: int(getattr(self, each)) for each in COUNTED})


class DueItem(BroadcastsItem):
    """An entry of the agenda; a claim has the rows that it took."""

    rows = JSONAttribute(null=True)
    """`{"g1/r0": "17342 att_01K..,17343 att_01K.."}`: so 45 rows are less than 2 KB."""
    day = UnicodeAttribute(null=True)

    @classmethod
    def of(cls, campaign_id: str, due: Due) -> Self:
        rows: dict[str, list[str]] = {}
        for each in due.rows:
            lane, _, number = str(each.key).rpartition("/")
            rows.setdefault(lane, []).append(f"{number} {each.attempt}")
        joined = {lane: ",".join(some) for lane, some in rows.items()}
        return cls(campaign_id, due.part, rows=joined or None, day=due.day or None)

    def due(self) -> Due:
        rows = []
        for lane, some in (self.rows or {}).items():
            for each in some.split(","):
                number, _, attempt = each.partition(" ")
                rows.append(Claimed(RowKey.parse(f"{lane}/{number}"), attempt))
        return Due.parse(self.part, tuple(rows), self.day or "")


class TextItem(BroadcastsItem):
    """What a campaign sends."""

    text = DataAttribute(Text)


class InstanceItem(HeadAttributes, BroadcastsItem):
    """An instance; each attribute is the field of that name."""

    owner = UnicodeAttribute()
    name = UnicodeAttribute()
    provider = EnumAttribute(ProviderName)
    address = UnicodeAttribute()
    base_url = UnicodeAttribute(null=True)
    time_zone = UnicodeAttribute()
    rate_limit = NumberAttribute()
    daily_limit = NumberAttribute(null=True)
    prices = DataAttribute(tuple[Price, ...])
    price_per_message = NumberAttribute(null=True)
    currency = UnicodeAttribute()
    credentials = NumberAttribute()
    created_at = UTCDateTimeAttribute()
    updated_at = UTCDateTimeAttribute()
    deleted_at = UTCDateTimeAttribute(null=True)
    v = NumberAttribute()
    tat = UTCDateTimeAttribute(null=True)
    throttled_until = UTCDateTimeAttribute(null=True)
    hours = DataAttribute(Hours)
    trouble = DataAttribute(Trouble)
    lookup_proven_at = UTCDateTimeAttribute(null=True)
    request = UnicodeAttribute(null=True)

    @classmethod
    def of(cls, instance: Instance) -> Self:
        values = dict(vars(instance))
        return cls(values.pop("id"), PART, **values)

    def instance(self) -> Instance:
        return Instance(**values_of(self, Instance))


class NumberItem(BroadcastsItem):
    """`number#<provider>#<address>`, `number`: whose number it is (amendment 14)."""

    instance_id = UnicodeAttribute()

    @staticmethod
    def key(provider: ProviderName, address: str) -> tuple[str, str]:
        return f"number#{provider}#{address}", "number"


class InstancesItem(BroadcastsItem):
    """`instances`, `count`: how many there are (amendment 19)."""

    number = NumberAttribute(default=0)

    @staticmethod
    def key() -> tuple[str, str]:
        return "instances", "count"


class ContentAttributes:
    """What a template and each of its versions have. It is a mixin: as a model it would bring its own table."""

    text = UnicodeAttribute()
    category = UnicodeAttribute()
    language = UnicodeAttribute()
    provider_name = UnicodeAttribute(null=True)
    header = TextsAttribute()
    parameters = TextsAttribute()


class TemplateItem(ContentAttributes, HeadAttributes, BroadcastsItem):
    """A template with its latest version; each attribute is the field of that name."""

    owner = UnicodeAttribute()
    name = UnicodeAttribute()
    version = NumberAttribute()
    approval = UnicodeAttribute(null=True)
    synced_at = UTCDateTimeAttribute(null=True)
    created_at = UTCDateTimeAttribute()
    updated_at = UTCDateTimeAttribute()
    deleted_at = UTCDateTimeAttribute(null=True)

    @classmethod
    def of(cls, template: Template) -> Self:
        values = dict(vars(template))
        return cls(values.pop("id"), PART, **values)

    def template(self) -> Template:
        return Template(**values_of(self, Template))


class VersionItem(ContentAttributes, BroadcastsItem):
    """`tpl_x`, `version#0003`: what a version has."""

    made_at = UTCDateTimeAttribute()

    @staticmethod
    def key(template_id: str, number: int) -> tuple[str, str]:
        return template_id, f"version#{number:04d}"

    @classmethod
    def of(cls, template: Template) -> Self:
        key = cls.key(template.id, int(template.version))
        return cls(*key, made_at=template.updated_at, **vars(template.content))

    def content(self) -> Content:
        return Content(**values_of(self, Content))


class QuotaItem(BroadcastsItem):
    """`quota#<owner>#<day>`, `quota`: claims of a day, their price, and whether its alerts were given."""

    used = NumberAttribute(default=0)
    price = NumberAttribute(default=0)
    warned = BooleanAttribute(null=True)
    reached = BooleanAttribute(null=True)
    expires_at = NumberAttribute(null=True)

    @staticmethod
    def key(owner: str, day: str) -> tuple[str, str]:
        return f"quota#{owner}#{day}", "quota"


class OwnerItem(HeadAttributes, BroadcastsItem):
    """`owner#<owner>`, `owner`: each attribute is the field of that name."""

    time_zone = UnicodeAttribute()
    daily_limit = NumberAttribute(null=True)
    cap = DataAttribute(Cap, null=True)
    requires_consent = BooleanAttribute()
    opt_out_words = TextsAttribute()

    @staticmethod
    def key(owner: str) -> tuple[str, str]:
        return f"owner#{owner}", "owner"

    def owner(self) -> Owner:
        values = {each.name: getattr(self, each.name) for each in fields(Owner) if each.name != "owner"}
        return Owner(owner=self.id.removeprefix("owner#"), **values)


class ImportItem(BroadcastsItem):
    """An import; each attribute is the field of that name."""

    status = EnumAttribute(ListImportStatus)
    options = JSONAttribute()
    created_at = UTCDateTimeAttribute()
    created_by = UnicodeAttribute()
    started_at = UTCDateTimeAttribute(null=True)
    begun_at = UTCDateTimeAttribute(null=True)
    checked_at = UTCDateTimeAttribute(null=True)
    etag = UnicodeAttribute(null=True)
    size = NumberAttribute(null=True)
    tally = DataAttribute(Tally)
    code = UnicodeAttribute(null=True)
    reason = UnicodeAttribute(null=True)
    source = UnicodeAttribute(null=True)

    @staticmethod
    def key(campaign_id: str, import_id: str) -> tuple[str, str]:
        return campaign_id, _IMPORT + import_id

    @classmethod
    def of(cls, found: Import) -> Self:
        values = dict(vars(found)) | {"options": vars(found.options)}
        return cls(*cls.key(values.pop("campaign_id"), values.pop("id")), **values)

    def importing(self) -> Import:
        values = {name: value for name, value in self.attribute_values.items() if name not in ("id", "part")}
        size = None if self.size is None else int(self.size)
        values |= {"options": options_of(self.options), "size": size}
        return Import(id=self.part.removeprefix(_IMPORT), campaign_id=self.id, **values)


class ContactsHeadItem(HeadAttributes, BroadcastsItem):
    """The last audit entry of what an owner said of contacts."""

    @staticmethod
    def key(owner: str) -> tuple[str, str]:
        return f"contacts#{owner}", "audit"


# The other table


class MessagesItem(TableItem):
    """The table of rows, messages and contacts."""

    class Meta(TableItem.Meta):
        pass


class _ByOutcome(GlobalSecondaryIndex["RowItem"]):
    class Meta:
        index_name = "by_outcome"
        projection = KeysOnlyProjection()

    outcome = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)


class RowItem(MessagesItem):
    """A row. `outcome` is there only for those that the index lists, so the common path writes no index."""

    phone = UnicodeAttribute()
    contact = UnicodeAttribute()
    line = NumberAttribute()
    variables = JSONAttribute(null=True)
    work = EnumAttribute(Work)
    evidence = NumberAttribute()
    v = NumberAttribute()
    attempt = UnicodeAttribute(null=True)
    claimed_at = UTCDateTimeAttribute(null=True)
    tries = NumberAttribute(default=0)
    throttles = NumberAttribute(default=0)
    looks = NumberAttribute(default=0)
    pass_number = NumberAttribute(default=1)
    price = NumberAttribute(default=0)
    earlier = NumberAttribute(null=True)
    error = DataAttribute(Failure, null=True)
    unknown_since = UTCDateTimeAttribute(null=True)
    sent_at = UTCDateTimeAttribute(null=True)
    delivered_at = UTCDateTimeAttribute(null=True)
    read_at = UTCDateTimeAttribute(null=True)
    failed_at = UTCDateTimeAttribute(null=True)
    message_id = UnicodeAttribute(null=True)
    other_attempts = NumberAttribute(default=0)
    history = DataAttribute(tuple[Attempt, ...], null=True)
    outcome = UnicodeAttribute(null=True)
    by_outcome = _ByOutcome()

    @classmethod
    def of(cls, row: Row) -> Self:
        """The item of a row, as it is laid down."""
        return cls(*row.key.item(row.campaign_id), **written(row))

    def row(self) -> Row:
        campaign_id, key = RowKey.of_item(self.id, self.part)
        values = {each: getattr(self, each) for each in _ROW if each not in _OF_THE_KEY}
        values |= {each: int(values[each] or 0) for each in _NUMBERS}
        return Row(
            campaign_id=campaign_id,
            key=key,
            **values
            | {
                "evidence": Evidence(int(self.evidence)),
                "variables": self.variables or {},
                "history": self.history or (),
            },
        )


_OF_THE_KEY = frozenset({"campaign_id", "key"})
_ROW = tuple(Row.__dataclass_fields__)
_NUMBERS = ("line", "v", "tries", "throttles", "looks", "pass_number", "price", "earlier", "other_attempts")


def written(row: Row) -> dict[str, Any]:
    """The attributes of a row's item, and `outcome`."""
    values: dict[str, Any] = {name: value for name, value in vars(row).items() if name not in _OF_THE_KEY}
    values |= {"evidence": int(row.evidence), "variables": row.variables or None, "history": row.history or None}
    values["earlier"] = row.earlier or None
    values["outcome"] = f"{row.campaign_id}#{row.status}" if row.status in OUTCOMES else None
    return values


class MessageItem(MessagesItem):
    """The meeting place of a message and its statuses [B10]: which row it is of, or what came before that was known."""

    campaign_id = UnicodeAttribute(null=True)
    row = UnicodeAttribute(null=True)
    attempt = UnicodeAttribute(null=True)
    evidence = NumberAttribute(default=0)
    at = UTCDateTimeAttribute(null=True)
    error = DataAttribute(Failure, null=True)
    expires_at = NumberAttribute()

    @staticmethod
    def key(instance_id: str, message_id: str) -> tuple[str, str]:
        return f"message#{instance_id}#{message_id}", "message"


class ContactItem(MessagesItem):
    """A person among an owner's contacts; without one, nothing is known of them."""

    v = NumberAttribute(default=0)
    suppressed_at = UTCDateTimeAttribute(null=True)
    suppressed_why = UnicodeAttribute(null=True)
    changed_at = UTCDateTimeAttribute(null=True)
    consent = UnicodeAttribute(null=True)
    sends = DataAttribute(tuple[Sent, ...], null=True)
    last_inbound_at = UTCDateTimeAttribute(null=True)

    @staticmethod
    def key(owner: str, contact: str) -> tuple[str, str]:
        return f"contact#{owner}#{contact}", "contact"

    def contact(self) -> Contact:
        owner, _, key = self.id.removeprefix("contact#").rpartition("#")
        values = {each.name: getattr(self, each.name) for each in fields(Contact) if each.name not in ("owner", "key")}
        return Contact(**values | {"owner": owner, "key": key, "v": int(self.v), "sends": self.sends or ()})


class SuppressedItem(MessagesItem):
    """An entry of an owner's list of suppressed contacts."""

    phone = UnicodeAttribute()
    at = UTCDateTimeAttribute()
    why = UnicodeAttribute()

    @staticmethod
    def key(owner: str, contact: str) -> tuple[str, str]:
        return f"suppressed#{owner}", contact


class SandboxItem(MessagesItem):
    """`sandbox#<attempt>`, `call`: the message that the sandbox accepted."""

    message_id = UnicodeAttribute()
    expires_at = NumberAttribute()

    @staticmethod
    def key(attempt: str) -> tuple[str, str]:
        return f"sandbox#{attempt}", "call"
