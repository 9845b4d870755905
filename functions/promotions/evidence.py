"""Checks a promotion against its evidence: the ledger's entries and its participants (promotions section 5)."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from promotions import participants
from promotions.promotion import Promotion, PromotionStatus, Stage
from promotions.split import ParticipantState, Split, WeightClass, counted, divided, shares
from promotions.store import PromotionStore
from sluice import evidence, journal, ledger
from sluice.evidence import Check
from sluice.journal import Unbalanced
from sluice.money import exponent

_SHARED = frozenset({Stage.REFUND, Stage.FINALISE, Stage.CLAIMS, Stage.EXPIRE, Stage.SETTLED})
"""All pages of rewards are done then."""


@dataclass(frozen=True)
class Evidence:
    """Checks numbers; it changes nothing."""

    store: PromotionStore

    def verify(self, promotion: Promotion) -> list[Check]:
        """`expected` is what entries and participants say, `found` what the document or the ledger's balances say."""
        return evidence.verify(lambda: list(self._checks(self.store.get(promotion.id) or promotion)))

    def _checks(self, found: Promotion) -> Iterable[Check]:
        for account in (journal.budget(found.id), journal.reserved(found.id)):
            difference = ledger.verify(account)
            yield Check(f"{account} is whole" + (f": {difference}" if difference else ""), 0, int(bool(difference)))
        try:
            money = ledger.budget_of(found.id)
        except Unbalanced:
            yield Check("budget = paid + reserved + refunded + remaining (1: yes)", 1, 0)
            return
        funded = 0 if found.status is PromotionStatus.DRAFT else found.budget
        all_of_it = money.paid + money.reserved + money.refunded + money.remaining
        is_open = found.stage not in (Stage.EXPIRE, Stage.SETTLED)
        yield Check("budget = paid + reserved + refunded + remaining", funded, all_of_it)
        yield Check("paid = the ledger's entries", money.paid, found.paid)
        yield Check("refunded = the ledger's entries", money.refunded, found.refunded)
        yield Check("reserved = promised and not paid", found.promised - found.paid if is_open else 0, money.reserved)
        if found.split:
            yield from _shares(found, found.split)


def _shares(found: Promotion, split: Split) -> Iterable[Check]:
    """The split computed again from the participants, and what was paid against the ledger's entries."""
    all_of_them = list(participants.all_of(found.id))
    sharing = [each for each in all_of_them if each.is_counted]
    classes: tuple[WeightClass, ...] = counted((), ((None, replace(each, reason=None)) for each in sharing))
    again = divided(split.pool, classes, found.max_per_participant, exponent(found.currency))
    yield Check("promised = the split of the pool over the participants", again.promised, split.promised)
    if found.stage in _SHARED and not found.abandoned_at:
        due, _ = shares(again.classes, sharing)
        wrong = sum(mine.amount != its.amount for mine, its in zip(sharing, due, strict=True))
        yield Check("participants with another amount than their share", 0, wrong)
    paid = [each for each in all_of_them if each.state is ParticipantState.PAID]
    amounts = Counter[str]()
    for each in paid:
        amounts[str(each.user)] += each.amount
    yield Check("users who were paid twice", 0, len(paid) - len(amounts))
    yield Check("paid = the amounts of the participants", sum(amounts.values()), found.paid)
    entries = _pays(found, [each.hash for each in paid])
    differing = sum(entries[user] != amounts[user] for user in entries.keys() | amounts.keys())
    yield Check("users with another amount in the ledger", 0, differing)


def _pays(found: Promotion, hashes: list[str]) -> Counter[str]:
    """What the ledger's entries paid to each user: by pages of rewards, and by claims."""
    names = [*range(1, found.progress.pages + 1), *hashes]
    wallets = journal.wallet(found.currency, "x").removesuffix("x")
    paid = Counter[str]()
    for entry in ledger.find_all(f"pay#{found.id}#{name}" for name in names).values():
        for leg in entry.legs:
            if leg.account.startswith(wallets):
                paid[leg.account.removeprefix(wallets)] += leg.amount
    return paid
