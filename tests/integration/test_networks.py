"""Every adapter of a network keeps the promises of `SocialPublisher`: one suite, on the sandbox and over real HTTP.

The numbers of public reports are those of the facts on promotions.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from local.fakes.http import TOKEN
from local.fakes.network import Fault, Operation
from promotions.networks.mastodon import MastodonPublisher
from promotions.networks.wire import HOST_NOT_ALLOWED, UNREACHABLE
from promotions.networks.x import XPublisher
from promotions.ports import NOT_CONNECTED, RATE_LIMITED, Account, Kind, Media, Metrics, Missing, NotReadable
from sluice.egress import Hosts
from sluice.outward import Absent, CannotTell, Done, Found, NotTaken, Refused, Unknown
from tests.factories import NOON, FixedClock
from tests.integration import networks_world as worlds
from tests.integration.networks_world import OverHttp, World, later

TEXT = "Buy this now #ad prm7-1"
KEY = "prm7-1-first-1"
PICTURE = Media("image/png", b"\x89PNG\r\n\x1a\n and so on")
MADE_WITHOUT_ANSWER = (Fault.LOST, Fault.GATEWAY, Fault.FAILED, Fault.UNREADABLE, Fault.NO_ID)
EVERY = ["sandbox", "mastodon", "x", "in_process"]
WITH_REWARDS = ["sandbox", "mastodon", "in_process"]
OVER_HTTP = ["mastodon", "x"]


@pytest.fixture
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    name: str = request.param
    clock = FixedClock()
    with ExitStack() as stack:
        if name == "sandbox":
            yield stack.enter_context(worlds.sandbox(clock, request.getfixturevalue("aws")))
        else:
            yield stack.enter_context(getattr(worlds, name)(clock))


def on(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("world", names, indirect=True)


def look(world: World, text: str = TEXT, reply_to: str | None = None, key: str = KEY) -> object:
    return world.publisher.find_own(text, reply_to, key, NOON - timedelta(seconds=60))


def post(world: World, text: str = TEXT, reply_to: str | None = None, key: str = KEY) -> str:
    outcome = world.publisher.post(text, [], reply_to, key)
    assert isinstance(outcome, Done)
    return outcome.result


@on(*EVERY)
def test_a_post_is_made_and_found(world: World) -> None:
    made = post(world)

    assert look(world) == Found(made)
    assert world.made(TEXT) == 1


@on(*EVERY)
def test_a_reply_is_found_as_a_reply_to_its_post(world: World) -> None:
    first = post(world)
    second = post(world, "Details: https://shop.example/x prm7-1", first, "second")

    assert look(world, "Details: https://shop.example/x prm7-1", first, "second") == Found(second)
    assert second != first


@on("mastodon", "x", "in_process")
def test_the_same_text_in_reply_to_another_post_is_not_taken_for_ones_own(world: World) -> None:
    first = post(world)

    assert look(world, TEXT, first) == Absent()
    assert look(world) == Found(first)


@on(*EVERY)
def test_what_was_never_posted_is_absent(world: World) -> None:
    assert look(world) == Absent()


@on("sandbox", "mastodon", "in_process")
def test_two_posts_with_one_key_are_one(world: World) -> None:
    first = post(world)
    second = post(world)

    assert second == first
    assert world.made(TEXT) == 1


@on("mastodon", "x")
@pytest.mark.parametrize(
    "text",
    [
        "Fish & chips <now> 'really' \"cheap\" #ad prm7-1",
        "One line\nand another\n\nand a third #ad prm7-1",
        "See https://shop.example/a/very/long/path/that/is/cut?x=1&y=2 and https://shop.example/b #ad prm7-1",
        "Ein schönes Ding 🎉 für alle 安い #ad prm7-1",
    ],
)
def test_a_text_is_found_however_the_network_shows_it(world: World, text: str) -> None:
    made = post(world, text)

    assert look(world, text) == Found(made)
    assert look(world, text + " more") == Absent()


@on(*EVERY)
def test_a_deleted_post_is_absent_and_may_be_deleted_again(world: World) -> None:
    made = post(world)

    assert world.publisher.delete(made) == Done(made)
    assert look(world) == Absent()
    assert world.publisher.delete(made) == Done(made)


@on(*EVERY)
def test_a_limited_post_is_not_taken_and_says_when_to_come_again(world: World) -> None:
    text = world.text(Fault.LIMITED)

    outcome = world.publisher.post(text, [], None, KEY)

    assert outcome == NotTaken(RATE_LIMITED, NOON + timedelta(seconds=world.retry_seconds))
    assert world.made(text) == 0
    post(world, text)


@on(*OVER_HTTP)
def test_a_network_with_no_request_left_is_blocked_until_its_reset(world: World) -> None:
    world.publisher.post(world.text(Fault.LIMITED), [], None, KEY)
    blocked = world.publisher.blocked_until
    post(world)

    assert blocked == NOON + timedelta(seconds=60)
    assert world.publisher.blocked_until is None


@on(*EVERY)
def test_a_limited_post_without_a_reset_is_not_taken(world: World) -> None:
    text = world.text(Fault.LIMITED_BARE)

    assert world.publisher.post(text, [], None, KEY) == NotTaken(RATE_LIMITED, None)
    assert world.made(text) == 0


@on(*EVERY)
def test_a_refused_post_is_refused_with_a_reason(world: World) -> None:
    text = world.text(Fault.REFUSED)

    outcome = world.publisher.post(text, [], None, KEY)

    assert isinstance(outcome, Refused)
    assert outcome.reason not in ("", NOT_CONNECTED)
    assert world.made(text) == 0


@on(*EVERY)
def test_an_expired_token_is_refused_as_not_connected(world: World) -> None:
    """trypost#29."""
    text = world.text(Fault.EXPIRED)

    assert world.publisher.post(text, [], None, KEY) == Refused(NOT_CONNECTED)
    assert world.made(text) == 0


