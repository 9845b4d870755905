"""`sluice wallets`: balances, statements, and money from and to the outside."""

import click

from sluice_cli.boosts import holds_or_exits
from sluice_cli.session import Session
from sluice_cli.verbs import COUNT, ID, Noun, id_argument, paged, yes_option

WALLETS = "/api/v1/wallets"

command = Noun("wallets", "Money: balances, statements, and what came from outside.")


@command.verb("list", example="sluice wallets list")
def list_(session: Session) -> None:
    """List your wallets, one for each currency."""
    session.show_page(session.get(f"{WALLETS}/me"), ("currency", "balance", "lines"))


@command.verb("statement", example="sluice wallets statement --currency USD")
@click.option("--currency", metavar="CODE", help="Of which wallet.")
@paged
def statement(session: Session, currency: str | None, limit: int | None, cursor: str | None) -> None:
    """List what came into a wallet and went out of it, the newest first."""
    query = {"currency": currency, "limit": limit, "cursor": cursor}
    session.show_page(session.get(f"{WALLETS}/me/statement", query), ("at", "kind", "amount", "after", "entry"))


_AMOUNT = click.option("--amount", type=COUNT, required=True, metavar="N", help="In minor units: 8250 is 82.50 USD.")
_CURRENCY = click.option("--currency", required=True, metavar="CODE", help="Such as USD.")
_REFERENCE = click.option("--reference", required=True, metavar="TEXT", help="What the bank or the books call it.")


@command.verb("deposit", example="sluice wallets deposit acme --amount 500000 --currency USD --reference inv-7")
@id_argument("user")
@_AMOUNT
@_CURRENCY
@_REFERENCE
def deposit(session: Session, user: str, amount: int, currency: str, reference: str) -> None:
    """Record money that came from outside for a user."""
    body = {"amount": amount, "currency": currency, "reference": reference}
    session.show(session.send("POST", f"{WALLETS}/{user}/deposits", body))


@command.verb("withdraw", example="sluice wallets withdraw nina --amount 8250 --currency USD --reference pay-7 --yes")
@id_argument("user")
@_AMOUNT
@_CURRENCY
@_REFERENCE
@yes_option
def withdraw(session: Session, user: str, amount: int, currency: str, reference: str, yes: bool) -> None:
    """Record money that went outside from a user."""
    session.confirm(f"Take {amount:,} (minor units) {currency} out of {user}'s wallet?", yes=yes)
    body = {"amount": amount, "currency": currency, "reference": reference}
    session.show(session.send("POST", f"{WALLETS}/{user}/withdrawals", body))


@command.verb("verify", example="sluice wallets verify wallet:nina:USD")
@click.argument("account", type=ID)
def verify(session: Session, account: str) -> None:
    """Check an account's lines against its balance; exit 1 if they differ."""
    from urllib.parse import unquote

    holds_or_exits(session, session.get("/api/v1/ledger/verify", {"account": unquote(account)}))
