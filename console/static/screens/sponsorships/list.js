// Sponsorships: whose money, how much of it is set aside and paid, and how completions are detected.
import { html } from "../../vendor/preact.js";
import { query, useLive, write } from "../../api.js";
import { Answer, Card, Checks, Do, Empty, Facts, Note, Pager, Screen, Status, Table, Tabs, When, usePages } from "../../parts.js";
import { money, number, plural, sentence } from "../../format.js";
import { Funds, fundsOf } from "./funds.js";

const STATUSES = ["", "running", "draft", "paused", "closing", "closed", "cancelled"];

export function Sponsorships({ asked }) {
  const status = asked.status || "";
  const pages = usePages(status);
  const list = useLive(`api/v1/campaigns${query({ status, limit: 20, cursor: pages.cursor })}`, 5);
  return html`<${Screen} title="Sponsorships" actions=${html`<a class="button primary" href="#/sponsorships/new">New sponsorship</a>`}>
    <${Tabs} label="Status" current="#/sponsorships${query({ status })}" items=${STATUSES.map((of) => [`#/sponsorships${query({ status: of })}`, of ? sentence(of) : "All"])} />
    <${Card}>
      <${Answer} live=${list} lines=${6} isEmpty=${(answer) => !answer.items.length} empty=${html`<${Empty} act=${!status && html`<a class="button primary" href="#/sponsorships/new">New sponsorship</a>`}>${status ? "No sponsorship has this status." : "There is no sponsorship yet. An advertiser funds one, streamers join, and each is paid when enough viewers saw it."}<//>`}>
        ${(answer) => html`<${Table} label="Sponsorships" rows=${answer.items} keyOf=${(row) => row.id} columns=${[
          { label: "Sponsorship", cell: (row) => html`<a class="name" href="#/sponsorships/${row.id}">${row.name}</a><p class="soft">by ${row.owner}, ${row.rate} ${row.currency} a viewer</p>` },
          { label: "Status", cell: (row) => html`<${Status} status=${row.status} />` },
          { label: "Money", isWide: true, cell: (row) => html`<${Funds} of=${fundsOf(row)} name=${row.name} />` },
          { label: "Target", isNumber: true, cell: (row) => html`${number(row.target_impressions)}<p class="soft">pays ${money(row.pay, row.currency, row.exponent)}</p>` },
          { label: "Ends", isNumber: true, cell: (row) => html`<${When} at=${row.closed_at || row.ends_at} />` },
        ]} /><${Pager} pages=${pages} next=${answer.next_cursor} />`}
      <//>
    <//>
    <${Detection} />
  <//>`;
}

// Whether every streamer who reached the target is found: by the stream, by the sweep, or by a check that a person starts.
function Detection() {
  const live = useLive("api/v1/campaigns/monitoring/status", 10);
  return html`<${Card} title="How completions are found" aside=${html`<${Do} kind="small" onDo=${() => write("POST", "api/v1/campaigns/monitoring/full-check", { deep: true })}>Check all now<//>`}>
    <${Answer} live=${live}>${(answer) => {
      const { detectors, participations, full_check: check } = answer;
      return html`
        ${answer.status !== "ok" && html`<${Note} tone="warn">${answer.status === "disconnected" ? "The stream is silent. The sweep finds every completion within five minutes." : "Something needs a look: see the overview."}<//>`}
        <${Facts} items=${[
          ["By the stream", html`${plural(detectors.stream.completions, "completion")}<p class="soft">last <${When} at=${detectors.stream.last_at} /></p>`],
          ["By the sweep", html`${plural(detectors.sweep.completions, "completion")}<p class="soft">next <${When} at=${detectors.sweep.next_at} /></p>`],
          ["Take part", number(participations.active)],
          ["Settle now", number(participations.settling + participations.held)],
          ["In review", number(participations.review)],
          ["Adjustments to decide", number(answer.open_adjustments)],
        ]} />
        <${Checks} items=${[
          ...(answer.conservation.ok === null ? [] : [{ name: "all money that came in is in an account or went out", holds: answer.conservation.ok, value: html`<${When} at=${answer.conservation.checked_at} />` }]),
          ...(check ? [{ name: `the last check of ${plural(check.checked, "participation")}`, note: check.status === "checking" ? "goes on" : `settled ${number(check.settled)}, corrected ${number(check.corrected)}`, holds: check.status !== "check_failed" && !check.problems.length, value: html`<${When} at=${check.ended_at || check.created_at} />` }] : []),
        ]} />
        ${check && check.problems.length > 0 && html`<${Note} tone="warn"><ul>${check.problems.map((problem) => html`<li key=${problem}>${problem}</li>`)}</ul><//>`}`;
    }}<//>
  <//>`;
}
