"""Evidence: whether numbers are what their evidence says. Each context says what it checks."""

from collections.abc import Callable
from dataclasses import dataclass

# Numbers that move while they are read are read again, at most so often.
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
    """What a look at the numbers finds once they all hold, or after several looks.

    A batch may be committed between two reads, so what does not hold is looked at again: what is wrong stays wrong.
    """
    for _ in range(_LOOKS):
        checks = look()
        if all(check.holds for check in checks):
            break
    return checks
