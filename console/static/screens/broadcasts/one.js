// One broadcast, live: what became of every message, and what can be done with it.
import { html, useEffect, useRef, useState } from "../../vendor/preact.js";
import { download, query, useAct, useLive, write } from "../../api.js";
import { Answer, Card, Dialog, Do, Empty, Facts, Figures, Legend, Meter, Note, Pager, Screen, Status, Table, Trouble, Waiting, When, go, usePages } from "../../parts.js";
import { Area, Asked, Field, Filled, Tick, numberOf, useForm, useSimulation } from "../../forms.js";
import { duration, number, percent, plural, relative, words } from "../../format.js";
import { FilePicker, WouldHappen, importList, micros, partsOf, plainPhone, price, variablesOf } from "./section.js";

const WAITS = {
  import: "Its list is still being stored: nothing is sent before all rows are there.",
  window: "It waits for its hours: no recipient's window is open now.",
  quota: "A daily limit is used up. It goes on with the next day.",
  instance: "Its number does not work now: the provider refused it, or it was deleted. It is tried again by itself.",
  provider: "Much is in flight. It waits until the provider answers.",
  retry: "What is left was refused for now, or its answer was lost. It is looked up or tried again by itself.",
  settling: "All is sent. It waits for the last answers of the provider.",
};
const PAUSES = {
  user: "Somebody paused it.",
  error_rate: "Half of the last messages went wrong. Read the errors of the failed rows, fix the cause, then resume.",
  budget: "The next message would cost more than what is left of the budget.",
  gap: "A step came more than 6 hours late. Look first, then resume.",
  missed_start: "Its start came more than 6 hours late. Look first, then resume.",
  max_steps: "It claimed rows very often without an end. Look for what sends rows back, then resume.",
  template: "The provider refuses the template.",
};
const ROW_STATUSES = ["", "PENDING", "SENDING", "SENT", "DELIVERED", "READ", "FAILED", "UNKNOWN", "SKIPPED"];
const ENDED = ["COMPLETED", "FAILED"];
const REST_SECONDS = 15;

export function Broadcast({ id, asked }) {
  const path = `api/campaigns/${id}`;
  const progress = useLive(`${path}/progress`, (answer) => (answer ? answer.nextPollSeconds || REST_SECONDS : 2));
  const campaign = useLive(path, REST_SECONDS);
  const at = progress.answer;
  const of = campaign.answer;
  const act = useAct();
  if (progress.problem && !at) return html`<${Screen} title="Broadcast" id=${id} back=${["#/broadcasts", "Broadcasts"]}><${Answer} live=${progress} /><//>`;
  const isDraft = at && at.status === "DRAFT";
  return html`<${Screen} title=${at ? at.name : "Broadcast"} id=${id} back=${["#/broadcasts", "Broadcasts"]} status=${at && html`<${Status} status=${at.status} />`} actions=${at && of && html`<${BroadcastActions} at=${at} of=${of} path=${path} act=${act} />`}>
    ${act.problem && html`<${Trouble} problem=${act.problem} />`}
    ${at && html`<${Said} at=${at} />`}
    ${asked.import && isDraft && html`<${Imported} path="${path}/imports/${asked.import}" />`}
    ${isDraft && of && html`<${Review} at=${at} of=${of} path=${path} />`}
    <${Card} title="Progress" aside=${of && html`<a href="#/audit/${id}">Audit trail</a>`}><${Answer} live=${progress} lines=${6}>${(answer) => html`<${Far} at=${answer} of=${of} hash="#/broadcasts/${id}" />`}<//><//>
    <${Recipients} path=${path} hash="#/broadcasts/${id}" status=${ROW_STATUSES.includes(asked.status) ? asked.status : ""} isLive=${!at || !ENDED.includes(at.status)} />
  <//>`;
}

