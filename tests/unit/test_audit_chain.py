"""The hash chain of audit entries: whatever is done to one, it is found."""

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sluice import audit
from sluice.audit import Entry, Head, find_problem
from tests.factories import NOON

SNAPSHOTS = st.none() | st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), max_size=3)


def a_chain(length: int = 4, entity: str = "bst_1", before: Any = None, after: Any = None) -> list[Entry]:
    entries: list[Entry] = []
    for number in range(length):
        head = entries[-1].head if entries else Head()
        now = NOON + timedelta(seconds=number)
        told = {"entity": entity, "action": f"ACTION_{number}", "actor": "ada", "now": now}
        entries.append(audit.follow(head, **told, before=before, after=after))
    return entries


@st.composite
def chains(draw: st.DrawFn, least: int = 1) -> list[Entry]:
    return a_chain(draw(st.integers(least, 8)), before=draw(SNAPSHOTS), after=draw(SNAPSHOTS))


def resigned(entry: Entry, **changes: Any) -> Entry:
    """The entry with changes, and with a hash that is right."""
    changed = replace(entry, **changes)
    return replace(changed, hash=changed.digest())


def test_each_entry_carries_the_hash_of_the_one_before() -> None:
    chain = a_chain()

    assert [entry.number for entry in chain] == [1, 2, 3, 4]
    assert chain[0].previous_hash == ""
    assert all(after.previous_hash == before.hash for before, after in pairwise(chain))
    assert len({entry.hash for entry in chain}) == len({entry.id for entry in chain}) == 4


def test_a_hash_is_sha_256_of_the_rest_as_sorted_compact_json() -> None:
    entry = Entry("aud_1", "bst_1", 1, "CREATED", "ada", "2026", None, {"b": 1, "a": "é"}, "")

    text = (
        '{"action":"CREATED","actor":"ada","after":{"a":"é","b":1},"at":"2026","before":null,"entity":"bst_1",'
        '"id":"aud_1","log":"audit","number":1,"previous_hash":""}'
    )
    assert entry.digest() == sha256(text.encode()).hexdigest()


@given(chains(least=0))
def test_a_chain_as_it_was_written_is_whole(chain: list[Entry]) -> None:
    head = chain[-1].head if chain else Head()

    assert find_problem(chain, head) is None
    assert find_problem(iter(chain), head) is None


@given(chains(), st.data())
def test_any_single_edit_is_found_and_names_the_entry(chain: list[Entry], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(chain) - 1))
    field = data.draw(st.sampled_from(sorted(vars(chain[0]).keys() - {"number"})))
    value = data.draw(SNAPSHOTS if field in ("before", "after") else st.text(max_size=70))
    assume(value != getattr(chain[index], field))
    edited = [*chain[:index], replace(chain[index], **{field: value}), *chain[index + 1 :]]

    problem = find_problem(edited, chain[-1].head)

    assert problem == f"entry {index + 1} was edited"


@given(chains(), st.data())
def test_any_single_edit_with_a_hash_made_right_is_found(chain: list[Entry], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(chain) - 1))
    edited = [*chain[:index], resigned(chain[index], actor="mallory"), *chain[index + 1 :]]

    problem = find_problem(edited, chain[-1].head)

    assert problem == f"entry {index + 1} was replaced"


@given(chains(), st.data())
def test_any_single_removal_is_found_and_names_the_entry(chain: list[Entry], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(chain) - 1))

    problem = find_problem([*chain[:index], *chain[index + 1 :]], chain[-1].head)

    was = "cut off" if index == len(chain) - 1 else "removed"
    assert problem == f"entry {index + 1} was {was}"


@given(chains(), st.data())
def test_any_cut_is_found_and_names_the_first_entry_that_is_missing(chain: list[Entry], data: st.DataObject) -> None:
    kept = data.draw(st.integers(0, len(chain) - 1))

    problem = find_problem(chain[:kept], chain[-1].head)

    assert problem == f"entry {kept + 1} was cut off"


@given(chains(least=2), st.data())
def test_any_reorder_is_found(chain: list[Entry], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(chain))
    assume(shuffled != chain)

    assert find_problem(shuffled, chain[-1].head) is not None


@given(chains(least=2), st.data())
def test_any_reorder_with_numbers_made_right_is_found(chain: list[Entry], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(chain))
    assume(shuffled != chain)
    renumbered = [resigned(entry, number=number) for number, entry in enumerate(shuffled, start=1)]

    assert find_problem(renumbered, chain[-1].head) is not None


@given(chains(), st.data())
def test_any_addition_is_found(chain: list[Entry], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(chain)))
    added = a_chain(1)[0] if not index else audit.follow(chain[index - 1].head, **TOLD)

    problem = find_problem([*chain[:index], added, *chain[index:]], chain[-1].head)

    assert problem is not None


