"""HTTP: what campaigns need beside them: instances, templates, suppressed contacts, limits, files."""

from functools import partial
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query

from broadcasts.contact import Suppressed
from broadcasts.instance import PREFIX, Instance
from broadcasts.lists import bootstrap
from broadcasts.lists.bootstrap import ListsSettings as Settings
from broadcasts.lists.commands import listed_owner_of, owner_of
from broadcasts.lists.export import suppressed_csv
from broadcasts.lists.places import ContactPlace, ThingPlace
from broadcasts.lists.schemas import (
    EditedInstance,
    EditedTemplate,
    GoneConsents,
    ImportedSuppressions,
    InstanceCheck,
    InstancePage,
    InstanceResource,
    MessageMediaForm,
    NewConsents,
    NewInstance,
    NewLimits,
    NewMessageMedia,
    NewSuppression,
    NewSync,
    NewTemplate,
    OnePhone,
    OwnerLimits,
    OwnerName,
    QuotasResource,
    SpokenResource,
    SuppressedPage,
    SuppressedResource,
    TemplatePage,
    TemplateResource,
)
from broadcasts.lists.suppressions import Spoken
from broadcasts.speaking import in_the_readers_language
from broadcasts.template import PREFIX as TEMPLATE
from broadcasts.uploads import MOST_BYTES
from sluice import envelope, exports, http, settings
from sluice.errors import Invalid
from sluice.ids import is_id
from sluice.roles import Principal, Role

INSTANCES = "/api/instances"
INSTANCE = f"{INSTANCES}/<instance_id>"
TEMPLATES = "/api/templates"
ONE_TEMPLATE = f"{TEMPLATES}/<template_id>"
SUPPRESSIONS = "/api/suppressions"
CONSENTS = "/api/consents"
_MOST_SHOWN = 200

InstanceId = Annotated[str, Path(description="The instance's id: `ins_` and a ULID.")]
TemplateId = Annotated[str, Path(description="The template's id: `tpl_` and a ULID.")]
OfOwner = Annotated[
    str | None,
    Query(min_length=1, max_length=128, description="For an operator: another owner. By default the caller."),
]
ListedOwner = Annotated[
    str | None,
    Query(
        alias="owner",
        min_length=1,
        max_length=128,
        description="For an operator: another owner; `*` for all of them. By default the caller.",
    ),
]

app = http.resolver()


services = settings.once(Settings, bootstrap.services)


def instance_shown(found: Instance) -> InstanceResource:
    """An instance, with the address of its webhooks as this request came to it: no function reads its API's."""
    event = app.current_event
    headers = envelope.headers_of(event.raw_event)
    host = headers.get("host") or event.request_context.domain_name
    scheme = headers.get("x-forwarded-proto") or "https"
    return InstanceResource.of(found, f"{scheme}://{host}")


def spoken_shown(made: Spoken) -> SpokenResource:
    return SpokenResource.model_validate(made)


# --- Instances


@app.post(INSTANCES, **http.require(Role.USER, 201, errors=[409]))
def create_instance(
    body: Annotated[NewInstance, Body()],
    caller: http.Caller,
    origin: http.Origin,
    key: http.IdempotencyKey = None,
    owner: OfOwner = None,
) -> Response[InstanceResource]:
    """Create an instance: a number at a provider, which one instance has. Its credentials are never returned.

    One of `aws` sends with the platform's own rights: an operator creates it, for the `owner` who is named.
    """
    secrets = body.credentials.secrets() if body.credentials else {}
    make = partial(services().instances.create, body.terms(), secrets, owner_of(caller, owner), caller)
    return http.command(origin, key, make, InstanceResource, instance_shown, 201)


@app.get(INSTANCES, **http.require(Role.USER))
def instances(
    caller: http.Caller, owner: ListedOwner = None, limit: http.Limit = http.DEFAULT_LIMIT, cursor: http.Cursor = None
) -> InstancePage:
    """List an owner's instances, or those of all owners, the oldest first."""
    after = http.place_of(cursor, ThingPlace, lambda place: is_id(PREFIX, place.id))
    found, following = services().instances.page(listed_owner_of(caller, owner), limit, after.id if after else None)
    return InstancePage.of(map(instance_shown, found), ThingPlace(following) if following else None)


@app.get(INSTANCE, **http.require(Role.USER, errors=[404]))
def instance(instance_id: InstanceId, caller: http.Caller) -> InstanceResource:
    """Return an instance."""
    return instance_shown(services().instances.own(instance_id, caller))


@app.put(INSTANCE, **http.require(Role.USER, errors=[404, 409]))
def change_instance(
    instance_id: InstanceId,
    body: Annotated[EditedInstance, Body()],
    caller: http.Caller,
    origin: http.Origin,
    key: http.IdempotencyKey = None,
) -> Response[InstanceResource]:
    """Change the fields that are given. Campaigns on it go on with what is new; the number stays while one sends."""
    services().instances.own(instance_id, caller)
    secrets = body.credentials.secrets() if body.credentials else None
    make = partial(services().instances.change, instance_id, body.terms(), secrets, caller)
    return http.command(origin, key, make, InstanceResource, instance_shown)


