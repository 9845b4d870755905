"""What the adapters share: posting with pictures within a time, and recognising an own text."""

import re
from collections.abc import Callable, Sequence
from html import unescape
from html.parser import HTMLParser
from time import monotonic

from promotions.ports import Media
from promotions.texts import seen
from sluice.outward import Done, NotTaken, Outcome, Unknown

_MENTION = re.compile(r"(?<!\w)(@\w+)@[\w.-]+\w")


def post_with(
    media: Sequence[Media],
    upload: Callable[[Media], Outcome],
    post: Callable[[list[str]], Outcome],
    last_start_seconds: float,
    elapsed: Callable[[], float] = monotonic,
) -> Outcome:
    """Upload media, then post with their ids. If an upload is uncertain, nothing was posted: it is not visible alone.

    No request begins later than `last_start_seconds` after the first.
    """
    begun = elapsed()
    ids: list[str] = []
    for each in media:
        uploaded = upload(each)
        match uploaded:
            case Done(media_id):
                ids.append(media_id)
            case Unknown(reason):
                return NotTaken(f"A picture was not uploaded: {reason}")
            case _:
                return uploaded
        if elapsed() - begun > last_start_seconds:
            return NotTaken("The pictures took too long to upload")
    return post(ids)


def is_same(text: str, other: str) -> bool:
    """Whether two texts are the same post.

    Networks change white space, compose characters, drop invisible ones, and show mentions without their hosts.
    """
    return _folded(text) == _folded(other)


def without_markup(html: str) -> str:
    """The text of a post or a profile that is given as HTML."""
    reader = _Text()
    reader.feed(html)
    reader.close()
    return "".join(reader.found).strip()


def _folded(text: str) -> str:
    return _MENTION.sub(r"\1", seen(unescape(text)))


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_data(self, data: str) -> None:
        self.found.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - the parser's
        if tag == "br":
            self.found.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == "p":
            self.found.append("\n")
