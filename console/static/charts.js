// Charts as SVG: columns over time and ranked bars. Each has a legend, a table of its numbers, and is read with arrow keys.
import { html, useEffect, useId, useRef, useState } from "./vendor/preact.js";
import { Legend } from "./parts.js";
import { number, short } from "./format.js";

const LEFT = 48;
const BOTTOM = 24;
const TOP = 8;

// The least of 1, 2, 2.5 and 5 times a power of ten whose four fold reaches `most`.
function stepOf(most) {
  const rough = Math.max(most, 1) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].find((of) => of * power >= rough && (power > 1 || of !== 2.5)) * power;
  return Math.max(1, step);
}

function useWidth(element) {
  const [width, setWidth] = useState(640);
  useEffect(() => {
    const watcher = new ResizeObserver(([entry]) => setWidth(Math.max(240, Math.round(entry.contentRect.width))));
    watcher.observe(element.current);
    return () => watcher.disconnect();
  }, []);
  return width;
}

// Columns: rows = [{key, label, title?, values: {name: number}}]; series = [{name, label, tone, hatched, mark}].
// Series are stacked in their order; one with mark "line" is a line over the column at its own height.
// One with mark "none" has no column, such as what may be below 0: it is in the numbers only. So is a column's value below 0.
// `format` writes a value; `rowLabel` heads the first column of the table.
export function Columns({ label, rows, series, height = 200, format = number, rowLabel = "Day" }) {
  const holder = useRef(null);
  const width = useWidth(holder);
  const [at, setAt] = useState(null);
  const id = useId();
  const bars = series.filter((of) => !of.mark);
  const lines = series.filter((of) => of.mark === "line");
  const value = (row, of) => row.values[of.name] || 0;
  const most = Math.max(0, ...rows.map((row) => Math.max(bars.reduce((sum, of) => sum + Math.max(0, value(row, of)), 0), ...lines.map((of) => value(row, of)))));
  const step = stepOf(most);
  const ticks = Math.max(1, Math.ceil(most / step));
  const top = ticks * step;
  const inner = height - BOTTOM - TOP;
  const slot = (width - LEFT - 8) / Math.max(rows.length, 1);
  const bar = Math.max(1, Math.min(slot * 0.72, 40));
  const mark = Math.min(slot * 0.9, bar + 24);
  const y = (of) => TOP + inner - (of / top) * inner;
  const every = Math.max(1, Math.ceil(64 / slot));
  const chosen = at !== null && at < rows.length ? rows[at] : null;

  const move = (event) => {
    const moves = { ArrowRight: at === null ? 0 : at + 1, ArrowLeft: at === null ? rows.length - 1 : at - 1, Home: 0, End: rows.length - 1 };
    if (event.key === "Escape") setAt(null);
    else if (event.key in moves) setAt(Math.max(0, Math.min(rows.length - 1, moves[event.key])));
    else return;
    event.preventDefault();
  };
  const point = (event) => {
    const box = holder.current.getBoundingClientRect();
    const place = Math.floor((event.clientX - box.left - LEFT) / slot);
    setAt(place >= 0 && place < rows.length ? place : null);
  };
  const said = chosen ? `${chosen.title || chosen.label}: ${series.map((of) => `${of.label} ${format(value(chosen, of))}`).join(", ")}` : "";
  const middle = (place) => LEFT + slot * (place + 0.5);
  const tipLeft = chosen ? Math.max(0, Math.min(width - 176, middle(at) + (middle(at) > width - 220 ? -192 : 16))) : 0;

  return html`<figure class="chart">
    <div class="plot" ref=${holder} tabindex="0" role="group" aria-roledescription="chart" aria-label="${label}. Arrow keys read its columns." onKeyDown=${move} onPointerMove=${point} onPointerLeave=${() => setAt(null)} onBlur=${() => setAt(null)}>
      <svg width=${width} height=${height} aria-hidden="true">
        <defs>${bars.filter((of) => of.hatched).map((of) => html`<pattern key=${of.name} id="${id}-${of.name}" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="6" height="6" class="pale ${of.tone}" /><rect width="3" height="6" class="fill ${of.tone}" /></pattern>`)}</defs>
        ${Array.from({ length: ticks + 1 }, (_, tick) => html`<g key=${tick}><line class="grid" x1=${LEFT} x2=${width} y1=${y(tick * step)} y2=${y(tick * step)} /><text x=${LEFT - 8} y=${y(tick * step) + 4} class="axis end">${short(tick * step)}</text></g>`)}
        ${chosen && html`<rect class="chosen" x=${LEFT + slot * at} y=${TOP} width=${slot} height=${inner} />`}
        ${rows.map((row, place) => {
          let below = 0;
          return html`<g key=${row.key}>
            ${bars.map((of) => {
              const size = value(row, of);
              if (size <= 0) return null;
              below += size;
              const from = y(below);
              return html`<rect key=${of.name} class=${of.hatched ? "" : `fill ${of.tone}`} fill=${of.hatched ? `url(#${id}-${of.name})` : undefined} x=${middle(place) - bar / 2} y=${from} width=${bar} height=${Math.max(1, y(below - size) - from)} />`;
            })}
            ${lines.map((of) => row.values[of.name] !== undefined && row.values[of.name] !== null && html`<rect key=${of.name} class="mark" x=${middle(place) - mark / 2} y=${y(value(row, of)) - 1} width=${mark} height="2" />`)}
            ${place % every === 0 && html`<text x=${middle(place)} y=${height - 6} class="axis middle">${row.label}</text>`}
          </g>`;
        })}
      </svg>
      ${chosen && html`<div class="tip" aria-hidden="true" style=${{ left: `${tipLeft}px` }}><b>${chosen.title || chosen.label}</b>${series.map((of) => html`<span key=${of.name}>${of.mark !== "none" && html`<i class="swatch ${of.tone} ${of.hatched ? "hatched" : ""} ${of.mark || ""}" />`}${of.label}<b>${format(value(chosen, of))}</b></span>`)}</div>`}
    </div>
    <p class="unseen" role="status">${said}</p>
    <${Legend} parts=${series.filter((of) => of.mark !== "none").map(({ label: text, tone, hatched, mark }) => ({ label: text, tone, hatched, mark }))} />
    <details><summary>Show the numbers</summary><div class="scroll" role="region" tabindex="0" aria-label="Numbers of: ${label}"><table class="plain">
      <thead><tr><th scope="col">${rowLabel}</th>${series.map((of) => html`<th key=${of.name} scope="col" class="num">${of.label}</th>`)}</tr></thead>
      <tbody>${rows.map((row) => html`<tr key=${row.key}><th scope="row">${row.title || row.label}</th>${series.map((of) => html`<td key=${of.name} class="num">${format(value(row, of))}</td>`)}</tr>`)}</tbody>
    </table></div></details>
  </figure>`;
}

// Bars by rank: rows = [{key, name, value, note, href}], the largest first.
export function Ranked({ label, rows, tone, format = number }) {
  const most = Math.max(1, ...rows.map((row) => row.value));
  return html`<ol class="ranked" aria-label=${label}>
    ${rows.map((row) => html`<li key=${row.key}>
      <span class="name">${row.href ? html`<a href=${row.href}>${row.name}</a>` : row.name}</span><b>${format(row.value)}</b>
      <span class="track"><span class="bar ${tone}" style=${{ width: `${(row.value * 100) / most}%` }} /></span>
      ${row.note && html`<span class="soft note-line">${row.note}</span>`}
    </li>`)}
  </ol>`;
}
