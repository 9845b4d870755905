// One boost: how far it is, what it waits for, its days, its evidence, and what can be done with it.
import { html, useState } from "../../vendor/preact.js";
import { call, download, may, useAct, useLive, write } from "../../api.js";
import { Answer, Card, Checks, Do, Facts, Legend, Note, Percent, Screen, Status, Trouble, Waiting, When } from "../../parts.js";
import { Asked, useSimulation } from "../../forms.js";
import { Columns } from "../../charts.js";
import { day, dollars, moment, number, plural, wholeDay } from "../../format.js";
import { BOOSTS, boostName, boostPlan } from "./list.js";
import { BoostSimulation } from "./new.js";

const BOOST_GOES_ON = ["running", "reverting", "scheduled"];
const BOOST_STARTS = ["pending", "scheduled", "paused"];
const BOOST_OVER = ["completed", "cancelled", "failed"];

export function Boost({ id }) {
  const path = `${BOOSTS}/${encodeURIComponent(id)}`;
  const live = useLive(path, (boost) => (boost && !BOOST_GOES_ON.includes(boost.status) ? 15 : 2));
  const boost = live.answer;
  const act = useAct();
  return html`<${Screen} title=${boost ? boostName(boost) : "Boost"} back=${["#/boosts", "Boosts"]} id=${id} status=${boost && html`<${Status} status=${boost.status} />`} actions=${boost && html`<${BoostActions} boost=${boost} path=${path} act=${act} />`}>
    ${act.problem && html`<${Trouble} problem=${act.problem} />`}
    <${Answer} live=${live} lines=${6}>${(of) => html`
      <${BoostWaits} boost=${of} />
      <${Card}><${BoostProgress} boost=${of} /><//>
      ${of.started_at && html`<${BoostDays} boost=${of} path=${path} />`}
      ${BOOST_STARTS.includes(of.status) && html`<${BoostRest} boost=${of} path=${path} />`}
      <${BoostEvidence} boost=${of} path=${path} />
    `}<//>
  <//>`;
}

function BoostActions({ boost, path, act }) {
  const [asked, ask] = useState("");
  const close = () => ask("");
  const standing = boost.executed_count - boost.reverted_count;
  const isOver = BOOST_OVER.includes(boost.status);
  return html`
    ${BOOST_STARTS.includes(boost.status) && html`<${Do} act=${act} kind="primary" onDo=${() => write("POST", `${path}/execute`)}>${boost.status === "paused" ? "Resume" : boost.status === "scheduled" ? "Start now" : "Start"}<//>`}
    ${boost.status === "running" && html`<${Do} act=${act} onDo=${() => write("POST", `${path}/pause`)}>Pause<//>`}
    ${(BOOST_STARTS.includes(boost.status) || boost.status === "running") && html`<button type="button" class="warn" onClick=${() => ask("cancel")}>Cancel</button>`}
    ${isOver && standing > 0 && (may("admin") ? html`<button type="button" class="warn" onClick=${() => ask("revert")}>Revert</button>` : html`<span class="soft">An admin can take its views back.</span>`)}
    ${asked === "cancel" && html`<${Asked} title="Cancel this boost?" verb="Cancel the boost" isDanger onClose=${close} onDo=${() => write("POST", `${path}/cancel`)}>
      <p>After the answer no further view is added. It cannot be started again.</p>
      <ul><li>The ${plural(boost.executed_count, "view")} added so far stay${boost.executed_count === 1 ? "s" : ""}${standing ? "; an admin can take them back later" : ""}.</li><li>The ${plural(boost.remaining_count, "view")} not added ${boost.remaining_count === 1 ? "goes" : "go"} back to the months’ caps.</li></ul>
    <//>`}
    ${asked === "revert" && html`<${Asked} title="Take its views back?" verb="Take back ${plural(standing, "view")}" isDanger reason="Why are they taken back?" onClose=${close} onDo=${(reason) => write("POST", `${path}/revert`, { reason })}>
      <${BoostReverted} path=${path} />
      <ul><li>The counters of ${boost.video_ids.length > 1 ? "its videos" : boost.video_ids[0]} go down batch by batch, to what they are without this boost.</li><li>The batches that added the views stay as evidence, beside those that take them back.</li><li>The caps get nothing back: they limit what was added.</li></ul>
    <//>`}`;
}

function BoostReverted({ path }) {
  const { answer, problem, again } = useSimulation(`${path}/revert`, { reason: "simulation", simulate: true });
  if (problem) return html`<${Trouble} problem=${problem} again=${again} />`;
  if (!answer) return html`<${Waiting} lines=${2} />`;
  const views = answer.days.reduce((sum, of) => sum + of.views, 0);
  return html`<p>By its simulation, ${plural(views, "view")} ${views === 1 ? "is" : "are"} taken back in ${plural(answer.batches, "batch", "batches")}. It ends <b>${moment(answer.ends_at)}</b>, and costs ${dollars(answer.cost_usd)}.</p>`;
}

// What it waits for and until when, or why it does not go on.
function BoostWaits({ boost }) {
  const { waiting_for: waiting, next_batch_at: next } = boost.progress;
  const due = next && html`<${When} at=${next} /> (<${When} at=${next} absolute />)`;
  if (boost.status === "failed") return html`<${Note} tone="bad"><b>It has failed:</b> ${boost.failure_reason}<//>`;
  if (boost.status === "pending") return html`<${Note}>It adds nothing until somebody starts it.<//>`;
  if (boost.status === "paused") return html`<${Note} tone="warn">It was paused <${When} at=${boost.updated_at} />. It keeps the views promised to it, and goes on where it was when it is resumed.<//>`;
  const said = {
    stop: html`It waits: the platform is stopped. It goes on by itself when everything is resumed.`,
    start: html`It starts by itself ${due}.`,
    next_batch: boost.status === "reverting" ? html`It takes views back now, batch by batch.` : html`It adds views now, batch by batch.`,
    next_day: html`Waits for the next day; the next batch is due ${due}.`,
    daily_cap: html`Waits: the platform’s cap of the day is used up. The next batch is due ${due}.`,
    monthly_cap: html`Waits: the platform’s cap of the month is used up. The next batch is due ${due}.`,
  }[waiting];
  return said ? html`<${Note} tone=${waiting === "stop" || waiting.endsWith("_cap") ? "warn" : "info"}>${said}<//>` : null;
}

