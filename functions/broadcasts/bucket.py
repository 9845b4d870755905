"""The bucket of lists: `imports/` is what was uploaded and what was found in it, `lists/` the rows to be laid down."""

import io
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import batched
from typing import IO, Any

from botocore.exceptions import BotoCoreError, ClientError

from broadcasts.campaign import Broadcast
from broadcasts.recipients import CleanRow
from broadcasts.roll import ROWS, line_of, row_of
from broadcasts.row import Row
from broadcasts.uploads import Form
from sluice import aws
from sluice.errors import Conflicting, Unavailable, Unreadable
from sluice.ids import new_id

MOST_BYTES = 256 * 1024 * 1024
UPLOAD_SECONDS = 900
_GONE = frozenset({"404", "NoSuchKey", "NotFound", "412", "PreconditionFailed"})
_OPENINGS = 5


@dataclass(frozen=True)
class Found:
    """An upload as it lies in the bucket."""

    etag: str
    size: int


@dataclass(frozen=True)
class ListBucket:
    """The bucket. Raises Unavailable."""

    s3: Any
    bucket: str

    # Rows that are to be laid down

    def new_source(self, campaign_id: str, now: datetime) -> str:
        """A prefix for the rows of a list. Each reading of a list has its own, so no two ever mix."""
        return f"lists/{campaign_id}/{new_id('', now).removeprefix('_')}"

    def write_all(self, source: str, rows: Iterable[CleanRow]) -> None:
        """Write the rows of a list, 2,000 an object."""
        for number, some in enumerate(batched(rows, ROWS, strict=False)):
            self.write(source, number, some)

    def write(self, source: str, number: int, rows: Iterable[CleanRow]) -> None:
        """Write one object of a list."""
        body = "\n".join(map(line_of, rows)).encode()
        self._call("put_object", Key=_object(source, number), Body=body, ContentType="application/x-ndjson")

    def rows(self, campaign: Broadcast, number: int) -> list[Row]:
        """The rows of a campaign's object `number`, as they are laid down: the object of `laid` is `laid // 2,000`.

        Raises Unreadable when the object is not there, or is not what `write` wrote.
        """
        key = _object(campaign.source or "", number)
        found = self._call("get_object", Key=key)
        if found is None:
            raise Unreadable(f"The rows of {campaign.id} are not in the bucket: {key}")
        lines = self._read(found["Body"]).decode().split("\n")
        try:
            return [row_of(line, campaign.id, campaign.generation) for line in lines]
        except (KeyError, TypeError, ValueError) as error:
            raise Unreadable(f"An object of rows cannot be read: {key}") from error

    # Uploads

    def form(self, campaign_id: str, import_id: str, now: datetime) -> Form:
        """A form by which a file of at most 256 MiB is uploaded within 15 minutes: S3 refuses a larger one."""
        form = self.s3.generate_presigned_post(
            self.bucket,
            _upload(campaign_id, import_id),
            Conditions=[["content-length-range", 1, MOST_BYTES]],
            ExpiresIn=UPLOAD_SECONDS,
        )
        return Form(form["url"], dict(form["fields"]), now + timedelta(seconds=UPLOAD_SECONDS))

    def uploaded(self, campaign_id: str, import_id: str) -> Found | None:
        """The file of an import; None when nothing was uploaded."""
        found = self._call("head_object", Key=_upload(campaign_id, import_id))
        return Found(str(found["ETag"]), int(found["ContentLength"])) if found else None

    def open(self, campaign_id: str, import_id: str, file: Found) -> IO[bytes]:
        """The bytes of an upload as it was found, as a stream.

        Reading raises Unavailable; Conflicting (`file_changed`) when the file was uploaded again or is gone.
        """
        return io.BufferedReader(_Stream(self, _upload(campaign_id, import_id), file), 1 << 16)

    # What was found in an upload

    def save_report(self, campaign_id: str, import_id: str, report: dict[str, Any], faults: IO[bytes]) -> None:
        """Keep the report of a check, and all that was wrong as a CSV file."""
        self._call("put_object", Key=_faults(campaign_id, import_id), Body=faults, ContentType="text/csv")
        body = json.dumps(report, ensure_ascii=False, separators=(",", ":")).encode()
        self._call("put_object", Key=_report(campaign_id, import_id), Body=body, ContentType="application/json")

    def report(self, campaign_id: str, import_id: str) -> dict[str, Any] | None:
        """The report of a check; None when there is none, or it was deleted, which is after 7 days."""
        found = self._call("get_object", Key=_report(campaign_id, import_id))
        return dict(json.loads(self._read(found["Body"]))) if found else None

    def faults_url(self, campaign_id: str, import_id: str) -> str:
        """Where all that was wrong is downloaded, within 15 minutes."""
        of = {"Bucket": self.bucket, "Key": _faults(campaign_id, import_id)}
        return str(self.s3.generate_presigned_url("get_object", Params=of, ExpiresIn=UPLOAD_SECONDS))

    def part(self, key: str, file: Found, begin: int) -> Any:
        """The stream of an upload from a byte on. Raises Conflicting when it is not the file as it was found."""
        found = self._call("get_object", Key=key, Range=f"bytes={begin}-", IfMatch=file.etag)
        if found is None:
            message = "The file was uploaded again after the start, or was deleted: import it again"
            raise Conflicting(message, "file_changed")
        return found["Body"]

    def _read(self, body: Any) -> bytes:
        try:
            return bytes(body.read())
        except BotoCoreError as error:
            raise Unavailable(aws.why("S3", error)) from error

    def _call(self, name: str, **arguments: Any) -> Any:
        """The response of S3; None if the object is not there, or is another one."""
        try:
            return getattr(self.s3, name)(Bucket=self.bucket, **arguments)
        except ClientError as error:
            if error.response["Error"]["Code"] in _GONE:
                return None
            raise Unavailable(aws.why("S3", error)) from error
        except BotoCoreError as error:
            raise Unavailable(aws.why("S3", error)) from error


class _Stream(io.RawIOBase):
    """An upload, read on from where it was when a connection breaks: a second delivery would come 90 minutes later."""

    def __init__(self, bucket: ListBucket, key: str, file: Found) -> None:
        self._bucket, self._key, self._file = bucket, key, file
        self._at = 0
        self._body: Any = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._at >= self._file.size:
            return 0
        chunk = self._next(len(buffer))
        buffer[: len(chunk)] = chunk
        self._at += len(chunk)
        return len(chunk)

    def _next(self, most: int) -> bytes:
        error: BotoCoreError | None = None
        for _ in range(_OPENINGS):
            if self._body is None:
                self._body = self._bucket.part(self._key, self._file, self._at)
            try:
                if chunk := self._body.read(most):
                    return bytes(chunk)
            except BotoCoreError as broken:
                error = broken
            self._body = None
        raise Unavailable(aws.why("S3", error)) from error


def list_bucket(name: str) -> ListBucket:
    """The bucket of that name."""
    return ListBucket(aws.client("s3", signature="s3v4"), name)


def _object(source: str, number: int) -> str:
    return f"{source}/{number:05d}"


def _upload(campaign_id: str, import_id: str) -> str:
    return f"imports/{campaign_id}/{import_id}/file.csv"


def _report(campaign_id: str, import_id: str) -> str:
    return f"imports/{campaign_id}/{import_id}/report.json"


def _faults(campaign_id: str, import_id: str) -> str:
    return f"imports/{campaign_id}/{import_id}/errors.csv"
