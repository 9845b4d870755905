"""Commands of owners on people: who is not written to, and who has consented. The audit log has no phones."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from broadcasts.contact import Contact, Suppressed
from broadcasts.contacts import (
    ContactStore,
    Said,
    consenting,
    contact_of,
    in_groups,
    lifted,
    suppressed,
)
from broadcasts.phones import BadPhone, phone_in
from sluice.clock import Clock
from sluice.errors import NotFound
from sluice.requests import Answer, Keyed, Requester, carry_out

MOST_AT_ONCE = 1_000
"""Phones in a request."""
_BUSY = "The contacts are changing too fast: retry"


@dataclass(frozen=True)
class Refusal:
    """A phone that is none. `row`: its place in the request, from 0."""

    row: int
    code: str
    message: str


@dataclass(frozen=True)
class Spoken:
    """What became of a request about several people."""

    changed: int
    unchanged: int
    refused: tuple[Refusal, ...] = field(default=())


type Saying = Callable[[Contact, str], Said | None]


@dataclass(frozen=True)
class Suppressions:
    """`key`: makes the keys of contacts. Raises Unavailable."""

    store: ContactStore
    key: Callable[[], bytes]
    clock: Clock

    def page(self, owner: str, limit: int, after: str | None) -> tuple[list[Suppressed], str | None]:
        """At most `limit` suppressed contacts of an owner; and the contact to go on after, if any."""
        return self.store.suppressed(owner, limit, after)

    def suppress(self, owner: str, phones: Sequence[str], reason: str, requester: Requester) -> Spoken | Answer:
        """Write to these people no more. Phones that are none are named; those that are suppressed stay as they are."""

        def saying(now: datetime) -> Saying:
            def said(found: Contact, phone: str) -> Said | None:
                return None if found.suppressed_at else suppressed(found, phone, reason, now)

            return said

        return self._say(owner, phones, saying, "BROADCAST_CONTACTS_SUPPRESSED", {"reason": reason}, requester)

    def lift(self, owner: str, phone: str, requester: Requester) -> Spoken | Answer:
        """Write to this person again. Raises NotFound (`suppression_not_found`)."""

        def saying(now: datetime) -> Saying:
            def said(found: Contact, _phone: str) -> Said | None:
                if found.suppressed_at is None:
                    raise NotFound("This phone is not suppressed", "suppression_not_found")
                return lifted(found, now)

            return said

        return self._say(owner, [phone], saying, "BROADCAST_CONTACTS_LIFTED", {}, requester)

    def consent(self, owner: str, phones: Sequence[str], source: str | None, requester: Requester) -> Spoken | Answer:
        """Note that these people have consented, and where; None: that they have not."""

        def saying(_now: datetime) -> Saying:
            return lambda found, _phone: consenting(found, source)

        about = {"source": source} if source else {}
        action = "BROADCAST_CONTACTS_CONSENTED" if source else "BROADCAST_CONTACTS_WITHDREW"
        return self._say(owner, phones, saying, action, about, requester)

    def _say(
        self,
        owner: str,
        phones: Sequence[str],
        saying: Callable[[datetime], Saying],
        action: str,
        about: Mapping[str, str],
        requester: Requester,
    ) -> Spoken | Answer:
        """Say something of people: 45 a transaction. The answer of the key is in the last; a repeat says it again.

        A repeat changes nobody of the transactions before, so it counts only what is left.
        """
        read = [phone_in(each) for each in phones]
        refused = tuple(
            Refusal(row, each.code, each.message) for row, each in enumerate(read) if isinstance(each, BadPhone)
        )
        people = {contact_of(owner, each, self.key()): each for each in read if isinstance(each, str)}
        done = 0

        def attempt(keyed: Keyed[Spoken] | None, now: datetime) -> Spoken | None:
            nonlocal done
            found, said = self.store.read(owner, people), saying(now)
            changes = [change for key, phone in people.items() if (change := said(found[key], phone))]
            made = Spoken(done + len(changes), len(people) - done - len(changes), refused)
            *groups, last = list(in_groups(changes)) or [()]
            for group in groups:
                if self.store.commit(owner, group, action, about, requester.subject, now, made, None) is None:
                    return None
                done += len(group)
            if not last and keyed is None:
                return made
            return self.store.commit(owner, last, action, about, requester.subject, now, made, keyed)

        def stands(answer: Answer) -> bool:
            return self.store.head(owner).number >= answer.version

        return carry_out(attempt, requester.keyed, stands, self.clock, _BUSY)
