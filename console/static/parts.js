// What screens are made of.
import { html, useEffect, useId, useRef, useState } from "./vendor/preact.js";
import { download, useAct } from "./api.js";
import { exactly, moment, number, percent, relative, sentence } from "./format.js";

const DRAWN = {
  overview: "M3 3h6v6H3zM11 3h6v4h-6zM11 9h6v8h-6zM3 11h6v6H3z",
  boosts: "M11 2 4 11h5l-1 7 7-9h-5z",
  broadcasts: "M3 8v4h3l7 4V4L6 8zM16 7a4 4 0 0 1 0 6",
  sponsorships: "M10 3v14M14 6c-1-1.5-7-2-7 1s7 2 7 5-6 3-8 1",
  promotions: "M14 7a2.5 2.5 0 1 0-2.4-3.2L8 6M6 12.5a2.5 2.5 0 1 1 0-5 2.5 2.5 0 0 1 0 5zM8 11.5l3.6 2.2A2.5 2.5 0 1 0 14 12.5",
  views: "M2 10s3-5.5 8-5.5S18 10 18 10s-3 5.5-8 5.5S2 10 2 10zM10 12.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z",
  sync: "M16 9a6 6 0 0 0-11-2.5L3.5 8M4 11a6 6 0 0 0 11 2.5L16.5 12M3.5 4v4h4M16.5 16v-4h-4",
  refusals: "M10 2.5 4 5v5c0 4 3 6.5 6 7.5 3-1 6-3.5 6-7.5V5zM8 8l4 4M12 8l-4 4",
  wallets: "M3 6h13v10H3zM3 6l9-3v3M13 11h3",
  hooks: "M9 8.5a3 3 0 1 1 3.5-1.5l2.5 4.5M10.5 7 7.5 12.5M11 13.5H6.5M15 11.5a3 3 0 1 1-3 4M7.5 12.5a3 3 0 1 1-3.5-2",
  audit: "M5 2.5h7l3 3v12H5zM8 8h4M8 11h4M8 14h4",
  tryout: "M8 3h4M9 3v5l-5 8.5h12L11 8V3M6.5 13h7",
  stop: "M7 2.5h6L17.5 7v6L13 17.5H7L2.5 13V7zM8 8h4v4H8z",
  go: "M6 4l10 6-10 6z",
  back: "M16 10H4M9 5l-5 5 5 5",
  copy: "M7 7h9v10H7zM4 13V3h9",
};

export function Icon({ name }) {
  return html`<svg class="icon" viewBox="0 0 20 20" aria-hidden="true" focusable="false"><path d=${DRAWN[name]} /></svg>`;
}

// What a status is: live (something goes on), good (ended well), warn (needs a look), bad (ended badly), quiet (nothing goes on).
const TONES = {
  live: ["running", "closing", "reverting", "importing", "checking", "pausing", "cancelling", "deleting", "campaignrunning", "campaignpending", "active", "sending", "open", "settling", "retrying"],
  good: ["completed", "closed", "done", "paid", "sent", "delivered", "read", "campaignclosed", "settled", "approved", "ok", "valid", "claimed", "granted", "linked", "connected"],
  warn: ["paused", "halted", "unknown", "held", "review", "in_review", "awaiting_file", "skipped", "proposed", "pending_claim", "expired", "parked"],
  bad: ["failed", "rejected", "degraded", "blocked", "invalid"],
};

export function toneOf(status) {
  const name = String(status).toLowerCase();
  return Object.keys(TONES).find((tone) => TONES[tone].includes(name)) || "quiet";
}

// A status in its colour and shape. `tone` and `label` for what the names above do not say.
export function Status({ status, tone, label }) {
  return html`<span class="status ${tone || toneOf(status)}">${label || sentence(String(status).replace(/^Campaign/, ""))}</span>`;
}

// A bar of parts of a whole: `parts` = [{tone, value, label, hatched}]; or one part by `value` and `tone`.
export function Meter({ label, of, value, tone = "accent", parts }) {
  const shown = (parts || [{ tone, value, label: "done" }]).filter((part) => part.value > 0);
  const sum = shown.reduce((total, part) => total + part.value, 0);
  const text = parts ? shown.map((part) => `${number(part.value)} ${part.label}`).join(", ") : `${number(value)} of ${number(of)}`;
  return html`<div class="meter" role="meter" aria-label=${label} aria-valuemin="0" aria-valuemax=${of || 1} aria-valuenow=${Math.min(sum, of || 1)} aria-valuetext=${text || "nothing yet"} title=${text}>
    ${shown.map((part) => html`<span key=${part.label} class="bar ${part.tone} ${part.hatched ? "hatched" : ""}" style=${{ width: `${of ? Math.min(100, (part.value * 100) / of) : 0}%` }} />`)}
  </div>`;
}

