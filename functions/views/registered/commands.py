"""Registers content: in the database first, then in the sets of the viewer shards."""

from collections.abc import Callable, Sequence
from datetime import datetime

from sluice.clock import Clock
from sluice.errors import Unavailable
from sluice.requests import Answer, Keyed, Requester, carry_out
from views import keys
from views.held import RedisAway
from views.registered.content import RegisteredContent
from views.registered.rebuild import RegisteredSets
from views.registered.store import Registry

_BUSY = "Other requests are changing the content at the same time: retry"


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

    def put(
        self, content_type: str, content_id: str, title: str, owner: str, requester: Requester
    ) -> RegisteredContent | Answer:
        """Register or change a content, or return the earlier answer of its Idempotency-Key.

        A repeat changes nothing in the database, and completes what is missing in Redis.
        Raises Conflicting for a key used for another request, and Unavailable, which says what to do.
        """

        def attempt(keyed: Keyed[RegisteredContent] | None, now: datetime) -> RegisteredContent | None:
            before = self._registry.get(content_type, content_id)
            if before and (before.title, before.owner) == (title, owner):
                return self._registry.answer(before, now, keyed) if keyed else before
            since = before.registered_at if before else now
            after = RegisteredContent(content_type, content_id, title, owner, registered_at=since, updated_at=now)
            return self._registry.commit(before, after, requester.subject, keyed)

        def stands(answer: Answer) -> bool:
            present = self._registry.get(content_type, content_id)
            return present is not None and present.audit_number >= answer.version

        keyed = (
            requester.keyed.about(lambda content: (content.entity, content.audit_number)) if requester.keyed else None
        )
        done = carry_out(attempt, keyed, stands, self._clock, _BUSY)
        try:
            fields = [keys.content_field(content_type, content_id)]
            self._sets().register(self._shards(), fields, int(self._clock.now().timestamp() * 1000))
        except RedisAway as error:
            message = "The content is written, but Redis does not answer and may not know it yet: repeat this request"
            raise Unavailable(message, error.retry_after_seconds) from error
        return done

    def get(self, content_type: str, content_id: str) -> RegisteredContent | None:
        """A registered content."""
        return self._registry.get(content_type, content_id)
