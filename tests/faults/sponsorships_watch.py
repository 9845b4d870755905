"""What must hold of sponsorships at every moment of a run, and at its end."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from sluice import ledger
from sluice.dynamodb import bind
from sponsorships import merkle
from tests.dynamo.expressions import plain
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
from tests.faults.sweep import Violation
from tests.faults.world import Request, World

TABLE = "SponsorshipsTable"
LIVE = ("settling", "held")
PROMISED = ("active", "settling", "held", "review")
"""Pay is set aside for a participation in these statuses."""
_MONITORED = ("impressions", "clicks", "earnings")
_GOES_ON = {
    "active": {"settling"},
    "settling": {"held", "completed", "expired", "review"},
    "held": {"completed", "expired", "rejected"},
    "review": {"settling", "rejected"},
    "draft": {"running", "cancelled"},
    "running": {"paused", "closing"},
    "paused": {"running", "closing"},
    "closing": {"closed"},
}


class Books(LedgerBooks):
    """The tables, added up from their raw items."""

    def __init__(self, world: World, *, are_tallies_true: bool = True) -> None:
        super().__init__(world)
        self.are_tallies_true = are_tallies_true
        """Whether no hand deleted rows or edited tallies."""
        self.participations: dict[str, dict[str, Any]] = {}
        self.campaigns: dict[str, dict[str, Any]] = {}
        self.valid: Counter[str] = Counter()
        """Rows that are not voided, by participation."""
        self.clicked: Counter[str] = Counter()
        """Those of them that were clicked."""
        self.tallied: Counter[str] = Counter()
        self.clicks: Counter[str] = Counter()
        self.tallies: list[dict[str, Any]] = []
        self.keys: list[dict[str, Any]] = []
        self._sponsorships(world)

    def _sponsorships(self, world: World) -> None:
        for (name, part), item in world.dynamo.tables[TABLE].items.items():
            if part == "campaign" and name.startswith("spn_"):
                kind = self.participations if ":" in name else self.campaigns
                kind[name] = {each: plain(value) for each, value in item.items()}
            elif name.startswith("imp#"):
                self.valid[name[4:-2]] += "voided" not in item
                self.clicked[name[4:-2]] += "voided" not in item and "clicked_at" in item
            elif name.startswith("tally#"):
                tally = {each: plain(value) for each, value in item.items()}
                self.tallies.append(tally)
                self.tallied[name[6:].rpartition("#")[0]] += int(tally.get("impressions", 0))
                self.clicks[name[6:].rpartition("#")[0]] += int(tally.get("clicks", 0))
            elif name.startswith("keys#") and part.startswith("key#"):
                self.keys.append({each: plain(value) for each, value in item.items()})

    # --- What must hold

    def check(self) -> None:
        """Raises Violation."""
        if self.are_tallies_true and (self.valid, self.clicked) != (self.tallied, self.clicks):
            raise Violation(
                f"the tallies are not the valid rows: {self.tallied} instead of {self.valid}, "
                f"{self.clicks} instead of {self.clicked}"
            )
        self.check_accounts()
        for campaign, found in self.campaigns.items():
            self._check_budget(campaign)
            kept = [self.amounts.get(f"{kind}#{campaign}", 0) for kind in ("budget", "reserved")]
            if found["status"] == "closed" and any(kept):
                raise Violation(f"{campaign} is closed, and has {kept}")
        for each in self.participations.values():
            self._check_pay(each)
        self._check_keys()

    def _check_budget(self, campaign: str) -> None:
        """The budget adds up, and what is reserved is what is promised."""
        _, _, reserved, _, _ = self.check_budget(campaign)
        promised = 0
        for each in self.participations.values():
            if each["campaign_id"] == campaign and each["status"] in PROMISED:
                promised += self.pay_of(each["id"])
        if reserved != promised:
            raise Violation(f"{reserved} are set aside, and {promised} promised")

    def pay_of(self, participation: str) -> int:
        """What was set aside at its join."""
        entry = self.entries[f"rsv#{participation}"]
        return max(int(each["amount"]) for each in json.loads(entry["legs"]))

    def target_of(self, participation: str) -> int:
        return int(json.loads(self.entries[f"rsv#{participation}"]["memo"])["target"])

    def total_of(self, participation: str) -> int:
        """Valid rows, and what was granted."""
        return self.valid[participation] + int(self.participations[participation].get("granted", 0))

    def _check_pay(self, found: dict[str, Any]) -> None:
        is_paid, status = f"pay#{found['id']}" in self.entries, found["status"]
        if is_paid != (int(found["paid"]) > 0):
            raise Violation(f"{found}: the ledger's pay is another")
        if status == "completed" and not is_paid:
            raise Violation(f"{found['id']} is completed and not paid")
        if is_paid and status not in ("completed", "expired"):
            raise Violation(f"{found['id']} is paid and {status}")
        if status == "completed" and self.total_of(found["id"]) < self.target_of(found["id"]):
            raise Violation(f"{found['id']} is completed without evidence")
        if int(found["clawed"]) > int(found["paid"]):
            raise Violation(f"{found['id']}: more was claimed back than paid")

    def _check_keys(self) -> None:
        of_streamer: Counter[tuple[str, str]] = Counter()
        for key in self.keys:
            campaign = key["id"].removeprefix("keys#")
            if key["state"] in ("reserved", "unlocked"):
                of_streamer[campaign, key["streamer"]] += 1
                found = self.participations.get(f"{campaign}:{key['streamer']}", {})
                if found.get("key_number") != int(key["part"].removeprefix("key#")):
                    raise Violation(f"{key} is promised to {found}")
                if (key["state"] == "unlocked") != (found["status"] == "completed"):
                    raise Violation(f"{key}, and {found['id']} is {found['status']}")
        if any(each > 1 for each in of_streamer.values()):
            raise Violation(f"two keys of one streamer: {of_streamer}")
        secrets = Counter(key["secret"] for key in self.keys if key["state"] != "moved")
        if any(each > 1 for each in secrets.values()):
            raise Violation(f"a key is promised twice: {secrets}")
        for found in self.participations.values():
            has_key = (found["campaign_id"], found["streamer"]) in of_streamer
            wants = "key_number" in found and found["status"] not in ("expired", "rejected")
            if has_key != wants:
                raise Violation(f"{found['id']} is {found['status']}, and has a key: {has_key}")


class Watch:
    """What must hold of sponsorships at every moment of a run."""

    def __init__(self) -> None:
        self.outbox = OutboxWatch()
        self.has_lost_rows = False
        self.are_tallies_edited = False

    def disturbed(self) -> None: ...

    def wrote(self, world: World, written: list[Written]) -> None:
        self.outbox.wrote(world, written)
        if not any(_counts(each) for each in written):
            return
        own = [each for each in written if each.table == TABLE]
        self.has_lost_rows |= any(map(_is_lost, own))
        self.are_tallies_edited |= any(_is_hand_on_tally(each, written) for each in own)
        books = self.books(world)
        books.check()
        _check_edits(own)
        if not world.is_restored:  # rows that were counted before it may be taken back: then its step finds them gone
            _check_target(books, own)
        for each in own:
            _check_earned(world, each)
            if _is_join(each) and books.campaigns[plain((each.after or {})["campaign_id"])]["status"] != "running":
                raise Violation("a streamer joined a campaign that does not run")
            if each.before is not None and each.after is not None:
                if not _is_hand_on_tally(each, written):
                    _check_tally(each.before, each.after)
                _check_refund(each.before, each.after)
                _check_moves(each, written)

    def books(self, world: World) -> "Books":
        """The tables, and what a hand did to them."""
        return Books(world, are_tallies_true=not (self.has_lost_rows or self.are_tallies_edited))

    def published(self, world: World, entries: list[Any]) -> None:
        self.outbox.published(world, entries)

    def asked(self, world: World, request: Request) -> None: ...

    def answered(self, world: World, request: Request, status: int, body: Any) -> None:
        if status == 200 and "/impressions" in request.path:
            for each in body.get("impressions", [body]):
                if not each["counted"] and not each.get("reasons"):
                    raise Violation(f"an impression was refused without a reason: {body}")

    def delivered(self, world: World) -> None: ...

    def kept(self, world: World) -> None: ...

    def restored(self, world: World) -> None:
        later_go_on(world)


def _counts(written: Written) -> bool:
    """Whether it is more than what detectors note of themselves."""
    return written.table == LEDGER or (written.table == TABLE and plain(written.key["id"]) != "monitor")


def _is_lost(written: Written) -> bool:
    return written.after is None and plain(written.key["id"]).startswith("imp#")


def _is_hand_on_tally(each: Written, written: list[Written]) -> bool:
    """The product counts in a transaction, with what it counts."""
    is_alone = len(written) == 1 and plain(each.key["part"]) == "tally"
    return is_alone and (each.before or {}).get("impressions") != (each.after or {}).get("impressions")


def _is_join(written: Written) -> bool:
    return written.before is None and plain(written.key["part"]) == "campaign" and ":" in plain(written.key["id"])


def _check_edits(written: list[Written]) -> None:
    """What a hand wrote is not set back without an adjustment that says it."""
    noted = {
        plain(each.key["id"]): json.loads(plain((each.after or {})["after"]))
        for each in written
        if each.before is None and plain(each.key["part"]).startswith("adjustment#")
    }
    for each in written:
        before, after, name = each.before or {}, each.after or {}, plain(each.key["id"])
        if plain(each.key["part"]) == "campaign" and ":" in name and before:
            edited = {field: int(plain(before[field])) for field in _MONITORED if _is_edited(before, field)}
            is_set_back = any(not _is_edited(after, field) for field in edited)
            if is_set_back and edited != noted.get(name) and not _is_by_hand(before, after):
                raise Violation(f"a hand wrote {edited}, and the adjustment says {noted.get(name)}")


def _is_by_hand(before: dict[str, Any], after: dict[str, Any]) -> bool:
    """The product moves the step on with whatever it changes."""
    changed = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    return changed <= {*_MONITORED}


def _check_target(books: "Books", written: list[Written]) -> None:
    """What settles for its target has the rows for it."""
    for each in written:
        before, after, name = each.before or {}, each.after or {}, plain(each.key["id"])
        if plain(each.key["part"]) == "campaign" and ":" in name and before:
            begins = (plain(before["status"]), plain(after["status"])) == ("active", "settling")
            if begins and plain(after["why"]) == "target" and books.total_of(name) < books.target_of(name):
                raise Violation(f"{name} settles for its target with {books.total_of(name)}")


def _is_edited(document: dict[str, Any], name: str) -> bool:
    return bool(document[name] != document[f"published_{name}"])


def _check_earned(world: World, each: Written) -> None:
    if plain(each.key["id"]).startswith("earned#") and each.after:
        earned, cap = int(plain(each.after["amount"])), int(world.setting("MAX_DAILY_EARNINGS"))
        if earned > cap:
            raise Violation(f"a streamer earned {earned} on a day, and may earn {cap}")


def _check_refund(before: dict[str, Any], after: dict[str, Any]) -> None:
    if plain(before["part"]).startswith("refund#") and before["amount"] != after["amount"]:
        raise Violation("a proposal to claim back was overwritten by another")


def _check_tally(before: dict[str, Any], after: dict[str, Any]) -> None:
    if before.get("shards") != after.get("shards") and plain(before["status"]) != "active":
        raise Violation("the tallies grew when the participation had begun to settle")
    if "closed" in before and before.get("impressions") != after.get("impressions"):
        raise Violation("an impression was counted in a closed tally")


def _check_moves(each: Written, written: list[Written]) -> None:
    """A transition is one that there is, and leaves one entry in the audit log."""
    before, after = each.before or {}, each.after or {}
    name = plain(each.key["id"])
    if plain(each.key["part"]) != "campaign" or not name.startswith("spn_"):
        return
    one, other = plain(before["status"]), plain(after["status"])
    entries = sum(
        other.table == "AuditTable"
        and plain(other.key["entity"]) == name
        and not is_bridge(plain(other.after["action"]))
        for other in written
        if other.after
    )
    if one != other and (other not in _GOES_ON.get(one, ()) or entries != 1):
        raise Violation(f"{name} went from {one} to {other}, with {entries} audit entries")
    steps = plain(after["step"]) - plain(before["step"])
    if steps < 0 or (steps == 0 and before["updated_at"] != after["updated_at"]):
        raise Violation("a commit or a command did not move the step on")


# --- At rest


def is_settled(world: World) -> bool:
    """Whether nothing is left to do."""
    return not list(_left(world)) and are_all_published(world)


def _left(world: World) -> Iterator[str]:
    books, has_failed = Books(world), _has_failed_run(world)
    for name, found in (books.campaigns | books.participations).items():
        if found["status"] in (*LIVE, "closing"):
            yield f"{name} is {found['status']}"
    for name, found in books.participations.items():
        is_true = not has_failed or books.tallied[name] == books.valid[name]
        if found["status"] == "active" and is_true and books.total_of(name) >= books.target_of(name):
            yield f"{name} reached its target"
        edited = [each for each in _MONITORED if found[each] != found[f"published_{each}"]]
        if edited:
            yield f"{name}: a hand changed {edited}"
    for each in items(world, TABLE, kind="check", status="checking"):
        yield f"{each['id']} is checking"


def check_rest(world: World, watch: Watch) -> None:
    """What must hold when nothing is on its way. Raises Violation."""
    books = watch.books(world)
    books.check()
    _check_tallies(world, books)
    if left := list(_left(world)):
        raise Violation(f"left behind: {left}")
    check_queues(world)
    _check_statements(world, books)
    bind(ledger.LedgerItem, world.aws.ref(LEDGER))
    for account in books.amounts:
        if difference := ledger.verify(account):
            raise Violation(f"{account}: {difference}")
    _check_trail(world)


def _has_failed_run(world: World) -> bool:
    """Whether a run says that it could not look at something.

    Then an edited tally stays wrong until the next deep run, which comes once a day: no flow waits for that.
    """
    return any(int(each["failed"]) for each in items(world, TABLE, kind="check"))


def _check_tallies(world: World, books: Books) -> None:
    """A run put right what a hand edited, or says that it could not; and nothing more is counted of what has ended."""
    has_failed = _has_failed_run(world)
    for name, found in books.participations.items():
        if found["status"] == "active" and books.tallied[name] != books.valid[name] and not has_failed:
            raise Violation(f"{name} has {books.valid[name]} rows, and its tallies say {books.tallied[name]}")
    # A step that closed its tallies before the tables were put back may commit after it: then they are open again.
    for each in books.tallies if not world.is_restored else ():
        found = books.participations[each["id"][6:].rpartition("#")[0]]
        if found["status"] != "active" and "closed" not in each:
            raise Violation(f"{found['id']} is {found['status']}, and a tally of it is open")


def _check_statements(world: World, books: Books) -> None:
    """The statement's root is that of the rows, and its count theirs."""
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for each in items(world, TABLE):
        if each["id"].startswith("imp#") and "voided" not in each:
            rows[each["id"][4:-2]].append(each)
    statements = {each["id"]: each for each in items(world, TABLE, part="statement")}
    for name, found in books.participations.items():
        if found["status"] not in ("completed", "expired", "rejected", "held"):
            continue
        if name not in statements:
            # What was in review never had one.
            if found["status"] == "rejected":
                continue
            raise Violation(f"{name} is {found['status']}, and has no statement")
        leaves = [
            merkle.leaf("|".join((name, each["part"], each["nonce"], each["issued_at"], each["accepted_at"])))
            for each in rows[name]
        ]
        statement = statements[name]
        if statement["root"] != merkle.root(leaves).hex() or int(statement["impressions"]) != len(leaves):
            raise Violation(f"the statement of {name} is not about its {len(leaves)} rows: {statement}")


def _check_trail(world: World) -> None:
    """Every audit chain is whole, each entry of the ledger is in it, and every event was published."""
    with by_the_operator(world) as verify:
        for entity in actions_by_entity(world):
            problem = verify(entity)
            # What was not commanded since a restore has not been bridged.
            if problem and not (world.is_restored and "ahead of the entity" in problem):
                raise Violation(f"the audit trail of {entity}: {problem}")
    events = list(world.dynamo.items("OutboxTable"))
    if any(event["status"] != "processed" for event in events):
        raise Violation("an event was not marked as published")
    entries = sum(not is_bridge(item["action"]) for item in world.dynamo.items("AuditTable"))
    checks = [event for event in events if event["name"] in ("KeyUnlocked", "DetectorGapFound")]
    if len(events) - len(checks) < entries:
        raise Violation(f"{entries} audit entries, and {len(events)} events")
