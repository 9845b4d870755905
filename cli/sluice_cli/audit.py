"""`sluice audit`: entries, and the check of their chain."""

from sluice_cli.verbs import PAGE, Field, Noun, holds_or_exits, table

AUDIT = "/api/admin/audit"

command = Noun("audit", "Who did what, in a chain that can be checked.")

command.call(
    "list",
    f"GET {AUDIT}",
    "List what was done, the newest first.",
    "--entity bst_01",
    Field("entity", "--entity", "ID", "Only of this campaign, content or other thing."),
    Field("action", "--action", "NAME", "Only this action."),
    *PAGE,
    show=table("at", "actor", "action", "entity", "number"),
)
command.call(
    "verify",
    f"GET {AUDIT}/{{entity}}/verify",
    "Check the chain of a thing's entries; exit 1 if one was changed.",
    "bst_01",
    show=holds_or_exits,
)