@pytest.mark.parametrize("network", [worlds.mastodon, worlds.x])
def test_nothing_is_read_with_a_token_that_is_not_valid(network) -> None:
    with network(FixedClock(), token="old") as world:
        assert look(world) == CannotTell(NOT_CONNECTED)
        assert world.publisher.delete("1") == Refused(NOT_CONNECTED)
        with pytest.raises(NotReadable) as metrics:
            world.publisher.metrics(["1"])
        with pytest.raises(NotReadable) as profile:
            world.publisher.profile("nina")
        with pytest.raises(NotReadable) as me:
            world.publisher.me()

    assert {metrics.value.reason, profile.value.reason, me.value.reason} == {NOT_CONNECTED}


@on(*OVER_HTTP, "in_process")
@pytest.mark.parametrize("fault", MADE_WITHOUT_ANSWER)
def test_a_post_that_was_made_without_a_good_answer_is_unknown_and_found(world: World, fault: Fault) -> None:
    """Tusky#2951, atproto#3718: a 504 or a 500 for a post that was made."""
    text = world.text(fault)

    outcome = world.publisher.post(text, [], None, KEY)

    assert isinstance(outcome, Unknown)
    assert isinstance(look(world, text), Found)
    assert world.made(text) == 1


@on("sandbox")
@pytest.mark.parametrize("fault", [Fault.LOST, Fault.UNREADABLE])
def test_the_sandbox_makes_a_post_and_loses_its_answer(world: World, fault: Fault) -> None:
    text = world.text(fault)

    outcome = world.publisher.post(text, [], None, KEY)

    assert isinstance(outcome, Unknown)
    assert isinstance(look(world, text), Found)
    assert world.made(text) == 1


@on("mastodon")
def test_an_odd_header_of_the_rate_limit_does_not_make_a_post_into_none(world: World) -> None:
    text = world.text(Fault.ODD_RESET)

    outcome = world.publisher.post(text, [], None, KEY)

    assert isinstance(outcome, Unknown)
    assert isinstance(look(world, text), Found)


@on("x")
def test_an_odd_header_of_the_rate_limit_is_passed_over(world: World) -> None:
    assert isinstance(world.publisher.post(world.text(Fault.ODD_RESET), [], None, KEY), Done)
    assert world.publisher.blocked_until is None


