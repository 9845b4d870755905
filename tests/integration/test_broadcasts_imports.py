"""Recipients of campaigns, from requests and from files: each person once, each wrong row named, no row lost."""

import base64
import json
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any
from unittest.mock import patch

import pytest
import time_machine
from botocore.exceptions import ReadTimeoutError

from broadcasts import campaign as broadcasts
from broadcasts.bucket import ListBucket
from broadcasts.campaign import BroadcastStatus
from broadcasts.checks_queue import ChecksQueue
from broadcasts.given import GivenLists
from broadcasts.import_schemas import ListImportResource, NewListImport, NewListImportForm
from broadcasts.import_store import ImportStore
from broadcasts.importing import ListImportStatus, Tally
from broadcasts.recipients import Recipient
from broadcasts.row import Counts
from broadcasts.secret import ContactsSecret
from broadcasts.store import BroadcastStore
from sluice.clock import SystemClock
from sluice.errors import Conflicting, Invalid, NotFound, Unavailable, Unreadable
from sluice.requests import Answer
from tests.account import Account
from tests.factories import NOON
from tests.integration.broadcasts_imports_world import ANA, EVA, OWNER, RUI, Importer
from tests.integration.harness import Functions

EXAMPLE, IMPORT = "brd_01KAJ3W5V0SM0FKVYVXB9EQT6N", "imp_01KAJ3W5V0SM0FKVYVXB9EQT6N"
MINUTES_90 = timedelta(seconds=5400)


@pytest.fixture
def world(aws: Account, functions: Functions) -> Iterator[Importer]:
    with time_machine.travel(NOON, tick=False) as clock:
        yield Importer(aws, functions, clock)


@pytest.fixture
def lists(world: Importer) -> GivenLists:
    return GivenLists(world.bucket, ContactsSecret(world.variables["CONTACTS_SECRET_ARN"]), SystemClock())


def phones_of(number: int) -> list[str]:
    return [str(5511900000000 + each) for each in range(number)]


# --- Lists in requests


def test_the_rows_of_a_request_lie_in_objects_of_2000(world: Importer, lists: GivenLists) -> None:
    found = lists.clean(OWNER, [Recipient(each, {"name": f"N{each}"}) for each in phones_of(4001)], None)

    accepted = lists.accept(world.campaign_id, found)

    before = world.campaign
    world.put(**vars(broadcasts.listed(before, accepted.source, accepted.lanes, NOON)) | {"step": before.step + 1})
    assert accepted.source.startswith(f"lists/{world.campaign_id}/")
    assert [len(world.bucket.rows(world.campaign, number)) for number in range(3)] == [2000, 2000, 1]
    assert world.phones() == phones_of(4001)
    assert [row.key.number for row in world.rows()] == list(range(4001))
    assert world.rows()[7].variables == {"name": "N5511900000007"}
    assert (accepted.accepted, accepted.duplicates) == (4001, 0)


def test_a_person_of_a_request_who_is_there_twice_is_named_with_the_first_line(lists: GivenLists) -> None:
    found = lists.clean(OWNER, [Recipient(ANA), Recipient(RUI), Recipient("551187654321"), Recipient(ANA)], None)

    assert [row.phone for row in found.rows] == [ANA, RUI]
    assert [(each.line, each.of_line) for each in found.duplicates] == [(3, 1), (4, 1)]


def test_what_is_wrong_in_a_request_is_named_by_row_and_field(lists: GivenLists) -> None:
    """S5-6, S5-43."""
    given = [Recipient(ANA), Recipient("+55 11 91234"), Recipient(RUI, {"Name": "x"}), Recipient(EVA, {}, "Mars")]

    with pytest.raises(Invalid) as refused:
        lists.clean(OWNER, given, None)

    assert [each.field for each in refused.value.errors] == [
        "recipients.1.phone",
        "recipients.2.variables",
        "recipients.3.time_zone",
    ]


@pytest.mark.parametrize(("number", "code"), [(0, "no_recipients"), (10_001, "too_many_recipients")])
def test_a_request_has_1_to_10000_recipients(lists: GivenLists, number: int, code: str) -> None:
    """S5-6, S5-43."""
    with pytest.raises(Invalid) as refused:
        lists.clean(OWNER, [Recipient(ANA)] * number, None)

    assert refused.value.code == code


