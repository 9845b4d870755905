"""Templates in the table, for those that send by them."""

from broadcasts.items import TemplateItem, VersionItem
from broadcasts.template import Content, Template
from sluice.chained import PART
from sluice.dynamodb import read_batch


def find(template_id: str) -> Template | None:
    """A template with its latest version, a deleted one too, by a consistent read."""
    return next(iter(read_batch(TemplateItem, [(template_id, PART)], lambda item: item.template())), None)


def version(template_id: str, number: int) -> Content | None:
    """A version of a template, by a consistent read."""
    key = VersionItem.key(template_id, number)
    return next(iter(read_batch(VersionItem, [key], lambda item: item.content())), None)
