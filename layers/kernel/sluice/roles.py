"""Callers and their roles."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a token lets its bearer do. In ascending order: each role may do everything that a lower role may."""

    USER = "user"
    SERVICE = "service"
    OPERATOR = "operator"
    ADMIN = "admin"

    def includes(self, other: "Role") -> bool:
        """Whether this role may do all that `other` may."""
        ladder = list(Role)
        return ladder.index(self) >= ladder.index(other)


@dataclass(frozen=True)
class Principal:
    """The bearer of a valid token: its `sub` and its `role`."""

    subject: str
    role: Role
