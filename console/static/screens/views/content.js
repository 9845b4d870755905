// One content: what is shown and what it is made of, its days, its title and owner, and what was adjusted by hand.
import { html, useState } from "../../vendor/preact.js";
import { may, query, useKey, useLive, write } from "../../api.js";
import { Answer, Card, Csv, Empty, Facts, Figures, Note, Pager, Screen, Status, Table, Tabs, When, usePages } from "../../parts.js";
import { Field, Filled, numberOf, useForm } from "../../forms.js";
import { number } from "../../format.js";
import { DaysOfViews, OpenContent, contentPath, daysBack } from "./shared.js";

export function Content({ type, id, asked }) {
  const days = Number(asked.days) || 30;
  const path = contentPath(type, id);
  const counts = useLive(`api/views/${path}`, 3);
  const registered = useLive(`api/admin/content/${path}`, 60);
  const known = registered.answer;
  const isUnknown = registered.problem && registered.problem.status === 404;
  const [opened, open] = useState("");
  const close = () => open("");
  return html`<${Screen} title=${known ? known.title : id} id=${`${type}/${id}`} back=${["#/views", "Views"]} status=${known ? html`<${Status} status="registered" tone="good" />` : isUnknown && html`<${Status} status="not registered" />`}
    actions=${html`<a class="button" href="#/try${query({ type, id })}">Send a view</a>${may("admin") && (known || isUnknown) && html`<button type="button" onClick=${() => open("register")}>${known ? "Change title or owner" : "Register"}</button>`}${may("admin") && html`<button type="button" onClick=${() => open("adjust")}>Adjust by hand</button>`}`}>
    <${OpenContent} type=${type} id=${id} />
    <${Answer} live=${counts} lines=${3}>${(answer) => html`<${ViewParts} answer=${answer} />`}<//>
    <${ViewHistory} path=${path} days=${days} pending=${counts.answer ? counts.answer.organic.pending : 0} />
    <div class="columns even">
      <${Card} title="Registered">
        ${known
          ? html`<${Facts} items=${[["Title", known.title], ["Owner", known.owner], ["Registered", html`<${When} at=${known.registered_at} absolute />`], ["Changed", html`<${When} at=${known.updated_at} absolute />`]]} />`
          : isUnknown ? html`<${Empty}>It is not registered. Its views count, unless this installation counts registered contents only.${!may("admin") && " An admin can register it."}<//>` : html`<${Answer} live=${registered} />`}
      <//>
      <${ViewAdjustments} path=${path} />
    </div>
    ${opened === "adjust" && html`<${AdjustViews} path=${path} onClose=${close} />`}
    ${opened === "register" && html`<${RegisterContent} path=${path} known=${known} onClose=${close} />`}
  <//>`;
}

function ViewParts({ answer }) {
  return html`${answer.degraded && html`<${Note} tone="warn"><b>Redis does not answer:</b> pending views are left out of what is shown.<//>`}
    <${Figures} label="Views" items=${[
      { label: "Shown", value: number(answer.view_count), note: "what visitors see: the sum of the others" },
      { label: "Organic", tone: "organic", value: number(answer.organic.synced), note: "by viewers, in the database" },
      { label: "Organic, pending", tone: "organic", hatched: true, value: answer.degraded ? "–" : number(answer.organic.pending), note: "the next sync moves them" },
      { label: "Boosted", tone: "boosted", value: number(answer.boosted), note: "labelled, never paid or ranked" },
    ]} />
    <${Note}>${answer.disclosure ? html`<b>Shown with it:</b> ${answer.disclosure}` : "Nothing has to be said with it: none of its views are boosted."}<//>`;
}

function ViewHistory({ path, days, pending }) {
  const of = `api/admin/views/${path}/history`;
  const asked = query({ from: daysBack(days) });
  const live = useLive(of + asked, 30);
  return html`<${Card} title="Day by day" aside=${html`<${Tabs} label="Period" items=${[30, 90, 365].map((each) => [`#/views/${path}?days=${each}`, each === 365 ? "A year" : `${each} days`])} current=${`#/views/${path}?days=${days}`} /><${Csv} key=${asked} path=${`${of}/export${asked}`} name="views-by-day.csv" />`}>
    <${Answer} live=${live} lines=${8} isEmpty=${(answer) => !pending && answer.days.every((each) => !each.organic && !each.boosted && !each.adjusted)} empty=${html`<${Empty} act=${html`<a href="#/views">Most viewed contents</a>`}>It has no views in these days.<//>`}>
      ${(answer) => html`<${DaysOfViews} label="Views by day" days=${answer.days.slice(-days)} pending=${pending} movedUntil=${answer.moved_until} />
        ${answer.overall.imported || answer.overall.adjusted ? html`<p class="soft">Of all its organic views, ${number(answer.overall.imported || 0)} were imported, which are of no day, and ${number(answer.overall.adjusted)} adjusted by hand.</p>` : null}`}
    <//>
  <//>`;
}

function ViewAdjustments({ path }) {
  const pages = usePages(path);
  const live = useLive(`api/admin/views/${path}/adjustments${query({ limit: 10, cursor: pages.cursor })}`, 30);
  return html`<${Card} title="Adjusted by hand">
    <${Answer} live=${live} isEmpty=${(answer) => !answer.items.length && pages.isFirst} empty=${html`<${Empty}>Nobody has added or taken away views by hand.<//>`}>
      ${(answer) => html`<${Table} label="Adjustments" rows=${answer.items} keyOf=${(row) => row.id} columns=${[
        { label: "Reason", isWide: true, cell: (row) => row.reason },
        { label: "Views", isNumber: true, cell: (row) => `${row.views > 0 ? "+" : ""}${number(row.views)}` },
        { label: "By", cell: (row) => row.actor },
        { label: "When", cell: (row) => html`<${When} at=${row.at} />` },
      ]} /><${Pager} pages=${pages} next=${answer.next_cursor} />`}
    <//>
  <//>`;
}

function AdjustViews({ path, onClose }) {
  const form = useForm({ views: "", reason: "" });
  const [key] = useKey();
  const adjust = () => write("POST", `api/admin/views/${path}/adjust`, { views: numberOf(form.values.views), reason: form.values.reason }, { key });
  return html`<${Filled} title="Adjust the organic views?" verb="Adjust" form=${form} onClose=${onClose} onSave=${adjust}>
    <p>The organic views in the database change at once, and so do the day's numbers and the ranking. Boosted and pending views stay as they are. It is not taken back but by another adjustment.</p>
    <${Field} label="Views to add" hint="Below 0: to take away, as far as there are any." ...${form.bind("views")} />
    <${Field} label="Why are they adjusted?" hint="The audit trail keeps it." ...${form.bind("reason")} />
  <//>`;
}

function RegisterContent({ path, known, onClose }) {
  const form = useForm({ title: known ? known.title : "", owner: known ? known.owner : "" });
  const save = () => write("PUT", `api/admin/content/${path}`, form.values);
  return html`<${Filled} title=${known ? "Change title or owner" : "Register this content"} verb=${known ? "Change" : "Register"} form=${form} onClose=${onClose} onSave=${save}>
    <${Field} label="Title" ...${form.bind("title")} /><${Field} label="Owner" ...${form.bind("owner")} />
  <//>`;
}
