"""What the consumer of webhooks writes beside rows: early statuses [B10], and when a person wrote last."""

from datetime import datetime, timedelta

from broadcasts.instance import ProviderName
from broadcasts.items import ContactItem, MessageItem, NumberItem
from broadcasts.telling import Said
from sluice.dynamodb import read_batch, setting, update_if

_KEPT = timedelta(days=30)


def keep_early(instance_id: str, said: Said, now: datetime) -> bool:
    """Keep a status at the meeting place of its message, in place of a lower one.

    False when a row is there by now, or a status that is no lower. Raises Unavailable.
    """
    values = {
        "evidence": int(said.evidence),
        "at": said.at,
        "error": said.failure,
        "expires_at": int((now + _KEPT).timestamp()),
    }
    nobody = MessageItem.id.does_not_exist()
    lower = MessageItem.row.does_not_exist() & (MessageItem.evidence < int(said.evidence))
    item = MessageItem(*MessageItem.key(instance_id, said.message_id))
    return update_if(item, setting(MessageItem, values), nobody | lower)


def heard_from(owner: str, contact: str, at: datetime) -> None:
    """Note when a person wrote last. Raises Unavailable. It is no part of what a claim is on condition of."""
    last = ContactItem.last_inbound_at
    update_if(ContactItem(*ContactItem.key(owner, contact)), [last.set(at)], last.does_not_exist() | (last < at))


def instances_of(provider: ProviderName, addresses: list[str]) -> list[str]:
    """The ids of the instances that have these numbers."""
    keys = [NumberItem.key(provider, each) for each in dict.fromkeys(addresses)]
    return read_batch(NumberItem, keys, lambda item: str(item.instance_id))
