"""What must hold of promotions at every moment of a run, and at its end."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from promotions.promotion import CALLS, POSTS, PUBLISHES, UNDOES
from tests.dynamo.expressions import Item, plain
from tests.dynamo.model import Written
from tests.faults.books import LEDGER, LedgerBooks, items
from tests.faults.chain import (
    OutboxWatch,
    actions_by_entity,
    are_all_published,
    by_the_operator,
    check_queues,
    is_bridge,
    later_go_on,
)
from tests.faults.promotions_outside import Outside
from tests.faults.sweep import Violation
from tests.faults.world import Invocation, Request, World

TABLE, QUEUE = "PromotionsTable", "PromotionsQueue"
TRACKER = "PromotionsTrackingScheduleFunction"
DRAFT, PENDING, RUNNING, CLOSED = "CampaignDraft", "CampaignPending", "CampaignRunning", "CampaignClosed"
_GOES_ON = {DRAFT: {PENDING}, PENDING: {DRAFT, RUNNING}, RUNNING: {CLOSED}, CLOSED: set[str]()}
_STOP, _RESUME = "/api/admin/stop", "/api/admin/resume"


def promotions(world: World) -> list[dict[str, Any]]:
    """All promotions, in the order of their making."""
    return items(world, TABLE, part="campaign", kind="campaign")


def call_of(promotion: dict[str, Any]) -> dict[str, Any]:
    """The call that is kept in a promotion; empty if there is none."""
    found: dict[str, Any] = json.loads(promotion["call"]) if promotion.get("call") else {}
    return found


def error_of(promotion: dict[str, Any]) -> dict[str, Any]:
    """Why it has halted; empty if it has not."""
    found: dict[str, Any] = json.loads(promotion["error"]) if promotion.get("error") else {}
    return found


class Books(LedgerBooks):
    """The tables, added up from their raw items."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.promotions = promotions(world)
        self.participants = [each for each in items(world, TABLE) if each["part"].startswith("participant#")]
        self.paid = [each for each in items(world, TABLE) if each["part"].startswith("paid#")]

    def check(self) -> None:
        """Raises Violation."""
        self.check_accounts()
        for each in self.promotions:
            self._check_money(each)
            self._check_shares(each)

    def _check_money(self, found: dict[str, Any]) -> None:
        funded, remaining, reserved, paid, refunded = self.check_budget(found["id"])
        if funded != (0 if found["status"] == DRAFT else found["budget"]):
            raise Violation(f"{found['id']} is {found['status']}, and funded with {funded}")
        if (paid, refunded) != (found["paid"], found["refunded"]):
            raise Violation(
                f"{found['id']}: the ledger has {(paid, refunded)} paid and refunded, and it another: {found}"
            )
        if found["status"] == CLOSED and remaining:
            raise Violation(f"{found['id']} is closed, and {remaining} of its budget is left")
        if found.get("stage") == "settled" and reserved:
            raise Violation(f"{found['id']} is settled, and {reserved} is reserved")

    def _check_shares(self, found: dict[str, Any]) -> None:
        mine = [each for each in self.participants if each["id"] == found["id"]]
        paid = [each for each in mine if each["state"] == "paid"]
        users = Counter(each["user"] for each in paid)
        if max(users.values(), default=0) > 1:
            raise Violation(f"a person was paid twice: {users}")
        if {each["part"].removeprefix("paid#") for each in self.paid if each["id"] == found["id"]} != users.keys():
            raise Violation(f"{users} were paid, and {self.paid} are noted")
        if sum(int(each["amount"]) for each in paid) != found["paid"]:
            raise Violation(f"{found['paid']} was paid, and the shares are {paid}")
        if (cap := found.get("max_per_participant")) and any(each["amount"] > cap for each in mine):
            raise Violation(f"a participant gets more than {cap}: {mine}")
        earned: Counter[str] = Counter()
        for account, lines in self.lines.items():
            for each in lines:
                if account.startswith("wallet#") and each["kind"] == "pay" and found["id"] in each["entry"]:
                    earned[account.rpartition("#")[2]] += int(each["amount"])
        if earned != Counter({each["user"]: int(each["amount"]) for each in paid}):
            raise Violation(f"{earned} was earned, and the shares are {paid}")


