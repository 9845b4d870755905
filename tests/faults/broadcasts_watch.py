"""What must hold of broadcasts at every moment of a run, and at its end."""

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from broadcasts.instance import Instance
from broadcasts.pacing import Pace
from broadcasts.row import Evidence
from broadcasts.store import BroadcastStore
from tests.dynamo.expressions import Item, plain
from tests.dynamo.model import Written
from tests.faults.books import items
from tests.faults.broadcasts_outside import EVENTS, Outside, of_rows
from tests.faults.chain import OutboxWatch, actions_by_entity, are_all_published, by_the_operator, check_queues
from tests.faults.sweep import Violation
from tests.faults.world import Invocation, Request, World

TABLE, MESSAGES, QUEUE = "BroadcastsTable", "MessagesTable", "BroadcastsQueue"
LIVE = ("importing", "SCHEDULED", "RUNNING", "pausing", "cancelling", "deleting")
GONE = ("deleting", "deleted")
_STOP, _RESUME = "/api/admin/stop", "/api/admin/resume"
_CAMPAIGNS = "/api/campaigns/"
_FENCES, _RELEASES = ("pause", "cancel"), ("start", "resume", "retry")
_CALL = timedelta(seconds=10)
"""How long a call may take."""
_COUNTED = (
    "pending",
    "sending",
    "unknown",
    "closed",
    "sent",
    "delivered",
    "read",
    "failed_retryable",
    "failed_final",
    "skipped",
    "troubled",
    "spent",
    "reserved",
)
_NONE, _SENT, _FAILED, _DELIVERED, _READ = range(5)
_GOES_ON = {
    "DRAFT": {"importing", "SCHEDULED", "RUNNING", "cancelling", "deleting"},
    "importing": {"DRAFT", "SCHEDULED", "RUNNING", "cancelling", "deleting"},
    "SCHEDULED": {"DRAFT", "importing", "RUNNING", "PAUSED", "cancelling"},
    "RUNNING": {"pausing", "cancelling", "COMPLETED"},
    "pausing": {"PAUSED", "RUNNING", "cancelling"},
    "PAUSED": {"RUNNING", "cancelling"},
    "cancelling": {"FAILED", "RUNNING", "deleting"},
    "FAILED": {"RUNNING", "deleting"},
    "COMPLETED": {"RUNNING", "deleting"},
    "deleting": {"deleted"},
    "deleted": set[str](),
}


def campaigns(world: World) -> list[dict[str, Any]]:
    """All campaigns, in the order of their making."""
    return [each for each in items(world, TABLE, part="campaign") if each["id"].startswith("brd_")]


