"""Registers content: in the database first, then in the sets of the viewer shards."""

from collections.abc import Callable, Sequence

from sluice.clock import Clock
from sluice.errors import Unavailable
from views.held import RedisAway
from views.registered.content import RegisteredContent
from views.registered.rebuild import RegisteredSets
from views.registered.store import Registry

_ATTEMPTS = 10  # each lost against another change of the same content


class Registration:
    """Registers content. `shards` returns all shards ever used; it is called after the commit, so none is missed."""

    def __init__(
        self,
        registry: Registry,
        sets: Callable[[], RegisteredSets],
        shards: Callable[[], Sequence[int]],
        clock: Clock,
    ) -> None:
        self._registry = registry
        self._sets = sets
        self._shards = shards
        self._clock = clock

    def put(self, content_type: str, content_id: str, title: str, owner: str, actor: str) -> RegisteredContent:
        """Register or change a content. A repeat changes no row, and adds the content to Redis if that failed before.

        Raises Unavailable, which says what to do.
        """
        content = self._commit(content_type, content_id, title, owner, actor)
        try:
            self._sets().register(self._shards(), [content.field], int(self._clock.now().timestamp() * 1000))
        except RedisAway as error:
            message = "The content is written, but Redis does not answer and may not know it yet: repeat this request"
            raise Unavailable(message, error.retry_after_seconds) from error
        return content

    def get(self, content_type: str, content_id: str) -> RegisteredContent | None:
        """A registered content."""
        return self._registry.get(content_type, content_id)

    def _commit(self, content_type: str, content_id: str, title: str, owner: str, actor: str) -> RegisteredContent:
        for _ in range(_ATTEMPTS):
            before = self._registry.get(content_type, content_id)
            if before and (before.title, before.owner) == (title, owner):
                return before
            now = self._clock.now()
            since = before.registered_at if before else now
            after = RegisteredContent(content_type, content_id, title, owner, registered_at=since, updated_at=now)
            if self._registry.commit(before, after, actor):
                return after
        raise Unavailable("Other requests are changing the content at the same time: retry")
