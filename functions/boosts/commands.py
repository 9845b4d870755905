"""What an operator can do to boost campaigns. Each command commits at once or is refused with the reason."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from aws_lambda_powertools import Logger

from boosts import campaign as campaigns
from boosts import evidence
from boosts.campaign import PREFIX, Campaign, Change, Row, Status
from boosts.evidence import Check
from boosts.plan import Pattern, month_of
from boosts.simulation import Simulation, months_ahead, simulate
from boosts.store import Keyed, Place, Store
from boosts.timeline import PlanDay, timeline
from boosts.usage import Limits, Usage
from sluice import requests
from sluice.clock import Clock
from sluice.errors import Conflicting, FieldError, Invalid, NotFound, Unavailable
from sluice.ids import is_id, new_id
from sluice.wake import Wake

logger = Logger(child=True)

# Each attempt lost against another commit: a batch, or another command.
_ATTEMPTS = 20
_FURTHEST = timedelta(days=366)


@dataclass(frozen=True)
class Terms:
    """What a campaign is asked to do (S1-7)."""

    video_ids: tuple[str, ...]
    total_count: int
    duration_days: int
    pattern: Pattern
    daily_limit: int
    scheduled_for: datetime | None = None


@dataclass(frozen=True)
class Caller:
    """Who gives a command, in which request."""

    subject: str
    request_id: str


@dataclass(frozen=True)
class Today:
    """The caps, and the use of the present month and day."""

    limits: Limits
    usage: Usage
    today_total: int


class Commands:
    """The commands and queries of the admin API."""

    def __init__(self, store: Store, wake: Wake, clock: Clock, limits: Limits, zone: ZoneInfo) -> None:
        self._store = store
        self._wake = wake
        self.clock = clock
        self._limits = limits
        self.zone = zone

    def create(self, terms: Terms, caller: Caller, keyed: Keyed | None) -> Campaign | requests.Answer:
        """Create a campaign (S1-7, S1-57), or give the answer that its Idempotency-Key got before.

        Raises Invalid for terms over the limits (S1-14 to S1-16), Conflicting for a key used with another body.
        """
        now = self.clock.now()
        if keyed and (answer := requests.find(keyed.request, now)):
            return answer
        self._check(terms, now)
        new = self._new(terms, caller.subject, now)
        created = self._store.commit(campaigns.create(new), caller.subject, now, keyed)
        if created:
            self._wake_if_live(created)
            return created
        answer = requests.find(keyed.request, now) if keyed else None
        if answer is None:
            raise Unavailable("The campaign could not be created")
        return answer

    def get(self, campaign_id: str) -> Campaign:
        """One campaign (S1-9). Raises NotFound."""
        found = self._store.get(campaign_id) if is_id(PREFIX, campaign_id) else None
        if found is None:
            raise NotFound("Campaign not found", "campaign_not_found")
        return found

    def page(
        self, status: Status | None, video_id: str | None, limit: int, after: Place | None
    ) -> tuple[list[Campaign], Place | None]:
        """Campaigns, newest first, and the place to go on after (S1-8)."""
        return self._store.page(status, video_id, limit, after)

    def execute(self, campaign_id: str, caller: Caller) -> Campaign:
        """Start a pending campaign, or resume a paused one (S1-10). Raises NotFound, Conflicting."""

        def change(campaign: Campaign, now: datetime) -> Change:
            change = campaigns.execute(campaign, now, self.zone)
            # Every view that is planned is promised: a month that cannot hold its part refuses the whole.
            if problem := self._store.lacking(change):
                raise Conflicting(problem, "monthly_cap_exceeded")
            return change

        return self._wake_if_live(self._command("execute", campaign_id, caller, change))

    def pause(self, campaign_id: str, caller: Caller) -> Campaign:
        """Pause a running campaign: after this no batch commits (S1-11). Raises NotFound, Conflicting."""
        return self._command("pause", campaign_id, caller, campaigns.pause)

    def cancel(self, campaign_id: str, caller: Caller) -> Campaign:
        """Cancel a campaign that has not ended: after this no batch commits (S1-12). Raises NotFound, Conflicting."""
        return self._command("cancel", campaign_id, caller, campaigns.cancel)

    def revert(self, campaign_id: str, reason: str, caller: Caller) -> Campaign:
        """Begin to take an ended campaign's views back, batch by batch. Raises NotFound, Conflicting."""

        def change(campaign: Campaign, now: datetime) -> Change:
            return campaigns.revert(campaign, reason, now)

        return self._wake_if_live(self._command("revert", campaign_id, caller, change))

    def is_stopped(self) -> bool:
        """Whether the platform is stopped."""
        return self._store.is_stopped()

    def simulate(self, terms: Terms) -> Simulation:
        """What a campaign on these terms would do if it were executed now. Raises Invalid as `create` does."""
        now = self.clock.now()
        self._check(terms, now)
        campaign = self._new(terms, "", now)
        return self._simulation(campaigns.create(campaign).after, now)

    def simulate_rest(self, campaign_id: str) -> Simulation:
        """What a campaign that has not ended would still do. Raises NotFound, and Conflicting when it has ended."""
        campaign = self.get(campaign_id)
        if campaign.status in campaigns.ENDED or campaign.status is Status.REVERTED:
            raise Conflicting("Campaign has ended: there is nothing to simulate", "campaign_has_ended")
        return self._simulation(campaign, self.clock.now())

    def simulate_revert(self, campaign_id: str, reason: str) -> Simulation:
        """What `revert` would do. Raises NotFound, Conflicting as it does."""
        now = self.clock.now()
        return self._simulation(campaigns.revert(self.get(campaign_id), reason, now).after, now)

    def rows(self, campaign_id: str, after_step: int | None = None, limit: int | None = None) -> list[Row]:
        """A campaign's batch rows in order. Raises NotFound."""
        return list(self._store.rows(self.get(campaign_id).id, after_step, limit))

    def timeline(self, campaign_id: str) -> list[PlanDay]:
        """A campaign day by day: planned, done and expected. Raises NotFound."""
        campaign = self.get(campaign_id)
        return timeline(campaign, self._store.rows(campaign.id), self.clock.now(), self.zone)

    def verify(self, campaign_id: str) -> list[Check]:
        """Check a campaign's numbers against their evidence (S1-59). Raises NotFound."""
        return evidence.verify(self._store, self.get(campaign_id), self.zone)

    def today(self) -> Today:
        """The limits and what is used of them (S1-13)."""
        today = self.clock.now().astimezone(self.zone).date()
        usage = self._store.usage(month_of(today))
        return Today(self._limits, usage, usage.days.get(today.day, 0))

    def _command(
        self, name: str, campaign_id: str, caller: Caller, change: Callable[[Campaign, datetime], Change]
    ) -> Campaign:
        request = f"{name} {caller.request_id}"
        for _ in range(_ATTEMPTS):
            now = self.clock.now()
            try:
                wanted = change(self.get(campaign_id), now).asked_by(request)
            except Conflicting:
                # A copy of the request may have come first, in this very moment even: then it is done.
                again = self.get(campaign_id)
                if again.request != request:
                    raise
                return again
            if committed := self._store.commit(wanted, caller.subject, now):
                return committed
        raise Unavailable("The campaign is changing too fast")

    def _new(self, terms: Terms, subject: str, now: datetime) -> Campaign:
        return Campaign(id=new_id(PREFIX, now), created_at=now, updated_at=now, created_by=subject, **vars(terms))

    def _simulation(self, campaign: Campaign, now: datetime) -> Simulation:
        usages = self._store.usages(months_ahead(campaign, now, self.zone))
        return simulate(campaign, usages, self._limits, now, self.zone)

    def _wake_if_live(self, campaign: Campaign) -> Campaign:
        if campaign.is_live:
            try:
                self._wake(campaign.id, campaign.step, campaign.wake_at or self.clock.now())
            except Unavailable:
                # The command is done, and is answered so: what is committed and was not sent is the sweeper's.
                logger.exception("Not woken: left to the sweeper", campaign_id=campaign.id, step=campaign.step)
        return campaign

    def _check(self, terms: Terms, now: datetime) -> None:
        errors: list[FieldError] = []
        if terms.scheduled_for and not now < terms.scheduled_for <= now + _FURTHEST:
            errors.append(FieldError("scheduled_for", "scheduled_for must lie ahead, and within a year"))
        if terms.daily_limit > self._limits.max_per_day:
            message = f"Daily limit exceeds maximum of {self._limits.max_per_day}"
            errors.append(FieldError("daily_limit", message))
        if terms.total_count > self._limits.global_monthly_cap:
            message = f"Total count exceeds monthly cap of {self._limits.global_monthly_cap}"
            errors.append(FieldError("total_count", message))
        if terms.total_count > terms.daily_limit * terms.duration_days:
            most = terms.daily_limit * terms.duration_days
            message = f"Total count is not achievable: {terms.duration_days} days of {terms.daily_limit} are {most}"
            errors.append(FieldError("total_count", message))
        if errors:
            codes = {
                "daily_limit": "daily_limit_exceeded",
                "total_count": "total_count_exceeded",
                "scheduled_for": "scheduled_for_out_of_range",
            }
            raise Invalid(errors[0].message, codes[errors[0].field], errors)
