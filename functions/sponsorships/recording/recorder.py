"""Counts impressions and clicks, or says why not. An impression is a row, put in the transaction that counts it.

Refused is what can be refused without the database, then what the participation's standing refuses, then what the
transaction does. Single use follows from distinctness: there is no table of used tokens.
"""

import logging
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from sluice import visitors
from sluice.clock import Clock, rfc3339
from sluice.errors import Conflicting, Forbidden, Unavailable, Untrusted
from sponsorships import impressions
from sponsorships.impressions import (
    Click,
    Impression,
    ImpressionKeys,
    NotUsable,
    Reason,
    Row,
    Token,
    participation_id,
)
from sponsorships.recording.standing import MAX_SHARDS, Item, Standing, crossing, number, text
from sponsorships.recording.transactions import Kind, Outcome, Table

ATTEMPTS = 12
ROUNDS = 3
"""After as many a batch whose rows fail is recorded row by row."""
GROW_AFTER = 3
"""Conflicts in one call."""
SECONDS = 6.0
"""For all tries of one call: less than the function has."""
KEPT = timedelta(seconds=5)
_MOST_KEPT = 2_000

logger = logging.getLogger(f"sluice.{__name__}")


@dataclass(frozen=True)
class Caller:
    """What is looked at of a request: its headers by their names in lower case, and where it comes from."""

    headers: Mapping[str, str]
    source_ip: str


@dataclass(frozen=True)
class Minted:
    """An impression token, and when it is good."""

    token: str
    usable_at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class Recorded:
    """What became of an impression or a click: counted, if there are no reasons. `accepted_at` is also that of a token
    that was used before: a client that lost the answer learns that it was counted.
    """

    reasons: tuple[Reason, ...] = ()
    accepted_at: str = ""
    click_token: str = ""
    retry_after_seconds: int | None = None

    @property
    def is_counted(self) -> bool:
        return not self.reasons


@dataclass
class _Group:
    """The impressions of one participation in one call, by the places of their tokens."""

    standing: Standing
    now: datetime
    keys: ImpressionKeys
    pending: dict[int, Impression] = field(default_factory=dict)
    answers: dict[int, Recorded] = field(default_factory=dict)
    conflicts: int = 0
    lost_an_answer: bool = False

    @property
    def accepted_at(self) -> str:
        return rfc3339(self.now)

    def rows(self) -> list[Row]:
        return [impressions.row(self.keys, each, self.accepted_at) for each in self.pending.values()]

    def count(self, k: int) -> None:
        """All that are pending were counted in tally `k`."""
        for place, each in self.pending.items():
            self.answers[place] = self._counted(each, self.accepted_at, k)
        self.pending.clear()

    def met(self, place: int, old: Item) -> None:
        """An impression met a row of its viewer."""
        each = self.pending.pop(place)
        if text(old, "nonce") != each.nonce:
            self.answers[place] = Recorded((Reason.VIEWER_COUNTED,))
            return
        accepted_at = text(old, "accepted_at")
        counted = self._counted(each, accepted_at, number(old, "k"))
        # The row of this very call, whose answer was lost; or that of another one.
        is_own = self.lost_an_answer and accepted_at == self.accepted_at
        reasons = () if is_own else (Reason.TOKEN_USED,)
        self.answers[place] = Recorded(reasons, accepted_at, counted.click_token)

    def refuse(self, reason: Reason) -> None:
        """All that are pending are refused."""
        self.answers |= dict.fromkeys(self.pending, Recorded((reason,)))
        self.pending.clear()

    def _counted(self, each: Impression, accepted_at: str, k: int) -> Recorded:
        click = Click(each.participation, each.part, each.nonce, k)
        return Recorded((), accepted_at, impressions.mint_click(self.keys, click, accepted_at))


