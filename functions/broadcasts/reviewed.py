"""What a person reviews before a start: which rows would be sent, with which texts, when, and for how much. Pure."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from broadcasts import asked
from broadcasts import campaign as broadcasts
from broadcasts.campaign import Broadcast, Terms, Text
from broadcasts.contact import Contact
from broadcasts.gate import Fail, Rules, Skip, gate
from broadcasts.instance import Instance, ProviderName
from broadcasts.lanes import Lane
from broadcasts.prices import price_of
from broadcasts.row import Counts
from broadcasts.simulation import Load, Plan, hash_of
from broadcasts.texts import TextProblem
from broadcasts.zones import Zones

PREVIEWS = 50
MOST_SKIPPED = 1000
"""Rows that an answer lists with a reason; all are counted."""
MOST_JUDGED = 10_000
"""Rows that are judged one by one; a longer list is planned by the counts of its lanes."""
SENT = "sent"
_WRITES_FREELY = timedelta(hours=24)
_TEMPLATES_ONLY = frozenset({ProviderName.META, ProviderName.AWS})


@dataclass(frozen=True)
class Candidate:
    """A row that may be sent."""

    line: int
    phone: str
    variables: Mapping[str, str]
    contact: str
    lane: int
    name: str = ""
    """How the contact's sends name it, if it was sent before."""


@dataclass(frozen=True)
class Previewed:
    """A message as one recipient would get it."""

    line: int
    phone: str
    text: str


@dataclass(frozen=True)
class NotSent:
    """A row that gets nothing; `outcome` is `skipped` or `failed`."""

    line: int
    phone: str
    outcome: str
    code: str
    message: str


@dataclass(frozen=True)
class Cost:
    """What the messages to a country would cost, in 1/1,000,000; None: no country has such numbers."""

    country: str | None
    messages: int
    cost: int


@dataclass(frozen=True)
class Judged:
    """The rows, each judged by the gate as it is now, but for windows."""

    outcomes: Mapping[str, int]
    left: Mapping[int, int]
    """Rows to be sent, by their lane."""
    previews: tuple[Previewed, ...]
    skipped: tuple[NotSent, ...]
    costs: tuple[Cost, ...]
    strangers: int
    """Those to be sent who have not written within 24 hours."""


@dataclass(frozen=True)
class Review:
    """All of it."""

    plan_hash: str
    total: int
    outcomes: Mapping[str, int]
    previews: tuple[Previewed, ...]
    skipped: tuple[NotSent, ...]
    warnings: tuple[str, ...]
    plan: Plan
    rate: float
    currency: str
    costs: tuple[Cost, ...]
    budget_left: int | None = None
    collisions: tuple[Broadcast, ...] = field(default_factory=tuple)

    @property
    def is_over_budget(self) -> bool:
        return self.budget_left is not None and sum(each.cost for each in self.costs) > self.budget_left


def judge(
    rows: Iterable[Candidate],
    contacts: Mapping[str, Contact],
    text: Text,
    rules: Rules,
    zones: Mapping[int, Zones],
    instance: Instance,
    country_of: Callable[[str], str | None],
    lines: Sequence[int],
    now: datetime,
) -> Judged:
    """Judge rows by the gate that the worker asks too. `lines` are previewed beside the first 50."""
    outcomes: Counter[str] = Counter()
    left: Counter[int] = Counter()
    messages: Counter[str | None] = Counter()
    costs: Counter[str | None] = Counter()
    previews: list[Previewed] = []
    skipped: list[NotSent] = []
    strangers = 0
    category = text.template.category if text.template else None
    wanted = frozenset(lines)
    for row in rows:
        contact = contacts[row.contact]
        verdict = gate(text.message, row.variables, row.name, contact, rules, None, zones[row.lane], now)
        lacking = asked.rendered(text, row.variables)
        if isinstance(verdict, Skip):
            outcomes[verdict.reason] += 1
            skipped.append(NotSent(row.line, row.phone, "skipped", verdict.reason, _WHY[verdict.reason]))
        elif isinstance(verdict, Fail):
            outcomes[verdict.code] += 1
            skipped.append(NotSent(row.line, row.phone, "failed", verdict.code, verdict.text))
        elif isinstance(lacking, TextProblem):
            outcomes[lacking.code] += 1
            skipped.append(NotSent(row.line, row.phone, "failed", lacking.code, lacking.message))
        else:
            outcomes[SENT] += 1
            left[row.lane] += 1
            country = country_of(row.phone)
            messages[country] += 1
            costs[country] += price_of(instance.prices, instance.price_per_message, country, category, now.date())
            strangers += contact.last_inbound_at is None or contact.last_inbound_at < now - _WRITES_FREELY
            if len(previews) < PREVIEWS or row.line in wanted:
                previews.append(Previewed(row.line, row.phone, lacking))
    by_country = tuple(Cost(each, messages[each], costs[each]) for each in sorted(messages, key=str))
    return Judged(outcomes, left, tuple(previews), tuple(skipped[:MOST_SKIPPED]), by_country, strangers)


