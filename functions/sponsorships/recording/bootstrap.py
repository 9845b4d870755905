"""Where recording's settings, keys and table meet."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sluice.clock import SystemClock
from sponsorships.recording.recorder import Recorder
from sponsorships.recording.table import DynamoTable
from sponsorships.secret import ImpressionSecret


@dataclass(frozen=True)
class Settings:
    """What the function reads from the environment."""

    sponsorships_table: str
    outbox_table: str
    impression_secret_arn: str
    time_zone: ZoneInfo
    honour_do_not_track: bool
    viewer_token_secret: str
    viewer_token_audience: str


def recorder(read: Settings) -> Recorder:
    """Mints and records."""
    clock = SystemClock()
    return Recorder(
        DynamoTable(read.sponsorships_table, read.outbox_table),
        ImpressionSecret(read.impression_secret_arn, clock).keys,
        clock,
        read.time_zone,
        honours_do_not_track=read.honour_do_not_track,
    )
