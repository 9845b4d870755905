"""Reports on views, on their event files and the tables of the template: refusals, histories, the most viewed."""

import csv
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any, get_args
from unittest.mock import patch
from urllib.parse import parse_qsl

import pytest
import time_machine
from botocore.client import BaseClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sluice.dynamodb import Database
from sluice.http.parameters import write_cursor
from sluice.totals import add_boosted
from tests.account import Account
from tests.factories import NOON
from tests.integration.harness import Functions, Harness, an_event
from views import rules, totals
from views.control import Control, Phase
from views.items import AdjustedItem
from views.reports.period import period
from views.reports.schemas import MOST_ADJUSTMENTS
from views.rules import Reason
from views.sync.applying import REFUSALS_TOGETHER, AwayRow, ContentViews, MovedRefusals
from views.sync.store import SyncStore

DAY = "2026-11-20"
OTHER_DAY = "2026-11-19"
BOTH = {"from": OTHER_DAY, "to": DAY}


class Reports(Harness):
    """An operator who asks, and what the sync, the boosts and corrections have put into the tables."""

    def __init__(self, aws: Account, functions: Functions, clock: Any) -> None:
        super().__init__(aws, functions, clock)
        self.store = SyncStore(aws.ref("ViewsTable"), aws.ref("TotalsTable"))
        self._database = Database()
        self._epoch = 0

    def ask(self, report: str, query: dict[str, Any] | None = None, *, path: str = "", role: str = "operator") -> Any:
        file = f"views/reports/api-{report}"
        whole = (an_event(file)["rawPath"], path)
        return self.request(file, *([whole] if path else []), query=query or {}, role=role)

    def get(self, report: str, query: dict[str, Any] | None = None, *, path: str = "") -> Any:
        answer = self.ask(report, query, path=path)
        assert answer.status == 200, answer.body
        return answer.body

    def refuse(self, refusals: dict[str, int]) -> None:
        """An epoch of refusals, by the fields that Redis has them in."""
        self._epoch += 1
        fields = [MovedRefusals(field, number) for field, number in refusals.items()]
        for first in range(0, len(fields), REFUSALS_TOGETHER):
            added = self.store.add_refusals(self._epoch, fields[first : first + REFUSALS_TOGETHER])
            assert all(each is True for each in added)

    def view(self, content: str, views: int, day: str = DAY) -> None:
        self._epoch += 1
        assert self.store.apply(self._epoch, [ContentViews(content, {day: views})]) == [True]

    def boost(self, content_id: str, views: int, day: str = DAY, content_type: str = "video") -> None:
        on = datetime.fromisoformat(day).date()
        assert self._database.commit(lambda transaction: add_boosted(transaction, content_type, content_id, views, on))

    def adjust(self, content: str, views: int, at: datetime, reason: str = "miscounted", number: int = 0) -> None:
        """As a correction leaves it, of the row and of the total."""
        content_type, _, content_id = content.partition(":")
        name = f"adjusted#{at:%Y%m%d%H%M%S}{number:06}"
        row = AdjustedItem(f"content#{content_type}#{content_id}", name, views=views, reason=reason, actor="ada", at=at)
        row.save()
        assert self._database.commit(
            lambda transaction: totals.add_folded(transaction, content_type, content_id, views)
        )

    def close(self, epoch: int, opened_at: datetime, *, is_closed: bool = True) -> None:
        """An epoch of the sync is done, or the present one."""
        closed_at = opened_at + timedelta(minutes=1) if is_closed else None
        phase = Phase.DONE if is_closed else Phase.RETRYING
        control = Control(epoch, phase, 0, DAY, 16, opened_at, closed_at)
        if is_closed:
            self.store.record(control)
        assert self.store.move(self.store.control(), control)

    def pages(self, report: str, query: dict[str, Any]) -> list[list[Any]]:
        """The items of every page."""
        found, cursor = [], None
        while True:
            page = self.get(report, query | ({"cursor": cursor} if cursor else {}))
            found.append(page["items"])
            cursor = page["next_cursor"]
            if not cursor:
                return found

    def lines(self, report: str, query: dict[str, Any] | None = None, *, path: str = "") -> list[list[str]]:
        """The lines of a CSV in all its parts, as the links name them."""
        asked, text = query or {}, ""
        while True:
            answer = self.ask(report, asked, path=path)
            assert (answer.status, answer.headers["Content-Type"]) == (200, "text/csv; charset=utf-8"), answer.body
            text += answer.body
            if "Link" not in answer.headers:
                return list(csv.reader(StringIO(text)))
            link = answer.headers["Link"]
            assert link.startswith("<?")
            assert link.endswith('>; rel="next"')
            asked = dict(parse_qsl(link[2:].partition(">")[0]))


@pytest.fixture
def reports(aws: Account, functions: Functions) -> Iterator[Reports]:
    with time_machine.travel(NOON, tick=False) as clock:
        yield Reports(aws, functions, clock)


def told(item: dict[str, Any]) -> tuple[str, str, str, int]:
    content = f"{item['content_type']}:{item['content_id']}" if item["content_id"] else "*"
    return item["hour"][:13], "+".join(item["rules"]), content, item["refusals"]


