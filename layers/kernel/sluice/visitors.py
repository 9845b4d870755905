"""What a request to an open route says of who sent it: the network, a bot, and the wish not to be tracked.

Standard library only: this is the hot path. Header names are in lower case (`sluice.envelope.headers_of`).
"""

from collections.abc import Mapping
from ipaddress import IPv6Address

from sluice import bots


def network(source_ip: str) -> str:
    """What stands for an address: itself; of IPv6 the first 64 bits, of which a subscriber has all the rest."""
    if ":" not in source_ip:
        return source_ip
    try:
        address = IPv6Address(source_ip)
    except ValueError:
        return source_ip
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return f"{IPv6Address(int(address) >> 64 << 64)}/64"


def is_bot(headers: Mapping[str, str]) -> bool:
    """Whether the user agent names a bot, or names nothing."""
    return bots.is_bot(headers.get("user-agent", ""))


def asks_not_to_be_tracked(headers: Mapping[str, str]) -> bool:
    """Whether the browser says `DNT: 1` or `Sec-GPC: 1`."""
    return "1" in (headers.get("dnt"), headers.get("sec-gpc"))