def rows_of(world: World, campaign: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The rows of a campaign's present list that are laid down, by their keys."""
    prefix = f"{campaign['id']}#g{int(campaign['generation'])}#"
    found = (each for each in items(world, MESSAGES) if each["id"].startswith(prefix))
    return {key_of(each["id"], each["part"]): each for each in found}


def key_of(item_id: str, part: str) -> str:
    """The key of a row's item: `g1/r0/0`."""
    _, generation, lane, _ = item_id.split("#")
    return f"{generation}/r{int(lane[1:])}/{int(part)}"


def taken_by(claim: dict[str, Any]) -> dict[str, str]:
    """The rows that a claim on the agenda took, and the attempt of each."""
    found = {}
    for lane, some in json.loads(claim.get("rows", "{}")).items():
        for each in some.split(","):
            number, _, attempt = each.partition(" ")
            found[f"{lane}/{number}"] = attempt
    return found


def status_of(row: dict[str, Any]) -> str:
    """A row's status, as it is shown."""
    if row["evidence"]:
        return ("", "SENT", "FAILED", "DELIVERED", "READ")[int(row["evidence"])]
    return "UNKNOWN" if row["work"] == "closed" else str(row["work"]).upper()


def is_gone(campaign: dict[str, Any]) -> bool:
    return campaign["status"] in GONE


def counted(row: dict[str, Any]) -> Counter[str]:
    """What a row counts for, by the design's words and not by the product's code."""
    evidence, work, price = int(row["evidence"]), row["work"], int(row.get("price", 0))
    # Attempts that were given up may have been sent, so their price stays reserved after a retry.
    found = Counter[str](reserved=int(row.get("earlier", 0)))
    if evidence == _NONE:
        error = json.loads(row["error"]) if row.get("error") else {}
        name = work
        if work == "failed":
            name = "failed_retryable" if error.get("is_retryable") else "failed_final"
        found[name] += 1
        if work in ("pending", "sending", "unknown") and row.get("tries"):
            found["troubled"] += 1
        if work in ("sending", "unknown", "closed"):
            found["reserved"] += price
    elif evidence == _FAILED:
        error = json.loads(row["error"]) if row.get("error") else {}
        found["failed_retryable" if error.get("is_retryable") else "failed_final"] += 1
    else:
        found["sent"] += 1
        found["delivered"] += evidence >= _DELIVERED
        found["read"] += evidence == _READ
        found["spent"] += price
    return found


def shown(world: World, campaign: dict[str, Any]) -> Counter[str]:
    """The sum of a campaign's counters."""
    found = Counter[str](json.loads(campaign["counted"]))
    for each in items(world, TABLE, id=campaign["id"]):
        if each["part"].startswith("count#"):
            found.update({name: int(each.get(name, 0)) for name in _COUNTED})
    return found


def check_counters(world: World) -> None:
    """The counters are the rows, and add up to the list. Raises Violation."""
    for each in campaigns(world):
        if is_gone(each):
            continue
        rows = rows_of(world, each)
        wanted = sum(map(counted, rows.values()), Counter[str]())
        wanted["pending"] += int(each["accepted"]) - len(rows)
        found = shown(world, each)
        if +found != +wanted or min(found.values(), default=0) < 0:
            raise Violation(f"{each['id']} counts {+found}, and its rows {+wanted}")
        parts = ("pending", "sending", "unknown", "closed", "sent", "failed_retryable", "failed_final", "skipped")
        if sum(found[name] for name in parts) != int(each["accepted"]):
            raise Violation(f"{each['id']} has {each['accepted']} recipients, and counts {found}")


@dataclass(frozen=True)
class _Claim:
    """A claim of a row: what it took of which day's quota, and when."""

    number: int
    owner: str
    day: str
    price: int


class Watch:
    """What must hold of broadcasts at every moment of a run."""

    def __init__(self, outside: Outside) -> None:
        self.outbox = OutboxWatch()
        self._outside = outside
        self._fenced: dict[str, int] = {}
        """Campaigns of which a pause, a cancel or a delete was answered, with the number of the next call then."""
        self._stopped: int | None = None
        """The number of the next call when a stop was answered."""
        self._asked: dict[str, int] = {}
        """Of each campaign how many calls there were when it was last asked to go on."""
        self._asked_at: dict[int, int] = {}
        self._may_repeat: set[str] = set()
        """Campaigns whose owner wants those again of whom nobody knows whether they have the message."""
        self._is_disturbed = False
        self._claims: dict[str, _Claim] = {}
        """By the attempts."""
        self._called: set[str] = set()
        self._paces: dict[str, list[datetime]] = defaultdict(list)
        """When messages were claimed, of each instance."""
        self._suppressed: dict[str, int] = {}
        """When contacts were suppressed: the number of the write."""
        self._writes = 0
        self.taken: Counter[tuple[str, str]] = Counter()
        """What was claimed of each owner's day, less what was given back."""
        self.prices: Counter[tuple[str, str]] = Counter()
        self.heard: Counter[tuple[str, str, str]] = Counter()
        """How often each row of a campaign came to be sent, or failed: an event each."""

    def disturbed(self) -> None:
        self._is_disturbed = True

    # Requests

    def asked(self, world: World, request: Request) -> None:
        self._asked_at.setdefault(id(request), len(world.sites))
        action = request.body.get("action") if isinstance(request.body, dict) else None
        name = request.path.removeprefix(_CAMPAIGNS).partition("/")[0]
        if action in _RELEASES:
            self._fenced.pop(name, None)
            self._asked[name] = len(world.sites)
            if request.body.get("include_unknown"):
                self._may_repeat.add(name)
        if request.path == _RESUME:
            self._stopped = None
            self._asked["platform"] = len(world.sites)

    def answered(self, world: World, request: Request, status: int, body: Any) -> None:
        began = self._asked_at[id(request)]
        if status == 200 and request.path == _STOP and self._asked.get("platform", -1) < began:
            self._stopped = len(world.sites)
        action = request.body.get("action") if isinstance(request.body, dict) else None
        is_fence = (status == 200 and action in _FENCES) or (status == 202 and request.method == "DELETE")
        if is_fence and self._asked.get(body["id"], -1) < began:
            self._fenced[body["id"]] = len(world.sites)

    # Writes

    def wrote(self, world: World, written: list[Written]) -> None:
        if not world.running:
            return  # a hand
        self._writes += 1
        self.outbox.wrote(world, written)
        for each in written:
            before, after = _plain(each.before), _plain(each.after)
            if each.table == MESSAGES and before and after and _is_campaign(each):
                self._row(plain(each.key["id"]), before, after, written)
            if each.table == MESSAGES and plain(each.key["id"]).startswith("contact#"):
                self._contact(plain(each.key["id"]), after)
        if claimed := list(_claimed(written)):
            self._claimed(world, claimed, written)
        for each in written:
            if each.table == TABLE and plain(each.key["part"]) == "quota":
                _check_alerts(_plain(each.before), written)
            if each.table == TABLE and plain(each.key["part"]) == "campaign" and _is_campaign(each):
                _check_campaign(_plain(each.before), _plain(each.after), written)
        if any(each.table in (TABLE, MESSAGES) for each in written):
            check_counters(world)

    def _contact(self, name: str, after: dict[str, Any]) -> None:
        if after.get("suppressed_at"):
            self._suppressed.setdefault(name, self._writes)
        else:
            self._suppressed.pop(name, None)

    def _row(self, item_id: str, before: dict[str, Any], after: dict[str, Any], written: list[Written]) -> None:
        name, key = item_id.partition("#")[0], key_of(item_id, after["part"])
        if after["v"] <= before["v"]:
            raise Violation(f"{key} of {name} was written, and its version went from {before['v']} to {after['v']}")
        is_claim = before.get("attempt") != after.get("attempt")
        if after["evidence"] < before["evidence"] and not is_claim:
            raise Violation(f"what a provider said of {key} went back from {before['evidence']} to {after['evidence']}")
        was, now = counted(before), counted(after)
        if after.get("sent_at") and not before.get("sent_at"):
            self.heard[name, key, "sent"] += 1
        if _failed(now) > _failed(was):
            self.heard[name, key, "failed"] += 1
        if (
            before["work"] in ("sending", "unknown")
            and after["work"] == "pending"
            and not _is_put("retry", key, written)
        ):
            raise Violation(f"{key} is pending again, and nothing brings it back")
        is_looked = before["work"] != "unknown" or before.get("looks") != after.get("looks")
        if after["work"] == "unknown" and is_looked and not after["evidence"] and not _is_put("look", key, written):
            raise Violation(f"{key} is unknown, and nobody looks it up")
        is_refused = after["work"] in ("pending", "failed") and not after["evidence"]
        if before["work"] in ("sending", "unknown") and is_refused and not is_claim:
            claim = self._claims[after["attempt"]]
            self.taken[claim.owner, claim.day] -= 1
            self.prices[claim.owner, claim.day] -= claim.price

    def _claimed(
        self, world: World, claimed: list[tuple[str, dict[str, Any], dict[str, Any]]], written: list[Written]
    ) -> None:
        """Rows were claimed: by a step of a running campaign, for which nobody had said otherwise."""
        now = world.now()
        parts = {plain(each.key["part"]): each for each in written if each.table == TABLE and _is_campaign(each)}
        step = parts.get("campaign")
        if step is None or plain((step.before or {})["status"]) != "RUNNING":
            raise Violation("rows were claimed, and not by a step of a running campaign")
        campaign = _plain(step.after)
        name = campaign["id"]
        if datetime.fromisoformat(plain((step.before or {})["wake_at"])) > now:
            raise Violation("rows were claimed before the step was due")
        if name in self._fenced:
            raise Violation("rows were claimed after a pause, a cancel or a delete was answered")
        if self._stopped is not None:
            raise Violation("rows were claimed after a stop was answered")
        due = next((_plain(each.after) for part, each in parts.items() if part.startswith("due#claim#")), {})
        taken = taken_by(due)
        for item_id, before, after in claimed:
            key = key_of(item_id, after["part"])
            if taken.get(key) != after["attempt"]:
                raise Violation(f"{key} was claimed, and the agenda does not know it")
            self._check_claimable(name, key, before)
            contact = f"contact#{campaign['created_by']}#{after['contact']}"
            if any(each.get("suppressed_at") for each in items(world, MESSAGES, id=contact)):
                raise Violation(f"{key} was claimed, and the person wants no messages")
            price = int(after.get("price", 0))
            self._claims[after["attempt"]] = _Claim(self._writes, campaign["created_by"], due["day"], price)
            self.taken[campaign["created_by"], due["day"]] += 1
            self.prices[campaign["created_by"], due["day"]] += price
        limits = next(iter(items(world, TABLE, part="owner")), {})
        if self.taken[campaign["created_by"], due["day"]] > int(limits.get("daily_limit", len(self._claims))):
            raise Violation(f"more was claimed than the owner's limit of {limits['daily_limit']} a day")
        self._check_pace(world, campaign, len(claimed))

    def _check_claimable(self, name: str, key: str, before: dict[str, Any]) -> None:
        if before["evidence"] not in (_NONE, _FAILED):
            raise Violation(f"{key} was claimed again, and a provider had said that it was sent")
        if before["work"] == "closed" and not before["evidence"] and name not in self._may_repeat:
            raise Violation(f"{key} was claimed again, and nobody knows whether it was sent")
        if before["work"] in ("sending", "unknown", "skipped") and not before["evidence"]:
            raise Violation(f"{key} was claimed, and it was {before['work']}")

    def _check_pace(self, world: World, campaign: dict[str, Any], many: int) -> None:
        """Over any window an instance sends at most (window + slack) / T + k."""
        found = next(each for each in items(world, TABLE, part="campaign") if each["id"] == campaign["instance_id"])
        pace = Pace(int(found["rate_limit"]), int(campaign["rate_limit"]))
        times, now = self._paces[campaign["instance_id"]], world.now()
        times += [now] * many
        for number, begin in enumerate(times):
            most = (now - begin + pace.slack) / pace.instance_interval + pace.width
            if len(times) - number > most:
                raise Violation(f"{len(times) - number} messages were claimed in {now - begin}, and at most {most} may")

    # Calls

    def called(self, world: World, instance: Instance, campaign_id: str, row: str, attempt: str, phone: str) -> None:
        """A call begins: its row is claimed for it, nobody makes it twice, and its fence was read in time."""
        if self not in world.watchers:
            return  # what a flow begins with is made
        invocation = world.running[-1]
        campaign = next(each for each in campaigns(world) if each["id"] == campaign_id)
        found = rows_of(world, campaign).get(row)
        if found is None or (found["work"], found.get("attempt")) != ("sending", attempt) or found["evidence"]:
            raise Violation(f"{row} was called, and it is {found}")
        if attempt in self._called:
            raise Violation(f"{attempt} of {row} was called twice")
        self._called.add(attempt)
        if found["phone"] != phone or campaign["instance_id"] != instance.id:
            raise Violation(f"{row} was called by {instance.id} at {phone}")
        claims = [each for each in items(world, TABLE, id=campaign_id) if each["part"].startswith("due#claim#")]
        claim = next((each for each in claims if taken_by(each).get(row) == attempt), None)
        if claim is None:
            raise Violation(f"{row} was called, and its claim is not on the agenda")
        if datetime.fromisoformat(claim["part"].split("#")[2]) < world.now() + _CALL:
            raise Violation("a call was made that may end after its deadline")
        contact = f"contact#{campaign['created_by']}#{found['contact']}"
        if self._suppressed.get(contact, self._writes + 1) < self._claims[attempt].number:
            raise Violation(f"{row} was called, and the person wants no messages")
        self._check_fence(world, invocation, campaign_id)

    def _check_fence(self, world: World, invocation: Invocation, campaign_id: str) -> None:
        depth = len(world.running)
        own = [each for each in world.sites[invocation.first :] if each.depth == depth]
        fence = next(
            (
                each.number
                for each in reversed(own)
                if each.operation == "BatchGetItem" and each.line.startswith("broadcasts.calls:")
            ),
            None,
        )
        if fence is None:
            raise Violation("a call was made without a fence read")
        for name, answered in ((campaign_id, self._fenced.get(campaign_id)), ("the platform", self._stopped)):
            if answered is None:
                continue
            in_its_middle = all(each.depth > depth for each in world.sites[fence + 1 : answered])
            if answered <= fence or in_its_middle:
                raise Violation(f"a call was made whose fence was read after {name} was stopped")

    def accepted(self, world: World) -> None:
        """No row is accepted twice, but one whose owner took that upon them, or whose message had failed."""
        for each in campaigns(world):
            for row, many in self._outside.accepted(each["id"]).items():
                failed = [attempt for attempt, said in self._outside.told[each["id"], row] if said is Evidence.FAILED]
                if many - len({*failed}) > 1 and each["id"] not in self._may_repeat:
                    raise Violation(f"{row} of {each['id']} was accepted {many} times")

    # The rest

    def published(self, world: World, entries: list[Any]) -> None:
        self.outbox.published(world, entries)

    def delivered(self, world: World) -> None:
        self.accepted(world)
        if not self._is_disturbed and any(each.receives for queue in (QUEUE, EVENTS) for each in world.queues[queue]):
            raise Violation(f"a worker failed, and nothing was out of order: {world.crashes[-1:]!r}")

    def kept(self, world: World) -> None: ...

    def restored(self, world: World) -> None: ...


def _plain(item: Item | None) -> dict[str, Any]:
    return {name: plain(value) for name, value in (item or {}).items()}


def _is_campaign(written: Written) -> bool:
    return bool(plain(written.key["id"]).startswith("brd_"))


def _claimed(written: list[Written]) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """The rows that a transaction claims: their items' ids, and what they were and are."""
    for each in written:
        if each.table == MESSAGES and _is_campaign(each) and each.before and each.after:
            before, after = _plain(each.before), _plain(each.after)
            if after["work"] == "sending" and before.get("attempt") != after["attempt"]:
                yield plain(each.key["id"]), before, after


def _is_put(kind: str, key: str, written: list[Written]) -> bool:
    """Whether an entry of the agenda for a row is put in the same transaction."""
    parts = (plain(each.key["part"]) for each in written if each.table == TABLE and each.after is not None)
    return any(part.startswith(f"due#{kind}#") and part.endswith(f"#{key}") for part in parts)


def _failed(found: Counter[str]) -> int:
    return found["failed_retryable"] + found["failed_final"]


def _check_alerts(before: dict[str, Any], written: list[Written]) -> None:
    """Each alert of a day's quota is given once, whichever campaign gives it."""
    given = [plain((each.after or {})["action"]) for each in written if each.table == "AuditTable"]
    for action, flag in (("BROADCAST_QUOTA_WARNED", "warned"), ("BROADCAST_QUOTA_REACHED", "reached")):
        if action in given and before.get(flag):
            raise Violation(f"{action} was told again")


def _check_campaign(before: dict[str, Any], after: dict[str, Any], written: list[Written]) -> None:
    """Each transition is allowed, and leaves one audit entry and its event."""
    if not after:
        raise Violation("a campaign was deleted")
    name, was, now = after["id"], before.get("status"), after["status"]
    entries = [
        plain((each.after or {})["action"])
        for each in written
        if each.table == "AuditTable" and plain(each.key["entity"]) == name
    ]
    events = sum(each.table == "OutboxTable" for each in written)
    if was is not None and was != now and now not in _GOES_ON[was]:
        raise Violation(f"{name} went from {was} to {now}")
    is_by_itself = {was, now} <= {"DRAFT", "importing", "SCHEDULED"} or (was == now)
    if len(entries) != 1 and not (is_by_itself and not entries):
        raise Violation(f"a transition from {was} to {now} left {entries}")
    told = sum(bool(BroadcastStore.events.get(each)) for each in entries)
    if events != told:
        raise Violation(f"{entries} left {events} events")
    if not before:
        return
    sweeps = int(after.get("sweeps", 0)) - int(before.get("sweeps", 0))
    steps = after["step"] - before["step"]
    if steps < 0 or (steps == 0 and before["updated_at"] != after["updated_at"]):
        raise Violation("a commit or a command did not move the step on")
    if steps == 0 and sweeps == 0 and before != after:
        raise Violation(f"{name} was written without a step")
    if int(after["generation"]) < int(before["generation"]) or int(after["pass_number"]) < int(before["pass_number"]):
        raise Violation("a number went back")


# --- At rest


def is_settled(world: World) -> bool:
    """Whether nothing is left to do."""
    return not list(_left(world)) and are_all_published(world)


def _left(world: World) -> Iterator[str]:
    for each in campaigns(world):
        if each["status"] in LIVE:
            yield f"{each['id']} is {each['status']}"


@dataclass(frozen=True)
class Base:
    """What was there before a flow: the events that were told, and what was taken of the quotas."""

    events: Collection[str]
    quotas: Mapping[Any, tuple[int, int]]

    @classmethod
    def of(cls, world: World) -> "Base":
        return cls([each["id"] for each in world.dynamo.items("OutboxTable")], quotas_of(world))


def quotas_of(world: World) -> dict[Any, tuple[int, int]]:
    """How many messages of which price were taken of each owner's day."""
    found = items(world, TABLE, part="quota")
    return {tuple(each["id"].split("#")[1:]): (int(each.get("used", 0)), int(each.get("price", 0))) for each in found}


def check_rest(world: World, outside: Outside, watch: Watch, before: Base) -> None:
    """What must hold when nothing is on its way. Raises Violation."""
    check_counters(world)
    watch.accepted(world)
    if left := list(_left(world)):
        raise Violation(f"left behind: {left}")
    check_queues(world)
    for each in campaigns(world):
        if is_gone(each):
            _check_gone(world, each)
        else:
            _check_rows(world, outside, each)
    _check_quotas(world, watch, before)
    _check_events(world, watch, before.events)
    if broken := [each for each in world.crashes if isinstance(each, (AttributeError, LookupError, TypeError))]:
        raise Violation(f"a function broke: {broken[0]!r}")
    with by_the_operator(world) as verify:
        for entity in actions_by_entity(world):
            if not entity.startswith(("brd_", "platform")):
                continue
            if problem := verify(entity):
                raise Violation(f"the audit trail of {entity}: {problem}")


def _check_gone(world: World, campaign: dict[str, Any]) -> None:
    left = [each["part"] for each in items(world, TABLE, id=campaign["id"]) if each["part"] != "campaign"]
    left += [each["id"] for each in items(world, MESSAGES) if each["id"].startswith(f"{campaign['id']}#")]
    if left:
        raise Violation(f"{campaign['id']} is deleted, and {left} is left")


def _check_rows(world: World, outside: Outside, campaign: dict[str, Any]) -> None:
    """What the rows say is what the provider knows."""
    accepted = outside.accepted(campaign["id"])
    rows = rows_of(world, campaign)
    if len(rows) != sum(each["id"].startswith(f"{campaign['id']}#") for each in items(world, MESSAGES)):
        raise Violation(f"{campaign['id']} has rows of a list that was replaced")
    if len(rows) != int(campaign["accepted"]):
        raise Violation(f"{campaign['id']} has {campaign['accepted']} recipients, and {len(rows)} rows")
    for key, row in rows.items():
        status, evidence = status_of(row), int(row["evidence"])
        if status == "SENDING" or (row["work"] == "unknown" and not evidence):
            raise Violation(f"{key} is {status}, and nothing is on its way")
        told = of_rows(outside.told[campaign["id"], key], row.get("attempt", ""))
        if evidence != max(told, min(evidence, _SENT)) or (evidence and not accepted[key]):
            raise Violation(f"{key} is {status}, it was told {told.name}, and was accepted {accepted[key]} times")
        if accepted[key] and not evidence and row["work"] != "closed" and not _was_failed(outside, campaign, key):
            raise Violation(f"{key} is {status}, and it was accepted")
        if campaign["status"] == "COMPLETED" and status == "PENDING":
            raise Violation(f"{key} is pending, and {campaign['id']} is completed")
    agenda = [each["part"] for each in items(world, TABLE, id=campaign["id"]) if each["part"].startswith("due#")]
    if campaign["status"] == "COMPLETED" and agenda:
        raise Violation(f"{campaign['id']} is completed, and {agenda} is on its agenda")


def _was_failed(outside: Outside, campaign: dict[str, Any], key: str) -> bool:
    """Whether all that was accepted of a row was told to have failed: then it may be tried again."""
    failed = {attempt for attempt, said in outside.told[campaign["id"], key] if said is Evidence.FAILED}
    sent = {each.attempt for each in outside.sent if (each.campaign_id, each.row) == (campaign["id"], key)}
    return sent <= failed


def _check_quotas(world: World, watch: Watch, before: Base) -> None:
    """What a day's quota has is what was claimed, less what was certainly not sent."""
    found = quotas_of(world)
    for day in {*found, *watch.taken}:
        used, price = before.quotas.get(day, (0, 0))
        wanted = used + watch.taken[day], price + watch.prices[day]
        if found.get(day, (0, 0)) != wanted:
            raise Violation(f"{wanted} was taken of the quota of {day}, and it has {found.get(day)}")


def _check_events(world: World, watch: Watch, before: Collection[str]) -> None:
    """Each transition was told, once; each row that came to be sent, or failed, too."""
    events = list(world.dynamo.items("OutboxTable"))
    if any(event["status"] != "processed" for event in events):
        raise Violation("an event was not marked as published")
    names = {*filter(None, BroadcastStore.events.values())}
    told = Counter(event["name"] for event in events if event["name"] in names)
    said = Counter(
        name
        for entity, actions in actions_by_entity(world).items()
        for action in actions
        if entity.startswith("brd_") and (name := BroadcastStore.events.get(action))  # type: ignore[call-overload]
    )
    if told != said:
        raise Violation(f"audit entries and events do not match: {said}, {told}")
    rows = Counter[tuple[str, str, str]]()
    events = [event for event in events if event["id"] not in before]
    for event in events:
        if event["name"] in ("message:sent", "message:failed"):
            data = json.loads(event["data"])
            what = event["name"].partition(":")[2]
            rows.update((data["campaignId"], each["row"], what) for each in data["entries"])
    if rows != watch.heard:
        raise Violation(f"rows came to {watch.heard}, and the events tell {rows}")
    if {json.loads(entry["Detail"])["id"] for entry in world.bus} != {event["id"] for event in events}:
        raise Violation("what was published is not what is in the outbox")
    if any(each["phone"] in json.dumps(world.bus) for each in items(world, MESSAGES) if each.get("phone")):
        raise Violation("an event tells a phone")
