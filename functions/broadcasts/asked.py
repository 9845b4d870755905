"""What an owner asks for with a create or an edit, before it is checked; and the checks of texts. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import islice
from typing import Any

from broadcasts import texts
from broadcasts.campaign import TemplateText, Terms, Text
from broadcasts.recipients import Recipient
from broadcasts.texts import TextProblem
from sluice.errors import FieldError

MOST_NAMED = 20
"""Wrong rows that one answer names."""


@dataclass(frozen=True)
class Template:
    """The version of a template that a campaign takes: it does not change, whatever becomes of the template."""

    id: str
    version: int
    text: str
    provider: TemplateText | None = None
    """How the provider knows it, if it does."""


@dataclass(frozen=True)
class Asked:
    """The fields that a request has. `given` are those of `Terms`; `message` counts if `has_message`."""

    given: Mapping[str, Any] = field(default_factory=dict)
    message: str | None = None
    has_message: bool = False
    recipients: tuple[Recipient, ...] | None = None

    @property
    def changes_text(self) -> bool:
        return self.has_message or "template_id" in self.given

    def terms(self, before: Terms, *, rate_limit: int) -> Terms:
        """The terms with what is given in place of what was; `rate_limit` if there was none."""
        terms = replace(terms_of(before), **self.given)
        return terms if terms.rate_limit else replace(terms, rate_limit=rate_limit)


def terms_of(campaign: Terms) -> Terms:
    """The terms alone, of a campaign that has more."""
    return Terms(**{each.name: getattr(campaign, each.name) for each in fields(Terms)})


def text_of(version: int, message: str | None, template: Template | None) -> Text | None:
    """What is sent: the message if there is one, else the template's text. None without both."""
    words = message if message is not None else template.text if template else None
    if words is None:
        return None
    return Text(version, words, template.provider if template else None)


def problems_of(text: Text) -> list[FieldError]:
    """What is wrong with a text, whoever gets it."""
    return [FieldError("message", each.message) for each in texts.problems_of(text.message)]


def rendered(text: Text, variables: Mapping[str, str]) -> str | TextProblem:
    """The text for one recipient, or why there is none; a provider's template needs its own variables besides."""
    filled = (*text.template.header, *text.template.parameters) if text.template else ()
    made = [texts.render(each, variables) for each in (text.message, *filled)]
    return next((each for each in made if isinstance(each, TextProblem)), made[0])


def unfit(text: Text, recipients: Sequence[Recipient]) -> list[FieldError]:
    """The recipients of a body whose text cannot be made, each by its row, from 0: at most 20."""
    found = _problems(text, ((row, each.variables) for row, each in enumerate(recipients)))
    return [
        FieldError(".".join(["recipients", str(row), "variables", *each.variables[:1]]), each.message)
        for row, each in found
    ]


def unfit_rows(text: Text, rows: Iterable[tuple[int, Mapping[str, str]]]) -> list[FieldError]:
    """The same for rows that are stored, each by its line: the text is what is wrong."""
    return [FieldError("message", f"Line {line} of the list: {each.message}") for line, each in _problems(text, rows)]


def _problems(text: Text, rows: Iterable[tuple[int, Mapping[str, str]]]) -> list[tuple[int, TextProblem]]:
    found = ((row, rendered(text, variables)) for row, variables in rows)
    return list(islice(((row, each) for row, each in found if isinstance(each, TextProblem)), MOST_NAMED))
