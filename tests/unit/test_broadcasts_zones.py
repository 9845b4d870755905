"""The country and the time zones of a phone."""

from zoneinfo import ZoneInfo

import phonenumbers
import pytest

from broadcasts.regions import region_of, warning_of, zones_of
from broadcasts.zones import BRAZIL_AREAS, is_zone, zones_of_country


@pytest.mark.parametrize(
    ("phone", "region"),
    [
        ("5511987654321", "BR"),
        ("12025550123", "US"),
        ("14165550123", "CA"),
        ("77011234567", "KZ"),
        ("9991234567890", None),
    ],
)
def test_a_phone_s_region_comes_from_its_numbering_plan(phone: str, region: str | None) -> None:
    assert region_of(phone) == region


@pytest.mark.parametrize("phone", ["15550001111", "551187654321", "9991234567890", "0000000000"])
def test_a_phone_that_no_plan_has_is_doubtful_but_not_rejected(phone: str) -> None:
    assert warning_of(phone)
    assert phone not in str(warning_of(phone))


def test_a_phone_of_a_plan_is_not_doubtful() -> None:
    assert warning_of("5511987654321") is None


@pytest.mark.parametrize(
    ("phone", "zones"),
    [
        ("5511987654321", ("America/Sao_Paulo",)),
        ("5568987654321", ("America/Rio_Branco",)),
        ("556887654321", ("America/Rio_Branco",)),  # invalid by now, but its area is known
        ("5597987654321", ("America/Eirunepe", "America/Manaus")),
        ("4915112345678", ("Europe/Berlin",)),
        ("447911123456", ("Europe/Guernsey",)),
        ("351912345678", ("Atlantic/Azores", "Europe/Lisbon")),
        ("9991234567890", ()),
    ],
)
def test_zones_are_those_of_the_area_in_brazil_else_all_of_the_country_s(phone: str, zones: tuple[str, ...]) -> None:
    assert zones_of(phone) == zones


def test_a_phone_that_no_plan_has_may_be_in_any_country_of_its_code() -> None:
    zones = zones_of("15550001111")

    assert {"America/New_York", "America/Los_Angeles", "America/St_Johns", "Pacific/Honolulu"} <= set(zones)


def test_a_brazilian_phone_without_a_known_area_may_be_anywhere_in_brazil() -> None:
    assert set(zones_of("5520987654321")) == set(zones_of_country("BR"))


def test_brazil_has_67_area_codes() -> None:
    assert len(BRAZIL_AREAS) == 67
    assert all(is_zone(zone) for zones in BRAZIL_AREAS.values() for zone in zones)


def test_brazil_s_area_codes_are_those_of_its_numbering_plan() -> None:
    areas = {
        f"{area}" for area in range(10, 100) if phonenumbers.is_valid_number(phonenumbers.parse(f"+55{area}987654321"))
    }

    assert set(BRAZIL_AREAS) == areas


def test_zones_with_the_same_clock_count_once() -> None:
    assert zones_of_country("US") == (
        "America/Adak",
        "America/Anchorage",
        "America/Chicago",
        "America/Denver",
        "America/Los_Angeles",
        "America/New_York",
        "America/Phoenix",
        "Pacific/Honolulu",
    )


def test_every_region_of_the_phone_network_has_zones_that_exist() -> None:
    found = {region: zones_of_country(region) for region in phonenumbers.SUPPORTED_REGIONS}

    assert all(found.values())
    assert all(ZoneInfo(zone) for zones in found.values() for zone in zones)


@pytest.mark.parametrize("text", ["America/Sao_Paulo", "UTC", "Europe/Lisbon"])
def test_a_zone_is_known_by_its_name(text: str) -> None:
    assert is_zone(text)


@pytest.mark.parametrize("text", ["", "America", "america/sao_paulo", "../../etc/passwd", "Brasília", "-03:00"])
def test_what_is_no_name_of_a_zone_is_none(text: str) -> None:
    assert not is_zone(text)
