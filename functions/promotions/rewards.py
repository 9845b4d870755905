"""Rewards: what participants got, and claims of users who linked their account after the close."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from itertools import islice

from promotions import links, participants, settling
from promotions.promotion import PREFIX, Change, Promotion
from promotions.split import Participant, participant_hash
from promotions.store import PromotionStore
from sluice import ledger
from sluice.clock import Clock
from sluice.commands import ChainCommands
from sluice.errors import NotFound
from sluice.journal import reserved
from sluice.requests import Requester
from sluice.wake import Wake

MOST_REWARDS = 100


class Rewards(ChainCommands[Promotion, Change]):
    """What participants see of their rewards, and do about them."""

    prefix = PREFIX

    def __init__(self, store: PromotionStore, wake: Wake, clock: Clock) -> None:
        super().__init__(store, wake, clock)
        self._store = store

    def claim(self, campaign_id: str, requester: Requester) -> list[Participant]:
        """Pay a user's share of a promotion that has closed: the user's participants as they are then, in hash order.

        A repeat finds the share paid, so it needs no Idempotency-Key. Raises NotFound (`campaign_not_found`,
        `reward_not_found`), Conflicting (`claims_not_open`, `claim_window_over`, `platform_stopped`), Unavailable.
        """
        user = requester.subject

        def change(found: Promotion, now: datetime) -> Change | None:
            mine = self.mine(found, user)
            if not mine:
                message = "None of your accounts took part: link the account with which you did"
                raise NotFound(message, "reward_not_found")
            is_paid = bool(participants.paid_of(found.id, [user]))
            account = reserved(found.id)
            return settling.claim(found, ledger.read([account])[account], mine, user, now, is_paid=is_paid)

        self.command("claim", campaign_id, replace(requester, keyed=None), change)
        found = self.get(campaign_id)
        return self._shown(found, self.mine(found, user))

    def mine(self, promotion: Promotion, user: str) -> list[Participant]:
        """A user's participants of a promotion, in hash order, by consistent reads."""
        accounts = (account for host, account in links.accounts_of(user) if host == promotion.host)
        hashes = [participant_hash(promotion.id, str(promotion.host), each) for each in accounts]
        return sorted(participants.read(promotion.id, hashes).values(), key=lambda each: each.hash)

    def page(self, promotion: Promotion, limit: int, after: str | None) -> tuple[list[Participant], str | None]:
        """At most `limit` participants with what they get, or why not, in hash order from after a hash."""
        found, following = participants.page(promotion.id, limit, after)
        return self._shown(promotion, found), following

    def of(self, user: str, limit: int = MOST_REWARDS) -> list[tuple[Promotion, Participant]]:
        """A user's participants in all promotions, newest first, with what they get, or why not."""
        found = (
            each for host, account in links.accounts_of(user) for each in participants.of_account(host, account, limit)
        )
        newest = list(islice(sorted(found, key=lambda each: each[0], reverse=True), limit))
        known = {each.id: each for each in self._store.get_all(dict.fromkeys(each for each, _ in newest))}
        now = self.clock.now()
        return [(known[each], settling.shown(known[each], one, now)) for each, one in newest if each in known]

    def _shown(self, promotion: Promotion, found: Iterable[Participant]) -> list[Participant]:
        now = self.clock.now()
        return [settling.shown(promotion, each, now) for each in found]
