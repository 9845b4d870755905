"""`sluice wallets`: balances, statements, and money from and to the outside."""

from sluice_cli.verbs import COUNT, PAGE, Field, Noun, Word, holds_or_exits, table

WALLETS = "/api/v1/wallets"

command = Noun("wallets", "Money: balances, statements, and what came from outside.")

command.call(
    "list",
    f"GET {WALLETS}/me",
    "List your wallets, one for each currency.",
    "",
    show=table("currency", "balance", "lines"),
)
command.call(
    "statement",
    f"GET {WALLETS}/me/statement",
    "List what came into a wallet and went out of it, the newest first.",
    "--currency USD",
    Field("currency", "--currency", "CODE", "Of which wallet."),
    *PAGE,
    show=table("at", "kind", "amount", "after", "entry"),
)

_MOVEMENT = (
    Field("amount", "--amount", "N", "In minor units: 8250 is 82.50 USD.", type=COUNT, required=True),
    Field("currency", "--currency", "CODE", "Such as USD.", required=True),
    Field("reference", "--reference", "TEXT", "What the bank or the books call it.", required=True),
)
command.call(
    "deposit",
    f"POST {WALLETS}/{{user}}/deposits",
    "Record money that came from outside for a user.",
    "acme --amount 500000 --currency USD --reference inv-7",
    *_MOVEMENT,
)
command.call(
    "withdraw",
    f"POST {WALLETS}/{{user}}/withdrawals",
    "Record money that went outside from a user.",
    "nina --amount 8250 --currency USD --reference pay-7 --yes",
    *_MOVEMENT,
    ask="Take {amount:,} (minor units) {currency} out of {user}'s wallet?",
)

command.call(
    "verify",
    "GET /api/v1/ledger/verify",
    "Check an account's lines against its balance; exit 1 if they differ.",
    "'wallet#USD#nina'",
    Word("account", "account"),
    show=holds_or_exits,
)