// What it waits for, or why it stands, in words.
function Said({ at }) {
  if (at.platformStopped) return html`<${Note} tone="bad">Everything is stopped: it goes on by itself when the platform is resumed.<//>`;
  if (at.status === "PAUSED" || at.status === "pausing") return html`<${Note} tone="warn">${PAUSES[at.pauseReason] || words(at.pauseReason || "paused")} ${at.inFlight ? `${plural(at.inFlight, "message is", "messages are")} in flight and settled ${relative(at.inFlightUntil)} at the latest.` : ""}<//>`;
  if (at.status === "SCHEDULED") return html`<${Note}>It starts by itself <b><${When} at=${at.scheduledFor} /></b>.<//>`;
  if (at.status === "FAILED") return html`<${Note} tone="warn">${at.failureReason === "CANCELLED" ? "It was cancelled. What was sent stays sent." : `It failed: ${words(at.failureReason || "")}.`}<//>`;
  if (at.importing) return html`<${Note}>${WAITS.import} ${number(at.imported)} are stored.<//>`;
  return at.waitingFor ? html`<${Note}>${WAITS[at.waitingFor]}${at.nextStepAt ? ` The next step is ${relative(at.nextStepAt)}.` : ""}<//>` : null;
}

function Far({ at, of, hash }) {
  const settled = at.totalRecipients - at.pendingCount;
  // 100 % is said of what has ended well alone.
  const shown = at.status !== "COMPLETED" && settled === at.totalRecipients && settled ? "99.9 %" : percent(settled, at.totalRecipients);
  const parts = partsOf(at, hash);
  const money = (value) => (value ? price(value, at.currency) : "nothing");
  const budget = at.budget ? `of ${price(at.budget, at.currency)}` : "no budget";
  return html`
    <div class="percent" aria-live="off"><p><b>${shown}</b> ${number(settled)} of ${number(at.totalRecipients)} settled</p><${Meter} label="Messages" of=${at.totalRecipients} parts=${parts} /></div>
    <${Legend} parts=${[...parts, { label: "pending", value: at.pendingCount - at.inFlight, mark: "none", href: `${hash}?status=PENDING` }]} />
    <${Facts} items=${[
      [at.status === "RUNNING" ? "Pace now" : "Pace", at.status === "RUNNING" ? `${at.currentRate === null ? "–" : number(Math.round(at.currentRate * 10) / 10)} of ${number(at.rateLimit)} a minute` : `${number(at.rateLimit)} a minute`],
      ["Time left", at.status === "RUNNING" && at.estimatedSecondsLeft !== null ? duration(at.estimatedSecondsLeft) : null],
      ["Expected end", at.status === "RUNNING" && at.expectedEndAt ? html`<${When} at=${at.expectedEndAt} absolute />` : null],
      ["Started", at.startedAt ? html`<${When} at=${at.startedAt} absolute />` : null],
      ["Ended", at.completedAt ? html`<${When} at=${at.completedAt} absolute />` : null],
      ["Spent", `${money(at.spent)}, ${budget}`],
      ["Set aside for what may have been sent", at.reserved ? price(at.reserved, at.currency) : null],
      ["Pass", at.passNumber > 1 ? number(at.passNumber) : null],
      ["Hours", of && of.windows.length ? of.windows.map((one) => `${(one.weekdays || []).join(" ")} ${one.from} to ${one.to}`).join("; ") : null],
      ["Owner", of && of.userId],
    ]} />
    ${of && html`<details><summary>The message</summary><p class="bubble">${of.message}</p></details>`}`;
}

