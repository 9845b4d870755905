// A new sponsorship: its terms, what a streamer earns, how many the budget pays, and whether the wallet has the money.
import { html, useState } from "../../vendor/preact.js";
import { session, useKey, useLive, write } from "../../api.js";
import { Lacking } from "../../deposit.js";
import { Card, Empty, Figures, Note, Screen, Trouble, go } from "../../parts.js";
import { Choice, Field, minorOf, numberOf, useForm } from "../../forms.js";
import { exponentOf, money, number } from "../../format.js";

const A_MONTH = 30 * 86_400_000;

function localTime(at) {
  return new Date(at - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

export function NewSponsorship() {
  const form = useForm({ name: "", currency: "USD", rate: "1.65", target_impressions: "2000", budget: "", ends_at: localTime(Date.now() + A_MONTH), at_end: "nothing", viewers: "registered", viewer_period: "campaign", gkeys: "none" });
  const [key, renew] = useKey();
  const [draft, setDraft] = useState(null);
  const wallets = useLive("api/v1/wallets/me", 10);
  const { values } = form;
  // What is made keeps its terms: a change that would not be sent must not look as if it were.
  const bind = (name, field) => ({ ...form.bind(name, field), disabled: Boolean(draft) });
  const target = numberOf(values.target_impressions);
  const isCounted = /^\d+(\.\d+)?$/.test(values.rate) && Number.isInteger(target) && target > 0;
  // The API floors rate x target in decimals; this is the same to the cent for rates of up to four places.
  const pay = isCounted ? Math.floor((Math.round(Number(values.rate) * 10_000) * target * 10 ** exponentOf(values.currency)) / 10_000) : null;
  const budget = minorOf(values.budget, values.currency);
  const streamers = pay && typeof budget === "number" ? Math.floor(budget / pay) : 0;
  const wallet = wallets.answer && wallets.answer.items.find((of) => of.currency === values.currency);
  const balance = wallet ? wallet.balance : 0;
  const isShort = wallets.answer && typeof budget === "number" && balance < budget;
  const shown = (amount) => money(amount, values.currency, exponentOf(values.currency));

  const create = (isStarted) => form.send(async () => {
    const made = draft || await write("POST", "api/v1/campaigns", {
      name: values.name, currency: values.currency, rate: values.rate, target_impressions: numberOf(values.target_impressions), budget,
      ends_at: new Date(values.ends_at).toString() === "Invalid Date" ? values.ends_at : new Date(values.ends_at).toISOString(),
      at_end: values.at_end, viewers: values.viewers, viewer_period: values.viewer_period, gkeys: values.gkeys,
    }, { key });
    // Made once: if its start is refused, the next press starts this draft.
    setDraft(made);
    if (isStarted) await write("POST", `api/v1/campaigns/${made.id}/start`, undefined, { key: `${key}-start` });
    renew();
    go(`/sponsorships/${made.id}`);
  });

  return html`<${Screen} title="New sponsorship" back=${["#/sponsorships", "Sponsorships"]}>
    <div class="columns form">
      <${Card} title="Terms">
        <${Field} label="Name" ...${bind("name")} />
        <div class="pair">
          <${Field} label="Price of a viewer" hint="In ${values.currency}" ...${bind("rate")} inputmode="decimal" />
          <${Field} label="Viewers to reach" ...${bind("target_impressions")} isNumber />
        </div>
        <div class="pair">
          <${Field} label="Budget" hint="In ${values.currency}" ...${bind("budget")} inputmode="decimal" />
          <${Field} label="Currency" ...${bind("currency")} maxlength="3" />
        </div>
        <${Field} label="Ends" type="datetime-local" ...${bind("ends_at")} />
        <${Choice} label="Who counts" ...${bind("viewers")} options=${[["registered", "Viewers with a token"], ["any", "Anyone"]]} />
        <${Choice} label="A viewer counts" ...${bind("viewer_period")} options=${[["campaign", "Once"], ["day", "Once a day"]]} />
        <${Choice} label="At the end, below the target" ...${bind("at_end")} options=${[["nothing", "Pays nothing"], ["pro_rata", "Pays for what there is"]]} />
        <${Choice} label="G-Keys" ...${bind("gkeys")} options=${[["none", "None"], ["required", "One for each streamer"]]} />
        ${draft && !form.isBusy && html`<${Note} tone="warn"><b>The draft is made, and not started.</b> Its terms are kept. <a href="#/sponsorships/${draft.id}">Open the draft</a>.<//>`}
        ${form.problem && html`<${Trouble} problem=${form.problem} />`}
        <div class="buttons">
          <button type="button" disabled=${Boolean(draft)} aria-busy=${form.isBusy} onClick=${() => create(false)}>Create draft</button>
          <button type="button" class="primary" aria-busy=${form.isBusy} onClick=${() => create(true)}>${draft ? "Start it" : "Create and start"}</button>
        </div>
      <//>
      <${Card} title="What it promises">
        ${pay === null ? html`<${Empty}>Say a price and a number of viewers.<//>` : html`
          <${Figures} label="What it promises" items=${[
            { label: "A streamer earns", value: shown(pay), note: `at ${number(target)} distinct viewers` },
            { label: "The budget pays", value: streamers === 1 ? "1 streamer" : `${number(streamers)} streamers`, note: typeof budget !== "number" ? "say a budget" : streamers ? `${shown(budget - streamers * pay)} stays free` : "too small for one" },
            { label: "Wallet", value: shown(balance), note: session.value.subject },
          ]} />
          <p>The whole budget moves from the wallet of <b>${session.value.subject}</b> to the campaign when it starts. Each streamer's pay is set aside when they join, and is paid by itself when ${number(target)} distinct viewers saw the advertisement on their page. What is left at the end goes back.</p>`}
        ${isShort && html`<${Lacking} amount=${budget - balance} currency=${values.currency} shown=${shown} />`}
      <//>
    </div>
  <//>`;
}
