"""The texts of campaigns, each read once by a process and kept by its version."""

from dataclasses import dataclass, field

from broadcasts.campaign import Broadcast, Text
from broadcasts.store import BroadcastStore
from sluice.errors import Unavailable

_KEPT = 50


@dataclass(frozen=True)
class Texts:
    """What campaigns send."""

    store: BroadcastStore
    kept: dict[str, Text] = field(default_factory=dict)

    def of(self, campaign: Broadcast) -> Text:
        """The text of a campaign at its version. Raises Unavailable when an edit came since it was read."""
        found = self.kept.get(campaign.id)
        if found is None or found.version != campaign.text_version:
            found = self.store.text(campaign.id)
        if found is None or found.version != campaign.text_version:
            raise Unavailable("The campaign was edited meanwhile")
        if len(self.kept) >= _KEPT:
            self.kept.clear()
        self.kept[campaign.id] = found
        return found
