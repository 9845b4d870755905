"""What a promotion does outside the platform: it posts, deletes, and calls the contract. One call for each stage."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from promotions.ports import NOT_CONNECTED, Escrow, Media, NetworkPolicy, SocialPublisher
from promotions.promotion import POSTS, Promotion, Stage
from promotions.texts import posted
from sluice.errors import Unavailable
from sluice.outward import Absent, Call, CannotTell, NotTaken, Outcome, Patience, Refused, Seen

_CLOCKS_DIFFER = timedelta(seconds=60)
ANOTHER_ESCROW = "another_escrow"
"""Reason of a refusal or of a failed look: the contract, or the call, is of a kind of escrow that is not deployed."""
_DELETES = frozenset({Stage.UNDO_FIRST, Stage.UNDO_SECOND})
CREATE = "createCampaign"
CLOSE = "closeCampaign"
EXPIRE = "expireCampaign"


class NotConnected(Exception):
    """Raised when the owner has not connected the account. Another account would not find, and so repeat, a post."""


class Networks(Protocol):
    """The networks, with the tokens of those who connected them."""

    def policy(self, network: str) -> NetworkPolicy:
        """What a network allows. Raises Invalid (`network_unknown`)."""

    def publisher(self, network: str, owner: str, host: str, account_id: str | None = None) -> SocialPublisher:
        """A client with the owner's token, of an account at this server, and of this account if one is given.

        Raises NotConnected, Unavailable.
        """

    def revoked(self, network: str, owner: str) -> None:
        """Note that the network refused the owner's token. Raises Unavailable."""


class MediaStore(Protocol):
    """The media of promotions."""

    def read(self, promotion: Promotion) -> Sequence[Media]:
        """The pictures that a promotion is published with, as they were checked. Raises Unavailable."""


@dataclass(frozen=True)
class Outside:
    """Makes the calls of a promotion's stages, and looks them up."""

    networks: Networks
    escrow: Escrow
    media: MediaStore
    heard: Callable[[Outcome | Seen], None] = lambda _: None
    """Keeps what the escrow answered, for health (S4-21)."""

    def patience(self, promotion: Promotion) -> Patience:
        """How long the call of its stage is waited for."""
        if promotion.stage in POSTS | _DELETES:
            policy = self.networks.policy(promotion.network)
            return Patience(policy.call_seconds, policy.settle_seconds)
        return self.escrow.patience

    def ref(self, promotion: Promotion, now: datetime) -> str:
        """The reference by which the other side knows the next call: it is committed before the call."""
        if promotion.stage in POSTS | _DELETES:
            return f"{promotion.id}#{promotion.round}#{promotion.stage}"
        return self.escrow.new_ref(f"{promotion.id}#{promotion.round}", now)

    def publisher(self, promotion: Promotion) -> SocialPublisher:
        """A client of the account that it is published with. Raises NotConnected, Unavailable."""
        owner, host = promotion.created_by, str(promotion.host)
        return self.networks.publisher(promotion.network, owner, host, promotion.account_id)

    def call(self, promotion: Promotion, call: Call) -> Outcome:
        """Make the call of a stage, once."""
        if promotion.stage not in POSTS | _DELETES:
            if promotion.contract_id and not self.escrow.made(promotion.contract_id):
                return Refused(ANOTHER_ESCROW)
            submitted = self.escrow.submit(call.ref, *_submitted(promotion))
            self.heard(submitted)
            return submitted
        try:
            publisher = self.publisher(promotion)
            pictures = self.media.read(promotion) if promotion.stage is Stage.FIRST_POST else ()
        except NotConnected:
            return Refused(NOT_CONNECTED)
        except Unavailable as error:  # nothing was sent yet
            return NotTaken(str(error))
        outcome = self._social(publisher, promotion, pictures, call)
        if outcome == Refused(NOT_CONNECTED):
            self.networks.revoked(promotion.network, promotion.created_by)
        return outcome

    def look(self, promotion: Promotion, call: Call) -> Seen:
        """Look up whether a call happened. A delete is Absent, so it is repeated: to delete twice is to delete once."""
        if promotion.stage in _DELETES:
            return Absent()
        if promotion.stage not in POSTS:
            if not self.escrow.made(call.ref):
                return CannotTell(ANOTHER_ESCROW)
            found = self.escrow.outcome(call.ref, *_submitted(promotion))
            self.heard(found)
            return found
        try:
            publisher = self.publisher(promotion)
        except (NotConnected, Unavailable) as error:
            return CannotTell(str(error) or NOT_CONNECTED)
        reply_to = promotion.tweet_id if promotion.stage is Stage.SECOND_POST else None
        return publisher.find_own(_text(promotion), reply_to, call.ref, call.since - _CLOCKS_DIFFER)

    def _social(
        self, publisher: SocialPublisher, promotion: Promotion, pictures: Sequence[Media], call: Call
    ) -> Outcome:
        match promotion.stage:
            case Stage.FIRST_POST:
                return publisher.post(_text(promotion), pictures, None, call.ref)
            case Stage.SECOND_POST:
                return publisher.post(_text(promotion), (), promotion.tweet_id, call.ref)
            case Stage.UNDO_SECOND:
                return publisher.delete(str(promotion.last_thread_tweet_id))
            case _:
                return publisher.delete(str(promotion.tweet_id))


def _text(promotion: Promotion) -> str:
    number = 0 if promotion.stage is Stage.FIRST_POST else 1
    return posted(promotion.texts[number], promotion.id, promotion.round)


def _submitted(promotion: Promotion) -> tuple[str, Mapping[str, str | int]]:
    """The function of the contract that a stage calls, and its arguments (S4-8); `id` is the transaction's memo."""
    match promotion.stage:
        case Stage.CONTRACT:
            return CREATE, {"id": promotion.id, "title": promotion.title, "budget": promotion.budget}
        case Stage.UNDO_CONTRACT:
            return CLOSE, {"id": promotion.id, "rewarded": 0, "refunded": promotion.budget}
        case Stage.FINALISE:
            return CLOSE, {"id": promotion.id, "rewarded": promotion.promised, "refunded": promotion.refunded}
        case _:
            return EXPIRE, {"id": promotion.id, "refunded": promotion.refunded}