function BroadcastActions({ at, of, path, act }) {
  const [open, setOpen] = useState("");
  const close = () => setOpen("");
  const does = (action, more) => write("POST", `${path}/actions`, { action, ...more });
  const is = (...statuses) => statuses.includes(at.status);
  const name = of.name;
  return html`
    ${is("SCHEDULED") && html`<${Do} kind="primary" act=${act} onDo=${() => does("start")}>Start now<//>`}
    ${is("RUNNING") && html`<${Do} act=${act} onDo=${() => does("pause")}>Pause<//>`}
    ${is("PAUSED") && html`<${Do} kind="primary" act=${act} onDo=${() => does("resume")}>Resume<//>`}
    ${(is(...ENDED) || (is("PAUSED") && at.failedCount + at.unknownCount > 0)) && at.toRetry + at.failedFinal + at.unknownCount > 0 && html`<button type="button" onClick=${() => setOpen("retry")}>Retry exactly ${number(at.toRetry || at.failedFinal || at.unknownCount)}</button>`}
    ${is("DRAFT", "SCHEDULED") && html`<button type="button" onClick=${() => setOpen("edit")}>Edit</button>`}
    <button type="button" onClick=${() => setOpen("test")}>Send a test</button>
    ${!is("DRAFT") && html`<${Do} act=${act} onDo=${() => download(`${path}/report.csv`, `${at.campaignId}.csv`)}>Report<//>`}
    ${is("SCHEDULED", "RUNNING", "PAUSED") && html`<button type="button" class="warn" onClick=${() => setOpen("cancel")}>Cancel</button>`}
    ${is("DRAFT", ...ENDED) && html`<button type="button" class="warn" onClick=${() => setOpen("delete")}>Delete</button>`}
    ${open === "edit" && html`<${EditBroadcast} at=${at} of=${of} path=${path} onClose=${close} />`}
    ${open === "retry" && html`<${Retry} at=${at} does=${does} onClose=${close} />`}
    ${open === "test" && html`<${Test} path=${path} onClose=${close} />`}
    ${open === "cancel" && html`<${Asked} title="Cancel ${name}?" verb="Cancel the broadcast" isDanger onClose=${close} onDo=${() => does("cancel")}><p>${plural(at.pendingCount - at.inFlight, "recipient gets", "recipients get")} no message.</p><ul><li>What was sent stays sent; what is in flight may still arrive.</li><li>The rest can be sent to later, by a retry.</li></ul><//>`}
    ${open === "delete" && html`<${Asked} title="Delete ${name}?" verb="Delete" isDanger onClose=${close} onDo=${async () => { await write("DELETE", path); go("#/broadcasts"); }}><p>Its ${plural(at.totalRecipients, "recipient")} and what became of them are removed for good. Its audit trail stays.</p><//>`}`;
}

// The terms that people change before they start it. Its number, its list and its hours stay.
function EditBroadcast({ at, of, path, onClose }) {
  const form = useForm({ name: of.name, message: of.message, rate: String(at.rateLimit), budget: of.budget ? String(of.budget / 1e6) : "" });
  const { values, bind } = form;
  const save = () => write("PUT", path, { name: values.name, message: of.templateId ? undefined : values.message, rateLimit: numberOf(values.rate), budget: micros(values.budget) });
  return html`<${Filled} title="Edit" verb="Save" form=${form} onSave=${save} onClose=${onClose}>
    <${Field} label="Name" ...${bind("name")} maxlength="200" />
    ${!of.templateId && html`<${Area} label="Message" ...${bind("message")} rows=${4} maxlength="4096" />`}
    <div class="pair"><${Field} label="Messages a minute" isNumber ...${bind("rate", "rateLimit")} /><${Field} label="Budget" inputmode="decimal" ...${bind("budget")} hint="Empty: none." /></div>
  <//>`;
}

// Says before it is pressed to exactly how many it sends, and who may get it twice.
function Retry({ at, does, onClose }) {
  const [hasFinal, setFinal] = useState(!at.toRetry && at.failedFinal > 0);
  const [hasUnknown, setUnknown] = useState(!at.toRetry && !at.failedFinal);
  const twice = hasUnknown ? at.unknownCount : 0;
  const count = at.toRetry + (hasFinal ? at.failedFinal : 0) + twice;
  return html`<${Asked} title="Retry" verb="Retry exactly ${number(count)}" onClose=${onClose} onDo=${() => does("retry", { include_final: hasFinal, include_unknown: hasUnknown })}>
    <p>${at.toRetry ? `${plural(at.toRetry, "recipient")} did not get it, for a reason that may pass.` : "Nobody failed for a reason that may pass."} Whoever has the message gets no second one.</p>
    ${at.failedFinal > 0 && html`<${Tick} label="And the ${number(at.failedFinal)} refused for good" name="final" value=${hasFinal} onValue=${setFinal} hint="Such as phones that are not on WhatsApp." />`}
    ${at.unknownCount > 0 && html`<${Tick} label="And the ${number(at.unknownCount)} of whom nobody knows" name="unknown" value=${hasUnknown} onValue=${setUnknown} hint="The provider's answer was lost." />`}
    ${twice > 0 && html`<${Note} tone="warn"><b>${plural(twice, "person", "people")} may get it twice.</b><//>`}
  <//>`;
}

