"""The items of the promotions table. Amounts are minor units; C is a promotion, `prm_<ULID>`.

| id                      | part               |                                                                     |
|-------------------------|--------------------|---------------------------------------------------------------------|
| C                       | campaign           | a promotion                                                         |
| platform                | campaign           | whether the platform is stopped (the kernel's)                      |
| C                       | operation#0001     | one publish: stages with times and attempts                         |
| C                       | engagement         | the posts' metrics, and when they are read next                     |
| C                       | metrics#<time>     | a snapshot of them, when something changed                          |
| C                       | participant#<hash> | an account that engaged, and its share                              |
| C                       | paid#<user>        | that a person was paid: once, whatever accounts there are           |
| owner#acme              | C                  | the list of an owner's promotions                                   |
| halted                  | C                  | the list of promotions that have halted                             |
| unknown                 | <time>#C           | the list of calls with an unknown outcome                           |
| user#acme               | connection#<network> | a network that a user connected; its tokens are in Parameter Store |
| link#<host>#<account>   | link               | whose account it is: the first user to prove it has it              |
| user#acme               | proof#lnk_<ULID>   | an account that a user says is theirs, with the code that proves it |
| user#acme               | link#<host>#<account> | an account that a user has proven                                |
| quota#<host>#<family>   | window             | requests taken from the present window                              |
| exception#<host>#<account> | exception       | an operator's word about an account                                 |
| answers                 | escrow             | what the escrow answered last (the kernel's), for health            |
| sandbox#...             | ...                | the sandbox network                                                 |

Only the items of part `campaign` have `status` and `created_at`, so only they are in those indexes.
"""

from datetime import timedelta

from pynamodb.attributes import (
    BooleanAttribute,
    DiscriminatorAttribute,
    JSONAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UTCDateTimeAttribute,
)
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from promotions.accounts import LinkState
from promotions.operation import Operation
from promotions.ports import Kind
from promotions.promotion import (
    CloseReason,
    Final,
    Halt,
    Progress,
    PromotionStatus,
    PromotionType,
    Share,
    Stage,
    Trigger,
)
from promotions.split import Participant, ParticipantState, Reason, Split
from sluice import answers, chained
from sluice.audit import HeadAttributes
from sluice.chained import PART, ChainedAttributes
from sluice.dynamodb import DataAttribute, EnumAttribute, NumbersAttribute, TableItem, TextsAttribute
from sluice.outward import Call

ENGAGEMENT = "engagement"
INTERVAL_SECONDS = 300
"""How often metrics are read (S4-12), while they change."""
PARTICIPANT = "participant#"
KEPT = timedelta(days=90)
"""How long operations and snapshots are kept after the close (S4-23)."""


class PromotionsItem(TableItem):
    """The table. Each kind of item has a model beside it."""

    class Meta(TableItem.Meta):
        pass


class ListedItem(chained.ListedItem):
    """The keys of a promotion, as the indexes project them; or an entry in a list."""

    class Meta(PromotionsItem.Meta):
        pass


class AnswerItem(answers.AnswerItem):
    """What the escrow answered last."""

    class Meta(PromotionsItem.Meta):
        pass


class ChainItem(PromotionsItem):
    """A promotion."""

    kind = DiscriminatorAttribute()


class PromotionItem(ChainedAttributes, ChainItem, discriminator=PART):
    """A promotion; each attribute is the field of that name."""

    status = EnumAttribute(PromotionStatus)
    title = UnicodeAttribute()
    type = EnumAttribute(PromotionType)
    network = UnicodeAttribute()
    texts = TextsAttribute()
    media = TextsAttribute()
    budget = NumberAttribute()
    currency = UnicodeAttribute()
    duration_minutes = NumberAttribute()
    share = EnumAttribute(Share)
    weights = NumbersAttribute()
    max_per_participant = NumberAttribute(null=True)
    claim_window_hours = NumberAttribute()
    auto_close = DataAttribute(tuple[Trigger, ...])
    stage = EnumAttribute(Stage, null=True)
    round = NumberAttribute()
    call = DataAttribute(Call, null=True)
    error = DataAttribute(Halt, null=True)
    cancel_requested_at = UTCDateTimeAttribute(null=True)
    deleted_at = UTCDateTimeAttribute(null=True)
    operation = DataAttribute(Operation, null=True)
    seq = NumberAttribute()
    host = UnicodeAttribute(null=True)
    account_id = UnicodeAttribute(null=True)
    media_etags = TextsAttribute()
    audited_at = UTCDateTimeAttribute(null=True)
    restored_to = UTCDateTimeAttribute(null=True)
    tweet_id = UnicodeAttribute(null=True)
    contract_id = UnicodeAttribute(null=True)
    contract_status = UnicodeAttribute(null=True)
    last_thread_tweet_id = UnicodeAttribute(null=True)
    campaign_start_time = UTCDateTimeAttribute(null=True)
    campaign_close_time = UTCDateTimeAttribute(null=True)
    closing_since = UTCDateTimeAttribute(null=True)
    close_reason = EnumAttribute(CloseReason, null=True)
    final = DataAttribute(Final, null=True)
    progress = DataAttribute(Progress)
    split = DataAttribute(Split, null=True)
    abandoned_at = UTCDateTimeAttribute(null=True)
    promised = NumberAttribute()
    paid = NumberAttribute()
    refunded = NumberAttribute()
    claim_until = UTCDateTimeAttribute(null=True)


