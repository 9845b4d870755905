"""AWS End User Messaging Social: the Cloud API's messages, by AWS, with the function's own role.

botocore makes and signs a request and reads its answer; the request itself goes by `Post`: botocore's timeouts are for
each read, and it checks no deadline. By default it would also send a message again after a 502 (measured).
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from io import BytesIO
from threading import local
from typing import Any

from botocore import exceptions as vendor
from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from broadcasts.ports import PATIENT, Accepted, Event, Message, Outcome, Patience, Refused, Scope
from broadcasts.providers.answers import Answer, Asked, Post, inner, json_object, objects, one_line, text_in, throttled
from broadcasts.providers.cloud import body_of, entry_of, events_of
from sluice import aws
from sluice.outward import CannotTell, Seen, Unknown

logger = logging.getLogger(f"sluice.{__name__}")

META_VERSION = "v20.0"
_NUMBER = "phone-number-id-"
# By the service's model. InternalServiceException and DependencyException are left out: it may have been sent.
_REFUSALS: Mapping[str, tuple[Scope, bool]] = {
    "ValidationException": (Scope.RECIPIENT, True),
    "InvalidParametersException": (Scope.RECIPIENT, True),
    "LimitExceededException": (Scope.INSTANCE, False),
    "AccessDeniedException": (Scope.INSTANCE, True),
    "AccessDeniedByMetaException": (Scope.INSTANCE, True),
    "ResourceNotFoundException": (Scope.INSTANCE, True),
    # Of every service: the signature, or the role's session, is not valid.
    "ExpiredTokenException": (Scope.INSTANCE, False),
    "IncompleteSignature": (Scope.INSTANCE, True),
    "InvalidClientTokenId": (Scope.INSTANCE, True),
    "InvalidSignatureException": (Scope.INSTANCE, True),
    "MissingAuthenticationToken": (Scope.INSTANCE, True),
    "OptInRequired": (Scope.INSTANCE, True),
    "UnrecognizedClientException": (Scope.INSTANCE, True),
}
_THROTTLES = frozenset({"ThrottledRequestException", "ThrottlingException", "TooManyRequestsException"})


class Aws:
    """As `Provider`, for the phone number `phone-number-id-...`, or its ARN."""

    can_be_asked = False
    absence_is_proof = False

    def __init__(
        self, phone_number_id: str, post: Post, patience: Patience = PATIENT, client: Callable[[], Any] | None = None
    ) -> None:
        """`client`: makes botocore's client of `socialmessaging`."""
        self.patience = patience
        self._number = phone_number_id
        self._post = post
        self._calls = local()
        self._client = (client or connect)()
        self._client.meta.events.register("before-send.socialmessaging.SendWhatsAppMessage", self._ask)

    def send(self, message: Message, attempt: str, deadline: float) -> Outcome:  # noqa: ARG002 - it is in the callback
        """As `Provider.send`."""
        self._calls.deadline = deadline
        try:
            answer = self._client.send_whatsapp_message(
                originationPhoneNumberId=self._number, message=body_of(message), metaApiVersion=META_VERSION
            )
        except _NotAnswered as error:
            return error.asked
        except vendor.ClientError as error:
            return _failed(error)
        except (vendor.NoCredentialsError, vendor.PartialCredentialsError, vendor.ParamValidationError) as error:
            return Refused(Scope.INSTANCE, True, type(error).__name__, one_line(error))
        except Exception as error:  # whatever it is: it may have been sent
            logger.warning("A request ended in an unforeseen error", extra={"error": type(error).__name__})
            return Unknown(type(error).__name__)
        message_id = text_in(answer, "messageId")
        return Accepted(message_id) if message_id else Unknown("The answer has no id")

    def _ask(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        """Make a request that botocore has signed."""
        signed = dict(request.headers.items())
        headers = {name: each if isinstance(each, str) else each.decode() for name, each in signed.items()}
        body = request.body if isinstance(request.body, bytes) else str(request.body or "").encode()
        asked = self._post(request.url, headers, body, self._calls.deadline)
        if not isinstance(asked, Answer):
            raise _NotAnswered(asked)
        answered: Any = dict(asked.headers)  # its stubs ask for less than it takes
        return AWSResponse(request.url, asked.status, answered, _Raw(asked.body))

    def find(
        self,
        message: Message,  # noqa: ARG002
        attempt: str,  # noqa: ARG002
        since: datetime,  # noqa: ARG002
        until: datetime,  # noqa: ARG002
        is_taken: Callable[[str], bool],  # noqa: ARG002
    ) -> Seen:
        """As `Provider.find`: a status with our callback is the only proof."""
        return CannotTell("The provider cannot be asked")

    def parse_events(self, body: bytes, headers: Mapping[str, str], now: datetime) -> list[Event]:  # noqa: ARG002
        """As `Provider.parse_events`, of a message of SNS, raw.

        Nothing signs it: it comes from a queue that takes messages of the one topic alone, and from nowhere else.
        """
        return events_of(entry_of(text_in(json_object(body), "whatsAppWebhookEntry")), now)


def connect() -> Any:
    """botocore's client, which sends once."""
    return aws.client("socialmessaging", attempts=1)


def numbers_of(body: bytes) -> list[str]:
    """The phone numbers that a message of SNS is about: `phone-number-id-...`."""
    numbers = objects(inner(json_object(body), "context").get("MetaPhoneNumberIds"))
    ids = [text_in(each, "arn").rpartition("/")[2] for each in numbers]
    return [each if each.startswith(_NUMBER) else f"{_NUMBER}{each}" for each in ids if each]


class _NotAnswered(Exception):
    def __init__(self, asked: Asked) -> None:
        assert not isinstance(asked, Answer)
        super().__init__()
        self.asked = asked


class _Raw(BytesIO):
    """A body that was read, as botocore reads one."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


def _failed(error: vendor.ClientError) -> Outcome:
    code = error.response.get("Error", {}).get("Code", "")
    said = one_line(error.response.get("Error", {}).get("Message", ""))
    if code in _THROTTLES:
        return throttled(error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {}))
    if code in _REFUSALS:
        scope, is_final = _REFUSALS[code]
        return Refused(scope, is_final, code, said)
    return Unknown(one_line(f"{code}: {said}"))
