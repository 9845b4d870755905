"""Rows that cannot be read, in every loop over rows: each is logged for an alarm, and holds up no other."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from sluice.errors import Unavailable
from tests.account import Account
from tests.factories import NOON
from tests.integration.console import Console
from tests.integration.harness import Functions, Harness
from tests.integration.imports_world import Importer, some_rows
from tests.integration.log_metrics import metrics

LATE = timedelta(minutes=10)


class Edits(Harness):
    """Somebody who edits rows by hand."""

    def edit(self, table: str, key: dict[str, str], **values: dict[str, Any]) -> None:
        self.aws.client("dynamodb").update_item(
            TableName=self.aws.ref(table),
            Key={name: {"S": value} for name, value in key.items()},
            UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in values),
            ExpressionAttributeNames={f"#{name}": name for name in values},
            ExpressionAttributeValues={f":{name}": value for name, value in values.items()},
        )


class Editor(Edits, Console):
    """An operator who does too."""

    def spoil(self, campaign_id: str, **values: dict[str, str]) -> None:
        self.edit("BoostsTable", {"id": campaign_id, "part": "campaign"}, **values)


class Spoiler(Edits, Importer):
    """One who imports, and edits."""


@pytest.fixture
def editor(aws: Account, functions: Functions) -> Iterator[Editor]:
    with time_machine.travel(NOON, tick=False) as clock:
        yield Editor(aws, functions, clock)


@pytest.fixture
def importer(aws: Account, functions: Functions) -> Iterator[Spoiler]:
    with time_machine.travel(NOON, tick=False) as clock:
        yield Spoiler(aws, functions, clock)


@pytest.fixture
def counted(aws: Account, log_lines: Callable[[], list[dict[str, Any]]]) -> Any:
    """How many unreadable rows a function's log lines tell its alarm of."""

    def count(logs: str) -> int:
        return len(metrics(aws, logs, log_lines()).get("UnreadableRows", []))

    return count


def test_an_overdue_campaign_that_cannot_be_read_keeps_no_other_asleep(editor: Editor) -> None:
    ids = [editor.running() for _ in range(3)]
    editor.spoil(ids[0], step={"S": "one"})
    editor.clock.shift(LATE)

    with pytest.raises(Unavailable, match="1 overdue campaigns could not be woken, 2 could"):
        editor.sweep()

    assert sorted(step["campaign_id"] for step in editor.waiting()) == sorted(ids[1:])


def test_a_row_of_the_index_that_cannot_be_read_keeps_no_other_asleep(editor: Editor, counted: Any) -> None:
    ids = [editor.running() for _ in range(3)]
    editor.spoil(ids[0], wake_at={"S": "0"})
    editor.clock.shift(LATE)
    counted("OperationsSweeperLogs")

    swept = editor.sweep()

    assert swept["woken"] == 2
    assert sorted(step["campaign_id"] for step in editor.waiting()) == sorted(ids[1:])
    assert counted("OperationsSweeperLogs") == 1


@pytest.mark.parametrize(
    "spoilt",
    [
        {"promised": {"S": "{not json"}},
        {"created_by": {"N": "7"}},
        {"updated_at": {"S": "never"}},
        {"status": {"S": "odd"}},
    ],
)
@pytest.mark.parametrize("query", [{}, {"video_id": "abc123"}, {"limit": "1"}])
def test_a_campaign_that_cannot_be_read_is_missing_from_lists_and_named_in_the_log(
    editor: Editor, counted: Any, spoilt: Any, query: dict[str, str]
) -> None:
    ids = [editor.create() for _ in range(3)]
    editor.spoil(ids[1], **spoilt)
    counted("BoostsApiLogs")

    found, cursor = [], {}
    while cursor is not None:
        page = editor.send("boosts/api-list", query=query | cursor).body
        found += [each["id"] for each in page["items"]]
        cursor = {"cursor": page["next_cursor"]} if page["next_cursor"] else None

    assert {*found} == {ids[0], ids[2]}
    assert counted("BoostsApiLogs") == 1
    assert editor.send("boosts/api-get", ids[1]).status == 500


def test_a_campaign_that_lacks_something_is_missing_from_lists_too(editor: Editor, counted: Any) -> None:
    ids = [editor.create() for _ in range(2)]
    editor.aws.client("dynamodb").update_item(
        TableName=editor.aws.ref("BoostsTable"),
        Key={"id": {"S": ids[0]}, "part": {"S": "campaign"}},
        UpdateExpression="REMOVE total_count",
    )
    counted("BoostsApiLogs")

    assert [each["id"] for each in editor.send("boosts/api-list", query={}).body["items"]] == [ids[1]]
    assert counted("BoostsApiLogs") == 1


def test_a_batch_row_that_cannot_be_read_is_missing_from_the_csv_and_found_by_verify(
    editor: Editor, counted: Any
) -> None:
    campaign_id = editor.running(total_count=2500)
    for step in (1, 2, 3):
        editor.work(campaign_id, step)
        editor.clock.shift(60)
    editor.edit("BoostsTable", {"id": campaign_id, "part": "batch#0000000002"}, views_by_video={"S": "{not json"})
    counted("BoostsApiLogs")

    pages = [editor.text("boosts/api-exportbatches", campaign_id, {"limit": "1"})]
    while link := pages[-1].headers.get("Link"):
        cursor = link.partition("cursor=")[2].partition(">")[0]
        pages.append(editor.text("boosts/api-exportbatches", campaign_id, {"limit": "1", "cursor": cursor}))

    lines = [line for page in pages for line in page.body.splitlines() if line.startswith(campaign_id)]
    assert len(lines) == 2
    assert counted("BoostsApiLogs") == 1
    assert not editor.send("boosts/api-verify", campaign_id).body["valid"]


