// Templates: texts that broadcasts share, with their versions.
import { html, useState } from "../../vendor/preact.js";
import { query, useLive, write } from "../../api.js";
import { Answer, Card, Empty, Facts, Pager, Status, When, usePages } from "../../parts.js";
import { Area, Asked, Field, Filled, Select, useForm } from "../../forms.js";
import { sentence } from "../../format.js";
import { Section, useNumbers } from "./section.js";

const CATEGORIES = ["marketing", "utility", "authentication", "service"];

export function Templates({ asked }) {
  const owner = asked.owner || "";
  const pages = usePages(owner);
  const live = useLive(`api/templates${query({ owner, limit: 50, cursor: pages.cursor })}`, 30);
  const [opened, open] = useState(null);
  const close = () => open(null);
  const create = !owner && html`<button type="button" class="primary" onClick=${() => open(["edit", {}])}>New template</button>`;
  const [what, of] = opened || [];
  return html`<${Section} title="Templates" at="templates" owner=${owner} actions=${create}>
    <${Answer} live=${live} lines=${5} isEmpty=${(answer) => !answer.items.length && pages.isFirst} empty=${html`<${Card}><${Empty} act=${create}>No template yet. A template is a text that several broadcasts share; at Meta and AWS it stands for an approved one.<//><//>`}>
      ${(answer) => html`<div class="columns">${answer.items.map((one) => html`<${Card} key=${one.id} title=${one.name} aside=${html`<span>version ${one.version}</span>${one.approval && html`<${Status} status=${one.approval} />`}`}>
        <p class="bubble">${one.text}</p>
        <${Facts} items=${[["Category", sentence(one.category)], ["Language", one.language], ["At the provider", one.providerName], ["Read there", one.syncedAt && html`<${When} at=${one.syncedAt} />`], ["Changed", html`<${When} at=${one.updatedAt} />`]]} />
        <div class="buttons">${one.providerName && html`<button type="button" onClick=${() => open(["sync", one])}>Sync</button>`}<button type="button" onClick=${() => open(["edit", one])}>New version</button><button type="button" class="warn" onClick=${() => open(["delete", one])}>Delete</button></div>
      <//>`)}</div><${Pager} pages=${pages} next=${answer.next_cursor} newer="Before" older="Next" />`}
    <//>
    ${what === "edit" && html`<${TemplateForm} of=${of} onClose=${close} />`}
    ${what === "sync" && html`<${SyncForm} of=${of} onClose=${close} />`}
    ${what === "delete" && html`<${Asked} title="Delete ${of.name}?" verb="Delete" isDanger onClose=${close} onDo=${() => write("DELETE", `api/templates/${of.id}`)}><p>All its versions are removed. Broadcasts that ended keep the text they sent; it is refused while one with it has not ended.</p><//>`}
  <//>`;
}

function TemplateForm({ of, onClose }) {
  const form = useForm({ name: of.name || "", text: of.text || "", category: of.category || "marketing", language: of.language || "en", providerName: of.providerName || "", parameters: (of.parameters || []).join(", "), header: (of.header || []).join(", ") });
  const { values, bind } = form;
  const named = (text) => text.split(/[\s,;]+/).filter(Boolean);
  const body = { ...values, providerName: values.providerName || null, parameters: named(values.parameters), header: named(values.header) };
  return html`<${Filled} title=${of.id ? `New version of ${of.name}` : "New template"} verb=${of.id ? "Save the version" : "Create"} form=${form} onClose=${onClose} onSave=${() => (of.id ? write("PUT", `api/templates/${of.id}`, body) : write("POST", "api/templates", body))}>
    <${Field} label="Name" ...${bind("name")} />
    <${Area} label="Text" ...${bind("text")} rows=${5} hint="{{name}} is filled in for each person; {{name|friend}} has a word for those without." />
    <div class="pair"><${Select} label="Category" ...${bind("category")} options=${CATEGORIES.map((one) => [one, sentence(one)])} /><${Field} label="Language" ...${bind("language")} hint="en, or pt_BR" /></div>
    <details><summary>At Meta or AWS</summary>
      <${Field} label="Its name there" ...${bind("providerName")} />
      <${Field} label="Variables of its text, in order" ...${bind("parameters")} placeholder="name, city" />
      <${Field} label="Variables of its header" ...${bind("header")} />
    </details>
  <//>`;
}

function SyncForm({ of, onClose }) {
  const numbers = useNumbers(of.userId);
  const form = useForm({ instanceId: "", accountId: "" });
  const found = (numbers.answer ? numbers.answer.items : []).filter((one) => one.provider === "meta");
  return html`<${Filled} title="Read ${of.name} at Meta" verb="Read it" form=${form} onClose=${onClose} onSave=${async () => { await write("POST", `api/templates/${of.id}/sync`, form.values); }}>
    <${Select} label="Number at Meta" ...${form.bind("instanceId")} options=${[["", found.length ? "Choose one" : "There is none at Meta"], ...found.map((one) => [one.id, one.name])]} />
    <${Field} label="Id of the WhatsApp business account" isNumber ...${form.bind("accountId")} />
  <//>`;
}
