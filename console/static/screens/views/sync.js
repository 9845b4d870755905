// The sync: what waits for it, how far its epoch is, what it set aside, and imports.
import { html, useState } from "../../vendor/preact.js";
import { may, query, useAct, useLive, write } from "../../api.js";
import { Answer, Card, Dialog, Do, Done, Empty, Facts, Figures, Meter, Note, Pager, Screen, Status, Table, Trouble, When, usePages } from "../../parts.js";
import { Asked, Tick } from "../../forms.js";
import { bytes, duration, number, plural, sentence, short, wholeDay } from "../../format.js";

const EPOCH_PHASES = {
  opening: "It opens on each shard.", retrying: "It tries again what failed before.", paging: "It moves views to the database.",
  refusals: "It moves the counts of refused views.", folding: "It adds what was counted while Redis was away.",
};
const SYNC_OUTCOMES = {
  opened: "An epoch has opened.", running: "An epoch is open already, and goes on.",
  waiting: "The next epoch opens by itself in a moment.", nothing_pending: "Nothing is pending, so no epoch was opened.",
};

export function Sync({ asked }) {
  const stats = useLive("api/admin/views/stats", 5);
  const epoch = useLive(asked.epoch ? `api/admin/views/sync/${encodeURIComponent(asked.epoch)}` : "api/admin/views/sync", (answer) => (answer && answer.closed_at ? 5 : 2));
  // Before the first epoch opens there is none, or one with the number 0.
  const isNone = !asked.epoch && (epoch.answer ? !epoch.answer.epoch : epoch.problem && epoch.problem.status === 404);
  return html`<${Screen} title="Sync" lead="It moves pending views from Redis to the database, each exactly once.">
    <${Answer} live=${stats} lines=${4}>${(answer) => html`<${Figures} label="What waits" items=${[
      { label: "Organic views pending", tone: "organic", hatched: true, value: short(answer.pending_views), exact: number(answer.pending_views), note: answer.oldest_pending_seconds === null ? "none waits" : `${answer.pending_views ? "" : "being moved; "}the oldest ${duration(answer.oldest_pending_seconds)} ago` },
      { label: "Counters pending", value: short(answer.pending_contents), exact: number(answer.pending_contents), note: "a content has one on each shard that it waits on" },
      { label: "Counters set aside", value: number(answer.parked_contents), note: answer.parked_contents ? "they failed too often: see the epoch" : "none failed too often" },
      { label: "Memory of Redis", value: answer.used_memory_bytes === null ? "–" : bytes(answer.used_memory_bytes), note: answer.used_memory_bytes === null ? "Redis does not say" : "on all shards" },
    ]} />`}<//>
    <${StartSync} />
    <${Card} title=${asked.epoch ? `Epoch ${asked.epoch}` : epoch.answer && !epoch.answer.closed_at ? "The open epoch" : "The last epoch"} aside=${epoch.answer && html`${epoch.answer.epoch > 1 && html`<a href="#/sync?epoch=${epoch.answer.epoch - 1}">The one before</a>`}${asked.epoch && html`<a href="#/sync">The present one</a>`}`}>
      ${isNone ? html`<${Empty}>There was no sync yet. The first one opens by its schedule, or soon after "Sync now".<//>` : html`<${Answer} live=${epoch} lines=${5}>${(answer) => html`<${EpochFacts} epoch=${answer} left=${!asked.epoch && stats.answer ? stats.answer.syncing_contents : 0} />`}<//>`}
    <//>
    ${stats.answer && html`<${SyncShards} stats=${stats.answer} />`}
    <${ViewImports} />
  <//>`;
}

