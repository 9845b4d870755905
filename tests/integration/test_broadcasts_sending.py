"""A campaign from its start to its end, whatever happens on the way (design section 5)."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from broadcasts import row
from broadcasts.bucket import list_bucket
from broadcasts.campaign import BroadcastStatus, Moved, PauseReason, TemplateText, Text, Waiting
from broadcasts.commands import Broadcasts, Rules
from broadcasts.given import GivenLists
from broadcasts.instance import ProviderName
from broadcasts.items import BY_WORKER, InstanceItem, by_webhook
from broadcasts.ports import UNREACHABLE, Accepted, Media, MediaType, Outcome, Refused, Scope, TemplateCall, Throttled
from broadcasts.row import Evidence, RowStatus, Work
from broadcasts.secret import ContactsSecret
from broadcasts.store import Met, Record, Told
from sluice.errors import Conflicting
from sluice.outward import CannotTell, Found, Seen, Unknown
from sluice.platform import PlatformStatus
from tests.account import Account
from tests.sending_world import AnswerLost, Vanished, World, a_world, phone_of

_S = BroadcastStatus


@pytest.fixture
def world(aws: Account) -> Iterator[World]:
    with a_world(aws) as made:
        yield made


def test_three_rows_are_sent_at_the_rate_and_the_campaign_completes(world: World) -> None:
    brd = world.a_broadcast(3)
    world.run()

    world.start(brd)
    world.run()

    assert [each.status for each in world.rows(brd)] == [RowStatus.SENT] * 3
    assert world.get(brd).status is _S.COMPLETED
    times = [at for at, _ in world.provider().sent]
    assert times[2] - times[0] == timedelta(seconds=2)
    assert len(world.events("campaign:completed")) == 1
    assert len(world.events("message:sent")) == 3
    world.check_at_rest(brd)


# Crashes


def _run_with(world: World, site: int, fault: str, rows: int = 3, **terms: object) -> str:
    brd = world.a_broadcast(rows, **terms)  # type: ignore[arg-type]
    world.run()
    world.start(brd)
    world.site = 0
    world.places.clear()
    world.faults = {site: fault}
    world.run()
    return brd


@pytest.mark.parametrize("fault", ["before", "after", "unreachable"])
def test_a_crash_at_any_call_sends_nobody_two_messages_and_the_campaign_still_ends(aws: Account, fault: str) -> None:
    site = 0
    while True:
        site += 1
        aws.forget()
        with a_world(aws) as world:
            brd = _run_with(world, site, fault, rows=2)
            if world.faults:
                break
            place = world.places[site - 1]
            assert world.get(brd).status is _S.COMPLETED, f"{fault} at {site}, {place}"
            assert [each.status for each in world.rows(brd)] == [RowStatus.SENT] * 2, f"{fault} at {site}, {place}"
            world.check_at_rest(brd)

    assert site > 20


def test_a_lost_answer_of_a_commit_costs_nothing(aws: Account) -> None:
    site = 0
    while True:
        site += 1
        aws.forget()
        with a_world(aws) as world:
            brd = _run_with(world, site, "lost", rows=2)
            if world.faults:
                break
            if world.places[site - 1] != "TransactWriteItems":
                continue
            assert world.get(brd).status is _S.COMPLETED, f"at {site}"
            assert not any(place == "find" for place in world.places), f"at {site}"
            world.check_at_rest(brd)

    assert site > 20


# Outcomes that nobody knows


def test_a_claim_whose_worker_died_before_its_call_is_looked_up_and_sent(world: World) -> None:
    brd = _dies_in_its_call(world, "before")

    world.run_for(seconds=80)

    assert world.row(brd).status is RowStatus.UNKNOWN

    world.run()

    assert world.accepted[phone_of(0)] == 1
    assert world.row(brd).status is RowStatus.SENT
    assert len(world.row(brd).history) == 1
    assert world.get(brd).status is _S.COMPLETED
    world.check_at_rest(brd)


def test_a_claim_whose_worker_died_after_its_call_is_found(world: World) -> None:
    brd = _dies_in_its_call(world, "after")

    world.run()

    assert world.accepted[phone_of(0)] == 1
    assert world.row(brd).status is RowStatus.SENT
    assert not world.row(brd).history
    assert world.row(brd).message_id
    world.check_at_rest(brd)


def _dies_in_its_call(world: World, fault: str) -> str:
    brd = world.a_broadcast(1)
    world.run()
    world.start(brd)
    world.site = 0

    def at(place: str, effect: object) -> object:
        if place == "send":
            world.at = real  # type: ignore[method-assign]
            world.faults = {world.site + 1: fault}
        return real(place, effect)  # type: ignore[arg-type]

    real = world.at
    world.at = at  # type: ignore[method-assign, assignment]
    return brd


def test_an_outcome_that_nobody_can_be_asked_of_is_closed_after_15_minutes(world: World) -> None:
    brd = world.a_broadcast(1)
    world.provider().can_be_asked = world.provider().absence_is_proof = False
    world.provider().scripts[phone_of(0)] = [AnswerLost()]

    begun = world.now
    world.start(brd)
    world.run()

    assert world.row(brd).work is Work.CLOSED
    assert world.row(brd).status is RowStatus.UNKNOWN
    assert world.get(brd).status is _S.COMPLETED
    assert timedelta(minutes=15) <= world.now - begun <= timedelta(minutes=17)
    assert world.accepted[phone_of(0)] == 1
    world.check_at_rest(brd)


def test_an_absence_that_proves_nothing_sends_nothing_again(world: World) -> None:
    world.an_instance(provider=ProviderName.EVOLUTION)
    brd = world.a_broadcast(1)
    world.provider().absence_is_proof = False
    world.provider().scripts[phone_of(0)] = [Vanished()]

    world.start(brd)
    world.run()

    assert world.row(brd).work is Work.CLOSED
    assert world.accepted[phone_of(0)] == 0


def test_an_absence_proves_once_a_message_that_was_sent_is_found(world: World) -> None:
    world.an_instance(provider=ProviderName.EVOLUTION)
    brd = world.a_broadcast(2)
    world.provider().absence_is_proof = False
    world.provider().scripts[phone_of(1)] = [Vanished()]

    world.start(brd)
    world.run()

    assert [each.status for each in world.rows(brd)] == [RowStatus.SENT] * 2
    assert (instance := world.store.instance("ins_1"))
    assert instance.lookup_proven_at


def test_what_is_proven_of_an_instance_that_is_not_there_leaves_no_item(world: World) -> None:
    instance = world.an_instance()

    world.store.prove(replace(instance, id="ins_2", lookup_proven_at=world.now))

    assert world.items("BroadcastsTable", "ins_2") == []


def test_retry_sends_what_is_unknown_only_if_somebody_says_so(world: World) -> None:
    brd = world.a_broadcast(1)
    world.provider().can_be_asked = world.provider().absence_is_proof = False
    world.provider().scripts[phone_of(0)] = [AnswerLost()]
    world.start(brd)
    world.run()

    with pytest.raises(Conflicting):
        world.retry(brd)

    world.retry(brd, include_unknown=True)
    world.run()

    assert world.accepted[phone_of(0)] == 2
    assert world.row(brd).status is RowStatus.SENT
    assert world.row(brd).pass_number == 2
    world.check_at_rest(brd)


# Outcomes that are known


def test_a_throttle_costs_no_try_and_is_kept_by_the_instance(world: World) -> None:
    brd = world.a_broadcast(2)
    world.provider().scripts[phone_of(0)] = [Throttled(40.0), Throttled(40.0)]

    world.start(brd)
    world.run()

    assert world.row(brd).tries == 0
    assert world.row(brd).throttles == 2
    first, *later = [at for at, _ in world.provider().sent]
    assert all(at >= first + timedelta(seconds=40) for at in later), "the slot that was reserved before is not used"
    assert [each.status for each in world.rows(brd)] == [RowStatus.SENT] * 2
    world.check_at_rest(brd)


def test_a_refusal_that_passes_is_tried_again_later(world: World) -> None:
    brd = world.a_broadcast(1)
    world.provider().scripts[phone_of(0)] = [_refusal(is_final=False)] * 2

    world.start(brd)
    world.run()

    times = [at for at, _ in world.provider().sent]
    assert world.row(brd).status is RowStatus.SENT
    assert [times[1] - times[0] >= timedelta(seconds=30), times[2] - times[1] >= timedelta(seconds=60)] == [True, True]
    world.check_at_rest(brd)


def _refusal(*, is_final: bool, scope: Scope = Scope.RECIPIENT, code: str = "131026") -> Refused:
    return Refused(scope, is_final, code, "No")


def test_a_row_fails_when_its_retries_are_used_up_and_a_retry_may_send_it(world: World) -> None:
    brd = world.a_broadcast(1, max_retries=2)
    world.provider().scripts[phone_of(0)] = [_refusal(is_final=False)] * 3

    world.start(brd)
    world.run()

    assert world.row(brd).status is RowStatus.FAILED
    assert world.row(brd).tries == 3
    assert world.get(brd).status is _S.COMPLETED
    assert len(world.provider().sent) == 3

    world.retry(brd)
    world.run()

    assert world.row(brd).status is RowStatus.SENT
    assert world.row(brd).tries == 0
    world.check_at_rest(brd)


def test_a_final_refusal_is_never_tried_again_but_by_include_final(world: World) -> None:
    brd = world.a_broadcast(2)
    world.provider().scripts[phone_of(0)] = [_refusal(is_final=True)]

    world.start(brd)
    world.run()

    assert [each.status for each in world.rows(brd)] == [RowStatus.FAILED, RowStatus.SENT]
    with pytest.raises(Conflicting):
        world.retry(brd)

    world.retry(brd, include_final=True)
    world.run()

    assert [each.status for each in world.rows(brd)] == [RowStatus.SENT] * 2
    assert world.accepted[phone_of(1)] == 1
    world.check_at_rest(brd)


def test_a_refusal_of_the_campaign_pauses_it_and_fails_nobody(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.an_instance(rate_limit=4800)
    brd = world.a_broadcast(60, rate_limit=4800)
    for number in range(60):
        world.provider().scripts[phone_of(number)] = [_refusal(is_final=True, scope=Scope.CAMPAIGN, code="132015")]

    world.start(brd)
    world.run()

    assert world.get(brd).status is _S.PAUSED
    assert world.get(brd).pause_reason is PauseReason.TEMPLATE
    reasons = [vars(each)["reason"] for each in caplog.records if each.getMessage() == "Paused by itself"]
    assert reasons == ["template"], "an alarm counts these lines"
    assert all(each.work is Work.PENDING and each.tries == 0 for each in world.rows(brd))
    assert len(world.provider().sent) <= 10

    world.provider().scripts.clear()
    world.resume(brd)
    world.run()

    assert all(each.status is RowStatus.SENT for each in world.rows(brd))
    world.check_at_rest(brd)


def test_a_refusal_of_the_instance_blocks_it_and_fails_nobody(world: World) -> None:
    world.an_instance(rate_limit=4800)
    brd = world.a_broadcast(60, rate_limit=4800)
    refused = _refusal(is_final=True, scope=Scope.INSTANCE, code="190")
    for number in range(60):
        world.provider().scripts[phone_of(number)] = [refused] * 5

    world.start(brd)
    world.run_for(seconds=20)

    assert len(world.provider().sent) <= 10
    assert (instance := world.store.instance("ins_1"))
    assert instance.trouble.blocked_until
    assert all(each.work is Work.PENDING and each.tries == 0 for each in world.rows(brd))

    world.run_for(seconds=15)

    assert len(world.provider().sent) <= 11, "one probe after the block"

    world.provider().scripts.clear()
    world.run()

    assert all(each.status is RowStatus.SENT for each in world.rows(brd))
    world.check_at_rest(brd)


def test_a_probe_is_followed_as_soon_as_it_is_recorded(world: World) -> None:
    brd = world.a_broadcast(3)
    world.provider().scripts[phone_of(0)] = [_refusal(is_final=True, scope=Scope.INSTANCE, code="190")]

    begun = world.now
    world.start(brd)
    world.run()

    assert world.get(brd).status is _S.COMPLETED
    assert world.now - begun < timedelta(seconds=60)


def test_connections_that_fail_do_not_fail_the_rows_of_a_dead_provider(world: World) -> None:
    brd = world.a_broadcast(8)
    dead = _refusal(is_final=False, code=UNREACHABLE)
    for number in range(8):
        world.provider().scripts[phone_of(number)] = [dead]

    world.start(brd)
    world.run()

    assert all(each.status is RowStatus.SENT for each in world.rows(brd))
    world.check_at_rest(brd)


# Evidence that comes first


@pytest.mark.parametrize("answer", [AnswerLost(), None, _refusal(is_final=True)])
def test_what_was_told_before_the_answer_stands(world: World, answer: object) -> None:
    brd = world.a_broadcast(1)

    def tells() -> Outcome:
        told = row.told(world.row(brd), Evidence.DELIVERED, world.now, None, None)
        assert told
        assert world.store.record(Record(brd, by_webhook("m"), moved=(Moved(world.row(brd), told),)), world.now)
        if isinstance(answer, Refused):
            return answer
        return Unknown("lost") if answer else Accepted("wamid.1")

    world.provider().scripts[phone_of(0)] = [tells]

    world.start(brd)
    world.run()

    assert world.row(brd).status is RowStatus.DELIVERED
    assert world.counts(brd).delivered == 1
    assert not world.progress(brd).due
    world.check_at_rest(brd)


def test_a_status_that_came_before_its_message_was_known_is_taken_along(world: World) -> None:
    world.an_instance(provider=ProviderName.EVOLUTION)
    brd = world.a_broadcast(1)

    def tells() -> Outcome:
        early = Met("ins_1", "3EB0", told=Told(Evidence.READ, world.now))
        assert world.store.record(Record(brd, by_webhook("m"), met=((None, early),)), world.now)
        return Accepted("3EB0")

    world.provider().scripts[phone_of(0)] = [tells]

    world.start(brd)
    world.run()

    assert world.row(brd).status is RowStatus.READ
    assert world.row(brd).message_id == "3EB0"
    assert world.store.met("ins_1", ["3EB0"])["3EB0"].row == world.row(brd).key
    world.check_at_rest(brd)


def _fails_early(world: World, code: str) -> str:
    """A campaign by AWS, whose message is told to have failed before the worker has recorded it."""
    world.an_instance(provider=ProviderName.AWS)
    brd = world.a_broadcast(1)

    def tells() -> Outcome:
        early = Met("ins_1", "wamid.1", told=Told(Evidence.FAILED, world.now, row.Failure(code, "No")))
        assert world.store.record(Record(brd, by_webhook("m"), met=((None, early),)), world.now)
        return Accepted("wamid.1")

    world.provider().scripts[phone_of(0)] = [tells]
    world.start(brd)
    world.run()
    assert world.row(brd).status is RowStatus.FAILED
    world.check_at_rest(brd)
    return brd


@pytest.mark.parametrize("message_id", ["x" * 3_000, "x" * 500_000, "a\nb"])
def test_an_id_that_no_message_has_leaves_its_row_unknown_and_the_others_sent(world: World, message_id: str) -> None:
    """A server of a user's own may answer anything."""
    world.an_instance(provider=ProviderName.EVOLUTION, rate_limit=4800)
    world.provider().can_be_asked = world.provider().absence_is_proof = False
    brd = world.a_broadcast(3, rate_limit=4800)
    world.provider().scripts[phone_of(1)] = [Accepted(message_id)]
    world.start(brd)

    world.run()

    assert [each.status for each in world.rows(brd)] == [RowStatus.SENT, RowStatus.UNKNOWN, RowStatus.SENT]
    world.check_at_rest(brd)


