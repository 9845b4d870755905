"""Commands and queries of owners and operators. What belongs to someone else is not found."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from promotions import campaign as promotions
from promotions import settling, texts
from promotions.accounts import Connection
from promotions.campaign import Resolution
from promotions.operation import Operation
from promotions.outside import Networks
from promotions.ports import Connections
from promotions.promotion import (
    PREFIX,
    Change,
    CloseReason,
    Promotion,
    PromotionStatus,
    PromotionType,
    Terms,
)
from promotions.store import HALTED_LIST, PromotionStore, listed_by
from promotions.texts import Preview
from sluice import ledger
from sluice.clock import Clock
from sluice.commands import ChainCommands
from sluice.errors import Conflicting, FieldError, Invalid, NotFound, Refused
from sluice.ids import new_id, nonce
from sluice.journal import Balance, Budget, Insufficient, wallet
from sluice.requests import Answer, Requester
from sluice.roles import Principal, Role
from sluice.store import Place
from sluice.wake import Wake


class MediaChecks(Protocol):
    """Uploaded media."""

    def check(self, promotion: Promotion, types: frozenset[str], most_bytes: int) -> None:
        """Check the uploads, as `take` does, and keep nothing."""

    def take(self, promotion: Promotion, types: frozenset[str], most_bytes: int) -> tuple[str, ...]:
        """Keep the uploads as they are now, so that nobody swaps them: their ETags.

        Raises Conflicting (`media_missing`), Invalid (`media_type`, `media_too_large`).
        """


@dataclass(frozen=True)
class Rules:
    """What the platform asks of promotions."""

    min_budget: int
    disclosures: tuple[str, ...]


class Closer(ChainCommands[Promotion, Change]):
    """Closes promotions, for owners, operators and the tracker."""

    prefix = PREFIX

    def close(self, campaign_id: str, reason: CloseReason, requester: Requester) -> Promotion | Answer:
        """Close a running promotion now. A promotion that closes already is returned as it is."""

        def change(found: Promotion, now: datetime) -> Change | None:
            if found.closing_since is not None:
                return None
            return settling.close(found, reason, now)

        return self.command("close", campaign_id, requester, change)

    def by_trigger(self, campaign_id: str) -> None:
        """Close a promotion whose metric reached its number. Raises Conflicting, NotFound, Unavailable."""
        self.close(campaign_id, CloseReason.TRIGGER, Requester("tracker", nonce()))


class Promotions(Closer):
    """What owners do with their promotions, and operators with all of them."""

    def __init__(
        self,
        store: PromotionStore,
        networks: Networks,
        connections: Connections,
        media: MediaChecks,
        wake: Wake,
        clock: Clock,
        rules: Rules,
    ) -> None:
        super().__init__(store, wake, clock)
        self._store = store
        self._networks = networks
        self._connections = connections
        self._media = media
        self._rules = rules

    def get(self, campaign_id: str) -> Promotion:
        """A promotion, by a consistent read; a deleted draft is not found. Raises NotFound."""
        found = super().get(campaign_id)
        if found.deleted_at:
            raise _not_found()
        return found

    def own(self, campaign_id: str, caller: Principal, *, deleted: bool = False) -> Promotion:
        """A promotion that the caller may see and command: their own, or any for an operator. Raises NotFound.

        `deleted`: return a deleted draft too, for a repeat of the request that deleted it.
        """
        found = super().get(campaign_id) if deleted else self.get(campaign_id)
        if found.created_by != caller.subject and not caller.role.includes(Role.OPERATOR):
            raise _not_found()
        return found

    def draft(self, campaign_id: str, caller: Principal) -> Promotion:
        """A draft that the caller may edit. Raises NotFound, Conflicting."""
        found = self.own(campaign_id, caller)
        promotions.require_draft(found, "edited")
        return found

    def create(self, terms: Terms, requester: Requester) -> Promotion | Answer:
        """Create a draft, or return the earlier answer of its Idempotency-Key. Raises Invalid, Conflicting."""

        def change(now: datetime) -> Change:
            self._check(terms)
            made = {"id": new_id(PREFIX, now), "created_at": now, "updated_at": now}
            return promotions.create(Promotion(**vars(terms), **made, created_by=requester.subject))  # type: ignore[arg-type]

        return self.create_by(change, requester)

    def edit(self, campaign_id: str, given: Mapping[str, Any], requester: Requester) -> Promotion | Answer:
        """Change the given terms of a draft. Raises Invalid, Conflicting."""

        def change(found: Promotion, now: datetime) -> Change:
            terms = Terms(**{each.name: getattr(found, each.name) for each in fields(Terms)} | dict(given))
            self._check(terms)
            return promotions.edit(found, terms, now)

        return self.command("edit", campaign_id, requester, change)

    def delete(self, campaign_id: str, requester: Requester) -> Promotion | Answer:
        """Delete a draft."""
        return self.command("delete", campaign_id, requester, promotions.delete)

    def publish(self, campaign_id: str, requester: Requester) -> Promotion | Answer:
        """Publish a draft (S4-3).

        Raises Invalid; and Conflicting: `campaign_cannot_be_published`, `not_connected`, `not_eligible`,
        `insufficient_funds`, `media_missing`, `rewards_not_allowed_on_network`.
        """

        def change(found: Promotion, now: datetime) -> Change:
            met = {field: require() for field, require in self._requirements(found, _funds(found))}
            connection: Connection = met["network"]
            policy = self._networks.policy(found.network)
            etags = self._media.take(found, policy.media_types, policy.media_bytes)
            return promotions.publish(found, connection.host, now, requester.subject, etags, connection.account_id)

        return self.command("publish", campaign_id, requester, change)

    def preview(self, promotion: Promotion) -> Preview:
        """What a publish would do now, and all that stands against it. Nothing is changed."""
        policy, posted, has = self._networks.policy(promotion.network), self._posted(promotion), _funds(promotion)
        requirements = self._requirements(promotion, has)
        requirements.append(("media", partial(self._media.check, promotion, policy.media_types, policy.media_bytes)))
        problems: list[FieldError] = []
        for field, require in requirements:
            try:
                require()
            except Refused as error:
                problems += error.errors or [FieldError(field, error.message)]
        cost = sum(map(policy.price, posted))
        return Preview(posted, tuple(problems), promotion.budget, has, f"{cost:.3f}")

    def cancel(self, campaign_id: str, requester: Requester) -> Promotion | Answer:
        """Cancel a publish: after the answer no post begins, and what was posted is deleted."""
        return self.command("cancel", campaign_id, requester, promotions.cancel)

    def resume(self, campaign_id: str, requester: Requester) -> Promotion | Answer:
        """Go on at the stage that halted."""
        return self.command("resume", campaign_id, requester, promotions.resume)

    def resolve(self, campaign_id: str, said: Resolution, requester: Requester) -> Promotion | Answer:
        """Say what became of a call that nobody can look up."""
        return self.command("resolve", campaign_id, requester, lambda found, now: promotions.resolve(found, said, now))

    def abandon(self, campaign_id: str, reason: str, requester: Requester) -> Promotion | Answer:
        """Abandon a promotion that has halted: its posts and contract stay, and the money goes back."""
        return self.command(
            "abandon", campaign_id, requester, lambda found, now: promotions.abandon(found, reason, now)
        )

    def operations(self, promotion: Promotion) -> list[Operation]:
        """All publishes of a promotion."""
        return self._store.operations(promotion.id)

    def operation(self, promotion: Promotion, number: int) -> Operation:
        """One publish. Raises NotFound."""
        found = self._store.operation(promotion.id, number)
        if found is None:
            raise NotFound("Operation not found", "operation_not_found")
        return found

    def page(
        self, status: PromotionStatus | None, limit: int, after: Place | None, owner: str | None, *, halted: bool
    ) -> tuple[list[Promotion], Place | None]:
        """Promotions, newest first: of an owner or of all owners, and only halted promotions if asked."""
        source = HALTED_LIST if halted else listed_by(status, owner)
        found, following = self._store.page(source, limit, after, status)
        return [each for each in found if each.deleted_at is None and owner in (None, each.created_by)], following

    def wallets(self, user: str) -> list[Balance]:
        """The wallets that a user has, one for each currency."""
        return ledger.wallets_of(user)

    def budget(self, promotion: Promotion) -> Budget:
        """Where a promotion's money is: funded = remaining + reserved + paid + refunded, at one moment."""
        return ledger.budget_of(promotion.id)

    def _connected(self, promotion: Promotion) -> Connection:
        found = self._connections.find(promotion.created_by, promotion.network)
        if found is None or found.is_revoked:
            message = f"Connect {promotion.network} first: PUT /v2/connections/{promotion.network}"
            raise Conflicting(message, "not_connected")
        if self._connections.is_suspended(found):
            raise Conflicting("An operator says that this account may not publish", "not_eligible")
        return found

    def _posted(self, promotion: Promotion) -> tuple[str, ...]:
        return tuple(texts.posted(each, promotion.id, promotion.round + 1) for each in promotion.texts)

    def _requirements(self, promotion: Promotion, has: int) -> list[tuple[str, Callable[[], Any]]]:
        """What a publish requires, in this order, each with its field; each raises Refused. Media are checked last.

        `has`: what the owner's wallet has. What is called for the network returns the connection.
        """
        return [
            ("status", partial(promotions.require_draft, promotion, "published")),
            ("network", partial(self._connected, promotion)),
            ("texts", partial(self._require_texts, promotion)),
            ("type", partial(self._check, promotion)),
            ("budget", partial(_require_funds, promotion, has)),
        ]

    def _require_texts(self, promotion: Promotion) -> None:
        """Raises Invalid, with all that is wrong with the texts, and the code of the first."""
        policy = self._networks.policy(promotion.network)
        found = texts.problems(self._posted(promotion), policy.length, policy.text_limit, self._rules.disclosures)
        if found:
            _, code, message = found[0]
            raise Invalid(message, code, [FieldError(each, words) for each, _, words in found])

    def _check(self, terms: Terms) -> None:
        """Raises Invalid for terms that the network or the platform does not take; Conflicting for its policy."""
        policy = self._networks.policy(terms.network)
        if terms.budget < self._rules.min_budget:
            message = f"budget must be at least {self._rules.min_budget}"
            raise Invalid.of("budget", message, "budget_too_small")
        if len(terms.media) > policy.media_count:
            message = f"{terms.network} takes at most {policy.media_count} media in a post"
            raise Invalid.of("media", message, "too_many_media")
        if terms.type is PromotionType.REWARDED and not policy.rewards:
            message = f"The rules of {terms.network} forbid rewards: publish it with type awareness"
            raise Conflicting(message, "rewards_not_allowed_on_network")


def _require_funds(promotion: Promotion, has: int) -> None:
    """Raises Insufficient, with both numbers, before anything else of a publish is done."""
    if has < promotion.budget:
        account = wallet(promotion.currency, promotion.created_by)
        raise Insufficient(account, has, promotion.budget, promotion.currency)


def _funds(promotion: Promotion) -> int:
    """What the owner's wallet has in the promotion's currency."""
    account = wallet(promotion.currency, promotion.created_by)
    return ledger.read([account])[account].amount


def _not_found() -> NotFound:
    return NotFound("Campaign not found", "campaign_not_found")
