"""Media in their bucket: `pending/` is what was uploaded, `media/` what was checked and is published."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from promotions.ports import Media
from promotions.promotion import Promotion
from promotions.uploads import PREFIX, Upload, is_of_type
from sluice import aws
from sluice.errors import Conflicting, Invalid, Unavailable
from sluice.ids import new_id

UPLOAD_SECONDS = 900
_HEAD_BYTES = 16
_GONE = frozenset({"404", "NoSuchKey", "NotFound", "412", "PreconditionFailed"})


@dataclass(frozen=True)
class MediaBucket:
    """The bucket. Raises Unavailable."""

    s3: Any
    bucket: str

    def upload(self, promotion_id: str, media_type: str, size: int, now: datetime) -> Upload:
        """A form by which a picture of this type and of at most this size is uploaded: S3 refuses any other."""
        media_id = new_id(PREFIX, now)
        form = self.s3.generate_presigned_post(
            self.bucket,
            _pending(promotion_id, media_id),
            Fields={"Content-Type": media_type},
            Conditions=[{"Content-Type": media_type}, ["content-length-range", 1, size]],
            ExpiresIn=UPLOAD_SECONDS,
        )
        return Upload(media_id, form["url"], dict(form["fields"]), now + timedelta(seconds=UPLOAD_SECONDS))

    def check(self, promotion: Promotion, types: frozenset[str], most_bytes: int) -> None:
        """Check the uploads of a promotion as `take` does, and keep nothing."""
        for media_id, kept in _uploads(promotion):
            self._checked(promotion.id, media_id, kept, types, most_bytes)

    def take(self, promotion: Promotion, types: frozenset[str], most_bytes: int) -> tuple[str, ...]:
        """Keep the uploads of a promotion as they are now, so nobody can swap them, and return their ETags.

        Uploads that an earlier publish kept stay. Raises Conflicting (`media_missing`), Invalid (`media_type`).
        """
        return tuple(self._take(promotion.id, each, kept, types, most_bytes) for each, kept in _uploads(promotion))

    def read(self, promotion: Promotion) -> Sequence[Media]:
        """The pictures that a promotion is published with, as they were checked."""
        return [
            self._read(_kept(promotion.id, media_id, etag))
            for media_id, etag in zip(promotion.media, promotion.media_etags, strict=True)
        ]

    def _take(self, promotion_id: str, media_id: str, kept: str | None, types: frozenset[str], most_bytes: int) -> str:
        """Checked and copied as one state of the upload: each request names the ETag of the first."""
        etag = self._checked(promotion_id, media_id, kept, types, most_bytes)
        if etag is None:
            return str(kept)
        copy = {
            "CopySource": {"Bucket": self.bucket, "Key": _pending(promotion_id, media_id)},
            "CopySourceIfMatch": etag,
        }
        if self._call("copy_object", Key=_kept(promotion_id, media_id, etag), **copy) is None:
            raise _missing(media_id)  # it was uploaded again meanwhile
        return etag

    def _checked(
        self, promotion_id: str, media_id: str, kept: str | None, types: frozenset[str], most_bytes: int
    ) -> str | None:
        """The ETag of an upload that is as it must be; None if it is not there, and an earlier publish kept it."""
        found = self._call("get_object", Key=_pending(promotion_id, media_id), Range=f"bytes=0-{_HEAD_BYTES - 1}")
        if found is None:
            if kept and self._call("head_object", Key=_kept(promotion_id, media_id, kept)):
                return None
            raise _missing(media_id)
        size = int(found["ContentRange"].rpartition("/")[2])
        if found["ContentType"] not in types or not is_of_type(found["Body"].read(), found["ContentType"]):
            message = f"{media_id} is not a picture of its declared type, or the network does not take this type"
            raise Invalid.of("media", message, "media_type")
        if size > most_bytes:
            raise Invalid.of("media", f"{media_id} has {size} bytes; the network takes {most_bytes}", "media_too_large")
        return str(found["ETag"]).strip('"')

    def _read(self, key: str) -> Media:
        found = self._call("get_object", Key=key)
        if found is None:
            raise Unavailable(f"A picture is not there: {key}")
        return Media(found["ContentType"], found["Body"].read())

    def _call(self, name: str, **arguments: Any) -> Any:
        """The response of S3; None if the object is not there, or has changed since it was read."""
        try:
            return getattr(self.s3, name)(Bucket=self.bucket, **arguments)
        except ClientError as error:
            if error.response["Error"]["Code"] in _GONE:
                return None
            raise Unavailable(aws.why("S3", error)) from error
        except BotoCoreError as error:
            raise Unavailable(aws.why("S3", error)) from error


def media_bucket(name: str) -> MediaBucket:
    """The bucket of that name."""
    return MediaBucket(aws.client("s3"), name)


def _uploads(promotion: Promotion) -> Iterator[tuple[str, str | None]]:
    """The media of a promotion, each with the ETag under which an earlier publish kept it."""
    kept = dict(zip(promotion.media, promotion.media_etags, strict=False))
    return ((each, kept.get(each)) for each in promotion.media)


def _pending(promotion_id: str, media_id: str) -> str:
    return f"pending/{promotion_id}/{media_id}"


def _kept(promotion_id: str, media_id: str, etag: str) -> str:
    return f"media/{promotion_id}/{media_id}-{etag}"


def _missing(media_id: str) -> Conflicting:
    message = f"{media_id} was not uploaded, or it was more than 7 days ago: upload it again"
    return Conflicting(message, "media_missing")