@on("mastodon")
def test_a_server_that_answers_504_to_five_posts_with_one_key_has_one_post(world: World) -> None:
    """Tusky#2951: eleven copies of a post, after a 504 each."""
    for _ in range(5):
        text = world.text(Fault.GATEWAY)
        assert isinstance(world.publisher.post(text, [], None, KEY), Unknown)

    assert world.made(text) == 1


@on(*EVERY)
def test_a_post_in_flight_is_absent_until_it_lands(world: World) -> None:
    text = world.text(Fault.LATER)

    outcome = world.publisher.post(text, [], None, KEY)

    assert isinstance(outcome, Unknown)
    assert look(world, text) == Absent()
    later(world)
    assert isinstance(look(world, text), Found)
    assert world.made(text) == 1


@on(*EVERY)
def test_a_post_that_cannot_be_seen_yet_is_absent_until_then(world: World) -> None:
    """mastodon#21840: the key is stored after the post."""
    text = world.text(Fault.HIDDEN)

    outcome = world.publisher.post(text, [], None, KEY)

    assert isinstance(outcome, Unknown)
    assert look(world, text) == Absent()
    assert world.made(text) <= 1
    later(world)
    assert isinstance(look(world, text), Found)


@pytest.mark.parametrize("network", [worlds.mastodon, worlds.x])
def test_a_server_that_never_answers_holds_nobody(network) -> None:
    """tweepy#2027: no timeout."""
    with network(FixedClock(), seconds=0.6) as world:
        text = world.text(Fault.HANG)

        outcome = world.publisher.post(text, [], None, KEY)

    assert outcome == Unknown("No answer in time")


@on("sandbox", "in_process")
def test_a_hang_of_the_sandbox_is_unknown_and_absent(world: World) -> None:
    text = world.text(Fault.HANG)

    assert isinstance(world.publisher.post(text, [], None, KEY), Unknown)
    assert look(world, text) == Absent()
    post(world, text, key="another")


@on("x")
def test_a_duplicate_of_a_post_whose_answer_was_lost_is_unknown_and_found(world: World) -> None:
    """zernio-python#42, node-twitter-api-v2#469: nobody says which post it is a duplicate of."""
    text = world.text(Fault.LOST)
    lost = world.publisher.post(text, [], None, KEY)

    repeated = world.publisher.post(text, [], None, "another")

    assert isinstance(lost, Unknown)
    assert isinstance(repeated, Unknown)
    assert isinstance(look(world, text), Found)
    assert world.made(text) == 1


@on("x")
def test_a_text_that_was_deleted_is_a_duplicate_still_and_is_absent(world: World) -> None:
    """twitter-api-php#171."""
    world.publisher.delete(post(world))

    again = world.publisher.post(TEXT, [], None, "another")

    assert isinstance(again, Unknown)
    assert "duplicate" in again.reason
    assert look(world) == Absent()
    post(world, "Buy this now #ad prm7-2")


@on(*OVER_HTTP)
@pytest.mark.parametrize("fault", [Fault.LIMITED, Fault.GATEWAY, Fault.UNREADABLE, Fault.NO_ID, Fault.LOST])
def test_a_look_that_is_not_answered_well_cannot_tell(world: World, fault: Fault) -> None:
    post(world)
    world.script(Operation.FIND_OWN, fault)

    assert isinstance(look(world), CannotTell)


@on(*OVER_HTTP)
@pytest.mark.parametrize("fault", [Fault.LOST, Fault.GATEWAY, Fault.UNREADABLE])
def test_a_deletion_without_a_good_answer_is_unknown_and_may_be_repeated(world: World, fault: Fault) -> None:
    made = post(world)
    world.script(Operation.DELETE, fault)

    assert isinstance(world.publisher.delete(made), Unknown)
    assert world.publisher.delete(made) == Done(made)