SOME = {
    "cooldown+daily_viewed|story:123|2026-11-20T08": 12,
    "cooldown|story:123|2026-11-20T08": 2,
    "cooldown|story:x:y~1|2026-11-20T08": 1,
    "bot|story:123|2026-11-20T23": 5,
    "daily_viewed|*|2026-11-20T08": 7,
    "cooldown+daily_viewed|video:abc|2026-11-19T00": 4,
}


# --- Refusals


def test_refusals_are_told_by_hour_rules_and_content_and_say_what_they_lack(reports: Reports) -> None:
    reports.refuse(SOME)
    reports.close(1, NOON - timedelta(hours=2))

    page = reports.get("refusals")

    assert page["items"][0] == {
        "hour": "2026-11-20T08:00:00.000000Z",
        "rules": ["cooldown"],
        "content_type": "story",
        "content_id": "123",
        "refusals": 2,
    }
    assert [told(item) for item in page["items"]] == [
        ("2026-11-20T08", "cooldown", "story:123", 2),
        ("2026-11-20T08", "cooldown", "story:x:y~1", 1),
        ("2026-11-20T08", "cooldown+daily_viewed", "story:123", 12),
        ("2026-11-20T08", "daily_viewed", "*", 7),
        ("2026-11-20T23", "bot", "story:123", 5),
    ]
    assert page["items"][3].items() >= {("content_type", None), ("content_id", None)}
    assert (page["next_cursor"], page["moved_until"]) == (None, "2026-11-20T10:00:00.000000Z")
    assert "still in Redis" in page["note"]


def test_the_same_refusals_of_later_epochs_are_added_up(reports: Reports) -> None:
    reports.refuse(SOME)
    reports.refuse({"cooldown|story:123|2026-11-20T08": 3, "bot|*|2026-11-20T23": 1})

    assert [told(item)[3] for item in reports.get("refusals")["items"]] == [5, 1, 12, 7, 1, 5]
    assert reports.get("refusalssummary")["attempts"] == 31


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, [2, 1, 12, 7, 5]),
        (BOTH, [4, 2, 1, 12, 7, 5]),
        ({"from": OTHER_DAY, "to": OTHER_DAY}, [4]),
        ({"to": OTHER_DAY}, [4]),
        ({"from": "2026-11-21", "to": "2026-11-21"}, []),
        (BOTH | {"rule": "daily_viewed"}, [4, 12, 7]),
        ({"rule": "cooldown"}, [2, 1, 12]),
        ({"rule": "session_limit"}, []),
        (BOTH | {"content": "story:123"}, [2, 12, 5]),
        ({"content": "story:x:y~1"}, [1]),
        ({"content": "story:12"}, []),
        (BOTH | {"content": "story:123", "rule": "daily_viewed"}, [12]),
    ],
)
def test_refusals_of_some_days_a_rule_and_a_content_are_found_a_page_at_a_time(
    reports: Reports, query: dict[str, str], expected: list[int]
) -> None:
    reports.refuse(SOME)

    together = reports.get("refusals", query)["items"]
    one_by_one = reports.pages("refusals", query | {"limit": 1})
    summary = reports.get("refusalssummary", query)

    assert [item["refusals"] for item in together] == expected
    assert [item for page in one_by_one for item in page] == together
    assert all(len(page) == 1 for page in one_by_one) or not expected
    assert summary["attempts"] == sum(expected)


