"""HTTP: tokens for people and services, minted by an admin."""

from datetime import timedelta
from functools import cache
from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Body
from botocore.exceptions import BotoCoreError, ClientError

from operations import chains
from operations.heads import AuditLog, items_in
from operations.minting import RESTORED, Mint
from operations.schemas import BearerTokenResource, NewBearerToken
from operations.trail import TOKENS
from sluice import aws, http, settings
from sluice.audit import EntryItem
from sluice.clock import SystemClock
from sluice.dynamodb import Database, bind
from sluice.errors import Unavailable
from sluice.roles import Role

app = http.resolver()


Settings = chains.settings("token_secret_arn", "token_audience", "audit_table", and_all=[chains.PLATFORM_TABLE])


def mint_of(read: Any) -> Mint:
    """The mint of a function with these settings."""
    bind(EntryItem, read.audit_table)
    secrets = aws.client("secretsmanager")

    def fetch() -> str:
        # Never cached: a token signed with the secret of before a rotation would end with it.
        try:
            return str(secrets.get_secret_value(SecretId=read.token_secret_arn)["SecretString"])
        except (BotoCoreError, ClientError) as error:
            raise Unavailable(f"The token secret cannot be read: {aws.why('Secrets Manager', error)}") from error

    audit_log = AuditLog(TOKENS, RESTORED, Database(), items_in(getattr(read, chains.PLATFORM_TABLE)))
    return Mint(fetch, read.token_audience, audit_log, SystemClock())


@cache
def mint() -> Mint:
    return mint_of(settings.read(Settings))


@app.post("/api/admin/tokens", **http.require(Role.ADMIN, status=201))
def create(
    body: Annotated[NewBearerToken, Body()], caller: http.Caller, _key: http.NoKey = None
) -> BearerTokenResource:
    """Mint a token, which is shown in this response only. The audit trail (`tokens`) says for whom, never the token.

    The role may not be above the caller's own. There is no Idempotency-Key, because the stored response of a key would
    hold the token: with one, the request is refused with 400. A token cannot be taken back before it expires.
    """
    minted = mint().mint(caller, body.subject, body.role, timedelta(hours=body.hours))
    return BearerTokenResource.model_validate(minted)


handler = http.handler_of(app)
