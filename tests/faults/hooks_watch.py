"""What must hold of webhooks at every moment of a run, and at its end."""

import json
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from standardwebhooks import Webhook

from hooks.signature import derived
from hooks.types import TEST, type_of
from tests.account import secret_of
from tests.dynamo.expressions import Item, plain
from tests.dynamo.model import Written
from tests.faults.books import items
from tests.faults.chain import (
    CAMPAIGN,
    Chain,
    ChainWatch,
    OutboxWatch,
    by_the_operator,
    check_queues,
    check_trail,
    is_step,
)
from tests.faults.hooks_outside import Receivers
from tests.faults.sweep import Violation
from tests.faults.world import Request, World

TABLE, QUEUE, EVENTS = "HooksTable", "HooksQueue", "HooksEventsQueue"
HOOKS = "/api/admin/hooks"
WORKER = "HooksWorkerFunction"
CHAIN = Chain(TABLE, QUEUE, "dlv", live=("waiting", "sending"))
_ATTEMPTS, _MOST = 10, 50
_PLATFORM = ("platform", CAMPAIGN)

type Key = tuple[Any, ...]


def endpoints(world: World) -> list[dict[str, Any]]:
    """All endpoints, deleted ones too, in the order of their making."""
    found = (each for each in items(world, TABLE, part=CAMPAIGN) if each["id"].startswith("hok_"))
    return sorted(found, key=lambda each: str(each["id"]))


def deliveries(world: World) -> list[dict[str, Any]]:
    """All deliveries, in the order of their events."""
    return CHAIN.campaigns(world)


def wants(endpoint: Mapping[str, Any], kind: str) -> bool:
    """Whether an endpoint wants events of a type: by the design's words, and not by the product's code."""
    filters = [plain(each) for each in endpoint["events"]]
    if filters:
        return kind in filters or f"{kind.split('.')[0]}.*" in filters
    return not kind.startswith(("broadcast.message_", "hook."))


