"""Asking Evolution and the Cloud API whether credentials work, and for templates: over HTTP, at the fake of both."""

import json
from collections.abc import Iterator

import pytest

from broadcasts.instance import ProviderName
from broadcasts.lists.asking import ProviderAsker
from broadcasts.lists.ports import Approved, Line, Rejected
from local.fakes.http import TOKEN
from local.fakes.whatsapp import FakeWhatsApp
from sluice.clock import SystemClock

PRIVATE = ProviderAsker(("127.0.0.0/8",))
SALE = {"name": "winter_sale", "language": "pt_BR", "status": "APPROVED", "category": "MARKETING"}


@pytest.fixture
def fake() -> Iterator[FakeWhatsApp]:
    found = FakeWhatsApp(SystemClock())
    with found.running():
        yield found


def a_line(fake: FakeWhatsApp, provider: ProviderName, token: str = TOKEN) -> Line:
    secrets = {"api_key": token, "access_token": token}
    return Line(provider, "support", f"http://{fake.host}", secrets)


@pytest.mark.parametrize("provider", [ProviderName.EVOLUTION, ProviderName.META])
def test_credentials_that_the_provider_takes_work(fake: FakeWhatsApp, provider: ProviderName) -> None:
    assert PRIVATE.check(a_line(fake, provider)).works is True


@pytest.mark.parametrize("provider", [ProviderName.EVOLUTION, ProviderName.META])
def test_credentials_that_the_provider_rejects_do_not_work(fake: FakeWhatsApp, provider: ProviderName) -> None:
    found = PRIVATE.check(a_line(fake, provider, "another-token"))

    assert found.works is False
    assert "rejects the credentials" in found.message
    assert "another-token" not in found.message


def test_an_instance_that_is_not_connected_does_not_work(fake: FakeWhatsApp) -> None:
    fake.states["support"] = "connecting"

    found = PRIVATE.check(a_line(fake, ProviderName.EVOLUTION))

    assert (found.works, found.message) == (False, "The instance is connecting")


def test_a_provider_that_does_not_answer_is_no_error(fake: FakeWhatsApp) -> None:
    nowhere = Line(ProviderName.EVOLUTION, "support", "http://127.0.0.1:9", {})

    found = PRIVATE.check(nowhere)

    assert (found.works, found.message) == (False, "The provider does not answer (NotSent)")


def test_without_private_ranges_no_private_host_is_asked(fake: FakeWhatsApp) -> None:
    found = ProviderAsker(()).check(a_line(fake, ProviderName.EVOLUTION))

    assert found.works is False
    assert "not allowed" in found.message


@pytest.mark.parametrize(("provider", "works"), [(ProviderName.SANDBOX, True), (ProviderName.AWS, None)])
def test_some_providers_are_not_asked(provider: ProviderName, works: bool | None) -> None:
    assert PRIVATE.check(Line(provider, "x", None, {})).works is works


def test_a_template_is_found_by_its_whole_name_and_its_language(fake: FakeWhatsApp) -> None:
    fake.templates = [
        SALE | {"name": "winter_sale_2", "status": "REJECTED"},
        SALE | {"language": "en", "status": "PAUSED"},
        SALE,
    ]
    line = a_line(fake, ProviderName.META)

    assert PRIVATE.template(line, "77", "winter_sale", "pt_BR") == Approved("APPROVED", "marketing", "pt_BR")
    assert PRIVATE.template(line, "77", "winter", "pt_BR") is None


def test_a_template_is_not_read_where_there_is_none(fake: FakeWhatsApp) -> None:
    rejected = PRIVATE.template(a_line(fake, ProviderName.META, "another"), "77", "winter_sale", "pt_BR")
    evolution = PRIVATE.template(a_line(fake, ProviderName.EVOLUTION), "77", "winter_sale", "pt_BR")

    assert isinstance(rejected, Rejected)
    assert isinstance(evolution, Rejected)


def test_a_line_in_a_log_has_no_secret(fake: FakeWhatsApp) -> None:
    assert TOKEN not in repr(a_line(fake, ProviderName.META))
    assert TOKEN not in json.dumps(str(a_line(fake, ProviderName.META)))
