"""The list of suppressed contacts as CSV (RFC 4180)."""

from collections.abc import Iterable

from broadcasts.contact import Suppressed
from sluice import exports
from sluice.clock import rfc3339

COLUMNS = ("phone", "reason", "at")


def suppressed_csv(found: Iterable[Suppressed], *, with_header: bool) -> str:
    """Suppressed contacts, one a line."""
    rows = ([each.phone, each.why, rfc3339(each.at)] for each in found)
    return exports.text_of(COLUMNS, rows, with_header=with_header)
