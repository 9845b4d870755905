// What the screens of webhooks share: an endpoint's state in words, which events it wants, and a secret that is shown once.
import { html } from "../../vendor/preact.js";
import { Problem, useLive } from "../../api.js";
import { Copied, Note, Status } from "../../parts.js";
import { Choice, Field, Tick } from "../../forms.js";
import { duration, number, plural, sentence } from "../../format.js";

export const HOOKS = "api/admin/hooks";

// All types of events, by context, as receivers see them: a test compares them with docs/architecture.md.
const EVENT_TYPES = {
  boost: "created started paused resumed cancelled revert_started reverted completed failed",
  broadcast: "created edited started resumed retried deleted pausing cancelling paused cancelled campaign_completed failed message_sent message_failed quota_warning quota_reached budget_warning budget_reached instance_created instance_changed instance_deleted template_created template_changed template_deleted limits_changed",
  sponsorship: "created started paused resumed cancelled keys_loaded closing closed participation_joined campaign_completion_check participation_settling participation_held participation_review participation_completed key_unlocked participation_expired rejection_proposed participation_rejected impressions_voided tally_corrected adjustment_proposed adjustment_approved adjustment_rejected refund_proposed refund_paid detector_gap_found",
  promotion: "created started cancelled rolled_back resumed settled campaign_publish_content campaign_publish_do_sm_transaction campaign_publish_second_content campaign_close_operation campaign_rate_updated campaign_budget_refund campaign_closed campaign_publish_error campaign_contract_error campaign_closing_error exception_made exception_removed",
  view: "import_created import_started import_completed import_failed adjusted content_registered content_changed",
  wallet: "deposited withdrawn",
  platform: "stopped resumed",
  hook: "created changed rotated enabled deleted disabled tested replayed",
};
const CONTEXT_NAMES = { platform: "Platform", hook: "Webhooks" };
const WHY_DISABLED = { "by hand": "by hand", gone: "it answered 410 Gone", failing: "it failed for five days" };

export const isBroken = (hook) => (hook.status === "disabled" ? hook.disabled_reason !== "by hand" : Boolean(hook.failing_since));

export function whyDisabled(hook) {
  return WHY_DISABLED[hook.disabled_reason] || hook.disabled_reason;
}

export function failingFor(hook) {
  return duration((Date.now() - new Date(hook.failing_since)) / 1000);
}

export function hookName(hook) {
  return hook.url.replace(/^https?:\/\//, "");
}

export function HookStatus({ hook }) {
  return hook.status === "enabled" && hook.failing_since
    ? html`<${Status} status="failing" tone="warn" />`
    : html`<${Status} status=${hook.status} tone=${hook.status === "enabled" ? "good" : isBroken(hook) ? "bad" : "quiet"} />`;
}

export function HookEvents({ events }) {
  return events.length ? events.map((name, place) => html`${place > 0 && ", "}<code key=${name}>${name}</code>`) : "All";
}

// How many deliveries a disabled endpoint holds: a list of endpoints does not say it.
export function useHeld(hook) {
  const { answer } = useLive(hook.status === "disabled" && hook.held === undefined ? `${HOOKS}/${hook.id}` : null, 30);
  const { held } = answer || hook;
  return held === undefined ? {} : { short: number(held), text: `${plural(held, "delivery is", "deliveries are")} held.` };
}

// The terms as a form has them: `events` counts if not `all` are wanted. `before`: the endpoint that is changed.
export function hookTerms({ url, description, all, events }, before = {}) {
  // Without this, nothing chosen would mean all.
  if (all === "no" && !events.length) throw new Problem(400, { errors: [{ field: "events", message: "Choose at least one." }] });
  const about = description.trim();
  return { url: url.trim(), description: about || before.description ? about : undefined, events: all === "yes" ? [] : events };
}

export function HookFields({ form, children }) {
  return html`
    <${Field} label="URL" type="url" spellcheck="false" placeholder="https://example.com/hooks" hint="https, on port 443. Each event is a POST to it." ...${form.bind("url")} />
    <${Field} label="Description (optional)" maxlength="200" ...${form.bind("description")} />
    <${Choice} label="Events" ...${form.bind("all", "events")} options=${[["yes", "All"], ["no", "Only some"]]} />
    ${children}`;
}

// Events by context: all of it, also those to come, or single types.
export function EventPicker({ form }) {
  const { events } = form.values;
  const change = (without, more) => form.set("events", [...events.filter((of) => !without.includes(of)), ...more]);
  return html`<div class="types">${Object.entries(EVENT_TYPES).map(([context, text]) => {
    const names = text.split(" ").map((name) => `${context}.${name}`);
    const every = `${context}.*`;
    const some = names.filter((name) => events.includes(name)).length;
    const title = CONTEXT_NAMES[context] || `${sentence(context)}s`;
    return html`<div key=${context} role="group" aria-label=${title}>
      <${Tick} label=${title} hint=${`${every}, also those to come`} value=${events.includes(every)} onValue=${(isOn) => change([every, ...names], isOn ? [every] : [])} />
      ${!events.includes(every) && html`<details><summary>${some ? `${number(some)} of ` : ""}${plural(names.length, "type")}</summary>
        ${names.map((name) => html`<${Tick} key=${name} label=${html`<code>${name.split(".")[1]}</code>`} value=${events.includes(name)} onValue=${(isOn) => change([name], isOn ? [name] : [])} />`)}
      </details>`}
    </div>`;
  })}</div>`;
}

export function HookSecret({ secret }) {
  return html`<div class="stack"><${Note} tone="warn"><b>The secret is shown now, and never again.</b> Copy it to where the receiver keeps its secrets.<//>
    <p><${Copied} text=${secret} /></p>
    <p class="soft">The receiver checks the signature of each request by it, with a library of <a href="https://www.standardwebhooks.com/" target="_blank" rel="noopener">Standard Webhooks</a>. docs/webhooks.md has one in Python and one in Node, and <code>sluice hooks verify-signature</code> checks a single request.</p></div>`;
}

export function DeliveryStatus({ status }) {
  return html`<${Status} status=${status} tone=${status === "waiting" ? "live" : undefined} />`;
}