function Test({ path, onClose }) {
  const form = useForm({ phone: "" });
  const [test, setTest] = useState(null);
  const live = useLive(test && `api/campaigns/${test.id}/progress`, 2);
  const at = live.answer;
  const told = at && (at.sentCount ? "It was sent." : at.failedCount ? "It failed." : at.unknownCount ? "Nobody knows whether it was sent." : at.skippedCount ? "It was not sent, by a rule." : "It is being sent…");
  const send = async () => {
    setTest(await write("POST", `${path}/test`, { phone: plainPhone(form.values.phone) }));
    return true;
  };
  return html`<${Filled} title="Send a test" verb="Send it now" keep="Close" form=${form} onClose=${onClose} onSave=${send}>
    <p class="field">The message goes to one phone, filled in as for the first recipient. No list has it, and no count of this broadcast changes.</p>
    <${Field} label="Phone" type="tel" ...${form.bind("phone")} hint="With the country's code." />
    ${test && html`<p role="status"><b>${told || "It is being sent…"}</b> ${at && html`<a href="#/broadcasts/${test.id}">See it</a>`}</p>`}
  <//>`;
}

// Before it starts: its list, by a file if wanted, and what the start would do.
function Review({ at, of, path }) {
  const simulation = useSimulation(`${path}/simulate`, at.totalRecipients && !at.importing ? { lines: [] } : null);
  const act = useAct();
  const [picked, pick] = useState(null);
  const variables = variablesOf(of.message);
  const start = () => write("POST", `${path}/actions`, { action: "start" }, { match: simulation.answer.planHash });
  const load = async () => {
    const made = await importList(of.id, picked, variables);
    go(`#/broadcasts/${of.id}${query({ import: made })}`);
  };
  return html`<${Card} title="Before it starts" aside="what is reviewed here is what is sent">
    ${simulation.answer
      ? html`<${WouldHappen} answer=${simulation.answer} />`
      : at.totalRecipients ? !simulation.problem && html`<${Waiting} lines=${4} />` : html`<${Empty}>It has no recipients yet. Add them as a CSV file.<//>`}
    ${simulation.problem && html`<${Trouble} problem=${simulation.problem} />`}
    <details open=${!at.totalRecipients}><summary>${at.totalRecipients ? "Replace the list by a CSV file" : "A CSV file of recipients"}</summary><${FilePicker} variables=${variables} picked=${picked} onPick=${pick} />${picked && html`<${Do} act=${act} onDo=${load}>Upload and check<//>`}</details>
    ${act.problem && html`<${Trouble} problem=${act.problem} />`}
    <div class="buttons"><${Do} kind="primary" act=${act} isDisabled=${!simulation.answer} onDo=${start}>${at.totalRecipients ? `Start: send to ${number(at.totalRecipients)}` : "Start"}<//></div>
  <//>`;
}

const CHECK_ENDED = ["DONE", "FAILED", "EXPIRED"];

// The check of an uploaded file, live, with the rows that were rejected.
function Imported({ path }) {
  const live = useLive(path, (answer) => (answer && CHECK_ENDED.includes(answer.status) ? 0 : 2));
  return html`<${Card} title="The file" aside=${live.answer && html`<${Status} status=${live.answer.status} />`}>
    <${Answer} live=${live}>${(of) => html`
      ${of.reason && html`<${Note} tone="bad"><b>${of.reason}</b><//>`}
      ${of.status === "CHECKING" && html`<p role="status">Every row is checked: ${number(of.rows)} so far.</p>`}
      <${Figures} label="Rows" items=${[{ label: "Rows", value: number(of.rows) }, { label: "Accepted", value: number(of.accepted), tone: "good" }, { label: "Rejected", value: number(of.rejected), tone: "bad" }, { label: "Twice on the list", value: number(of.duplicates), tone: "quiet" }]} />
      ${(of.firstErrors || []).length > 0 && html`<${Table} label="Rows that were not accepted" rows=${of.firstErrors} keyOf=${(row) => `${row.line}${row.field}`} columns=${[{ label: "Line", cell: (row) => number(row.line) }, { label: "Column", cell: (row) => row.field }, { label: "Why", isWide: true, cell: (row) => row.message }]} />`}
      ${(of.firstWarnings || []).length > 0 && html`<details><summary>${plural(of.warnings, "warning")}: accepted, but doubtful</summary><ul>${of.firstWarnings.map((row) => html`<li key=${row.line}>Line ${row.line}: ${row.message}</li>`)}</ul></details>`}
      ${of.errorsUrl && html`<p><a href=${of.errorsUrl}>All of them as a CSV file</a></p>`}`}<//>
  <//>`;
}

