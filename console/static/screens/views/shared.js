// What the screens of views share: what the rules mean, opening a content, and days of views as columns.
import { html, useId, useState } from "../../vendor/preact.js";
import { When, go } from "../../parts.js";
import { Field } from "../../forms.js";
import { Columns } from "../../charts.js";
import { day, sentence, wholeDay } from "../../format.js";

// The template's own; an installation may have others.
export const CONTENT_TYPES = ["video", "story", "fantasy", "task", "outcome"];

export const VIEW_RULES = {
  cooldown: "The viewer's last counted view of this content is too short a time ago.",
  daily_viewed: "The viewer's view of this content is counted already today.",
  session_limit: "The session has as many views of this content as one session may.",
  daily_limit: "The viewer has as many counted views today as one viewer may.",
  unregistered: "The content is not registered, and only registered contents count.",
  too_many_contents: "Too many contents wait for the sync: made-up ids must not fill the memory.",
  network_limit: "The network's viewers without a sign-in have as many views of this content today as they may.",
  bot: "The user agent names a bot, a script or nothing.",
  do_not_track: "The browser asks not to be tracked, and the platform honours it.",
};

export function contentPath(type, id) {
  return `${encodeURIComponent(type)}/${encodeURIComponent(id)}`;
}

export function daysBack(days) {
  return new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);
}

// Rules that refused, each with its sentence.
export function ViewReasons({ reasons, of = VIEW_RULES }) {
  return html`<ul class="list">${reasons.map((reason) => html`<li key=${reason}><span><b>${sentence(reason)}</b> <span class="soft">${of[reason]}</span></span></li>`)}</ul>`;
}

// The two fields that name a content: `bind` is that of a form with `type` and `id`.
export function ContentFields({ bind, hint }) {
  const list = useId();
  return html`<${Field} label="Type" list=${list} ...${bind("type", "content_type")} /><datalist id=${list}>${CONTENT_TYPES.map((type) => html`<option key=${type} value=${type} />`)}</datalist>
    <${Field} label="Content" hint=${hint} spellcheck="false" ...${bind("id", "content_id")} />`;
}

// Opens a content; without an id, the most viewed of the type.
export function OpenContent({ type = CONTENT_TYPES[0], id = "" }) {
  const [values, setValues] = useState({ type, id });
  const bind = (name) => ({ name, value: values[name], onValue: (value) => setValues({ ...values, [name]: value.trim() }) });
  const open = (event) => {
    event.preventDefault();
    if (values.type) go(values.id ? `#/views/${contentPath(values.type, values.id)}` : `#/views?type=${encodeURIComponent(values.type)}`);
  };
  return html`<form class="row" role="search" aria-label="Open a content" onSubmit=${open}><${ContentFields} bind=${bind} /><button type="submit" class="primary">Show</button></form>`;
}

// Organic, pending and boosted views by day. `pending` are of the last day: the sync at midnight ends a day.
export function DaysOfViews({ label, days, pending, movedUntil }) {
  const rows = days.map((of, place) => ({ key: of.date, label: day(of.date), title: wholeDay(of.date), values: { ...of, pending: place === days.length - 1 ? pending : 0 } }));
  const series = [{ name: "organic", label: "Organic", tone: "organic" }, { name: "pending", label: "Organic, pending", tone: "organic", hatched: true }, { name: "boosted", label: "Boosted", tone: "boosted" }];
  if (days.some((of) => of.adjusted)) series.push({ name: "adjusted", label: "Organic, by hand", mark: "none" });
  return html`<${Columns} label=${label} rows=${rows} series=${series} height=${260} />
    <p class="soft">${movedUntil ? html`What came after <${When} at=${movedUntil} absolute /> is pending: the next sync moves it.` : "No sync has moved views yet: all organic views are pending."}
      ${days.some((of) => of.adjusted) && " What was adjusted by hand is in the numbers only."}
      ${days.some((of) => of.boosted < 0) && " A day on which more boosted views were taken back than added has them in the numbers only."}</p>`;
}
