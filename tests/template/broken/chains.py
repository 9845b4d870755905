"""Rows of chains, and resources that are not theirs."""

from tests.template.broken.copy import Broken
from tests.template.edits import drop, put, rename
from tests.template.rules import chains

BROKEN = [
    Broken(
        chains.rows_have_their_resources,
        "a worker's alarm of another name",
        rename("ViewsImportsWorkerErrorsAlarm", "ViewsImportsErrorsAlarm"),
        "ViewsImportsWorkerErrorsAlarm: add it, for the row views_imports",
    ),
    Broken(
        chains.rows_have_their_resources,
        "dead letters that nobody can put back",
        drop("Outputs.BoostsDeadLettersUrl"),
        "Outputs: let BoostsDeadLettersUrl be !Ref BoostsDeadLetters, for the row boosts",
    ),
    Broken(
        chains.rows_have_their_resources,
        "dead letters that are put on another queue",
        put("Outputs.ViewsQueueUrl.Value", {"Ref": "ViewsImportsQueue"}),
        "Outputs: let ViewsQueueUrl be !Ref ViewsQueue, for the row views",
    ),
    Broken(
        chains.settings_of_rows_name_their_resources,
        "a sweeper that sends to another queue",
        put("OperationsSweeperFunction.Environment.Variables.VIEWS_IMPORTS_QUEUE_URL", {"Ref": "ViewsQueue"}),
        "OperationsSweeperFunction: let VIEWS_IMPORTS_QUEUE_URL be !Ref ViewsImportsQueue",
    ),
    Broken(
        chains.settings_of_rows_name_their_resources,
        "a trail that looks in another table",
        put("OperationsAuditFunction.Environment.Variables.BOOSTS_TABLE", {"Ref": "ViewsTable"}),
        "OperationsAuditFunction: let BOOSTS_TABLE be !Ref BoostsTable",
    ),
]