def test_an_id_that_no_message_has_is_no_find(world: World) -> None:
    world.an_instance(provider=ProviderName.EVOLUTION)
    brd = world.a_broadcast(1)
    world.provider().scripts[phone_of(0)] = [Vanished()]

    def find(_m: object, _a: str, _s: object, _u: object, is_taken: Callable[[str], bool]) -> Seen:
        return CannotTell("taken") if is_taken("x" * 3_000) else Found("x" * 3_000)

    world.provider().find = find  # type: ignore[method-assign, assignment]
    world.start(brd)

    world.run()

    assert world.row(brd).status is RowStatus.UNKNOWN
    world.check_at_rest(brd)


def test_a_code_of_a_provider_is_cut(world: World) -> None:
    brd = world.a_broadcast(1)
    world.provider().scripts[phone_of(0)] = [Refused(Scope.RECIPIENT, True, "9" * 500_000, "No")]
    world.start(brd)

    world.run()

    error = world.row(brd).error
    assert error
    assert error.code == "9" * 64


def test_a_person_who_objected_before_the_message_was_known_is_suppressed(world: World) -> None:
    """131050, as when a webhook says it of a message that is known."""
    brd = _fails_early(world, "131050")

    key = world.row(brd).contact
    contact = world.store.contacts("ada", [key])[key]
    assert contact.suppressed_at
    assert contact.suppressed_why == "provider:131050"
    instance = world.store.instance("ins_1")
    assert instance
    assert not instance.trouble.blocks


