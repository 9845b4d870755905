// Promotions: what is published, what it has cost and paid, and what has halted.
import { html } from "../../vendor/preact.js";
import { query, useLive } from "../../api.js";
import { Answer, Card, Empty, Meter, Pager, Screen, Status, Table, Tabs, When, usePages } from "../../parts.js";
import { money, sentence, words } from "../../format.js";

const FILTERS = [["", "All"], ["CampaignRunning", "Running"], ["CampaignPending", "Publishing"], ["CampaignDraft", "Draft"], ["CampaignClosed", "Closed"]];

export function PromotionsTabs({ current }) {
  return html`<${Tabs} label="Promotions" current=${current} items=${[["#/promotions", "Promotions"], ["#/promotions/connections", "Networks and accounts"]]} />`;
}

// The bar of a promotion's budget: paid, promised, and what went back.
export function budgetOf({ budget, paid, promised, refunded }) {
  return { of: budget, parts: [{ tone: "good", value: paid, label: "paid" }, { tone: "good", hatched: true, value: Math.max(0, promised - paid), label: "promised" }, { tone: "quiet", value: refunded, label: "went back" }] };
}

export function statusOf(promotion) {
  if (promotion.error) return html`<${Status} status="halted" />`;
  if (promotion.status === "CampaignPending") return html`<${Status} status="CampaignPending" label="Publishing" />`;
  return promotion.closing_since && promotion.status !== "CampaignClosed" ? html`<${Status} status="closing" />` : html`<${Status} status=${promotion.status} />`;
}

export function Promotions({ asked }) {
  const status = asked.status || "";
  const error = asked.error || "";
  const pages = usePages(status + error);
  const list = useLive(`v2/campaigns${query({ status, error, limit: 20, cursor: pages.cursor })}`, 5);
  const current = `#/promotions${query({ status, error })}`;
  return html`<${Screen} title="Promotions" actions=${html`<a class="button primary" href="#/promotions/new">New promotion</a>`}>
    <${PromotionsTabs} current="#/promotions" />
    <${Tabs} label="Status" current=${current} items=${[...FILTERS.map(([of, text]) => [`#/promotions${query({ status: of })}`, text]), ["#/promotions?error=true", "Halted"]]} />
    <${Card}>
      <${Answer} live=${list} lines=${6} isEmpty=${(answer) => !answer.items.length} empty=${html`<${Empty} act=${!status && !error && html`<a class="button primary" href="#/promotions/new">New promotion</a>`}>${error ? "No promotion has halted." : status ? "No promotion has this status." : "There is no promotion yet. A promotion posts twice at a network, holds its budget in escrow, and rewards whoever engages."}<//>`}>
        ${(answer) => html`<${Table} label="Promotions" rows=${answer.items} keyOf=${(row) => row.id} columns=${[
          { label: "Promotion", cell: (row) => html`<a class="name" href="#/promotions/${row.id}">${row.title}</a><p class="soft">by ${row.owner}, at ${row.host || row.network}</p>` },
          { label: "Status", cell: (row) => html`${statusOf(row)}${row.stage && !["running", "settled"].includes(row.stage) && html`<p class="soft">${words(row.stage)}</p>`}` },
          { label: "Money", isWide: true, cell: (row) => html`<div class="done"><${Meter} label="Budget of ${row.title}" ...${budgetOf(row)} /><span>${money(row.paid, row.currency, row.exponent)} <span class="soft">paid of ${money(row.budget, row.currency, row.exponent)}</span></span></div>` },
          { label: "Type", cell: (row) => sentence(row.type) },
          { label: "Closes", isNumber: true, cell: (row) => html`<${When} at=${row.campaign_close_time} />` },
        ]} /><${Pager} pages=${pages} next=${answer.next_cursor} />`}
      <//>
    <//>
  <//>`;
}
