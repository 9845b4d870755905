"""Files of messages in the bucket, `media/<owner>/<id>`: uploaded by a form that S3 checks, deleted after 30 days."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from botocore.exceptions import BotoCoreError

from broadcasts.uploads import PREFIX, Upload
from sluice import aws
from sluice.errors import Unavailable
from sluice.ids import new_id

UPLOAD_SECONDS = 900


@dataclass(frozen=True)
class MediaBucket:
    """The bucket. Nothing here asks S3: forms and links are signed with the role's credentials.

    Raises Unavailable while there are none.
    """

    s3: Any
    bucket: str

    def upload(self, owner: str, media_type: str, size: int, now: datetime) -> Upload:
        """A form by which a file of this type and of exactly this size is uploaded: S3 refuses any other."""
        media_id = new_id(PREFIX, now)
        form: Mapping[str, Any] = self._sign(
            "generate_presigned_post",
            self.bucket,
            key_of(owner, media_id),
            Fields={"Content-Type": media_type},
            Conditions=[{"Content-Type": media_type}, ["content-length-range", size, size]],
            ExpiresIn=UPLOAD_SECONDS,
        )
        return Upload(media_id, form["url"], dict(form["fields"]), now + timedelta(seconds=UPLOAD_SECONDS))

    def link(self, owner: str, media_id: str, seconds: int) -> str:
        """An https URL by which a provider reads an owner's file, for so long as the role's own session lasts."""
        parameters = {"Bucket": self.bucket, "Key": key_of(owner, media_id)}
        return str(self._sign("generate_presigned_url", "get_object", Params=parameters, ExpiresIn=seconds))

    def _sign(self, name: str, *what: str, **how: Any) -> Any:
        try:
            return getattr(self.s3, name)(*what, **how)
        except BotoCoreError as error:
            raise Unavailable(aws.why("S3", error)) from error


def key_of(owner: str, media_id: str) -> str:
    """Where a file lies. An owner's name may have characters that no key should, and nobody names another's file."""
    return f"media/{sha256(owner.encode()).hexdigest()[:32]}/{media_id}"


def media_bucket(name: str) -> MediaBucket:
    """The bucket of that name."""
    return MediaBucket(aws.client("s3", signature="s3v4"), name)