def test_a_number_in_trouble_is_blocked_by_what_came_before_its_message_was_known(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """131048"""
    brd = _fails_early(world, "131048")

    instance = world.store.instance("ins_1")
    assert instance
    assert (instance.trouble.blocks, instance.trouble.is_careful) == (1, True)
    key = world.row(brd).contact
    assert not world.store.contacts("ada", [key])[key].suppressed_at
    assert [each.getMessage() for each in caplog.records if each.levelname == "ERROR"] == ["An instance is blocked"]


# Commands in the middle


def test_a_pause_releases_what_was_claimed_and_not_called(world: World) -> None:
    world.an_instance(rate_limit=4800)
    brd = world.a_broadcast(60, rate_limit=4800)

    def pauses() -> Outcome:
        world.pause(brd)
        return Accepted("wamid.1")

    world.provider().scripts[phone_of(3)] = [pauses]

    world.start(brd)
    world.run()

    assert world.get(brd).status is _S.PAUSED
    assert len(world.provider().sent) == 10, "the group that was past its fence"
    assert world.counts(brd).pending == 50
    world.check_at_rest(brd)

    world.resume(brd)
    world.run()

    assert world.get(brd).status is _S.COMPLETED
    assert all(each.status is RowStatus.SENT for each in world.rows(brd))
    world.check_at_rest(brd)


def test_a_pause_is_over_soon_after_the_last_answer(world: World) -> None:
    brd = world.a_broadcast(3)

    def pauses() -> Outcome:
        world.pause(brd)
        return Accepted("wamid.1")

    world.provider().scripts[phone_of(0)] = [pauses]
    begun = world.now
    world.start(brd)
    world.run()

    assert world.get(brd).status is _S.PAUSED
    assert world.now - begun < timedelta(seconds=10)


def test_a_pause_settles_the_claim_of_a_dead_worker(world: World) -> None:
    brd = _dies_in_its_call(world, "after")
    world.run_for(seconds=1)
    world.pause(brd)
    world.run()

    assert world.get(brd).status is _S.PAUSED
    assert world.row(brd).status is RowStatus.SENT
    world.check_at_rest(brd)


def test_a_cancelled_campaign_sends_nothing_more(world: World) -> None:
    brd = world.a_broadcast(5)
    world.start(brd)
    world.run_for(seconds=2)
    sent = len(world.provider().sent)

    world.cancel(brd)
    world.run()

    assert world.get(brd).status is _S.FAILED
    assert world.get(brd).failure_reason == "CANCELLED"
    assert len(world.provider().sent) == sent
    world.check_at_rest(brd)


def test_the_counters_of_a_campaign_that_was_read_before_are_of_one_moment(world: World) -> None:
    brd = world.a_broadcast(6)
    world.start(brd)
    world.run_for(seconds=2)
    before = world.get(brd)

    world.run_for(seconds=3)

    lists = GivenLists(list_bucket("no"), ContactsSecret("no"), world.clock)
    campaigns = Broadcasts(world.store, lists, world.wake, world.clock, Rules(60))
    assert campaigns.totals(before) == world.counts(brd)
    assert campaigns.totals(before).in_flight >= 0


def test_a_number_that_was_deleted_sends_nothing_more(world: World) -> None:
    brd = world.a_broadcast(5)
    world.start(brd)
    world.run_for(seconds=1)
    sent = len(world.provider().sent)

    InstanceItem("ins_1", "campaign").update([InstanceItem.deleted_at.set(world.now), InstanceItem.v.add(1)])
    world.run_for(minutes=1)

    assert len(world.provider().sent) == sent
    assert world.get(brd).waiting_for is Waiting.INSTANCE


def test_a_stop_releases_settles_and_a_long_one_is_no_gap(world: World) -> None:
    brd = world.a_broadcast(30)

    def stops() -> Outcome:
        world.set_platform(PlatformStatus.STOPPED)
        return Accepted("wamid.1")

    world.provider().scripts[phone_of(1)] = [AnswerLost()]
    world.provider().scripts[phone_of(5)] = [stops]
    world.start(brd)
    world.run_for(minutes=20)

    sent = len(world.provider().sent)
    assert sent == 6
    assert world.counts(brd).in_flight == 0, "what is in flight is settled while it is stopped"

    world.run_for(hours=7)
    assert len(world.provider().sent) == sent
    world.set_platform(PlatformStatus.OPEN)
    world.run()

    assert world.get(brd).status is _S.COMPLETED
    world.check_at_rest(brd)


def test_a_claim_that_a_pause_overtakes_is_not_committed(world: World) -> None:
    brd = world.a_broadcast(2)
    world.run()
    world.start(brd)
    world.deliver()
    site = len(world.places)
    assert world.places[site - 1]

    for number in range(site + 1, site + 10):
        world.before[number] = lambda: None
    world.before = {site + 1: lambda: world.pause(brd) and None}
    world.run()

    assert world.get(brd).status is _S.PAUSED
    world.check_at_rest(brd)


# What is sent


def test_nothing_is_claimed_while_the_secrets_of_the_instance_cannot_be_read(world: World) -> None:
    """What is claimed and not called would be unknown, and a person's decision where nobody can be asked."""
    brd = world.a_broadcast(1)
    world.run()
    world.start(brd)
    world.is_ready = False

    world.run_for(minutes=5)

    assert [each.work for each in world.rows(brd)] == [Work.PENDING]
    world.is_ready = True
    world.run()
    assert [each.status for each in world.rows(brd)] == [RowStatus.SENT]


def test_a_template_is_sent_with_the_values_of_its_variables(world: World) -> None:
    words = Text(1, "Hello {{name}}", TemplateText("winter", "pt_BR", "marketing", ("city",), ("name", "code")))
    brd = world.a_broadcast(1, text=words, variables={"name": "Ana", "city": "Rio", "code": "{{name}}"})

    world.start(brd)
    world.run()

    (message,) = world.provider().messages
    assert message.template == TemplateCall("winter", "pt_BR", ("Rio",), ("Ana", "{{name}}"))
    assert message.text == "Hello Ana"
    assert message.callback == world.row(brd).callback


def test_a_file_of_the_owner_is_sent_by_a_link_of_an_hour(world: World) -> None:
    brd = world.a_broadcast(1, media_id="med_1", media_type="image")

    world.start(brd)
    world.run()

    (message,) = world.provider().messages
    assert message.media == Media("https://files.example/ada/med_1?for=3600", MediaType.IMAGE)
    assert message.text == "Hello N0"


def test_a_row_without_a_value_for_a_parameter_fails_without_a_call(world: World) -> None:
    words = Text(1, "Hello {{name}}", TemplateText("winter", "pt_BR", "marketing", (), ("code",)))
    brd = world.a_broadcast(1, text=words, variables={"name": "Ana"})

    world.start(brd)
    world.run()

    assert world.row(brd).status is RowStatus.FAILED
    assert (error := world.row(brd).error)
    assert error.code == "variable_missing"
    assert not world.provider().sent
    world.check_at_rest(brd)


def test_a_row_whose_text_lacks_a_variable_fails_and_the_others_go_on(world: World) -> None:
    brd = world.a_broadcast(1, text=Text(1, "Hello {{first}}"))

    world.start(brd)
    world.run()

    assert world.row(brd).status is RowStatus.FAILED
    assert world.get(brd).status is _S.COMPLETED


# Records


def test_a_record_of_nothing_is_done(world: World) -> None:
    brd = world.a_broadcast(1)

    assert world.store.record(Record(brd, BY_WORKER), world.now)


def test_a_record_lays_no_row_down(world: World) -> None:
    brd = world.a_broadcast(1)
    world.run()

    with pytest.raises(ValueError, match="laid down"):
        world.store.record(Record(brd, BY_WORKER, moved=(Moved(None, world.row(brd)),)), world.now)
