"""Reading campaigns, and committing changes to them."""

from typing import Any

from sluice.store import ChainStore
from tests.reference.campaign import Action, Campaign, Change
from tests.reference.items import CampaignItem

EVENTS = {action: action.title().replace("_", "") for action in Action}


class Store(ChainStore[Campaign, Change]):
    """A campaign is all that there is: no writes of its own beside the engine's."""

    kind = Campaign
    items = CampaignItem
    events = EVENTS
    restored = "REFERENCE_RESTORED"

    def terms(self, campaign: Campaign) -> dict[str, Any]:
        return {"total": campaign.total, "pace_seconds": campaign.pace_seconds}

    def snapshot(self, campaign: Campaign) -> dict[str, Any]:
        return {"status": campaign.status, "counted": campaign.counted}

    def told(self, campaign: Campaign) -> dict[str, Any]:
        return {"campaign_id": campaign.id} | self.terms(campaign) | self.snapshot(campaign)
