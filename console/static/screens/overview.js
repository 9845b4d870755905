// Is everything all right, what runs, what needs me: one look over all contexts.
import { html } from "../vendor/preact.js";
import { query, useLive } from "../api.js";
import { linkTo } from "../links.js";
import { Answer, Card, Empty, Figures, Id, Meter, Note, Screen, Waiting, When } from "../parts.js";
import { Columns } from "../charts.js";
import { HOOKS, failingFor, hookName, isBroken, whyDisabled } from "./hooks/shared.js";
import { action, duration, money, number, percent, plural, relative, short, time, words } from "../format.js";

const HOUR = 3_600_000;
const A_FEW = 4;

// The 24 hours before the next full hour, as the API writes them.
function lastHours(at) {
  const end = Math.floor(at / HOUR) * HOUR;
  return Array.from({ length: 24 }, (_, place) => new Date(end - (23 - place) * HOUR).toISOString().replace(".000Z", "Z"));
}

export function Overview() {
  const hours = lastHours(Date.now());
  const health = useLive("api/admin/health", 15);
  const limits = useLive("api/admin/fake-views/limits", 10);
  const stats = useLive("api/admin/views/stats", 10);
  const refusals = useLive(`api/admin/views/refusals/summary${query({ from: hours[0], to: hours.at(-1) })}`, 60);
  const audit = useLive("api/admin/audit?limit=8", 10);
  return html`<${Screen} title="Overview">
    <${Health} live=${health} />
    <${Needs} stats=${stats.answer} />
    <${Today} limits=${limits} stats=${stats} refusals=${refusals} />
    <div class="columns even">
      <${Running} />
      <${Card} title="Refused views by hour" aside=${html`<a href="#/refusals">By rule</a>`}>
        <${Answer} live=${refusals} lines=${6}>${(answer) => html`<${RefusedByHour} answer=${answer} hours=${hours} />`}<//>
      <//>
    </div>
    <${Card} title="What was done" aside=${html`<a href="#/audit">The audit trail</a>`}>
      <${Answer} live=${audit} lines=${6} isEmpty=${(answer) => !answer.items.length} empty=${html`<${Empty}>Nothing was done yet. What people and workers do is written here.<//>`}>
        ${(answer) => html`<ul class="list">${answer.items.map((entry) => html`<li key=${entry.id} class="entry"><span><b>${action(entry.action)}</b> <span class="soft">by ${entry.actor}</span></span><${Id} id=${entry.entity} href=${linkTo(entry.entity)} /><span class="soft"><${When} at=${entry.at} /></span></li>`)}</ul>`}
      <//>
    <//>
  <//>`;
}

function Health({ live }) {
  const problems = live.answer ? live.answer.problems : [];
  // While nothing is read, nothing is claimed.
  if (live.problem) return html`<${Note} tone="warn"><b>The health is not known:</b> ${live.problem.message}<//>`;
  if (!live.answer) return html`<${Note}><span role="status">Looking whether everything works…</span><//>`;
  if (!problems.length) return html`<${Note} tone="good"><b>Everything works:</b> database, queues, schedules and events.<//>`;
  return html`<${Note} tone="bad"><b>${plural(problems.length, "problem")}</b><ul>${problems.map((problem) => html`<li key=${problem}>${problem}</li>`)}</ul><//>`;
}

