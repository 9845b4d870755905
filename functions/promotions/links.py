"""Whose accounts are whose, and what operators said of accounts: as far as rewards read it."""

from collections.abc import Iterable

from promotions.items import LinkedItem, LinkItem, VerdictItem
from promotions.split import account_key
from sluice.dynamodb import page_of, read_batch
from sluice.journal import is_user

_LINK = "link#"
_EXCEPTION = "exception"


def owners_of(host: str, accounts: Iterable[str]) -> dict[str, str]:
    """The users who own accounts, by the accounts' ids, by consistent batch reads."""
    keys = {(f"{_LINK}{account_key(host, each)}", "link"): each for each in accounts}
    found = read_batch(LinkedItem, list(keys), lambda item: (keys[item.id, item.part], item.user))
    return {account: user for account, user in found if is_user(user)}


def accounts_of(user: str) -> list[tuple[str, str]]:
    """The accounts that are still the user's: hosts and account ids, by consistent reads."""
    parts, _ = page_of(LinkItem, lambda item: str(item.part), f"user#{user}", _LINK, None, None)
    listed = [(host, account) for host, _, account in (part.removeprefix(_LINK).partition("#") for part in parts)]
    return [(host, account) for host, account in listed if owners_of(host, [account]).get(account) == user]


def exceptions_of(host: str, accounts: Iterable[str]) -> dict[str, bool]:
    """What operators said of accounts, by their ids: True for an eligible one. By consistent batch reads."""
    keys = {(f"{_EXCEPTION}#{account_key(host, each)}", _EXCEPTION): each for each in accounts}
    found = read_batch(VerdictItem, list(keys), lambda item: (keys[item.id, item.part], item.eligible))
    return {account: eligible for account, eligible in found if eligible is not None}
