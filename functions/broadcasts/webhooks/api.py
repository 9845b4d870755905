"""HTTP: what providers tell of messages, by their webhooks. The routes are open: each request is proven by itself."""

import base64
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from broadcasts.instance import ProviderName
from broadcasts.webhooks import bootstrap
from broadcasts.webhooks.bootstrap import HearingSettings as Settings
from broadcasts.webhooks.schemas import HeardResource
from sluice import envelope, http, settings

EVOLUTION = "/webhooks/evolution/<instance>"
META = "/webhooks/meta/<instance>"
MAX_BODY_BYTES = 3 * 1024 * 1024
"""Meta sends up to 3 MB at once; an Evolution server repeats what is refused with a 413 ten times (amendment 18)."""
LONGEST = 200
"""Of what a subscription names."""

InstanceId = Annotated[str, Path(max_length=64, description="The instance's id: `ins_` and a ULID.")]
EventName = Annotated[
    str, Path(max_length=64, description="As the server calls it: `messages-update`. It is not read.")
]

app = http.resolver()
hearing = settings.once(Settings, bootstrap.hearing)
_DECLARED = http.public(errors=[401, 404], max_body_bytes=MAX_BODY_BYTES)


@app.post(EVOLUTION, **_DECLARED)
def tell_evolution(instance: InstanceId) -> HeardResource:
    """Statuses and inbound messages of an Evolution server, with the token that its `jwt_key` signs."""
    return _heard(ProviderName.EVOLUTION, instance)


@app.post(f"{EVOLUTION}/<event>", **_DECLARED)
def tell_evolution_event(instance: InstanceId, event: EventName) -> HeardResource:  # noqa: ARG001 - the body names it
    """As without the event: for a server that sends each event to a path of its own (`byEvents`)."""
    return _heard(ProviderName.EVOLUTION, instance)


@app.post(META, **_DECLARED)
def tell_meta(instance: InstanceId) -> HeardResource:
    """Statuses and inbound messages of the Cloud API, signed by the app's secret."""
    return _heard(ProviderName.META, instance)


@app.get(META, **http.public(errors=[401, 404], media="text/plain"))
def subscribe_meta(
    instance: InstanceId,
    mode: Annotated[str, Query(alias="hub.mode", max_length=LONGEST)],
    token: Annotated[str, Query(alias="hub.verify_token", max_length=LONGEST)],
    challenge: Annotated[str, Query(alias="hub.challenge", max_length=LONGEST)],
) -> Response[str]:
    """Prove to Meta that this is the webhook: the challenge, if the token is the instance's."""
    query = {"hub.mode": mode, "hub.verify_token": token, "hub.challenge": challenge}
    return Response(200, "text/plain", hearing().challenged(ProviderName.META, instance, query))


def _heard(provider: ProviderName, instance: str) -> HeardResource:
    http.logger.append_keys(instance_id=instance)
    event = app.current_event
    text = event.body or ""
    # As it came: what is signed is the bytes.
    body = base64.b64decode(text) if event.is_base64_encoded else text.encode()
    headers = envelope.headers_of(event.raw_event)
    return HeardResource(events=hearing().hear(provider, instance, body, headers))


handler = http.handler_of(app)