def test_two_lists_of_a_campaign_never_mix(world: Importer, lists: GivenLists) -> None:
    found = lists.clean(OWNER, [Recipient(ANA)], None)

    sources = {lists.accept(world.campaign_id, found).source for _ in range(2)}

    assert len(sources) == 2


def test_an_object_of_rows_that_is_gone_or_broken_is_said_to_be_unreadable(world: Importer) -> None:
    world.put(source="lists/x/y", generation=1)

    with pytest.raises(Unreadable, match="not in the bucket"):
        world.bucket.rows(world.campaign, 0)
    world.s3.put_object(Bucket=world.bucket.bucket, Key="lists/x/y/00000", Body=b'{"line": 1}')
    with pytest.raises(Unreadable, match="cannot be read"):
        world.bucket.rows(world.campaign, 0)


# --- From a file to a list


def test_a_file_becomes_the_list_of_its_campaign(world: Importer) -> None:
    """S5-47."""
    text = f"phone,name,timezone\n{ANA},Ana,\n{RUI},Rui,America/Manaus\n{EVA},,\n"

    standing = world.imported(text)

    campaign = world.campaign
    assert standing.status is ListImportStatus.IMPORTING
    assert standing.importing.tally == Tally(rows=3, accepted=3)
    assert [(row.phone, row.line, row.key.lane, row.key.number) for row in world.rows()] == [
        (ANA, 2, 0, 0),
        (RUI, 3, 1, 0),
        (EVA, 4, 1, 1),
    ]
    assert (campaign.generation, campaign.accepted, campaign.laid) == (1, 3, 0)
    assert campaign.counted == Counts(pending=3)
    assert campaign.status is BroadcastStatus.IMPORTING
    assert world.steps_sent() == [{"campaign_id": campaign.id, "step": campaign.step}]
    assert world.actions(campaign.id) == ["BROADCAST_CREATED", "BROADCAST_EDITED"]
    assert json.loads(world.entries(campaign.id)[1]["after"])["import"] == standing.importing.id


def test_the_chain_lays_the_rows_of_a_file_down_and_of_the_list_before_none_stays(world: Importer) -> None:
    world.imported("phone\n" + "\n".join(phones_of(150)))
    world.work_off()

    import_id = world.imported(f"phone,name\n{ANA},Ana\n{RUI},Rui\n").importing.id
    world.work_off()

    rows = [item for item in world.aws.items("MessagesTable") if item["id"].startswith(f"{world.campaign_id}#")]
    assert sorted((item["id"].split("#")[1], item["phone"]) for item in rows) == [("g2", RUI), ("g2", ANA)]
    assert world.campaign.status is BroadcastStatus.DRAFT
    assert world.find(import_id).status is ListImportStatus.DONE


def test_a_list_that_comes_while_the_one_before_is_laid_down_leaves_no_row_of_that(world: Importer) -> None:
    world.imported("phone\n" + "\n".join(phones_of(150)))
    import_id = world.uploaded(f"phone\n{ANA}\n")
    commit, ran = BroadcastStore.commit, []

    def after_another(store: BroadcastStore, *given: Any) -> Any:
        if not ran:
            ran.append(True)
            assert world.check(import_id)
        return commit(store, *given)

    with patch.object(BroadcastStore, "commit", after_another):
        world.work_off()

    rows = [item for item in world.aws.items("MessagesTable") if item["id"].startswith(f"{world.campaign_id}#")]
    assert [(item["id"].split("#")[1], item["phone"]) for item in rows] == [("g2", ANA)]


def test_a_file_of_a_spreadsheet_is_reported_row_by_row(world: Importer) -> None:
    """agent-crm#84, whatomate#285: rows were dropped silently."""
    text = (
        "\ufeffphone;name\r\n"
        f'+55 (11) 98765-4321;"Ana\r\nMaria"\r\n'
        "5,51191E+12;Rui\r\n"
        "\r\n"
        "551187654321;Ana again\r\n"
        f"{RUI};Rui\r\n"
    )

    standing = world.imported(text)

    tally = standing.importing.tally
    assert (tally.rows, tally.accepted, tally.rejected, tally.duplicates) == (4, 2, 1, 1)
    assert world.phones() == [ANA, RUI]
    assert [(each["line"], each["code"]) for each in world.errors(standing.importing.id)] == [
        ("4", "phone_notation"),
        ("6", "duplicate"),
    ]


