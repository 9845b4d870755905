"""Broken copies of the project: for each rule, what breaks it and what it then says."""

from tests.template.broken import alarms, chains, dashboard, functions, network, permissions, queues, routes, tables

BROKEN = [
    *queues.BROKEN,
    *permissions.BROKEN,
    *functions.BROKEN,
    *routes.BROKEN,
    *tables.BROKEN,
    *network.BROKEN,
    *alarms.BROKEN,
    *chains.BROKEN,
    *dashboard.BROKEN,
]