def test_a_page_reads_only_so_much_and_goes_on_where_it_stopped(
    reports: Reports, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports.refuse({f"cooldown|story:123|2026-11-20T{hour:02}": hour + 1 for hour in range(7)})
    monkeypatch.setattr("views.reports.store.MOST_QUERIES", 3)

    pages = reports.pages("refusals", {"rule": "cooldown"})

    assert [[item["refusals"] for item in page] for page in pages] == [[1, 2, 3], [4, 5, 6], [7]]


def test_the_summary_tells_which_rules_refused_and_when(reports: Reports) -> None:
    reports.refuse(SOME)

    summary = reports.get("refusalssummary", BOTH)

    assert summary["attempts"] == 31
    assert summary["by_rule"] == {"cooldown": 19, "daily_viewed": 23, "bot": 5}
    assert {"+".join(each["rules"]): each["refusals"] for each in summary["by_rules"]} == {
        "cooldown": 3,
        "cooldown+daily_viewed": 16,
        "daily_viewed": 7,
        "bot": 5,
    }
    assert [(each["hour"][:13], each["refusals"]) for each in summary["by_hour"]] == [
        ("2026-11-19T00", 4),
        ("2026-11-20T08", 22),
        ("2026-11-20T23", 5),
    ]


RULES = list(get_args(Reason))
FIELDS = st.builds(
    lambda rules, content, day, hour: f"{'+'.join(rules)}|{content}|{day}T{hour:02}",
    st.lists(st.sampled_from(RULES), min_size=1, max_size=3, unique=True),
    st.sampled_from(["story:123", "story:1234", "video:a~b", "video:Z", "*"]),
    st.sampled_from([DAY, OTHER_DAY]),
    st.sampled_from([0, 1, 9, 10, 23]),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(epochs=st.lists(st.dictionaries(FIELDS, st.integers(1, 9), max_size=60), max_size=3), data=st.data())
def test_counts_by_rules_add_up_to_the_attempts_whoever_asks_for_what(
    reports: Reports, epochs: list[dict[str, int]], data: st.DataObject
) -> None:
    reports.aws.forget_items()
    for epoch in epochs:
        reports.refuse(epoch)
    rule = data.draw(st.none() | st.sampled_from(RULES))
    content = data.draw(st.sampled_from([None, "story:123", "story:1234", "video:a~b"]))
    query = BOTH | ({"rule": rule} if rule else {}) | ({"content": content} if content else {})
    expected: Counter[str] = Counter()
    for epoch in epochs:
        for field, refusals in epoch.items():
            rules, of, _ = field.split("|")
            if rule in (None, *rules.split("+")) and content in (None, of):
                expected[rules] += refusals

    summary = reports.get("refusalssummary", query)
    listed = [item for page in reports.pages("refusals", query | {"limit": 7}) for item in page]

    assert {"+".join(each["rules"]): each["refusals"] for each in summary["by_rules"]} == expected
    assert summary["attempts"] == expected.total() == sum(item["refusals"] for item in listed)
    assert summary["attempts"] == sum(each["refusals"] for each in summary["by_hour"])
    for one, refusals in summary["by_rule"].items():
        assert refusals == sum(number for rules, number in expected.items() if one in rules.split("+"))
    assert listed == sorted(listed, key=lambda item: (item["hour"], "+".join(item["rules"]) + "#"))


def test_a_sync_that_is_repeated_counts_an_hour_once(reports: Reports) -> None:
    fields = [MovedRefusals("cooldown|story:1|2026-11-20T08", 3), MovedRefusals("cooldown|story:2|2026-11-20T08", 4)]
    reports.store.add_refusals(1, fields[:1])

    reports.store.add_refusals(1, fields)
    reports.store.add_refusals(1, fields)

    assert reports.get("refusalssummary")["attempts"] == 7


def test_as_many_refusals_as_are_added_together_fit_into_one_transaction(reports: Reports) -> None:
    """Each of an hour of its own, which is the most that there is to write."""
    fields = {
        f"{'+'.join(RULES[: 1 + number % 2])}|story:1|2026-11-{1 + number // 2 // 24:02}T{number // 2 % 24:02}": 1
        for number in range(REFUSALS_TOGETHER)
    }

    with patch.object(Database, "commit", autospec=True, side_effect=Database.commit) as commit:
        reports.refuse(fields)

    assert (len(fields), commit.call_count) == (50, 1)


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        ("2026-11-19T00:00:00Z", "2026-11-20T23:00:00Z", [4, 2, 1, 12, 7, 5]),
        ("2026-11-19T01:00:00Z", "2026-11-20T08:00:00Z", [2, 1, 12, 7]),
        ("2026-11-19T00:00:00Z", "2026-11-20T07:00:00Z", [4]),
        ("2026-11-20T08:00:00.000000Z", "2026-11-20T08:00:00Z", [2, 1, 12, 7]),
        ("2026-11-20T09:00:00Z", DAY, [5]),
        ("2026-11-20T09:00:00Z", None, [5]),
        (OTHER_DAY, "2026-11-20T22:00:00Z", [4, 2, 1, 12, 7]),
        (None, "2026-11-20T22:00:00Z", [2, 1, 12, 7]),
    ],
)
@pytest.mark.parametrize("more", [{}, {"rule": "daily_viewed"}, {"content": "story:123"}])
def test_refusals_begin_and_end_at_an_hour_in_lists_sums_and_exports(
    reports: Reports, first: str | None, last: str | None, expected: list[int], more: dict[str, str]
) -> None:
    reports.refuse(SOME)
    wanted = {"daily_viewed": (4, 12, 7), "story:123": (2, 12, 5)}.get("".join(more.values()), tuple(expected))
    query = {name: each for name, each in (("from", first), ("to", last)) if each} | more

    pages = reports.pages("refusals", query | {"limit": 1})
    summary = reports.get("refusalssummary", query)
    lines = reports.lines("refusalsexport", query | {"limit": 1})

    expected = [each for each in expected if each in wanted]
    assert [item["refusals"] for page in pages for item in page] == expected
    assert (summary["attempts"], sum(each["refusals"] for each in summary["by_hour"])) == (sum(expected),) * 2
    assert [int(line[-1]) for line in lines[1:]] == expected


