"""Uploads of pictures, and what their first bytes say that they are. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

PREFIX = "med"
"""The prefix of a picture's id."""


@dataclass(frozen=True)
class Upload:
    """Where and how a picture is uploaded: a form, whose last field is the file."""

    media_id: str
    url: str
    fields: Mapping[str, str]
    expires_at: datetime


def is_of_type(first_bytes: bytes, media_type: str) -> bool:
    """Whether a picture is what it is said to be, by its first 12 bytes."""
    match media_type:
        case "image/jpeg":
            return first_bytes.startswith(b"\xff\xd8\xff")
        case "image/png":
            return first_bytes.startswith(b"\x89PNG\r\n\x1a\n")
        case "image/gif":
            return first_bytes.startswith((b"GIF87a", b"GIF89a"))
        case "image/webp":
            return first_bytes.startswith(b"RIFF") and first_bytes[8:12] == b"WEBP"
        case _:
            return False
