"""Every event on the bus has a type for receivers, and this is the list of them."""

import ast
import re
from pathlib import Path

import pytest

from hooks.types import TEST, type_of, wants
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
TYPES = [
    "boost.cancelled",
    "boost.completed",
    "boost.created",
    "boost.failed",
    "boost.paused",
    "boost.resumed",
    "boost.revert_started",
    "boost.reverted",
    "boost.started",
    "broadcast.budget_reached",
    "broadcast.budget_warning",
    "broadcast.campaign_completed",
    "broadcast.cancelled",
    "broadcast.cancelling",
    "broadcast.created",
    "broadcast.deleted",
    "broadcast.edited",
    "broadcast.failed",
    "broadcast.instance_changed",
    "broadcast.instance_created",
    "broadcast.instance_deleted",
    "broadcast.limits_changed",
    "broadcast.message_failed",
    "broadcast.message_sent",
    "broadcast.paused",
    "broadcast.pausing",
    "broadcast.quota_reached",
    "broadcast.quota_warning",
    "broadcast.resumed",
    "broadcast.retried",
    "broadcast.started",
    "broadcast.template_changed",
    "broadcast.template_created",
    "broadcast.template_deleted",
    "hook.changed",
    "hook.created",
    "hook.deleted",
    "hook.disabled",
    "hook.enabled",
    "hook.replayed",
    "hook.rotated",
    "hook.tested",
    "platform.resumed",
    "platform.stopped",
    "promotion.campaign_budget_refund",
    "promotion.campaign_close_operation",
    "promotion.campaign_closed",
    "promotion.campaign_closing_error",
    "promotion.campaign_contract_error",
    "promotion.campaign_publish_content",
    "promotion.campaign_publish_do_sm_transaction",
    "promotion.campaign_publish_error",
    "promotion.campaign_publish_second_content",
    "promotion.campaign_rate_updated",
    "promotion.cancelled",
    "promotion.created",
    "promotion.exception_made",
    "promotion.exception_removed",
    "promotion.resumed",
    "promotion.rolled_back",
    "promotion.settled",
    "promotion.started",
    "sponsorship.adjustment_approved",
    "sponsorship.adjustment_proposed",
    "sponsorship.adjustment_rejected",
    "sponsorship.campaign_completion_check",
    "sponsorship.cancelled",
    "sponsorship.closed",
    "sponsorship.closing",
    "sponsorship.created",
    "sponsorship.detector_gap_found",
    "sponsorship.impressions_voided",
    "sponsorship.key_unlocked",
    "sponsorship.keys_loaded",
    "sponsorship.participation_completed",
    "sponsorship.participation_expired",
    "sponsorship.participation_held",
    "sponsorship.participation_joined",
    "sponsorship.participation_rejected",
    "sponsorship.participation_review",
    "sponsorship.participation_settling",
    "sponsorship.paused",
    "sponsorship.refund_paid",
    "sponsorship.refund_proposed",
    "sponsorship.rejection_proposed",
    "sponsorship.resumed",
    "sponsorship.started",
    "sponsorship.tally_corrected",
    "view.adjusted",
    "view.content_changed",
    "view.content_registered",
    "view.import_completed",
    "view.import_created",
    "view.import_failed",
    "view.import_started",
    "wallet.deposited",
    "wallet.withdrawn",
]


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

    assert types == TYPES
    assert len(set(types)) == len(types)
    assert TEST not in types


@pytest.mark.parametrize("kind", TYPES)
def test_without_filters_all_but_single_messages_and_endpoints_are_sent(kind: str) -> None:
    """A campaign has a million messages; and a delivery about endpoints could be about its own."""
    assert wants((), kind) is not kind.startswith(("broadcast.message_", "hook."))
    assert wants((kind,), kind)
    assert wants((f"{kind.partition('.')[0]}.*",), kind)
    assert not wants(("other.*",), kind)
