"""Tables: kept, restorable, and as the models take them to be."""

from tests.template.project import Project, keys_of, types_of

# Tables with rows that may go: of requests and events that are done with, of viewers, of messages, and of pages that
# are open. Every other keeps evidence.
FORGETFUL = {
    "BroadcastsTable",
    "HooksTable",
    "LiveTable",
    "MessagesTable",
    "OutboxTable",
    "PromotionsTable",
    "RequestsTable",
    "ViewsTable",
}


def tables_are_kept(project: Project) -> list[str]:
    """S1-47, S1-50: retained, and restorable to any second."""
    problems = []
    for name, table in project.tables.items():
        wanted = {
            "DeletionPolicy: Retain": project.resources[name].get("DeletionPolicy") == "Retain",
            "UpdateReplacePolicy: Retain": project.resources[name].get("UpdateReplacePolicy") == "Retain",
            "PointInTimeRecoveryEnabled: true": table.get("PointInTimeRecoverySpecification")
            == {"PointInTimeRecoveryEnabled": True},
            "SSEEnabled: true": table.get("SSESpecification", {}).get("SSEEnabled") is True,
            "BillingMode: PAY_PER_REQUEST": table.get("BillingMode") == "PAY_PER_REQUEST",
        }
        problems += [f"{name}: set {setting}" for setting, is_set in wanted.items() if not is_set]
    return problems


def tables_forget_what_expires(project: Project) -> list[str]:
    problems = []
    for name, table in project.tables.items():
        has_ttl = table.get("TimeToLiveSpecification") == {"AttributeName": "expires_at", "Enabled": True}
        expires = any("expires_at" in model.attributes for model in project.models.get(name, []))
        if expires and not has_ttl:
            problems.append(f"{name}: set TimeToLiveSpecification on expires_at, which is written")
        if "TimeToLiveSpecification" in table and not expires:
            problems.append(f"{name}: remove TimeToLiveSpecification: nothing writes expires_at")
    return problems


def evidence_is_kept(project: Project) -> list[str]:
    """Batch rows, audit entries and totals never expire (docs/operations.md, Retention)."""
    return [
        f"{name}: remove TimeToLiveSpecification: what it holds is kept"
        for name, table in project.tables.items()
        if name not in FORGETFUL and "TimeToLiveSpecification" in table
    ]


def models_are_as_their_tables(project: Project) -> list[str]:
    problems = [
        f"{model.name}: let its Meta be in a module that is named as its table" for model in project.models.get("", [])
    ]
    for name, table in project.tables.items():
        models = project.models.get(name, [])
        keys, types = keys_of(table["KeySchema"]), types_of(table["AttributeDefinitions"])
        indexes = {
            each["IndexName"]: (keys_of(each["KeySchema"]), each["Projection"]["ProjectionType"])
            for kind in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes")
            for each in table.get(kind, [])
        }
        if not models:
            problems.append(f"{name}: no model is bound to it")
        for model in models:
            if model.keys != keys:
                problems.append(f"{name}: its keys are {keys}, those of {model.name} {model.keys}")
            problems += [
                f"{name}: {attribute} is of type {types.get(attribute)}, that of {model.name} of type {kind}"
                for attribute, kind in model.key_types.items()
                if types.get(attribute) != kind
            ]
            problems += [
                f"{name}: its index {index} is {indexes.get(index)}, that of {model.name} {shape}"
                for index, shape in model.indexes.items()
                if indexes.get(index) != shape
            ]
        used = {index for model in models for index in model.indexes}
        problems += [f"{name}: no model uses its index {index}" for index in sorted(indexes.keys() - used)]
    return problems


RULES = (tables_are_kept, tables_forget_what_expires, evidence_is_kept, models_are_as_their_tables)
