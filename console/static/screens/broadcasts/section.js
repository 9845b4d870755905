// What the screens of broadcasts share: the section's tabs, whose things are shown, lists of recipients, and what a campaign would do.
import { html, useEffect, useState } from "../../vendor/preact.js";
import { call, may, query, session, upload, useLive } from "../../api.js";
import { Facts, Figures, Note, Screen, Tabs, go } from "../../parts.js";
import { Select } from "../../forms.js";
import { Columns } from "../../charts.js";
import { bytes, day, duration, moment, money, number, plural, time, words } from "../../format.js";

const MICRO = 6;
const FIRST_FEW = 5;
const HEAD_BYTES = 65_536;

export function price(amount, currency = "USD") {
  return money(amount, currency, MICRO);
}

// Money as people type it, in 1/1,000,000; "" is null, and what is no number goes to the API as it is.
export function micros(text) {
  if (String(text).trim() === "") return null;
  const value = Number(String(text).replace(",", "."));
  return Number.isNaN(value) ? text : Math.round(value * 10 ** MICRO);
}

// The parts of a broadcast's bar, from the counters of a list or of its progress.
export function partsOf(of, hash = "") {
  const part = (label, value, tone, status, more) => ({ label, value, tone, href: hash && `${hash}?status=${status}`, ...more });
  return [
    part("read", of.readCount, "good", "READ"),
    part("delivered", of.deliveredCount - of.readCount, "accent", "DELIVERED"),
    part("sent", of.sentCount - of.deliveredCount, "accent", "SENT", { hatched: true }),
    part("failed", of.failedCount, "bad", "FAILED"),
    part("unknown", of.unknownCount, "warn", "UNKNOWN"),
    part("skipped", of.skippedCount, "quiet", "SKIPPED"),
    part("in flight", of.inFlight, "quiet", "SENDING", { hatched: true }),
  ];
}

const BROADCAST_TABS = [["#/broadcasts", "Broadcasts"], ["#/broadcasts/instances", "Numbers"], ["#/broadcasts/templates", "Templates"], ["#/broadcasts/optouts", "Opt-outs"], ["#/broadcasts/limits", "Limits"]];

// A screen of the section. `owner` (whose things it shows) lets an operator look at another's.
export function Section({ at, owner, children, ...rest }) {
  const here = `#/broadcasts${at && `/${at}`}`;
  const [typed, type] = useState(owner || "");
  const show = (event) => {
    event.preventDefault();
    go(`${here}${query({ owner: typed.trim() })}`);
  };
  return html`<${Screen} ...${rest}>
    <div class="head">
      <${Tabs} label="Bulk messages" items=${BROADCAST_TABS} current=${here} />
      ${owner !== undefined && may("operator") && html`<form class="actions" onSubmit=${show}><input class="short" aria-label="Owner" placeholder=${`Owner: ${session.value.subject}`} value=${typed} onInput=${(event) => type(event.target.value)} /><button type="submit" class="small">Show</button></form>`}
    </div>
    ${owner && html`<${Note}>These are of <b>${owner}</b>. <a href=${here}>Show yours</a><//>`}
    ${children}
  <//>`;
}

export function useNumbers(owner) {
  return useLive(`api/instances${query({ owner, limit: 200 })}`, 60);
}