class Watch(ChainWatch):
    """What must hold of webhooks at every moment of a run."""

    def __init__(self, receivers: Receivers) -> None:
        super().__init__(CHAIN, _claims)
        self.outbox = OutboxWatch()
        self._receivers = receivers
        self._read: dict[int, dict[Key, Item | None]] = {}
        """Of each invocation of the worker what it read last: the last before a request is its fence."""
        self._bodies: dict[tuple[str, str], bytes] = {}
        self._attempts: set[str] = set()
        self._asked: dict[str, int] = {}
        """When each request was first asked, by its id: the number of the next call."""
        self._enabled: dict[str, int] = {}
        """When each endpoint was last asked to be enabled."""
        self.taken: set[tuple[str, str]] = set()
        """Endpoints and events that were answered well."""
        self.wanted: dict[tuple[str, str], str] = {}
        """Endpoints and events of which there must be a delivery at the end, and their types."""
        self.were_disabled: set[str] = set()
        self.were_edited: set[str] = set()
        """Endpoints that may want other events than they did."""

    # What it reads, and what it sends

    def read(self, world: World, arguments: Mapping[str, Any]) -> None:
        """A worker reads items, as they are now."""
        table = world.dynamo.tables[TABLE]
        keys = [table.key.of(each) for each in arguments["RequestItems"].get(TABLE, {"Keys": []})["Keys"]]
        self._read.setdefault(world.running[-1].first, {}).update((key, table.items.get(key)) for key in keys)

    def posted(self, world: World, url: str, headers: Mapping[str, str], body: bytes) -> None:
        """A request goes out."""
        fence = self._read[world.running[-1].first]
        platform = fence.get(_PLATFORM)
        if platform and plain(platform["status"]) == "stopped":
            raise Violation("a request went out, and its fence was read after a stop")
        found = (each for each in fence.values() if each and plain(each["id"]).startswith("hok_"))
        endpoint = next((_plain(each) for each in found if plain(each["url"]) == url), None)
        if endpoint is None or endpoint["hook_status"] != "enabled":
            raise Violation("a request went out, and its fence was read after a disable or a delete")
        _check_signatures(world, endpoint, headers, body)
        event_id = headers["webhook-id"]
        if self._bodies.setdefault((endpoint["id"], event_id), body) != body:
            raise Violation(f"{event_id} was sent with other bytes than before")
        its = [each for each in deliveries(world) if (each["hook_id"], each["event_id"]) == (endpoint["id"], event_id)]
        if world.is_restored:
            return
        if len(its) != 1 or its[0]["status"] != "sending":
            raise Violation(f"a request went out, and no attempt was under way: {its}")
        attempt = json.loads(its[0]["call"])["attempt_id"]
        if attempt in self._attempts:
            raise Violation("an attempt was made twice")
        self._attempts.add(attempt)

    def sent(self, world: World, body: str) -> None:
        """A step was sent. What comes or is asked twice wakes what is live already: a copy of its message."""
        if world.running and world.running[-1].function != WORKER:
            self.clean_commits[json.loads(body)["campaign_id"]] = 0

    # Requests

    def asked(self, world: World, request: Request) -> None:
        super().asked(world, request)
        self._asked.setdefault(request.id, len(world.sites))
        name, _, verb = request.path.removeprefix(f"{HOOKS}/").partition("/")
        if verb == "enable":
            self._enabled[name] = len(world.sites)

    def answered(self, world: World, request: Request, status: int, body: Any) -> None:
        super().answered(world, request, status, body)
        is_fence = request.method == "DELETE" or (isinstance(request.body, dict) and "status" in request.body)
        if not request.path.startswith(HOOKS) or status != 200 or not is_fence or world.is_restored:
            return
        if self._enabled.get(body["id"], -1) < self._asked[request.id]:
            found = next(each for each in endpoints(world) if each["id"] == body["id"])
            if found["hook_status"] == "enabled":
                raise Violation("a disable or a delete was answered, and the endpoint is enabled")

    # Events

    def happens(self, world: World, event_id: str, name: str) -> None:
        """An event is on its way to the fan-out: whoever wants it now must get it."""
        kind = type_of(name)
        for each in endpoints(world):
            if each["hook_status"] != "deleted" and wants(each, kind):
                self.wanted.setdefault((each["id"], event_id), kind)

    def published(self, world: World, entries: list[Any]) -> None:
        self.outbox.published(world, entries)
        for each in entries:
            self.happens(world, json.loads(each["Detail"])["id"], each["DetailType"])

    # Writes

    def wrote(self, world: World, written: list[Written]) -> None:
        self.outbox.wrote(world, written)
        for each in written:
            if each.table == TABLE and plain(each.key["id"]).startswith("hok_"):
                self._endpoint(_plain(each.before), _plain(each.after))
        super().wrote(world, written)

    def _endpoint(self, before: dict[str, Any], after: dict[str, Any]) -> None:
        # What comes of an attempt that was past its fence may still be noted on it.
        if before and before["hook_status"] == "deleted" and before["audit_number"] != after["audit_number"]:
            raise Violation("a deleted endpoint was commanded")
        if before and before["hook_status"] != after["hook_status"] and before["audit_number"] == after["audit_number"]:
            raise Violation("the status of an endpoint was changed, and no entry says so")
        if after["hook_status"] == "disabled":
            self.were_disabled.add(after["id"])
        if before and before["events"] != after["events"]:
            self.were_edited.add(after["id"])

    def _check_told(
        self, world: World, campaign_id: str, before: Item | None, after: Item, written: list[Written]
    ) -> None:
        """A delivery leaves no audit entry and no event: it would be delivered."""
        if any(each.table in ("AuditTable", "OutboxTable") for each in written):
            raise Violation("a delivery left an audit entry or an event")
        if plain(after["status"]) == "held" and (before is None or plain(before["status"]) != "held"):
            endpoint = world.dynamo.tables[TABLE].items[plain(after["hook_id"]), CAMPAIGN]
            if plain(endpoint["hook_status"]) != "disabled":
                raise Violation("a delivery was held, and its endpoint is not disabled: nobody would replay it")
        if before and before["body"] != after["body"]:
            raise Violation("the body of a delivery was changed")

    def _lets_copies_die(self, before: Item, after: Item) -> bool:
        """What is recorded of an attempt changes the status, and is of the same message as its claim."""
        return is_step(before, after) or plain(before["status"]) not in CHAIN.live

    def restored(self, world: World) -> None:
        """Events whose deliveries are taken back are lost: their messages were acknowledged, and nobody repeats them.

        What was delivered since may be sent again, with equal id and bytes.
        """
        super().restored(world)
        there = {(each["hook_id"], each["event_id"]) for each in deliveries(world)}
        self.wanted = {key: kind for key, kind in self.wanted.items() if key in there}


def _claims(written: list[Written]) -> set[str]:
    """The deliveries of which a write begins an attempt."""
    return {
        plain(each.key["id"])
        for each in written
        if CHAIN.is_campaign(each) and each.before and each.after and plain(each.after["status"]) == "sending"
    }


