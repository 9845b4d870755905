"""AWS clients with short timeouts.

From botocore, which PynamoDB needs anyway: boto3 would add s3transfer to every cold start.
"""

from functools import cache
from typing import Any

from botocore import exceptions as vendor
from botocore.config import Config
from botocore.session import Session, get_session

# A Lambda that waits longer than this is better retried: the SDK's own defaults (60 s each) outlast its timeout.
CONNECT_SECONDS = 1.0
READ_SECONDS = 3.0


def client(
    service: str,
    read_seconds: float = READ_SECONDS,
    attempts: int | None = None,
    signature: str | None = None,
    url: str | None = None,
) -> Any:
    """A client of a service, by its name in botocore; the caller names its type.

    `attempts`: how often a call is tried in all; by default as often as the SDK does. `signature`: `s3v4`, for forms
    and URLs that S3 in us-east-1 is to check; botocore's own choice there is the old one. `url`: where the service is,
    if it has no address of its own: the connections of a WebSocket.
    """
    patience = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=read_seconds,
        retries={"total_max_attempts": attempts} if attempts else None,
        signature_version=signature,
    )
    return _session().create_client(service, config=patience, endpoint_url=url)


def why(service: str, error: Exception | None) -> str:
    """What a service did instead of what was asked, for people: its error code, or where it cannot be reached."""
    where = getattr(error, "kwargs", {}).get("endpoint_url") or type(error).__name__
    match error:
        case vendor.ClientError():
            return f"{service} answered {error.response['Error']['Code']}"
        case vendor.ConnectionError():
            return f"{service} cannot be reached: {where}"
        case vendor.HTTPClientError():
            return f"{service} does not answer: {where}"
    return f"{service} was not asked: {where}"


@cache
def _session() -> Session:
    return get_session()
