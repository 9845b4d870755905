"""The texts of errors in two languages."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import broadcasts
from broadcasts.languages import PORTUGUESE, preferred, translated

OF_THE_KERNEL = {"forbidden", "invalid", "not_found"}
CODE_AT = {"Conflicting": 1, "Forbidden": 1, "Invalid": 1, "Invalid.of": 2, "NotFound": 1, "_require": 2}
"""What makes an error, and which argument is its code."""


def codes() -> Iterator[str]:
    """The codes of the errors that broadcasts raise, as the code has them."""
    for file in Path(broadcasts.__file__ or "").parent.rglob("*.py"):
        for call in ast.walk(ast.parse(file.read_text())):
            if isinstance(call, ast.Call) and (place := CODE_AT.get(ast.unparse(call.func))) is not None:
                given = [*call.args[place:], *(each.value for each in call.keywords if each.arg == "code")]
                parts = given[0] if given else ast.Constant(None)
                yield from (
                    each.value
                    for each in ast.walk(parts)
                    if isinstance(each, ast.Constant) and isinstance(each.value, str)
                )


def test_each_code_that_is_raised_has_a_portuguese_text_and_no_other_has() -> None:
    assert {*codes()} - OF_THE_KERNEL == {*PORTUGUESE}


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("instance_not_found", "Instância não encontrada"),
        ("template_not_found", "Template não encontrado"),
        ("not_editable", "Apenas campanhas em rascunho ou agendadas podem ser editadas"),
        ("not_startable", "Campanha não pode ser iniciada"),
    ],
)
def test_the_source_s_errors_are_in_its_own_words(code: str, text: str) -> None:
    """S5-42."""
    assert translated(code, "pt", "It cannot") == text
    assert translated(code, "en", "It cannot") == "It cannot"


def test_what_has_no_translation_stays_english() -> None:
    assert translated("invalid", "pt", "It cannot") == "It cannot"


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "en"),
        ("", "en"),
        ("pt", "pt"),
        ("pt-BR", "pt"),
        ("PT-br,pt;q=0.9,en;q=0.8", "pt"),
        ("en-US,en;q=0.9,pt;q=0.8", "en"),
        ("en;q=0.5, pt-PT;q=0.7", "pt"),
        ("de, pt;q=0.1", "pt"),
        ("pt;q=0", "en"),
        ("pt;q=0.5,*;q=0.8", "en"),
        ("pt , en", "pt"),
        ("en , pt", "en"),
        ("ptx", "en"),
        ("pt;q=high", "en"),
        ("es-MX", "en"),
    ],
)
def test_the_first_language_of_the_highest_quality_counts(header: str | None, language: str) -> None:
    assert preferred(header) == language


@given(st.text())
def test_any_header_has_a_language(header: str) -> None:
    assert preferred(header) in {"en", "pt"}
