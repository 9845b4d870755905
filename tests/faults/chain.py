"""What must hold of any chain, whatever its steps do: fences, claims, one live message, the trail of what it did."""

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import operations.audit
from tests.dynamo.expressions import Item, plain
from tests.dynamo.model import Written
from tests.faults.faults import Faults
from tests.faults.script import Command
from tests.faults.sweep import Violation
from tests.faults.world import SWEEPER, Request, World

CAMPAIGN = "campaign"
# The command that answers with such a status fences: until a command that releases, no batch may be committed.
_FENCES = {"pause": "paused", "cancel": "cancelled"}
_RELEASES = ("execute", "revert")
_STOP, _RESUME = "/api/admin/stop", "/api/admin/resume"
SHARED = dict.fromkeys(
    ("OperationsOutboxRelayFunction", SWEEPER, "OperationsStopFunction"), "The reference chain breaks it, for all."
)
"""The functions that all contexts share: their calls go wrong where the reference chain is."""
_ON_ITS_WAY = timedelta(seconds=10)
_GOES_ON_AFTER = timedelta(minutes=5)


@dataclass(frozen=True)
class Chain:
    """A chain, as its table has it. `prefix`: of its campaigns' ids; `live`: the statuses that have a next step."""

    table: str
    queue: str
    prefix: str
    live: tuple[str, ...]

    def campaigns(self, world: World) -> list[dict[str, Any]]:
        """In the order of their making."""
        found = (item for item in world.dynamo.items(self.table, part=CAMPAIGN) if self._is_id(item["id"]))
        return sorted(found, key=lambda item: str(item["id"]))

    def is_campaign(self, written: Written) -> bool:
        if written.table != self.table or plain(written.key["part"]) != CAMPAIGN:
            return False
        return self._is_id(plain(written.key["id"]))

    def is_settled(self, world: World) -> bool:
        return not any(each["status"] in self.live for each in self.campaigns(world))

    def live_messages(self, world: World, campaign: dict[str, Any]) -> list[str]:
        """The messages that could commit a campaign's next step."""
        on_their_way = [message.body for message in world.queues[self.queue]]
        on_their_way += [schedule.body for schedule in world.one_time.values()]
        return [body for body in on_their_way if _means(body, campaign)]

    def send_strange(self, world: World) -> None:
        """Messages of a campaign that there is not, of a step that one has not come to, and of one that is not due."""
        campaign = self.campaigns(world)[0]
        step = int(campaign["step"])
        nobody = f"{self.prefix}_01KAJ3W5V0SM0FKVYVXB9EQT6N"
        for name, number in ((nobody, 1), (campaign["id"], step + 50), (campaign["id"], step)):
            world.send(self.queue, json.dumps({"campaign_id": name, "step": number}), timedelta(), Counter())

    def check_rest(self, world: World) -> None:
        """Nothing is left behind."""
        for campaign in self.campaigns(world):
            if campaign["status"] in self.live:
                raise Violation(f"left behind: {campaign['id']} is {campaign['status']}")

    def _is_id(self, name: str) -> bool:
        return name.startswith(f"{self.prefix}_")