@on(*EVERY)
def test_metrics_of_many_posts_are_read_at_once_and_missing_ones_are_named(world: World) -> None:
    first, second, gone = (post(world, f"{TEXT} {number}", key=f"{number}") for number in range(3))
    world.engage(first, {Kind.LIKE: ["nina", "otto"], Kind.REPLY: ["nina"]})
    world.engage(second, {}, Metrics(likes=100, reposts=7, quotes=2, replies=1))
    world.publisher.delete(gone)

    found = world.publisher.metrics([first, second, gone])

    assert found == {
        first: Metrics(likes=2, replies=1),
        second: Metrics(likes=100, reposts=7, quotes=2, replies=1),
        gone: Missing(),
    }


@on(*EVERY)
def test_metrics_are_read_of_as_many_posts_as_the_policy_says(world: World) -> None:
    made = [post(world, f"{TEXT} {number}", key=f"{number}") for number in range(world.publisher.policy.batch)]

    found = world.publisher.metrics(made)

    assert found == dict.fromkeys(made, Metrics())
    assert world.publisher.metrics([]) == {}


@on(*EVERY)
def test_posts_that_are_all_missing_are_named(world: World) -> None:
    assert world.publisher.metrics(["9007199254740990"]) == {"9007199254740990": Missing()}


@on(*OVER_HTTP)
@pytest.mark.parametrize("fault", [Fault.GATEWAY, Fault.UNREADABLE, Fault.LOST])
def test_metrics_that_are_not_answered_well_are_not_readable(world: World, fault: Fault) -> None:
    made = post(world)
    world.script(Operation.METRICS, fault)

    with pytest.raises(NotReadable):
        world.publisher.metrics([made])


@on("x")
def test_metrics_without_posts_and_errors_are_not_readable(world: World) -> None:
    """Else each post would count as gone."""
    world.script(Operation.METRICS, Fault.NO_ID)

    with pytest.raises(NotReadable):
        world.publisher.metrics([post(world)])


@on(*OVER_HTTP)
def test_a_limited_read_says_when_to_come_again(world: World) -> None:
    made = post(world)
    world.script(Operation.METRICS, Fault.LIMITED)

    with pytest.raises(NotReadable) as limited:
        world.publisher.metrics([made])

    assert limited.value.reason == RATE_LIMITED
    assert limited.value.retry_at == NOON + timedelta(seconds=60)


def test_x_gives_reposts_under_either_name() -> None:
    with worlds.x(FixedClock(), reposts="repost_count") as world:
        made = post(world)
        world.engage(made, {Kind.REPOST: ["nina"]})

        assert world.publisher.metrics([made]) == {made: Metrics(reposts=1)}


@on(*WITH_REWARDS)
@pytest.mark.parametrize("kind", list(Kind))
def test_everybody_who_engaged_is_on_one_page(world: World, kind: Kind) -> None:
    """mastodon#24082: a network may count more than it lists."""
    made = post(world)
    handles = [f"fan{number}" for number in range(95)]
    world.engage(made, {kind: handles}, Metrics(likes=200))

    found: list[Account] = []
    cursor, pages = None, 0
    while True:
        page = world.publisher.engaged(made, kind, cursor)
        found += page.items
        pages += 1
        cursor = page.cursor
        assert len(page.items) <= 80
        if cursor is None:
            break

    assert [each.handle for each in found] == handles
    assert len({each.id for each in found}) == 95
    assert pages > 1


@on(*EVERY)
def test_nobody_engaged_with_a_post_that_is_gone(world: World) -> None:
    page = world.publisher.engaged("9007199254740990", Kind.LIKE, None)

    assert list(page.items) == []
    assert page.cursor is None


@on(*WITH_REWARDS)
def test_an_account_is_read_with_what_tells_a_bot(world: World) -> None:
    world.set_account(a_person())
    made = post(world)
    world.engage(made, {Kind.LIKE: ["Nina", "stranger"]})

    nina, stranger = world.publisher.engaged(made, Kind.LIKE, None).items

    assert (nina.followers, nina.following, nina.posts, nina.bot) == (10, 20, 30, True)
    assert nina.created_at == datetime(2020, 1, 2, tzinfo=UTC)
    assert (stranger.followers, stranger.created_at, stranger.bot) == (None, None, None)


