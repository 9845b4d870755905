"""Commands on instances, on templates, and on owners' limits."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from broadcasts.credentials import Secrets
from broadcasts.instance import PREFIX, Instance, ProviderName
from broadcasts.lists.ports import Asker, Checked, Line, Rejected
from broadcasts.lists.store import MOST_INSTANCES, Audited, ListsStore
from broadcasts.owners import EVERYBODY, Owner
from broadcasts.template import CONTENT, Content, Template, problems
from broadcasts.template import PREFIX as TEMPLATE
from sluice.clock import Clock
from sluice.envelope import named
from sluice.errors import Conflicting, Forbidden, Invalid, NotFound, Unavailable
from sluice.ids import new_id
from sluice.requests import Answer, Keyed, Requester, carry_out
from sluice.roles import Principal, Role

OWN_RATE = 60
"""Messages a minute that an owner may set; a higher rate is an operator's word (amendment 15)."""
_CALLED = {
    "api_key": "apiKey",
    "jwt_key": "jwtKey",
    "access_token": "accessToken",
    "app_secret": "appSecret",
    "verify_token": "verifyToken",
}
_OPERATORS = {"price_per_message": "pricePerMessage"}
_BUSY = "Other requests are changing it at the same time: retry"
_VERSIONS_TRIED = 10


class Vault(Protocol):
    """Where credentials are kept."""

    def read_again(self, instance: Instance) -> Secrets:
        """The secrets of an instance. Raises Unavailable."""

    def write(self, instance_id: str, version: int, secrets: Secrets) -> bool:
        """Keep a version; False if somebody has written it already. Raises Unavailable."""

    def delete(self, instance_id: str, version: int) -> bool:
        """Forget a version; False if it was not there. Raises Unavailable."""


def owner_of(caller: Principal, owner: str | None) -> str:
    """Whose things a request is about: the caller's own, or for an operator anybody's. Raises Forbidden."""
    if owner in (None, caller.subject):
        return caller.subject
    if not caller.role.includes(Role.OPERATOR):
        raise Forbidden("Only an operator may name another owner", "forbidden")
    if owner == EVERYBODY:
        raise Invalid.of("owner", "owner must be one owner: `*` goes with lists of instances and templates alone")
    return str(owner)


def listed_owner_of(caller: Principal, owner: str | None) -> str | None:
    """Whose things a list has: as `owner_of`, or None where an operator asks for those of all owners (`*`)."""
    is_of_all = owner == EVERYBODY and caller.role.includes(Role.OPERATOR)
    return None if is_of_all else owner_of(caller, owner)


def may_see(owner: str, caller: Principal) -> bool:
    """Whether a thing is the caller's own, or the caller an operator: for others it is as absent."""
    return owner == caller.subject or caller.role.includes(Role.OPERATOR)


def carried[E: Audited](
    attempt: Callable[[Keyed[E] | None, datetime], E | None],
    requester: Requester,
    entity: Callable[[E], str],
    latest: Callable[[str], int],
    clock: Clock,
) -> E | Answer:
    """Carry a command out. `latest`: the number of the last audit entry of an entity, which a restore takes back."""
    keyed = requester.keyed and requester.keyed.about(lambda made: (entity(made), int(made.audit_number)))
    return carry_out(attempt, keyed, lambda answer: latest(answer.entity) >= answer.version, clock, _BUSY)


