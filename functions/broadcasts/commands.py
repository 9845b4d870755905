"""Commands and queries of owners and operators. What belongs to someone else is not found."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache

from broadcasts import asked, selection, templates
from broadcasts import campaign as broadcasts
from broadcasts.asked import Asked, Template
from broadcasts.campaign import PREFIX, Broadcast, BroadcastStatus, Change, Kind, TemplateText, Terms, Text
from broadcasts.instance import Instance
from broadcasts.recipients import MOST_IN_A_REQUEST, Accepted, CleanList, Lists, Recipient
from broadcasts.row import OUTCOMES, Counts, Row, RowKey, RowStatus
from broadcasts.selection import LIVE_AS_SHOWN, MOST_SORTED, MOST_WALKED, Filter, Order, RowFilter, RowPlace, Totals
from broadcasts.store import BroadcastStore, Progress, listed_by
from broadcasts.template import PREFIX as TEMPLATE
from sluice.clock import Clock
from sluice.commands import ChainCommands
from sluice.errors import Conflicting, FieldError, Invalid, NotFound, Unavailable
from sluice.ids import is_id, new_id
from sluice.requests import Answer, Requester
from sluice.roles import Principal, Role
from sluice.store import Listing, Place
from sluice.wake import Wake

_AT_ONCE = 16
_NO_TERMS = Terms(name="", instance_id="", rate_limit=0)


@dataclass(frozen=True)
class Rules:
    """What the platform allows."""

    max_rate_per_minute: int


@dataclass
class Written:
    """The text that a create or an edit writes: its answer is made before anybody could read it."""

    text: Text | None = None


class Broadcasts(ChainCommands[Broadcast, Change]):
    """What owners do with their campaigns, and operators with all of them."""

    prefix = PREFIX

    def __init__(self, store: BroadcastStore, lists: Lists, wake: Wake, clock: Clock, rules: Rules) -> None:
        super().__init__(store, wake, clock)
        self._store = store
        self._lists = lists
        self._rules = rules

    # Queries

    def own(self, campaign_id: str, caller: Principal, *, deleted: bool = False) -> Broadcast:
        """A campaign that the caller may see and command: their own, or any for an operator. Raises NotFound.

        `deleted`: return a deleted campaign too, for a repeat of the request that deleted it.
        """
        found = self.get(campaign_id)
        _require_own(found, caller, deleted=deleted)
        return found

    def totals(self, campaign: Broadcast) -> Counts:
        """What a campaign's rows count for, at one moment.

        As read; or, of a campaign that a command makes and that is not written yet, as it is going to be.
        """
        return self._counted(campaign, self._store.progress(campaign.id))

    def totals_of(self, campaigns: Sequence[Broadcast]) -> list[Counts]:
        """The same for several, 16 at a time (S5-45)."""
        if len(campaigns) < 2:
            return [self.totals(each) for each in campaigns]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return list(pool.map(self.totals, campaigns))

    def _counted(self, campaign: Broadcast, found: Progress | None) -> Counts:
        if found is None:
            return campaign.counted
        if found.campaign.step >= campaign.step:
            # Steps may have come since: their claims are in its counters, and what became of them is in the others.
            return found.counts
        return campaign.counted + (found.counts - found.campaign.counted)

    def text(self, campaign: Broadcast) -> Text:
        """What a campaign sends. Raises NotFound while it is being removed."""
        found = self._store.text(campaign.id)
        if found is None:
            raise _not_found()
        return found

    def instance(self, campaign: Broadcast) -> Instance | None:
        """The instance that a campaign sends by, a deleted one too."""
        return self._store.instance(campaign.instance_id)

    def progress(self, campaign_id: str, caller: Principal) -> Progress:
        """As `own`, with the campaign's counters and its agenda, at one moment: by one read. Raises NotFound."""
        found = self._store.progress(campaign_id)
        if found is None:
            raise _not_found()
        _require_own(found.campaign, caller)
        return found

    def is_stopped(self) -> bool:
        """Whether the platform is stopped."""
        return self._store.is_stopped()

    def page(
        self, owner: str | None, wanted: Filter, limit: int, after: Place | None
    ) -> tuple[list[Broadcast], Place | None]:
        """Campaigns, newest first: at most `limit`, of an owner or of all.

        A page of a filtered list may have fewer, or none: at most 1,000 campaigns are read for it.
        """
        if owner is None and wanted.instance_id is None and wanted.status in LIVE_AS_SHOWN:
            return self._live_page(wanted, limit, after)
        found: list[Broadcast] = []
        read = 0
        while True:
            some, after = self._store.page(self._source(owner, wanted), limit - len(found), after)
            read += len(some)
            found += [each for each in some if wanted.takes(each, owner)]
            if after is None or len(found) == limit or read >= MOST_SORTED:
                return found, after

    def _live_page(self, wanted: Filter, limit: int, after: Place | None) -> tuple[list[Broadcast], Place | None]:
        """The same for live campaigns of all owners (amendment 29): however many others were created since."""
        every = self._store.live(LIVE_AS_SHOWN[wanted.status], MOST_SORTED) if wanted.status else []
        newest = selection.sorted_by(Order(), (each for each in every if wanted.takes(each, None)))
        return _page_of(newest, limit, after)

    def sorted(self, owner: str | None, wanted: Filter, order: Order) -> list[Broadcast]:
        """All campaigns that are wanted, in an order: of an owner with at most 1,000 (amendment 28).

        Raises Invalid, `too_many_to_sort`.
        """
        found, after = self._store.page(self._source(owner, wanted), MOST_SORTED, None)
        if after is not None:
            message = f"More than {MOST_SORTED} campaigns are too many to sort or search: page by cursor"
            raise Invalid.of("sortBy", message, "too_many_to_sort")
        return selection.sorted_by(order, (each for each in found if wanted.takes(each, owner)))

    def stats(self, owner: str | None) -> Totals:
        """Totals over the campaigns of an owner, or of all (S5-21): exact."""
        total = Totals()
        after: Place | None = None
        while True:
            some, after = self._store.page(listed_by(owner), 100, after)
            listed = [each for each in some if each.kind is Kind.CAMPAIGN]
            for each, counted in zip(listed, self.totals_of(listed), strict=True):
                total = Totals(
                    total.campaigns + 1,
                    total.active + (each.shown is BroadcastStatus.RUNNING),
                    total.completed + (each.shown is BroadcastStatus.COMPLETED),
                    total.sent + counted.sent,
                    total.delivered + counted.delivered,
                )
            if after is None:
                return total

    @staticmethod
    def _source(owner: str | None, wanted: Filter) -> Listing:
        return listed_by(owner, wanted.instance_id)

    # Commands

    def cleaned(self, owner: str, wanted: Asked, before: Broadcast | None = None) -> CleanList | None:
        """The recipients of a request, without duplicates; None when it has none."""
        if wanted.recipients is None:
            return None
        zone = wanted.given.get("time_zone") or (before.time_zone if before else None)
        if zone is None:
            instance_id = wanted.given.get("instance_id") or (before.instance_id if before else "")
            instance = self._store.instance(instance_id) if instance_id else None
            zone = instance.time_zone if instance else "UTC"
        return self._lists.clean(owner, wanted.recipients, zone)

    def create(
        self, wanted: Asked, cleaned: CleanList | None, written: Written, requester: Requester
    ) -> Broadcast | Answer:
        """Create a campaign (S5-12), or return the earlier answer of its Idempotency-Key.

        Raises Invalid: nothing is saved then.
        """
        owner = requester.subject
        campaign_id = new_id(PREFIX, self.clock.now())
        accept = cache(lambda: self._accept(campaign_id, cleaned))

        def change(now: datetime) -> Change:
            terms, text, instance = self._checked(owner, _NO_TERMS, None, wanted, now)
            written.text = text
            made = broadcasts.create(campaign_id, owner, terms, text, instance.currency, now)
            made = replace(made, needs=_needs(terms, wanted))
            accepted = accept()
            if accepted is None:
                return made
            return replace(made, after=broadcasts.listed(made.after, accepted.source, accepted.lanes, now))

        try:
            return self.create_by(change, requester)
        except Unavailable:
            self._checked(owner, _NO_TERMS, None, wanted, self.clock.now())  # names what was deleted meanwhile
            raise

    def edit(
        self, campaign_id: str, wanted: Asked, cleaned: CleanList | None, written: Written, requester: Requester
    ) -> Broadcast | Answer:
        """Change a draft, or a scheduled campaign (S5-15). New recipients replace the old ones.

        Raises Invalid, and Conflicting (`not_editable`): nothing is saved then.
        """
        accept = cache(lambda: self._accept(campaign_id, cleaned))

        def change(found: Broadcast, now: datetime) -> Change:
            broadcasts.edit(found, asked.terms_of(found), None, now)  # refused before its fields are
            before = self.text(found)
            terms, text, instance = self._checked(found.owner, found, before, wanted, now)
            if cleaned is None and text is not before:
                self._require_fit(found, text)
            written.text = text
            made = broadcasts.edit(found, terms, text if text != before else None, now)
            after = replace(made.after, currency=instance.currency)
            accepted = accept()
            if accepted:
                after = broadcasts.listed(after, accepted.source, accepted.lanes, now)
            return replace(made, after=after, needs=_needs(terms, wanted))

        return self._command("edit", campaign_id, requester, change)

    def start(
        self,
        campaign_id: str,
        requester: Requester,
        reviewed: Callable[[Broadcast, datetime], None],
        *,
        resumes: bool = False,
    ) -> Broadcast | Answer:
        """Start, or go on after a pause (S5-17, decision 43). `reviewed` raises Conflicting when the plan has changed.

        Raises Conflicting: `not_startable`, `no_recipients`, `plan_changed`; Invalid when its instance is gone.
        """

        def change(found: Broadcast, now: datetime) -> Change:
            made = broadcasts.start(found, now, resumes=resumes)
            self._require_instance(found)
            reviewed(found, now)
            return replace(made, needs=(found.instance_id,))

        return self._command("resume" if resumes else "start", campaign_id, requester, change)

    def pause(self, campaign_id: str, requester: Requester) -> Broadcast | Answer:
        """Claim nothing more (S5-18)."""
        return self._command("pause", campaign_id, requester, broadcasts.pause)

    def cancel(self, campaign_id: str, requester: Requester) -> Broadcast | Answer:
        """End a campaign: FAILED with the reason CANCELLED (S5-19)."""
        return self._command("cancel", campaign_id, requester, broadcasts.cancel)

    def retry(
        self, campaign_id: str, include_unknown: bool, include_final: bool, requester: Requester
    ) -> Broadcast | Answer:
        """Send to the rest. Raises Conflicting: `not_retryable`, `nothing_to_retry`."""

        def change(found: Broadcast, now: datetime) -> Change:
            total = self.totals(found)
            made = broadcasts.retry(found, total, now, include_unknown=include_unknown, include_final=include_final)
            self._require_instance(found)
            return replace(made, needs=(found.instance_id,))

        return self._command("retry", campaign_id, requester, change)

    def _command(
        self, name: str, campaign_id: str, requester: Requester, change: Callable[[Broadcast, datetime], Change]
    ) -> Broadcast | Answer:
        """A command of a campaign that is there: one that was deleted answers repeats of earlier requests alone."""

        def of_what_is_there(found: Broadcast, now: datetime) -> Change:
            if found.status in broadcasts.GONE:
                raise _not_found()
            return change(found, now)

        return self.command(name, campaign_id, requester, of_what_is_there)

    def delete(self, campaign_id: str, requester: Requester) -> Broadcast | Answer:
        """Delete a campaign (S5-16): it is not found from then on. A repeat of the request gets its answer again."""
        try:
            return self.command("delete", campaign_id, requester, broadcasts.delete)
        except Conflicting as error:
            if error.code == "not_deletable" and self.get(campaign_id).status in broadcasts.GONE:
                raise _not_found() from error
            raise

    def test(
        self, campaign: Broadcast, recipient: Recipient, written: Written, requester: Requester
    ) -> Broadcast | Answer:
        """Send a campaign's text to one person: a campaign of one row, by the same chain (amendment 13).

        Variables that `recipient` lacks are those of the list's first row. Raises Invalid.
        """
        test_id = new_id(PREFIX, self.clock.now())
        owner = campaign.owner

        @cache
        def accept() -> Accepted:
            variables = self._first_variables(campaign) | dict(recipient.variables)
            wanted = [replace(recipient, variables=variables)]
            lacking = asked.unfit(self.text(campaign), wanted)
            if lacking:
                field = lacking[0].field.removeprefix("recipients.0.")
                raise Invalid.of(field, lacking[0].message)
            zone = campaign.time_zone or "UTC"
            return self._lists.accept(test_id, self._lists.clean(owner, wanted, zone))

        def change(now: datetime) -> Change:
            if campaign.status in broadcasts.GONE:
                raise _not_found()
            instance = self._require_instance(campaign)
            terms = replace(
                asked.terms_of(campaign),
                name=f"Test of {campaign.name}"[:200],
                scheduled_for=None,
                windows=None,
                budget=None,
            )
            text = written.text = replace(self.text(campaign), version=1)
            made = broadcasts.create(test_id, owner, terms, text, instance.currency, now, Kind.TEST)
            found = accept()
            listed = broadcasts.listed(made.after, found.source, found.lanes, now)
            return replace(made, after=broadcasts.start(listed, now).after, needs=(instance.id,))

        return self.create_by(change, requester)

    def _first_variables(self, campaign: Broadcast) -> dict[str, str]:
        for lane in campaign.lanes:
            for row in self._store.rows_from(campaign, lane.number, 0, 1):
                return dict(row.variables)
        return {}

    def _accept(self, campaign_id: str, cleaned: CleanList | None) -> Accepted | None:
        return self._lists.accept(campaign_id, cleaned) if cleaned else None

    def _require_instance(self, campaign: Broadcast) -> Instance:
        found = self._store.instance(campaign.instance_id)
        if found is None or found.deleted_at or found.owner != campaign.owner:
            raise _no_instance()
        return found

    def checked(self, owner: str, wanted: Asked) -> tuple[Terms, Text, Instance]:
        """The terms, the text and the instance of a campaign that is only simulated. Raises Invalid."""
        return self._checked(owner, _NO_TERMS, None, wanted, self.clock.now())

    def _checked(
        self, owner: str, before: Terms, text: Text | None, wanted: Asked, now: datetime
    ) -> tuple[Terms, Text, Instance]:
        """The terms and the text that a request asks for, and its instance. Raises Invalid, with all that is wrong.

        `text` is what was sent before; the same is returned when the request does not change it.
        """
        instance_id = wanted.given.get("instance_id", before.instance_id)
        instance = self._store.instance(instance_id)
        if instance is None or instance.deleted_at or instance.owner != owner:
            raise _no_instance()
        most = min(instance.rate_limit, self._rules.max_rate_per_minute)
        terms = wanted.terms(before, rate_limit=most)
        words, terms = self._text(owner, text, wanted, terms)
        errors = [*self._wrong_terms(terms, instance, wanted, now), *asked.problems_of(words)]
        if not errors:
            errors = asked.unfit(words, wanted.recipients or ())
        if errors:
            raise _all_of(errors)
        return terms, words, instance

    def _text(self, owner: str, before: Text | None, wanted: Asked, terms: Terms) -> tuple[Text, Terms]:
        if before is not None and not wanted.changes_text:
            return before, terms
        template: Template | None = None
        if terms.template_id is not None:
            template = _template(terms.template_id, owner)
            if template is None:
                raise Invalid.of("templateId", "Template not found", "template_not_found")
        kept = before.message if before and terms.template_id is None else None
        message = wanted.message if wanted.has_message else kept
        made = asked.text_of(before.version + 1 if before else 1, message, template)
        if made is None:
            raise Invalid.of("message", "Give a message or a templateId")
        return made, replace(terms, template_version=template.version if template else None)

    def _require_fit(self, campaign: Broadcast, text: Text) -> None:
        """Raises Invalid when a recipient of the stored list lacks a variable of the text.

        Of a list that is still being stored, or that is longer than one of a request, each row is judged when its turn
        comes.
        """
        if not campaign.is_laid or campaign.accepted > MOST_IN_A_REQUEST:
            return
        errors = asked.unfit_rows(text, ((row.line, row.variables) for row in self.all_rows(campaign)))
        if errors:
            raise _all_of(errors)

    def _wrong_terms(self, terms: Terms, instance: Instance, wanted: Asked, now: datetime) -> Iterator[FieldError]:
        if terms.rate_limit > self._rules.max_rate_per_minute:
            yield FieldError("rateLimit", f"rateLimit must be 1 to {self._rules.max_rate_per_minute}")
        elif terms.rate_limit > instance.rate_limit:
            yield FieldError("rateLimit", f"rateLimit must be at most that of the instance: {instance.rate_limit}")
        if terms.scheduled_for and "scheduled_for" in wanted.given and terms.scheduled_for <= now:
            yield FieldError("scheduledFor", "scheduledFor must be in the future")
        if terms.media_url and terms.media_id:
            yield FieldError("mediaId", "Give a mediaUrl or a mediaId")
        elif bool(terms.media_url or terms.media_id) != bool(terms.media_type):
            yield FieldError("mediaType", "mediaType goes with a mediaUrl or a mediaId")

    # Rows

    def rows(self, campaign: Broadcast, lane: int, number: int) -> list[Row]:
        """The rows of a lane from a number on, to the end of their thousand at most."""
        return self._store.rows_from(campaign, lane, number, 1000)

    def all_rows(self, campaign: Broadcast, begin: RowPlace | None = None, at_once: int = 1000) -> Iterator[Row]:
        """The rows that are laid down, lane by lane, from a place on."""
        for lane in campaign.lanes:
            if begin and lane.number < begin.lane:
                continue
            number = begin.number if begin and lane.number == begin.lane else 0
            while number < lane.rows and (some := self._store.rows_from(campaign, lane.number, number, at_once)):
                yield from some
                number = some[-1].key.number + 1

    def rows_page(
        self, campaign: Broadcast, wanted: RowFilter, limit: int, after: RowPlace | None
    ) -> tuple[list[Row], RowPlace | None]:
        """At most `limit` rows that are wanted, and where the list goes on: of a filtered list there may be fewer.

        Failed, unknown and skipped rows are found by an index, and a phone by its contact; else rows are read in their
        order, 5,000 at most for a page.
        """
        if wanted.phone and after is None and (found := self._sent_to(campaign, wanted.phone)):
            return [each for each in found if wanted.takes(each)], None
        if wanted.phone is None and wanted.statuses and len(wanted.statuses) == 1:
            (status,) = wanted.statuses
            if status in OUTCOMES:
                return self._by_outcome(campaign, status, limit, after)
        return self._walk(campaign, wanted, limit, after)

    def _walk(
        self, campaign: Broadcast, wanted: RowFilter, limit: int, after: RowPlace | None
    ) -> tuple[list[Row], RowPlace | None]:
        begin = RowPlace(campaign.generation, after.lane, after.number + 1) if after else None
        found: list[Row] = []
        for read, row in enumerate(self.all_rows(campaign, begin, limit if wanted.is_all else 1000), 1):
            if wanted.takes(row):
                found.append(row)
            if len(found) == limit or read >= MOST_WALKED:
                return found, RowPlace(campaign.generation, row.key.lane, row.key.number)
        return found, None

    def _by_outcome(
        self, campaign: Broadcast, status: RowStatus, limit: int, after: RowPlace | None
    ) -> tuple[list[Row], RowPlace | None]:
        last = RowKey(**vars(after)).item(campaign.id) if after else None
        keys, following = self._store.outcomes(campaign.id, status, limit, last)
        keys = [each for each in keys if each.generation == campaign.generation]
        rows = self._store.rows(campaign.id, keys)
        # The index lags: a row may have another status by now.
        found = [rows[each] for each in keys if each in rows and rows[each].status is status]
        return found, RowPlace(**vars(RowKey.of_item(*following)[1])) if following else None

    def _sent_to(self, campaign: Broadcast, phone: str) -> list[Row]:
        """The row of a phone's person, if the person was sent to: a campaign has each person once (S5-4)."""
        cleaned = self._lists.clean(campaign.owner, [Recipient(phone)], None)
        contact = cleaned.rows[0].contact
        names = [each.row for each in self._store.contacts(campaign.owner, [contact])[contact].sends]
        prefix = f"{campaign.id}/"
        keys = [RowKey.parse(name.removeprefix(prefix)) for name in names if name.startswith(prefix)]
        rows = self._store.rows(campaign.id, [each for each in keys if each.generation == campaign.generation])
        return list(rows.values())

    def row(self, campaign: Broadcast, key: RowKey) -> Row:
        """One row of the campaign's list. Raises NotFound."""
        found = self._store.row(campaign.id, key) if key.generation == campaign.generation else None
        if found is None:
            raise NotFound("Recipient not found", "recipient_not_found")
        return found


