// All boosts, newest first, by status and video.
import { html, useRef } from "../../vendor/preact.js";
import { download, query, useAct, useLive } from "../../api.js";
import { Answer, Card, Do, Done, Empty, Id, Pager, Screen, Status, Table, Tabs, Trouble, When, go, usePages } from "../../parts.js";
import { number, plural, sentence, words } from "../../format.js";

export const BOOSTS = "api/admin/fake-views";
const BOOST_STATUSES = ["", "running", "scheduled", "paused", "pending", "completed", "failed", "cancelled", "reverting", "reverted"];

// A boost is known by its videos.
export function boostName({ video_ids: videos }) {
  return videos.length > 1 ? `${videos[0]} and ${number(videos.length - 1)} more` : videos[0];
}

export function boostPlan(boost) {
  return `${sentence(boost.pattern)} over ${plural(boost.duration_days, "day")}`;
}

const boostsAddress = (fields) => `#/boosts${query(fields)}`;

export function Boosts({ asked }) {
  const { status = "", video = "" } = asked;
  const pages = usePages(`${status} ${video}`);
  const filter = { status, video_id: video };
  const live = useLive(BOOSTS + query({ ...filter, limit: 20, cursor: pages.cursor }), 5);
  const act = useAct();
  const isFiltered = Boolean(status || video);
  const actions = html`<${Do} act=${act} onDo=${() => download(`${BOOSTS}/export${query(filter)}`, "boosts.csv")}>Export as CSV<//><a class="button primary" href="#/boosts/new">New boost</a>`;
  return html`<${Screen} title="Boosts" lead="Views added to your own contents by a plan, within the caps, and labelled as boosted." actions=${actions}>
    ${act.problem && html`<${Trouble} problem=${act.problem} />`}
    <${Tabs} label="Status" current=${boostsAddress({ status, video })} items=${BOOST_STATUSES.map((of) => [boostsAddress({ status: of, video }), of ? sentence(of) : "All"])} />
    <${Card} title=${status ? `${sentence(status)} boosts` : "All boosts"} aside=${html`<${BoostSearch} key=${video} label="Only of the video" hint="Video" value=${video} onSearch=${(text) => go(boostsAddress({ status, video: text }).slice(1))} />`}>
      <${Answer} live=${live} lines=${8} isEmpty=${(answer) => !answer.items.length && pages.isFirst} empty=${isFiltered
        ? html`<${Empty} act=${html`<a class="button" href="#/boosts">Show all boosts</a>`}>No boost${status && ` is ${words(status)}`}${video && ` is of the video ${video}`}.<//>`
        : html`<${Empty} act=${html`<a class="button primary" href="#/boosts/new">Create the first boost</a>`}>There are no boosts yet. A boost adds views to a content day by day, and what it will do is shown before it starts.<//>`}>
        ${(answer) => html`<${Table} label="Boosts" isBrief rows=${answer.items} keyOf=${(boost) => boost.id} columns=${BOOST_COLUMNS} /><${Pager} pages=${pages} next=${answer.next_cursor} />`}
      <//>
    <//>
  <//>`;
}

const BOOST_COLUMNS = [
  { label: "Boost", isWide: true, cell: (boost) => html`<a class="name" href="#/boosts/${boost.id}">${boostName(boost)}</a><br /><${Id} id=${boost.id} />` },
  { label: "Status", cell: (boost) => html`<${Status} status=${boost.status} />${boost.progress.waiting_for && html`<div class="soft">${boost.progress.next_batch_at ? html`${boost.status === "scheduled" ? "starts" : "next batch"} <${When} at=${boost.progress.next_batch_at} />` : `waits for the ${words(boost.progress.waiting_for)}`}</div>`}` },
  { label: "Views added", isWide: true, cell: (boost) => html`<${Done} label="Progress of ${boostName(boost)}" done=${boost.executed_count} of=${boost.total_count} tone="boosted" />` },
  { label: "Plan", cell: (boost) => html`${boostPlan(boost)}<div class="soft">at most ${number(boost.daily_limit)} a day</div>` },
  { label: "Created", cell: (boost) => html`<${When} at=${boost.created_at} /><div class="soft">by ${boost.created_by}</div>` },
];

// One line that filters when Enter is pressed.
function BoostSearch({ label, hint, value, onSearch }) {
  const field = useRef(null);
  const enter = (event) => {
    event.preventDefault();
    onSearch(field.current.value.trim());
  };
  return html`<form class="search" role="search" onSubmit=${enter}><input ref=${field} type="search" aria-label=${label} placeholder=${hint} value=${value} /><button type="submit" class="small">Filter</button></form>`;
}