class ChainWatch:
    """Watches a chain at every moment of a run.

    `released`: the campaigns of which a write is a batch, as the context knows them. What is written together is one
    transaction.
    """

    def __init__(self, chain: Chain, released: Callable[[list[Written]], Collection[str]]) -> None:
        self._chain = chain
        self._released = released
        self.fenced: set[str] = set()
        self.is_stopped = False
        self.stopped_at = 0
        """The number of the first call after that."""
        self.is_disturbed = False
        self.woken: set[str] = set()
        """Campaigns that the sweeper woke since their last commit or command."""
        self.clean_commits: Counter[str] = Counter()
        self._under_way: list[Request] = []
        """Requests that are not answered yet, or never are."""
        self._taken_back: list[Request] = []
        """Those in the middle of which the tables were put back: what they are answered may be gone."""

    def disturbed(self) -> None:
        self.clean_commits.clear()
        self.is_disturbed = True

    def asked(self, world: World, request: Request) -> None:
        self._under_way.append(request)
        path, _, verb = request.path.rpartition("/")
        if verb in _RELEASES:
            self.fenced.discard(path.rpartition("/")[2])
        if request.path == _RESUME:
            self.is_stopped = False

    def answered(self, world: World, request: Request, status: int, body: Any) -> None:
        if any(each is request for each in self._taken_back):
            return
        verb = request.path.rpartition("/")[2]
        if status == 200 and verb in _FENCES and body["status"] == _FENCES[verb]:
            self.fenced.add(body["id"])
        if status == 200 and (request.method, request.path) == ("POST", _STOP):
            self.is_stopped = True
            self.stopped_at = len(world.sites)

    def wrote(self, world: World, written: list[Written]) -> None:
        released = self._released(written)
        for campaign_id in released:
            if campaign_id in self.fenced:
                raise Violation("a batch was committed after a pause or a cancel was answered")
            if self.is_stopped:
                raise Violation("a batch was committed after a stop was answered")
        for each in written:
            if self._chain.is_campaign(each) and each.after is not None:
                self._campaign(world, each, each.after, written, released)

    def published(self, world: World, entries: list[Any]) -> None: ...

    def kept(self, world: World) -> None: ...

    def restored(self, world: World) -> None:
        """What was answered since is taken back, and an operator goes on from there."""
        later_go_on(world)
        self.fenced.clear()
        self.is_stopped = False
        self.woken.clear()
        self.clean_commits.clear()
        self._taken_back = list(self._under_way)

    def delivered(self, world: World) -> None:
        swept = (schedule.name for schedule in world.wiring.recurring if schedule.target == SWEEPER)
        if world.happened in swept and not self.is_disturbed:
            self._check_swept(world)
        self.is_disturbed = False
        is_calm = isinstance(world.nemesis, Faults) and not world.nemesis.hit
        failed = [message.body for message in world.queues[self._chain.queue] if message.receives]
        if is_calm and failed:
            raise Violation(f"nothing went wrong, and these failed: {failed}")
        # A message of a time that was taken back may name a step that the campaign comes to again: it is a copy.
        is_watched = self.clean_commits and not world.is_restored
        for campaign in self._chain.campaigns(world) if is_watched else ():
            if self.clean_commits[campaign["id"]] >= 2 and len(self._chain.live_messages(world, campaign)) > 1:
                raise Violation(f"{campaign['id']} has several live messages, two clean commits after the last fault")

    def _campaign(
        self, world: World, each: Written, after: Item, written: list[Written], released: Collection[str]
    ) -> None:
        campaign_id = plain(each.key["id"])
        before = each.before
        if campaign_id in released:
            assert before
            if "wake_at" in before and datetime.fromisoformat(plain(before["wake_at"])) > world.now():
                raise Violation("a batch was committed before it was due")
        self._check_told(world, campaign_id, before, after, written)
        if before is None:
            return
        sweeps = _number(after, "sweeps") - _number(before, "sweeps")
        if sweeps > 0:
            self.clean_commits[campaign_id] = 0
            self._claim(world, before)
        steps = plain(after["step"]) - plain(before["step"])
        if steps < 0 or (steps == 0 and before["updated_at"] != after["updated_at"]):
            raise Violation("a commit or a command did not move the step on")
        if steps == 0 and sweeps == 0:
            raise Violation("two sweepers claimed the same campaign at once")
        if steps:
            self.woken.discard(campaign_id)
            if _number(after, "sweeps") and plain(after["status"]) in self._chain.live:
                raise Violation("a campaign moved on, and the sweeper's patience with it did not begin again")
        self.clean_commits[campaign_id] += self._lets_copies_die(before, after)

    def _lets_copies_die(self, before: Item, after: Item) -> bool:
        """Whether copies of a message die at a write.

        A record is of the same message as the commit before it: a copy of that message may wake the step again.
        """
        return before["status"] != after["status"] or is_step(before, after)

    def _check_told(
        self, world: World, campaign_id: str, before: Item | None, after: Item, written: list[Written]
    ) -> None:
        """Each transition leaves an audit entry and an event, and nothing else does."""
        of_it = [
            plain((other.after or {})["action"])
            for other in written
            if other.table == "AuditTable" and plain(other.key["entity"]) == campaign_id
        ]
        bridges = sum(map(is_bridge, of_it))
        if bridges and not world.is_restored:
            raise Violation("a restore was bridged, and there was none")
        entries = len(of_it) - bridges
        events = sum(other.table == "OutboxTable" for other in written)
        moved = int(before is None or plain(before["status"]) != plain(after["status"]))
        if (entries, events) != (moved, moved):
            raise Violation(f"a transition left {entries} audit entries and {events} events")

    def _claim(self, world: World, campaign: Item) -> None:
        values = {name: plain(value) for name, value in campaign.items()}
        self.woken.add(values["id"])
        if values["status"] not in self._chain.live or _late_by(world, values) <= timedelta():
            raise Violation("the sweeper woke a campaign that was not overdue")
        if values.get("sweeps") and datetime.fromisoformat(values["sweep_at"]) > world.now():
            raise Violation("the sweeper woke a campaign again too soon")
        if self.is_stopped and world.running[-1].first >= self.stopped_at:
            raise Violation("the sweeper woke a campaign while the platform was stopped")

    def _check_swept(self, world: World) -> None:
        # A campaign may be taken back to when the sweeper had just woken it.
        if world.is_restored or any(
            item["status"] == "stopped" for item in world.dynamo.items(self._chain.table, id="platform")
        ):
            return
        for campaign in self._chain.campaigns(world):
            is_woken = campaign["id"] in self.woken
            if campaign["status"] in self._chain.live and not is_woken and _late_by(world, campaign) > _ON_ITS_WAY:
                raise Violation("the sweeper left a campaign asleep that was overdue")


