"""The texts of a promotion as they go out, and what is wrong with them. Pure."""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from unicodedata import category, normalize

from sluice.errors import FieldError


@dataclass(frozen=True)
class Preview:
    """What a publish would do: its texts as they would go out, what stands against it, and what it costs."""

    texts: tuple[str, ...]
    problems: tuple[FieldError, ...]
    budget: int
    wallet: int
    network_cost_usd: str


def code(promotion_id: str, number: int) -> str:
    """A short code of a promotion and a round: `sl-q3k7za`.

    A network refuses a text that it had before, and a look must not find the post of an earlier round.
    """
    digest = sha256(f"{promotion_id}#{number}".encode()).digest()
    return f"sl-{base64.b32encode(digest)[:6].decode().lower()}"


def seen(text: str) -> str:
    """A text as a reader sees it: composed, without invisible characters, and with single spaces."""
    visible = "".join(each for each in normalize("NFC", text) if category(each) != "Cf")
    return " ".join(visible.split())


def posted(text: str, promotion_id: str, number: int) -> str:
    """A text as it goes out: with the code of its round."""
    return f"{text.rstrip()} {code(promotion_id, number)}"


def problems(
    texts: Sequence[str], length: Callable[[str], int], limit: int, disclosures: Sequence[str]
) -> list[tuple[str, str, str]]:
    """What is wrong with two texts as they go out: (field, code, message)."""
    found = []
    for number, text in enumerate(texts):
        if (has := length(text)) > limit:
            message = f"The text is {has} characters long as the network counts them; {limit} are allowed"
            found.append((f"texts.{number}", "text_too_long", message))
    if len({seen(text).rpartition(" ")[0] for text in texts}) < len(texts):  # the code is the last word
        found.append(("texts.1", "texts_equal", "The two texts must differ"))
    words = {word.strip(".,;:!?()").lower() for word in texts[0].split()}
    if not words & {each.lower() for each in disclosures}:
        message = f"The first text must say that it is paid for: {' or '.join(disclosures)}"
        found.append(("texts.0", "disclosure_missing", message))
    return found