function Recipients({ path, hash, status, isLive }) {
  const pages = usePages(status);
  const live = useLive(`${path}/recipients${query({ status, limit: 25, cursor: pages.cursor })}`, isLive ? 3 : REST_SECONDS);
  const [chosen, choose] = useState(null);
  const card = useRef(null);
  useEffect(() => {
    if (status) card.current.scrollIntoView({ block: "start" });
  }, [status]);
  return html`<div ref=${card}><${Card} title="Recipients" aside=${html`<select aria-label="Status of recipients" value=${status} onChange=${(event) => go(`${hash}${query({ status: event.target.value })}`)}>${ROW_STATUSES.map((one) => html`<option key=${one} value=${one} selected=${one === status}>${one ? words(one) : "every status"}</option>`)}</select>`}>
    <${Answer} live=${live} lines=${5} isEmpty=${(answer) => !answer.items.length && !answer.nextCursor && pages.isFirst} empty=${html`<${Empty}>${status ? `No recipient is ${words(status)}.` : "It has no recipients yet."}<//>`}>
      ${(answer) => html`<${Table} label="Recipients, one a line" rows=${answer.items} keyOf=${(row) => row.key} columns=${[
        { label: "Phone", cell: (row) => html`<button type="button" class="link" aria-label=${`Line ${row.line}, ${row.recipient}: attempts`} onClick=${() => choose(row.key)}>${row.recipient}</button> <span class="soft">line ${number(row.line)}</span>` },
        { label: "Status", cell: (row) => html`<${Status} status=${row.status} />` },
        { label: "Since", cell: (row) => {
          const at = row.readAt || row.deliveredAt || row.sentAt || row.failedAt;
          return at && html`<${When} at=${at} />`;
        } },
        { label: "Error", isWide: true, cell: (row) => row.error && html`<span class="soft">${row.error.text || row.error.code}</span>` },
      ]} /><${Pager} pages=${pages} next=${answer.nextCursor} newer="Before" older="Next" />`}
    <//>
  <//>${chosen && html`<${Row} path="${path}/recipients/${chosen}" onClose=${() => choose(null)} />`}</div>`;
}

function Row({ path, onClose }) {
  const live = useLive(path, 3);
  return html`<${Dialog} title="One recipient" onClose=${onClose}>
    <${Answer} live=${live}>${(row) => html`<div class="stack">
      <${Facts} items=${[
        ["Phone", row.recipient], ["Status", html`<${Status} status=${row.status} />`], ["Line", number(row.line)],
        ...Object.entries(row.variables).map(([name, value]) => [`{{${name}}}`, String(value)]),
        ["Sent", row.sentAt && html`<${When} at=${row.sentAt} absolute />`], ["Delivered", row.deliveredAt && html`<${When} at=${row.deliveredAt} absolute />`], ["Read", row.readAt && html`<${When} at=${row.readAt} absolute />`], ["Failed", row.failedAt && html`<${When} at=${row.failedAt} absolute />`],
        ["Tried again", row.retryCount ? `${row.retryCount} of ${plural(row.maxRetries, "time")}` : null], ["Price", row.price ? price(row.price) : null],
      ]} />
      ${row.error && html`<${Note} tone="bad"><b>${row.error.text}</b> (${row.error.code}) ${row.error.isRetryable ? "A retry includes it." : "Refused for good."}<//>`}
      ${row.otherAttempts > 0 && html`<${Note} tone="warn">The provider reported on an earlier attempt too: perhaps there are two messages.<//>`}
      ${row.attempts.length > 0 && html`<h3>Earlier attempts</h3><ul class="list">${row.attempts.map((one) => html`<li key=${one.id}><span>${words(one.outcome)} <span class="soft"><${When} at=${one.at} absolute /></span></span></li>`)}</ul>`}</div>`}<//>
    <div class="buttons"><button type="button" onClick=${onClose}>Close</button></div>
  <//>`;
}