@app.delete(INSTANCE, **http.require(Role.USER, errors=[404, 409]))
def delete_instance(
    instance_id: InstanceId, caller: http.Caller, origin: http.Origin, key: http.IdempotencyKey = None
) -> Response[InstanceResource]:
    """Delete an instance and its credentials, once all campaigns on it have ended. Its number is free then."""
    services().instances.own(instance_id, caller, deleted=True)
    make = partial(services().instances.delete, instance_id, caller)
    return http.command(origin, key, make, InstanceResource, instance_shown)


@app.post(f"{INSTANCE}/test", **http.require(Role.USER, errors=[404]))
def test_instance(instance_id: InstanceId, caller: http.Caller) -> InstanceCheck:
    """Ask the provider whether the credentials work, where it can be asked. No message is sent."""
    return InstanceCheck.model_validate(services().instances.test(instance_id, caller))


# --- Templates


@app.post(TEMPLATES, **http.require(Role.USER, 201, errors=[409]))
def create_template(
    body: Annotated[NewTemplate, Body()], origin: http.Origin, key: http.IdempotencyKey = None
) -> Response[TemplateResource]:
    """Create a template with its first version."""
    make = partial(services().templates.create, body.name, body.content())
    return http.command(origin, key, make, TemplateResource, TemplateResource.of, 201)


@app.get(TEMPLATES, **http.require(Role.USER))
def templates_of(
    caller: http.Caller, owner: ListedOwner = None, limit: http.Limit = http.DEFAULT_LIMIT, cursor: http.Cursor = None
) -> TemplatePage:
    """List an owner's templates, or those of all owners, the oldest first."""
    after = http.place_of(cursor, ThingPlace, lambda place: is_id(TEMPLATE, place.id))
    found, following = services().templates.page(listed_owner_of(caller, owner), limit, after.id if after else None)
    return TemplatePage.of(map(TemplateResource.of, found), ThingPlace(following) if following else None)


@app.get(ONE_TEMPLATE, **http.require(Role.USER, errors=[404]))
def template(
    template_id: TemplateId,
    caller: http.Caller,
    version: Annotated[int | None, Query(ge=1, le=9999, description="An earlier version, from 1.")] = None,
) -> TemplateResource:
    """Return a template, as it is now or with an earlier version's content."""
    return TemplateResource.of(services().templates.own(template_id, caller, version))


@app.put(ONE_TEMPLATE, **http.require(Role.USER, errors=[404, 409]))
def change_template(
    template_id: TemplateId,
    body: Annotated[EditedTemplate, Body()],
    caller: http.Caller,
    origin: http.Origin,
    key: http.IdempotencyKey = None,
) -> Response[TemplateResource]:
    """Change the fields that are given. Another content is a new version: versions never change."""
    services().templates.own(template_id, caller)
    make = partial(services().templates.change, template_id, body.terms(), caller)
    return http.command(origin, key, make, TemplateResource, TemplateResource.of)


@app.delete(ONE_TEMPLATE, **http.require(Role.USER, errors=[404, 409]))
def delete_template(
    template_id: TemplateId, caller: http.Caller, origin: http.Origin, key: http.IdempotencyKey = None
) -> Response[TemplateResource]:
    """Delete a template, once all campaigns with it have ended."""
    services().templates.own(template_id, caller, deleted=True)
    make = partial(services().templates.delete, template_id, caller)
    return http.command(origin, key, make, TemplateResource, TemplateResource.of)


@app.post(f"{ONE_TEMPLATE}/sync", **http.require(Role.USER, errors=[404, 409]))
def sync_template(
    template_id: TemplateId,
    body: Annotated[NewSync, Body()],
    caller: http.Caller,
    origin: http.Origin,
    key: http.IdempotencyKey = None,
) -> Response[TemplateResource]:
    """Read the approval and the category of the provider's template, by an instance at Meta."""
    services().templates.own(template_id, caller)
    make = partial(services().templates.sync, template_id, body.instance_id, body.account_id, caller)
    return http.command(origin, key, make, TemplateResource, TemplateResource.of)


# --- People


@app.get(SUPPRESSIONS, **http.require(Role.USER))
def suppressions(
    caller: http.Caller, owner: OfOwner = None, limit: http.Limit = http.DEFAULT_LIMIT, cursor: http.Cursor = None
) -> SuppressedPage:
    """List the people whom an owner's campaigns do not write to, in no order."""
    found, following = _suppressed(caller, owner, limit, cursor)
    return SuppressedPage.of(map(SuppressedResource.of, found), following)