@pytest.mark.parametrize("report", ["refusals", "refusalssummary", "refusalsexport"])
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"from": "2026-11-31"}, "from"),
        ({"from": "20261120"}, "from"),
        ({"from": "1795163400"}, "from"),
        ({"to": "2026-11-20T08:30:00Z"}, "to"),
        ({"to": "2026-11-20T24:00:00Z"}, "to"),
        ({"to": "2026-11-20T08:00:00+01:00"}, "to"),
        ({"to": "2026-11-20T08:00:00"}, "to"),
        ({"from": "2026-11-20T08:00:00Z", "to": "2026-11-20T07:00:00Z"}, "from"),
        ({"from": "2026-10-20T12:00:00Z", "to": "2026-11-20T12:00:00Z"}, "from"),
        ({"to": "0001-01-01"}, "to"),
        ({"to": ""}, "to"),
        ({"from": "2026-11-21"}, "from"),
        ({"from": "2026-11-20", "to": "2026-11-19"}, "from"),
        ({"from": "2026-10-20", "to": "2026-11-20"}, "from"),
        ({"rule": "boredom"}, "rule"),
        ({"rule": ""}, "rule"),
        ({"content": "story"}, "content"),
        ({"content": "film:123"}, "content"),
        ({"content": "story:"}, "content"),
        ({"content": "story:-a"}, "content"),
        ({"content": "*"}, "content"),
        ({"content": "story:1#2"}, "content"),
        ({"viewer": "user:1"}, "viewer"),
    ],
)
def test_what_no_refusal_can_have_is_400_and_named(
    reports: Reports, report: str, query: dict[str, str], field: str
) -> None:
    answer = reports.ask(report, query)

    assert (answer.status, answer.fields) == (400, [field])


def test_31_days_are_answered(reports: Reports) -> None:
    reports.refuse({"bot|story:123|2026-10-21T08": 1})

    assert reports.get("refusalssummary", {"from": "2026-10-21"})["attempts"] == 1


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        write_cursor({"day": DAY}),
        write_cursor({"day": OTHER_DAY, "part": "08"}),
        write_cursor({"day": "sync", "part": "control"}),
        write_cursor({"day": DAY, "part": "\u00e9"}),
        write_cursor({"day": DAY, "part": "\ud800"}),
        write_cursor({"content_id": "a", "organic": 1}),
    ],
)
def test_a_cursor_of_no_such_list_is_400_and_named(reports: Reports, cursor: str) -> None:
    for report in ("refusals", "refusalsexport"):
        answer = reports.ask(report, {"cursor": cursor})

        assert (answer.status, answer.fields) == (400, ["cursor"])


@pytest.mark.parametrize("part", ["", "~", "08#cooldown#", "08#cooldown#story:123", "99", "\x00"])
@pytest.mark.parametrize("query", [{}, {"rule": "cooldown"}, {"content": "story:123"}])
def test_a_forged_cursor_begins_somewhere_in_the_days_and_does_no_harm(
    reports: Reports, part: str, query: dict[str, str]
) -> None:
    reports.refuse(SOME)

    with patch.object(BaseClient, "_make_api_call", autospec=True, side_effect=BaseClient._make_api_call) as call:
        page = reports.get("refusals", query | {"cursor": write_cursor({"day": DAY, "part": part})})

    assert {item["hour"][:10] for item in page["items"]} <= {DAY}
    # DynamoDB refuses a range that ends before it begins; moto finds nothing in it.
    for _, operation, arguments in (each.args for each in call.call_args_list):
        if operation == "Query" and "BETWEEN" in arguments["KeyConditionExpression"]:
            low, high = (arguments["ExpressionAttributeValues"][name]["S"] for name in (":1", ":2"))
            assert "" < low <= high


def test_the_rules_that_can_be_asked_for_are_those_that_refuse() -> None:
    refusing = {value for name, value in vars(rules).items() if name.isupper() and isinstance(value, str)}
    assert refusing == set(RULES)


def test_no_report_says_who_was_refused(reports: Reports) -> None:
    """S2-37."""
    reports.refuse(SOME)

    page = reports.get("refusals", BOTH)

    assert {name for item in page["items"] for name in item} == {
        "hour",
        "rules",
        "content_type",
        "content_id",
        "refusals",
    }


def test_refusals_are_exported_in_parts_that_name_the_next(reports: Reports) -> None:
    reports.refuse(SOME)

    lines = reports.lines("refusalsexport", BOTH | {"rule": "daily_viewed", "limit": 2})

    assert lines == [
        ["hour", "rules", "content_type", "content_id", "refusals"],
        ["2026-11-19T00:00:00.000000Z", "cooldown daily_viewed", "video", "abc", "4"],
        ["2026-11-20T08:00:00.000000Z", "cooldown daily_viewed", "story", "123", "12"],
        ["2026-11-20T08:00:00.000000Z", "daily_viewed", "", "", "7"],
    ]
    assert len(reports.lines("refusalsexport", {"content": "story:123", "limit": 1})) == 4


def test_an_export_begun_today_goes_on_with_the_same_days_after_midnight(reports: Reports) -> None:
    reports.refuse(SOME)
    link = reports.ask("refusalsexport", {"limit": 1}).headers["Link"]

    with time_machine.travel(NOON + timedelta(days=1), tick=False):
        answer = reports.ask("refusalsexport", dict(parse_qsl(link[2:].partition(">")[0])))

    assert (answer.status, answer.body[:10]) == (200, DAY)


# --- How far the sync is