TOLD: dict[str, Any] = {
    "entity": "bst_1",
    "action": "FORGED",
    "actor": "mallory",
    "now": NOON,
    "before": None,
    "after": None,
}


def test_an_entry_added_after_the_last_is_named() -> None:
    chain = a_chain()

    problem = find_problem([*chain, audit.follow(chain[-1].head, **TOLD)], chain[-1].head)

    assert problem == "entry 5 is ahead of the entity: it was restored to an earlier moment, or they were added"


def test_a_last_entry_replaced_by_one_that_follows_rightly_is_named() -> None:
    chain = a_chain()

    problem = find_problem([*chain[:-1], audit.follow(chain[-2].head, **TOLD)], chain[-1].head)

    assert problem == "entry 4 was replaced"


def test_an_entry_replaced_in_the_middle_by_one_that_follows_rightly_is_named() -> None:
    chain = a_chain()

    problem = find_problem([chain[0], audit.follow(chain[0].head, **TOLD), *chain[2:]], chain[-1].head)

    assert problem == "entry 2 was replaced"


def test_a_first_entry_that_follows_something_is_named() -> None:
    chain = a_chain()
    first = resigned(chain[0], previous_hash="0" * 64)

    problem = find_problem([first, *chain[1:]], chain[-1].head)

    assert problem == "entry 1 does not begin the chain"


@pytest.mark.parametrize("length", [1, 4])
def test_a_chain_rewritten_as_a_whole_is_found_by_its_head(length: int) -> None:
    chain, forged = a_chain(length), a_chain(length, entity="bst_2")

    assert find_problem(forged, chain[-1].head) == f"entry {length} was replaced"


def test_an_entry_that_is_found_where_there_should_be_none_is_named() -> None:
    ahead = "entry 1 is ahead of the entity: it was restored to an earlier moment, or they were added"
    assert find_problem(a_chain(1), Head()) == ahead


def test_the_part_of_a_chain_up_to_its_head_is_whole_whatever_comes_after() -> None:
    chain = a_chain()

    assert find_problem(chain[:2], chain[1].head) is None


# --- Bridges


def bridged(chain: list[Entry], head: int, *, whole: bool = True, **changes: Any) -> list[Entry]:
    """The chain, a bridge from the entry with this number over those behind it, and an entry after that."""
    at = chain[head - 1].head if head else Head()
    found = chain[-1].head
    after = {
        "head_number": at.number,
        "head_hash": at.hash,
        "found_number": found.number,
        "found_hash": found.hash,
        "whole": whole,
    }
    told = {"entity": "bst_1", "now": NOON, "before": None}
    bridge = audit.follow(found, **told, action="THING_RESTORED", actor="system", after=after | changes)
    return [*chain, bridge, audit.follow(bridge.head, **told, action="NEXT", actor="ada", after={})]


@given(chains(), st.data())
def test_what_a_bridge_rolled_back_is_no_problem_and_is_named(chain: list[Entry], data: st.DataObject) -> None:
    head = data.draw(st.integers(0, len(chain) - 1))
    entries = bridged(chain, head)

    assert find_problem(entries, entries[-1].head) is None
    (found,) = audit.bridges(entries)
    assert (found.head.number, found.found, found.number) == (head, chain[-1].head, len(chain) + 1)


@pytest.mark.parametrize(
    ("head", "problem"),
    [(3, "entry 4 was added before the bridge 5"), (1, "entries 2 to 4 were added before the bridge 5")],
)
def test_what_a_bridge_did_not_find_whole_was_added(head: int, problem: str) -> None:
    entries = bridged(a_chain(4), head, whole=False)

    assert find_problem(entries, entries[-1].head) == problem


def test_a_bridge_from_another_entry_than_that_of_its_number_is_an_edit() -> None:
    entries = bridged(a_chain(4), 2, head_hash="0" * 64)

    assert find_problem(entries, entries[-1].head) == "entry 5 was edited"


def test_several_entries_that_are_ahead_are_named() -> None:
    chain = a_chain(7)

    problem = find_problem(chain, chain[4].head)

    ahead = "entries 6 to 7 are ahead of the entity: it was restored to an earlier moment, or they were added"
    assert problem == ahead


@pytest.mark.parametrize(
    "changes", [{"action": "THING_STOPPED"}, {"after": None}, {"after": {}}, {"after": {"head_number": 1}}]
)
def test_what_only_looks_like_a_bridge_is_none(changes: dict[str, Any]) -> None:
    bridge = bridged(a_chain(1), 0)[1]

    assert audit.bridges([bridge]) != []
    assert audit.bridges([replace(bridge, **changes)]) == []
