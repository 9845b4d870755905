"""`sluice audit`: entries, and the check of their chain."""

import click

from sluice_cli.boosts import holds_or_exits
from sluice_cli.session import Session
from sluice_cli.verbs import Noun, id_argument, paged

AUDIT = "/api/admin/audit"

command = Noun("audit", "Who did what, in a chain that can be checked.")


@command.verb("list", example="sluice audit list --entity bst_01")
@click.option("--entity", metavar="ID", help="Only of this campaign, content or other thing.")
@click.option("--action", metavar="NAME", help="Only this action.")
@paged
def list_(session: Session, entity: str | None, action: str | None, limit: int | None, cursor: str | None) -> None:
    """List what was done, the newest first."""
    query = {"entity": entity, "action": action, "limit": limit, "cursor": cursor}
    session.show_page(session.get(AUDIT, query), ("at", "actor", "action", "entity", "number"))


@command.verb("verify", example="sluice audit verify bst_01")
@id_argument("entity")
def verify(session: Session, entity: str) -> None:
    """Check the chain of a thing's entries; exit 1 if one was changed."""
    holds_or_exits(session, session.get(f"{AUDIT}/{entity}/verify"))
