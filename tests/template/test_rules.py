"""The template keeps every rule of the design's section 9, and every rule notices when it is broken."""

import pytest

from tests.template.broken import BROKEN
from tests.template.broken.copy import Broken
from tests.template.project import is_sams, real
from tests.template.rules import RULES, Rule
from tests.template_reader import translate


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_template_keeps_the_rule(rule: Rule) -> None:
    project = real()

    problems = rule(project)

    assert problems == []


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: f"{broken.rule.__name__}: {broken.how}")
def test_a_rule_notices_what_breaks_it(broken: Broken) -> None:
    project = real().copy()
    broken.edit(project)

    problems = broken.rule(project)

    assert broken.says in problems


def test_what_is_translated_in_less_time_is_the_same() -> None:
    written = real().template["Resources"]
    whole = translate(real().template)

    left = {name: resource for name, resource in written.items() if not is_sams(resource)}
    assert {name: whole["Resources"][name] for name in left} == left
    assert real().copy().resources == whole["Resources"]


@pytest.mark.parametrize("name", ["BoostsApiFunction", "Api", "KernelLayer"])
def test_what_is_translated_alone_is_what_it_is_among_the_others(name: str) -> None:
    project = real().copy()
    project.template["Resources"][name].setdefault("Properties", {})["Description"] = "Changed"
    del project.template["Resources"]["ViewsTrackUrlFunction"]

    found = project.resources

    assert found == translate(project.template)["Resources"] != real().resources


def test_every_rule_is_shown_to_fail() -> None:
    shown = {broken.rule for broken in BROKEN}

    assert shown == set(RULES)