// Names of the variables of a text, in their order: `{{name}}`, or `{{name|friend}}` with a default.
export function variablesOf(text) {
  return [...new Set([...text.matchAll(/\{\{\s*([^{}|\s]+)/g)].map(([, name]) => name))];
}

export function plainPhone(text) {
  return text.replaceAll(/[\s+().-]/g, "");
}

function cellsOf(line) {
  const by = ["\t", ";", ","].find((sign) => line.includes(sign)) || ",";
  return [...`${line}${by}`.matchAll(new RegExp(`("(?:[^"]|"")*"|[^${by}]*)${by}`, "g"))].map(([, cell]) => cell.trim().replace(/^"|"$/g, "").replaceAll('""', '"'));
}

// Pasted text as {recipients, lines}: a phone a line, then values in the order of the header, or of the text's variables.
// `lines[n]` is the line of recipient `n`.
export function pasted(text, variables) {
  const filled = text.split(/\r?\n/).map((line, at) => [line, at + 1]).filter(([line]) => line.trim());
  let names = variables;
  if (filled.length && !/\d/.test(cellsOf(filled[0][0])[0])) names = cellsOf(filled.shift()[0]).slice(1).map((name) => name.toLowerCase().replaceAll(/\W+/g, "_"));
  const recipients = filled.map(([line]) => {
    const [phone, ...values] = cellsOf(line);
    return { phone: plainPhone(phone), variables: Object.fromEntries(values.map((value, at) => [names[at] || `column${at + 2}`, value]).filter(([, value]) => value)) };
  });
  return { recipients, lines: filled.map(([, line]) => line) };
}

// What the API says of recipients, by the line of the text.
export function wrongLines(problem, lines) {
  const found = (problem ? problem.errors : []).map((error) => [/^recipients\.(\d+)\.?(.*)/.exec(error.field), error.message]).filter(([match]) => match);
  const told = found.slice(0, FIRST_FEW).map(([[, at, field], message]) => `Line ${lines[at]}: ${field === "phone" && message.startsWith("String") ? "a phone has 10 to 15 digits, with the country's code first" : message}.`);
  return found.length ? `${told.join(" ")}${found.length > FIRST_FEW ? ` And ${found.length - FIRST_FEW} more.` : ""}` : problem ? problem.of("recipients") : "";
}

const PHONE_TITLE = /phone|mobile|cell|whats|number|telefone|celular|fone|n[uú]mero/i;

// Asks for a CSV file and which of its columns are what. `onPick({file, phone, columns})`.
export function FilePicker({ variables, picked, onPick }) {
  const take = async (event) => {
    const file = event.target.files[0];
    if (!file) return onPick(null);
    const head = await file.slice(0, HEAD_BYTES).text();
    return onPick({ file, titles: cellsOf(head.replace(/^\uFEFF/, "").split(/\r?\n/)[0]), phone: "", columns: {} });
  };
  const titles = picked ? picked.titles : [];
  const known = (name) => titles.find((title) => title.toLowerCase() === name.toLowerCase()) || "";
  const options = (none) => [["", none], ...titles.map((title) => [title, title])];
  useEffect(() => {
    if (picked && !picked.phone) onPick({ ...picked, phone: titles.find((title) => PHONE_TITLE.test(title)) || titles[0] });
  }, [picked]);
  return html`
    <div class="field"><label for="list-file">CSV file</label><input id="list-file" type="file" accept=".csv,.tsv,.txt,text/csv" onChange=${take} aria-describedby="list-file-hint" /><p id="list-file-hint" class="soft">${picked ? `${bytes(picked.file.size)}. Every row is checked before anything is sent.` : "With a header row. Commas, semicolons or tabs, up to 256 MB."}</p></div>
    ${picked && html`<div class="pair">
      <${Select} label="Column of the phone" name="phone" value=${picked.phone} onValue=${(phone) => onPick({ ...picked, phone })} options=${titles.map((title) => [title, title])} />
      ${variables.map((name) => html`<${Select} key=${name} label=${`Column of {{${name}}}`} name=${name} value=${picked.columns[name] || known(name)} onValue=${(title) => onPick({ ...picked, columns: { ...picked.columns, [name]: title } })} options=${options("none: its default")} />`)}
    </div>`}`;
}

// Uploads a picked file as the recipients of a campaign, and begins its check. Returns the import's id.
export async function importList(campaignId, { file, phone, titles, columns }, variables) {
  const path = `api/campaigns/${campaignId}`;
  const named = variables.map((name) => [name, columns[name] || titles.find((title) => title.toLowerCase() === name.toLowerCase())]).filter(([, title]) => title);
  const made = await call("POST", `${path}/recipients/import`, { phoneColumn: phone, variableColumns: Object.fromEntries(named) });
  await upload(made.upload, file);
  await call("POST", `${path}/imports/${made.id}/start`);
  return made.id;
}

const UNSENT_REASONS = { suppressed: "have opted out", no_consent: "have no noted consent", frequency_cap: "got enough messages lately", window: "never have an open window", text_length: "would get too long a text" };

export function reasonOf(code) {
  return UNSENT_REASONS[code] || words(code);
}

// The answer of a simulation: who gets what, when, and for how much.
export function WouldHappen({ answer, lines }) {
  const { sent = 0, ...others } = answer.outcomes;
  const lineOf = (line) => (lines && lines[line - 1]) || line;
  const kept = Object.values(others).reduce((sum, count) => sum + count, 0);
  const seconds = answer.endsAt ? (new Date(answer.endsAt) - new Date(answer.startsAt)) / 1000 : null;
  const of = answer.days.length > 1 ? answer.days.map((one) => ({ key: one.date, label: day(one.date), values: one })) : answer.minutes.map((one) => ({ key: one.at, label: time(one.at), values: one }));
  const twice = answer.listReport ? answer.listReport.duplicateCount : 0;
  const shown = (rows) => html`<ul class="list">${rows.map((row) => html`<li key=${row.line}><span class="soft">Line ${lineOf(row.line)}, ${row.phone}</span><p class="bubble">${row.text}</p></li>`)}</ul>`;
  return html`
    <${Figures} label="What would happen" items=${[
      { label: "Get it", value: number(sent), note: kept ? `${number(kept)} get none` : "everybody", tone: "accent" },
      { label: "Cost", value: answer.cost ? price(answer.cost, answer.currency) : "nothing", note: answer.cost ? "by the number's prices" : "no price is set" },
      { label: "Takes", value: seconds === null ? "never ends" : duration(Math.max(1, seconds)), note: seconds === null ? "some wait for ever" : `to ${moment(answer.endsAt)}, ${number(answer.messagesPerMinute)} a minute` },
    ]} />
    <div class="stack">
    ${answer.overBudget && html`<${Note} tone="warn"><b>The budget does not reach.</b> It would pause before its end.<//>`}
    ${answer.warnings.map((warning) => html`<${Note} key=${warning} tone="warn">${warning}<//>`)}
    ${answer.collisions.length > 0 && html`<${Note} tone="warn">By the same number: <b>${answer.collisions.map((one) => one.name).join(", ")}</b>. They share its rate.<//>`}
    ${kept + twice + answer.unsent > 0 && html`<${Facts} items=${[["Are on the list twice", twice ? `${number(twice)}: sent to once` : null], ["No window opens for", answer.unsent ? plural(answer.unsent, "person", "people") : null], ...Object.entries(others).map(([code, count]) => [`Get none: ${reasonOf(code)}`, number(count)])]} />`}
    ${answer.skipped.length > 0 && html`<details><summary>Who gets none</summary><ul>${answer.skipped.slice(0, 100).map((row) => html`<li key=${row.line}>Line ${lineOf(row.line)}, ${row.phone}: ${row.message}</li>`)}</ul></details>`}
    ${answer.previews.length > 0 && html`<section><h3>The first messages</h3>${shown(answer.previews.slice(0, FIRST_FEW))}${answer.previews.length > FIRST_FEW && html`<details><summary>Show ${answer.previews.length - FIRST_FEW} more</summary>${shown(answer.previews.slice(FIRST_FEW))}</details>`}</section>`}
    ${of.length > 1 && html`<section><h3>Messages by ${answer.days.length > 1 ? "day" : "minute"}</h3><${Columns} label="Messages" rows=${of} rowLabel=${answer.days.length > 1 ? "Day" : "Minute"} height=${150} series=${[{ name: "messages", label: "Would be sent", tone: "accent", hatched: true }]} /></section>`}
    </div>`;
}
