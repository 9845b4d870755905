// All endpoints of webhooks: where events go, which ones, and how it goes.
import { html } from "../../vendor/preact.js";
import { may, useLive } from "../../api.js";
import { Answer, Card, Empty, Screen, Table, When } from "../../parts.js";
import { HOOKS, HookEvents, HookStatus, failingFor, hookName, useHeld, whyDisabled } from "./shared.js";

export function Hooks() {
  const live = useLive(HOOKS, 10);
  const create = may("admin") && html`<a class="button primary" href="#/hooks/new">New endpoint</a>`;
  return html`<${Screen} title="Webhooks" lead="Events, sent to your own servers by signed requests, and tried again for three days if they do not arrive." actions=${create}>
    <${Card} title="Endpoints">
      <${Answer} live=${live} lines=${5} isEmpty=${(answer) => !answer.items.length} empty=${html`<${Empty} act=${create}>No endpoint yet. It is a URL of yours that gets a signed request for each event it wants.${!create && " An admin creates them."}<//>`}>
        ${(answer) => html`<${Table} label="Endpoints" rows=${answer.items} keyOf=${(hook) => hook.id} columns=${HOOK_COLUMNS} />`}
      <//>
    <//>
  <//>`;
}

const HOOK_COLUMNS = [
  { label: "Endpoint", isWide: true, cell: (hook) => html`<a class="name" href="#/hooks/${hook.id}">${hookName(hook)}</a>${hook.description && html`<div class="soft">${hook.description}</div>`}` },
  { label: "Status", cell: (hook) => html`<${HookStatus} hook=${hook} /><div class="soft">${hook.status === "disabled" ? whyDisabled(hook) : hook.failing_since && `for ${failingFor(hook)}`}</div>` },
  { label: "Last success", cell: (hook) => (hook.last_success_at ? html`<${When} at=${hook.last_success_at} />` : html`<span class="soft">none yet</span>`) },
  { label: "Events", isWide: true, cell: (hook) => html`<${HookEvents} events=${hook.events} />` },
  { label: "Held", isNumber: true, cell: (hook) => html`<${Held} hook=${hook} />` },
];

function Held({ hook }) {
  return useHeld(hook).short || null;
}
