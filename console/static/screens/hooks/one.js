// One endpoint: how it goes, what can be done with it, and what became of each event.
import { html, useState } from "../../vendor/preact.js";
import { may, query, useAct, useLive, write } from "../../api.js";
import { Answer, Card, Do, Empty, Facts, Note, Pager, Screen, Table, Tabs, Trouble, When, go, usePages } from "../../parts.js";
import { Asked, Field, Filled, Select, Tick, numberOf, useForm } from "../../forms.js";
import { plural, sentence } from "../../format.js";
import { DeliveryStatus, EventPicker, HOOKS, HookEvents, HookFields, HookSecret, HookStatus, hookName, hookTerms, useHeld, whyDisabled } from "./shared.js";

const DELIVERY_STATUSES = ["", "waiting", "sending", "delivered", "failed", "held"];
const DAY_MS = 86_400_000;
const KEPT_DAYS = 30;

export function Hook({ id, asked }) {
  const path = `${HOOKS}/${encodeURIComponent(id)}`;
  const live = useLive(path, 5);
  const hook = live.answer;
  const act = useAct();
  const [said, say] = useState("");
  return html`<${Screen} title=${hook ? hookName(hook) : "Endpoint"} back=${["#/hooks", "Webhooks"]} id=${id} lead=${hook && hook.description} status=${hook && html`<${HookStatus} hook=${hook} />`} actions=${hook && may("admin") && html`<${HookActions} hook=${hook} path=${path} act=${act} say=${say} />`}>
    ${act.problem && html`<${Trouble} problem=${act.problem} />`}
    <${Answer} live=${live} lines=${6}>${(of) => html`
      <${HookState} hook=${of} />
      <${Card} title="Terms" aside=${html`${may("admin") ? html`<${HookEdit} hook=${of} path=${path} />` : "An admin changes them."}<a class="button small" href="#/audit/${id}">Audit trail</a>`}>
        <${Facts} items=${[
          ["Events", html`<${HookEvents} events=${of.events} />`], ["Last success", of.last_success_at ? html`<${When} at=${of.last_success_at} />` : "none yet"],
          ["Secret", of.generation > 1 ? `rotated ${plural(of.generation - 1, "time")}` : "never rotated"], ["Old secret signs until", signsAlong(of) ? html`<${When} at=${of.old_signs_until} absolute />` : null],
          ["Created", html`<${When} at=${of.created_at} absolute />`], ["Created by", of.created_by],
        ]} />
      <//>
      <${Deliveries} hook=${of} path=${path} status=${asked.status || ""} said=${said} say=${say} />`}
    <//>
  <//>`;
}

// Why it gets nothing, or may get it late.
function HookState({ hook }) {
  const { text } = useHeld(hook);
  if (hook.status === "disabled") return html`<${Note} tone=${hook.disabled_reason === "by hand" ? "info" : "bad"}><b>Disabled: ${whyDisabled(hook)}.</b> ${text} What comes meanwhile is held for ${KEPT_DAYS} days, and can be sent once it is enabled.<//>`;
  if (hook.failing_since) return html`<${Note} tone="warn"><b>It has not answered well since <${When} at=${hook.failing_since} absolute />.</b> ${hook.next_probe_at ? html`The next attempt is <${When} at=${hook.next_probe_at} />; other deliveries wait for it.` : ""} After five days of failures it is disabled.<//>`;
  return null;
}

