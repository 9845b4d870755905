// A budget as a bar: paid, set aside, free, refunded.
import { html } from "../../vendor/preact.js";
import { Meter } from "../../parts.js";
import { money } from "../../format.js";

// {funded, parts, shown(amount)} of a sponsorship. A draft's budget is not funded yet.
export function fundsOf({ money: moved, budget, currency, exponent }) {
  const of = moved || { funded: 0, paid: 0, reserved: 0, remaining: 0, refunded: 0 };
  return {
    funded: of.funded || budget,
    shown: (amount) => money(amount, currency, exponent),
    parts: [
      { tone: "good", value: of.paid, label: "paid" },
      { tone: "good", hatched: true, value: of.reserved, label: "set aside" },
      { tone: "quiet", value: of.refunded, label: "refunded" },
    ],
    remaining: of.remaining,
    isFunded: of.funded > 0,
  };
}

export function Funds({ of, name }) {
  const paid = of.parts[0].value;
  return html`<div class="done"><${Meter} label="Money of ${name}" of=${of.funded} parts=${of.parts} /><span>${of.shown(paid)} <span class="soft">paid of ${of.shown(of.funded)}${!of.isFunded && ", not funded yet"}</span></span></div>`;
}

// The same, large, with every part named by its amount.
export function WholeFunds({ of, name }) {
  return html`<div class="percent">
    <p><b>${of.shown(of.parts[0].value)}</b> paid of ${of.shown(of.funded)}</p>
    <${Meter} label="Money of ${name}" of=${of.funded} parts=${of.parts} />
    <ul class="legend">${of.parts.map((part) => html`<li key=${part.label}><span class="swatch ${part.tone} ${part.hatched ? "hatched" : ""}" />${part.label} <b>${of.shown(part.value)}</b></li>`)}<li>free <b>${of.shown(of.remaining)}</b></li></ul>
  </div>`;
}
