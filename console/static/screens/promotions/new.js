// A new promotion: two posts, a budget and how it is shared. A draft can be previewed before anything goes out.
import { html, useState } from "../../vendor/preact.js";
import { session, useKey, useLive, write } from "../../api.js";
import { Lacking } from "../../deposit.js";
import { Card, Do, Facts, Figures, Note, Screen, Trouble, go } from "../../parts.js";
import { Area, Choice, Field, Select, minorOf, numberOf, useForm } from "../../forms.js";
import { exponentOf, money, number, plural } from "../../format.js";

export function NewPromotion() {
  const form = useForm({ title: "", network: "sandbox", first: "", second: "", budget: "", currency: "USD", hours: "24", type: "rewarded", share: "equal", most: "", claim: "24" });
  const [key, renew] = useKey();
  const [draft, setDraft] = useState(null);
  const { values } = form;
  // What is made keeps its terms: a change that would not be sent must not look as if it were.
  const bind = (name, field) => ({ ...form.bind(name, field), disabled: Boolean(draft) });
  const networks = useLive("v2/networks", 60);
  const wallets = useLive("v2/wallet", 10);
  const connection = useLive(`v2/connections/${values.network}`, 15);
  const network = networks.answer && networks.answer.items.find((of) => of.network === values.network);
  const isUnconnected = connection.problem && connection.problem.status === 404;
  const budget = minorOf(values.budget, values.currency);
  const hours = numberOf(values.hours);
  const wallet = wallets.answer && wallets.answer.items.find((of) => of.currency === values.currency);
  const balance = wallet ? wallet.balance : 0;
  const shown = (value) => money(value, values.currency, exponentOf(values.currency));
  const hint = (text) => (network ? `${number([...text].length)} of ${number(network.text_limit)} characters, with a short code at the end` : undefined);

  const create = (isPublished) => form.send(async () => {
    const made = draft || await write("POST", "v2/campaigns", {
      title: values.title, network: values.network, texts: [values.first, values.second], budget, currency: values.currency,
      duration_minutes: typeof hours === "number" ? Math.round(hours * 60) : hours,
      type: values.type, share: values.share, max_per_participant: minorOf(values.most, values.currency), claim_window_hours: numberOf(values.claim),
    }, { key });
    setDraft(made);
    if (isPublished) await write("POST", `v2/campaigns/${made.id}/publish`, undefined, { key: `${key}-publish` });
    renew();
    go(`/promotions/${made.id}`);
  });

  return html`<${Screen} title="New promotion" back=${["#/promotions", "Promotions"]}>
    <div class="columns form">
      <${Card} title="Terms">
        <${Field} label="Title" hint="It stands in the contract, too." ...${bind("title")} />
        <${Select} label="Network" ...${bind("network")} options=${(networks.answer ? networks.answer.items : [{ network: "sandbox" }]).map((of) => [of.network, of.network])} />
        <${Area} label="First post" hint=${hint(values.first)} rows=${3} ...${bind("first", "texts.0")} />
        <${Area} label="Second post, which replies to it" hint=${hint(values.second)} rows=${3} ...${bind("second", "texts.1")} />
        <div class="pair">
          <${Field} label="Budget" hint="In ${values.currency}" inputmode="decimal" ...${bind("budget")} />
          <${Field} label="Runs for" hint="Hours" isNumber ...${bind("hours", "duration_minutes")} />
        </div>
        <${Choice} label="What it is" ...${bind("type")} options=${[["rewarded", "Rewards whoever engages"], ["awareness", "Is only shown"]]} />
        ${values.type === "rewarded" && html`
          <${Choice} label="Shares" ...${bind("share")} options=${[["equal", "The same for all"], ["weighted", "By what they did"]]} />
          <div class="pair">
            <${Field} label="At most for one" hint="In ${values.currency}; empty: no limit" inputmode="decimal" ...${bind("most", "max_per_participant")} />
            <${Field} label="Claims are open for" hint="Hours" isNumber ...${bind("claim", "claim_window_hours")} />
          </div>`}
        ${draft && !form.isBusy && html`<${Note} tone="warn"><b>The draft is made, and not published.</b> Its terms are kept. <a href="#/promotions/${draft.id}">Open the draft</a>.<//>`}
        ${form.problem && html`<${Trouble} problem=${form.problem} />`}
        <div class="buttons">
          <button type="button" disabled=${Boolean(draft)} aria-busy=${form.isBusy} onClick=${() => create(false)}>Create draft</button>
          <button type="button" class="primary" aria-busy=${form.isBusy} onClick=${() => create(true)}>${draft ? "Publish it" : "Create and publish"}</button>
        </div>
        <p class="soft">A draft can be previewed: the texts as they go out, all that stands against it, and its cost.</p>
      <//>
      <${Card} title="What will happen">
        <${Figures} label="What will happen" items=${[
          { label: "Budget", value: typeof budget === "number" ? shown(budget) : "–", note: "held until it closes" },
          { label: "Wallet", value: shown(balance), note: session.value.subject },
          ...(network ? [{ label: "The network takes", value: `$${network.post_price_usd}`, note: "for a post, by its price list" }] : []),
        ]} />
        <ol class="steps"><li>The budget moves from the wallet of <b>${session.value.subject}</b> to the promotion.</li><li>The first post, the contract and the second post go out, each once.</li><li>Metrics are read while it runs.</li><li>At the close, ${values.type === "rewarded" ? "whoever engaged and is eligible is paid by itself, or claims; what is left goes back." : "the budget goes back: nobody is rewarded."}</li></ol>
        ${isUnconnected && html`<${Note} tone="warn"><p>Posts go out in the name of a connected account, and none is connected at ${values.network}.</p>
          ${values.network === "sandbox"
            ? html`<${Do} kind="small" onDo=${() => write("PUT", "v2/connections/sandbox", { token: session.value.subject })}>Connect the sandbox as ${session.value.subject}<//>`
            : html`<a href="#/promotions/connections">Connect an account</a>`}<//>`}
        ${connection.answer && html`<${Facts} items=${[["Posts as", `${connection.answer.handle} at ${connection.answer.host}`]]} />${connection.answer.is_revoked && html`<${Note} tone="bad">The network has refused this account's token. <a href="#/promotions/connections">Connect it again</a>.<//>`}`}
        ${network && !network.rewards && values.type === "rewarded" && html`<${Note} tone="warn">The rules of ${network.network} do not allow paying accounts that engage.<//>`}
        ${wallets.answer && budget > balance && html`<${Lacking} amount=${budget - balance} currency=${values.currency} shown=${shown} />`}
        ${network && html`<p class="soft">${plural(network.media_count, "picture")} can be added to a draft.</p>`}
      <//>
    </div>
  <//>`;
}