// A legend with the numbers of a bar's parts.
export function Legend({ parts }) {
  return html`<ul class="legend">
    ${parts.map((part) => html`<li key=${part.label}><span class="swatch ${part.tone} ${part.hatched ? "hatched" : ""} ${part.mark || ""}" />${part.href ? html`<a href=${part.href}>${part.label}</a>` : part.label}${part.value !== undefined && html` <b>${number(part.value)}</b>`}</li>`)}
  </ul>`;
}

// A moment: relative in the text, absolute in the title. `absolute` turns it round.
export function When({ at, absolute }) {
  if (!at) return html`<span class="soft">–</span>`;
  return html`<time datetime=${at} title=${exactly(at)}>${absolute ? moment(at) : relative(at)}</time>`;
}

export function Id({ id, href }) {
  return href ? html`<a class="id" title=${id} href=${href}>${id}</a>` : html`<span class="id" title=${id}>${id}</span>`;
}

// A text with a button that copies it.
export function Copied({ text, label = "Copy" }) {
  const [isCopied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
  };
  return html`<span class="copied"><code>${text}</code><button type="button" class="small" onClick=${copy}>${isCopied ? "Copied" : label}</button></span>`;
}

export function Card({ title, aside, children, kind = "" }) {
  const id = useId();
  return html`<section class="card ${kind}" aria-labelledby=${title ? id : undefined}>
    ${title && html`<header><h2 id=${id}>${title}</h2>${aside && html`<div class="aside">${aside}</div>`}</header>`}
    ${children}
  </section>`;
}

// Figures in a row: [{label, value, exact, note, href, tone, hatched}].
export function Figures({ items, label }) {
  return html`<dl class="figures" aria-label=${label}>
    ${items.map((item) => html`<div key=${item.label}>
      <dt>${item.tone && html`<span class="swatch ${item.tone} ${item.hatched ? "hatched" : ""}" />`}${item.href ? html`<a href=${item.href}>${item.label}</a>` : item.label}</dt>
      <dd class="figure" title=${item.exact}>${item.value}</dd>
      ${item.note && html`<dd class="soft">${item.note}</dd>`}
    </div>`)}
  </dl>`;
}

// Facts of one thing: [[label, value], ...]; what is null or undefined is left out.
export function Facts({ items }) {
  return html`<dl class="facts">
    ${items.filter(([, value]) => value !== null && value !== undefined && value !== "").map(([label, value]) => html`<div key=${label}><dt>${label}</dt><dd>${value}</dd></div>`)}
  </dl>`;
}

export function Note({ tone = "info", children }) {
  return html`<div class="note ${tone}" role=${tone === "bad" ? "alert" : undefined}>${children}</div>`;
}

export function Waiting({ lines = 3 }) {
  return html`<div class="waiting" role="status"><span class="unseen">Loading</span>${Array.from({ length: lines }, (_, line) => html`<span key=${line} class="skeleton" />`)}</div>`;
}

export function Empty({ children, act }) {
  return html`<div class="empty"><p>${children}</p>${act}</div>`;
}

// What went wrong, in the API's words, and what to do.
export function Trouble({ problem, again }) {
  return html`<div class="trouble note bad" role="alert">
    <b>${problem.errors.length ? "This was not accepted:" : problem.message}</b>
    ${problem.errors.length > 0 && html`<ul>${problem.errors.map((error) => html`<li key=${error.field + error.message}><code>${error.field}</code>: ${error.message}</li>`)}</ul>`}
    ${problem.requestId && html`<p class="soft">Request <code>${problem.requestId}</code></p>`}
    ${again && html`<button type="button" onClick=${again}>Try again</button>`}
  </div>`;
}

// Exactly one of: waiting, trouble, empty, content. `live` is from useLive; `children` draws the answer.
// `isEmpty(answer)` says whether there is nothing, and `empty` what to show then.
export function Answer({ live, lines, isEmpty, empty, children }) {
  if (live.answer) return isEmpty && isEmpty(live.answer) ? empty : children(live.answer);
  // Without a network there is one note over the page, and none in each card; the card waits.
  if (live.problem && live.problem.status !== 0) return html`<${Trouble} problem=${live.problem} again=${live.again} />`;
  if (live.problem) return html`<div class="empty"><p>Nothing has been read yet.</p><button type="button" onClick=${live.again}>Try again</button></div>`;
  return html`<${Waiting} lines=${lines} />`;
}

// The frame of every screen: its h1 is there while it waits, is in trouble, is empty and when it is full.
export function Screen({ title, back, status, id, lead, actions, children }) {
  useEffect(() => {
    document.title = `${title} · Sluice`;
  }, [title]);
  return html`<div class="screen">
    ${back && html`<a class="back" href=${back[0]}><${Icon} name="back" />${back[1]}</a>`}
    <header class="head">
      <div><div class="title"><h1>${title}</h1>${status}</div>${id && html`<${Id} id=${id} />`}${lead && html`<p class="soft">${lead}</p>`}</div>
      ${actions && html`<div class="actions">${actions}</div>`}
    </header>
    ${children}
  </div>`;
}