function HookActions({ hook, path, act, say }) {
  const [asked, ask] = useState("");
  const close = () => ask("");
  const test = async () => {
    await write("POST", `${path}/test`);
    say("The event hook.test is on its way, by the way that all events take: it stands below in a moment.");
  };
  const remove = async () => {
    await write("DELETE", path);
    go("/hooks");
  };
  return html`
    ${hook.status === "enabled"
      ? html`<${Do} act=${act} kind="primary" onDo=${test}>Test<//><button type="button" onClick=${() => ask("disable")}>Disable</button>`
      : html`<button type="button" class="primary" onClick=${() => ask("enable")}>Enable</button>`}
    <button type="button" onClick=${() => ask("rotate")}>Rotate the secret</button>
    <button type="button" class="warn" onClick=${() => ask("delete")}>Delete</button>
    ${asked === "disable" && html`<${Asked} title="Disable this endpoint?" verb="Disable it" onClose=${close} onDo=${() => write("PATCH", path, { status: "disabled" })}>
      <p>After the answer no request begins. One that has begun may end within 15 seconds.</p><ul><li>Events that come meanwhile are held for ${KEPT_DAYS} days.</li><li>They can be sent when it is enabled again.</li></ul>
    <//>`}
    ${asked === "enable" && html`<${Enabling} hook=${hook} path=${path} say=${say} onClose=${close} />`}
    ${asked === "rotate" && html`<${Rotating} hook=${hook} path=${path} onClose=${close} />`}
    ${asked === "delete" && html`<${Asked} title="Delete this endpoint?" verb="Delete it" isDanger onClose=${close} onDo=${remove}>
      <p>It gets nothing more, and what is on its way or held is dropped.</p><ul><li>Its secret is worth nothing then; a new endpoint has a new one.</li><li>Its audit trail stays.</li></ul>
    <//>`}`;
}

function Enabling({ hook, path, say, onClose }) {
  const form = useForm({ replay: true });
  const { text } = useHeld(hook);
  const enable = async () => {
    const { held } = await write("POST", `${path}/enable`);
    const isSent = held > 0 && form.values.replay;
    if (isSent) await write("POST", `${path}/replay`, rangeOf(0, Date.now() + DAY_MS, "held"));
    say(`It is enabled. ${isSent ? `${plural(held, "held delivery is", "held deliveries are")} sent now.` : held ? `${plural(held, "held delivery stays", "held deliveries stay")} held: “Replay a range” sends them.` : "Nothing was held."}`);
  };
  return html`<${Filled} title="Enable this endpoint?" verb="Enable it" form=${form} onSave=${enable} onClose=${onClose}>
    <div class="will"><p>It gets events from now on. ${text}</p></div>
    <${Tick} label="Send what was held, too" hint="With the first ids, the oldest first, at most 1,000." ...${form.bind("replay")} />
  <//>`;
}

function Rotating({ hook, path, onClose }) {
  const form = useForm({ hours: "24" });
  const [made, setMade] = useState(null);
  const rotate = async () => {
    setMade(await write("POST", `${path}/rotate`, { overlap_hours: numberOf(form.values.hours) ?? undefined }));
    return true;
  };
  return html`<${Filled} title=${made ? "The new secret" : "Rotate the secret?"} verb=${!made && "Make a new secret"} keep=${made ? "I have copied it" : undefined} form=${form} onSave=${rotate} onClose=${onClose}>
    ${made ? html`<${HookSecret} secret=${made.secret} />` : html`<div class="will"><p>Requests are signed by both secrets for some time, so that the receiver can change over without losing one.</p></div>
    <${Field} label="Hours for which the old one signs, too" isNumber hint="0 to 168. With 0 the old one signs nothing from now on." ...${form.bind("hours", "overlap_hours")} />
    ${signsAlong(hook) && html`<${Note} tone="warn"><b>The secret before the present one signs, too, until <${When} at=${hook.old_signs_until} absolute />.</b> It signs nothing once there is a new one: change the receiver over first.<//>`}`}
  <//>`;
}

function signsAlong(hook) {
  return Boolean(hook.old_signs_until) && new Date(hook.old_signs_until) > new Date();
}

function HookEdit({ hook, path }) {
  const [isOpen, open] = useState(false);
  return html`<button type="button" class="small" onClick=${() => open(true)}>Edit</button>${isOpen && html`<${HookForm} hook=${hook} path=${path} onClose=${() => open(false)} />`}`;
}

