"""CSV of the rows of a participation: the evidence beside its statement."""

import re
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields

from sluice import exports
from sponsorships.shown import Line

_PART = re.compile(r"[0-9a-f]{32}(#[0-9-]{10})?")

COLUMNS = tuple(each.name for each in fields(Line))


@dataclass(frozen=True)
class RowPlace:
    """A place in the rows of a participation: after the row of this `part`."""

    part: str

    @property
    def is_row(self) -> bool:
        """Whether it can be a row's: a cursor may be forged."""
        return _PART.fullmatch(self.part) is not None


def evidence_csv(lines: Iterable[Line], *, with_header: bool) -> str:
    """A line per row, in the order of the rows."""
    return exports.text_of(COLUMNS, map(astuple, lines), with_header=with_header)
