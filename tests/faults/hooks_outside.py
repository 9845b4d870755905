"""What is outside of the hooks: receivers in memory, which keep every request that ever reached them."""

from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hooks.ports import TIMEOUT, Answered
from tests.faults.world import World

WELL, WRONG, BUSY, MOVED, GONE = "204", "500", "503", "302", "410"
_BUSY_FOR = timedelta(minutes=2)


@dataclass(frozen=True)
class Post:
    """A request that reached a receiver, and how it was answered."""

    url: str
    id: str
    body: bytes
    at: datetime
    answer: str

    @property
    def was_taken(self) -> bool:
        return self.answer == WELL


@dataclass
class Receivers:
    """The receivers, by their URLs. They know no ids, so what is sent twice is taken twice."""

    posts: list[Post] = field(default_factory=list)
    answers: dict[str, deque[str]] = field(default_factory=lambda: defaultdict(deque))
    """How the next requests to a URL are answered."""
    always: dict[str, str] = field(default_factory=dict)
    """How those after them are answered."""

    def became(self, other: "Receivers") -> None:
        """Let this be as another one was."""
        vars(self).update(vars(deepcopy(other)))

    def answer(self, url: str) -> str:
        waiting = self.answers[url]
        return waiting.popleft() if waiting else self.always.get(url, WELL)


type Posted = Callable[[str, Mapping[str, str], bytes], None]
"""Called with the URL, headers and body of a request before it has an effect."""


@dataclass
class Sender:
    """As `Sink`: each request is a call to somebody outside, whose answer may be lost."""

    world: World
    receivers: Receivers
    posted: Posted

    def problem(self, url: str) -> str | None:
        return None if url.startswith("https://") else "url must be https"

    def post(self, url: str, headers: Mapping[str, str], body: bytes, deadline: datetime) -> Answered:
        def call() -> Answered:
            if self.world.now() >= deadline:
                return Answered(TIMEOUT)
            self.posted(url, headers, body)
            answer = self.receivers.answer(url)
            self.receivers.posts.append(Post(url, headers["webhook-id"], body, self.world.now(), answer))
            return Answered(answer, retry_after=_BUSY_FOR if answer == BUSY else None)

        try:
            answered: Answered = self.world.outside("Call", call)
        except TimeoutError:
            return Answered(TIMEOUT)
        return answered


def sender(world: World, receivers: Receivers, posted: Posted) -> Callable[..., Sender]:
    """What makes senders, with whatever a wire is made of."""

    def make(*_of_a_wire: Any) -> Sender:
        return Sender(world, receivers, posted)

    return make
