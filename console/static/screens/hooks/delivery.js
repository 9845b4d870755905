// One delivery: each attempt and what came of it, and the text that is sent.
import { html, useState } from "../../vendor/preact.js";
import { may, useAct, useLive, write } from "../../api.js";
import { Answer, Card, Do, Empty, Facts, Id, Screen, Status, Table, Trouble, When } from "../../parts.js";
import { Asked } from "../../forms.js";
import { exactly, number, toTheSecond } from "../../format.js";
import { DeliveryStatus, HOOKS } from "./shared.js";

// What is no answer of HTTP, in words.
const OUTCOMES = {
  timeout: "No answer within 15 seconds", blocked: "Not sent: the address is not public", refused: "No connection, or no valid certificate", lost: "The connection broke off",
  unknown: "Nobody knows: the worker ended before it could say",
};

export function Delivery({ id, delivery }) {
  const path = `${HOOKS}/${encodeURIComponent(id)}/deliveries/${encodeURIComponent(delivery)}`;
  const live = useLive(path, (of) => (of && !of.wake_at ? 15 : 2));
  const act = useAct();
  const [isAsked, ask] = useState(false);
  const one = live.answer;
  const replay = (body) => () => write("POST", `${path}/replay`, body);
  const actions = one && !one.wake_at && one.status !== "dropped" && may("admin") && (one.status === "delivered"
    ? html`<button type="button" onClick=${() => ask(true)}>Replay</button>`
    : html`<${Do} act=${act} kind="primary" onDo=${replay({})}>Replay<//>`);
  return html`<${Screen} title=${one ? one.event_type : "Delivery"} back=${[`#/hooks/${id}`, "Endpoint"]} id=${delivery} status=${one && html`<${DeliveryStatus} status=${one.status} />`} actions=${actions}>
    ${act.problem && html`<${Trouble} problem=${act.problem} />`}
    ${isAsked && html`<${Asked} title="Send it once more?" verb="Send it again" onClose=${() => ask(false)} onDo=${replay({ again: true })}><p>It was delivered. The receiver gets it again, with the same id and the same text.</p><//>`}
    <${Answer} live=${live} lines=${6}>${(of) => html`
      <${Card}><${Facts} items=${[
        ["webhook-id", html`<${Id} id=${of.event_id} />`], ["Happened", html`<${When} at=${of.event_at} absolute />`], ["Attempts", number(of.attempts)],
        ["Next attempt", of.wake_at && html`<${When} at=${of.wake_at} />`], ["Ended", of.ended_at && html`<${When} at=${of.ended_at} absolute />`],
      ]} /><//>
      <${Card} title="Attempts" aside="newest first">
        ${of.log.length ? html`<${Table} label="Attempts" rows=${of.log} keyOf=${(attempt) => attempt.number} columns=${ATTEMPT_COLUMNS} />` : html`<${Empty}>No attempt was made yet.<//>`}
      <//>
      <${Card} title="Body" aside="the same in each attempt"><pre tabindex="0" role="region" aria-label="Text of the body">${pretty(of.body)}</pre><//>`}
    <//>
  <//>`;
}

const ATTEMPT_COLUMNS = [
  { label: "Attempt", cell: (of) => `No. ${of.number}` },
  { label: "Outcome", cell: (of) => html`<${Status} tone=${/^2/.test(of.outcome) ? "good" : "bad"} label=${of.outcome} />${OUTCOMES[of.outcome] && html`<div class="soft">${OUTCOMES[of.outcome]}</div>`}` },
  { label: "Took", cell: (of) => `${number(of.milliseconds)} ms` },
  { label: "At", cell: (of) => html`<time datetime=${of.at} title=${exactly(of.at)}>${toTheSecond(of.at)}</time>` },
  { label: "Answer", isWide: true, cell: (of) => (of.excerpt ? html`<code>${of.excerpt}</code>` : html`<span class="soft">–</span>`) },
];

function pretty(body) {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    // Not JSON: as it is.
    return body;
  }
}
