"""How a step of a broadcast is read and committed (section 5)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from aws_lambda_powertools import Logger

from broadcasts import agenda, sending
from broadcasts import campaign as broadcasts
from broadcasts.agenda import Due
from broadcasts.calls import WORKER, Begun, note_pause
from broadcasts.campaign import SETTLING, Broadcast, BroadcastStatus, Change, PauseReason, Waiting
from broadcasts.choosing import (
    Choice,
    Halt,
    Pricing,
    Wait,
    alert,
    alerted,
    claim_change,
    put_off,
    room,
    taking,
    tripped,
)
from broadcasts.frozen import Texts
from broadcasts.instance import Instance
from broadcasts.lanes import Lane, furthest_behind
from broadcasts.laying import Laying
from broadcasts.pacing import Turn
from broadcasts.ports import Patience
from broadcasts.row import Row, RowKey, RowStatus
from broadcasts.store import BroadcastState, BroadcastStore
from broadcasts.windows import is_open, next_opening
from sluice.campaign import State
from sluice.errors import Unavailable
from sluice.ids import new_id

logger = Logger(child=True)

_SPARE = 20
"""Rows read beyond those that a step may send, since some are skipped: at most so many, and five for each."""
_OF_A_PASS = 500
"""Rows read at once after a `retry`: most of them were sent, and their contacts are not read."""
_LANES_AT_ONCE = 3


@dataclass(frozen=True)
class BroadcastBatches:
    """Reads a broadcast and commits its next step."""

    store: BroadcastStore
    texts: Texts
    laying: Laying
    patience: Callable[[Instance], Patience]
    region_of: Callable[[str], str | None]
    """The country of a phone, for its price."""
    ready: Callable[[Instance], object]
    """Reads what the instance's calls need: when that cannot be read, nothing is claimed."""
    begun: dict[str, Begun]
    """Where the calls of this process find what was committed for them."""

    def read(self, campaign_id: str, now: datetime) -> State[Broadcast] | None:
        """A step that only settles runs while the platform is stopped too (amendment 5)."""
        state = self.store.step(campaign_id, now)
        if state and state.is_stopped and self._settles(state, now):
            return replace(state, is_stopped=False)
        return state

    def _settles(self, state: BroadcastState, now: datetime) -> bool:
        return (
            state.campaign.status in SETTLING
            or sending.overdue_claim(state.due, now) is not None
            or bool(sending.due_looks(state.due, now))
        )

    def commit(self, state: State[Broadcast], committed_by: str, now: datetime) -> Broadcast | None:
        if not isinstance(state, BroadcastState):
            raise TypeError("The state of a broadcast is read by its store")
        change, begun = self._next(state, now)
        if change is None:
            return None
        committed = self.store.commit(change.run_by(committed_by), WORKER, now)
        if committed and begun:
            self.begun[committed_by] = begun
        if committed and state.campaign.status in (BroadcastStatus.RUNNING, BroadcastStatus.SCHEDULED):
            note_pause(committed)
        return committed

    def _next(self, state: BroadcastState, now: datetime) -> tuple[Change | None, Begun | None]:
        """What the step commits, and what is to be done outside after it; no change when it has to be read again."""
        campaign = state.campaign
        if campaign.status is BroadcastStatus.DELETING:
            return self._removed(campaign, now), None
        if not state.platform.is_stopped and (late := sending.too_late(campaign, state.platform.since, now)):
            return late, None
        if claim := sending.overdue_claim(state.due, now):
            rows = self.store.rows(campaign.id, [each.key for each in claim.rows])
            return sending.settle(campaign, claim, rows, now, self._patience(state)), None
        if looks := sending.due_looks(state.due, now):
            change = sending.begin_looks(campaign, looks, now)
            return change, Begun(looks=change.put)
        match campaign.status:
            case BroadcastStatus.PAUSING | BroadcastStatus.CANCELLING:
                if state.counts.in_flight:
                    return sending.wait_for_settling(campaign, state.due, now), None
                return broadcasts.ended(campaign, now), None
            case BroadcastStatus.SCHEDULED:
                return broadcasts.start(campaign, now), None
        if listing := self._listed(campaign, now):
            return listing[0], None
        if campaign.status is BroadcastStatus.IMPORTING:
            return sending.rest(campaign, now), None
        return self._send(state, now)

    def _patience(self, state: BroadcastState) -> Patience:
        return self.patience(_present(state))

    def _listed(self, campaign: Broadcast, now: datetime) -> tuple[Change | None] | None:
        """Remove the rows of older lists, then lay those of the present one; None when both are done."""
        if change := sending.remove(campaign, now):
            return (change,)
        return None if campaign.is_laid else (self.laying(campaign, now),)

    def _removed(self, campaign: Broadcast, now: datetime) -> Change:
        if campaign.laid or campaign.source:
            # From here on its own rows are leftovers too.
            left = sending.all_left(campaign)
            return Change(
                campaign,
                replace(broadcasts.stepped(campaign, now, now), leftovers=left, laid=0, source=None, lanes=()),
            )
        if change := sending.remove(campaign, now):
            return change
        if not self.store.forget(campaign.id):
            return Change(campaign, broadcasts.stepped(campaign, now, now))
        return broadcasts.removed(campaign, now)

    # Sending

    def _send(self, state: BroadcastState, now: datetime) -> tuple[Change | None, Begun | None]:
        campaign, instance = state.campaign, _present(state)
        owner = state.owned
        day = owner.day(now)
        quota = state.quota(day)
        if due_alert := alert(
            campaign, state.counts, owner, day, quota.used, {"warned": quota.warned, "reached": quota.reached}
        ):
            return alerted(campaign, due_alert, now), None
        found = room(campaign, state.counts, instance, owner, quota.used, now)
        match found:
            case Halt(PauseReason.ERROR_RATE):
                return tripped(campaign, state.counts, now, self._codes(campaign)), None
            case Halt(reason):
                return broadcasts.halted(campaign, now, reason), None
            case Wait(reason, until):
                return self._wait(state, reason, until, now), None
        turn = taking(campaign, instance, found.count, now)
        if not turn.count:
            return self._wait_for_slot(state, instance, turn, now)
        choice = Choice(
            campaign,
            self.texts.of(campaign),
            owner,
            found,
            Pricing(instance, self._category(campaign), self.region_of, now),
            now,
            partial(new_id, "att", now),
            most=turn.count,
        )
        lanes = self._choose(choice, state, now)
        if choice.claims:
            self.ready(instance)
            taken = taking(campaign, instance, len(choice.claims), now)
            change = claim_change(choice, instance, taken, lanes, day, state.counts)
            claim = change.put[0]
            return change, Begun(claim, tuple(choice.claims), change.instance[1] if change.instance else None)
        if choice.is_out_of_budget:
            return broadcasts.halted(campaign, now, PauseReason.BUDGET), None
        if not choice.has_changed and lanes == campaign.lanes:
            lanes = self._pass_shut(choice, lanes, now)
        if choice.has_changed or lanes != campaign.lanes:
            after = replace(broadcasts.stepped(campaign, now, now), lanes=lanes)
            put, dropped = tuple(choice.put), tuple(choice.dropped)
            return Change(campaign, after, moved=tuple(choice.moved), put=put, dropped=dropped).counting(), None
        return self._empty(state, now), None

    def _wait(self, state: BroadcastState, reason: Waiting, until: datetime | None, now: datetime) -> Change:
        """It may not send now, whatever there is. A slot that a throttle overtakes is given up."""
        campaign = state.campaign
        if not self._has_more(state):
            return self._empty(state, now)
        change = sending.wait(campaign, state.due, now, reason, until)
        if reason is Waiting.PROVIDER and until:
            return replace(change, after=replace(change.after, slot=put_off(campaign, until)))
        return change

    def _wait_for_slot(
        self, state: BroadcastState, instance: Instance, turn: Turn, now: datetime
    ) -> tuple[Change | None, Begun | None]:
        """The slot is not due: come again when it is. A slot that was given up, or is the first, is reserved now."""
        campaign = state.campaign
        if not self._has_more(state):
            return self._empty(state, now), None
        wake_at = min([turn.slot.at, *(each.at for each in state.due if each.kind is not agenda.Kind.RETRY)])
        after = replace(broadcasts.stepped(broadcasts.working(campaign, now), now, wake_at), slot=turn.slot)
        if turn.tat == instance.tat:
            return Change(campaign, after), None
        paced = replace(instance, tat=turn.tat, v=instance.v + 1)
        return Change(campaign, after, instance=(instance, paced)), None

    def _has_more(self, state: BroadcastState) -> bool:
        """Whether a lane has rows left in this pass, or a row is due again."""
        return any(not lane.is_done for lane in state.campaign.lanes) or any(
            each.kind is agenda.Kind.RETRY for each in state.due
        )

    def _choose(self, choice: Choice, state: BroadcastState, now: datetime) -> tuple[Lane, ...]:
        """Offer rows: those that are due again, then those of the open lanes that are furthest behind."""
        campaign = state.campaign
        zones = {lane.number: lane.zones for lane in campaign.lanes}
        again = {each.key: each for each in state.due if each.kind is agenda.Kind.RETRY and each.at <= now}
        rows = self.store.rows(campaign.id, again)
        for key in again.keys() - rows.keys():
            choice.drop(again[key])
        self._offer(choice, [rows[key] for key in again if key in rows], zones, again)
        lanes = {lane.number: lane for lane in campaign.lanes}
        stuck: set[int] = set()
        for _ in range(_LANES_AT_ONCE):
            open_lanes = [lane for lane in lanes.values() if lane.number not in stuck]
            lane = furthest_behind(open_lanes, lambda each: is_open(campaign.windows, each.zones, now))
            if lane is None or choice.is_full:
                break
            spare = min(_SPARE, 5 * choice.most)
            limit = choice.most + spare if campaign.pass_number == 1 else _OF_A_PASS
            found = self.store.rows_from(campaign, lane.number, lane.cursor, limit)
            taken = self._offer(choice, found, zones, {})
            lanes[lane.number] = lane.moved(lane.cursor + taken)
            if taken < len(found) or not found:
                stuck.add(lane.number)
        return tuple(lanes[lane.number] for lane in campaign.lanes)

    def _pass_shut(self, choice: Choice, lanes: tuple[Lane, ...], now: datetime) -> tuple[Lane, ...]:
        """Offer rows of a lane whose windows never open, so that they are skipped: else the campaign never ends."""
        campaign = choice.campaign
        left = (each for each in lanes if not each.is_done)
        shut = next((each for each in left if next_opening(campaign.windows, each.zones, now) is None), None)
        if shut is None:
            return lanes
        found = self.store.rows_from(campaign, shut.number, shut.cursor, _SPARE)
        taken = self._offer(choice, found, {shut.number: shut.zones}, {})
        return tuple(each.moved(each.cursor + taken) if each is shut else each for each in lanes)

    def _offer(
        self,
        choice: Choice,
        rows: Sequence[Row],
        zones: dict[int, tuple[str, ...]],
        due: dict[RowKey, Due],
    ) -> int:
        """Offer rows in their order until one has to wait; returns how many did not."""
        wanted = list(dict.fromkeys(row.contact for row in rows if choice.is_eligible(row)))
        # Mostly nobody is skipped, and as many contacts as messages are all that is looked at.
        first, others = wanted[: choice.most], wanted[choice.most : choice.most + _SPARE]
        contacts = self.store.contacts(choice.campaign.owner, first)
        for number, row in enumerate(rows):
            entry = due.get(row.key)
            if not choice.is_eligible(row):
                is_done = choice.pass_by(row, entry)
            elif choice.is_full:
                is_done = False
            else:
                if row.contact not in contacts and others:
                    contacts |= self.store.contacts(choice.campaign.owner, others)
                    others = []
                contact = contacts.get(row.contact)
                is_done = contact is not None and choice.offer(row, contact, zones[row.key.lane], entry)
            if not is_done:
                return number
        return len(rows)

    def _empty(self, state: BroadcastState, now: datetime) -> Change:
        """Nothing may be sent now: complete, or wait for a window, the agenda, or what is in flight."""
        campaign = state.campaign
        left = [lane for lane in campaign.lanes if not lane.is_done]
        if not left and not state.due and not state.counts.open:
            return broadcasts.completed(campaign, now)
        if left:
            openings = [next_opening(campaign.windows, lane.zones, now) for lane in left]
            times = [each for each in openings if each and each > now]
            times += [each.at for each in state.due if each.kind is agenda.Kind.RETRY and each.at > now]
            return sending.wait(campaign, state.due, now, Waiting.WINDOW, min(times, default=None))
        longest = timedelta(seconds=self._patience(state).empty_step_seconds)
        return sending.wait_for_agenda(campaign, state.due, now, longest)

    def _category(self, campaign: Broadcast) -> str | None:
        template = self.texts.of(campaign).template
        return template.category if template else None

    def _codes(self, campaign: Broadcast) -> list[str]:
        """The codes of rows that failed lately, for the reason of a pause."""
        keys, _ = self.store.outcomes(campaign.id, RowStatus.FAILED, 50, None)
        return [row.error.code for row in self.store.rows(campaign.id, keys).values() if row.error]


def _present(state: BroadcastState) -> Instance:
    if state.instance is None:
        raise Unavailable("The campaign's instance is gone")
    return state.instance
