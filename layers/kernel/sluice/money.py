"""Money: whole numbers of a currency's minor units, such as 330000 for 3300.00 USD. No float ever holds any.

Pydantic's types for it are in `sluice.schemas`, because a hot path that imports this module may not import pydantic.
"""

import re
from decimal import Decimal

from sluice.errors import Invalid

MOST = 10**15
"""The largest amount that is taken from outside, in minor units. It is exact in a browser too: below 2^53."""
MOST_RATE = 10**6

AS_OF = "2026-01-01"
"""The publication date of the ISO 4217 list that the table is of."""
_CURRENCIES = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: """
        AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY
        COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS
        INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR
        MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP
        STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG
    """,
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
EXPONENTS = {currency: exponent for exponent, group in _CURRENCIES.items() for currency in group.split()}
"""How many decimal places a currency has. Codes without minor units are no money here: XAU, XDR, XTS, XXX, ..."""

_RATE = re.compile(r"(0|[1-9]\d{0,6})(\.\d{1,6})?", re.ASCII)


def exponent(currency: str) -> int:
    """How many decimal places a currency has: 0 for JPY, 2 for USD, 3 for KWD. Raises Invalid (`currency_unknown`)."""
    try:
        return EXPONENTS[currency]
    except KeyError:
        message = "currency must be a code of ISO 4217 that has minor units, such as USD"
        raise Invalid.of("currency", message, "currency_unknown") from None


def rate(text: str) -> Decimal:
    """A price of one in major units: `1.65` is 1.65 USD. More than 0, at most 10^6, at most 6 decimal places.

    Raises Invalid; and TypeError for a number, because a float has lost what was written.
    """
    if not isinstance(text, str):
        raise TypeError(f"A rate is text, not {type(text).__name__}")
    if not _RATE.fullmatch(text) or not 0 < Decimal(text) <= MOST_RATE:
        raise Invalid.of("rate", "rate must be decimal text above 0 and at most 1000000, with at most 6 decimal places")
    return Decimal(text)


def shown(amount: int, currency: str) -> str:
    """For people: `3300.00 USD`, `-0.05 USD`, `500 JPY`. Raises Invalid (`currency_unknown`)."""
    places = exponent(currency)
    whole, rest = divmod(abs(amount), 10**places)
    decimals = f".{rest:0{places}d}" if places else ""
    return f"{'-' if amount < 0 else ''}{whole}{decimals} {currency}"