_WHY = {
    "suppressed": "They do not want to be written to",
    "no_consent": "There is no consent of theirs, and the owner requires one",
    "frequency_cap": "They have had as many messages as the owner allows",
    "window": "No window is ever open in all of their time zones",
}


def scaled(judged: Judged, more: int) -> Judged:
    """With so many rows more that nobody judged: they are taken as sent, at the same cost each."""
    sent = judged.outcomes.get(SENT, 0)
    factor = (sent + more) / sent if sent else 0
    costs = (Cost(each.country, round(each.messages * factor), round(each.cost * factor)) for each in judged.costs)
    return replace(judged, outcomes={**judged.outcomes, SENT: sent + more}, costs=tuple(costs))


def rows_left(campaign: Broadcast, total: Counts) -> int:
    """How many rows this pass still sends to; after a retry, those that failed in this pass are among them."""
    if campaign.pass_number == 1:
        return total.pending
    flags = {"include_unknown": campaign.include_unknown, "include_final": campaign.include_final}
    return broadcasts.to_retry(total, **flags)


def remaining(lanes: Sequence[Lane], rows: int) -> list[Load]:
    """So many rows, spread over the lanes as their cursors stand; retries are where no cursor is any more."""
    ahead = [max(0, each.rows - each.cursor) for each in lanes]
    total = sum(ahead)
    if not total:
        return [Load(lanes[0].zones, rows)] if lanes and rows else []
    before, found = 0, []
    for lane, number in zip(lanes, ahead, strict=True):
        found.append(Load(lane.zones, (before + number) * rows // total - before * rows // total))
        before += number
    return found


def loads(judged: Judged, lanes: Sequence[Lane]) -> list[Load]:
    """What is to be sent, by zones."""
    return [Load(each.zones, judged.left.get(each.number, 0)) for each in lanes]


def warnings_of(judged: Judged, text: Text, instance: Instance) -> tuple[str, ...]:
    """What a person should know besides."""
    found = []
    if judged.strangers and text.template is None and instance.provider in _TEMPLATES_ONLY:
        found.append(
            f"{judged.strangers} recipients have not written in the last 24 hours: the provider refuses them free text"
        )
    return tuple(found)


def plan_hash(terms: Terms, instance: Instance, generation: int, text_version: int, outcomes: Mapping[str, int]) -> str:
    """What a start by `If-Match` compares (amendment 30)."""
    prices = [[each.country, each.category, each.price, each.since] for each in instance.prices]
    windows = [[list(each.weekdays), each.opens, each.closes] for each in terms.windows.each] if terms.windows else []
    reviewed = {
        "generation": generation,
        "text": text_version,
        "media": [terms.media_type, terms.media_url, terms.media_id],
        "instance": terms.instance_id,
        "rate": terms.rate_limit,
        "windows": windows,
        "budget": terms.budget,
        "prices": [prices, instance.price_per_message],
    }
    return hash_of(reviewed, outcomes)