function StartSync() {
  const [force, setForce] = useState(false);
  const [outcome, setOutcome] = useState("");
  const act = useAct();
  const start = async () => {
    setOutcome("");
    setOutcome((await write("POST", "api/admin/views/sync", { force }, { key: null })).outcome);
  };
  return html`<div class="row">
      <${Do} kind="primary" act=${act} onDo=${start}>Sync now<//>
      <${Tick} label="Even if nothing is pending" name="force" value=${force} onValue=${setForce} />
    </div>
    <div role="status">${outcome && html`<${Note}>${SYNC_OUTCOMES[outcome]}<//>`}</div>
    ${act.problem && html`<${Trouble} problem=${act.problem} />`}`;
}

function EpochFacts({ epoch, left }) {
  const isOpen = epoch.phase !== "done";
  return html`<div class="stack">
    <p><${Status} status=${isOpen ? "running" : "done"} label=${isOpen ? sentence(epoch.phase) : "Done"} /> ${isOpen ? EPOCH_PHASES[epoch.phase] : html`It closed <${When} at=${epoch.closed_at} />.`}</p>
    ${isOpen && html`<${Meter} label="Counters moved in this epoch" value=${epoch.contents} of=${epoch.contents + left} tone="organic" />`}
    <${Facts} items=${[
      ["Epoch", number(epoch.epoch)], ["Views moved", number(epoch.views)], ["Counters moved", number(epoch.contents)],
      ["Counters left", isOpen ? number(left) : null], ["Refusals moved", number(epoch.refusals)], ["Views added from the time without Redis", epoch.folded && number(epoch.folded)],
      ["Set aside", number(epoch.parked)], ["Counts for", wholeDay(epoch.day)], ["Opened", html`<${When} at=${epoch.opened_at} absolute />`], ["Closed", epoch.closed_at && html`<${When} at=${epoch.closed_at} absolute />`],
    ]} />
    ${epoch.failures.length > 0 && html`<${Note} tone="warn"><b>${plural(epoch.failures.length, "content")} could not be applied.</b> No view of them is lost: each epoch tries again, and what fails too often is set aside.<//>
      <${Table} label="Contents that could not be applied" rows=${epoch.failures} keyOf=${(row) => row.content} columns=${[
        { label: "Content", isWide: true, cell: (row) => html`<a href="#/views/${row.content.split(/:(.*)/s).slice(0, 2).map(encodeURIComponent).join("/")}">${row.content}</a>` },
        { label: "State", cell: (row) => html`<${Status} status=${row.is_parked ? "parked" : "retrying"} label=${row.is_parked ? "Set aside" : "Is tried again"} />` },
        { label: "Failed", isNumber: true, cell: (row) => plural(row.failures, "time") },
        { label: "Why", isWide: true, cell: (row) => row.reason },
      ]} />`}
  </div>`;
}

function SyncShards({ stats }) {
  const incomplete = stats.shards.filter((shard) => !shard.registry_complete).length;
  return html`<${Card}><details open=${stats.parked_contents > 0}><summary>${plural(stats.shards.length, "shard")}</summary>
    ${incomplete > 0 && html`<p class="soft">${number(incomplete)} have not the whole list of registered contents: until they have it, they refuse no unregistered content.</p>`}
    <${Table} label="Shards" rows=${stats.shards} keyOf=${(row) => row.shard} columns=${[
      { label: "Shard", cell: (row) => row.shard },
      ...[["Views pending", "pending_views"], ["Counters pending", "pending_contents"], ["Being moved", "syncing_contents"], ["Set aside", "parked_contents"], ["Ids nobody vouches for", "unknown_contents"], ["Rows of refusals", "refused_fields"], ["Epoch", "epoch"]].map(([label, name]) => ({ label, isNumber: true, cell: (row) => number(row[name]) })),
    ]} />
  </details><//>`;
}

function ViewImports() {
  const pages = usePages("");
  const live = useLive(`api/admin/views/imports${query({ limit: 10, cursor: pages.cursor })}`, (answer) => (answer && answer.items.some((of) => of.status === "running") ? 3 : 30));
  const [chosen, choose] = useState(null);
  const close = () => choose(null);
  return html`<${Card} title="Imports">
    <${Answer} live=${live} isEmpty=${(answer) => !answer.items.length && pages.isFirst} empty=${html`<${Empty}>Nothing was imported. <code>sluice views import FILE</code> brings organic views of another system.<//>`}>
      ${(answer) => html`<${Table} label="List of imports" rows=${answer.items} keyOf=${(row) => row.id} columns=${[
        { label: "Name", isWide: true, cell: (row) => html`<b>${row.name}</b><br /><span class="soft">by ${row.created_by}, <${When} at=${row.created_at} /></span>` },
        { label: "Status", cell: (row) => html`<${Status} status=${row.status} />${row.failure_reason && html` <span class="wrong">${row.failure_reason}</span>`}${may("admin") && ["pending", "running"].includes(row.status) && html` <button type="button" class="small" onClick=${() => choose(["start", row])}>${row.status === "pending" ? "Start" : "Go on"}</button>`}` },
        { label: "Rows", isWide: true, cell: (row) => html`<${Done} label="Rows of ${row.name}" done=${row.applied + row.skipped} of=${row.rows} tone="organic" />` },
        { label: "Views", isNumber: true, cell: (row) => number(row.views) },
        { label: "Left out", cell: (row) => (row.skipped ? html`<button type="button" class="link" onClick=${() => choose(["skipped", row])}>${plural(row.skipped, "row")}</button>` : "none") },
      ]} /><${Pager} pages=${pages} next=${answer.next_cursor} />`}
    <//>
    ${chosen && chosen[0] === "skipped" && html`<${SkippedRows} of=${chosen[1]} onClose=${close} />`}
    ${chosen && chosen[0] === "start" && html`<${Asked} title="Apply ${chosen[1].name}?" verb="Apply ${plural(chosen[1].rows, "row")}" onClose=${close} onDo=${() => write("POST", `api/admin/views/imports/${chosen[1].id}/execute`)}>
      <p>Its counts become part of the organic views, each row once. Rows of contents that another import brought are left out. It cannot be taken back, and takes no more rows.</p>
    <//>`}
  <//>`;
}

function SkippedRows({ of, onClose }) {
  const pages = usePages(of.id);
  const live = useLive(`api/admin/views/imports/${of.id}/skipped${query({ limit: 10, cursor: pages.cursor })}`, 0);
  return html`<${Dialog} title="Rows left out of ${of.name}" onClose=${onClose}>
    <${Answer} live=${live}>${(answer) => html`<ul class="list">${answer.items.map((row) => html`<li key=${row.number}><span><b>Row ${row.number}</b> ${row.content_type}/${row.content_id}, ${plural(row.count, "view")} <span class="soft">${sentence(row.reason)}</span></span></li>`)}</ul><${Pager} pages=${pages} next=${answer.next_cursor} newer="Before" older="After" />`}<//>
    <div class="buttons"><button type="button" onClick=${onClose}>Close</button></div>
  <//>`;
}
