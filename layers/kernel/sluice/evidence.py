"""Evidence: whether counters equal the rows that prove them. Each context defines its checks."""

from collections.abc import Callable
from dataclasses import dataclass

# How often numbers are read that change between two reads.
_LOOKS = 5


@dataclass(frozen=True)
class Check:
    """One claim: `expected` by the evidence, `found` in the counter."""

    claim: str
    expected: int
    found: int

    @property
    def holds(self) -> bool:
        return self.expected == self.found


def verify(look: Callable[[], list[Check]]) -> list[Check]:
    """The checks of the first look that all hold, or those of the last look.

    A batch may be committed between two reads of one look, so a failed look is repeated: a wrong number stays wrong.
    """
    for _ in range(_LOOKS):
        checks = look()
        if all(check.holds for check in checks):
            break
    return checks
