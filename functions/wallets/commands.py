"""Deposits and withdrawals, and what users have."""

from datetime import datetime

from sluice import journal, ledger
from sluice.clock import Clock
from sluice.errors import Conflicting, Invalid, NotFound
from sluice.journal import Balance, Entry, Kind, Line
from sluice.requests import Answer, Keyed, Requester, carry_out
from wallets.movement import Moved, Movement, Place
from wallets.store import WalletStore, entry_id, entry_of, moved_by


class Wallets:
    def __init__(self, store: WalletStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def move(self, kind: Kind, movement: Movement, requester: Requester) -> Moved | Answer:
        """Deposit or withdraw, or return the earlier answer of the Idempotency-Key, without which nothing is moved.

        A key names one movement for ever, longer than its answer is kept. Raises Insufficient; Conflicting for a key
        that was used for another movement.
        """
        if requester.keyed is None:
            raise Invalid.of("Idempotency-Key", "Money is moved only with an Idempotency-Key")
        request = requester.keyed.request.key

        def attempt(keyed: Keyed[Moved] | None, now: datetime) -> Moved | None:
            assert keyed
            head = self._store.head(movement.user)

            def make(number: int) -> Entry:
                return entry_of(kind, request, movement, number, requester.subject, now)

            found = ledger.find(entry_id(kind, request))
            if found is None:
                return self._store.commit(kind, movement, make, head, now, keyed)
            if not found.does_as(make(head.number)):
                message = "This Idempotency-Key was used for another movement: use a new key for each"
                raise Conflicting(message, "idempotency_key_reused")
            account = journal.wallet(movement.currency, movement.user)
            moved = moved_by(found, movement, ledger.read([account])[account], head)
            return self._store.answer(moved, now, keyed)

        def stands(answer: Answer) -> bool:
            return self._store.head(movement.user).number >= answer.version

        return carry_out(attempt, requester.keyed, stands, self._clock, "The wallet is changing too fast")

    def of(self, user: str) -> list[Balance]:
        """A user's wallets, in the order of their currencies."""
        return ledger.wallets_of(user)

    def statement(
        self, user: str, currency: str | None, limit: int, after: Place | None
    ) -> tuple[Balance | None, list[Line], Place | None]:
        """A wallet, at most `limit` of its lines, newest first, and the place to go on after.

        None for a user without any wallet, who names no currency. Raises Invalid (`currency_required`) for one who has
        several.
        """
        if currency is None:
            wallets = self.of(user)
            if len(wallets) > 1:
                there = ", ".join(each.currency for each in wallets)
                raise Invalid.of("currency", f"currency is required: there are {there}", "currency_required")
            if not wallets:
                return None, [], None
            currency = wallets[0].currency
        account = journal.wallet(currency, user)
        lines, following = ledger.page(account, limit, after.number if after else None)
        return ledger.read([account])[account], lines, Place(following) if following else None

    def verify(self, account: str) -> str | None:
        """What is wrong with an account of the ledger, in words; None if it is whole. Raises NotFound."""
        problem = ledger.verify(account)
        if problem is None and not ledger.read([account])[account].lines:
            raise NotFound("There is no such account in the ledger", "account_not_found")
        return problem
