"""What the numbering plans of the world say of a phone. The only file that imports phonenumberslite."""

import phonenumbers

from broadcasts.zones import BRAZIL_AREAS, Zones, merged, zones_of_country

_BRAZIL = 55


def region_of(phone: str) -> str | None:
    """The country of a phone by its code of ISO 3166, such as `BR`; None when no numbering plan has such a phone."""
    number = _parsed(phone)
    return None if number is None else phonenumbers.region_code_for_number(number)


def warning_of(phone: str) -> str | None:
    """What is doubtful about a phone, for a report; None when nothing is. The provider has the last word on it."""
    number = _parsed(phone)
    if number is None:
        return "No country has a code that this phone begins with"
    if not phonenumbers.is_valid_number(number):
        return "The numbering plan of its country has no such phone"
    return None


def zones_of(phone: str) -> Zones:
    """The zones in which a phone's owner may be, sorted; empty when nothing is known: use the campaign's own then.

    By the area code in Brazil, else by the country: all of its zones. Where no plan has such a phone, the zones of all
    countries that share its code.
    """
    number = _parsed(phone)
    if number is None or number.country_code is None:
        return ()
    if number.country_code == _BRAZIL and (found := BRAZIL_AREAS.get(phone[2:4])):
        return found
    region = phonenumbers.region_code_for_number(number)
    regions = [region] if region else phonenumbers.region_codes_for_country_code(number.country_code)
    return merged(zone for each in regions for zone in zones_of_country(each))


def _parsed(phone: str) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(f"+{phone}")
    except phonenumbers.NumberParseException:
        return None