def test_before_any_sync_nothing_was_moved(reports: Reports) -> None:
    assert reports.get("refusals")["moved_until"] is None

    reports.close(0, NOON)

    assert reports.get("refusals")["moved_until"] is None


def test_while_an_epoch_is_open_all_is_moved_until_the_one_before(reports: Reports) -> None:
    reports.close(6, NOON - timedelta(hours=2))
    reports.close(7, NOON - timedelta(hours=1), is_closed=False)

    for report in ("refusals", "refusalssummary", "history"):
        assert reports.get(report)["moved_until"] == "2026-11-20T10:00:00.000000Z"
    assert reports.get("top", {"content_type": "video"})["moved_until"] == "2026-11-20T10:00:00.000000Z"


# --- History


def test_a_history_keeps_measured_boosted_and_corrected_views_apart(reports: Reports) -> None:
    reports.view("video:abc123", 5, "2026-11-18")
    reports.view("video:abc123", 7)
    reports.view("video:other", 100)
    reports.boost("abc123", 1000, "2026-11-19")
    reports.boost("abc123", -400)
    reports.adjust("video:abc123", -2, NOON, "a robot's")
    reports.adjust("video:abc123", 9, NOON - timedelta(days=3), "lost")

    body = reports.get("history", {"from": "2026-11-18"})

    assert body["days"] == [
        {"date": "2026-11-18", "organic": 5, "boosted": 0, "adjusted": 0},
        {"date": "2026-11-19", "organic": 0, "boosted": 1000, "adjusted": 0},
        {"date": "2026-11-20", "organic": 7, "boosted": -400, "adjusted": -2},
    ]
    assert body["totals"] == {"organic": 12, "boosted": 600, "adjusted": -2}
    assert body["adjustments"] == [
        {"at": "2026-11-20T12:00:00.000000Z", "views": -2, "reason": "a robot's", "actor": "ada"}
    ]
    assert body["adjustments_left_out"] == 0
    assert body["overall"] == {"organic": 19, "boosted": 600, "imported": None, "adjusted": 7}
    assert (body["content_type"], body["content_id"]) == ("video", "abc123")
    assert "promoted" in body["disclosure"]
    assert "still in Redis" in body["note"]


def test_a_history_has_30_days_by_default_and_zeros_where_nothing_was(reports: Reports) -> None:
    body = reports.get("history")

    assert [day["date"] for day in body["days"]][::29] == ["2026-10-22", DAY]
    assert {tuple(day.values())[1:] for day in body["days"]} == {(0, 0, 0)}
    assert body["overall"] == {"organic": 0, "boosted": 0, "imported": None, "adjusted": 0}
    assert body["disclosure"] is None


def test_what_was_imported_is_shown_and_of_no_day(reports: Reports) -> None:
    item = {"key": {"S": "organic#video#abc123"}, "views": {"N": "50"}, "imported": {"N": "50"}}
    reports.aws.client("dynamodb").put_item(TableName=reports.aws.ref("TotalsTable"), Item=item)
    reports.view("video:abc123", 3)

    body = reports.get("history")

    assert (body["overall"]["organic"], body["overall"]["imported"]) == (53, 50)
    assert body["totals"]["organic"] == 3


def test_the_days_of_a_history_are_those_of_the_configured_zone(reports: Reports) -> None:
    reports.aws.choose(TimeZone="Asia/Tokyo")
    late = datetime(2026, 11, 20, 15, tzinfo=UTC)
    reports.adjust("video:abc123", 4, late)
    reports.adjust("video:abc123", 2, late - timedelta(seconds=1))

    with time_machine.travel(late, tick=False):
        days = reports.get("history")["days"]

    assert [(day["date"], day["adjusted"]) for day in days[-2:]] == [("2026-11-20", 2), ("2026-11-21", 4)]
    assert [each["views"] for each in reports.get("history", {"to": DAY})["adjustments"]] == [2]


def test_more_adjustments_than_are_listed_are_in_the_sums_and_counted(reports: Reports) -> None:
    for number in range(MOST_ADJUSTMENTS + 2):
        AdjustedItem(
            "content#video#abc123", f"adjusted#{number:06}", views=number, reason="x", actor="ada", at=NOON
        ).save()

    body = reports.get("history")

    assert (len(body["adjustments"]), body["adjustments_left_out"]) == (MOST_ADJUSTMENTS, 2)
    assert body["adjustments"][-1]["views"] == MOST_ADJUSTMENTS + 1
    assert body["totals"]["adjusted"] == sum(range(MOST_ADJUSTMENTS + 2))