def _check_signatures(world: World, endpoint: dict[str, Any], headers: Mapping[str, str], body: bytes) -> None:
    """Each secret that signs now signs, and no other: by the library that receivers use."""
    signing = [int(endpoint["generation"])]
    if "old_signs_until" in endpoint and world.now() < datetime.fromisoformat(endpoint["old_signs_until"]):
        signing.append(int(endpoint["old_generation"]))
    if len(headers["webhook-signature"].split()) != len(signing):
        raise Violation(f"{headers['webhook-signature']} instead of the signatures of {signing}")
    for generation in signing:
        secret = derived(secret_of("HooksSecret"), endpoint["id"], generation)
        Webhook(secret).verify(body, dict(headers))


# --- At rest


def check_rest(world: World, receivers: Receivers, watch: Watch, others: int) -> None:
    """No delivery is lost or left, the rows are those of the deliveries, and the trail is whole."""
    CHAIN.check_rest(world)
    check_queues(world)
    check_rows(world, others)
    by_id = {each["id"]: each for each in endpoints(world)}
    found = {(each["hook_id"], each["event_id"]): each for each in deliveries(world)}
    for (hook, event), kind in watch.wanted.items():
        is_wanted = by_id[hook]["hook_status"] != "deleted" and hook not in watch.were_edited
        if is_wanted and (hook, event) not in found:
            raise Violation(f"{event} ({kind}) is lost for {hook}")
    taken = {(post.url, post.id) for post in receivers.posts if post.was_taken}
    for each in found.values():
        endpoint = by_id[each["hook_id"]]
        is_wanted = each["event_type"] == TEST or wants(endpoint, each["event_type"])
        if not is_wanted and endpoint["id"] not in watch.were_edited:
            raise Violation(f"{each['event_id']} was not wanted by {endpoint['id']}")
        if not world.is_restored and not _is_justified(each, endpoint, watch, taken):
            raise Violation(f"{each} is at its end, and nothing says why: {endpoint}")
    with by_the_operator(world) as verify:
        check_trail(world, verify, watch.outbox.deleted)


def _is_justified(
    delivery: dict[str, Any], endpoint: dict[str, Any], watch: Watch, taken: set[tuple[str, str]]
) -> bool:
    match delivery["status"]:
        case "delivered":
            return (endpoint["url"], delivery["event_id"]) in taken or endpoint["id"] in watch.were_edited
        case "failed":
            attempt = json.loads(delivery["call"])["attempt"] if "call" in delivery else 0
            return bool(attempt == _ATTEMPTS or delivery["steps_done"] > delivery["max_steps"])
        case "held":
            return endpoint["id"] in watch.were_disabled
    return bool(delivery["status"] == "dropped" and endpoint["hook_status"] == "deleted")


def counted(world: World) -> int:
    """How many endpoints are counted, beyond those that there are."""
    there = sum(each["hook_status"] != "deleted" for each in endpoints(world))
    return sum(int(each["endpoints"]) for each in items(world, TABLE, kind="count")) - there


def check_rows(world: World, others: int) -> None:
    """Whenever no handler runs: what is listed is what there is. `others`: counted before. Raises Violation."""
    rows = Counter((each["id"], each["part"]) for each in items(world, TABLE, kind="row"))
    wanted = Counter[tuple[str, str]]()
    for each in deliveries(world):
        wanted[f"deliveries#{each['hook_id']}", each["id"]] += 1
        wanted[f"held#{each['hook_id']}", each["id"]] += each["status"] == "held"
        attempts = items(world, TABLE, id=each["id"], kind="attempt")
        under_way = each["status"] == "sending"
        if len(attempts) + under_way != each["attempts"]:
            raise Violation(f"{each['id']} was attempted {each['attempts']} times, and has the rows {attempts}")
    for each in endpoints(world):
        wanted["hooks", each["id"]] += each["hook_status"] != "deleted"
    if rows != +wanted:
        raise Violation(f"the rows are {rows}, instead of {+wanted}")
    if any(each["endpoints"] > _MOST for each in items(world, TABLE, kind="count")):
        raise Violation(f"there are more than {_MOST} endpoints")
    if counted(world) != others:
        raise Violation(f"{counted(world) - others} endpoints are counted that there are not")


def _plain(item: Item | None) -> dict[str, Any]:
    return {name: plain(value) for name, value in (item or {}).items()}
