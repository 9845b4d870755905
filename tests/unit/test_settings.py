"""Settings: read from the environment at first use, and nothing is guessed."""

from dataclasses import FrozenInstanceError, dataclass
from zoneinfo import ZoneInfo

import pytest

from sluice.errors import Misconfigured
from sluice.settings import read


@dataclass(frozen=True)
class Settings:
    """One field of each kind."""

    boosts_table: str
    max_per_day: int
    once_per_day: bool
    time_zone: ZoneInfo
    content_types: tuple[str, ...]


GOOD = {
    "BOOSTS_TABLE": "boosts",
    "MAX_PER_DAY": "100000",
    "ONCE_PER_DAY": "true",
    "TIME_ZONE": "Europe/Berlin",
    "CONTENT_TYPES": "video,story",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)


def test_each_field_is_the_variable_of_its_name_in_capitals() -> None:
    settings = read(Settings)

    assert settings == Settings("boosts", 100_000, True, ZoneInfo("Europe/Berlin"), ("video", "story"))


def test_words_are_separated_by_commas_and_trimmed(monkeypatch: pytest.MonkeyPatch) -> None:
    """S2-1."""

    monkeypatch.setenv("CONTENT_TYPES", " video , story,,task ")

    assert read(Settings).content_types == ("video", "story", "task")


@pytest.mark.parametrize(("text", "claim"), [("true", True), ("false", False)])
def test_a_claim_is_true_or_false(monkeypatch: pytest.MonkeyPatch, text: str, claim: bool) -> None:
    monkeypatch.setenv("ONCE_PER_DAY", text)

    assert read(Settings).once_per_day is claim


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("value", [None, ""])
def test_a_variable_that_is_missing_or_empty_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str | None
) -> None:
    if value is None:
        monkeypatch.delenv(name)
    else:
        monkeypatch.setenv(name, value)

    with pytest.raises(Misconfigured, match=f"^{name} is not set$"):
        read(Settings)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("MAX_PER_DAY", "many", "MAX_PER_DAY is not a valid int"),
        ("MAX_PER_DAY", "1.5", "MAX_PER_DAY is not a valid int"),
        ("ONCE_PER_DAY", "True", "ONCE_PER_DAY is not a valid bool"),
        ("ONCE_PER_DAY", "1", "ONCE_PER_DAY is not a valid bool"),
        ("ONCE_PER_DAY", "no", "ONCE_PER_DAY is not a valid bool"),
        ("TIME_ZONE", "Berlin", "TIME_ZONE is not a valid ZoneInfo"),
        ("TIME_ZONE", "Europe", "TIME_ZONE is not a valid ZoneInfo"),
        ("TIME_ZONE", "../etc/passwd", "TIME_ZONE is not a valid ZoneInfo"),
        ("TIME_ZONE", "/etc/localtime", "TIME_ZONE is not a valid ZoneInfo"),
    ],
)
def test_a_variable_that_is_malformed_is_named_and_its_value_is_not_told(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, message: str
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(Misconfigured) as raised:
        read(Settings)

    assert str(raised.value) == message


def test_all_that_is_wrong_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BOOSTS_TABLE")
    monkeypatch.setenv("MAX_PER_DAY", "many")

    with pytest.raises(Misconfigured, match="^BOOSTS_TABLE is not set; MAX_PER_DAY is not a valid int$"):
        read(Settings)


def test_what_was_read_does_not_change() -> None:
    settings = read(Settings)

    with pytest.raises(FrozenInstanceError):
        settings.boosts_table = "other"  # type: ignore[misc]


def test_reading_again_sees_the_environment_of_now(monkeypatch: pytest.MonkeyPatch) -> None:
    read(Settings)
    monkeypatch.setenv("MAX_PER_DAY", "7")

    assert read(Settings).max_per_day == 7