@dataclass(frozen=True)
class Instances:
    """Instances of owners. `most_rate`: messages a minute that any instance may have.

    `needed`: the credentials of each provider, all of them and no others.
    """

    store: ListsStore
    vault: Vault
    asker: Asker
    clock: Clock
    most_rate: int
    needed: Mapping[ProviderName, frozenset[str]]

    def page(self, owner: str | None, limit: int, after: str | None) -> tuple[list[Instance], str | None]:
        """At most `limit` instances of an owner, or of all, the oldest first; and the id to go on after, if any."""
        return self.store.instances(owner, limit, after)

    def own(self, instance_id: str, caller: Principal, *, deleted: bool = False) -> Instance:
        """An instance that the caller may see. Raises NotFound (`instance_not_found`).

        `deleted`: return a deleted one too, for a repeat of the request that deleted it.
        """
        found = self.store.instance(instance_id)
        if found is None or not may_see(found.owner, caller) or (found.deleted_at and not deleted):
            raise NotFound("There is no such instance", "instance_not_found")
        return found

    def create(
        self, given: Mapping[str, Any], secrets: Mapping[str, str], owner: str, caller: Principal, requester: Requester
    ) -> Instance | Answer:
        """Create an instance: first its credentials, then the item that names them.

        Raises Invalid, Forbidden, Conflicting (`number_taken`, `too_many_instances`), Unavailable.
        """
        given = {"rate_limit": min(OWN_RATE, self.most_rate), **given}
        self._check_fields(given, None, caller)
        kept = self._secrets(ProviderName(given["provider"]), secrets)

        def attempt(keyed: Keyed[Instance] | None, now: datetime) -> Instance | None:
            made = Instance(id=new_id(PREFIX, now), owner=owner, created_at=now, updated_at=now, **given)
            self._check_address(made, None)
            if self.store.count_instances() >= MOST_INSTANCES:
                raise Conflicting(f"There are {MOST_INSTANCES} instances: delete one first", "too_many_instances")
            made = self._keep(made, kept)
            return self._or_forget(self.store.create_instance(made, requester.subject, now, keyed), made, kept)

        return self._carry_out(attempt, requester)

    def change(
        self,
        instance_id: str,
        given: Mapping[str, Any],
        secrets: Mapping[str, str] | None,
        caller: Principal,
        requester: Requester,
    ) -> Instance | Answer:
        """Change what is given. New credentials are another version; the one before is deleted.

        Raises NotFound, Invalid, Forbidden, Conflicting (`number_taken`, `instance_in_use`), Unavailable.
        """

        def attempt(keyed: Keyed[Instance] | None, now: datetime) -> Instance | None:
            before = self.own(instance_id, caller)
            self._check_fields(given, before, caller)
            after = replace(before, **given)
            self._check_address(after, before)
            self._check_place(before, after)
            kept = self._secrets(before.provider, secrets) if secrets is not None else None
            if after == before and kept is None:
                return self.store.answer(before, now, keyed) if keyed else before
            if kept is not None:
                after = self._keep(after, kept)
            after = replace(after, updated_at=now)
            done = self.store.change_instance(before, after, requester.subject, now, keyed)
            self._or_forget(done, after, kept)
            if done and kept is not None:
                self._forget(before.id, before.credentials, done.credentials)
            return done

        return self._carry_out(attempt, requester)

    def delete(self, instance_id: str, caller: Principal, requester: Requester) -> Instance | Answer:
        """Delete an instance and its credentials. Raises NotFound, Conflicting (`instance_in_use`), Unavailable."""

        def attempt(keyed: Keyed[Instance] | None, now: datetime) -> Instance | None:
            before = self.own(instance_id, caller)
            if self.store.is_used(before.id):
                raise Conflicting("A campaign on the instance is not completed or failed", "instance_in_use")
            after = replace(before, deleted_at=now, updated_at=now)
            done = self.store.delete_instance(before, after, requester.subject, now, keyed)
            if done:
                self._forget(before.id, before.credentials, before.credentials + 1)
            return done

        return self._carry_out(attempt, requester)

    def test(self, instance_id: str, caller: Principal) -> Checked:
        """Whether the credentials of an instance work, as far as its provider can say. Raises NotFound, Unavailable."""
        return self.asker.check(self.line(self.own(instance_id, caller)))

    def line(self, instance: Instance) -> Line:
        """How an instance is reached, with its secrets."""
        secrets = self.vault.read_again(instance).given
        return Line(instance.provider, instance.address, instance.base_url, secrets)

    def _check_fields(self, given: Mapping[str, Any], before: Instance | None, caller: Principal) -> None:
        is_operator = caller.role.includes(Role.OPERATOR)
        for name, shown in _OPERATORS.items():
            if name in given and given[name] != (getattr(before, name) if before else None) and not is_operator:
                raise Forbidden(f"Only an operator may set {shown}", "forbidden")
        if before is None and given["provider"] is ProviderName.AWS and not is_operator:
            # It has no credentials of its own: whoever knows a number of the account could send by it.
            raise Forbidden("Only an operator may create an instance of aws", "forbidden")
        rate = given.get("rate_limit", before.rate_limit if before else OWN_RATE)
        if rate > self.most_rate:
            raise Invalid.of("rateLimit", f"rateLimit must be at most {self.most_rate}", "invalid")
        is_new = before is None or rate != before.rate_limit
        if is_new and rate > OWN_RATE and not is_operator:
            raise Forbidden(f"Only an operator may set a rateLimit above {OWN_RATE}", "forbidden")
        if before and given.get("provider", before.provider) != before.provider:
            message = "An instance stays with its provider: create another instance"
            raise Invalid.of("provider", message, "provider_fixed")
        if before and given.get("currency", before.currency) != before.currency:
            # Campaigns have budgets in it, and rows have prices.
            message = "An instance stays with its currency: create another instance"
            raise Invalid.of("currency", message, "currency_fixed")

    def _check_address(self, after: Instance, before: Instance | None) -> None:
        if before is None or after.base_url != before.base_url:
            self._check_url(after)
        if self.store.holder(after.provider, after.address) not in (None, after.id):
            raise Conflicting("Another instance has this number", "number_taken")

    def _check_place(self, before: Instance, after: Instance) -> None:
        """A message that may have gone out is not there at another server: it would be sent again."""
        has_moved = (after.address, after.base_url) != (before.address, before.base_url)
        if has_moved and self.store.is_sending(before.id):
            raise Conflicting("A campaign on the instance is sending: pause it first", "instance_in_use")

    def _check_url(self, instance: Instance) -> None:
        if instance.base_url is None:
            if instance.provider is ProviderName.EVOLUTION:
                raise Invalid.of("baseUrl", "baseUrl is required for this provider")
            return
        if instance.provider not in (ProviderName.EVOLUTION, ProviderName.META):
            raise Invalid.of("baseUrl", "This provider takes no baseUrl")
        if not self.asker.allows(instance.base_url):
            raise Invalid.of(
                "baseUrl", "baseUrl must be an https URL of a public host, by its name", "host_not_allowed"
            )

    def _secrets(self, provider: ProviderName, given: Mapping[str, str]) -> Secrets | None:
        """The credentials, if the provider needs any. Raises Invalid for one that is missing, or that it has not."""
        needed = self.needed[provider]
        for name in sorted(needed - given.keys()):
            raise Invalid.of(f"credentials.{_CALLED[name]}", f"{_CALLED[name]} is required for {provider}")
        for name in sorted(given.keys() - needed):
            raise Invalid.of(f"credentials.{_CALLED[name]}", f"{provider} takes no {_CALLED[name]}")
        return Secrets(**given) if needed else None

    def _keep(self, instance: Instance, secrets: Secrets | None) -> Instance:
        """The instance with a version that nobody has written: another request may have, or one that crashed."""
        if secrets is None:
            return instance
        for version in range(instance.credentials + 1, instance.credentials + 1 + _VERSIONS_TRIED):
            if self.vault.write(instance.id, version, secrets):
                return replace(instance, credentials=version)
        raise Unavailable(_BUSY)

    def _or_forget(self, done: Instance | None, tried: Instance, secrets: Secrets | None) -> Instance | None:
        """What was committed; if nothing was, the credentials that were written for it are forgotten."""
        if done is None and secrets is not None:
            self.vault.delete(tried.id, tried.credentials)
        return done

    def _forget(self, instance_id: str, first: int, last: int) -> None:
        """Forget versions before `last`: that which was named, and those of requests that crashed."""
        for version in range(max(first, 1), last):
            self.vault.delete(instance_id, version)

    def _carry_out(
        self, attempt: Callable[[Keyed[Instance] | None, datetime], Instance | None], requester: Requester
    ) -> Instance | Answer:
        def latest(instance_id: str) -> int:
            found = self.store.instance(instance_id)
            return int(found.audit_number) if found else 0

        return carried(attempt, requester, lambda made: made.id, latest, self.clock)