def test_the_report_has_the_first_errors_warnings_and_texts_and_the_file_has_all(world: Importer) -> None:
    phones = [*phones_of(60), *["1"] * 150, *[f"9999999{each:04}" for each in range(120)]]

    standing = world.imported("phone\n" + "\n".join(phones))

    report = standing.report
    assert report
    assert (len(report["errors"]), len(report["warnings"]), len(report["rendered"])) == (100, 100, 50)
    assert report["rendered"][0] == {"line": 2, "text": "Hello friend"}
    assert report["errors"][0]["line"] == 62
    assert len(world.errors(standing.importing.id)) == 150
    assert standing.importing.tally.warnings == 120
    assert standing.errors_url
    assert "errors.csv" in standing.errors_url


def test_a_row_that_the_campaigns_text_cannot_be_made_for_is_rejected(world: Importer) -> None:
    world.campaign_id = world.a_draft("Hello {{name}}")

    standing = world.imported(f"phone,name\n{ANA},Ana\n{RUI},\n{EVA},{'x' * 2000}\n")

    assert world.phones() == [ANA, EVA]
    assert [(each["line"], each["field"]) for each in world.errors(standing.importing.id)] == [("3", "variables.name")]


def test_an_import_replaces_the_list_before(world: Importer) -> None:
    world.imported(f"phone\n{ANA}\n{RUI}\n")
    first = world.campaign

    world.imported(f"phone\n{EVA}\n")

    assert world.phones() == [EVA]
    assert world.campaign.generation == first.generation + 1
    assert world.campaign.counted == Counts(pending=1)


def test_a_check_that_comes_twice_changes_nothing(world: Importer) -> None:
    standing = world.imported(f"phone\n{ANA}\n")
    campaign = world.campaign

    assert world.check(standing.importing.id)

    assert world.campaign == campaign
    assert world.find(standing.importing.id) == standing


def test_a_check_beside_another_neither_mixes_with_it_nor_commits_twice(world: Importer) -> None:
    import_id = world.uploaded(f"phone,name\n{ANA},Ana\n{RUI},Rui\n")
    commit, ran = ImportStore.commit, []

    def after_another(store: ImportStore, *given: Any) -> Any:
        if not ran:
            ran.append(True)
            assert world.check(import_id)
        return commit(store, *given)

    with patch.object(ImportStore, "commit", after_another):
        assert world.check(import_id)

    assert world.campaign.generation == 1
    assert world.phones() == [ANA, RUI]
    assert world.find(import_id).status is ListImportStatus.IMPORTING


def test_a_check_that_fails_beside_one_that_gave_the_rows_takes_nothing_back(world: Importer) -> None:
    import_id = world.uploaded(f"phone\n{ANA}\n")
    part, ran = ListBucket.part, []

    def after_another(*given: Any) -> Any:
        if not ran:
            ran.append(True)
            assert world.check(import_id)
            world.upload(import_id, f"phone\n{EVA}\n")
        return part(*given)

    with patch.object(ListBucket, "part", after_another):
        assert world.check(import_id)

    assert world.find(import_id).status is ListImportStatus.IMPORTING
    assert world.phones() == [ANA]


def test_a_text_that_is_edited_during_the_check_judges_the_rows(world: Importer) -> None:
    import_id = world.uploaded(f"phone,name\n{ANA},Ana\n{RUI},\n")
    commit, edited = ImportStore.commit, []

    def after_an_edit(store: ImportStore, *given: Any) -> Any:
        if not edited:
            edited.append(True)
            world.edit("Hello {{name}}")
        return commit(store, *given)

    with patch.object(ImportStore, "commit", after_an_edit):
        assert world.check(import_id)

    assert world.phones() == [ANA]
    assert world.find(import_id).importing.tally == Tally(rows=2, accepted=1, rejected=1)


def test_the_rows_are_read_on_when_the_connection_breaks(world: Importer) -> None:
    world.functions.environment["MAX_RECIPIENTS"] = "20000"
    import_id = world.uploaded("phone\n" + "\n".join(phones_of(20_000)))
    part, opened = ListBucket.part, []

    class Breaking:
        def __init__(self, body: Any) -> None:
            self.body, self.reads = body, 0

        def read(self, most: int) -> bytes:
            self.reads += 1
            if self.reads > 1:
                raise ReadTimeoutError(endpoint_url="https://s3")
            return bytes(self.body.read(most))

    def breaking(*given: Any) -> Any:
        opened.append(given[-1])
        return Breaking(part(*given)) if len(opened) < 4 else part(*given)

    with patch.object(ListBucket, "part", breaking):
        assert world.check(import_id)

    assert len(opened) == 4
    assert opened == sorted(set(opened))
    assert world.phones() == phones_of(20_000)


