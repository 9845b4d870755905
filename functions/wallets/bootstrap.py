"""Where the wallets' settings, tables and clock meet."""

from dataclasses import dataclass

from sluice.clock import SystemClock
from sluice.commit import CommitSettings, database
from sluice.dynamodb import bind
from sluice.ledger import LedgerItem
from sluice.requests import RequestItem
from wallets.commands import Wallets
from wallets.store import WalletStore


@dataclass(frozen=True)
class WalletsSettings(CommitSettings):
    ledger_table: str
    requests_table: str


def wallets(settings: WalletsSettings) -> Wallets:
    """Shows and moves what users have, with the models bound to their tables."""
    bind(LedgerItem, settings.ledger_table)
    bind(RequestItem, settings.requests_table)
    return Wallets(WalletStore(database(settings)), SystemClock())
