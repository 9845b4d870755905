"""A template: a text with variables that an owner keeps, and the provider's template that it may stand for. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from datetime import datetime

from broadcasts.texts import is_variable, problems_of
from sluice.errors import FieldError

PREFIX = "tpl"
"""The prefix of a template's id."""


@dataclass(frozen=True, kw_only=True)
class Content:
    """What a version has; it never changes. A campaign is sent by the version that it was started with."""

    text: str
    category: str
    """`marketing`, `utility`, `authentication` or `service`: prices are by it."""
    language: str
    """`pt_BR`."""
    provider_name: str | None = None
    """The name of the provider's template; None for free text."""
    header: tuple[str, ...] = ()
    """The variables that fill the header of the provider's template, in their order."""
    parameters: tuple[str, ...] = ()
    """The variables that fill its body."""


@dataclass(frozen=True, kw_only=True)
class Template(Content):
    """A template with its latest version."""

    id: str
    owner: str
    name: str
    version: int = 1
    approval: str | None = None
    """What the provider said of it last: `APPROVED`, `PENDING`, `REJECTED`, `PAUSED`, ...; None before a sync."""
    synced_at: datetime | None = None
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None
    audit_number: int = 0
    audit_hash: str = ""

    @property
    def content(self) -> Content:
        return Content(**{each: getattr(self, each) for each in CONTENT})

    def with_content(self, content: Content) -> "Template":
        """With another content, which is another version."""
        if content == self.content:
            return self
        return replace(self, **vars(content), version=self.version + 1)


CONTENT = tuple(each.name for each in fields(Content))


def problems(content: Content) -> Iterator[FieldError]:
    """What is wrong with a content."""
    for found in problems_of(content.text):
        yield FieldError("text", found.message)
    for name in ("header", "parameters"):
        given = getattr(content, name)
        if given and content.provider_name is None:
            yield FieldError(name, f"{name} needs a providerName: free text has its variables in the text")
        for number, variable in enumerate(given):
            if not is_variable(variable):
                yield FieldError(f"{name}.{number}", "must be a small letter, then at most 31 small letters, digits, _")
