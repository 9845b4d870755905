// Refused views: when, by which rule, of which content, and why a view would be refused now.
import { html, useState } from "../../vendor/preact.js";
import { call, query, useLive } from "../../api.js";
import { Answer, Card, Checks, Csv, Empty, Note, Pager, Screen, Table, Tabs, Trouble, When, go, usePages } from "../../parts.js";
import { Field, Select, useForm } from "../../forms.js";
import { Columns, Ranked } from "../../charts.js";
import { day, duration, number, plural, sentence, time, wholeDay, words } from "../../format.js";
import { CONTENT_TYPES, ContentFields, VIEW_RULES, contentPath, daysBack } from "./shared.js";

const HOUR_MS = 3_600_000;
const PERIODS_OF_REFUSALS = [["24h", "24 hours"], ["7", "7 days"], ["30", "30 days"]];

// The hours or the days of a period as the API writes them, oldest first, and how a row of it is written.
function slotsOf(period) {
  if (period !== "24h") return Array.from({ length: Number(period) }, (_, place) => daysBack(Number(period) - 1 - place));
  const end = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
  return Array.from({ length: 24 }, (_, place) => new Date(end - (23 - place) * HOUR_MS).toISOString().replace(".000Z", "Z"));
}

export function Refusals({ asked }) {
  const period = asked.period || "24h";
  const { rule, content } = asked;
  const to = (change) => `#/refusals${query({ period, rule, content, ...change })}`;
  const slots = slotsOf(period);
  const wanted = { from: slots[0], to: slots.at(-1), rule, content };
  const summary = useLive(`api/admin/views/refusals/summary${query(wanted)}`, 60);
  return html`<${Screen} title="Refusals" lead="Views that a rule did not count. Who viewed is not kept." actions=${html`<${Csv} key=${query(wanted)} path=${`api/admin/views/refusals/export${query(wanted)}`} name="refusals.csv" />`}>
    <${Tabs} label="Period" items=${PERIODS_OF_REFUSALS.map(([of, label]) => [to({ period: of }), label])} current=${to({})} />
    ${(rule || content) && html`<${Note}>Only ${[rule && html`refusals by the rule <b>${sentence(rule)}</b>`, content && html`views of <b>${content}</b>`].filter(Boolean).map((part, place) => html`${place > 0 && " of "}${part}`)}. <a href=${to({ rule: "", content: "" })}>Show all</a><//>`}
    <div class="columns even">
      <${Card} title=${period === "24h" ? "By hour" : "By day"}>
        <${Answer} live=${summary} lines=${8} isEmpty=${(answer) => !answer.attempts} empty=${html`<${Empty} act=${html`<a href="#/try">Send a view and see what happens</a>`}>No view was refused in this time.<//>`}>
          ${(answer) => html`<${RefusedOver} answer=${answer} slots=${slots} isHours=${period === "24h"} />`}
        <//>
      <//>
      <${Card} title="By rule">
        <${Answer} live=${summary} lines=${8} isEmpty=${(answer) => !answer.attempts} empty=${html`<${Empty}>No rule refused a view in this time.<//>`}>
          ${(answer) => html`<div class="stack"><${Ranked} label="Refused views by rule" tone="refused" rows=${Object.entries(answer.by_rule).sort(([, one], [, other]) => other - one).map(([name, value]) => ({ key: name, name: sentence(name), value, note: VIEW_RULES[name], href: to({ rule: name }) }))} />
            ${answer.by_rules.some((of) => of.rules.length > 1) && html`<p class="soft">${plural(answer.attempts, "view")} in all: a view that several rules refused stands at each of them.</p>`}</div>`}
        <//>
      <//>
    </div>
    <${ExplainView} />
    <${RefusedByContent} wanted=${wanted} to=${to} period=${period} />
  <//>`;
}

function RefusedOver({ answer, slots, isHours }) {
  const sums = new Map();
  for (const of of answer.by_hour) {
    const at = new Date(of.hour).toISOString();
    const slot = isHours ? at.replace(".000Z", "Z") : at.slice(0, 10);
    sums.set(slot, (sums.get(slot) || 0) + of.refusals);
  }
  const rows = slots.map((slot) => ({ key: slot, label: isHours ? time(slot) : day(slot), title: isHours ? `From ${time(slot)}` : wholeDay(slot), values: { refused: sums.get(slot) || 0 } }));
  return html`<${Columns} label="Refused views" rowLabel=${isHours ? "Hour" : "Day"} rows=${rows} series=${[{ name: "refused", label: "Refused", tone: "refused" }]} />
    <p class="soft">${!isHours && "Days in UTC, as the API keeps refusals. "}${answer.moved_until ? html`Moved until <${When} at=${answer.moved_until} absolute />: later ones come with the next sync.` : "Refusals come with the sync, and there was none yet."}</p>`;
}

