"""The rules of the template: each answers what breaks it, naming the resource and what to do."""

from collections.abc import Callable

from tests.template.project import Project
from tests.template.rules import alarms, chains, dashboard, functions, network, permissions, queues, routes, tables

type Rule = Callable[[Project], list[str]]

RULES: tuple[Rule, ...] = (
    *queues.RULES,
    *permissions.RULES,
    *functions.RULES,
    *routes.RULES,
    *tables.RULES,
    *network.RULES,
    *alarms.RULES,
    *chains.RULES,
    *dashboard.RULES,
)