@on("mastodon", "x", "in_process")
def test_a_token_says_whose_it_is(world: World) -> None:
    found = world.publisher.me()

    assert (found.id, found.handle) == ("1001", "acme")


@on(*EVERY)
def test_a_profile_has_its_text(world: World) -> None:
    world.set_account(a_person())

    found = world.publisher.profile("nina")

    assert found is not None
    assert (found.handle, found.note) == ("Nina", "Hello & welcome sluice-4711")
    assert found.created_at == datetime(2020, 1, 2, tzinfo=UTC)
    assert world.publisher.profile("nobody") is None


def a_person() -> Account:
    made = datetime(2020, 1, 2, tzinfo=UTC)
    return Account("", "Nina", made, 10, 20, 30, bot=True, suspended=False, note="Hello & welcome sluice-4711")


@on(*EVERY)
def test_a_post_has_its_pictures(world: World) -> None:
    outcome = world.publisher.post(TEXT, [PICTURE, PICTURE], None, KEY)

    assert isinstance(outcome, Done)
    assert look(world) == Found(outcome.result)
    if isinstance(world, OverHttp):
        assert len(world.network.posts[0].media) == 2


@on(*OVER_HTTP)
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault.LOST, NotTaken),
        (Fault.GATEWAY, NotTaken),
        (Fault.UNREADABLE, NotTaken),
        (Fault.NO_ID, NotTaken),
        (Fault.LIMITED, NotTaken),
        (Fault.REFUSED, Refused),
        (Fault.EXPIRED, Refused),
    ],
)
def test_without_its_pictures_nothing_is_posted(world: World, fault: Fault, kind: type) -> None:
    world.script(Operation.UPLOAD, None, fault)

    outcome = world.publisher.post(TEXT, [PICTURE, PICTURE], None, KEY)

    assert isinstance(outcome, kind)
    assert world.made(TEXT) == 0


def test_a_host_that_nobody_allowed_is_not_asked() -> None:
    with worlds.mastodon(FixedClock()) as world:
        host = "mastodon.example"
        publisher = MastodonPublisher(host, TOKEN, "1001", Hosts.of(["other.example"]), FixedClock())

        assert publisher.post(TEXT, [], None, KEY) == Refused(HOST_NOT_ALLOWED)
        assert world.network.requests == []


@pytest.mark.parametrize("network", [worlds.mastodon, worlds.x])
def test_a_host_that_cannot_be_reached_has_taken_nothing(network) -> None:
    with network(FixedClock()) as world:
        publisher = world.publisher

    assert publisher.post(TEXT, [], None, KEY) == NotTaken(UNREACHABLE)
    assert publisher.find_own(TEXT, None, KEY, NOON) == CannotTell(UNREACHABLE)


def test_a_token_that_names_a_file_is_a_token(tmp_path: Path) -> None:
    """Mastodon.py would send the first line of the file: /proc/self/environ is one."""
    secret = tmp_path / "secret"
    secret.write_text(TOKEN)

    with worlds.mastodon(FixedClock(), token=str(secret)) as world:
        assert world.publisher.post(TEXT, [], None, KEY) == Refused(NOT_CONNECTED)


def test_x_takes_the_four_texts_of_oauth_1() -> None:
    token = '{"consumer_key": "a", "consumer_secret": "b", "access_token": "1001-c", "access_token_secret": "d"}'

    with worlds.x(FixedClock(), token=token) as world:
        outcome = world.publisher.post(TEXT, [], None, KEY)

    assert outcome == Refused(NOT_CONNECTED)  # the fake knows bearer tokens only, and was asked


def test_a_timeline_of_more_posts_than_are_read_cannot_tell() -> None:
    with worlds.mastodon(FixedClock()) as world:
        for number in range(81):
            post(world, f"{TEXT} {number}", key=str(number))

        assert look(world, "Something else") == CannotTell("The account has posted too much since")


def test_x_asks_its_own_host_where_no_other_is_given() -> None:
    publisher = XPublisher(TOKEN, "1001", Hosts.of([]), FixedClock())

    assert publisher.post(TEXT, [], None, KEY) == Refused(HOST_NOT_ALLOWED)
