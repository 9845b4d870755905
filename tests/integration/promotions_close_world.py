"""A promotion from its draft to the end of its claims: real stages on the tables, a network and an escrow in memory."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from pynamodb.transactions import TransactWrite

from promotions import campaign as promotions
from promotions import participants, settling
from promotions.accounts import Link, LinkState, Verdict
from promotions.closing import Closing
from promotions.connections import ConnectionStore
from promotions.evidence import Evidence
from promotions.items import PromotionsItem
from promotions.outside import Outside
from promotions.ports import Account as Profile
from promotions.ports import Kind, Metrics, Missing, NetworkPolicy, NotReadable, Page
from promotions.promotion import Change, CloseReason, Promotion, PromotionStatus
from promotions.publishing import Calls, PromotionBatches
from promotions.rewards import Rewards
from promotions.split import Participant
from promotions.store import PromotionStore
from sluice import journal, ledger, platform
from sluice.commit import CommitSettings, database
from sluice.dynamodb import Database, bind
from sluice.ledger import LedgerItem
from sluice.outward import Absent, Done, Found, Outcome, Patience, Seen
from sluice.platform import PlatformStatus
from sluice.requests import Requester, RequestItem
from sluice.steps import Step, StepChain
from tests.account import Account
from tests.factories import a_promotion

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
ID = "prm_01KAJ3W5V0SM0FKVYVXB9EQT6N"
TABLE = "PromotionsTable"
WALLET = 50_000
OLD = NOON - timedelta(days=400)


def an_account(number: int, **more: Any) -> Profile:
    made = Profile(f"{number}", f"user{number}", OLD, followers=100, following=100, posts=500, bot=False)
    return replace(made, **more)


@dataclass
class World:
    """Everything around a promotion. A step is delivered when its time has come; the clock goes on to it."""

    aws: Account
    present: datetime = NOON
    rewards_on: bool = True
    page_size: int = 40
    engagers: dict[tuple[str, Kind], list[Profile]] = field(default_factory=dict)
    counted: Metrics | Missing = field(default_factory=Metrics)
    """What the network says of the first post."""
    unreadable: list[NotReadable] = field(default_factory=list)
    """What the next reads raise."""
    reads: list[str] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    """What the escrow answers instead of what it did."""
    submitted: list[str] = field(default_factory=list)
    done: set[str] = field(default_factory=set)
    expires: bool = False
    patience = Patience(30, 0)
    sent: list[tuple[int, datetime]] = field(default_factory=list)
    before_commit: Callable[[], None] = lambda: None
    blocked_until: datetime | None = None

    def __post_init__(self) -> None:
        for model, table in (
            (PromotionsItem, TABLE),
            (LedgerItem, "LedgerTable"),
            (RequestItem, "RequestsTable"),
        ):
            bind(model, table)
        commits = database(CommitSettings("AuditTable", "OutboxTable"))
        self.store, self.accounts = PromotionStore(commits), ConnectionStore(commits)
        outside = Outside(self, self, self)  # type: ignore[arg-type]
        self.closing = Closing(outside, self)  # type: ignore[arg-type]
        self.chain = StepChain(
            PromotionBatches(self.store, outside, self._closing),
            self._send,  # type: ignore[arg-type]
            self,
            Calls(self.store, outside, self),
        )
        self.rewards = Rewards(self.store, self._send, self)  # type: ignore[arg-type]

    # What a test does.

    def running(self, **terms: Any) -> Promotion:
        """A promotion that runs, from its draft."""
        draft = a_promotion(**terms)
        self._deposit(draft.created_by, draft.currency, WALLET)
        self.commit(promotions.create(draft))
        self.commit(promotions.publish(self.campaign, "sandbox", self.present, "acme", account_id="0"))
        self.run()
        assert self.campaign.status is PromotionStatus.RUNNING
        return self.campaign

    def closed(self, **terms: Any) -> Promotion:
        """A promotion that was closed by its schedule, and all that follows at once."""
        self.running(**terms)
        self.run(hours=1)
        return self.campaign

    def engage(self, kind: Kind, accounts: Iterable[Profile], post: str = "post 1") -> None:
        self.engagers.setdefault((post, kind), []).extend(accounts)

    def link(self, number: int, user: str) -> None:
        """A user proves to own an account."""
        asked = Link(f"lnk_{number}", "sandbox", "sandbox", f"user{number}", "code", LinkState.PENDING, NOON, NOON)
        assert self.accounts.ask(user, asked, NOON, None)
        proven = replace(asked, state=LinkState.PROVEN, account_id=f"{number}", proven_at=NOON)
        assert self.accounts.prove(user, proven, NOON, None)

    def decide(self, number: int, *, eligible: bool) -> None:
        """An operator's word about an account."""
        verdict = Verdict("sandbox", f"{number}", eligible, "known", "olga", NOON)
        assert self.accounts.judge(None, verdict, NOON, None)

    def run(self, hours: float = 0) -> None:
        """Deliver the steps that are due within some hours, in the order of their times."""
        until = self.present + timedelta(hours=hours)
        while due := sorted((each for each in self.sent if each[1] <= until), key=lambda each: each[1]):
            step, at = due[0]
            self.sent.remove(due[0])
            self.present = max(self.present, at)
            self.chain.run(Step(ID, step), f"message {step} {len(self.sent)}")
            self.check()
        self.present = until

    def claim(self, user: str) -> list[Participant]:
        return self.rewards.claim(ID, Requester(user, f"request of {user}"))

    def close(self, reason: CloseReason = CloseReason.OWNER) -> None:
        self.commit(settling.close(self.campaign, reason, self.present))

    def commit(self, change: Change) -> Promotion:
        found = self.store.commit(change, "test", self.present)
        assert found is not None
        if found.is_live:
            self.sent.append((found.step, found.wake_at or self.present))
        return found

    def stop(self, status: PlatformStatus = PlatformStatus.STOPPED) -> None:
        item = platform.items_in(TABLE)(status=status, reason="test", actor="ada", changed_at=NOON)
        item.request, item.audit_number, item.audit_hash = "", 1, ""
        item.save()

    # What a test looks at.

    @property
    def campaign(self) -> Promotion:
        found = self.store.get(ID)
        assert found is not None
        return found

    @property
    def rows(self) -> dict[str, Participant]:
        """Participants by their accounts."""
        return {each.account_id: each for each in participants.all_of(ID)}

    @property
    def events(self) -> list[tuple[str, dict[str, Any]]]:
        """The events of the close, in the order of their numbers."""
        found = [(str(each["name"]), json.loads(each["data"])) for each in self.aws.items("OutboxTable")]
        ordered = sorted(found, key=lambda each: each[1]["seq"])
        names = [name for name, _ in ordered]
        start = names.index("CAMPAIGN_CLOSE_OPERATION") if "CAMPAIGN_CLOSE_OPERATION" in names else 0
        return ordered[start:]

    @property
    def items(self) -> list[dict[str, Any]]:
        """Everything of the promotion, and all money."""
        assert self.aws.dynamo
        return [*self.aws.dynamo.items(TABLE), *self.aws.dynamo.items("LedgerTable")]

    @property
    def budget(self) -> journal.Budget:
        return ledger.budget_of(ID)

    @property
    def promised(self) -> journal.Balance:
        return ledger.read([journal.reserved(ID)])[journal.reserved(ID)]

    def wallet(self, user: str) -> int:
        account = journal.wallet("USD", user)
        return ledger.read([account])[account].amount

    def check(self) -> None:
        """What holds at every moment: the budget adds up, nothing is below 0, and all evidence agrees."""
        budget = self.budget
        assert min(vars(budget).values()) >= 0
        assert self.failing() == []

    def failing(self) -> list[str]:
        return [each.claim for each in Evidence(self.store).verify(self.campaign) if not each.holds]

    # Networks, media, publisher and escrow in one.

    def now(self) -> datetime:
        return self.present

    def policy(self, network: str) -> NetworkPolicy:
        return NetworkPolicy(
            network, self.rewards_on, frozenset(Kind), len, 500, frozenset(), 4, 10, 50, True,
            Decimal(0), Decimal(0), lambda _: False, call_seconds=10, settle_seconds=120,
        )  # fmt: skip

    def publisher(self, *_: Any) -> "World":
        return self

    def revoked(self, network: str, owner: str) -> None:
        self.reads.append(f"revoked {network} {owner}")

    def read(self, _: Promotion) -> Sequence[Any]:
        return ()

    def post(self, _text: str, _media: Any, reply_to: str | None, _key: str) -> Outcome:
        return Done("post 2" if reply_to else "post 1")

    def find_own(self, *_: Any) -> Seen:
        return Absent()

    def metrics(self, post_ids: Sequence[str]) -> dict[str, Metrics | Missing]:
        self._asked("metrics")
        return dict.fromkeys(post_ids, Metrics()) | {"post 1": self.counted}

    def engaged(self, post_id: str, kind: Kind, cursor: str | None) -> Page[Profile]:
        self._asked(f"{post_id} {kind} {cursor}")
        start, accounts = int(cursor or 0), self.engagers.get((post_id, kind), [])
        end = start + self.page_size
        return Page(accounts[start:end], str(end) if end < len(accounts) else None)

    def made(self, _ref: str) -> bool:
        return True

    def new_ref(self, *_: Any) -> str:
        return f"0.0.1@{len(self.submitted)}"

    def submit(self, ref: str, function: str, _arguments: Any) -> Outcome:
        self.submitted.append(function)
        answer = self.outcomes.pop(0) if self.outcomes else None
        if answer is None or type(answer).__name__ == "Unknown":
            self.done.add(ref)
        return answer or Done(ref)

    def outcome(self, ref: str, *_: Any) -> Seen:
        return Found(ref) if ref in self.done else Absent()

    def _asked(self, what: str) -> None:
        self.reads.append(what)
        if self.unreadable:
            raise self.unreadable.pop(0)

    def _closing(self, promotion: Promotion, now: datetime) -> Change:
        change = self.closing(promotion, now)
        self.before_commit()
        return change

    def _send(self, _id: str, step: int, at: datetime) -> None:
        self.sent.append((step, at))

    def _deposit(self, user: str, currency: str, amount: int) -> None:
        accounts = journal.outside(currency), journal.wallet(currency, user)
        self.move("dep#1", "deposit", *accounts, amount)

    def move(self, entry_id: str, kind: str, source: str, target: str, amount: int) -> None:
        """An entry of its own: nothing of the promotion changes with it."""
        entry = journal.transfer(entry_id, kind, "USD", source, target, amount, cause="test", actor="ada", now=NOON)

        def write(transaction: TransactWrite) -> None:
            ledger.write(transaction, entry, ledger.read(leg.account for leg in entry.legs))

        assert Database().commit(write)
