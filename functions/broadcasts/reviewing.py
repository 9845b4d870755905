"""Reads what a review needs: rows, contacts, quota, and the other campaigns on the number."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from zoneinfo import ZoneInfo

from broadcasts import reviewed
from broadcasts.campaign import Broadcast, BroadcastStatus, Terms, Text
from broadcasts.instance import Instance
from broadcasts.lanes import Lane
from broadcasts.recipients import CleanList
from broadcasts.reviewed import MOST_JUDGED, SENT, Candidate, Review
from broadcasts.row import Counts
from broadcasts.simulation import Pace, plan
from broadcasts.store import BroadcastStore, listed_by
from sluice.errors import Conflicting

_RIVALS = 100


class Reviews:
    """Reviews of campaigns, stored or not. `country_of` returns the country of a phone."""

    def __init__(self, store: BroadcastStore, country_of: Callable[[str], str | None]) -> None:
        self._store = store
        self._country_of = country_of

    def of_request(
        self,
        owner: str,
        terms: Terms,
        text: Text,
        instance: Instance,
        found: CleanList | None,
        lines: Sequence[int],
        now: datetime,
    ) -> Review:
        """What a campaign would do that is not stored."""
        rows = [
            Candidate(each.line, each.phone, each.variables, each.contact, each.lane)
            for each in (found.rows if found else ())
        ]
        lanes = found.lanes if found else ()
        generation = 1 if found else 0
        return self._review(
            owner, terms, text, instance, rows, lanes, lines, now, generation=generation, left=len(rows)
        )

    def of_campaign(self, campaign: Broadcast, lines: Sequence[int], now: datetime) -> Review:
        """What a campaign would do from now on. Raises Conflicting while its rows are being stored."""
        found = self._store.progress(campaign.id)
        if found is None or not found.campaign.is_laid:
            raise Conflicting("The recipients are still being stored: try again in a moment", "still_importing")
        instance, text = self._store.instance(campaign.instance_id), self._store.text(campaign.id)
        if instance is None or text is None:
            raise Conflicting("The campaign has no instance to send by", "instance_not_found")
        return self._review(
            campaign.owner,
            campaign,
            text,
            instance,
            self._candidates(campaign),
            campaign.lanes,
            lines,
            now,
            generation=campaign.generation,
            left=reviewed.rows_left(campaign, found.counts),
            counted=found.counts,
            campaign=campaign,
        )

    def require_plan(self, campaign: Broadcast, plan_hash: str | None, now: datetime) -> None:
        """Raises Conflicting (`plan_changed`) when a campaign would not do what was reviewed."""
        if plan_hash is not None and self.of_campaign(campaign, (), now).plan_hash != plan_hash:
            raise Conflicting("The campaign would not do what was reviewed: simulate it again", "plan_changed")

    def ends_at(self, campaign: Broadcast, total: Counts, now: datetime) -> datetime | None:
        """When the last message of a live campaign goes out, if all are accepted; None for any other."""
        if campaign.status not in (BroadcastStatus.RUNNING, BroadcastStatus.SCHEDULED):
            return None
        instance = self._store.instance(campaign.instance_id)
        if instance is None:
            return None
        begins = max(now, campaign.scheduled_for or now)
        pace, _ = self._pace(campaign.owner, campaign, instance, campaign, now)
        return plan(reviewed.remaining(campaign.lanes, reviewed.rows_left(campaign, total)), pace, begins).ends_at

    def _review(
        self,
        owner_name: str,
        terms: Terms,
        text: Text,
        instance: Instance,
        rows: Iterable[Candidate],
        lanes: Sequence[Lane],
        lines: Sequence[int],
        now: datetime,
        *,
        generation: int,
        left: int,
        counted: Counts | None = None,
        campaign: Broadcast | None = None,
    ) -> Review:
        some = list(islice(rows, MOST_JUDGED))
        contacts = self._store.contacts(owner_name, (each.contact for each in some))
        owner = self._store.owner(owner_name)
        zones = {each.number: each.zones for each in lanes}
        judged = reviewed.judge(some, contacts, text, owner.rules, zones, instance, self._country_of, lines, now)
        loads = reviewed.loads(judged, lanes)
        warnings = reviewed.warnings_of(judged, text, instance)
        if len(some) == MOST_JUDGED < left:
            judged = reviewed.scaled(judged, left - len(some))
            loads = reviewed.remaining(lanes, judged.outcomes[SENT])
            warnings += (f"Only the first {MOST_JUDGED} rows were judged one by one",)
        pace, rivals = self._pace(owner_name, terms, instance, campaign, now)
        begins = max(now, terms.scheduled_for or now)
        spent = counted.spent + counted.reserved if counted else 0
        return Review(
            reviewed.plan_hash(terms, instance, generation, text.version, judged.outcomes),
            sum(each.rows for each in lanes),
            judged.outcomes,
            judged.previews,
            judged.skipped,
            warnings,
            plan(loads, pace, begins),
            pace.rate,
            instance.currency,
            judged.costs,
            terms.budget - spent if terms.budget is not None else None,
            rivals,
        )

    def _pace(
        self, owner_name: str, terms: Terms, instance: Instance, campaign: Broadcast | None, now: datetime
    ) -> tuple[Pace, tuple[Broadcast, ...]]:
        """How fast it goes beside the other campaigns on the number, as they stand."""
        source = listed_by(None, instance.id)
        running, _ = self._store.page(source, _RIVALS, None, BroadcastStatus.RUNNING)
        rivals = tuple(each for each in running if campaign is None or each.id != campaign.id)
        owner = self._store.owner(owner_name)
        used = self._store.quota(owner_name, owner.day(now)).used if owner.daily_limit is not None else 0
        rate = min(float(terms.rate_limit), instance.rate_limit / (1 + len(rivals)))
        return Pace(rate, terms.windows, owner.daily_limit, used, ZoneInfo(owner.time_zone)), rivals

    def _candidates(self, campaign: Broadcast) -> Iterator[Candidate]:
        """The rows that this pass sends."""
        flags = {"include_unknown": campaign.include_unknown, "include_final": campaign.include_final}
        for lane in campaign.lanes:
            number = 0
            while number < lane.rows and (some := self._store.rows_from(campaign, lane.number, number, 1000)):
                for row in some:
                    if row.is_due_in(campaign.pass_number, **flags):
                        name = f"{campaign.id}/{row.key}"
                        yield Candidate(row.line, row.phone, row.variables, row.contact, lane.number, name)
                number = some[-1].key.number + 1
