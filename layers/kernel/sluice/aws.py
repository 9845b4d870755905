"""AWS clients with short timeouts.

From botocore, which PynamoDB needs anyway: boto3 would add s3transfer to every cold start.
"""

from functools import cache
from typing import Any

from botocore.config import Config
from botocore.session import Session, get_session

# A Lambda that waits longer than this is better retried: the SDK's own defaults (60 s each) outlast its timeout.
CONNECT_SECONDS = 1.0
READ_SECONDS = 3.0


def client(service: str, read_seconds: float = READ_SECONDS, attempts: int | None = None) -> Any:
    """A client of a service, by its name in botocore; the caller names its type.

    `attempts`: how often a call is tried in all; by default as often as the SDK does.
    """
    patience = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=read_seconds,
        retries={"total_max_attempts": attempts} if attempts else None,
    )
    return _session().create_client(service, config=patience)


@cache
def _session() -> Session:
    return get_session()