EVENTS = st.tuples(st.sampled_from(["view", "boost", "adjust", "fold"]), st.integers(0, 9), st.integers(1, 50))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=st.lists(EVENTS, max_size=15))
def test_the_organic_days_and_adjustments_of_a_history_add_up_to_its_total(
    reports: Reports, events: list[tuple[str, int, int]]
) -> None:
    reports.aws.forget_items()
    for number, (what, ago, views) in enumerate(events):
        moment = NOON - timedelta(days=ago)
        day = moment.date().isoformat()
        match what:
            case "view":
                reports.view("video:abc123", views, day)
            case "boost":
                reports.boost("abc123", views, day)
            case "adjust":
                reports.adjust("video:abc123", views, moment, number=number)
            case "fold":
                fold(reports, f"viewer#{number}", day)

    body = reports.get("history")

    made = Counter(dict.fromkeys(("view", "boost", "adjust", "fold"), 0))
    for what, _, views in events:
        made[what] += 1 if what == "fold" else views
    assert body["totals"] == {
        "organic": made["view"] + made["fold"],
        "boosted": made["boost"],
        "adjusted": made["adjust"],
    }
    assert body["overall"]["organic"] == body["totals"]["organic"] + body["totals"]["adjusted"]
    assert body["overall"]["boosted"] == body["totals"]["boosted"]
    for name, total in body["totals"].items():
        assert sum(day[name] for day in body["days"]) == total


def fold(reports: Reports, viewer: str, day: str) -> None:
    """A view that was taken while Redis was away."""
    row = {"id": viewer, "part": f"{day}#video:abc123", "content": "video:abc123", "unfolded": "1"}
    reports.aws.client("dynamodb").put_item(
        TableName=reports.aws.ref("ViewsTable"), Item={name: {"S": value} for name, value in row.items()}
    )
    row = AwayRow(viewer, day, "video:abc123")
    assert reports.store.fold(1, [row], [row], 9)


@pytest.mark.parametrize("report", ["history", "historyexport"])
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"from": "yesterday"}, "from"),
        ({"to": "2026-13-01"}, "to"),
        ({"from": "2026-11-21"}, "from"),
        ({"from": "2025-11-19", "to": DAY}, "from"),
        ({"limit": "5"}, "limit"),
    ],
)
def test_a_period_that_cannot_be_is_400_and_named(
    reports: Reports, report: str, query: dict[str, str], field: str
) -> None:
    answer = reports.ask(report, query)

    assert (answer.status, answer.fields) == (400, [field])


@pytest.mark.parametrize("report", ["history", "historyexport"])
@pytest.mark.parametrize(
    ("content", "field"), [("film/abc123", "content_type"), ("video/-a", "content_id"), ("video/a b", "content_id")]
)
def test_a_history_of_what_is_no_content_is_400_and_named(
    reports: Reports, report: str, content: str, field: str
) -> None:
    path = an_event(f"views/reports/api-{report}")["rawPath"].replace("video/abc123", content)

    answer = reports.ask(report, path=path)

    assert (answer.status, answer.fields) == (400, [field])


def test_a_year_is_answered(reports: Reports) -> None:
    reports.boost("abc123", 3, "2025-11-20")

    body = reports.get("history", {"from": "2025-11-20"})

    assert (len(body["days"]), body["days"][0]["boosted"]) == (366, 3)


def test_a_history_is_exported_with_its_columns_apart(reports: Reports) -> None:
    reports.view("video:abc123", 5)
    reports.boost("abc123", -1000, OTHER_DAY)
    reports.adjust("video:abc123", -2, NOON)

    assert reports.lines("historyexport", BOTH) == [
        ["content_type", "content_id", "date", "organic", "boosted", "adjusted"],
        ["video", "abc123", OTHER_DAY, "0", "-1000", "0"],
        ["video", "abc123", DAY, "5", "0", "-2"],
    ]


# --- The most viewed


def test_the_most_viewed_are_told_by_organic_views_with_boosted_ones_beside(reports: Reports) -> None:
    """S2-30."""
    for content_id, views in (("a", 5), ("b", 20), ("c", 10)):
        reports.view(f"video:{content_id}", views)
    reports.view("story:z", 99)
    reports.boost("a", 7)

    body = reports.get("top", {"content_type": "video"})

    assert [(item["content_id"], item["organic"], item["boosted"]) for item in body["items"]] == [
        ("b", 20, 0),
        ("c", 10, 0),
        ("a", 5, 7),
    ]
    assert [item["disclosure"] is not None for item in body["items"]] == [False, False, True]
    assert (body["content_type"], body["next_cursor"]) == ("video", None)


def test_no_boost_brings_a_content_into_the_ranking_or_moves_one_in_it(reports: Reports) -> None:
    """S2-30."""
    for content_id, views in (("a", 5), ("b", 20), ("c", 10)):
        reports.view(f"video:{content_id}", views)
    before = [item["content_id"] for item in reports.get("top", {"content_type": "video"})["items"]]

    reports.boost("a", 1_000_000)
    reports.boost("c", 50, OTHER_DAY)
    reports.boost("bought", 1_000_000)

    items = reports.get("top", {"content_type": "video"})["items"]
    assert [item["content_id"] for item in items] == before == ["b", "c", "a"]
    boosted = [item for item in reports.aws.items("TotalsTable") if item["key"].startswith("boosted#")]
    assert len(boosted) == 6
    assert all("ranked" not in item for item in boosted)


def test_a_view_that_was_taken_without_redis_ranks_its_content(reports: Reports) -> None:
    fold(reports, "viewer#1", DAY)

    items = reports.get("top", {"content_type": "video"})["items"]

    assert [(item["content_id"], item["organic"]) for item in items] == [("abc123", 1)]


