// What a wallet lacks for a budget, and for an admin the press that records a deposit.
import { html } from "./vendor/preact.js";
import { freshKey, may, session, write } from "./api.js";
import { Do, Note } from "./parts.js";

export function Lacking({ amount, currency, shown }) {
  const deposit = () => write("POST", `api/v1/wallets/${encodeURIComponent(session.value.subject)}/deposits`, { amount, currency, reference: `console ${freshKey().slice(0, 8)}` });
  return html`<${Note} tone="warn"><p>The wallet lacks ${shown(amount)}.</p>${may("admin")
    ? html`<${Do} kind="small" onDo=${deposit}>Record a deposit of ${shown(amount)}<//><p class="soft">It says that this money came in from outside: the ledger and the audit trail keep it.</p>`
    : html`<p>An admin records deposits, under <a href="#/wallets">Wallets</a>.</p>`}<//>`;
}