@dataclass(frozen=True)
class Templates:
    """Templates of owners."""

    store: ListsStore
    instances: Instances
    clock: Clock

    def page(self, owner: str | None, limit: int, after: str | None) -> tuple[list[Template], str | None]:
        """At most `limit` templates of an owner, or of all, the oldest first; and the id to go on after, if any."""
        return self.store.templates(owner, limit, after)

    def own(
        self, template_id: str, caller: Principal, version: int | None = None, *, deleted: bool = False
    ) -> Template:
        """A template that the caller may see, perhaps with an earlier version. Raises NotFound (`template_not_found`).

        `deleted`: return a deleted one too, for a repeat of the request that deleted it.
        """
        found = self.store.template(template_id)
        if found is None or not may_see(found.owner, caller) or (found.deleted_at and not deleted):
            raise _no_template()
        if version in (None, found.version):
            return found
        content = self.store.version(template_id, int(version or 0))
        if content is None:
            raise _no_template()
        return replace(found, **vars(content), version=int(version or 0))

    def create(self, name: str, content: Content, requester: Requester) -> Template | Answer:
        """Create a template with its first version. Raises Invalid."""
        _check(content)

        def attempt(keyed: Keyed[Template] | None, now: datetime) -> Template | None:
            owner = requester.subject
            made = Template(
                id=new_id(TEMPLATE, now), owner=owner, name=name, created_at=now, updated_at=now, **vars(content)
            )
            return self.store.save_template(None, made, owner, now, keyed)

        return self._carry_out(attempt, requester)

    def change(
        self, template_id: str, given: Mapping[str, Any], caller: Principal, requester: Requester
    ) -> Template | Answer:
        """Change what is given: another content is another version. Raises NotFound, Invalid."""

        def attempt(keyed: Keyed[Template] | None, now: datetime) -> Template | None:
            before = self.own(template_id, caller)
            content = replace(before.content, **{name: value for name, value in given.items() if name in CONTENT})
            _check(content)
            after = replace(before.with_content(content), name=given.get("name", before.name))
            if after.provider_name != before.provider_name or after.language != before.language:
                after = replace(after, approval=None, synced_at=None)
            return self._save(before, after, requester, now, keyed)

        return self._carry_out(attempt, requester)

    def delete(self, template_id: str, caller: Principal, requester: Requester) -> Template | Answer:
        """Delete a template; its versions stay. Raises NotFound, Conflicting (`template_in_use`)."""

        def attempt(keyed: Keyed[Template] | None, now: datetime) -> Template | None:
            before = self.own(template_id, caller)
            if self.store.is_sent(before):
                raise Conflicting("A campaign with the template is not completed or failed", "template_in_use")
            return self._save(before, replace(before, deleted_at=now), requester, now, keyed)

        return self._carry_out(attempt, requester)

    def sync(
        self, template_id: str, instance_id: str, account: str, caller: Principal, requester: Requester
    ) -> Template | Answer:
        """Read approval, category and language of the provider's template, by an instance of the same owner.

        Raises NotFound, Invalid (`instance_not_found`), Conflicting (`no_provider_template`, `provider_refused`).
        """

        def attempt(keyed: Keyed[Template] | None, now: datetime) -> Template | None:
            before = self.own(template_id, caller)
            if before.provider_name is None:
                raise Conflicting("The template has no providerName", "no_provider_template")
            instance = self.store.instance(instance_id)
            if instance is None or instance.deleted_at or instance.owner != before.owner:
                raise Invalid.of("instanceId", "There is no such instance", "instance_not_found")
            line = self.instances.line(instance)
            found = self.instances.asker.template(line, account, before.provider_name, before.language)
            if isinstance(found, Rejected):
                raise Conflicting(found.message, "provider_refused")
            if found is None:
                message = f"The account has no template {before.provider_name} in {before.language}"
                raise Conflicting(message, "no_provider_template")
            content = replace(before.content, category=found.category, language=found.language)
            after = replace(before.with_content(content), approval=found.approval, synced_at=now)
            return self._save(before, after, requester, now, keyed)

        return self._carry_out(attempt, requester)

    def _save(
        self, before: Template, after: Template, requester: Requester, now: datetime, keyed: Keyed[Template] | None
    ) -> Template | None:
        if after == before:
            return self.store.answer(before, now, keyed) if keyed else before
        return self.store.save_template(before, replace(after, updated_at=now), requester.subject, now, keyed)

    def _carry_out(
        self, attempt: Callable[[Keyed[Template] | None, datetime], Template | None], requester: Requester
    ) -> Template | Answer:
        def latest(template_id: str) -> int:
            found = self.store.template(template_id)
            return int(found.audit_number) if found else 0

        return carried(attempt, requester, lambda made: made.id, latest, self.clock)


@dataclass(frozen=True)
class Limits:
    """What operators set for owners."""

    store: ListsStore
    clock: Clock

    def of(self, owner: str) -> Owner:
        """What holds for an owner; the defaults when nobody set anything."""
        return self.store.owner(owner)

    def put(self, owner: str, given: Mapping[str, Any], requester: Requester) -> Owner | Answer:
        """Set what is given, in place of all that was set before."""

        def attempt(keyed: Keyed[Owner] | None, now: datetime) -> Owner | None:
            before = self.store.owner(owner)
            after = Owner(owner=owner, **given, audit_number=before.audit_number, audit_hash=before.audit_hash)
            if after == before and before.audit_number:
                return self.store.answer(before, now, keyed) if keyed else before
            return self.store.save_owner(before, after, requester.subject, now, keyed)

        def latest(entity: str) -> int:
            return int(self.store.owner(entity).audit_number)

        return carried(attempt, requester, lambda made: made.owner, latest, self.clock)


def _no_template() -> NotFound:
    return NotFound("There is no such template", "template_not_found")


def _check(content: Content) -> None:
    if found := list(problems(content)):
        raise named(found)