function BoostProgress({ boost }) {
  const { progress } = boost;
  const standing = boost.executed_count - boost.reverted_count;
  const parts = [{ tone: "boosted", value: standing, label: boost.reverted_count ? "still there" : "added" }, { tone: "quiet", hatched: true, value: boost.reverted_count, label: "taken back" }];
  const at = (time) => time && html`<${When} at=${time} absolute />`;
  return html`<${Percent} label="Views added" done=${boost.executed_count} of=${boost.total_count} unit="views" parts=${parts} />
    ${boost.reverted_count > 0 && html`<${Legend} parts=${parts} />`}
    <${Facts} items=${[
      [boost.video_ids.length > 1 ? "Videos" : "Video", html`${boost.video_ids.map((video, place) => html`${place > 0 && ", "}<a key=${video} href="#/views/video/${encodeURIComponent(video)}">${video}</a>`)}`],
      ["Plan", boostPlan(boost)],
      ["At most a day", number(boost.daily_limit)],
      ["Batches", number(progress.batches_done)],
      ["Scheduled for", !boost.started_at && at(boost.scheduled_for)],
      ["Started", at(boost.started_at)],
      ["Expected end", at(progress.expected_end_at)],
      ["Ended", at(boost.ended_at)],
      ["Created", at(boost.created_at)],
      ["Created by", boost.created_by],
      ["Taken back because", boost.revert_reason],
    ].filter(([, value]) => value)} />`;
}

function BoostDays({ boost, path }) {
  const live = useLive(`${path}/plan`, BOOST_GOES_ON.includes(boost.status) ? 4 : 15);
  return html`<${Card} title="Day by day" aside="planned against done">
    <${Answer} live=${live} lines=${6}>${(plan) => html`<${Columns} label="Views by day" rows=${plan.days.map((of) => ({ key: of.date, label: day(of.date), title: wholeDay(of.date), values: of }))} series=${[
      { name: "planned", label: "Planned", mark: "line" },
      { name: "done", label: "Done", tone: "boosted" },
      { name: "expected", label: "Expected", tone: "boosted", hatched: true },
    ]} />`}<//>
  <//>`;
}

// What the rest would do if it were started now.
function BoostRest({ boost, path }) {
  const { answer, problem, again } = useSimulation(`${path}/simulate`, {});
  return html`<${Card} title=${boost.status === "scheduled" ? "What will happen" : `If it were ${boost.status === "paused" ? "resumed" : "started"} now`} aside="simulated by the worker’s own steps">
    ${problem ? html`<${Trouble} problem=${problem} again=${again} />` : answer ? html`<${BoostSimulation} answer=${answer} isBrief=${Boolean(boost.started_at)} />` : html`<${Waiting} lines=${6} />`}
  <//>`;
}

function BoostEvidence({ boost, path }) {
  const act = useAct();
  const [found, setFound] = useState(null);
  const verify = async () => setFound({ ...await call("GET", `${path}/verify`), at: new Date().toISOString() });
  return html`<${Card} title="Evidence" aside=${html`
      <${Do} act=${act} kind="small" onDo=${verify}>Verify<//>
      <${Do} act=${act} kind="small" onDo=${() => download(`${path}/export`, `${boost.id}.csv`)}>Export the batches<//>
      <a class="button small" href="#/audit/${encodeURIComponent(boost.id)}">Audit trail</a>`}>
    ${act.problem && html`<${Trouble} problem=${act.problem} />`}
    <div aria-live="polite">${found
      ? html`<${Note} tone=${found.valid ? "good" : "bad"}><b>${found.valid ? "Every number follows from the batches." : "A number does not follow from the batches."}</b> <span class="soft">Checked <${When} at=${found.at} />.</span><//>
        <${Checks} items=${found.checks.map((of) => ({ name: of.claim, holds: of.holds, value: of.holds ? number(of.found) : `${number(of.found)}, not ${number(of.expected)}` }))} />`
      : html`<p class="soft">Verify adds up the boost’s batches, and compares the sum with its own count, with the counters of its videos and with the months’ caps.</p>`}</div>
  <//>`;
}
