"""The persons who are on a list already, in so little memory that a million fit a function. Pure."""

from array import array
from secrets import randbits

_FIRST = 1024
_BITS = 64


class Persons:
    """A set of numbers from 1 to 2^64 - 1: at most 36 bytes each while it grows, and 24 afterwards.

    A table of 8 bytes a place, which is doubled when two thirds are taken. Python's own set and its numbers take up to
    110 bytes each while it grows.
    """

    def __init__(self) -> None:
        self._places = array("Q", [0]) * _FIRST
        self._count = 0
        # A random one, so that nobody can write a list of phones that all want one place.
        self._factor = randbits(_BITS) | 1

    def __len__(self) -> int:
        return self._count

    def add(self, person: int) -> bool:
        """Take a person; False if they were there."""
        at = self._place(person)
        if self._places[at]:
            return False
        self._places[at] = person
        self._count += 1
        if self._count * 3 > len(self._places) * 2:
            self._grow()
        return True

    def _place(self, person: int) -> int:
        """Where a person is, or is to be: the first place that is theirs or free, from the one that they want."""
        places = self._places
        last = len(places) - 1
        at = (person * self._factor & (1 << _BITS) - 1) >> (_BITS - last.bit_length())
        while places[at] and places[at] != person:
            at = at + 1 & last
        return at

    def _grow(self) -> None:
        before = self._places
        self._places = array("Q", [0]) * (2 * len(before))
        for person in before:
            if person:
                self._places[self._place(person)] = person