def test_a_content_of_before_the_ranking_is_in_it_after_its_next_sync(reports: Reports) -> None:
    old = {"key": {"S": "organic#video#abc123"}, "views": {"N": "50"}}
    reports.aws.client("dynamodb").put_item(TableName=reports.aws.ref("TotalsTable"), Item=old)
    before = reports.get("top", {"content_type": "video"})["items"]

    reports.view("video:abc123", 1)

    items = reports.get("top", {"content_type": "video"})["items"]
    assert before == []
    assert [(item["content_id"], item["organic"]) for item in items] == [("abc123", 51)]


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5])
def test_the_most_viewed_are_listed_a_page_at_a_time(reports: Reports, limit: int) -> None:
    for content_id, views in (("a", 5), ("b", 20), ("c", 10), ("d:~1", 10), ("e", 1)):
        reports.view(f"video:{content_id}", views)

    pages = reports.pages("top", {"content_type": "video", "limit": limit})

    found = [item["content_id"] for page in pages for item in page]
    assert sorted(found) == ["a", "b", "c", "d:~1", "e"]
    assert [found[0], *found[3:]] == ["b", "a", "e"]
    assert len(pages) == -(-5 // limit)


# --- Rows that cannot be read


def spoil(reports: Reports, table: str, key: dict[str, str], **values: dict[str, str]) -> None:
    """Somebody writes into a row by hand, or makes one."""
    item = {name: {"S": value} for name, value in key.items()} | values
    reports.aws.client("dynamodb").put_item(TableName=reports.aws.ref(table), Item=item)


@pytest.mark.parametrize("limit", [1, 2, 3, 4])
@pytest.mark.parametrize("spoiled", "abc")
def test_refusals_that_cannot_be_read_are_missing_from_their_list(reports: Reports, limit: int, spoiled: str) -> None:
    reports.refuse({f"cooldown|video:{each}|{DAY}T08": 2 for each in "abc"})
    row = {"id": f"refused#{DAY}", "part": f"08#cooldown#video:{spoiled}"}
    spoil(reports, "ViewsTable", row, refusals={"S": "oops"})

    pages = reports.pages("refusals", {"from": DAY, "to": DAY, "limit": limit})
    of_content = [reports.get("refusals", {"from": DAY, "to": DAY, "content": f"video:{each}"}) for each in "abc"]

    found = [item["content_id"] for page in pages for item in page]
    assert found == [each for each in "abc" if each != spoiled]
    assert [len(each["items"]) for each in of_content] == [int(each != spoiled) for each in "abc"]


def test_an_hour_whose_sum_cannot_be_read_hides_no_other(reports: Reports) -> None:
    reports.refuse({f"cooldown|video:a|{DAY}T{hour}": 2 for hour in ("08", "09")})
    spoil(reports, "ViewsTable", {"id": f"refused_hours#{DAY}", "part": "08#cooldown"}, refusals={"S": "oops"})

    assert reports.get("refusalssummary", {"from": DAY, "to": DAY})["attempts"] == 2


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_a_ranked_row_that_cannot_be_read_hides_no_other(reports: Reports, limit: int) -> None:
    for content_id, views in (("a", 5), ("b", 20), ("c", 10)):
        reports.view(f"video:{content_id}", views)
    spoil(reports, "TotalsTable", {"key": "oops", "ranked": "video"}, views={"N": "15"})

    pages = reports.pages("top", {"content_type": "video", "limit": limit})

    assert [item["content_id"] for page in pages for item in page] == ["b", "c", "a"]


@pytest.mark.parametrize("report", ["top", "topexport"])
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "content_type"),
        ({"content_type": "film"}, "content_type"),
        ({"content_type": "video", "limit": "0"}, "limit"),
        ({"content_type": "video", "limit": "10001"}, "limit"),
        ({"content_type": "video", "cursor": "x"}, "cursor"),
        ({"content_type": "video", "cursor": write_cursor({"content_id": "a", "organic": "1"})}, "cursor"),
        ({"content_type": "video", "cursor": write_cursor({"content_id": "", "organic": 1})}, "cursor"),
        ({"content_type": "video", "cursor": write_cursor({"content_id": "a#b", "organic": 1})}, "cursor"),
        ({"content_type": "video", "boosted": "true"}, "boosted"),
    ],
)
def test_what_no_ranking_has_is_400_and_named(reports: Reports, report: str, query: dict[str, str], field: str) -> None:
    answer = reports.ask(report, query)

    assert (answer.status, answer.fields) == (400, [field])


def test_the_most_viewed_are_exported_in_parts_that_name_the_next(reports: Reports) -> None:
    for content_id, views in (("a", 5), ("b", 20), ("c", 10)):
        reports.view(f"video:{content_id}", views)
    reports.boost("c", 3)

    assert reports.lines("topexport", {"content_type": "video", "limit": 1}) == [
        ["content_type", "content_id", "organic", "boosted"],
        ["video", "b", "20", "0"],
        ["video", "c", "10", "3"],
        ["video", "a", "5", "0"],
    ]