// A button that is busy while `onDo` goes on.
export function Do({ onDo, kind = "", children, isDisabled, act }) {
  const own = useAct();
  const { isBusy, run } = act || own;
  return html`<button type="button" class=${kind} disabled=${isDisabled} aria-busy=${isBusy} onClick=${() => isBusy || run(onDo)}>${children}</button>`;
}

export function Dialog({ title, onClose, children }) {
  const dialog = useRef(null);
  const id = useId();
  useEffect(() => {
    const opener = document.activeElement;
    dialog.current.showModal();
    const first = dialog.current.querySelector("textarea, input, select");
    if (first) first.focus();
    // It is taken away without being closed, so that the browser does not give the focus back.
    return () => setTimeout(() => opener.focus());
  }, []);
  const close = (event) => {
    event.preventDefault();
    onClose();
  };
  return html`<dialog ref=${dialog} aria-labelledby=${id} onCancel=${close} onClose=${onClose}><h2 id=${id}>${title}</h2>${children}</dialog>`;
}

// Links of which one is where we are: [[href, label], ...].
export function Tabs({ label, items, current }) {
  return html`<nav class="tabs" aria-label=${label}>
    ${items.map(([href, text]) => html`<a key=${href} href=${href} aria-current=${href === current ? "page" : undefined}>${text}</a>`)}
  </nav>`;
}

// A table that is cards on a phone. columns = [{label, cell: (row) => ..., isNumber, isWide}]; `keyOf(row)`.
// The first column is the row's header. `isBrief`: on a phone the second stands beside it, and no column is labelled.
export function Table({ label, columns, rows, keyOf, isBrief }) {
  return html`<div class="scroll ${isBrief ? "brief" : ""}" role="region" aria-label="${label}: table" tabindex="0"><table>
    <thead><tr>${columns.map((column) => html`<th key=${column.label} scope="col" class=${column.isNumber ? "num" : ""}>${column.label}</th>`)}</tr></thead>
    <tbody>${rows.map((row) => html`<tr key=${keyOf(row)}>
      ${columns.map((column, place) => {
        const kind = `${column.isNumber ? "num" : ""} ${column.isWide ? "wide" : ""}`;
        return place === 0
          ? html`<th key=${column.label} scope="row" class=${kind}>${column.cell(row)}</th>`
          : html`<td key=${column.label} class=${kind} data-label=${column.label}>${column.cell(row)}</td>`;
      })}
    </tr>`)}</tbody>
  </table></div>`;
}

// Pages by cursor: `const pages = usePages(); useLive(path + query({cursor: pages.cursor}), ...)`, then
// <Pager pages=${pages} next=${answer.next_cursor} />. `of` resets them, such as a filter.
export function usePages(of) {
  const [state, setState] = useState({ of, cursors: [] });
  const cursors = state.of === of ? state.cursors : [];
  return {
    cursor: cursors.at(-1),
    isFirst: cursors.length === 0,
    older: (next) => setState({ of, cursors: [...cursors, next] }),
    newer: () => setState({ of, cursors: cursors.slice(0, -1) }),
  };
}

export function Pager({ pages, next, newer = "Newer", older = "Older" }) {
  if (pages.isFirst && !next) return null;
  return html`<div class="pager">
    <button type="button" disabled=${pages.isFirst} onClick=${pages.newer}>${newer}</button>
    <button type="button" disabled=${!next} onClick=${() => pages.older(next)}>${older}</button>
  </div>`;
}

// The progress of one campaign in a list: its bar, and "43 of 9,000".
export function Done({ label, done, of, tone, parts, unit = "" }) {
  return html`<div class="done"><${Meter} label=${label} value=${done} of=${of} tone=${tone} parts=${parts} /><span>${number(done)} <span class="soft">of ${number(of)}${unit && ` ${unit}`}</span></span></div>`;
}

// The same, large, at the head of a detail.
export function Percent({ label, done, of, unit, tone, parts }) {
  return html`<div class="percent"><p><b>${percent(done, of)}</b> ${number(done)} of ${number(of)} ${unit}</p><${Meter} label=${label} value=${done} of=${of} tone=${tone} parts=${parts} /></div>`;
}

// Checks of a number against what it is made of: [{name, holds, value, note}].
export function Checks({ items }) {
  return html`<ul class="checks">
    ${items.map((item) => html`<li key=${item.name} class=${item.holds ? "holds" : "fails"}><span class="mark" role="img" aria-label=${item.holds ? "Holds" : "Does not hold"}>${item.holds ? "✓" : "✗"}</span><span>${item.name}${item.note && html`<span class="soft"> ${item.note}</span>`}</span><b>${item.value}</b></li>`)}
  </ul>`;
}

// Changes what the address says, so that a reload and a link show the same.
export function go(hash) {
  window.location.hash = hash;
}

// A button that saves the CSV of GET `path`. What goes wrong stands beside it.
export function Csv({ path, name }) {
  const act = useAct();
  return html`<${Do} kind="small" act=${act} onDo=${() => download(path, name)}>Export CSV<//>${act.problem && html`<span class="wrong" role="alert">${act.problem.message}</span>`}`;
}