class Watch:
    """What must hold of promotions at every moment of a run."""

    def __init__(self, outside: Outside) -> None:
        self.outbox = OutboxWatch()
        self._outside = outside
        self._cancelled: set[str] = set()
        """Promotions of which a cancel was answered: no call of a publish may begin."""
        self._is_stopped = False
        self._under_way: list[Request] = []
        self._taken_back: list[Request] = []
        """Requests in the middle of which the tables were put back: what they are answered may be gone."""
        self._lost: list[Invocation] = []
        """Those that ran when the tables were put back."""
        self.given_up: set[str] = set()
        """Promotions of which an operator said what is outside, or left it there."""

    def disturbed(self) -> None: ...

    def asked(self, world: World, request: Request) -> None:
        self._under_way.append(request)
        name, _, verb = request.path.removeprefix("/v2/campaigns/").partition("/")
        if verb == "publish":
            self._cancelled.discard(name)
        if verb in ("abandon", "resolve"):
            self.given_up.add(name)
        if request.path == _RESUME:
            self._is_stopped = False

    def answered(self, world: World, request: Request, status: int, body: Any) -> None:
        if any(each is request for each in self._taken_back):
            return
        if status == 202 and request.path.endswith("/cancel"):
            self._cancelled.add(body["id"])
        if status == 200 and (request.method, request.path) == ("POST", _STOP):
            self._is_stopped = True

    def wrote(self, world: World, written: list[Written]) -> None:
        if not world.running:
            return  # a hand
        self.outbox.wrote(world, written)
        for each in written:
            if each.table == TABLE and plain(each.key["part"]) == "engagement":
                _check_engagement(each, is_reading=world.running[-1].function == TRACKER)
        mine = [each for each in written if _is_promotion(each)]
        if len(mine) > 1:
            raise Violation("two promotions in one transaction")
        if mine and mine[0].after is not None:
            self._promotion(world, mine[0], mine[0].after, written)
        if any(map(_counts, written)):
            Books(world).check()

    def published(self, world: World, entries: list[Any]) -> None:
        self.outbox.published(world, entries)

    def delivered(self, world: World) -> None:
        self._outside.check()

    def kept(self, world: World) -> None: ...

    def restored(self, world: World) -> None:
        """What was answered since is taken back, and an operator goes on from there. What is outside stays there."""
        later_go_on(world)
        self._cancelled.clear()
        self._is_stopped = False
        self._taken_back = list(self._under_way)
        self._lost = list(world.running)
        self._outside.put_back()

    def arrives(self, world: World, ref: str) -> None:
        """A call arrives outside: its intent is stored, and whoever looks would know of it."""
        if world.running[-1] in self._lost:
            self._outside.comes_lost()
            return
        sending = [each for each in promotions(world) if call_of(each).get("state") == "sending"]
        if not any(ref in ("", call_of(each)["ref"]) for each in sending):
            raise Violation(f"{ref or 'a delete'} was called for, and its intent was not stored")

    def _promotion(self, world: World, each: Written, after: Item, written: list[Written]) -> None:
        before = {name: plain(value) for name, value in (each.before or {}).items()}
        found = {name: plain(value) for name, value in after.items()}
        name = found["id"]
        _check_told(world, before, found, written)
        if before and PENDING in (before["status"], found["status"]):
            _check_operation(before, found)
        if before:
            _check_step(world, before, found, written)
        self._check_begun(before, found, moves_money=any(each.table == LEDGER for each in written))
        if name not in self.given_up:
            self._check_outside(before, found)

    def _check_begun(self, before: dict[str, Any], found: dict[str, Any], *, moves_money: bool) -> None:
        """After the answer of a cancel no call of a publish begins, and after that of a stop nothing does."""
        begun = call_of(found)
        begins = begun.get("state") == "sending" and begun["attempt_id"] != call_of(before).get("attempt_id")
        if begins and before["stage"] in PUBLISHES and found["id"] in self._cancelled:
            raise Violation("a call of a publish began after its cancel was answered")
        if self._is_stopped and (begins or moves_money):
            raise Violation("a call began, or money moved, after a stop was answered")

    def _check_outside(self, before: dict[str, Any], found: dict[str, Any]) -> None:
        """A draft has nothing outside, and what runs has all of it."""
        name, left = found["id"], self._outside.left_of(found["id"])
        if found["status"] == DRAFT and left:
            raise Violation(f"{name} is a draft, and {left} is outside")
        if found["status"] == RUNNING and before.get("status") == PENDING:
            if name in self._cancelled:
                raise Violation("a promotion runs whose cancel was answered")
            if not (self._outside.has_all(name, found["round"]) or self._outside.has_undone(name)):
                raise Violation(f"{name} runs, and only {left} is outside")


