// What was done, by whom, and what it changed; and whether the chain of entries of one entity is whole.
import { html, useState } from "../vendor/preact.js";
import { call, query, useAct, useLive } from "../api.js";
import { linkTo } from "../links.js";
import { Answer, Card, Do, Empty, Facts, Id, Note, Pager, Screen, Trouble, When, go, usePages } from "../parts.js";
import { Field } from "../forms.js";
import { action, number, plural, words } from "../format.js";

export function Audit({ entity = "", asked }) {
  const wanted = asked.action || "";
  const pages = usePages(`${entity} ${wanted}`);
  const live = useLive(`api/admin/audit${query({ entity, action: wanted, limit: 25, cursor: pages.cursor })}`, 10);
  const isFiltered = Boolean(entity || wanted);
  const screen = entity && linkTo(entity);
  return html`<${Screen} title="Audit" id=${entity} back=${entity ? ["#/audit", "All entries"] : null} lead=${entity ? "" : "Each entry carries the hash of the one before it, so that an edit or a removal is found."} actions=${screen && !screen.startsWith("#/audit") && html`<a class="button" href=${screen}>Open its screen</a>`}>
    ${entity && html`<${AuditChain} entity=${entity} />`}
    <${Card} title="Entries">
      <${AuditFilter} key=${`${entity} ${wanted}`} entity=${entity} wanted=${wanted} known=${live.answer ? live.answer.items : []} />
      <${Answer} live=${live} lines=${8} isEmpty=${(answer) => !answer.items.length && pages.isFirst} empty=${isFiltered
        ? html`<${Empty} act=${html`<a class="button" href="#/audit">Show all entries</a>`}>No entry is of ${entity ? `the entity ${entity}` : "any entity"}${wanted && ` with the action ${wanted}`}.<//>`
        : html`<${Empty} act=${html`<a class="button" href="#/boosts/new">Create a boost</a>`}>Nothing was done yet. What people and workers do is written here.<//>`}>
        ${(answer) => html`<${AuditEntries} key=${`${entity} ${wanted} ${pages.cursor}`} items=${answer.items} isOfOne=${Boolean(entity)} /><${Pager} pages=${pages} next=${answer.next_cursor} />`}
      <//>
    <//>
  <//>`;
}

function AuditFilter({ entity, wanted, known }) {
  const [values, setValues] = useState({ entity, wanted });
  const bind = (name) => ({ name, value: values[name], onValue: (value) => setValues({ ...values, [name]: value }) });
  const enter = (event) => {
    event.preventDefault();
    const of = values.entity.trim();
    go(`/audit${of && `/${encodeURIComponent(of)}`}${query({ action: values.wanted.trim() })}`);
  };
  return html`<form class="filter" role="search" onSubmit=${enter}>
    <${Field} label="Entity" placeholder="bst_01M8…, platform" spellcheck="false" ...${bind("entity")} />
    <${Field} label="Action" placeholder="FAKE_VIEWS_CAMPAIGN_STARTED" spellcheck="false" list="actions" ...${bind("wanted")} />
    <datalist id="actions">${[...new Set(known.map((entry) => entry.action))].sort().map((name) => html`<option key=${name} value=${name}>${action(name)}</option>`)}</datalist>
    <button type="submit">Filter</button>
  </form>`;
}

// An open entry stays, and stays open, when newer ones push it off the page.
function AuditEntries({ items, isOfOne }) {
  const [opened, setOpened] = useState([]);
  const toggle = (entry, isOpen) => setOpened((before) => [...before.filter((of) => of.id !== entry.id), ...(isOpen ? [entry] : [])]);
  const pushed = opened.filter((entry) => !items.some((of) => of.id === entry.id)).sort((one, other) => (one.id < other.id ? 1 : -1));
  return html`<ul class="entries">${[...items, ...pushed].map((entry) => html`<${AuditEntry} key=${entry.id} entry=${entry} isOfOne=${isOfOne} onToggle=${toggle} />`)}</ul>`;
}

function AuditEntry({ entry, isOfOne, onToggle }) {
  return html`<li><details onToggle=${(event) => onToggle(entry, event.currentTarget.open)}>
    <summary><span class="what"><b>${action(entry.action)}</b> <span class="soft">by ${entry.actor}</span></span>${!isOfOne && html`<span class="id" title=${entry.entity}>${entry.entity}</span>`}<span class="soft"><${When} at=${entry.at} /></span></summary>
    ${entry.unreadable.length > 0 && html`<${Note} tone="bad"><b>Edited:</b> ${entry.unreadable.join(", ")} can no longer be read.<//>`}
    <${AuditChanges} entry=${entry} />
    <${Facts} items=${[
      ["Entity", html`<${Id} id=${entry.entity} href=${linkTo(entry.entity)} />`],
      ["Number", !isOfOne ? html`<a href="#/audit/${encodeURIComponent(entry.entity)}">${number(entry.number)} of its entries</a>` : number(entry.number)],
      ["Action", html`<code>${entry.action}</code>`],
      ["At", html`<${When} at=${entry.at} absolute />`],
      ["Hash", html`<${Id} id=${entry.hash} />`],
      ["Hash before", entry.previous_hash ? html`<${Id} id=${entry.previous_hash} />` : "none: it is the first"],
    ]} />
  </details></li>`;
}

const auditValue = (value) => (value === undefined || value === null ? "–" : typeof value === "number" ? number(value) : typeof value === "string" ? value : JSON.stringify(value));

// Side by side what changed, and nothing else.
function AuditChanges({ entry }) {
  const [before, after] = [entry.before || {}, entry.after || {}];
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]));
  if (!names.length) return html`<p class="soft">It changed none of the fields that an entry keeps.</p>`;
  return html`<div class="scroll" role="region" tabindex="0" aria-label="What changed"><table class="plain">
    <thead><tr><th scope="col">Field</th><th scope="col">Before</th><th scope="col">After</th></tr></thead>
    <tbody>${names.map((name) => html`<tr key=${name}><th scope="row">${words(name)}</th><td class="was">${auditValue(before[name])}</td><td>${auditValue(after[name])}</td></tr>`)}</tbody>
  </table></div>`;
}

function AuditChain({ entity }) {
  const act = useAct();
  const [found, setFound] = useState(null);
  const verify = async () => setFound({ ...await call("GET", `api/admin/audit/${encodeURIComponent(entity)}/verify`), at: new Date().toISOString() });
  return html`<${Card} title="The chain" aside=${html`<${Do} act=${act} kind="small" onDo=${verify}>Verify the chain<//>`}>
    ${act.problem && html`<${Trouble} problem=${act.problem} />`}
    <div aria-live="polite">${found
      ? html`<${Note} tone=${found.valid ? "good" : "bad"}><b>${found.valid ? `All ${plural(found.entries, "entry", "entries")} are as they were written.` : `The chain does not hold: ${found.problem}`}</b> <span class="soft">Checked <${When} at=${found.at} />.</span>
        ${found.rolled_back.length > 0 && html`<ul>${found.rolled_back.map((of) => html`<li key=${of.from}>A restore of the tables rolled back the entries ${number(of.from)} to ${number(of.to)}; entry ${number(of.bridged_by)} says so.</li>`)}</ul>`}<//>`
      : html`<p class="soft">Verify computes the hash of every entry again, and finds the first that was edited, removed, added or cut off.</p>`}</div>
  <//>`;
}
