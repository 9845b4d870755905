"""Errors in the reader's language."""

import json
from typing import Any

import pytest

from broadcasts.speaking import in_the_readers_language

PROBLEM = {
    "message": "Only drafts",
    "code": "not_editable",
    "errors": [{"field": "instanceId", "message": "Only drafts"}, {"field": "name", "message": "Required"}],
    "request_id": "r1",
}


def answered(language: str | None, status: int = 409, **changes: Any) -> dict[str, Any]:
    """The body that a handler's answer becomes."""
    body = json.dumps(PROBLEM | changes)
    handler = in_the_readers_language(lambda event, context: {"statusCode": status, "body": body, "headers": {}})
    answer = handler({"headers": {"Accept-Language": language} if language else {}}, None)
    return dict(json.loads(answer["body"]))


def test_an_error_is_in_portuguese_for_those_who_prefer_it() -> None:
    """S5-42, decision 50."""
    found = answered("pt-BR,en;q=0.5")

    text = "Apenas campanhas em rascunho ou agendadas podem ser editadas"
    assert (found["message"], found["code"], found["request_id"]) == (text, "not_editable", "r1")
    assert [each["message"] for each in found["errors"]] == [text, "Required"]


@pytest.mark.parametrize("language", [None, "en", "de", "en-GB,pt;q=0.9"])
def test_an_error_is_in_english_for_all_others(language: str | None) -> None:
    assert answered(language) == PROBLEM


def test_an_error_whose_code_has_no_text_stays_as_it_is() -> None:
    assert answered("pt", code="unheard_of")["message"] == "Only drafts"


def test_an_answer_that_is_no_error_is_not_touched() -> None:
    assert answered("pt", status=200) == PROBLEM


def test_a_body_that_is_too_large_is_told_of_the_import() -> None:
    """Amendment 18."""
    found = answered(None, 413, code="too_large", message="The body is over 4194304 bytes")

    assert found["message"].startswith("The body is over 4194304 bytes: ")
    assert "CSV" in found["message"]
