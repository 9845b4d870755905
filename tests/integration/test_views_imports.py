"""Imports of existing counts, on their event files: each content's count once, whatever crashes or comes twice."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from sluice import totals
from sluice.errors import Unavailable
from tests.account import Account
from tests.factories import NOON
from tests.integration.console import answer_lost_of_the_first, before_the_first
from tests.integration.harness import Functions, an_event
from tests.integration.imports_world import Importer, a_row, some_rows
from views.counts.reading import Count, Reader
from views.held import Part, Seen

OVERDUE = timedelta(seconds=11)


@pytest.fixture
def world(aws: Account, functions: Functions) -> Iterator[Importer]:
    with time_machine.travel(NOON, tick=False) as clock:
        yield Importer(aws, functions, clock)


# --- From rows to totals


def test_an_import_makes_counts_of_another_system_organic_ones(world: Importer) -> None:
    import_id = world.create("counts.csv")
    world.put(import_id, 1, [a_row("a", 5000), a_row("b", 0, "story")])
    world.put(import_id, 2, [a_row("c", 7)])

    world.execute(import_id)
    world.work_off(import_id)

    assert world.totals() == {"organic#video#a": 5000, "organic#story#b": 0, "organic#video#c": 7}
    shown = world.get(import_id)
    counts = ("status", "chunks", "rows", "applied", "skipped", "views")
    assert [shown[name] for name in counts] == ["completed", 2, 3, 3, 0, 5007]
    assert shown["started_at"] == shown["ended_at"] == "2026-11-20T12:00:00.000000Z"
    assert world.skipped(import_id) == []


def test_an_imported_total_knows_what_was_imported_and_how_it_is_ranked_and_is_in_no_daily_row(world: Importer) -> None:
    world.work_off(world.running([a_row("a", 5000)]))

    (total,) = world.aws.items("TotalsTable")
    assert total == {"key": "organic#video#a", "views": 5000, "imported": 5000, "ranked": "video"}
    assert not any(item["id"].startswith("content#") for item in world.aws.items("ViewsTable"))


def test_a_step_is_a_slice_of_a_chunk_and_every_row_is_applied_once(world: Importer) -> None:
    import_id = world.running(some_rows(120), some_rows(3, first=121))

    steps = []
    messages = [{"campaign_id": import_id, "step": world.item(import_id)["step"]}]
    while messages:
        world.deliver(import_id, int(messages[0]["step"]))
        steps.append(len(world.totals()))
        messages = world.waiting()

    assert steps == [50, 100, 120, 123]
    assert world.totals() == {f"organic#video#v{number}": 5 for number in range(1, 124)}
    assert world.get(import_id)["views"] == 5 * 123


def test_a_chunk_of_500_rows_is_ten_transactions(world: Importer) -> None:
    import_id = world.running(some_rows(500))
    first = int(world.item(import_id)["step"])

    world.work_off(import_id)

    assert world.item(import_id)["step"] - first == 10
    assert len(world.totals()) == 500


def test_views_that_were_counted_here_before_stay_and_later_ones_are_added(world: Importer) -> None:
    put_total(world, "organic#video#a", views=3, last_epoch=7)
    put_total(world, "boosted#video#a", views=100)

    world.work_off(world.running([a_row("a", 50)]))

    assert world.totals() == {"organic#video#a": 53, "boosted#video#a": 100}
    (organic,) = [item for item in world.aws.items("TotalsTable") if item["key"] == "organic#video#a"]
    assert organic["last_epoch"] == 7


def test_a_reader_sees_the_count_rise_by_what_was_imported_and_never_fall(world: Importer) -> None:
    """Views of an epoch that is half in the database are counted once before and after."""
    put_total(world, "organic#video#a", views=3, last_epoch=7)
    import_id = world.running([a_row("a", 50), a_row("b", 9)])
    shards = Shards(Seen(epoch=7, pending=2, parts=(Part(7, 3),)))
    reader = Reader(shards, totals.read_all, shard_count=1)

    before = reader.read([("video", "a"), ("video", "b")])
    world.work_off(import_id)
    after = reader.read([("video", "a"), ("video", "b")])

    assert before == {("video", "a"): Count(3, 2, 0), ("video", "b"): Count(0, 5, 0)}
    assert after == {("video", "a"): Count(53, 2, 0), ("video", "b"): Count(9, 5, 0)}


def test_an_import_while_a_reader_reads_is_seen_whole_or_not_at_all(world: Importer) -> None:
    import_id = world.running([a_row("a", 50)])
    step = int(world.item(import_id)["step"])
    reader = Reader(
        Shards(Seen(epoch=0, pending=2, parts=()), then=lambda: world.deliver(import_id, step)),
        totals.read_all,
        shard_count=1,
    )

    counts = reader.read([("video", "a")])

    assert counts == {("video", "a"): Count(50, 2, 0)}


# --- Once, whatever happens


def test_a_message_that_comes_twice_applies_its_rows_once(world: Importer) -> None:
    import_id = world.running(some_rows(60))
    step = int(world.item(import_id)["step"])

    world.deliver(import_id, step, "message-1")
    world.deliver(import_id, step, "message-2")

    assert sum(world.totals().values()) == 50 * 5
    assert world.waiting() == [{"campaign_id": import_id, "step": step + 1}]


def test_a_worker_that_died_between_its_commit_and_its_send_sends_when_its_message_comes_again(world: Importer) -> None:
    import_id = world.running(some_rows(60))
    step = int(world.item(import_id)["step"])
    with pytest.raises(KeyboardInterrupt), answer_lost_of_the_first("transact_write_items"):
        world.deliver(import_id, step, "message-1")

    lost = world.waiting()
    is_done = world.deliver(import_id, step, "message-1")

    assert (lost, is_done) == ([], True)
    assert world.waiting() == [{"campaign_id": import_id, "step": step + 1}]
    assert sum(world.totals().values()) == 50 * 5


def test_an_import_whose_message_was_lost_is_woken_by_the_sweeper(world: Importer) -> None:
    import_id = world.running(some_rows(2))
    world.clock.shift(OVERDUE)

    woken = world.sweep()["woken"]
    messages = world.waiting()
    world.work_off(import_id)

    assert woken == 1
    assert messages == [{"campaign_id": import_id, "step": world.item(import_id)["step"] - 1}]
    assert world.get(import_id)["status"] == "completed"
    assert world.sweep()["woken"] == 0


def test_a_step_forgets_the_sweeps_before_it(world: Importer) -> None:
    import_id = world.running(some_rows(60))
    world.clock.shift(OVERDUE)
    world.sweep()["woken"]
    swept = world.item(import_id)["sweeps"]

    world.deliver(import_id, int(world.item(import_id)["step"]))

    assert (swept, world.item(import_id)["sweeps"]) == (1, 0)


def test_a_step_that_raced_with_a_sweep_forgets_it_too(world: Importer) -> None:
    import_id = world.running(some_rows(60))
    step = int(world.item(import_id)["step"])
    world.clock.shift(OVERDUE)

    with before_the_first("transact_write_items", world.sweep):
        world.deliver(import_id, step)

    assert world.item(import_id)["sweeps"] == 0
    assert [message["step"] for message in world.waiting()] == [step, step + 1]


@pytest.mark.parametrize("broken", ["BoostsTable", "ViewsTable"])
def test_what_keeps_one_contexts_campaigns_asleep_keeps_no_others(world: Importer, broken: str) -> None:
    other = {"BoostsTable": "ViewsTable", "ViewsTable": "BoostsTable"}[broken]
    for table in (broken, other):
        put_campaign(world, table, "imp_01KAJ3W5V0SM0FKVYVXB9EQT6N", step={"S": "x"} if table == broken else {"N": "4"})
    world.clock.shift(OVERDUE)

    with pytest.raises(Unavailable, match="1 overdue campaigns could not be woken, 0 could"):
        world.sweep()["woken"]

    assert world.sweeps(other) == [1]


def test_an_import_that_stands_still_goes_on_when_it_is_executed_again(world: Importer) -> None:
    import_id = world.running(some_rows(2))

    answer = world.execute(import_id)

    assert (answer.status, answer.body["status"]) == (200, "running")
    assert world.waiting() == [{"campaign_id": import_id, "step": world.item(import_id)["step"]}]
    assert world.actions(import_id) == ["VIEWS_IMPORT_CREATED", "VIEWS_IMPORT_STARTED"]


def test_two_imports_of_one_content_apply_it_once_and_name_the_one_that_was_skipped(world: Importer) -> None:
    first = world.running([a_row("a", 50), a_row("b", 1)])
    second = world.running([a_row("c", 3), a_row("a", 70), a_row("d", 4)])

    world.work_off(first)
    world.work_off(second)

    assert world.totals() == {"organic#video#a": 50, "organic#video#b": 1, "organic#video#c": 3, "organic#video#d": 4}
    shown = world.get(second)
    assert [shown[name] for name in ("status", "applied", "skipped", "views")] == ["completed", 2, 1, 7]
    assert world.skipped(second) == [(2, "a", "already_imported")]


def test_a_content_whose_count_was_zero_is_imported_once_too(world: Importer) -> None:
    world.work_off(world.running([a_row("a", 0)]))

    second = world.running([a_row("a", 70)])
    world.work_off(second)

    assert world.totals() == {"organic#video#a": 0}
    assert world.skipped(second) == [(1, "a", "already_imported")]


def test_a_content_that_comes_twice_in_one_import_is_applied_the_first_time(world: Importer) -> None:
    import_id = world.running([a_row("a", 50)], [a_row("b", 1), a_row("a", 70)])

    world.work_off(import_id)

    assert world.totals() == {"organic#video#a": 50, "organic#video#b": 1}
    assert world.skipped(import_id) == [(3, "a", "already_imported")]


def test_an_import_that_takes_a_content_between_the_read_and_the_commit_of_another_is_not_applied_twice(
    world: Importer,
) -> None:
    first, second = world.running([a_row("a", 50)]), world.running([a_row("a", 70), a_row("b", 1)])
    steps = [int(world.item(each)["step"]) for each in (first, second)]

    with before_the_first("transact_write_items", lambda: world.deliver(first, steps[0])):
        world.deliver(second, steps[1])

    assert world.totals() == {"organic#video#a": 50, "organic#video#b": 1}
    assert world.skipped(second) == [(1, "a", "already_imported")]
    assert {world.get(each)["status"] for each in (first, second)} == {"completed"}


def test_the_skipped_rows_are_listed_in_pages(world: Importer) -> None:
    world.work_off(world.running(some_rows(5)))
    import_id = world.running(some_rows(5))
    world.work_off(import_id)
    path = (("imp_01KAJ3W5V0SM0FKVYVXB9EQT6N", import_id),)

    first = world.send("skipped", *path, query={"limit": "3"})
    second = world.send("skipped", *path, query={"limit": "3", "cursor": first.body["next_cursor"]})

    numbers = [[each["number"] for each in answer.body["items"]] for answer in (first, second)]
    assert numbers == [[1, 2, 3], [4, 5]]
    assert second.body["next_cursor"] is None
    assert first.body["items"][0] == {
        "number": 1,
        "content_type": "video",
        "content_id": "v1",
        "count": 5,
        "reason": "already_imported",
    }


@pytest.mark.parametrize("body", ["nonsense", '{"campaign_id": "imp_1"}'])
def test_a_poison_message_is_reported_so_that_it_reaches_the_dead_letters(world: Importer, body: str) -> None:

    event = an_event("views/imports/worker-steps")
    event["Records"][0]["body"] = body

    failed = world.invoke("views/imports/worker-steps", event)["batchItemFailures"]

    assert failed == [{"itemIdentifier": event["Records"][0]["messageId"]}]


def test_an_import_whose_chunk_is_gone_fails_and_keeps_what_it_applied(world: Importer) -> None:
    import_id = world.running(some_rows(51), [a_row("late")])
    world.deliver(import_id, int(world.item(import_id)["step"]))
    key = {"id": {"S": import_id}, "part": {"S": "rows#000001"}}
    world.aws.client("dynamodb").delete_item(TableName=world.aws.ref("ViewsTable"), Key=key)

    is_done = world.deliver(import_id, int(world.item(import_id)["step"]))

    assert is_done
    failed = world.get(import_id)
    assert (failed["status"], failed["failure_reason"]) == ("failed", "rows/1 of 2 is gone")
    assert failed["applied"] == len(world.totals()) == 50
    assert world.actions(import_id)[-1] == "VIEWS_IMPORT_FAILED"
    assert world.events().count("ViewsImportFailed") == 1
    assert world.verified(import_id)["valid"]


def test_an_import_that_takes_too_many_steps_fails(world: Importer) -> None:
    import_id = world.running(some_rows(51))
    most = int(world.item(import_id)["max_steps"])
    change_item(world, import_id, steps_done={"N": str(most - 2)})

    first = world.deliver(import_id, int(world.item(import_id)["step"]))
    second = world.deliver(import_id, int(world.item(import_id)["step"]))

    assert first
    assert second
    failed = world.get(import_id)
    assert (failed["status"], failed["failure_reason"]) == ("failed", f"not done after {most} steps")
    assert failed["ended_at"] is not None
    assert failed["applied"] == 50


def test_an_import_may_take_twice_its_slices_four_steps_for_its_day_and_a_hundred(world: Importer) -> None:
    import_id = world.running(some_rows(500), [a_row("late")])

    assert world.item(import_id)["max_steps"] == 2 * (500 // 50 + 2) + 4 + 100


def test_an_import_that_was_started_before_there_was_a_limit_gets_one_and_goes_on(world: Importer) -> None:
    import_id = world.running(some_rows(51))
    change_item(world, import_id, steps_done=None, max_steps=None, request=None, failure_reason=None)

    world.work_off(import_id)

    assert world.get(import_id)["status"] == "completed"
    assert world.item(import_id)["steps_done"] == 2
    assert world.item(import_id)["max_steps"] == 2 * (51 // 50 + 1) + 4 + 100


def test_an_import_that_has_failed_is_not_started_again_and_its_rows_can_be_imported_anew(world: Importer) -> None:
    import_id = world.running(some_rows(51))
    change_item(world, import_id, steps_done={"N": "1000"})
    world.deliver(import_id, int(world.item(import_id)["step"]))

    refused = world.execute(import_id)
    again = world.running(some_rows(51))
    world.work_off(again)

    assert (refused.status, refused.body["code"]) == (409, "import_has_failed")
    assert world.get(again)["applied"] == 51


# --- The stop


def test_while_the_platform_is_stopped_no_slice_commits_and_afterwards_the_import_goes_on(world: Importer) -> None:
    import_id = world.running(some_rows(2))
    step = int(world.item(import_id)["step"])
    world.turn("stop")

    world.deliver(import_id, step)
    stopped, put_back = world.totals(), world.waiting()
    world.clock.shift(OVERDUE)
    swept = world.sweep()["woken"]
    world.turn("resume")
    world.work_off(import_id)

    assert (stopped, put_back, swept) == ({}, [{"campaign_id": import_id, "step": step}], 0)
    assert len(world.totals()) == 2


def test_a_slice_that_was_computed_before_the_stop_cannot_commit_after_it(world: Importer) -> None:
    import_id = world.running(some_rows(2))
    step = int(world.item(import_id)["step"])

    with before_the_first("transact_write_items", lambda: world.turn("stop")):
        world.deliver(import_id, step)

    assert world.totals() == {}
    assert world.get(import_id)["applied"] == 0


# --- The commands


def test_a_create_is_answered_with_the_import_that_waits(world: Importer) -> None:
    answer = world.send("create", body={"name": "counts.csv"})

    assert answer.status == 201
    assert answer.body.pop("id").startswith("imp_")
    assert answer.body == {
        "name": "counts.csv",
        "status": "pending",
        "chunks": 0,
        "rows": 0,
        "applied": 0,
        "skipped": 0,
        "views": 0,
        "created_at": "2026-11-20T12:00:00.000000Z",
        "created_by": "ada",
        "started_at": None,
        "ended_at": None,
        "failure_reason": None,
    }


def test_a_create_with_the_same_key_is_answered_the_same_and_creates_nothing(world: Importer) -> None:
    first = world.send("create", body={"name": "a"}, key="one")

    repeat = world.send("create", body={"name": "a"}, key="one")
    other = world.send("create", body={"name": "b"}, key="one")

    assert (repeat.status, repeat.body) == (201, first.body)
    assert repeat.headers["Idempotency-Replayed"] == "true"
    assert other.refusal[:2] == (409, "idempotency_key_reused")
    assert len(world.send("list").body["items"]) == 1


def test_two_creates_at_once_with_one_key_create_one_import(world: Importer) -> None:
    others: list[Any] = []

    with before_the_first(
        "transact_write_items", lambda: others.append(world.send("create", body={"name": "a"}, key="one"))
    ):
        answer = world.send("create", body={"name": "a"}, key="one")

    assert answer.body == others[0].body
    assert len(world.send("list").body["items"]) == 1


def test_a_chunk_that_is_put_again_replaces_the_one_before(world: Importer) -> None:
    import_id = world.create()
    world.put(import_id, 1, some_rows(3))
    world.put(import_id, 2, some_rows(2, first=10))

    answer = world.put(import_id, 1, [a_row("other", 7)])
    world.execute(import_id)
    world.work_off(import_id)

    assert (answer.body["chunks"], answer.body["rows"]) == (2, 3)
    assert world.totals() == {"organic#video#other": 7, "organic#video#v10": 5, "organic#video#v11": 5}


def test_the_same_chunk_again_changes_nothing_whatever_the_import_does(world: Importer) -> None:
    import_id = world.create()
    world.put(import_id, 1, some_rows(3))
    pending = world.item(import_id)

    before = world.put(import_id, 1, some_rows(3))
    unchanged = world.item(import_id)
    world.execute(import_id)
    running = world.put(import_id, 1, some_rows(3))
    world.work_off(import_id)
    done = world.put(import_id, 1, some_rows(3))

    assert [answer.status for answer in (before, running, done)] == [200, 200, 200]
    assert unchanged == pending
    assert world.get(import_id)["rows"] == 3


def test_a_late_retry_of_a_chunk_puts_back_nothing(world: Importer) -> None:
    import_id = world.create()
    first = world.put(import_id, 1, some_rows(3), key="one")
    world.put(import_id, 1, some_rows(5), key="two")

    again = world.put(import_id, 1, some_rows(3), key="one")

    assert (again.status, again.body, again.headers["Idempotency-Replayed"]) == (200, first.body, "true")
    assert world.get(import_id)["rows"] == 5


def test_a_chunk_that_was_there_already_keeps_its_answer_too(world: Importer) -> None:
    import_id = world.create()
    world.put(import_id, 1, some_rows(3))
    same = world.put(import_id, 1, some_rows(3), key="one")
    world.put(import_id, 1, some_rows(5))

    again = world.put(import_id, 1, some_rows(3), key="one")

    assert (again.status, again.body) == (200, same.body)
    assert world.get(import_id)["rows"] == 5


def test_a_late_retry_of_execute_is_answered_as_the_first_was_and_wakes_the_step(world: Importer) -> None:
    import_id = world.create()
    world.put(import_id, 1, some_rows(3))
    first = world.execute(import_id, key="one")
    world.steps("ViewsImportsQueue")

    again = world.execute(import_id, key="one")

    assert (again.status, again.body) == (200, first.body)
    assert [each["campaign_id"] for each in world.steps("ViewsImportsQueue")] == [import_id]


@pytest.mark.parametrize("number", [1, 2])
def test_rows_of_an_import_that_was_started_do_not_change(world: Importer, number: int) -> None:
    import_id = world.running(some_rows(3))

    answer = world.put(import_id, number, some_rows(4))

    message = "The import was started: its rows can no longer be changed"
    assert answer.refusal == (409, "import_was_started", message)
    world.work_off(import_id)
    assert len(world.totals()) == 3


def test_a_chunk_that_is_put_while_the_import_is_started_is_refused(world: Importer) -> None:
    import_id = world.create()
    world.put(import_id, 1, some_rows(1))

    with before_the_first("transact_write_items", lambda: world.execute(import_id)):
        answer = world.put(import_id, 2, some_rows(1, first=2))

    assert answer.refusal[:2] == (409, "import_was_started")
    assert world.get(import_id)["rows"] == 1


def test_rows_that_are_put_at_once_are_counted_once(world: Importer) -> None:
    import_id = world.create()
    world.put(import_id, 1, some_rows(5))

    with before_the_first("transact_write_items", lambda: world.put(import_id, 1, some_rows(1))):
        answer = world.put(import_id, 2, some_rows(3, first=10))

    assert (answer.body["chunks"], answer.body["rows"]) == (2, 4)
    world.execute(import_id)
    world.work_off(import_id)
    assert len(world.totals()) == 4


def test_a_chunk_whose_predecessor_is_missing_is_refused(world: Importer) -> None:
    import_id = world.create()
    world.put(import_id, 1, some_rows(1))

    answer = world.put(import_id, 3, some_rows(1))

    message = "Put the chunks in order: the next one is rows/2"
    assert answer.refusal == (409, "import_chunk_missing", message)


def test_an_import_without_rows_is_not_started(world: Importer) -> None:
    answer = world.execute(world.create())

    assert answer.refusal == (409, "import_has_no_rows", "The import has no rows: put rows/1 first")


def test_an_import_that_is_done_is_not_started_again(world: Importer) -> None:
    import_id = world.running(some_rows(1))
    world.work_off(import_id)

    answer = world.execute(import_id)

    message = "The import is completed: a content's count is imported once"
    assert answer.refusal == (409, "import_is_completed", message)


@pytest.mark.parametrize("import_id", ["imp_01KAJ3W5V0SM0FKVYVXB9EQT6N", "bst_01KAJ3W5V0SM0FKVYVXB9EQT6N", "imports"])
def test_an_import_that_is_not_there_is_not_found(world: Importer, import_id: str) -> None:
    path = (("imp_01KAJ3W5V0SM0FKVYVXB9EQT6N", import_id),)

    answers = [world.send(file, *path) for file in ("get", "put", "execute", "skipped")]

    assert {answer.refusal for answer in answers} == {(404, "import_not_found", "Import not found")}


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"content_type": "film"}, ["rows.1.content_type"]),
        ({"content_id": "a b"}, ["rows.1.content_id"]),
        ({"content_id": 5}, ["rows.1.content_id"]),
        ({"content_id": "v1"}, ["rows.1"]),
        ({"count": -1}, ["rows.1.count"]),
        ({"count": 10**12 + 1}, ["rows.1.count"]),
        ({"count": 1.5}, ["rows.1.count"]),
        ({"count": "5"}, ["rows.1.count"]),
        ({"count": True}, ["rows.1.count"]),
        ({"count": None}, ["rows.1.count"]),
        ({"views": 5}, ["rows.1.views"]),
        ({"content_type": "film", "content_id": ""}, ["rows.1.content_type"]),
    ],
)
def test_a_bad_row_is_named_and_nothing_is_put(world: Importer, change: dict[str, Any], fields: list[str]) -> None:
    import_id = world.create()

    answer = world.put(import_id, 1, [a_row("v1"), a_row("v2") | change])

    assert (answer.status, answer.fields) == (400, fields)
    assert world.get(import_id)["rows"] == 0


def test_every_bad_row_of_a_chunk_is_named(world: Importer) -> None:
    rows = [a_row("v1"), a_row("a b"), a_row("v1"), a_row("v3", content_type="film")]

    answer = world.put(world.create(), 1, rows)

    assert answer.fields == ["rows.1.content_id", "rows.2", "rows.3.content_type"]
    assert "rows.2: The same content as rows.0" in answer.body["message"]


@pytest.mark.parametrize(("rows", "field"), [([], "rows"), (some_rows(501), "rows"), (None, "rows"), ("x", "rows")])
def test_a_chunk_has_1_to_500_rows(world: Importer, rows: Any, field: str) -> None:
    answer = world.put(world.create(), 1, rows)

    assert (answer.status, answer.fields) == (400, [field])


def test_counts_up_to_a_million_million_are_taken(world: Importer) -> None:
    world.work_off(world.running([a_row("a", 10**12)]))

    assert world.totals() == {"organic#video#a": 10**12}


@pytest.mark.parametrize("number", ["0", "-1", "1000000", "one"])
def test_a_chunk_number_is_1_to_999999(world: Importer, number: str) -> None:
    answer = world.put(world.create(), number, some_rows(1))

    assert (answer.status, answer.fields) == (400, ["number"])


@pytest.mark.parametrize(
    ("body", "field"),
    [({}, "name"), ({"name": ""}, "name"), ({"name": "x" * 201}, "name"), ({"name": "a", "rows": []}, "rows")],
)
def test_a_bad_create_is_named(world: Importer, body: Any, field: str) -> None:
    answer = world.send("create", body=body)

    assert (answer.status, answer.fields) == (400, [field])


def test_imports_are_listed_newest_first_in_pages(world: Importer) -> None:
    ids = []
    for number in range(3):
        ids.append(world.create(f"file {number}"))
        world.clock.shift(1)

    first = world.send("list", query={"limit": "2"})
    second = world.send("list", query={"limit": "2", "cursor": first.body["next_cursor"]})

    shown = [each["id"] for answer in (first, second) for each in answer.body["items"]]
    assert shown == ids[::-1]
    assert second.body["next_cursor"] is None


@pytest.mark.parametrize(("wing", "file"), [("imports", "list"), ("imports", "skipped"), ("adjustments", "list")])
def test_a_cursor_of_another_kind_is_refused(world: Importer, wing: str, file: str) -> None:
    path = (("imp_01KAJ3W5V0SM0FKVYVXB9EQT6N", world.create()),)

    answers = [
        world.send(file, *path, wing=wing, query={"cursor": cursor}) for cursor in ("nonsense", "eyJpZCI6ICJ4In0")
    ]

    assert [(answer.status, answer.fields) for answer in answers] == [(400, ["cursor"])] * 2


@pytest.mark.parametrize(
    ("wing", "file"), [("imports", "create"), ("imports", "put"), ("imports", "execute"), ("adjustments", "adjust")]
)
def test_changing_needs_an_admin(world: Importer, wing: str, file: str) -> None:
    assert world.send(file, wing=wing, role="operator").refusal[:2] == (403, "forbidden")


@pytest.mark.parametrize(
    ("wing", "file"), [("imports", "list"), ("imports", "get"), ("imports", "skipped"), ("adjustments", "list")]
)
def test_reading_needs_an_operator(world: Importer, wing: str, file: str) -> None:
    assert world.send(file, wing=wing, role="service").refusal[:2] == (403, "forbidden")
    assert world.send(file, wing=wing, role="operator").status in (200, 404)


# --- What is left behind


def test_every_change_of_an_import_is_audited_and_told(world: Importer) -> None:
    import_id = world.running([a_row("a", 50)], [a_row("a", 70)])
    world.work_off(import_id)

    actions = ["VIEWS_IMPORT_CREATED", "VIEWS_IMPORT_STARTED", "VIEWS_IMPORT_COMPLETED"]
    assert world.actions(import_id) == actions
    assert sorted(world.events()) == ["ViewsImportCompleted", "ViewsImportCreated", "ViewsImportStarted"]
    assert world.verified(import_id) == {
        "entity": import_id,
        "valid": True,
        "entries": 3,
        "problem": None,
        "rolled_back": [],
    }
    (told,) = [item["data"] for item in world.aws.items("OutboxTable") if item["name"] == "ViewsImportCompleted"]
    expected = {"import_id": import_id, "name": "counts.csv", "status": "completed"}

    assert json.loads(told) == expected | {"rows": 2, "applied": 1, "skipped": 1, "views": 50}


# --- What the tests above are made of


class Shards:
    """One shard, which holds the same of every content."""

    def __init__(self, seen: Seen, then: Any = None) -> None:
        self._seen = seen
        self._then = then

    def read(self, shards: Any, contents: Any) -> list[list[Seen]]:
        seen = [[self._seen for _ in contents] for _ in shards]
        if self._then:
            self._then()
        return seen


def put_campaign(world: Importer, table: str, campaign_id: str, step: dict[str, str]) -> None:
    """A running campaign whose step is due now."""
    item = {
        "id": {"S": campaign_id},
        "part": {"S": "campaign"},
        "status": {"S": "running"},
        "wake_at": {"S": "2026-11-20T12:00:00.000000+0000"},
        "sweeps": {"N": "0"},
    }
    world.aws.client("dynamodb").put_item(TableName=world.aws.ref(table), Item=item | {"step": step})


def change_item(world: Importer, import_id: str, **values: dict[str, str] | None) -> None:
    """Changes attributes of an import's item by hand; None takes one away."""
    table = world.aws.ref("ViewsTable")
    client, key = world.aws.client("dynamodb"), {"id": {"S": import_id}, "part": {"S": "campaign"}}
    item = client.get_item(TableName=table, Key=key)["Item"] | values
    client.put_item(TableName=table, Item={name: value for name, value in item.items() if value is not None})


def put_total(world: Importer, key: str, **numbers: int) -> None:
    item = {name: {"N": str(value)} for name, value in numbers.items()}
    world.aws.client("dynamodb").put_item(TableName=world.aws.ref("TotalsTable"), Item={"key": {"S": key}} | item)