# --- What fails


@pytest.mark.parametrize(
    ("text", "options", "code"),
    [
        ("phone\n1\n", {}, "nothing_accepted"),
        ("number\n1\n", {}, "column_missing"),
        ("\n", {}, "file_empty"),
        ("phone\n" + "\n".join(["1"] * 10_001), {}, "too_many_rows"),
    ],
)
def test_a_file_that_is_refused_leaves_the_list_as_it_is(
    world: Importer, text: str, options: dict[str, Any], code: str
) -> None:
    world.imported(f"phone\n{ANA}\n")
    before = world.campaign

    standing = world.imported(text, **options)

    assert (standing.status, standing.importing.code) == (ListImportStatus.FAILED, code)
    assert standing.importing.reason
    assert world.campaign == before


def test_as_many_rows_as_allowed_are_read(world: Importer) -> None:
    standing = world.imported("phone\n" + "\n".join(phones_of(10_000)))

    assert standing.importing.tally.accepted == 10_000


def test_a_file_that_was_uploaded_again_after_the_start_is_not_read(world: Importer) -> None:
    import_id = world.uploaded(f"phone\n{ANA}\n")
    world.upload(import_id, f"phone\n{EVA}\n")

    assert world.check(import_id)

    assert world.find(import_id).importing.code == "file_changed"
    assert world.campaign.accepted == 0


@pytest.mark.parametrize(
    "status", [BroadcastStatus.COMPLETED, BroadcastStatus.PAUSED, BroadcastStatus.FAILED, BroadcastStatus.CANCELLING]
)
def test_a_campaign_that_is_no_draft_any_more_takes_no_list(world: Importer, status: BroadcastStatus) -> None:
    """S5-15."""
    import_id = world.uploaded(f"phone\n{ANA}\n")
    world.put(status=status)

    assert world.check(import_id)

    assert world.find(import_id).importing.code == "not_editable"
    assert world.campaign.accepted == 0
    with pytest.raises(Conflicting, match="draft or scheduled"):
        world.begin()


def test_a_campaign_that_runs_and_claims_takes_no_list(world: Importer) -> None:
    import_id = world.uploaded(f"phone\n{ANA}\n")
    world.runs(accepted=1)

    assert world.check(import_id)

    assert world.find(import_id).importing.code == "not_editable"
    assert world.campaign.status is BroadcastStatus.RUNNING


def test_a_campaign_that_waits_for_its_import_gets_the_rows_and_runs_on(world: Importer) -> None:
    import_id = world.uploaded(f"phone\n{ANA}\n")
    world.runs()

    assert world.check(import_id)

    assert world.campaign.status is BroadcastStatus.RUNNING
    assert world.phones() == [ANA]


def test_a_campaign_that_waits_fails_with_its_import(world: Importer) -> None:
    import_id = world.uploaded("phone\n1\n")
    world.runs()

    assert world.check(import_id)

    campaign = world.campaign
    assert (campaign.status, campaign.failure_reason) == (BroadcastStatus.FAILED, "IMPORT_FAILED")
    assert world.find(import_id).status is ListImportStatus.FAILED
    assert world.actions(campaign.id)[-1] == "BROADCAST_FAILED"


def test_a_campaign_that_is_deleted_takes_its_import_with_it(world: Importer) -> None:
    import_id = world.uploaded(f"phone\n{ANA}\n")
    world.commit(broadcasts.delete(world.campaign, NOON))

    assert world.check(import_id)

    assert world.find(import_id).importing.code == "campaign_not_found"


def test_a_database_that_is_away_leaves_the_message_on_the_queue(world: Importer) -> None:
    import_id = world.uploaded(f"phone\n{ANA}\n")

    with patch.object(ImportStore, "commit", side_effect=Unavailable("The database is busy")):
        assert not world.check(import_id)

    assert world.find(import_id).status is ListImportStatus.CHECKING
    assert world.check(import_id)
    assert world.phones() == [ANA]


# --- Commands