function HookForm({ hook, path, onClose }) {
  const form = useForm({ url: hook.url, description: hook.description, all: hook.events.length ? "no" : "yes", events: hook.events });
  return html`<${Filled} title="Edit the endpoint" verb="Save" form=${form} onSave=${async () => { await write("PATCH", path, hookTerms(form.values, hook)); }} onClose=${onClose}>
    <${HookFields} form=${form}>${form.values.all === "no" && html`<${EventPicker} form=${form} />`}<//>
  <//>`;
}

function Deliveries({ hook, path, status, said, say }) {
  const pages = usePages(status);
  const live = useLive(`${path}/deliveries${query({ status, limit: 20, cursor: pages.cursor })}`, 5);
  const [isAsked, ask] = useState(false);
  const at = (of) => `#/hooks/${hook.id}${query({ status: of })}`;
  const range = may("admin") && html`<button type="button" class="small" disabled=${hook.status === "disabled"} onClick=${() => ask(true)}>Replay a range</button>`;
  return html`<${Card} title="Deliveries" aside=${range}>
    <div class="said" aria-live="polite">${said && html`<${Note} tone="good">${said}<//>`}</div>
    <${Tabs} label="Status" current=${at(status)} items=${DELIVERY_STATUSES.map((of) => [at(of), of ? sentence(of) : "All"])} />
    <${Answer} live=${live} lines=${6} isEmpty=${(answer) => !answer.items.length && pages.isFirst} empty=${html`<${Empty}>${status ? `No delivery is ${status}.` : "Nothing was delivered yet. Each event that it wants stands here, with what became of it."}<//>`}>
      ${(answer) => html`<${Table} label="Deliveries" isBrief rows=${answer.items} keyOf=${(of) => of.id} columns=${[
        { label: "Event", isWide: true, cell: (of) => html`<a class="name" href="#/hooks/${hook.id}/deliveries/${of.id}">${of.event_type}</a>` },
        { label: "Status", cell: (of) => html`<${DeliveryStatus} status=${of.status} /><div class="soft">${of.wake_at && html`next <${When} at=${of.wake_at} />`}</div>` },
        { label: "Attempts", cell: (of) => plural(of.attempts, "attempt") },
        { label: "Happened", cell: (of) => html`<${When} at=${of.event_at} />` },
      ]} /><${Pager} pages=${pages} next=${answer.next_cursor} />`}
    <//>
    ${isAsked && html`<${Replaying} path=${path} say=${say} onClose=${() => ask(false)} />`}
  <//>`;
}

function rangeOf(from, to, status) {
  // What is left out the API asks for.
  const [begin, end] = [from, to].map((at) => (at === "" ? undefined : new Date(at).toISOString()));
  return { from: begin, to: end, status };
}

// A moment as a field of type datetime-local has it: in the browser's own time zone.
function localOf(at) {
  return new Date(at - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

function Replaying({ path, say, onClose }) {
  const form = useForm({ from: localOf(Date.now() - DAY_MS), to: localOf(Date.now() + 60_000), status: "failed" });
  const { from, to, status } = form.values;
  const replay = async () => {
    await write("POST", `${path}/replay`, rangeOf(from, to, status));
    say("The replay has begun: what it sends again waits below.");
  };
  return html`<${Filled} title="Replay a range" verb="Send them again" form=${form} onSave=${replay} onClose=${onClose}>
    <div class="will"><p>Events of a time are sent again, at most 1,000, each with its first id, so that the receiver knows what it has.</p></div>
    <${Select} label="Deliveries that are" options=${["failed", "held", "delivered", "waiting"].map((of) => [of, sentence(of)])} ...${form.bind("status")} />
    <${Field} label="From" type="datetime-local" ...${form.bind("from")} />
    <${Field} label="Until before" type="datetime-local" ...${form.bind("to")} />
    ${status === "delivered" && html`<${Note} tone="warn">The receiver gets these a second time.<//>`}
    ${status === "waiting" && html`<${Note} tone="info">They are tried now, instead of at their next time. While the endpoint is failing they wait again: send a test first.<//>`}
  <//>`;
}
