"""What Meta's error codes mean, at the Cloud API and at AWS: of a call, and of a message that failed after it. Pure.

developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes, of 2026-08.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from broadcasts.ports import Scope


@dataclass(frozen=True)
class Meaning:
    """What an error code says of a message that was not accepted, or that failed after it."""

    scope: Scope = Scope.RECIPIENT
    is_final: bool = True
    throttles: bool = False
    suppresses: bool = False


_OF_RECIPIENT = Meaning()
_OF_CAMPAIGN = Meaning(Scope.CAMPAIGN)
_OF_INSTANCE = Meaning(Scope.INSTANCE)
LATER = Meaning(is_final=False)
_THROTTLES = Meaning(Scope.INSTANCE, is_final=False, throttles=True)

MEANINGS: Mapping[int, Meaning] = {
    0: _OF_INSTANCE,  # the token is not valid
    3: _OF_INSTANCE,  # capability or permission
    4: _THROTTLES,  # the app's calls
    10: _OF_INSTANCE,  # permission denied
    33: _OF_INSTANCE,  # the number was deleted
    100: _OF_RECIPIENT,  # invalid parameter
    190: _OF_INSTANCE,  # the token has expired
    **dict.fromkeys(range(200, 300), _OF_INSTANCE),  # permissions
    368: _OF_INSTANCE,  # blocked for a violation of policies
    80007: _THROTTLES,  # the account's calls
    130429: _THROTTLES,  # the number's messages a second
    130472: _OF_RECIPIENT,  # the person is part of an experiment
    130497: _OF_RECIPIENT,  # not to this country
    131005: _OF_INSTANCE,  # access denied
    131008: _OF_RECIPIENT,  # a parameter is missing
    131009: _OF_RECIPIENT,  # a parameter is not valid
    131021: _OF_RECIPIENT,  # to the sender itself
    131026: _OF_RECIPIENT,  # not on WhatsApp, or it is too old
    131030: _OF_RECIPIENT,  # not among a test number's recipients
    131031: _OF_INSTANCE,  # the account is locked
    131037: _OF_INSTANCE,  # the display name is not approved
    131042: _OF_INSTANCE,  # payment
    131045: _OF_INSTANCE,  # the number is not registered
    131047: _OF_RECIPIENT,  # free text outside the 24 hours
    131048: Meaning(Scope.INSTANCE, is_final=False),  # too many people blocked or reported the number
    131049: LATER,  # enough marketing for this person
    131050: Meaning(suppresses=True),  # the person stopped the business's marketing
    131051: _OF_CAMPAIGN,  # the type of message is not supported
    131052: _OF_CAMPAIGN,  # the media cannot be downloaded
    131053: _OF_CAMPAIGN,  # the media cannot be uploaded
    131056: LATER,  # too many messages to this person
    131057: Meaning(Scope.INSTANCE, is_final=False),  # the account is in maintenance
    **dict.fromkeys(range(132000, 133000), _OF_CAMPAIGN),  # the template: missing, paused, disabled, other parameters
    132005: _OF_RECIPIENT,  # the text is too long with this person's values
    133010: _OF_INSTANCE,  # the number is not registered
}
"""By code. 1, 2, 131000 and 131016 are left out: a failure inside, after which nobody knows."""


def suppresses(code: str) -> bool:
    """Whether who was to get a message that failed by this code wants none."""
    return (found := _of(code)) is not None and found.suppresses


def blocks_instance(code: str) -> bool:
    """Whether the number is in trouble whose message failed by this code, and not the message alone."""
    return (found := _of(code)) is not None and found.scope is Scope.INSTANCE and not found.throttles


def _of(code: str) -> Meaning | None:
    return MEANINGS.get(int(code)) if code.isdecimal() else None
