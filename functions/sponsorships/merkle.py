"""A Merkle tree over leaves in their order: its root, and the proof that a leaf is in it.

The tree of RFC 6962 section 2.1: an odd last node is promoted, which gives the same roots.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256

EMPTY = sha256(b"").digest()
"""The root over no leaves (RFC 6962)."""


def leaf(content: str) -> bytes:
    """The hash of a leaf."""
    return sha256(b"\x00" + content.encode()).digest()


def root(leaves: Iterable[bytes]) -> bytes:
    """The root over hashed leaves."""
    level = list(leaves)
    while len(level) > 1:
        level = _above(level)
    return level[0] if level else EMPTY


def path(leaves: Sequence[bytes], index: int) -> list[tuple[str, bytes]]:
    """The hashes beside the way from a leaf to the root, from below: each with the side, `left` or `right`."""
    beside, level = [], list(leaves)
    while len(level) > 1:
        sibling = index ^ 1
        if sibling < len(level):
            beside.append(("left" if sibling < index else "right", level[sibling]))
        level, index = _above(level), index // 2
    return beside


def climbed(start: bytes, beside: Iterable[tuple[str, bytes]]) -> bytes:
    """The root that a leaf and its path lead to."""
    node = start
    for side, sibling in beside:
        node = _node(sibling, node) if side == "left" else _node(node, sibling)
    return node


def _above(level: Sequence[bytes]) -> list[bytes]:
    pairs = [_node(left, right) for left, right in zip(level[::2], level[1::2], strict=False)]
    return pairs if len(level) % 2 == 0 else [*pairs, level[-1]]


def _node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()
