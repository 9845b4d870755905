"""What an operator can do to campaigns. Each command commits at once or is refused with the reason."""

from datetime import datetime

from sluice.commands import ChainCommands
from sluice.ids import new_id
from sluice.requests import Answer, Requester
from tests.reference import campaign as campaigns
from tests.reference.campaign import PREFIX, Campaign, Change, Terms


class Commands(ChainCommands[Campaign, Change]):
    """The commands of the admin API."""

    prefix = PREFIX

    def create(self, terms: Terms, requester: Requester) -> Campaign | Answer:
        """Create a campaign, or return the answer that its Idempotency-Key got before. Raises Invalid, Conflicting."""

        def change(now: datetime) -> Change:
            own = {"total": terms.total, "pace_seconds": terms.pace_seconds}
            new = Campaign(id=new_id(PREFIX, now), created_at=now, created_by=requester.subject, updated_at=now, **own)
            return campaigns.create(new, terms.begin_by, now)

        return self.create_by(change, requester)

    def execute(self, campaign_id: str, requester: Requester) -> Campaign | Answer:
        """Start a pending campaign, or resume a paused one. Raises NotFound, Conflicting."""
        return self.command("execute", campaign_id, requester, campaigns.execute)

    def pause(self, campaign_id: str, requester: Requester) -> Campaign | Answer:
        """Pause a running campaign: after this no call begins. Raises NotFound, Conflicting."""
        return self.command("pause", campaign_id, requester, campaigns.pause)

    def cancel(self, campaign_id: str, requester: Requester) -> Campaign | Answer:
        """Cancel a campaign that has not ended: after this no call begins. Raises NotFound, Conflicting."""
        return self.command("cancel", campaign_id, requester, campaigns.cancel)
