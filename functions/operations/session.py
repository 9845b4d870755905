"""HTTP: sessions for whom the team's identity provider vouches.

The gateway checked the ID token: its signature, issuer, audience and times. What it passes on of a list is a text, in
which a group `x sluice-admins` cannot be told from two groups. So the claims are read again from the token itself.
"""

from functools import cache
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Request
from aws_lambda_powertools.event_handler.depends import Depends
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2

from operations import chains, tokens
from operations.minting import Mint
from operations.schemas import BearerTokenResource
from operations.vouching import Client, Vouched, roles_of
from sluice import http, settings
from sluice.clock import SystemClock
from sluice.envelope import headers_of

app = http.resolver()


Settings = chains.settings(
    "token_secret_arn",
    "token_audience",
    "audit_table",
    "oidc_issuer",
    "oidc_audience",
    "oidc_roles_claim",
    "oidc_roles",
    and_all=[chains.PLATFORM_TABLE],
)


@cache
def mint() -> Mint:
    return tokens.mint_of(settings.read(Settings))


@cache
def client() -> Client:
    read = settings.read(Settings)
    return Client(
        issuer=read.oidc_issuer,
        audience=read.oidc_audience,
        claim=read.oidc_roles_claim,
        roles=roles_of(read.oidc_roles),
        clock=SystemClock(),
    )


def _vouched(request: Request) -> Vouched:
    event = APIGatewayProxyEventV2(request.resolved_event.raw_event)
    claims: dict[str, Any] = event.request_context.authorizer.jwt_claim
    return client().vouched(headers_of(event.raw_event).get("authorization", ""), claims)


@app.post("/session", **http.public(status=201, errors=[401, 403]))
def open_session(vouched: Annotated[Vouched, Depends(_vouched)], _key: http.NoKey = None) -> BearerTokenResource:
    """Exchange an ID token for a token of this API, for an hour. The audit trail (`tokens`) says who got which role.

    The role is the highest that one of the person's groups has. Who is in none of them is refused with 403.
    """
    return BearerTokenResource.model_validate(mint().open(vouched.subject, vouched.role))


handler = http.handler_of(app)