def test_the_form_takes_one_file_of_at_most_256_mib_for_15_minutes(world: Importer) -> None:
    made, form = world.imports.begin(world.campaign, NewListImport().options(), OWNER)

    policy = json.loads(base64.b64decode(form.fields["policy"]))
    assert ["content-length-range", 1, 256 * 1024 * 1024] in policy["conditions"]
    assert {"key": f"imports/{world.campaign_id}/{made.id}/file.csv"} in policy["conditions"]
    assert form.fields["x-amz-algorithm"] == "AWS4-HMAC-SHA256"
    assert form.expires_at == NOON + timedelta(minutes=15)
    shown = NewListImportForm.of(made, form).model_dump(mode="json", by_alias=True)
    assert shown["upload"]["expiresAt"] == "2026-11-20T12:15:00.000000Z"
    assert shown["status"] == "AWAITING_FILE"


def test_a_start_sends_the_check_once_it_has_a_file(world: Importer) -> None:
    import_id = world.begin()

    with pytest.raises(Conflicting) as refused:
        world.start(import_id)

    assert refused.value.code == "file_missing"
    world.upload(import_id, f"phone\n{ANA}\n")
    world.start(import_id)
    assert world.asked() == [{"campaign_id": world.campaign_id, "import_id": import_id}]
    assert world.find(import_id).status is ListImportStatus.CHECKING


def test_a_start_with_a_key_gives_its_answer_again(world: Importer) -> None:
    import_id = world.begin()
    world.upload(import_id, f"phone\n{ANA}\n")
    world.start(import_id, "key")
    world.check(import_id)

    again = world.start(import_id, "key")

    assert isinstance(again, Answer)
    assert again.body == {"id": import_id}


def test_a_start_is_repeated_when_its_message_was_not_sent(world: Importer) -> None:
    import_id = world.begin()
    world.upload(import_id, f"phone\n{ANA}\n")
    with patch.object(type(world.imports.queue), "send", side_effect=Unavailable("SQS")), pytest.raises(Unavailable):
        world.start(import_id)

    world.start(import_id)

    assert len(world.asked()) == 1


def test_a_check_that_died_is_started_again_after_90_minutes(world: Importer) -> None:
    import_id = world.uploaded(f"phone\n{ANA}\n")
    world.asked()
    with patch.object(ImportStore, "commit", side_effect=Unavailable("The database is busy")):
        world.check(import_id)

    world.clock.shift(MINUTES_90 - timedelta(seconds=1))
    world.start(import_id)
    assert world.asked() == []
    world.clock.shift(timedelta(seconds=1))
    world.start(import_id)

    assert len(world.asked()) == 1


def test_an_import_that_nobody_starts_within_24_hours_expires(world: Importer) -> None:
    import_id = world.begin()
    world.upload(import_id, f"phone\n{ANA}\n")
    world.clock.shift(timedelta(hours=24) - timedelta(seconds=1))
    assert world.find(import_id).status is ListImportStatus.AWAITING_FILE

    world.clock.shift(timedelta(seconds=1))

    assert world.find(import_id).status is ListImportStatus.EXPIRED
    with pytest.raises(Conflicting) as refused:
        world.start(import_id)
    assert refused.value.code == "import_expired"


def test_an_import_is_started_once(world: Importer) -> None:
    import_id = world.imported(f"phone\n{ANA}\n").importing.id

    with pytest.raises(Conflicting) as refused:
        world.start(import_id)

    assert refused.value.code == "import_started"


def test_an_import_is_done_when_its_rows_are_laid_down(world: Importer) -> None:
    import_id = world.imported(f"phone\n{ANA}\n").importing.id
    assert world.find(import_id).status is ListImportStatus.IMPORTING

    world.put(laid=1, source=None)

    assert world.find(import_id).status is ListImportStatus.DONE


def test_an_import_of_another_campaign_is_not_found(world: Importer) -> None:
    import_id = world.begin()
    world.campaign_id = world.a_draft()

    for asked in (import_id, "imp_x", world.campaign_id):
        with pytest.raises(NotFound):
            world.find(asked)


def test_an_import_is_shown_with_what_was_found(world: Importer) -> None:
    standing = world.imported(f"phone\n{ANA}\n1\n99999999999\n")

    shown = ListImportResource.of(standing).model_dump(mode="json", by_alias=True)

    assert {name: shown[name] for name in ("rows", "accepted", "rejected", "duplicates", "warnings")} == {
        "rows": 3,
        "accepted": 2,
        "rejected": 1,
        "duplicates": 0,
        "warnings": 1,
    }
    assert shown["firstErrors"][0]["code"] == "phone_length"
    assert shown["firstWarnings"][0]["line"] == 4
    assert shown["rendered"][0] == {"line": 2, "text": "Hello friend"}
    assert shown["checkedAt"] == "2026-11-20T12:00:00.000000Z"


