"""Every event on the bus has a type for receivers, and this is the list of them."""

import ast
import re
from pathlib import Path

import pytest

from hooks.types import TEST, TYPES, is_filter, meant_by, type_of, wants
from tests.packages import module_names, text_of

NAMED = re.compile(
    r"(?:Adjustment|Boost|Broadcast|Campaign|Content|Detector|Hook|Impressions|Keys?|Participation|Platform|Promotion"
    r"|Refund|Rejection|Sponsorship|Tally|Views|Wallet)[A-Z]\w+"
    r"|CAMPAIGN_[A-Z_]+|(?:budget|campaign|message|quota)[:.][a-z.]+"
)
"""How a name on the bus looks in the code. A new context adds its word, or its type is a sponsorship's."""
NO_EVENTS = {
    "CampaignClosed",
    "CampaignDraft",
    "CampaignPending",
    "CampaignResource",
    "CampaignRunning",
    "ContentLength",
    "ContentRange",
    "ContentType",
    "DetectorGap",
    "KeyCounts",
    "TallyDiffers",
    "WalletResource",
}
"""Stages, fields, models and the beginnings of messages that look so."""


def documented() -> set[str]:
    """The names in the table of docs/architecture.md, which consumers read."""
    text = (Path(__file__).parents[2] / "docs/architecture.md").read_text()
    table = text.split("| Event | When |")[1].split("\n\n")[0]
    return {name for line in table.splitlines()[2:] for name in re.findall(r"`([^`]+)`", line.split("|")[1])}


def written() -> tuple[set[str], list[re.Pattern[str]]]:
    """The names in the code, and what those look like that it composes: `Broadcast.+.+`."""
    nodes = [node for module in module_names() for node in ast.walk(ast.parse(text_of(module)))]
    parts = {id(each) for node in nodes if isinstance(node, ast.JoinedStr) for each in node.values}
    names = {
        node.value
        for node in nodes
        if isinstance(node, ast.Constant) and id(node) not in parts and NAMED.fullmatch(str(node.value))
    }
    composed = {
        "".join(str(each.value) if isinstance(each, ast.Constant) else "[A-Z][a-z]+" for each in node.values)
        for node in nodes
        if isinstance(node, ast.JoinedStr)
    }
    begins = re.compile(r"(Broadcast|Hook|Sponsorship)(\[A-Z\]\[a-z\]\+)+")
    return names, [re.compile(each) for each in composed if begins.fullmatch(each)]


def test_every_event_in_the_code_is_in_the_table_and_every_one_of_the_table_in_the_code() -> None:
    names, composed = written()

    assert names - documented() == NO_EVENTS
    assert [
        each for each in sorted(documented() - names) if not any(pattern.fullmatch(each) for pattern in composed)
    ] == []


def test_each_event_has_a_type_of_its_own() -> None:
    types = sorted(map(type_of, documented()))

    assert types == sorted(TYPES)
    assert TEST not in types


@pytest.mark.parametrize("kind", sorted(TYPES))
def test_without_filters_all_but_single_messages_and_endpoints_are_sent(kind: str) -> None:
    """A campaign has a million messages; and a delivery about endpoints could be about its own."""
    assert wants((), kind) is not kind.startswith(("broadcast.message_", "hook."))
    assert wants((kind,), kind)
    assert wants((f"{kind.partition('.')[0]}.*",), kind)
    assert not wants(("other.*",), kind)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("boost.complete", "boost.completed"),
        ("boosts.*", "boost.*"),
        ("Boost.Completed", "boost.completed"),
        ("wallet.*.deposited", "wallet.deposited"),
        ("*", None),
        ("", None),
        ("boost", "boost.*"),
    ],
)
def test_a_text_that_no_event_has_is_no_filter(text: str, meant: str | None) -> None:
    """An endpoint with it would be enabled, healthy and silent."""
    assert not is_filter(text)
    assert meant_by(text) == meant


@pytest.mark.parametrize("text", [*sorted(TYPES), TEST, "boost.*", "hook.*", "platform.*"])
def test_each_type_and_all_of_a_context_are_filters(text: str) -> None:
    assert is_filter(text)
