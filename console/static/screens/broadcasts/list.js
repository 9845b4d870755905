// All broadcasts, everybody's: how far they are, and what they cost.
import { html } from "../../vendor/preact.js";
import { query, useLive } from "../../api.js";
import { Answer, Card, Done, Empty, Figures, Pager, Status, Table, When, go, usePages } from "../../parts.js";
import { number, percent, words } from "../../format.js";
import { Section, partsOf, price } from "./section.js";

const BROADCAST_STATUSES = ["", "RUNNING", "PAUSED", "SCHEDULED", "DRAFT", "COMPLETED", "FAILED"];

export function Broadcasts({ asked }) {
  const status = BROADCAST_STATUSES.includes(asked.status) ? asked.status || "" : "";
  const pages = usePages(status);
  const live = useLive(`api/campaigns${query({ owner: "*", status, limit: 25, cursor: pages.cursor })}`, 5);
  const stats = useLive("api/campaigns/stats?owner=*", 30);
  const totals = stats.answer;
  const create = html`<a class="button primary" href="#/broadcasts/new">New broadcast</a>`;
  return html`<${Section} title="Broadcasts" at="" actions=${create}>
    ${totals && html`<${Figures} label="Totals" items=${[
      { label: "Broadcasts", value: number(totals.totalCampaigns), note: `${number(totals.completedCampaigns)} completed` },
      { label: "Active now", value: number(totals.activeCampaigns), href: "#/broadcasts?status=RUNNING" },
      { label: "Messages sent", value: number(totals.totalMessagesSent) },
      { label: "Delivered", value: totals.averageDeliveryRate === null ? "–" : percent(totals.averageDeliveryRate, 100), note: "of those sent" },
    ]} />`}
    <${Card} title="All broadcasts" aside=${html`<select aria-label="Status" value=${status} onChange=${(event) => go(`#/broadcasts${query({ status: event.target.value })}`)}>${BROADCAST_STATUSES.map((one) => html`<option key=${one} value=${one} selected=${one === status}>${one ? words(one) : "every status"}</option>`)}</select>`}>
      <${Answer} live=${live} lines=${6} isEmpty=${(answer) => !answer.items.length && pages.isFirst && !answer.nextCursor} empty=${html`<${Empty} act=${create}>${status ? `No broadcast is ${words(status)}.` : "No broadcast yet. A sandbox number is made with one press: nothing is really sent."}<//>`}>
        ${(answer) => html`<${Table} label="Broadcasts" rows=${answer.items} keyOf=${(row) => row.id} columns=${[
          { label: "Name", isWide: true, cell: (row) => html`<a class="name" href="#/broadcasts/${row.id}">${row.name}</a><br /><span class="soft">${row.userId}</span>` },
          { label: "Status", cell: (row) => html`<${Status} status=${row.status} />${row.pauseReason && row.status === "PAUSED" ? html`<br /><span class="soft">${row.pauseReason === "user" ? "by somebody" : words(row.pauseReason)}</span>` : null}` },
          { label: "Progress", isWide: true, cell: (row) => html`<${Done} label="Progress of ${row.name}" done=${row.totalRecipients - row.pendingCount} of=${row.totalRecipients} parts=${partsOf(row)} />` },
          { label: "Spent", isNumber: true, cell: (row) => (row.spent ? price(row.spent, row.currency) : "–") },
          { label: "Created", cell: (row) => html`<${When} at=${row.createdAt} />` },
        ]} /><${Pager} pages=${pages} next=${answer.nextCursor} />`}
      <//>
    <//>
  <//>`;
}
