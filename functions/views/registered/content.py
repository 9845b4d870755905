"""A registered content."""

from dataclasses import dataclass
from datetime import datetime

from views import keys

BUCKETS = 16
"""The partitions of the list of all contents. Never lower the number: a rebuild would miss contents."""


@dataclass(frozen=True)
class RegisteredContent:
    content_type: str
    content_id: str
    title: str
    owner: str
    registered_at: datetime
    updated_at: datetime
    audit_number: int = 0
    audit_hash: str = ""
    """The head of its audit chain."""

    @property
    def field(self) -> str:
        return keys.content_field(self.content_type, self.content_id)

    @property
    def entity(self) -> str:
        """What the audit log calls it."""
        return f"content:{self.field}"