def _late_by(world: World, campaign: dict[str, Any]) -> timedelta:
    return world.now() - datetime.fromisoformat(campaign["wake_at"])


def _means(body: str, campaign: dict[str, Any]) -> bool:
    try:
        return bool(json.loads(body) == {"campaign_id": campaign["id"], "step": int(campaign["step"])})
    except ValueError:
        return False


def is_step(before: Item, after: Item) -> bool:
    """Whether a write is a step of the chain: no command, and no record of what was done outside."""
    return _number(after, "steps_done") > _number(before, "steps_done")


def _number(item: Item, name: str) -> int:
    return int(plain(item[name])) if name in item else 0


# --- What is done with any chain


def platform(verb: str, **options: Any) -> Command:
    """Stop every context, or let them go on."""
    return Command("POST", f"/api/admin/{verb}", {"reason": "a test"}, **options)


def act(what: Callable[[World], Any], **options: Any) -> Command:
    """What happens beside the requests."""
    return Command("", "", act=lambda world, _ids: what(world), **options)


# --- After a restore


def later_go_on(world: World) -> None:
    """Let an operator go on, who needs some minutes for it."""
    world.after(_GOES_ON_AFTER, lambda: go_on(world), "an operator goes on")


def go_on(world: World) -> None:
    """Stop the platform, whatever was restored, and resume it: as the operator does."""
    _ask(world, _STOP, 200, 409)
    _ask(world, _RESUME, 200)


def check_goes_on(world: World, chain: Chain, path: str) -> None:
    """Nothing is stuck: a last command of each campaign is obeyed, or refused for a reason, and its trail is whole."""
    with by_the_operator(world) as verify:
        for campaign in chain.campaigns(world):
            is_obeyed = _ask(world, f"{path}/{campaign['id']}/cancel", 200, 409) == 200
            if is_obeyed and (problem := verify(campaign["id"])):
                raise Violation(f"the audit trail of {campaign['id']} after a restore and a command: {problem}")
        if problem := verify("platform"):
            raise Violation(f"the platform's audit trail after a restore: {problem}")