def _counts(written: Written) -> bool:
    """Whether it is about money."""
    if _is_promotion(written):
        before, after = written.before or {}, written.after or {}
        return any(before.get(name) != after.get(name) for name in ("status", "stage", "paid", "refunded"))
    is_share = written.table == TABLE and plain(written.key["part"]).startswith(("participant#", "paid#"))
    return is_share or written.table == LEDGER


def _is_promotion(written: Written) -> bool:
    is_part = written.table == TABLE and plain(written.key["part"]) == "campaign"
    return is_part and plain(written.key["id"]).startswith("prm_")


def _check_engagement(each: Written, *, is_reading: bool) -> None:
    """Nobody writes metrics after the final ones, nor without being asked to track."""
    before, after = each.before or {}, each.after or {}
    if before.get("final") == {"BOOL": True}:
        raise Violation("metrics were written after the final ones")
    if is_reading and "track_at" in after:
        if "tracked" not in before:
            raise Violation("metrics were written of what nobody tracks")
        if after["track_at"]["S"] <= before["track_at"]["S"]:
            raise Violation("a reading was written that was not due any more")


def _check_told(world: World, before: dict[str, Any], after: dict[str, Any], written: list[Written]) -> None:
    """Each transition leaves one audit entry; its events are counted without a gap."""
    actions = [
        plain((each.after or {})["action"])
        for each in written
        if each.table == "AuditTable" and plain(each.key["entity"]) == after["id"]
    ]
    bridges = sum(map(is_bridge, actions))
    if bridges and not world.is_restored:
        raise Violation("a restore was bridged, and there was none")
    entries = len(actions) - bridges
    if "PROMOTION_POSTING" in actions and after["stage"] not in POSTS:
        raise Violation(f"a post began, says the audit log, at {after['stage']}")
    moved = any(before.get(name) != after.get(name) for name in ("status", "error"))
    if entries > 1 or (moved and entries != 1):
        raise Violation(f"a transition from {before.get('status')} to {after['status']} left {entries} audit entries")
    seqs = [_seq(each.after or {}) for each in written if each.table == "OutboxTable"]
    if seqs and not entries:
        raise Violation("events were told of what is not in the audit log")
    first = int(before.get("seq", 0)) + 1
    if sorted(seqs) != list(range(first, int(after["seq"]) + 1)):
        raise Violation(f"events {sorted(seqs)} instead of {first} to {after['seq']}")


def _check_operation(before: dict[str, Any], after: dict[str, Any]) -> None:
    """Whoever asks what became of a publish reads how it stands."""
    state = json.loads(after["operation"])["state"]
    wanted = {DRAFT: "rolled_back", RUNNING: "done"}.get(after["status"], "running")
    if after["status"] == PENDING and (after["stage"] in UNDOES or error_of(after)):
        wanted = "halted" if error_of(after) else "undoing"
    if state != wanted:
        raise Violation(f"a publish is {wanted}, and its operation {state}: {before['status']} to {after['status']}")


def _seq(event: Item) -> int:
    return int(json.loads(plain(event["data"]))["seq"])


def _check_step(world: World, before: dict[str, Any], after: dict[str, Any], written: list[Written]) -> None:
    steps = after["step"] - before["step"]
    if after["status"] != before["status"] and after["status"] not in _GOES_ON[before["status"]]:
        raise Violation(f"a promotion went from {before['status']} to {after['status']}")
    if steps < 0 or after["seq"] < before["seq"] or after["round"] < before["round"]:
        raise Violation("a count went back")
    is_claim = before.get("stage") == "claims" == after.get("stage")
    if steps == 0 and before["updated_at"] != after["updated_at"] and not is_claim:
        raise Violation("a commit or a command did not move the step on")
    is_recorded = call_of(before).get("state") == "sending"
    is_step = _steps_done(after) > _steps_done(before) and "wake_at" in before and not is_recorded
    if is_step and datetime.fromisoformat(before["wake_at"]) > world.now():
        raise Violation("a step was committed before it was due")
    if before.get("error") and after.get("stage") != before.get("stage") and not _was_commanded(written, after["id"]):
        raise Violation("a promotion that has halted went on by itself")


