"""The Merkle tree of a statement, against the recursive definition of RFC 6962."""

from hashlib import sha256

import pytest

from sponsorships import merkle

SIZES = range(1, 300)
FEWER = [*range(1, 40), 64, 65, 127, 128, 129, 299]


def some_leaves(number: int) -> list[bytes]:
    return [merkle.leaf(f"spn:nina|{each:032x}|nonce|then|later") for each in range(number)]


def by_definition(leaves: list[bytes]) -> bytes:
    """RFC 6962 section 2.1: k is the largest power of two below n."""
    if len(leaves) == 1:
        return leaves[0]
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\x01" + by_definition(leaves[:k]) + by_definition(leaves[k:])).digest()


def test_a_leaf_is_hashed_behind_a_zero_octet_so_that_no_node_can_pass_for_one() -> None:
    assert merkle.leaf("é|b") == sha256(b"\x00\xc3\xa9|b").digest()


def test_no_leaves_have_the_root_of_nothing() -> None:
    assert merkle.root([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_the_root_is_that_of_the_recursive_definition() -> None:
    leaves = some_leaves(max(SIZES))

    assert all(merkle.root(leaves[:size]) == by_definition(leaves[:size]) for size in SIZES)


def test_the_path_of_every_leaf_climbs_to_the_root() -> None:
    leaves = some_leaves(max(SIZES))

    for size in FEWER:
        some, root = leaves[:size], by_definition(leaves[:size])
        assert all(merkle.climbed(some[at], merkle.path(some, at)) == root for at in range(size))


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 100])
def test_no_other_leaf_climbs_to_the_root(size: int) -> None:
    leaves, other = some_leaves(size), merkle.leaf("another")
    root = merkle.root(leaves)

    assert all(merkle.climbed(other, merkle.path(leaves, at)) != root for at in range(size))


def test_a_leaf_climbs_nowhere_by_the_path_of_another_place() -> None:
    leaves = some_leaves(7)
    root = merkle.root(leaves)

    wrong = [(leaf, at) for leaf in range(7) for at in range(7) if leaf != at]

    assert all(merkle.climbed(leaves[leaf], merkle.path(leaves, at)) != root for leaf, at in wrong)


def test_leaves_in_another_order_have_another_root() -> None:
    one, other, *rest = some_leaves(5)

    assert merkle.root([one, other, *rest]) != merkle.root([other, one, *rest])