@app.get(f"{SUPPRESSIONS}/export", **http.require(Role.USER, media=exports.MEDIA))
def export_suppressions(
    caller: http.Caller, owner: OfOwner = None, limit: http.CsvLimit = http.MAX_CSV_LINES, cursor: http.Cursor = None
) -> Response[str]:
    """The same list as CSV. If there is more, the header Link leads to the next part."""
    found, following = _suppressed(caller, owner, limit, cursor)
    text = suppressed_csv(found, with_header=cursor is None)
    return http.csv_answer(text, {"owner": owner, "limit": limit}, following)


@app.post(SUPPRESSIONS, **http.require(Role.USER, 201, errors=[409]))
def suppress(
    body: Annotated[NewSuppression, Body()], origin: http.Origin, key: http.IdempotencyKey = None
) -> Response[SpokenResource]:
    """Write to this person no more, in whatever campaign. No claim that begins after the response is of them."""
    make = partial(services().suppressions.suppress, origin.subject, [body.phone], body.reason)
    return http.command(origin, key, make, SpokenResource, spoken_shown, 201)


@app.post(f"{SUPPRESSIONS}/import", **http.require(Role.USER, errors=[409]))
def import_suppressions(
    body: Annotated[ImportedSuppressions, Body()], origin: http.Origin, key: http.IdempotencyKey = None
) -> Response[SpokenResource]:
    """Write to these people no more, up to 1,000 in a request. Phones that are none are named by their row."""
    make = partial(services().suppressions.suppress, origin.subject, body.phones, body.reason)
    return http.command(origin, key, make, SpokenResource, spoken_shown)


@app.delete(SUPPRESSIONS, **http.require(Role.USER, errors=[404, 409]))
def lift(
    body: Annotated[OnePhone, Body()], origin: http.Origin, key: http.IdempotencyKey = None
) -> Response[SpokenResource]:
    """Write to this person again."""
    make = partial(services().suppressions.lift, origin.subject, body.phone)
    return http.command(origin, key, make, SpokenResource, spoken_shown)


@app.post(CONSENTS, **http.require(Role.USER, errors=[409]))
def consent(
    body: Annotated[NewConsents, Body()], origin: http.Origin, key: http.IdempotencyKey = None
) -> Response[SpokenResource]:
    """Note that people have consented, and where. It counts for owners whose limits require consent."""
    make = partial(services().suppressions.consent, origin.subject, body.phones, body.source)
    return http.command(origin, key, make, SpokenResource, spoken_shown)


@app.delete(CONSENTS, **http.require(Role.USER, errors=[409]))
def withdraw(
    body: Annotated[GoneConsents, Body()], origin: http.Origin, key: http.IdempotencyKey = None
) -> Response[SpokenResource]:
    """Note that people have taken their consent back."""
    make = partial(services().suppressions.consent, origin.subject, body.phones, None)
    return http.command(origin, key, make, SpokenResource, spoken_shown)


# --- Limits


@app.get("/api/quotas", **http.require(Role.USER))
def quotas(caller: http.Caller, owner: OfOwner = None) -> QuotasResource:
    """Return an owner's limits, and what is used of them: today, and by each instance in the last 24 hours.

    Of an owner with more than 200 instances, the 200 oldest are there.
    """
    who, now = owner_of(caller, owner), services().clock.now()
    limits = services().limits.of(who)
    used = services().store.used(who, limits.day(now))
    return QuotasResource.with_use(limits, used, services().instances.page(who, _MOST_SHOWN, None)[0], now)


@app.put("/api/quotas/<owner>", **http.require(Role.OPERATOR, errors=[404, 409]))
def set_quotas(
    owner: OwnerName, body: Annotated[NewLimits, Body()], origin: http.Origin, key: http.IdempotencyKey = None
) -> Response[OwnerLimits]:
    """Set an owner's limits, in place of all that were set before. What is missing is as if nobody had set it."""
    make = partial(services().limits.put, owner, body.terms())
    return http.command(origin, key, make, OwnerLimits, OwnerLimits.of)


# --- Files


@app.post("/api/media", **http.require(Role.USER, 201))
def upload(body: Annotated[NewMessageMedia, Body()], caller: http.Caller) -> MessageMediaForm:
    """Return a form that uploads one file of this type and size, within 15 minutes. Files are kept for 30 days."""
    most = MOST_BYTES[body.content_type]
    if body.bytes > most:
        raise Invalid.of("bytes", f"A file of this type may have {most} bytes", "media_too_large")
    made = services().media.upload(caller.subject, body.content_type, body.bytes, services().clock.now())
    return MessageMediaForm.of(made)


def _suppressed(
    caller: Principal, owner: str | None, limit: int, cursor: str | None
) -> tuple[list[Suppressed], ContactPlace | None]:
    after = http.place_of(cursor, ContactPlace)
    who = owner_of(caller, owner)
    found, following = services().suppressions.page(who, limit, after.contact if after else None)
    return found, ContactPlace(following) if following else None


handler = in_the_readers_language(http.handler_of(app))
