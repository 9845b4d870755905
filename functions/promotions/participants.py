"""The rows of participants: who engaged with a promotion, what each gets, and which persons were paid."""

from collections.abc import Iterable, Iterator

from pynamodb.expressions.condition import Condition
from pynamodb.transactions import TransactWrite

from promotions.items import PARTICIPANT, PaidItem, ParticipantItem
from promotions.promotion import Change
from promotions.split import Participant, ParticipantState, account_key
from sluice.dynamodb import page_of, read_batch, transient_as_unavailable

_PAID = "paid#"


def write(transaction: TransactWrite, change: Change) -> None:
    """Put the participants of a change, each on condition that it is as it was, and the persons who are paid, once."""
    promotion_id = change.after.id
    for before, after in change.participants:
        as_read: Condition = ParticipantItem.id.does_not_exist()
        if before:
            as_read = ParticipantItem.state == before.state
        transaction.save(_item(promotion_id, after), condition=as_read)
    paid = {each.user: each.hash for _, each in change.participants if each.state is ParticipantState.PAID}
    for user in change.persons:
        item = PaidItem(promotion_id, _PAID + user, participant=paid[user])
        transaction.save(item, condition=PaidItem.id.does_not_exist())


def read(promotion_id: str, hashes: Iterable[str]) -> dict[str, Participant]:
    """Participants by their hashes, without missing ones, by consistent batch reads."""
    keys = [(promotion_id, PARTICIPANT + each) for each in dict.fromkeys(hashes)]
    return {each.hash: each for each in read_batch(ParticipantItem, keys, ParticipantItem.participant)}


def paid_of(promotion_id: str, users: Iterable[str]) -> set[str]:
    """Which of these users were paid by a promotion, by consistent batch reads."""
    keys = [(promotion_id, _PAID + each) for each in dict.fromkeys(users)]
    return set(read_batch(PaidItem, keys, lambda item: item.part.removeprefix(_PAID)))


def page(promotion_id: str, limit: int, after: str | None) -> tuple[list[Participant], str | None]:
    """At most `limit` participants in hash order, from after a hash; and the hash to go on after, if any."""
    last = PARTICIPANT + after if after else None
    found, following = page_of(ParticipantItem, ParticipantItem.participant, promotion_id, PARTICIPANT, limit, last)
    return found, following.removeprefix(PARTICIPANT) if following else None


def all_of(promotion_id: str) -> Iterator[Participant]:
    """All participants of a promotion in hash order, by consistent reads."""
    after: str | None = None
    while True:
        found, after = page(promotion_id, 500, after)
        yield from found
        if after is None:
            return


def of_account(host: str, account_id: str, limit: int) -> list[tuple[str, Participant]]:
    """The promotions in which an account took part, newest first, and as what. The index lags behind by moments."""
    with transient_as_unavailable():
        rows = ParticipantItem.by_account.query(account_key(host, account_id), scan_index_forward=False, limit=limit)
        keys = [(row.id, row.part) for row in rows]
    found = read_batch(ParticipantItem, keys, lambda item: (str(item.id), item.participant()))
    return sorted(found, key=lambda each: each[0], reverse=True)


def _item(promotion_id: str, found: Participant) -> ParticipantItem:
    return ParticipantItem(
        promotion_id,
        PARTICIPANT + found.hash,
        account=account_key(found.host, found.account_id),
        network=found.network,
        host=found.host,
        account_id=found.account_id,
        handle=found.handle,
        kinds=sorted(found.kinds),
        weight=found.weight,
        reason=found.reason,
        amount=found.amount,
        state=found.state,
        user=found.user,
    )