function RefusedByContent({ wanted, to, period }) {
  const form = useForm({ type: CONTENT_TYPES[0], id: "" });
  const pages = usePages(query(wanted));
  const live = useLive(`api/admin/views/refusals${query({ ...wanted, limit: 20, cursor: pages.cursor })}`, 60);
  const show = (event) => {
    event.preventDefault();
    go(to({ content: form.values.id && `${form.values.type}:${form.values.id}` }));
  };
  return html`<${Card} title="By content and hour"><div class="stack">
    <form class="row" onSubmit=${show}><${ContentFields} bind=${form.bind} />
      <${Select} label="Rule" name="rule" value=${wanted.rule || ""} onValue=${(rule) => go(to({ rule }))} options=${[["", "Any"], ...Object.keys(VIEW_RULES).map((name) => [name, sentence(name)])]} />
      <button type="submit">Only this content</button></form>
    <${Answer} live=${live} lines=${4} isEmpty=${(answer) => !answer.items.length && pages.isFirst} empty=${html`<${Empty}>No refused view fits.<//>`}>
      ${(answer) => html`<${Table} label="Refused views by content and hour" rows=${answer.items} keyOf=${(row) => `${row.hour} ${row.rules} ${row.content_type} ${row.content_id}`} columns=${[
        { label: "Content", isWide: true, cell: (row) => (row.content_id ? html`<a href="#/views/${contentPath(row.content_type, row.content_id)}">${row.content_type}/${row.content_id}</a>` : "Several, which could not be kept apart") },
        { label: "Rules", isWide: true, cell: (row) => row.rules.map(sentence).join(", ") },
        { label: "Hour", cell: (row) => (period === "24h" ? html`<time datetime=${row.hour}>${time(row.hour)}</time>` : html`<${When} at=${row.hour} absolute />`) },
        { label: "Refused", isNumber: true, cell: (row) => number(row.refusals) },
      ]} /><${Pager} pages=${pages} next=${answer.next_cursor} newer="Earlier" older="Later" />`}
    <//>
  </div><//>`;
}

const VIEWER_KINDS = [["address", "by address and browser"], ["user", "who is signed in"], ["session", "of a session"]];
const VIEWER_FIELDS = {
  address: [["source_ip", "Address", "Such as 203.0.113.7."], ["user_agent", "User agent", "As the browser sends it."]],
  user: [["user", "Subject", "The sub of the viewer's token."]],
  session: [["session", "Session", "The session of an answer to a view."]],
};

// How much of a rule's limit is used, with its unit. Seconds are those since the last counted view.
function usedOfRule({ limit, used, unit }) {
  if (limit === null) return "";
  if (unit === "seconds") return `${used === null ? "none before" : `${duration(used)} ago`}; ${duration(limit)} apart`;
  return `${number(used)} of ${number(limit)} ${unit || ""}`;
}

function ExplainView() {
  const form = useForm({ type: CONTENT_TYPES[0], id: "", by: "address", source_ip: "", user_agent: navigator.userAgent, user: "", session: "" });
  const [answer, setAnswer] = useState(null);
  const fields = VIEWER_FIELDS[form.values.by];
  const ask = (event) => {
    event.preventDefault();
    form.send(async () => {
      setAnswer(null);
      const { type, id } = form.values;
      setAnswer(await call("POST", "api/admin/views/explain", { content_type: type.trim(), content_id: id.trim(), viewer: Object.fromEntries(fields.map(([name]) => [name, form.values[name].trim()])) }, { key: null }));
    });
  };
  return html`<${Card} title="Why is a view refused?"><div class="columns form">
    <form onSubmit=${ask} novalidate>
      <div class="pair"><${ContentFields} bind=${form.bind} /></div>
      <${Select} label="Viewer" ...${form.bind("by", "viewer")} options=${VIEWER_KINDS} />
      ${fields.map(([name, label, hint]) => html`<${Field} key=${name} label=${label} hint=${hint} spellcheck="false" ...${form.bind(name, `viewer.${name}`)} />`)}
      ${form.problem && html`<${Trouble} problem=${form.problem} />`}
      <button type="submit" class="primary" aria-busy=${form.isBusy}>Explain</button>
    </form>
    <div role="status">${answer
      ? html`<${Note} tone=${answer.would_count ? "good" : "warn"}><b>${answer.would_count ? "A view would count now." : `A view would be refused now: ${answer.reasons.map(words).join(", ")}.`}</b>${answer.retry_after_seconds ? ` It would count in ${duration(answer.retry_after_seconds)}.` : ""}<//>
        <${Checks} items=${answer.rules.filter((of) => of.on).map((of) => ({ name: sentence(of.rule), holds: !of.refuses, value: usedOfRule(of), note: of.refuses ? VIEW_RULES[of.rule] : "" }))} />
        ${answer.rules.some((of) => !of.on) && html`<p class="soft">Off: ${answer.rules.filter((of) => !of.on).map((of) => words(of.rule)).join(", ")}.</p>`}`
      : html`<p class="soft">Every rule answers for this viewer and content, as it would now. Nothing is counted or kept.</p>`}</div>
  </div><//>`;
}