function Today({ limits, stats, refusals }) {
  const cap = limits.answer;
  const views = stats.answer;
  const refused = refusals.answer;
  const most = refused && Object.entries(refused.by_rule).sort(([, one], [, other]) => other - one)[0];
  const trouble = (live) => (live.problem ? "cannot be read now" : "");
  return html`<${Figures} label="Today" items=${[
    { label: "Boosted today", href: "#/boosts", tone: "boosted", value: cap ? short(cap.today_total) : "–", exact: cap && number(cap.today_total), note: cap ? `${percent(cap.today_total, cap.today_total + cap.today_remaining)} of ${short(cap.today_total + cap.today_remaining)} a day` : trouble(limits) },
    { label: "Boosted this month", href: "#/boosts", tone: "boosted", value: cap ? short(cap.current_month_total) : "–", exact: cap && number(cap.current_month_total), note: cap ? `and ${short(cap.current_month_reserved)} promised, of ${short(cap.global_monthly_cap)}` : trouble(limits) },
    { label: "Organic views pending", href: "#/sync", tone: "organic", hatched: true, value: views ? short(views.pending_views) : "–", exact: views && number(views.pending_views), note: views ? `counted, moved by the next sync${views.oldest_pending_seconds ? `; oldest ${duration(views.oldest_pending_seconds)} ago` : ""}` : trouble(stats) },
    { label: "Views refused, 24 hours", href: "#/refusals", tone: "refused", value: refused ? short(refused.attempts) : "–", exact: refused && number(refused.attempts), note: refused ? (most ? `most by the rule ${words(most[0])}` : "none") : trouble(refusals) },
  ]} />`;
}

// What waits for a person. Nothing is shown while nothing does.
function Needs({ stats }) {
  const halted = useLive(`v2/campaigns${query({ error: true, limit: A_FEW })}`, 15);
  const paused = useLive(`api/campaigns${query({ owner: "*", status: "PAUSED", limit: 20 })}`, 15);
  const checks = useLive("api/v1/campaigns/monitoring/status", 30);
  const hooks = useLive(HOOKS, 30);
  const needs = [];
  for (const promotion of halted.answer ? halted.answer.items : []) {
    needs.push([`#/promotions/${promotion.id}`, promotion.title, `has halted at ${words(promotion.error ? promotion.error.stage : promotion.stage)}${promotion.error ? `: ${promotion.error.reason}` : ""}`]);
  }
  for (const broadcast of paused.answer ? paused.answer.items : []) {
    if (broadcast.pauseReason && broadcast.pauseReason !== "user") needs.push([`#/broadcasts/${broadcast.id}`, broadcast.name, `paused by itself: ${words(broadcast.pauseReason)}`]);
  }
  for (const hook of hooks.answer ? hooks.answer.items.filter(isBroken) : []) {
    needs.push([`#/hooks/${hook.id}`, hookName(hook), hook.status === "disabled" ? `was disabled: ${whyDisabled(hook)}` : `has not answered well for ${failingFor(hook)}`]);
  }
  if (checks.answer && checks.answer.open_adjustments) needs.push(["#/sponsorships", plural(checks.answer.open_adjustments, "adjustment"), "wait for a second person"]);
  if (stats && stats.parked_contents) needs.push(["#/sync", plural(stats.parked_contents, "content"), "set aside by the sync"]);
  if (!needs.length) return null;
  return html`<${Note} tone="warn"><b>Needs you</b><ul>${needs.map(([href, name, why]) => html`<li key=${href + name}><a href=${href}>${name}</a> ${why}</li>`)}</ul><//>`;
}