class OperationItem(PromotionsItem):
    """One publish. Removed 90 days after the close, or after its end if it was rolled back."""

    operation = DataAttribute(Operation)
    expires_at = NumberAttribute(null=True)

    @staticmethod
    def key(promotion_id: str, number: int) -> tuple[str, str]:
        return promotion_id, f"operation#{number:04d}"


class _ByTrack(GlobalSecondaryIndex["EngagementItem"]):
    class Meta:
        index_name = "by_track"
        projection = KeysOnlyProjection()

    tracked = UnicodeAttribute(hash_key=True)
    track_at = UTCDateTimeAttribute(range_key=True)


class EngagementItem(PromotionsItem):
    """The metrics of a promotion's posts. `tracked` and `track_at` are there while somebody reads them."""

    network = UnicodeAttribute()
    host = UnicodeAttribute()
    owner = UnicodeAttribute()
    post_ids = JSONAttribute()
    triggers = JSONAttribute()
    closes_at = UTCDateTimeAttribute()
    metrics = JSONAttribute(null=True)
    """The sum over the posts: `{"likes": 4, "reposts": 1, "quotes": 0, "replies": 0}`."""
    read_at = UTCDateTimeAttribute(null=True)
    tracked = UnicodeAttribute(null=True)
    track_at = UTCDateTimeAttribute(null=True)
    interval = NumberAttribute(default=INTERVAL_SECONDS)
    unchanged = NumberAttribute(default=0)
    errors = NumberAttribute(default=0)
    misses = NumberAttribute(default=0)
    missing = BooleanAttribute(default=False)
    final = BooleanAttribute(default=False)
    by_track = _ByTrack()


class QuotaItem(PromotionsItem):
    """`quota#<host>#<family>`, `window`: the present window."""

    opened_at = UnicodeAttribute(null=True)
    used = NumberAttribute(default=0)
    blocked_until = UTCDateTimeAttribute(null=True)
    last_success = UTCDateTimeAttribute(null=True)


class SnapshotItem(PromotionsItem):
    """`prm_...`, `metrics#<time>`: the metrics of both posts then, added. Removed 90 days after the close."""

    metrics = JSONAttribute()
    expires_at = NumberAttribute()


class _ByAccount(GlobalSecondaryIndex["ParticipantItem"]):
    class Meta:
        index_name = "by_account"
        projection = KeysOnlyProjection()

    account = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)


class ParticipantItem(PromotionsItem):
    """A participant. `account` is `<host>#<account id>`: only these items have it, so only they are in its index."""

    account = UnicodeAttribute()
    network = UnicodeAttribute()
    host = UnicodeAttribute()
    account_id = UnicodeAttribute()
    handle = UnicodeAttribute()
    kinds = TextsAttribute()
    weight = NumberAttribute()
    reason = EnumAttribute(Reason, null=True)
    amount = NumberAttribute()
    state = EnumAttribute(ParticipantState)
    user = UnicodeAttribute(null=True)
    by_account = _ByAccount()

    def participant(self) -> Participant:
        return Participant(
            self.part.removeprefix(PARTICIPANT),
            self.network,
            self.host,
            self.account_id,
            self.handle,
            frozenset(map(Kind, self.kinds)),
            int(self.weight),
            self.reason,
            int(self.amount),
            self.state,
            self.user,
        )


class PaidItem(PromotionsItem):
    """`paid#<user>`: a person was paid."""

    participant = UnicodeAttribute()
    """The hash of the account that the person was paid for."""


class ConnectionItem(PromotionsItem):
    """A network that a user connected."""

    network = UnicodeAttribute()
    host = UnicodeAttribute()
    account_id = UnicodeAttribute()
    handle = UnicodeAttribute()
    connected_at = UTCDateTimeAttribute()
    is_revoked = BooleanAttribute(default=False)

    @staticmethod
    def key(user: str, network: str) -> tuple[str, str]:
        return f"user#{user}", f"connection#{network}"


class LinkItem(PromotionsItem):
    """An account that a user says is theirs, or has proven; `code` is what its profile must show."""

    link_id = UnicodeAttribute()
    network = UnicodeAttribute()
    host = UnicodeAttribute()
    handle = UnicodeAttribute()
    code = UnicodeAttribute()
    state = EnumAttribute(LinkState)
    asked_at = UTCDateTimeAttribute()
    valid_until = UTCDateTimeAttribute()
    account_id = UnicodeAttribute(null=True)
    proven_at = UTCDateTimeAttribute(null=True)


class LinkedItem(PromotionsItem):
    """`link#<host>#<account id>`, `link`: whose account it is."""

    user = UnicodeAttribute()
    link_id = UnicodeAttribute()


class VerdictItem(HeadAttributes, PromotionsItem):
    """`exception#<host>#<account id>`, `exception`: an operator's word about an account."""

    eligible = BooleanAttribute(null=True)
    reason = UnicodeAttribute()
    by = UnicodeAttribute()
    updated_at = UTCDateTimeAttribute()
