"""Settings that several wings share."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ViewsSettings:
    """What the functions that ask the viewer shards read from the environment."""

    redis_url: str
    redis_mode: str
    view_shards: int
    views_table: str