def test_a_skipped_row_that_cannot_be_read_is_missing_from_its_list(importer: Spoiler, counted: Any) -> None:
    for _ in range(2):
        import_id = importer.running(some_rows(3))
        importer.work_off(import_id)
    importer.aws.client("dynamodb").update_item(
        TableName=importer.aws.ref("ViewsTable"),
        Key={"id": {"S": import_id}, "part": {"S": "skipped#000000002"}},
        UpdateExpression="SET reason = :reason",
        ExpressionAttributeValues={":reason": {"S": "odd"}},
    )
    counted("ViewsImportsApiLogs")

    assert [number for number, _, _ in importer.skipped(import_id)] == [1, 3]
    assert counted("ViewsImportsApiLogs") == 1


@pytest.mark.parametrize("report", ["adjustments", "history"])
def test_an_adjustment_that_cannot_be_read_is_missing_from_its_lists(
    importer: Spoiler, counted: Any, report: str
) -> None:
    for views in (5, 6, 7):
        importer.adjust(views)
        importer.clock.shift(1)
    rows = [row["part"] for row in importer.aws.items("ViewsTable") if row["part"].startswith("adjusted#")]
    importer.aws.client("dynamodb").update_item(
        TableName=importer.aws.ref("ViewsTable"),
        Key={"id": {"S": "content#video#abc123"}, "part": {"S": sorted(rows)[1]}},
        UpdateExpression="SET #at = :at",
        ExpressionAttributeNames={"#at": "at"},
        ExpressionAttributeValues={":at": {"S": "never"}},
    )
    logs = "ViewsAdjustmentsApiLogs" if report == "adjustments" else "ViewsReportsApiLogs"
    counted(logs)

    if report == "adjustments":
        found = importer.send("list", ("abc123", "abc123"), wing="adjustments").body["items"]
    else:
        found = importer.send("history", wing="reports").body["adjustments"]

    assert sorted(each["views"] for each in found) == [5, 7]
    assert counted(logs) == 1


SPOILT = pytest.mark.parametrize(
    "spoilt",
    [
        {"views": {"S": "many"}},
        {"views": {"NULL": True}},
        {"last_epoch": {"S": "seven"}},
        {"imported": {"BOOL": True}},
    ],
)
"""What a hand writes into a total."""


@SPOILT
@pytest.mark.parametrize("kind", ["organic", "boosted"])
def test_a_total_that_cannot_be_read_is_zero_and_hides_no_other(
    importer: Spoiler, counted: Any, kind: str, spoilt: Any
) -> None:
    for content_id in ("a", "b"):
        importer.adjust(5, content_id)
    importer.edit("TotalsTable", {"key": f"{kind}#video#a"}, **spoilt)
    counted("ViewsCountsApiLogs")

    body = {"items": [{"content_type": "video", "content_id": each} for each in ("a", "b", "c")]}
    shown = importer.done("views/counts/api-bulk", body=body)["items"]

    assert [each["view_count"] for each in shown] == [0 if kind == "organic" else 5, 5, 0]
    assert counted("ViewsCountsApiLogs") == 1


@SPOILT
def test_a_history_and_a_ranking_are_shown_without_a_total_that_cannot_be_read(
    importer: Spoiler, counted: Any, spoilt: Any
) -> None:
    for content_id in ("abc123", "b"):
        importer.adjust(5, content_id)
    importer.edit("TotalsTable", {"key": "boosted#video#abc123"}, **spoilt)
    importer.edit("TotalsTable", {"key": "boosted#video#abc123#2026-11-20"}, **spoilt)
    counted("ViewsReportsApiLogs")

    history = importer.send("history", wing="reports")
    ranking = importer.send("top", wing="reports")

    assert (history.status, ranking.status) == (200, 200)
    assert history.body["overall"]["organic"] == 5
    assert [each["boosted"] for each in ranking.body["items"]] == [0, 0]
    assert counted("ViewsReportsApiLogs") == 3


def test_a_boosted_total_that_cannot_be_read_is_a_difference_that_verify_finds(editor: Editor, counted: Any) -> None:
    campaign_id = editor.running(total_count=2500)
    editor.work(campaign_id, 1)
    editor.edit("TotalsTable", {"key": "boosted#video#abc123"}, views={"S": "many"})
    counted("BoostsApiLogs")

    assert not editor.send("boosts/api-verify", campaign_id).body["valid"]
    assert counted("BoostsApiLogs") >= 1


def test_views_are_adjusted_by_no_total_that_cannot_be_read(importer: Spoiler) -> None:
    importer.adjust(5)
    importer.edit("TotalsTable", {"key": "organic#video#abc123"}, views={"S": "many"})

    assert importer.adjust(3).status == 500


def test_an_import_whose_total_cannot_be_read_names_it_for_the_alarm_and_goes_on_when_it_is_corrected(
    importer: Spoiler, counted: Any
) -> None:
    rows = some_rows(3)
    import_id = importer.running(rows)
    spoilt = {"key": f"organic#video#{rows[1]['content_id']}"}
    importer.edit("TotalsTable", spoilt, views={"S": "many"})
    step = int(importer.item(import_id)["step"])
    counted("ViewsImportsWorkerLogs")

    is_done = importer.deliver(import_id, step)
    named = counted("ViewsImportsWorkerLogs")
    importer.edit("TotalsTable", spoilt, views={"N": "0"})
    importer.deliver(import_id, step)
    importer.work_off(import_id)

    assert (is_done, named) == (False, 1)
    assert importer.get(import_id)["applied"] == 3
