"""The sandbox's items in the promotions table.

| id                | part    |                                                                  |
|-------------------|---------|------------------------------------------------------------------|
| sandbox#<post id> | sandbox | a post: its id is made of its key; who engaged with it           |
| sandbox#@<handle> | sandbox | an account, as an operator set it                                |
| sandbox#!<digest> | sandbox | the switch of a text has had its effect, if it acts once |
"""

from pynamodb.attributes import JSONAttribute, UnicodeAttribute, UTCDateTimeAttribute

from sluice.dynamodb import Bound

PART = "sandbox"


class SandboxItem(Bound):
    """A row of the sandbox; which of its attributes it has depends on its kind."""

    class Meta(Bound.Meta):
        pass

    id = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True, default=PART)
    author = UnicodeAttribute(null=True)
    text = UnicodeAttribute(null=True)
    reply_to = UnicodeAttribute(null=True)
    media = JSONAttribute(null=True)
    made_at = UTCDateTimeAttribute(null=True)
    visible_at = UTCDateTimeAttribute(null=True)
    deleted_at = UTCDateTimeAttribute(null=True)
    engaged = JSONAttribute(null=True)
    """Handles, by what they did."""
    metrics = JSONAttribute(null=True)
    """None: as many as `engaged` has."""
    profile = JSONAttribute(null=True)