class Recorder:
    """Mints tokens, and records what comes back. `keys` answers the keys of impressions.

    `wait` sleeps for some seconds, and `seconds` is a clock that never goes back.
    """

    def __init__(
        self,
        table: Table,
        keys: Callable[[], ImpressionKeys],
        clock: Clock,
        zone: ZoneInfo,
        wait: Callable[[float], None] = time.sleep,
        seconds: Callable[[], float] = time.monotonic,
        *,
        honours_do_not_track: bool,
    ) -> None:
        self._table = table
        self._keys = keys
        self._clock = clock
        self._zone = zone
        self._wait = wait
        self._seconds = seconds
        self._honours_do_not_track = honours_do_not_track
        self._standings: dict[str, tuple[Standing, datetime]] = {}

    def mint(self, campaign_id: str, streamer: str, subject: str | None, caller: Caller) -> Minted:
        """A token for a viewer: the subject of a viewer's token, else one of the network's.

        Raises Conflicting when no impression would be taken, Forbidden when the campaign takes no anonymous viewer.
        """
        now, participation = self._clock.now(), participation_id(campaign_id, streamer)
        standing = self._standing(participation, now)
        reason = standing.refusal(now) if standing else Reason.NOT_PARTICIPATING
        if standing is None or reason:
            raise Conflicting("The campaign takes no impressions of this streamer now", str(reason))
        terms = standing.terms
        if subject is not None:
            viewer = impressions.registered(terms.salt, subject)
        elif terms.takes_anonymous:
            network, agent = visitors.network(caller.source_ip), caller.headers.get("user-agent", "")
            viewer = impressions.anonymous(terms.salt, network, agent)
        else:
            raise Forbidden("The campaign takes registered viewers only: send a viewer's token", "viewer_unknown")
        token = impressions.mint(self._keys(), participation, viewer, now)
        return Minted(token, now + timedelta(seconds=terms.min_seconds), now + timedelta(seconds=terms.token_seconds))

    def record(self, campaign_id: str, tokens: Sequence[str], caller: Caller) -> list[Recorded]:
        """What became of each token's impression, in their order.

        Raises Unavailable when one was not decided in time. The rest are: the tokens may be sent again.
        """
        now, keys, ends = self._clock.now(), self._keys(), self._seconds() + SECONDS
        answers: dict[int, Recorded] = {}
        groups: dict[str, _Group] = {}
        opened: dict[int, Token] = {}
        for place, sent in enumerate(tokens):
            try:
                opened[place] = impressions.opened(sent, keys.newest)
            except Untrusted:
                answers[place] = Recorded((Reason.TOKEN_INVALID,))
        for place, token in opened.items():
            if token.campaign_id != campaign_id:
                answers[place] = Recorded((Reason.WRONG_CAMPAIGN,))
                continue
            standing = self._standing(token.participation, now)
            impression = self._impression(token, standing, caller, now)
            if standing is None or isinstance(impression, Recorded):
                answers[place] = impression if isinstance(impression, Recorded) else _not_participating()
                continue
            group = groups.setdefault(token.participation, _Group(standing, now, keys))
            group.pending[place] = impression
        for group in groups.values():
            self._record(group, ends)
            answers |= group.answers
        self._count_refusals(opened, answers, now)
        if len(answers) < len(tokens):
            raise Unavailable("The database is busy")
        return [answers[place] for place in range(len(tokens))]

    def click(self, campaign_id: str, sent: str) -> Recorded:
        """What became of a click. Raises Unavailable when it was not decided in time."""
        now = self._clock.now()
        try:
            click = impressions.verify_click(sent, self._keys().newest, now)
        except NotUsable as error:
            return Recorded((error.reason,))
        except Untrusted:
            return Recorded((Reason.TOKEN_INVALID,))
        if click.campaign_id != campaign_id:
            return Recorded((Reason.WRONG_CAMPAIGN,))
        at = rfc3339(now)
        outcome, lost_an_answer = self._tried(partial(self._table.click, click, at), self._seconds() + SECONDS)
        if outcome is None:
            raise Unavailable("The database is busy")
        if outcome.kind is Kind.DONE:
            return Recorded(accepted_at=at)
        return _refused_click(click, outcome, at, lost_an_answer=lost_an_answer)

    def _impression(
        self, token: Token, standing: Standing | None, caller: Caller, now: datetime
    ) -> Impression | Recorded:
        """The impression of a token, or the reasons to refuse it, in the order in which they are asked."""
        if standing is None:
            return _not_participating()
        terms, reasons = standing.terms, list[Reason]()
        impression, retry_after = None, None
        try:
            impression = impressions.verify(
                token,
                now,
                min_seconds=terms.min_seconds,
                token_seconds=terms.token_seconds,
                period=terms.period,
                zone=self._zone,
            )
        except NotUsable as error:
            reasons.append(error.reason)
            retry_after = error.retry_after_seconds
        if visitors.is_bot(caller.headers):
            reasons.append(Reason.BOT)
        if self._honours_do_not_track and visitors.asks_not_to_be_tracked(caller.headers):
            reasons.append(Reason.DO_NOT_TRACK)
        if terms.salt and impressions.is_own(terms.salt, token.streamer, token.viewer, token.by):
            reasons.append(Reason.OWN_VIEW)
        if reason := standing.refusal(now):
            reasons.append(reason)
        if impression is None or reasons:
            return Recorded(tuple(reasons), retry_after_seconds=retry_after if len(reasons) == 1 else None)
        return impression

    def _record(self, group: _Group, ends: float) -> None:
        """Record the impressions of a participation: every one that is not pending after it has an answer."""
        doubles = _doubles(group.pending)
        kept = {place: each for place, each in group.pending.items() if place not in doubles}
        double = {place: group.pending[place] for place in doubles}
        nonces = {place: each.nonce for place, each in group.pending.items()}
        group.pending = kept
        self._commit(group, ends)
        for place, each in double.items():
            first = doubles[place]
            if first in group.answers:
                group.answers[place] = _double(group.answers[first], is_same=each.nonce == nonces[first])
        if any(answer.is_counted for answer in group.answers.values()):
            self._after(group.standing, group.now, ends)
        if group.conflicts >= GROW_AFTER and group.standing.shards < MAX_SHARDS:
            self._grow(group.standing)

    def _commit(self, group: _Group, ends: float) -> None:
        """Commit what is pending together; after ROUNDS in which rows failed, one by one."""
        rounds = 0
        k = _a_tally(group.standing)
        for attempt in range(ATTEMPTS):
            if not group.pending or self._seconds() > ends:
                return
            outcome = self._table.record(group.standing.participation, group.rows(), k)
            match outcome.kind:
                case Kind.DONE:
                    group.count(k)
                case Kind.FAILED:
                    self._failed(group, outcome.failed)
                    rounds += 1
                case Kind.CONFLICT:
                    group.conflicts += 1
                    self._wait(_jitter(attempt))
                    k = _a_tally(group.standing, other_than=k)
                case Kind.UNHEARD:
                    group.lost_an_answer = True
                    self._wait(_jitter(attempt))
            if rounds == ROUNDS and len(group.pending) > 1:
                self._one_by_one(group, ends)
                return

    def _one_by_one(self, group: _Group, ends: float) -> None:
        waiting, group.pending = group.pending, {}
        for place, each in waiting.items():
            group.pending = {place: each}
            self._commit(group, ends)

    def _failed(self, group: _Group, failed: Mapping[int, Item]) -> None:
        places = list(group.pending)
        for index, old in failed.items():
            if index < len(places):
                group.met(places[index], old)
        if len(places) in failed:  # the tally is closed: read why
            self._standings.pop(group.standing.participation, None)
            fresh = self._standing(group.standing.participation, group.now)
            reason = fresh.refusal(group.now) if fresh else Reason.NOT_PARTICIPATING
            group.refuse(reason or Reason.TARGET_REACHED)

    def _after(self, standing: Standing, now: datetime, ends: float) -> None:
        """Look at the totals after a commit, and mark what they crossed. What fails here is the sweep's to find."""
        try:
            for _ in range(ROUNDS):
                totals = self._table.totals(standing.participation, standing.shards)
                if totals is None:
                    return
                self._keep(standing.after(totals.item))
                found = crossing(totals, standing.terms)
                if found is None:
                    return
                outcome, _ = self._tried(partial(self._table.mark, found, now), ends)
                if outcome is None or outcome.kind is Kind.DONE:
                    return
        except Unavailable as error:
            logger.warning("A crossing was not looked for", exc_info=error)

    def _tried(self, commit: Callable[[], Outcome], ends: float) -> tuple[Outcome | None, bool]:
        """What a transaction came to, in ATTEMPTS; None if to nothing. And whether an answer was lost before."""
        lost_an_answer = False
        for attempt in range(ATTEMPTS):
            if self._seconds() > ends:
                break
            outcome = commit()
            if outcome.kind in (Kind.DONE, Kind.FAILED):
                return outcome, lost_an_answer
            lost_an_answer |= outcome.kind is Kind.UNHEARD
            self._wait(_jitter(attempt))
        return None, lost_an_answer

    def _grow(self, standing: Standing) -> None:
        try:
            self._table.grow(standing.participation, standing.shards)
        except Unavailable as error:
            logger.warning("The tallies were not doubled", exc_info=error)
        self._standings.pop(standing.participation, None)

    def _count_refusals(self, opened: Mapping[int, Token], answers: Mapping[int, Recorded], now: datetime) -> None:
        """Count refused tokens that we signed: a token that we did not sign is nobody's."""
        refused = Counter(
            (token.participation, answers[place].reasons[0])
            for place, token in opened.items()
            if place in answers and not answers[place].is_counted
        )
        for (participation, reason), times in refused.items():
            try:
                self._table.refuse(participation, reason, times, now)
            except Unavailable as error:
                logger.warning("A refusal was not counted", exc_info=error)

    def _standing(self, participation: str, now: datetime) -> Standing | None:
        """As it was at most 5 s ago; None if there is none now, so that a streamer who just joined is found."""
        kept = self._standings.get(participation)
        if kept and timedelta(0) <= now - kept[1] < KEPT:
            return kept[0]
        standing = self._table.standing(participation)
        if standing is None:
            return None
        if len(self._standings) >= _MOST_KEPT:
            self._standings.clear()
        self._standings[participation] = (standing, now)
        return standing

    def _keep(self, standing: Standing) -> None:
        """A later read of the participation: its terms are as old as before."""
        kept = self._standings.get(standing.participation)
        if kept:
            self._standings[standing.participation] = (standing, kept[1])


