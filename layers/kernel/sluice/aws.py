"""AWS clients, impatient ones.

From botocore, which PynamoDB needs anyway: boto3 would add s3transfer to every cold start.
"""

from functools import cache
from typing import Any

from botocore.config import Config
from botocore.session import Session, get_session

# A Lambda that waits longer than this is better retried: the SDK's own defaults (60 s each) outlast its timeout.
CONNECT_SECONDS = 1.0
READ_SECONDS = 3.0


def client(service: str) -> Any:
    """A client of a service, by its name in botocore; the caller names its type."""
    patience = Config(connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS)
    return _session().create_client(service, config=patience)


@cache
def _session() -> Session:
    return get_session()
