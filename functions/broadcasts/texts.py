"""The text of a message: `{{name}}`, or `{{name|friend}}` for those without a name (S5-41). Pure.

A variable's content is never rendered again, and nothing else is evaluated. It is string.Template's way with other
braces; Template itself has no defaults.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

LONGEST = 4096
"""Characters of a message (S5-6), before and after its variables are filled in."""


@dataclass(frozen=True)
class TextProblem:
    """What is wrong with a text: a stable code, a sentence, and the variables that it is about."""

    code: str
    message: str
    variables: tuple[str, ...] = ()


# Two braces are written as four. A default has no braces in it, and may be empty.
_PATTERN = re.compile(
    r"""\{\{(?:
        (?P<escaped>\{\{) |
        \s*(?P<named>[a-z][a-z0-9_]{0,31})\s*(?:\|(?P<default>[^{}]*))?\}\} |
        (?P<invalid>)
    )""",
    re.VERBOSE,
)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")


def is_variable(name: str) -> bool:
    """Whether a variable may have this name: a small letter, then at most 31 small letters, digits and `_`."""
    return _NAME.fullmatch(name) is not None


def variables_of(text: str) -> tuple[str, ...]:
    """The variables that a text names, each once, in its order."""
    return _once(found["named"] for found in _PATTERN.finditer(text) if found["named"])


def required_of(text: str) -> tuple[str, ...]:
    """The variables that a text names somewhere without a default."""
    return _once(found["named"] for found in _PATTERN.finditer(text) if found["named"] and found["default"] is None)


def missing(text: str, variables: Mapping[str, str]) -> tuple[str, ...]:
    """The required variables that a recipient does not have, or has blank, as an empty cell of a file."""
    return tuple(name for name in required_of(text) if not variables.get(name, "").strip())


def problems_of(text: str) -> list[TextProblem]:
    """What is wrong with a text, whoever gets it."""
    found = []
    if not text.strip():
        found.append(TextProblem("text_empty", "The text is empty"))
    if len(text) > LONGEST:
        found.append(_too_long(len(text)))
    for match in _PATTERN.finditer(text):
        if match["invalid"] is not None:
            line = text.count("\n", 0, match.start()) + 1
            column = match.start() - text.rfind("\n", 0, match.start())
            message = (
                f"Line {line}, column {column}: a variable is written {{{{name}}}} or {{{{name|default}}}}, with small "
                "letters, digits and _; two braces are written {{{{"
            )
            found.append(TextProblem("placeholder_invalid", message))
    return found


def render(text: str, variables: Mapping[str, str]) -> str | TextProblem:
    """The text for one recipient, or why there is none: `variable_missing`, `text_too_long`.

    A default stands for a variable that is missing or blank. Raises ValueError for a text with `problems_of`.
    """
    if lacking := missing(text, variables):
        return TextProblem("variable_missing", f"The recipient has no {', '.join(lacking)}", lacking)

    def filled(match: re.Match[str]) -> str:
        if match["invalid"] is not None:
            raise ValueError("The text has a placeholder that is none")
        if match["escaped"] is not None:
            return "{{"
        value = variables.get(match["named"], "")
        return value if value.strip() else (match["default"] or "").strip()

    rendered = _PATTERN.sub(filled, text)
    return _too_long(len(rendered)) if len(rendered) > LONGEST else rendered


def _too_long(length: int) -> TextProblem:
    return TextProblem("text_too_long", f"The text has {length} characters; {LONGEST} are allowed")


def _once(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
