// One streamer's part in a sponsorship: viewers against the target, what is decided about it, and its statement.
import { html, useState } from "../../vendor/preact.js";
import { download, may, session, useKey, useLive, write } from "../../api.js";
import { Answer, Card, Do, Facts, Id, Note, Percent, Screen, Status, When } from "../../parts.js";
import { Area, Asked, Field, Filled, numberOf, useForm } from "../../forms.js";
import { Ranked } from "../../charts.js";
import { money, number, plural, words } from "../../format.js";
import { Verified } from "../verified.js";

const SETTLED = ["completed", "expired", "rejected", "held"];

export function Participation({ id, streamer }) {
  const path = `api/v1/campaigns/${id}/participations/${encodeURIComponent(streamer)}`;
  const live = useLive(path, (answer) => (answer && ["active", "settling"].includes(answer.status) ? 2 : 10));
  const campaign = useLive(`api/v1/campaigns/${id}`, 30);
  const one = live.answer;
  const exponent = campaign.answer ? campaign.answer.exponent : 2;
  const shown = (amount) => money(amount, one.currency, exponent);
  return html`<${Screen} title=${streamer} back=${[`#/sponsorships/${id}`, campaign.answer ? campaign.answer.name : "Sponsorship"]} status=${one && html`<${Status} status=${one.status} />`} id=${one && one.id} actions=${one && html`<${Decisions} one=${one} path=${path} shown=${shown} />`}>
    <${Answer} live=${live} lines=${4}>${(of) => html`
      ${of.waiting_for && html`<${Note}>The pay waits for the ${words(of.waiting_for)}.<//>`}
      ${of.status === "review" && html`<${Note} tone="warn">The rows and the tally differ: decide the adjustments below, then settle it again.<//>`}
      ${of.rejection_reason && html`<${Note} tone="bad">Rejected by ${of.rejection_by}: ${of.rejection_reason}<//>`}
      <${Card}>
        <${Percent} label="Viewers of ${streamer}" of=${of.target_impressions} done=${of.impressions + of.granted} unit="viewers" parts=${[{ tone: "organic", value: of.impressions, label: "viewers" }, { tone: "organic", hatched: true, value: of.granted, label: "granted" }]} />
        <${Facts} items=${[
          ["Worth", shown(of.earnings)], ["Paid", shown(of.paid)], ["Claimed back", of.clawed ? shown(of.clawed) : null],
          ["Granted beside the rows", of.granted ? number(of.granted) : null], ["Clicks", number(of.clicks)],
          ["Joined", html`<${When} at=${of.joined_at} absolute />`], ["Found by", of.detected_by], ["Settles because of", of.why && words(of.why)],
        ]} />
      <//>
      <${Adjustments} path=${path} />
      ${SETTLED.includes(of.status) && html`<${Statement} path=${path} name=${`${id}-${streamer}`} />`}
      <${Verified} title="Evidence" path="${path}/verify" entity=${of.id} good="Rows, tallies, statement and ledger agree." />`}
    <//>
  <//>`;
}

function Decisions({ one, path, shown }) {
  const [asked, ask] = useState("");
  const close = () => ask("");
  return html`
    ${one.status === "review" && html`<${Do} kind="primary" onDo=${() => write("POST", `${path}/settle`)}>Settle again<//>`}
    ${one.status === "active" && html`<button type="button" onClick=${() => ask("void")}>Take viewers out</button><button type="button" onClick=${() => ask("grant")}>Propose a grant</button>`}
    ${["held", "review"].includes(one.status) && may("admin") && html`<button type="button" class="warn" onClick=${() => ask("reject")}>Reject the pay</button>`}
    ${one.paid > one.clawed && may("admin") && html`<button type="button" class="warn" onClick=${() => ask("refund")}>Claim back</button>`}
    ${asked === "reject" && html`<${Asked} title="Reject the pay of ${one.streamer}?" verb="Propose to reject" isDanger reason="Why is it rejected?" onClose=${close} onDo=${(reason) => write("POST", `${path}/reject`, { reason })}>
      <p>It takes two people: this is a proposal, or the second voice to one. When both agree, ${shown(one.earnings)} is not paid, and goes back to the campaign.</p>
    <//>`}
    ${asked === "refund" && html`<${Asked} title="Claim back from ${one.streamer}?" verb="Propose to claim back" isDanger reason="Why is it claimed back?" onClose=${close} onDo=${(reason) => write("POST", `${path}/refunds`, { reason })}>
      <p>Another admin approves it. Then ${shown(one.paid - one.clawed)} goes from the streamer's wallet to the advertiser's, as far as it is there.</p>
    <//>`}
    ${asked === "void" && html`<${Voiding} path=${path} onClose=${close} />`}
    ${asked === "grant" && html`<${Granting} path=${path} onClose=${close} />`}`;
}

// A dialog of a few fields: [{name, label, hint, isArea}]. `send(values, key)`.
function Small({ fields, send, ...rest }) {
  const form = useForm(Object.fromEntries(fields.map((field) => [field.name, ""])));
  const [key] = useKey();
  return html`<${Filled} form=${form} onSave=${() => send(form.values, key)} ...${rest}>
    ${fields.map(({ name, isArea, ...more }) => (isArea ? html`<${Area} key=${name} ...${form.bind(name)} ...${more} />` : html`<${Field} key=${name} ...${form.bind(name)} ...${more} />`))}
  <//>`;
}

function Voiding({ path, onClose }) {
  return html`<${Small} title="Take viewers out of the count" verb="Take them out" isDanger onClose=${onClose} fields=${[
    { name: "viewers", label: "Viewers", hint: "One a line, as the evidence names them. Their rows stay, marked as voided.", isArea: true },
    { name: "reason", label: "Why?", hint: "The statement and the audit trail keep it." },
  ]} send=${({ viewers, reason }, key) => write("POST", `${path}/void`, { viewers: viewers.split(/\s+/).filter(Boolean), reason }, { key })} />`;
}

function Granting({ path, onClose }) {
  return html`<${Small} title="Propose to count viewers that no row shows" verb="Propose" onClose=${onClose} fields=${[
    { name: "impressions", label: "Viewers", hint: "Granted when another person, an admin, approves. The statement names both.", isNumber: true },
    { name: "reason", label: "Why?" },
  ]} send=${({ impressions, reason }, key) => write("POST", `${path}/adjustments`, { impressions: numberOf(impressions), reason }, { key })} />`;
}

function Adjustments({ path }) {
  const live = useLive(`${path}/adjustments`, 5);
  const [rejected, reject] = useState(null);
  if (live.answer && !live.answer.items.length) return null;
  return html`<${Card} title="Adjustments">
    <${Answer} live=${live}>${(answer) => html`<ul class="list">${answer.items.map((of) => html`<li key=${of.number}>
      <div class="two"><span><b>${plural(of.delta, "viewer")}</b> <${Status} status=${of.state} tone=${{ open: "warn", granted: "good", rejected: "bad", noted: "quiet" }[of.state]} /></span><span class="soft"><${When} at=${of.created_at} /></span></div>
      <p>${of.reason || "A hand changed a number in the database; it was put right."} <span class="soft">${of.proposer ? `proposed by ${of.proposer}` : `found by the ${of.found_by}`}${of.approvers.length ? `, approved by ${of.approvers.join(" and ")}` : ""}${of.decided_by ? `, decided by ${of.decided_by}` : ""}</span></p>
      ${of.state === "open" && html`<div class="actions">
        ${may("admin") && of.proposer !== session.value.subject && html`<${Do} kind="small" onDo=${() => write("POST", `${path}/adjustments/${of.number}/approve`)}>Approve<//>`}
        <button type="button" class="small warn" onClick=${() => reject(of)}>Reject</button>
        ${of.proposer === session.value.subject && html`<span class="soft">Another person, an admin, approves it.</span>`}
      </div>`}
    </li>`)}</ul>`}<//>
    ${rejected && html`<${Asked} title="Reject this adjustment?" verb="Reject it" isDanger reason="Why?" onClose=${() => reject(null)} onDo=${(reason) => write("POST", `${path}/adjustments/${rejected.number}/reject`, { reason })}><p>It is never granted. Somebody may propose another one.</p><//>`}
  <//>`;
}

function Statement({ path, name }) {
  const live = useLive(`${path}/statement`, 30);
  return html`<${Card} title="Statement" aside=${html`<${Do} kind="small" onDo=${() => download(`${path}/statement/evidence`, `${name}.csv`)}>Evidence as CSV<//>`}>
    <${Answer} live=${live}>${(of) => html`
      <${Facts} items=${[
        ["Pay", of.pay.shown], ["Claimed back", of.clawed.amount ? of.clawed.shown : null],
        ["Viewers that count", number(of.impressions)], ["Granted", of.granted ? number(of.granted) : null], ["Above the target", of.overshoot ? number(of.overshoot) : null],
        ["Taken out", of.voided ? number(of.voided) : null], ["Settled", html`<${When} at=${of.settled_at} absolute />`],
        ["Ledger entry", of.entry_id && html`<${Id} id=${of.entry_id} />`], ["Root of the rows", html`<${Id} id=${of.root} />`],
      ]} />
      ${Object.keys(of.refused).length > 0 && html`<h3>Refused</h3><${Ranked} label="Refused, by reason" tone="refused" rows=${Object.entries(of.refused).sort(([, one], [, other]) => other - one).map(([reason, value]) => ({ key: reason, name: words(reason), value }))} />`}`}
    <//>
  <//>`;
}