// One request a context; each draws one line of a campaign: [name, what it is doing, bar, how far].
const RUNNING = [
  {
    title: "Boosts", href: "#/boosts", path: `api/admin/fake-views${query({ status: "running", limit: A_FEW })}`,
    draw: (boost) => ({
      name: boost.video_ids.length > 1 ? plural(boost.video_ids.length, "video") : boost.video_id,
      about: boost.progress.waiting_for ? `waits for ${boost.progress.waiting_for === "start" ? "its start" : `the ${words(boost.progress.waiting_for)}`}` : `${words(boost.pattern)}, ${plural(boost.duration_days, "day")}`,
      of: boost.total_count, parts: [{ tone: "boosted", value: boost.executed_count, label: "added" }],
      far: percent(boost.executed_count, boost.total_count), exact: `${number(boost.executed_count)} of ${number(boost.total_count)} views`,
    }),
  },
  {
    title: "Broadcasts", href: "#/broadcasts", path: `api/campaigns${query({ owner: "*", status: "RUNNING", limit: A_FEW })}`,
    draw: (broadcast) => {
      const done = broadcast.totalRecipients - broadcast.pendingCount - broadcast.inFlight;
      return {
        name: broadcast.name, about: broadcast.waitingFor ? `waits for the ${words(broadcast.waitingFor)}` : `${number(broadcast.rateLimit)} a minute`,
        of: broadcast.totalRecipients, parts: [{ tone: "accent", value: done, label: "done" }], far: percent(done, broadcast.totalRecipients), exact: `${number(done)} of ${number(broadcast.totalRecipients)} recipients`,
      };
    },
  },
  {
    title: "Sponsorships", href: "#/sponsorships", path: `api/v1/campaigns${query({ status: "running", limit: A_FEW })}`,
    draw: (sponsorship) => {
      const spent = sponsorship.money || { funded: sponsorship.budget, paid: 0, reserved: 0 };
      return {
        name: sponsorship.name, about: `ends ${relative(sponsorship.ends_at)}`,
        of: spent.funded, parts: [{ tone: "good", value: spent.paid, label: "paid" }, { tone: "good", hatched: true, value: spent.reserved, label: "set aside" }],
        far: money(spent.paid, sponsorship.currency, sponsorship.exponent), exact: `paid of ${money(spent.funded, sponsorship.currency, sponsorship.exponent)}`,
      };
    },
  },
  {
    title: "Promotions", href: "#/promotions", path: `v2/campaigns${query({ status: "CampaignRunning", limit: A_FEW })}`,
    draw: (promotion) => ({
      name: promotion.title, about: promotion.error ? "has halted" : `${promotion.network}, closes ${promotion.campaign_close_time ? relative(promotion.campaign_close_time) : "by hand"}`,
      of: promotion.budget, parts: [{ tone: "good", value: promotion.paid, label: "paid" }, { tone: "good", hatched: true, value: promotion.promised, label: "promised" }],
      far: money(promotion.budget, promotion.currency, promotion.exponent), exact: "budget",
    }),
  },
];

function Running() {
  // The same number of hooks each time: the table never changes.
  const lives = RUNNING.map((context) => useLive(context.path, 4));
  const isQuiet = lives.every((live) => live.answer && !live.answer.items.length);
  return html`<${Card} title="What runs">
    ${isQuiet && html`<${Empty} act=${html`<a class="button primary" href="#/boosts/new">Create a boost</a>`}>Nothing runs now.<//>`}
    ${RUNNING.map((context, place) => {
      const live = lives[place];
      if (live.answer && !live.answer.items.length) return null;
      return html`<section key=${context.title} class="running" aria-label="Running ${context.title.toLowerCase()}">
        <h3><a href=${context.href}>${context.title}</a></h3>
        ${live.answer
          ? html`<ul class="list">${live.answer.items.map((campaign) => html`<${Line} key=${campaign.id} href="${context.href}/${campaign.id}" line=${context.draw(campaign)} />`)}</ul>${live.answer.next_cursor || live.answer.nextCursor ? html`<a class="soft" href=${context.href}>and more</a>` : null}`
          : live.problem ? html`<p class="wrong">${live.problem.message}</p>` : html`<${Waiting} lines=${2} />`}
      </section>`;
    })}
  <//>`;
}

function Line({ href, line }) {
  return html`<li><div class="three"><div><a class="name" href=${href}>${line.name}</a><p class="soft">${line.about}</p></div><${Meter} label="Progress of ${line.name}" of=${line.of} parts=${line.parts} /><b title=${line.exact}>${line.far}</b></div></li>`;
}

function RefusedByHour({ answer, hours }) {
  const counted = new Map(answer.by_hour.map((of) => [new Date(of.hour).getTime(), of.refusals]));
  const rows = hours.map((hour) => ({ key: hour, label: time(hour), title: `From ${time(hour)}`, values: { refused: counted.get(new Date(hour).getTime()) || 0 } }));
  if (!answer.attempts) return html`<${Empty} act=${html`<a href="#/try">Send a view and see what happens</a>`}>No view was refused in the last 24 hours.<//>`;
  return html`<${Columns} label="Refused views by hour" rowLabel="Hour" rows=${rows} series=${[{ name: "refused", label: "Refused", tone: "refused" }]} />`;
}
