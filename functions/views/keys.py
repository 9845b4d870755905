"""The names of everything in Redis. Each begins with the tag of its viewer shard: a script stays in one cluster slot.

No vendor's import, and no setting: callers give the number of shards.
"""

from collections.abc import Iterable
from hashlib import blake2b
from zlib import crc32

DEFAULT_SHARDS = 16
MAX_SHARDS = 100  # two digits
_NAMES_ITS_SHARD = len("anon:07") + 22


def anonymous(shard: int, digest: str) -> str:
    """The key of an anonymous viewer, which names its shard: `anon:07<digest>`, of 22 characters."""
    return f"anon:{shard:02}{digest}"


def shard_of(viewer: str, shards: int = DEFAULT_SHARDS) -> int:
    """The viewer's shard, 0 to `shards` - 1: the same in every process and release (Python's own hash is not).

    Keys of users, and of anonymous viewers before they named their shard, are hashed.
    """
    if len(viewer) == _NAMES_ITS_SHARD and viewer.startswith("anon:"):
        return int(viewer[5:7]) % shards
    return crc32(viewer.encode()) % shards


def tag(shard: int) -> str:
    """`{v07}`: what Redis hashes of a key (https://redis.io/docs/reference/cluster-spec/#hash-tags)."""
    if not 0 <= shard < MAX_SHARDS:
        raise ValueError(f"a shard is 0 to {MAX_SHARDS - 1}, not {shard}")
    return f"{{v{shard:02}}}"


def pending(shard: int) -> str:
    """Hash: `story:123` and its views that no sync has taken yet, by day: `views.held.parts_of`. Never expires."""
    return f"{tag(shard)}:pending"


def syncing(shard: int) -> str:
    """Hash: as `pending`, of the epoch that is being moved to the database. Never expires."""
    return f"{tag(shard)}:syncing"


def epoch(shard: int) -> str:
    """Integer: the last epoch that was opened on this shard; missing is 0."""
    return f"{tag(shard)}:epoch"


def refused(shard: int) -> str:
    """Hash: `cooldown+daily_viewed|story:123|2026-11-20T08` and how often these rules together refused that content in
    that hour, in UTC. The content is `*` for those that came when the hash was full.
    """
    return f"{tag(shard)}:refused"


def refusing(shard: int) -> str:
    """Hash: as `refused`, of the epoch that is being moved to the database."""
    return f"{tag(shard)}:refusing"


def stats(shard: int) -> str:
    """Hash: what `track.lua` counts for those who run the system, and since when views wait. Never expires."""
    return f"{tag(shard)}:stats"


def registered(shard: int) -> str:
    """Set: `story:123` of every registered content, and `*` once it is complete. Never expires."""
    return f"{tag(shard)}:registered"


def refusal_of(field: str) -> tuple[str, str, str, str]:
    """The rules, content, day and hour of a field of `refused`: `bot+do_not_track`, `story:123`, `2026-11-20`, `08`.

    No content holds a `|`.
    """
    rules, content, moment = field.split("|")
    day, _, hour = moment.partition("T")
    return rules, content, day, hour


def viewer_states(viewer: str, shards: int, others: Iterable[str]) -> list[str]:
    """The states of a viewer's key, and of other names of the same viewer: they are in one shard."""
    shard = tag(shard_of(viewer, shards))
    return [f"{shard}:{viewer}", *(f"{shard}:{name}" for name in others)]


def viewer_state(viewer: str, shards: int = DEFAULT_SHARDS) -> str:
    """Hash: what the rules remember of one viewer, packed; its fields are described in `track.lua`."""
    return f"{tag(shard_of(viewer, shards))}:{viewer}"


def content_field(content_type: str, content_id: str) -> str:
    """`story:123`: a content in `pending` and `syncing`. A type holds no colon, so the first one ends it."""
    return f"{content_type}:{content_id}"


def digest(field: str) -> bytes:
    """The field of a content (`story:123`) in a viewer's state."""
    return blake2b(field.encode(), digest_size=8).digest()


def content_of(field: str) -> tuple[str, str]:
    """The type and id of a `content_field`."""
    content_type, _, content_id = field.partition(":")
    return content_type, content_id


def network(shard: int, digest: str) -> str:
    """Hash: a content's digest, and how many views of it by anonymous viewers of one network counted on one day."""
    return f"{tag(shard)}:net:{digest}"


def parked(shard: int) -> str:
    """Hash: `story:123` and `7:2026-11-20:3;...`, its epochs, days and views that the sync moved aside.

    Never expires.
    """
    return f"{tag(shard)}:parked"


def rebuild(shard: int) -> str:
    """Hash: `id`, the rebuild of `registered` that is under way, and `at`, when it got on last, in milliseconds."""
    return f"{tag(shard)}:rebuild"


def type_of(name: str) -> str:
    """The type that a key has in Redis: string, set or hash."""
    return {"epoch": "string", "registered": "set"}.get(name.partition("}:")[2], "hash")


def unreadable(name: str) -> str:
    """Where a key of another type is moved to: it is kept for 30 days."""
    return f"{name}:unreadable"
