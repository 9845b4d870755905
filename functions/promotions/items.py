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
| user#acme               | connection#<network> | a network that a user connected; its tokens are in Parameter Store |
| link#<host>#<account>   | link               | whose account it is                                                 |
| user#acme               | link#<host>#<account> | the list of a user's accounts                                    |
| quota#<host>#<family>   | window             | requests taken from the present window                              |
| exception#<host>#<account> | exception       | an operator's word about an account                                 |
| sandbox#...             | ...                | the sandbox network                                                 |

Only the items of part `campaign` have `status` and `created_at`, so only they are in those indexes.
"""

from pynamodb.attributes import (
    DiscriminatorAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UTCDateTimeAttribute,
)
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from promotions.campaign import CloseReason, Halt, PromotionStatus, PromotionType, Share, Stage, Trigger
from promotions.operation import Operation
from sluice.chained import PART, ChainedAttributes
from sluice.dynamodb import Bound, DataAttribute, EnumAttribute, NumbersAttribute, TextsAttribute
from sluice.outward import Call

ENGAGEMENT = "engagement"


class _ByCreation(GlobalSecondaryIndex["ListedItem"]):
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


class PromotionsItem(Bound):
    """The table. Each kind of item has a model beside it."""

    class Meta(Bound.Meta):
        pass

    id = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)


class ListedItem(PromotionsItem):
    """The keys of what has a status, as the indexes project them; or an entry in a list."""

    by_creation = _ByCreation()
    by_status = _ByStatus()


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
    tweet_id = UnicodeAttribute(null=True)
    contract_id = UnicodeAttribute(null=True)
    contract_status = UnicodeAttribute(null=True)
    last_thread_tweet_id = UnicodeAttribute(null=True)
    campaign_start_time = UTCDateTimeAttribute(null=True)
    campaign_close_time = UTCDateTimeAttribute(null=True)
    closing_since = UTCDateTimeAttribute(null=True)
    close_reason = EnumAttribute(CloseReason, null=True)
    promised = NumberAttribute()
    refunded = NumberAttribute()


class OperationItem(PromotionsItem):
    """One publish."""

    operation = DataAttribute(Operation)

    @staticmethod
    def key(promotion_id: str, number: int) -> tuple[str, str]:
        return promotion_id, f"operation#{number:04d}"
