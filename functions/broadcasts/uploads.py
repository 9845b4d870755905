"""Files that owners upload for their messages. Pure.

Sizes are those of the Cloud API: developers.facebook.com/docs/whatsapp/cloud-api/reference/media, of 2026-08.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

PREFIX = "med"
"""The prefix of a file's id."""
_MB = 1 << 20
_IMAGE, _SOUND, _FILE = 5 * _MB, 16 * _MB, 100 * _MB
MOST_BYTES: Mapping[str, int] = {
    "image/jpeg": _IMAGE,
    "image/png": _IMAGE,
    "video/mp4": _SOUND,
    "video/3gpp": _SOUND,
    "audio/aac": _SOUND,
    "audio/amr": _SOUND,
    "audio/mp4": _SOUND,
    "audio/mpeg": _SOUND,
    "audio/ogg": _SOUND,
    "application/pdf": _FILE,
    "application/msword": _FILE,
    "application/vnd.ms-excel": _FILE,
    "application/vnd.ms-powerpoint": _FILE,
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": _FILE,
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": _FILE,
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": _FILE,
    "text/plain": _FILE,
}
"""The types of files that a message may carry, and how large each may be."""


@dataclass(frozen=True)
class Upload:
    """Where and how a file is uploaded: a form, whose last field is the file."""

    media_id: str
    url: str
    fields: Mapping[str, str]
    expires_at: datetime


@dataclass(frozen=True)
class Form:
    """Where and how a list is uploaded: a form, whose last field is the file."""

    url: str
    fields: Mapping[str, str]
    expires_at: datetime
