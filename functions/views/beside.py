"""The other names of a viewer, and its network: what the rules read besides the state of its key."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Beside:
    """What the rules ask besides the state of a viewer's key. All of it is in the shard of that key.

    A viewer without a session has another name each day, and a session keeps the name of the day on which it began. So
    one viewer may have several names, and what counted under one of them must be known under the others.
    """

    today: str = ""
    """Today's name of an anonymous viewer whose session is of another day: it is read, and written with the key."""
    yesterday: str = ""
    """Yesterday's name, while a view of yesterday can still refuse one: it is read."""
    network: str = ""
    """The network of an anonymous viewer, where views are limited by network: a digest that changes with the day."""

    @property
    def names(self) -> list[str]:
        """The viewer's other names, today's first."""
        return [name for name in (self.today, self.yesterday) if name]


ALONE = Beside()
