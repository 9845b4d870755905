"""Commands of users on their accounts at networks, and of operators on all accounts."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from promotions.accounts import LINK_PREFIX, Connection, Link, LinkState, Token, Verdict
from promotions.connections import ConnectionStore
from promotions.ports import NOT_CONNECTED, Account, NetworkPolicy, NotReadable, SocialPublisher
from promotions.promotion import PromotionStatus
from promotions.store import PromotionStore, listed_by
from sluice.clock import Clock
from sluice.errors import Conflicting, Invalid, NotFound
from sluice.ids import new_id, nonce
from sluice.requests import Answer, Keyed, Requester, carry_out

MOST_LINKS = 20
"""Accounts that one user may link, or be about to."""
_CODE_IS_VALID = timedelta(hours=24)
_HELD = frozenset({PromotionStatus.PENDING, PromotionStatus.RUNNING})
_BUSY = "Other requests are changing it at the same time: retry"
_PAGE = 100


class Clients(Protocol):
    """Networks, for accounts that are yet to be connected."""

    def policy(self, network: str) -> NetworkPolicy:
        """What a network allows. Raises Invalid (`network_unknown`)."""

    def host(self, network: str, host: str | None) -> str:
        """The server of an account, as it is known by. Raises Invalid (`network_unknown`, `host_not_allowed`)."""

    def client(self, network: str, token: Token) -> SocialPublisher:
        """A client with a token; without a secret it reads what everybody may read."""


class Vault(Protocol):
    """Where tokens are kept."""

    def put(self, user: str, network: str, token: Token) -> None:
        """Keep a token, in place of the one before. Raises Unavailable."""

    def delete(self, user: str, network: str) -> None:
        """Forget a token, if it is there. Raises Unavailable."""


class Accounts:
    """Connections, links and exceptions."""

    def __init__(
        self, store: ConnectionStore, promotions: PromotionStore, clients: Clients, vault: Vault, clock: Clock
    ) -> None:
        self._store = store
        self._promotions = promotions
        self._clients = clients
        self._vault = vault
        self._clock = clock

    # Connections

    def connections(self, user: str) -> list[Connection]:
        """All connections of a user."""
        return self._store.all_of(user)

    def connection(self, user: str, network: str) -> Connection:
        """A user's connection. Raises Invalid (`network_unknown`), NotFound."""
        self._clients.policy(network)
        found = self._store.find(user, network)
        if found is None:
            raise NotFound("This network is not connected", "connection_not_found")
        return found

    def connect(self, network: str, host: str | None, secret: str, requester: Requester) -> Connection | Answer:
        """Connect a network with a token, which says whose account it is, in place of the connection before.

        While a promotion is published or runs there, only another token of the same account is taken. Raises Invalid
        (`network_unknown`, `host_not_allowed`, `token_rejected`), Conflicting (`connection_in_use`), Unavailable.
        """
        user = requester.subject

        def attempt(keyed: Keyed[Connection] | None, now: datetime) -> Connection | None:
            server = self._clients.host(network, host)
            account = self._owner_of(network, Token(server, "", secret))
            before = self._store.find(user, network)
            if before and (before.host, before.account_id) != (server, account.id):
                self._require_unused(user, network)
            self._vault.put(user, network, Token(server, account.id, secret))
            return self._store.save(user, Connection(network, server, account.id, account.handle, now), now, keyed)

        return self._carry_out(attempt, requester)

    def disconnect(self, network: str, requester: Requester) -> Connection | Answer:
        """Forget a connection and its token. Raises Conflicting (`connection_in_use`), NotFound, Unavailable."""
        user = requester.subject

        def attempt(keyed: Keyed[Connection] | None, now: datetime) -> Connection | None:
            found = self.connection(user, network)
            self._require_unused(user, network)
            self._vault.delete(user, network)
            return self._store.delete(user, found, now, keyed)

        return self._carry_out(attempt, requester)

    def _owner_of(self, network: str, token: Token) -> Account:
        try:
            return self._clients.client(network, token).me()
        except NotReadable as error:
            if error.reason == NOT_CONNECTED:
                raise Invalid.of("token", f"{network} rejects this token", "token_rejected") from error
            raise

    def _require_unused(self, user: str, network: str) -> None:
        """Raises Conflicting while a promotion of the user is published or runs at the network."""
        after = None
        while True:
            found, after = self._promotions.page(listed_by(None, user), _PAGE, after)
            if any(each.network == network and each.status in _HELD for each in found):
                message = "A promotion is being published, or runs, with this account: cancel or close it first"
                raise Conflicting(message, "connection_in_use")
            if after is None:
                return

    # Links

    def links(self, user: str) -> list[Link]:
        """All links of a user."""
        return self._store.links_of(user)

    def link(self, user: str, link_id: str) -> Link:
        """A link of a user. Raises NotFound."""
        found = self._store.link(user, link_id)
        if found is None:
            raise NotFound("Link not found", "link_not_found")
        return found

    def ask(self, network: str, host: str | None, handle: str, requester: Requester) -> Link | Answer:
        """Begin to prove an account: the answer's code belongs into its profile.

        Raises Invalid (`network_unknown`, `host_not_allowed`), Conflicting (`links_not_supported`, `too_many_links`).
        """

        def attempt(keyed: Keyed[Link] | None, now: datetime) -> Link | None:
            server = self._clients.host(network, host)
            if not self._clients.policy(network).links:
                raise Conflicting(f"Accounts of {network} cannot be linked", "links_not_supported")
            if len(self._store.links_of(requester.subject)) >= MOST_LINKS:
                raise Conflicting(f"There are {MOST_LINKS} links: delete one first", "too_many_links")
            made = Link(
                new_id(LINK_PREFIX, now),
                network,
                server,
                handle,
                f"sluice-{nonce()}",
                LinkState.PENDING,
                now,
                now + _CODE_IS_VALID,
            )
            return self._store.ask(requester.subject, made, now, keyed)

        return self._carry_out(attempt, requester)

    def prove(self, link_id: str, requester: Requester) -> Link | Answer:
        """Read the account's profile: if it has the code, the account is the user's. Who proves it first has it.

        The link is bound to the account's stable id. Raises NotFound, Conflicting (`link_expired`, `account_not_found`,
        `code_not_found`, `account_linked`), Unavailable.
        """
        user = requester.subject

        def attempt(keyed: Keyed[Link] | None, now: datetime) -> Link | None:
            link = self.link(user, link_id)
            if link.state is LinkState.PROVEN:
                return self._store.answer(link, now, keyed) if keyed else link
            if now > link.valid_until:
                raise Conflicting("The code is too old: begin again", "link_expired")
            account = self._clients.client(link.network, Token(link.host, "", "")).profile(link.handle)
            if account is None:
                raise Conflicting(f"There is no account {link.handle} at {link.host}", "account_not_found")
            if link.code not in account.note:
                raise Conflicting(f"The profile of {link.handle} does not have the code yet", "code_not_found")
            if self._store.owner(link.host, account.id) not in (None, user):
                raise Conflicting("Someone else has proven this account", "account_linked")
            proven = replace(link, state=LinkState.PROVEN, account_id=account.id, proven_at=now)
            return self._store.prove(user, proven, now, keyed)

        return self._carry_out(attempt, requester)

    def unlink(self, link_id: str, requester: Requester) -> Link | Answer:
        """Delete a link. Raises NotFound."""

        def attempt(keyed: Keyed[Link] | None, now: datetime) -> Link | None:
            found = self.link(requester.subject, link_id)
            return self._store.unlink(requester.subject, found, now, keyed)

        return self._carry_out(attempt, requester)

    # Exceptions

    def verdict(self, host: str, account_id: str) -> Verdict:
        """What an operator says of an account. Raises NotFound."""
        found = self._store.verdict(host, account_id)
        if found is None or found.eligible is None:
            raise NotFound("There is no exception for this account", "exception_not_found")
        return found

    def judge(self, host: str, account_id: str, eligible: bool, reason: str, requester: Requester) -> Verdict | Answer:
        """Say whether an account is eligible, whatever the rules say. It is audited."""

        def attempt(keyed: Keyed[Verdict] | None, now: datetime) -> Verdict | None:
            before = self._store.verdict(host, account_id)
            if before and (before.eligible, before.reason) == (eligible, reason):
                return self._store.answer(before, now, keyed) if keyed else before
            after = _after(before, Verdict(host, account_id, eligible, reason, requester.subject, now))
            return self._store.judge(before, after, now, keyed)

        return self._carry_out(attempt, requester)

    def take_back(self, host: str, account_id: str, requester: Requester) -> Verdict | Answer:
        """Let the rules decide about an account again. Raises NotFound."""

        def attempt(keyed: Keyed[Verdict] | None, now: datetime) -> Verdict | None:
            before = self.verdict(host, account_id)
            after = replace(before, eligible=None, by=requester.subject, updated_at=now)
            return self._store.judge(before, after, now, keyed)

        return self._carry_out(attempt, requester)

    def _carry_out[E](
        self, attempt: Callable[[Keyed[E] | None, datetime], E | None], requester: Requester
    ) -> E | Answer:
        # The answers name no entity: a restore does not take them back.
        return carry_out(attempt, requester.keyed, lambda _: True, self._clock, _BUSY)


def _after(before: Verdict | None, after: Verdict) -> Verdict:
    if before is None:
        return after
    return replace(after, audit_number=before.audit_number, audit_hash=before.audit_hash)
