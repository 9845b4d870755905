"""The text of a message and its variables."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcasts.texts import (
    LONGEST,
    TextProblem,
    is_variable,
    missing,
    problems_of,
    render,
    required_of,
    variables_of,
)


def codes(text: str) -> list[str]:
    return [problem.code for problem in problems_of(text)]


def test_a_recipient_s_variables_are_filled_in() -> None:
    """S5-23, S5-41."""
    text = "Olá {{name}}, de {{ company }}: {{name}}!"

    rendered = render(text, {"name": "Ana", "company": "Sol & Mar", "unused": "x"})

    assert rendered == "Olá Ana, de Sol & Mar: Ana!"
    assert variables_of(text) == ("name", "company")


@pytest.mark.parametrize("variables", [{}, {"name": ""}, {"name": "  "}])
def test_a_default_stands_for_a_variable_that_is_missing_or_blank(variables: dict[str, str]) -> None:
    assert render("Hi {{name|dear friend}}.", variables) == "Hi dear friend."
    assert render("Hi {{ name | friend }}{{title|}}.", variables) == "Hi friend."
    assert missing("Hi {{name|friend}}", variables) == ()


def test_a_default_does_not_stand_for_what_is_there() -> None:
    assert render("Hi {{name|friend}}", {"name": "Ana"}) == "Hi Ana"


@pytest.mark.parametrize("variables", [{"city": "Faro"}, {"city": "Faro", "name": " "}])
def test_a_missing_variable_is_named_and_nothing_is_rendered(variables: dict[str, str]) -> None:
    text = "{{greeting}} {{name|you}}, {{name}} of {{city}}"

    found = render(text, variables)

    assert isinstance(found, TextProblem)
    assert (found.code, found.variables) == ("variable_missing", ("greeting", "name"))
    assert "greeting, name" in found.message
    assert required_of(text) == ("greeting", "name", "city")


def test_a_variable_s_content_is_never_rendered_again() -> None:
    rendered = render("{{name}} {{name|x}}", {"name": "{{code}} {{name}} {{{{", "code": "secret"})

    assert rendered == "{{code}} {{name}} {{{{ {{code}} {{name}} {{{{"


def test_two_braces_are_written_as_four_and_single_ones_as_they_are() -> None:
    text = "{{{{name}} {a} }} {{name}}"

    assert render(text, {"name": "Ana"}) == "{{name}} {a} }} Ana"
    assert problems_of(text) == []
    assert variables_of(text) == ("name",)


@pytest.mark.parametrize(
    "text",
    [
        "{{Name}}",
        "{{name.__class__}}",
        "{{name",
        "{{ }}",
        "{{1st}}",
        "{{nome completo}}",
        "{{name|{{other}}}}",
        "{{café}}",
    ],
)
def test_a_placeholder_that_is_none_is_found_before_a_message_is_sent(text: str) -> None:
    assert "placeholder_invalid" in codes(text)
    with pytest.raises(ValueError, match="placeholder"):
        render(text, {"name": "Ana", "other": "x"})


def test_a_wrong_placeholder_is_given_with_its_place() -> None:
    (problem,) = problems_of("Hi {{name}},\nfrom {{Company}}")

    assert problem.message.startswith("Line 2, column 6:")


@pytest.mark.parametrize("text", ["", "  \n"])
def test_an_empty_text_is_wrong(text: str) -> None:
    assert codes(text) == ["text_empty"]


def test_a_text_has_at_most_4096_characters() -> None:
    """S5-6, S5-43."""

    assert codes("é" * LONGEST) == []
    assert codes("é" * (LONGEST + 1)) == ["text_too_long"]


def test_a_variable_may_not_make_a_text_longer_than_that() -> None:
    """S5-6."""
    text = "a" * (LONGEST - 3) + "{{n}}"

    assert render(text, {"n": "123"}) == "a" * (LONGEST - 3) + "123"
    found = render(text, {"n": "1234"})
    assert isinstance(found, TextProblem)
    assert found.code == "text_too_long"
    assert "4097" in found.message


@pytest.mark.parametrize(
    ("name", "is_one"), [("name", True), ("a" * 32, True), ("a" * 33, False), ("Name", False), ("", False)]
)
def test_a_column_of_a_file_is_a_variable_by_its_name(name: str, is_one: bool) -> None:
    assert is_variable(name) == is_one
    assert variables_of(f"{{{{{name}}}}}") == ((name,) if is_one else ())


@given(st.text(max_size=200), st.dictionaries(st.sampled_from(["a", "b", "name"]), st.text(max_size=50)))
def test_a_text_without_braces_is_sent_as_it_is(text: str, variables: dict[str, str]) -> None:
    plain = text.replace("{{", "{ {")

    assert render(plain, variables) == plain


@given(st.text(alphabet="{}| ab\n", max_size=40), st.dictionaries(st.sampled_from(["a", "b"]), st.text(max_size=9)))
def test_a_text_without_problems_renders_or_says_what_is_missing(text: str, variables: dict[str, str]) -> None:
    if not any(problem.code == "placeholder_invalid" for problem in problems_of(text)):
        found = render(text, variables)
        assert isinstance(found, TextProblem) == bool(missing(text, variables))
