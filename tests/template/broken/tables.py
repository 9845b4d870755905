"""Tables, broken."""

from tests.template.broken.copy import Broken
from tests.template.edits import change_model, drop, put, unbind_model
from tests.template.rules import tables

BROKEN = [
    Broken(
        tables.tables_are_kept,
        "a table that goes with its stack",
        drop("AuditTable.DeletionPolicy"),
        "AuditTable: set DeletionPolicy: Retain",
    ),
    Broken(
        tables.tables_are_kept,
        "a table that goes when it is replaced",
        put("AuditTable.UpdateReplacePolicy", "Delete"),
        "AuditTable: set UpdateReplacePolicy: Retain",
    ),
    Broken(
        tables.tables_are_kept,
        "a table that cannot be restored",
        put("BoostsTable.PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled", False),
        "BoostsTable: set PointInTimeRecoveryEnabled: true",
    ),
    Broken(
        tables.tables_are_kept,
        "a table in plain text",
        drop("TotalsTable.SSESpecification"),
        "TotalsTable: set SSEEnabled: true",
    ),
    Broken(
        tables.tables_are_kept,
        "a table with a price of its own",
        put("TotalsTable.BillingMode", "PROVISIONED"),
        "TotalsTable: set BillingMode: PAY_PER_REQUEST",
    ),
    Broken(
        tables.tables_forget_what_expires,
        "rows that expire and stay",
        drop("RequestsTable.TimeToLiveSpecification"),
        "RequestsTable: set TimeToLiveSpecification on expires_at, which is written",
    ),
    Broken(
        tables.tables_forget_what_expires,
        "an expiry that is switched off",
        put("OutboxTable.TimeToLiveSpecification.Enabled", False),
        "OutboxTable: set TimeToLiveSpecification on expires_at, which is written",
    ),
    Broken(
        tables.tables_forget_what_expires,
        "an expiry that nothing writes",
        put("AuditTable.TimeToLiveSpecification", {"AttributeName": "expires_at", "Enabled": True}),
        "AuditTable: remove TimeToLiveSpecification: nothing writes expires_at",
    ),
    Broken(
        tables.models_are_as_their_tables,
        "a model of another key",
        change_model("TotalsTable", "TotalItem", lambda model: model.keys.update(part="RANGE")),
        "TotalsTable: its keys are {'key': 'HASH'}, those of TotalItem {'key': 'HASH', 'part': 'RANGE'}",
    ),
    Broken(
        tables.models_are_as_their_tables,
        "a key of another type",
        put("AuditTable.AttributeDefinitions.1.AttributeType", "S"),
        "AuditTable: number is of type S, that of EntryItem of type N",
    ),
    Broken(
        tables.models_are_as_their_tables,
        "an index of another projection",
        put("BoostsTable.GlobalSecondaryIndexes.2.Projection.ProjectionType", "ALL"),
        "BoostsTable: its index by_wake is ({'status': 'HASH', 'wake_at': 'RANGE'}, 'ALL'), "
        "that of ChainedItem ({'status': 'HASH', 'wake_at': 'RANGE'}, 'KEYS_ONLY')",
    ),
    Broken(
        tables.models_are_as_their_tables,
        "an index that is gone",
        drop("OutboxTable.GlobalSecondaryIndexes"),
        "OutboxTable: its index by_status is None, "
        "that of EventItem ({'status': 'HASH', 'created_at': 'RANGE'}, 'KEYS_ONLY')",
    ),
    Broken(
        tables.models_are_as_their_tables,
        "an index that nothing uses",
        change_model("OutboxTable", "EventItem", lambda model: model.indexes.clear()),
        "OutboxTable: no model uses its index by_status",
    ),
    Broken(
        tables.models_are_as_their_tables,
        "a model of no table",
        unbind_model("RequestsTable"),
        "RequestItem: let its Meta be in a module that is named as its table",
    ),
    Broken(
        tables.models_are_as_their_tables,
        "a table of no model",
        unbind_model("RequestsTable"),
        "RequestsTable: no model is bound to it",
    ),
    Broken(
        tables.evidence_is_kept,
        "batch rows that expire",
        put("BoostsTable.TimeToLiveSpecification", {"AttributeName": "expires_at", "Enabled": True}),
        "BoostsTable: remove TimeToLiveSpecification: what it holds is kept",
    ),
]
