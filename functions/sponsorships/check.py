"""A check run over all participations, by the sweep or by an operator: its states."""

from enum import StrEnum

PREFIX = "chk"


class Status(StrEnum):
    """Where a check run stands."""

    CHECKING = "checking"
    CHECKED = "checked"
    CHECK_FAILED = "check_failed"


LIVE = frozenset({Status.CHECKING})