# --- Days of the platform


def put_usage(reports: Reports, month: str, **counters: int) -> None:
    """A month's use, as the boosts keep it."""
    key = {"id": {"S": f"usage#{month}"}, "part": {"S": "usage"}, "kind": {"S": "usage"}}
    item = key | {name: {"N": str(value)} for name, value in counters.items()}
    reports.aws.client("dynamodb").put_item(TableName=reports.aws.ref("BoostsTable"), Item=item)


def test_the_days_of_the_platform_are_the_sums_of_its_contents_with_boosted_views_apart(reports: Reports) -> None:
    reports.view("story:123", 3)
    reports.view("video:abc", 4)
    reports.view("video:abc", 5, OTHER_DAY)
    fold(reports, "viewer#1", DAY)
    put_usage(reports, "2026-11", allotted=900, executed=900, d19=700, d20=200, r20=250)
    put_usage(reports, "2026-10", allotted=80, executed=80, d31=80)
    reports.request("views/adjustments/api-adjust", body={"views": 2, "reason": "lost"}, key="one")
    reports.request("views/adjustments/api-adjust", body={"views": -1, "reason": "twice"}, key="two")
    reports.close(1, NOON - timedelta(hours=2))

    body = reports.get("days", {"from": "2026-10-31", "to": DAY})

    days = {day.pop("date"): day for day in body["items"]}
    assert len(days) == 21
    assert {day: views for day, views in days.items() if any(views.values())} == {
        "2026-10-31": {"organic": 0, "boosted": 80, "adjusted": 0},
        OTHER_DAY: {"organic": 5, "boosted": 700, "adjusted": 0},
        DAY: {"organic": 8, "boosted": -50, "adjusted": 1},
    }
    assert (body["moved_until"], body["time_zone"]) == ("2026-11-20T10:00:00.000000Z", "UTC")


def test_an_epoch_that_is_repeated_is_in_the_days_of_the_platform_once(reports: Reports) -> None:
    both = [ContentViews("story:123", {DAY: 3, OTHER_DAY: 1}), ContentViews("video:abc", {DAY: 4})]

    assert reports.store.apply(1, both[:1]) == [True]
    assert reports.store.apply(1, both) == [False, True]
    assert reports.store.apply(1, both) == [False, False]

    assert [day["organic"] for day in reports.get("days", BOTH)["items"]] == [1, 7]


def test_a_correction_is_of_the_platforms_day_in_the_configured_zone(reports: Reports) -> None:
    reports.aws.choose(TimeZone="Asia/Tokyo")
    reports.clock.move_to(datetime(2026, 11, 20, 15, 30, tzinfo=UTC))
    reports.request("views/adjustments/api-adjust", body={"views": 2, "reason": "lost"}, key="one")

    body = reports.get("days", {"from": DAY})

    assert [(day["date"], day["adjusted"]) for day in body["items"]] == [(DAY, 0), ("2026-11-21", 2)]
    assert body["time_zone"] == "Asia/Tokyo"


def test_a_month_of_boosts_that_cannot_be_read_hides_no_organic_views(reports: Reports) -> None:
    reports.view("video:abc", 4)
    put_usage(reports, "2026-11", d20=200)
    spoil(reports, "BoostsTable", {"id": "usage#2026-11", "part": "usage"}, d20={"S": "oops"})

    assert reports.get("days", {"from": DAY})["items"] == [{"date": DAY, "organic": 4, "boosted": 0, "adjusted": 0}]


@pytest.mark.parametrize(("query", "days"), [({}, 30), ({"from": "2025-11-20"}, 366)])
def test_the_days_of_the_platform_are_30_by_default_and_at_most_366(
    reports: Reports, query: dict[str, str], days: int
) -> None:
    assert len(reports.get("days", query)["items"]) == days
    assert reports.ask("days", {"from": "2025-11-19"}).fields == ["from"]
    assert reports.ask("days", {"from": "2026-11-20T05:00:00Z"}).fields == ["from"]


# --- Who may ask


@pytest.mark.parametrize(
    "report", ["refusals", "refusalssummary", "refusalsexport", "days", "history", "historyexport", "top"]
)
@pytest.mark.parametrize(("role", "status"), [("user", 403), ("service", 403), ("operator", 200), ("admin", 200)])
def test_reports_are_for_operators(reports: Reports, report: str, role: str, status: int) -> None:
    query = {"content_type": "video"} if report == "top" else {}

    assert reports.ask(report, query, role=role).status == status


def test_an_export_of_the_most_viewed_is_for_operators(reports: Reports) -> None:
    assert reports.ask("topexport", {"content_type": "video"}, role="service").status == 403


def test_a_period_without_ends_is_the_usual_one_and_with_one_end_leads_up_to_it() -> None:
    today = NOON.date()

    assert period(None, None, today, usual=1, most=31).days == [today]
    assert len(period(None, today - timedelta(days=7), today, usual=30, most=366).days) == 30
    assert period(today - timedelta(days=2), None, today, usual=1, most=31).first == today - timedelta(days=2)
