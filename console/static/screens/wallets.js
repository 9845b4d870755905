// One's own wallets, money that comes from outside or goes there, and whether an account of the ledger is whole.
import { html, useState } from "../vendor/preact.js";
import { Problem, call, may, query, useAct, useKey, useLive, write } from "../api.js";
import { linkTo } from "../links.js";
import { Answer, Card, Empty, Figures, Id, Note, Pager, Screen, Table, Trouble, When, usePages } from "../parts.js";
import { Field, minorOf, useForm } from "../forms.js";
import { money, number, plural, sentence } from "../format.js";

const WALLETS = "api/v1/wallets";

export function Wallets({ asked }) {
  const live = useLive(`${WALLETS}/me`, 15);
  const wallets = live.answer ? live.answer.items : [];
  const currency = asked.currency || (wallets.length ? wallets[0].currency : "");
  return html`<${Screen} title="Wallets" lead="Money of the ledger: each movement is written once, on both sides.">
    <${Card} title="Your own">
      <${Answer} live=${live} lines=${3} isEmpty=${(answer) => !answer.items.length} empty=${html`<${Empty}>${live.answer && live.answer.user} has no wallet yet. A wallet begins with its first deposit, or with the first payment that comes in.<//>`}>
        ${(answer) => html`<${Figures} label="Your wallets" items=${answer.items.map((wallet) => ({
          label: wallet.currency, href: `#/wallets?currency=${wallet.currency}`, value: money(wallet.balance, wallet.currency, wallet.exponent), note: plural(wallet.lines, "line"),
        }))} /><${WalletLines} currency=${currency} />`}
      <//>
    <//>
    <div class="columns">
      <${WalletMovement} currency=${currency} />
      <${LedgerCheck} account=${live.answer && currency ? `wallet#${currency}#${live.answer.user}` : ""} />
    </div>
  <//>`;
}

function WalletLines({ currency }) {
  const pages = usePages(currency);
  const live = useLive(`${WALLETS}/me/statement${query({ currency, limit: 10, cursor: pages.cursor })}`, 15);
  return html`<${Answer} live=${live} lines=${4} isEmpty=${(answer) => !answer.items.length} empty=${html`<${Empty}>Nothing came into this wallet or went out of it.<//>`}>${(answer) => html`
    <${Table} label="Statement in ${answer.currency}" rows=${answer.items} keyOf=${(line) => line.number} columns=${[
      { label: "What", cell: (line) => html`<b>${sentence(line.kind)}</b> <span class="soft">no. ${number(line.number)}</span>` },
      { label: "When", cell: (line) => html`<${When} at=${line.at} />` },
      { label: "Other side", cell: (line) => html`<${Id} id=${line.against} href=${/#(spn|prm)_/.test(line.against) && linkTo(line.against.split("#")[1])} />` },
      { label: "Amount", isNumber: true, cell: (line) => `${line.amount > 0 ? "+" : ""}${money(line.amount, answer.currency, answer.exponent)}` },
      { label: "After it", isNumber: true, cell: (line) => money(line.after, answer.currency, answer.exponent) },
    ]} />
    <${Pager} pages=${pages} next=${answer.next_cursor} />`}<//>`;
}

// Money that came from outside for a user, or went outside. An admin records it.
function WalletMovement({ currency }) {
  const form = useForm({ user: "", amount: "", currency: currency || "USD", reference: "" });
  const [key, renew] = useKey();
  const [moved, setMoved] = useState(null);
  if (!may("admin")) return html`<${Card} title="Deposit or withdraw"><p class="soft">An admin records what came from outside for a user, and what went there.</p><//>`;
  const { user, amount, reference } = form.values;
  const move = (kind) => form.send(async () => {
    setMoved(null);
    // The user is a part of the path: without one, the API would see another route.
    if (!user.trim()) throw new Problem(400, { message: "Say whose wallet it is", errors: [{ field: "user", message: "Say whose wallet it is." }] });
    setMoved(await write("POST", `${WALLETS}/${encodeURIComponent(user.trim())}/${kind}s`, { amount: minorOf(amount, form.values.currency.trim()) ?? undefined, currency: form.values.currency.trim(), reference: reference.trim() || undefined }, { key: `${kind}-${key}` }));
    renew();
    form.setValues({ ...form.values, amount: "", reference: "" });
  });
  return html`<${Card} title="Deposit or withdraw">
    <form novalidate onSubmit=${(event) => { event.preventDefault(); move("deposit"); }}>
      <${Field} label="User" spellcheck="false" placeholder="nina" ...${form.bind("user")} />
      <div class="pair">
        <${Field} label="Amount" inputmode="decimal" placeholder="3300.00" hint="In ${form.values.currency}" ...${form.bind("amount")} />
        <${Field} label="Currency" maxlength="3" ...${form.bind("currency")} />
      </div>
      <${Field} label="Reference" placeholder="SEPA 2026-11-27/0042" hint="What it is known by outside. The ledger and the audit trail keep it." ...${form.bind("reference")} />
      ${form.problem && html`<${Trouble} problem=${form.problem} />`}
      <div aria-live="polite">${moved && html`<${Note} tone="good"><b>${moved.kind === "deposit" ? "Paid in" : "Paid out"}: ${money(moved.amount, moved.currency, moved.exponent)}</b> for ${moved.user}, who has ${money(moved.balance, moved.currency, moved.exponent)} now. <a href="#/audit/${encodeURIComponent(`wallet:${moved.user}`)}">Audit trail</a><//>`}</div>
      <div class="buttons">
        <button type="button" aria-busy=${form.isBusy} onClick=${() => move("withdrawal")}>Record a withdrawal</button>
        <button type="submit" class="primary" aria-busy=${form.isBusy}>Record a deposit</button>
      </div>
    </form>
  <//>`;
}

function LedgerCheck({ account }) {
  const [text, setText] = useState(null);
  const shown = text === null ? account : text;
  const act = useAct();
  const [found, setFound] = useState(null);
  const verify = (event) => {
    event.preventDefault();
    if (!act.isBusy) act.run(async () => {
      setFound(null);
      setFound({ ...await call("GET", `api/v1/ledger/verify${query({ account: shown.trim() }) || "?account="}`), at: new Date().toISOString() });
    });
  };
  return html`<${Card} title="Verify the ledger">
    <form novalidate onSubmit=${verify}>
      <${Field} label="Account" spellcheck="false" placeholder="wallet#USD#nina" value=${shown} onValue=${setText} wrong=${act.problem ? act.problem.of("account") : ""} hint="wallet#USD#nina, budget#spn_…, reserved#spn_… or outside#USD" />
      ${act.problem && !act.problem.errors.length && html`<${Trouble} problem=${act.problem} />`}
      <div aria-live="polite">${found && html`<${Note} tone=${found.valid ? "good" : "bad"}><b>${found.valid ? "The account is whole." : `The account does not add up: ${found.problem}.`}</b> ${found.valid && html`Each line of <code>${found.account}</code> has its entry, and the lines add up to its balance.`} <span class="soft">Checked <${When} at=${found.at} />.</span><//>`}</div>
      <div class="buttons"><button type="submit" aria-busy=${act.isBusy}>Verify</button></div>
    </form>
  <//>`;
}