def _needs(terms: Terms, wanted: Asked) -> tuple[str, ...]:
    """What must still be there when a create or an edit is committed: a deletion may come after it was read.

    A template whose text was frozen before is not needed any more.
    """
    taken = terms.template_id if wanted.changes_text else None
    return (terms.instance_id, *((taken,) if taken else ()))


def _template(template_id: str, owner: str) -> Template | None:
    """The latest version of an owner's template; None when it is deleted, or someone else's."""
    found = templates.find(template_id) if is_id(TEMPLATE, template_id) else None
    if found is None or found.deleted_at or found.owner != owner:
        return None
    provider = None
    if found.provider_name:
        header, parameters = (tuple(f"{{{{{name}}}}}" for name in some) for some in (found.header, found.parameters))
        provider = TemplateText(found.provider_name, found.language, found.category, header, parameters)
    return Template(found.id, found.version, found.text, provider)


def _page_of(
    newest_first: Sequence[Broadcast], limit: int, after: Place | None
) -> tuple[list[Broadcast], Place | None]:
    """At most `limit` of these campaigns, from after a place of the index of all; and the place of the next page."""

    def place(campaign: Broadcast) -> tuple[datetime, str]:
        return campaign.created_at, campaign.id

    last = (datetime.strptime(after.created_at, "%Y-%m-%dT%H:%M:%S.%f%z"), after.campaign_id) if after else None
    left = [each for each in newest_first if last is None or place(each) < last]
    found = left[:limit]
    if len(left) <= limit:
        return found, None
    return found, Place(found[-1].id, found[-1].created_at.strftime("%Y-%m-%dT%H:%M:%S.%f%z"))


def _all_of(errors: Iterable[FieldError]) -> Invalid:
    found = list(errors)
    if len(found) == 1:
        return Invalid.of(found[0].field, found[0].message)
    message = "; ".join(f"{each.field}: {each.message}" for each in found[:3])
    more = f"; and {len(found) - 3} more" if len(found) > 3 else ""
    return Invalid(message + more, "invalid", found[:20])


def _no_instance() -> Invalid:
    return Invalid.of("instanceId", "Instance not found", "instance_not_found")


def _require_own(found: Broadcast, caller: Principal, *, deleted: bool = False) -> None:
    if found.status in broadcasts.GONE and not deleted:
        raise _not_found()
    if found.owner != caller.subject and not caller.role.includes(Role.OPERATOR):
        raise _not_found()


def _not_found() -> NotFound:
    return NotFound("Campaign not found", "campaign_not_found")