def _not_participating() -> Recorded:
    return Recorded((Reason.NOT_PARTICIPATING,))


def _doubles(pending: Mapping[int, Impression]) -> dict[int, int]:
    """The places of impressions of a viewer who stands before them, with that viewer's place."""
    first: dict[str, int] = {}
    found = {}
    for place, each in pending.items():
        if each.part in first:
            found[place] = first[each.part]
        first.setdefault(each.part, place)
    return found


def _double(first: Recorded, *, is_same: bool) -> Recorded:
    """The answer to a double, by the answer to the first."""
    if not (first.is_counted or first.accepted_at or Reason.VIEWER_COUNTED in first.reasons):
        return first
    if is_same:
        reasons = first.reasons or (Reason.TOKEN_USED,)
        return Recorded(reasons, first.accepted_at, first.click_token)
    return Recorded((Reason.VIEWER_COUNTED,))


def _refused_click(click: Click, outcome: Outcome, at: str, *, lost_an_answer: bool) -> Recorded:
    old = outcome.failed.get(0)
    if old is None:
        return Recorded((Reason.CAMPAIGN_ENDED,))
    if text(old, "nonce") != click.nonce:  # a hand took the row away
        return Recorded((Reason.TOKEN_INVALID,))
    if "voided" in old:
        return Recorded((Reason.VOIDED,))
    if lost_an_answer and text(old, "clicked_at") == at:
        return Recorded(accepted_at=at)
    return Recorded((Reason.TOKEN_USED,), text(old, "clicked_at"))


def _a_tally(standing: Standing, other_than: int | None = None) -> int:
    return random.choice([k for k in range(standing.shards) if k != other_than or standing.shards == 1])


def _jitter(attempt: int) -> float:
    """In seconds."""
    return random.uniform(0, min(0.5, 0.01 * 2**attempt))
