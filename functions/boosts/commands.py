"""An operator's commands and queries. Each command commits at once, or is refused with the reason."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from boosts import campaign as campaigns
from boosts import evidence
from boosts.campaign import BatchRow, Campaign, Change, RowPlace, Status, Terms
from boosts.plan import month_of
from boosts.simulation import Simulation, months_ahead, simulate
from boosts.store import Store, listed_by
from boosts.timeline import PlanDay, timeline
from boosts.usage import Limits, Today
from sluice.clock import Clock
from sluice.commands import ChainCommands
from sluice.errors import Conflicting, FieldError, Invalid
from sluice.evidence import Check
from sluice.ids import new_id
from sluice.requests import Answer, Requester
from sluice.store import Place
from sluice.wake import Wake

_FURTHEST = timedelta(days=366)


class Commands(ChainCommands[Campaign, Change]):
    prefix = campaigns.PREFIX

    def __init__(self, store: Store, wake: Wake, clock: Clock, limits: Limits, zone: ZoneInfo) -> None:
        super().__init__(store, wake, clock)
        self._store = store
        self._limits = limits
        self.zone = zone

    def create(self, terms: Terms, requester: Requester) -> Campaign | Answer:
        """Create a campaign (S1-7, S1-57), or return the earlier answer of its Idempotency-Key.

        Raises Invalid for terms over the limits (S1-14 to S1-16), Conflicting for a key used for another request.
        """

        def change(now: datetime) -> Change:
            self._check(terms, now)
            return campaigns.create(_new(terms, requester.subject, now))

        return self.create_by(change, requester)

    def page(
        self, status: Status | None, video_id: str | None, limit: int, after: Place | None
    ) -> tuple[list[Campaign], Place | None]:
        """Campaigns, newest first, and the place of the next page (S1-8)."""
        return self._store.page(listed_by(status, video_id), limit, after, status)

    def execute(self, campaign_id: str, requester: Requester) -> Campaign | Answer:
        """Start a pending campaign, or resume a paused one (S1-10). Raises NotFound, Conflicting."""

        def change(campaign: Campaign, now: datetime) -> Change:
            change = campaigns.execute(campaign, now, self.zone)
            # Every planned view is promised: the command is refused if one month cannot hold its part.
            if problem := self._store.lacking(change):
                raise Conflicting(problem, "monthly_cap_exceeded")
            return change

        return self.command("execute", campaign_id, requester, change)

    def pause(self, campaign_id: str, requester: Requester) -> Campaign | Answer:
        """Pause a running campaign: after this no batch commits (S1-11). Raises NotFound, Conflicting."""
        return self.command("pause", campaign_id, requester, campaigns.pause)

    def cancel(self, campaign_id: str, requester: Requester) -> Campaign | Answer:
        """Cancel a campaign that has not ended: after this no batch commits (S1-12). Raises NotFound, Conflicting."""
        return self.command("cancel", campaign_id, requester, campaigns.cancel)

    def revert(self, campaign_id: str, reason: str, requester: Requester) -> Campaign | Answer:
        """Begin to take an ended campaign's views back, batch by batch. Raises NotFound, Conflicting."""

        def change(campaign: Campaign, now: datetime) -> Change:
            return campaigns.revert(campaign, reason, now)

        return self.command("revert", campaign_id, requester, change)

    def is_stopped(self) -> bool:
        """Whether the platform is stopped."""
        return self._store.is_stopped()

    def simulate(self, terms: Terms) -> Simulation:
        """Simulate a campaign on these terms, as if it were executed now. Raises Invalid, as `create` does."""
        now = self.clock.now()
        self._check(terms, now)
        return self._simulation(campaigns.create(_new(terms, "", now)).after, now)

    def simulate_rest(self, campaign_id: str) -> Simulation:
        """Simulate the rest of a campaign. Raises NotFound, and Conflicting for a campaign that has ended."""
        campaign = self.get(campaign_id)
        if campaign.status in campaigns.ENDED or campaign.status is Status.REVERTED:
            raise Conflicting("Campaign has ended: there is nothing to simulate", "campaign_has_ended")
        return self._simulation(campaign, self.clock.now())

    def simulate_revert(self, campaign_id: str, reason: str) -> Simulation:
        """Simulate `revert`. Raises NotFound, Conflicting, as `revert` does."""
        now = self.clock.now()
        return self._simulation(campaigns.revert(self.get(campaign_id), reason, now).after, now)

    def rows(self, campaign_id: str, limit: int, after: RowPlace | None) -> tuple[list[BatchRow], RowPlace | None]:
        """At most `limit` of a campaign's batch rows, in order, and the place of the next page. Raises NotFound."""
        return self._store.page_of_rows(self.get(campaign_id).id, limit, after)

    def timeline(self, campaign_id: str) -> list[PlanDay]:
        """A campaign day by day: planned, done and expected. Raises NotFound."""
        campaign = self.get(campaign_id)
        return timeline(campaign, self._store.rows(campaign.id), self.clock.now(), self.zone)

    def verify(self, campaign_id: str) -> list[Check]:
        """Check a campaign's numbers against their evidence (S1-59). Raises NotFound."""
        return evidence.verify(self._store, self.get(campaign_id), self.zone)

    def today(self) -> Today:
        """The limits and their use (S1-13)."""
        today = self.clock.now().astimezone(self.zone).date()
        usage = self._store.usage(month_of(today))
        return Today(self._limits, usage, usage.days.get(today.day, 0))

    def _simulation(self, campaign: Campaign, now: datetime) -> Simulation:
        usages = self._store.usages(months_ahead(campaign, now, self.zone))
        return simulate(campaign, usages, self._limits, now, self.zone)

    def _check(self, terms: Terms, now: datetime) -> None:
        errors: list[FieldError] = []
        if terms.scheduled_for and not now < terms.scheduled_for <= now + _FURTHEST:
            errors.append(FieldError("scheduled_for", "scheduled_for must be in the future, and within a year"))
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


def _new(terms: Terms, subject: str, now: datetime) -> Campaign:
    made = {"id": new_id(campaigns.PREFIX, now), "created_at": now, "created_by": subject, "updated_at": now}
    return Campaign(**vars(terms), **made)  # type: ignore[arg-type]
