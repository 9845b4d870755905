"""CSV of the rows of a participation: the evidence beside its statement."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from sluice import exports
from sponsorships.items import RowItem

_PART = re.compile(r"[0-9a-f]{32}(#[0-9-]{10})?")

COLUMNS = ("viewer", "nonce", "issued_at", "accepted_at", "by", "voided")


@dataclass(frozen=True)
class RowPlace:
    """A place in the rows of a participation: after the row of this `part`."""

    part: str

    @property
    def is_row(self) -> bool:
        """Whether it can be a row's: a cursor may be forged."""
        return _PART.fullmatch(self.part) is not None


def evidence_csv(rows: Iterable[RowItem], *, with_header: bool) -> str:
    """A line per row, in the order of the rows. `voided` is the reason; empty: the row counts."""
    lines = ([row.part, *(row.raw.get(name, {}).get("S", "") for name in COLUMNS[1:])] for row in rows)
    return exports.text_of(COLUMNS, lines, with_header=with_header)