def _was_commanded(written: list[Written], name: str) -> bool:
    wanted = {"PROMOTION_RESUMED", "PROMOTION_RESOLVED", "PROMOTION_ABANDONED", "PROMOTION_CANCELLED"}
    return any(
        each.table == "AuditTable"
        and plain(each.key["entity"]) == name
        and plain((each.after or {})["action"]) in wanted
        for each in written
    )


def _steps_done(found: dict[str, Any]) -> int:
    return int(found.get("steps_done", 0))


# --- At rest


def is_settled(world: World) -> bool:
    """Whether nothing is left to do, for as long as the world waits."""
    return not list(_left(world)) and are_all_published(world)


def _left(world: World) -> Iterator[str]:
    for each in promotions(world):
        is_far = "wake_at" in each and datetime.fromisoformat(each["wake_at"]) - world.now() > world.far
        if "wake_at" in each and not is_far:
            yield f"{each['id']} is {each['status']} at {each.get('stage')}"
        if each.get("call") and not is_far and call_of(each)["state"] in ("sending", "unknown") and not error_of(each):
            yield f"{each['id']} has an open call"


def check_rest(world: World, outside: Outside, watch: Watch) -> None:
    """What must hold when nothing is on its way. Raises Violation."""
    books = Books(world)
    books.check()
    outside.check()
    if left := list(_left(world)):
        raise Violation(f"left behind: {left}")
    check_queues(world)
    books.check_statements(world)
    for each in books.promotions:
        if each["status"] == CLOSED and each["id"] not in watch.given_up and outside.open_contracts(each["id"]):
            raise Violation(f"{each['id']} is closed, and its contract open")
        if each.get("stage") in CALLS and not error_of(each):
            raise Violation(f"{each['id']} rests at {each['stage']}, and has not halted")
    halted = [each["id"] for each in books.promotions if error_of(each)]
    if (listed := [each["part"] for each in items(world, TABLE, id="halted")]) != halted:
        raise Violation(f"{halted} have halted, and {listed} are listed")
    if broken := [each for each in world.crashes if isinstance(each, (AttributeError, LookupError, TypeError))]:
        raise Violation(f"a function broke: {broken[0]!r}")
    _check_trail(world)
    if world.is_restored:
        _check_goes_on(world)


def _check_goes_on(world: World) -> None:
    """Nothing is stuck after a restore: a command of each promotion is obeyed, and then its trail is whole."""
    with by_the_operator(world) as verify:
        for each in promotions(world):
            verb = {DRAFT: "publish", RUNNING: "close", PENDING: "cancel"}.get(each["status"])
            if verb is None or each.get("closing_since") or each.get("deleted_at"):
                continue
            path = f"/v2/campaigns/{each['id']}/{verb}"
            status, answer = world.http(Request("POST", path, id=f"{path}-after-a-restore"))
            if status not in (202, 409):
                raise Violation(f"after a restore, {path} is answered with {status}: {answer}")
            if status == 202 and (problem := verify(each["id"])):
                raise Violation(f"the audit trail of {each['id']} after a restore and a command: {problem}")


def _check_trail(world: World) -> None:
    """Every audit chain is whole; every event was published, and each promotion's are 1 to n."""
    with by_the_operator(world) as verify:
        for entity in actions_by_entity(world):
            problem = verify(entity)
            # What was not commanded since a restore has not been bridged.
            if problem and not (world.is_restored and "ahead of the entity" in problem):
                raise Violation(f"the audit trail of {entity}: {problem}")
    events = list(world.dynamo.items("OutboxTable"))
    if any(event["status"] != "processed" for event in events):
        raise Violation("an event was not marked as published")
    told = [json.loads(event["data"]) for event in events]
    for each in promotions(world):
        seqs = sorted(data["seq"] for data in told if data.get("cardId") == each["id"])
        wanted = list(range(1, int(each["seq"]) + 1))
        # Those of a time that was taken back have the numbers of others.
        if seqs != wanted and not (world.is_restored and {*seqs} >= {*wanted}):
            raise Violation(f"the events of {each['id']} are {seqs}")
