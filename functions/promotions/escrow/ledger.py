"""The escrow that is the ledger's own: the money of a promotion is in `budget#` before the contract's stage begins.

So a contract is the entry that funded it, `fund#prm_...#1`, and nothing else is done. A title with `[escrow:refused]`
is refused, and of one with `[escrow:lost]` the answer is lost: for demos and tests.
"""

from collections.abc import Mapping
from datetime import datetime

from sluice.outward import Done, Found, Outcome, Refused, Seen, Unknown

REFUSED, LOST = "[escrow:refused]", "[escrow:lost]"


class LedgerEscrow:
    """As `Escrow`."""

    expires = False
    settle_seconds = 0.0

    def made(self, ref: str) -> bool:
        """As `Escrow.made`."""
        return ref.startswith("fund#")

    def new_ref(self, key: str, now: datetime) -> str:  # noqa: ARG002 - the entry is there already
        """As `Escrow.new_ref`."""
        return f"fund#{key}"

    def submit(self, ref: str, function: str, arguments: Mapping[str, str | int]) -> Outcome:  # noqa: ARG002
        """As `Escrow.submit`."""
        title = str(arguments.get("title", ""))
        if REFUSED in title:
            return Refused("The title asks for it")
        if LOST in title:
            return Unknown("The title asks for it")
        return Done(ref)

    def outcome(self, ref: str, function: str, arguments: Mapping[str, str | int]) -> Seen:  # noqa: ARG002
        """As `Escrow.outcome`."""
        return Found(ref)