def _ask(world: World, path: str, *wanted: int) -> int:
    body = {"reason": "a restore"} if path in (_STOP, _RESUME) else None
    request = Request("POST", path, body, f"{path}-after-a-restore")
    status, answer = world.http(request)
    if status not in wanted:
        raise Violation(f"after a restore, {path} is answered with {status}: {answer}")
    return status


# --- The outbox


class OutboxWatch:
    """Watches the outbox: what is marked as published is not published again."""

    def __init__(self) -> None:
        self.processed: dict[str, datetime] = {}
        self.deleted: list[str] = []
        """The names of events whose rows were deleted by hand."""

    def wrote(self, world: World, written: list[Written]) -> None:
        for each in written:
            if each.table == "OutboxTable" and each.after is None:
                self.deleted.append(plain((each.before or {})["name"]))
            elif each.table == "OutboxTable" and plain((each.after or {})["status"]) == "processed":
                self.processed.setdefault(plain(each.key["id"]), world.now())

    def published(self, world: World, entries: list[Any]) -> None:
        for entry in entries:
            since = self.processed.get(json.loads(entry["Detail"])["id"])
            if since and since < world.now():
                raise Violation("an event was published again after it had been marked as published")


def are_all_published(world: World) -> bool:
    return all(event["status"] == "processed" for event in world.dynamo.items("OutboxTable"))


# --- At rest


def check_queues(world: World) -> None:
    """No message is left, and no letter is dead."""
    for name, messages in world.queues.items():
        if messages:
            raise Violation(f"left in {name}: {messages}")


def actions_by_entity(world: World) -> dict[str, list[str]]:
    """What the audit log says of each entity, in order."""
    actions: dict[str, list[str]] = {}
    for item in sorted(world.dynamo.items("AuditTable"), key=lambda item: (item["entity"], item["number"])):
        actions.setdefault(item["entity"], []).append(item["action"])
    return actions


@contextmanager
def by_the_operator(world: World) -> Iterator[Callable[[str], str | None]]:
    """The verification that an operator asks for: what is wrong with an entity's trail."""
    with world.environment_of("OperationsAuditFunction"):
        trail = operations.audit.trail()
        yield lambda entity: trail.verify(entity).problem


def check_trail(world: World, verify: Callable[[str], str | None], deleted: Iterable[str] = ()) -> None:
    """Every audit chain is whole, and each entry has its one event, published. `deleted`: the names of those gone."""
    actions = actions_by_entity(world)
    for entity in sorted(actions):
        problem = verify(entity)
        # What was not commanded since a restore has not been bridged.
        if problem and not (world.is_restored and "ahead of the entity" in problem):
            raise Violation(f"the audit trail of {entity}: {problem}")
    events, gone = list(world.dynamo.items("OutboxTable")), list(deleted)
    expected = Counter(event_of(action) for each in actions.values() for action in each if not is_bridge(action))
    if expected != Counter([*(event.get("name") for event in events), *gone]):
        raise Violation(f"audit entries and events do not match: {actions}, {events}")
    if any(event["status"] != "processed" for event in events):
        raise Violation("an event was not marked as published")
    if not gone and {json.loads(entry["Detail"])["id"] for entry in world.bus} != {event["id"] for event in events}:
        raise Violation("what was published is not what is in the outbox")


def is_bridge(action: str) -> bool:
    """Whether an entry goes on after a restore: it has no event."""
    return action.endswith("_RESTORED")


def event_of(action: str) -> str:
    """The event that goes with an entry: `VIEWS_IMPORT_CREATED` with `ViewsImportCreated`.

    The boosts' actions have the name that their first users gave them (decision 9 of the requirements).
    """
    return action.replace("FAKE_VIEWS_CAMPAIGN_", "BOOST_").title().replace("_", "")