def test_a_row_takes_at_most_two_lines_of_the_file_of_errors(world: Importer) -> None:
    world.campaign_id = world.a_draft("{{a}} {{b}} {{c}}")

    standing = world.imported(f"phone,name\n{ANA},Ana\n")

    assert [each["field"] for each in world.errors(standing.importing.id)] == ["variables.a", "variables.b"]
    assert standing.importing.tally.rejected == 1


# --- Over HTTP


def test_an_owner_imports_a_file_over_http(world: Importer) -> None:
    """S5-9, S5-47."""
    here = (EXAMPLE, world.campaign_id)
    body = {"hasHeader": True, "phoneColumn": "Telefone", "variableColumns": {"name": 2}}
    begun = world.done("broadcasts/api-importfile", here, body=body, role="user", subject=OWNER, status=201)
    import_id = begun["id"]
    assert begun["upload"]["fields"]["key"].endswith(f"{import_id}/file.csv")
    world.upload(import_id, f"telefone;nome\n{ANA};Ana\n1;Rui\n")
    there = (here, (IMPORT, import_id))

    started = world.done("broadcasts/api-startimport", *there, role="user", subject=OWNER, status=202, key="k")
    repeated = world.done("broadcasts/api-startimport", *there, role="user", subject=OWNER, status=202, key="k")
    assert world.check(import_id)
    found = world.done("broadcasts/api-imported", *there, role="user", subject=OWNER)

    assert started == repeated
    assert started["status"] == "CHECKING"
    assert (found["status"], found["rows"], found["accepted"], found["rejected"]) == ("IMPORTING", 2, 1, 1)
    assert found["firstErrors"][0] == {
        "line": 3,
        "field": "phone",
        "code": "phone_length",
        "message": "The phone must have 10 to 15 digits, with the country's code first",
    }
    assert found["rendered"] == [{"line": 2, "text": "Hello Ana"}]


def test_a_start_whose_message_was_not_sent_sends_it_when_it_is_repeated_with_its_key(world: Importer) -> None:
    import_id = world.begin()
    world.upload(import_id, f"phone\n{ANA}\n")
    start = partial(
        world.request,
        "broadcasts/api-startimport",
        (EXAMPLE, world.campaign_id),
        (IMPORT, import_id),
        role="user",
        subject=OWNER,
        key="k",
    )
    with patch.object(ChecksQueue, "send", side_effect=Unavailable("SQS")):
        refused = start()
    assert refused.status == 503
    assert world.find(import_id).status is ListImportStatus.CHECKING

    again = [start() for _ in range(2)]

    assert [(each.status, each.body["status"]) for each in again] == [(202, "CHECKING")] * 2
    assert world.asked()[0] == {"campaign_id": world.campaign_id, "import_id": import_id}


@pytest.mark.parametrize("file", ["api-importfile", "api-startimport", "api-imported"])
def test_somebody_elses_import_is_not_found(world: Importer, file: str) -> None:
    import_id = world.begin()

    path = ((EXAMPLE, world.campaign_id), (IMPORT, import_id))
    answer = world.request(f"broadcasts/{file}", *path, role="user", subject="bob")

    assert (answer.status, answer.body["code"]) == (404, "campaign_not_found")


@pytest.mark.parametrize(
    "body",
    [
        {"variableColumns": ["Name"]},
        {"variableColumns": {"1": "name"}},
        {"phoneColumn": 0},
        {"phoneColumn": ""},
        {"phoneColumn": True},
        {"separator": ";"},
    ],
)
def test_options_that_no_file_could_be_read_by_are_refused(world: Importer, body: dict[str, Any]) -> None:
    """S5-9."""
    here = (EXAMPLE, world.campaign_id)

    assert world.request("broadcasts/api-importfile", here, body=body, role="user", subject=OWNER).status == 400


# --- What no log has


def test_no_phone_is_in_a_log_an_audit_entry_or_an_event(world: Importer, log_lines: Any) -> None:
    world.imported(f"phone,name\n{ANA},Ana\n{RUI[:-5]}x,Rui\n{ANA},Ana\n")

    said = json.dumps([log_lines(), world.entries(), world.aws.items("OutboxTable")], default=str)
    assert ANA not in said
    assert RUI[:-5] not in said
