"""Authorizer: admits requests with a valid token, and passes on its subject and role."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.data_classes.api_gateway_authorizer_event import (
    APIGatewayAuthorizerEventV2,
    APIGatewayAuthorizerResponseV2,
)
from aws_lambda_powertools.utilities.parameters import SecretsProvider
from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.auth import Gate
from sluice.clock import SystemClock
from sluice.envelope import headers_of
from sluice.log import logger
from sluice.settings import read

SECRET_CACHE_SECONDS = 300


@dataclass(frozen=True)
class Settings:
    token_secret_arn: str
    token_audience: str


@cache
def gate() -> Gate:
    """The gate, with its secret in Secrets Manager."""
    settings = read(Settings)
    secrets = SecretsProvider()

    def fetch(fresh: bool) -> str:
        return str(secrets.get(settings.token_secret_arn, SECRET_CACHE_SECONDS, force_fetch=fresh))

    return Gate(fetch, settings.token_audience, SystemClock())


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    request = APIGatewayAuthorizerEventV2(event)
    logger.append_keys(request_id=request.request_context.request_id, route=request.route_key)
    principal = gate().admit(headers_of(event).get("authorization", ""))
    if principal is None:
        return APIGatewayAuthorizerResponseV2(authorize=False).asdict()
    bearer = {"subject": principal.subject, "role": principal.role.value}
    return APIGatewayAuthorizerResponseV2(authorize=True, context=bearer).asdict()
