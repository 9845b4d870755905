"""The time zones of countries, and of Brazil's area codes. Pure: the tables are the package tzdata's and our own."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from zoneinfo import ZoneInfo

Zones = tuple[str, ...]
"""Names of zones, sorted: a window is open for a person when it is open in each of them."""

_BRAZIL = {
    ("Sao_Paulo",): """
        11 12 13 14 15 16 17 18 19 21 22 24 27 28 31 32 33 34 35 37 38 41 42 43 44 45 46 47 48 49 51 53 54 55 61 62 64
    """,
    ("Araguaina",): "63",
    ("Cuiaba",): "65 66",
    ("Campo_Grande",): "67",
    ("Rio_Branco",): "68",
    ("Porto_Velho",): "69",
    ("Bahia",): "71 73 74 75 77",
    ("Maceio",): "79 82",
    # Fernando de Noronha has 81 too; its 3,000 people have their messages an hour later by their clock.
    ("Recife",): "81 87",
    ("Fortaleza",): "83 84 85 86 88 89 98 99",
    ("Belem",): "91 94 96",
    ("Santarem",): "93",
    ("Manaus",): "92",
    ("Boa_Vista",): "95",
    # The west of Amazonas has two zones.
    ("Eirunepe", "Manaus"): "97",
}
BRAZIL_AREAS: Mapping[str, Zones] = MappingProxyType(
    {area: tuple(f"America/{each}" for each in zones) for zones, areas in _BRAZIL.items() for area in areas.split()}
)
"""The zones of each of the 67 area codes: of the states of https://pt.wikipedia.org/wiki/Discagem_direta_a_distância."""

# Regions of the phone network that ISO 3166 does not have: Ascension, Tristan da Cunha, Kosovo.
_OTHER = {"AC": "Atlantic/St_Helena", "TA": "Atlantic/St_Helena", "XK": "Europe/Belgrade"}

_SAMPLES = [datetime(2026, 1, 1, 12, tzinfo=UTC) + timedelta(days=day) for day in range(3653)]


@cache
def zones_of_country(country: str) -> Zones:
    """The zones of a country by its code of ISO 3166, such as `PT`; empty when it has none.

    Zones whose clocks agree every day from 2026 to 2035 count once, so the 29 of the US are 8.
    """
    return merged(_zones_by_country().get(country, ()))


def merged(zones: Iterable[str]) -> Zones:
    """These zones without those that show the same time as an earlier one, sorted."""
    kept: dict[tuple[timedelta | None, ...], str] = {}
    for zone in dict.fromkeys(zones):
        kept.setdefault(_clock(zone), zone)
    return tuple(sorted(kept.values()))


def is_zone(text: str) -> bool:
    """Whether this is the name of a zone, such as `America/Sao_Paulo`: for a file's column `timezone`."""
    return text in _names()


@cache
def _clock(zone: str) -> tuple[timedelta | None, ...]:
    found = ZoneInfo(zone)
    return tuple(moment.astimezone(found).utcoffset() for moment in _SAMPLES)


@cache
def _zones_by_country() -> Mapping[str, Zones]:
    """zone.tab: country, coordinates, zone, comment, with tabs between them."""
    found = defaultdict(list)
    for line in (files("tzdata") / "zoneinfo" / "zone.tab").read_text().splitlines():
        if line and not line.startswith("#"):
            country, _, zone, *_ = line.split("\t")
            found[country].append(zone)
    return {country: tuple(zones) for country, zones in found.items()} | {
        country: (zone,) for country, zone in _OTHER.items()
    }


@cache
def _names() -> frozenset[str]:
    return frozenset((files("tzdata") / "zones").read_text().split())
