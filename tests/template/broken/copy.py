"""A broken copy of the project."""

from dataclasses import dataclass

from tests.template.edits import Edit
from tests.template.rules import Rule


@dataclass(frozen=True)
class Broken:
    """What is done to a copy, and what a rule then says."""

    rule: Rule
    how: str
    edit: Edit
    says: str
