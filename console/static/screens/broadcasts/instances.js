// Numbers at providers: what broadcasts are sent by.
import { html, useState } from "../../vendor/preact.js";
import { call, may, query, useAct, write } from "../../api.js";
import { Answer, Card, Copied, Do, Empty, Facts, Note, Trouble } from "../../parts.js";
import { Area, Asked, Choice, Field, Filled, numberOf, useForm } from "../../forms.js";
import { number, words } from "../../format.js";
import { makeSandbox } from "./new.js";
import { Section, micros, price, useNumbers } from "./section.js";

// What each provider needs: the words for its address, and its credentials as [field, label, hint].
const PROVIDERS = {
  sandbox: { label: "Sandbox", address: "Any name", hint: "It sends nothing, and answers as a provider does.", credentials: [] },
  evolution: { label: "Evolution", address: "Instance's name on the server", hint: "Your own Evolution server, version 2.3.", credentials: [["apiKey", "API key of the instance"], ["jwtKey", "Key of its webhooks", "At least 32 characters; the server's webhook has the same."]] },
  meta: { label: "Meta", address: "Phone number id", hint: "Meta's Cloud API.", credentials: [["accessToken", "Access token"], ["appSecret", "App secret"], ["verifyToken", "Verify token", "A word of yours; the app's webhook has the same."]] },
  aws: { label: "AWS", address: "Phone number id", hint: "AWS End User Messaging Social. The platform's own role sends; an operator creates it.", credentials: [] },
};

export function Instances({ asked }) {
  const owner = asked.owner || "";
  const live = useNumbers(owner);
  const [edited, edit] = useState(null);
  const act = useAct();
  const sandbox = html`<${Do} act=${act} onDo=${makeSandbox}>Create a sandbox number<//>`;
  const create = html`<button type="button" class="primary" onClick=${() => edit({})}>New number</button>`;
  return html`<${Section} title="Numbers" at="instances" owner=${owner} actions=${create}>
    ${act.problem && html`<${Trouble} problem=${act.problem} />`}
    <${Answer} live=${live} lines=${5} isEmpty=${(answer) => !answer.items.length} empty=${html`<${Card}><${Empty} act=${owner ? null : sandbox}>No number yet. The sandbox needs nothing, and sends nothing to anybody.<//><//>`}>
      ${(answer) => html`<div class="columns">${answer.items.map((of) => html`<${Instance} key=${of.id} of=${of} onEdit=${() => edit(of)} />`)}</div>`}
    <//>
    ${edited && html`<${InstanceForm} of=${edited} owner=${owner} onClose=${() => edit(null)} />`}
  <//>`;
}

function Instance({ of, onEdit }) {
  const [tested, setTested] = useState(null);
  const [isAsked, ask] = useState(false);
  const act = useAct();
  const test = async () => setTested(await call("POST", `api/instances/${of.id}/test`));
  return html`<${Card} title=${of.name} aside=${PROVIDERS[of.provider].label}>
    <${Facts} items=${[
      ["Address", of.address], ["Pace", `${number(of.rateLimit)} a minute`], ["In any 24 hours", of.dailyLimit === null ? "no limit" : number(of.dailyLimit)],
      ["A message", of.pricePerMessage ? price(of.pricePerMessage, of.currency) : of.prices.length ? `${of.prices.length} prices` : "no price set"], ["Time zone", of.timeZone],
      ["Server", of.baseUrl], ["Credentials", PROVIDERS[of.provider].credentials.length ? (of.hasCredentials ? "kept, never shown" : "missing") : null],
    ]} />
    ${of.webhookUrl && html`<div class="facts"><div class="whole"><dt>Webhooks go to</dt><dd><${Copied} text=${of.webhookUrl} /></dd></div></div>`}
    ${tested && html`<${Note} tone=${tested.works ? "good" : tested.works === false ? "bad" : "info"}>${tested.message || (tested.works ? "It works." : "It does not work.")}<//>`}
    ${act.problem && html`<${Trouble} problem=${act.problem} />`}
    <div class="buttons"><${Do} act=${act} onDo=${test}>Test<//><button type="button" onClick=${onEdit}>Edit</button><button type="button" class="warn" onClick=${() => ask(true)}>Delete</button></div>
    ${isAsked && html`<${Asked} title="Delete ${of.name}?" verb="Delete" isDanger onClose=${() => ask(false)} onDo=${() => write("DELETE", `api/instances/${of.id}`)}><p>Its credentials are removed, and its number is free for another one.</p><ul><li>It is refused while a broadcast on it has not ended.</li><li>Broadcasts that ended stay as they are.</li></ul><//>`}
  <//>`;
}

function InstanceForm({ of, owner, onClose }) {
  const isNew = !of.id;
  const plain = (amount) => (amount === null || amount === undefined ? "" : String(amount / 1e6));
  const form = useForm({ provider: of.provider || "sandbox", name: of.name || "", address: of.address || "", baseUrl: of.baseUrl || "", rateLimit: of.rateLimit || 60, dailyLimit: of.dailyLimit || "", pricePerMessage: plain(of.pricePerMessage), currency: of.currency || "USD", timeZone: of.timeZone || Intl.DateTimeFormat().resolvedOptions().timeZone, prices: (of.prices || []).map((one) => `${one.country} ${one.category} ${plain(one.price)} ${one.from}`).join("\n") });
  const { values, bind } = form;
  const provider = PROVIDERS[values.provider];
  const given = provider.credentials.filter(([name]) => values[name]);
  const credentials = given.length ? { credentials: Object.fromEntries(given.map(([name]) => [name, values[name]])) } : {};
  const prices = values.prices.split("\n").filter((line) => line.trim()).map((line) => {
    const [country, category, cost, from] = line.trim().split(/[\s,;]+/);
    return { country, category, price: micros(cost || ""), from };
  });
  const body = {
    name: values.name, address: values.address, rateLimit: numberOf(values.rateLimit), dailyLimit: numberOf(values.dailyLimit), timeZone: values.timeZone, prices,
    ...(may("operator") ? { pricePerMessage: micros(values.pricePerMessage) } : {}), ...(values.provider === "evolution" ? { baseUrl: values.baseUrl } : {}), ...credentials,
  };
  const save = () => (isNew
    ? write("POST", `api/instances${query({ owner })}`, { ...body, provider: values.provider, currency: values.currency })
    : write("PUT", `api/instances/${of.id}`, Object.fromEntries(Object.entries(body).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(of[name])))));
  return html`<${Filled} title=${isNew ? "New number" : `Edit ${of.name}`} verb=${isNew ? "Create" : "Save"} form=${form} onSave=${save} onClose=${onClose}>
    ${isNew && html`<${Choice} label="Provider" ...${bind("provider")} options=${Object.entries(PROVIDERS).map(([name, one]) => [name, one.label])} />`}
    <p class="soft field">${provider.hint}</p>
    <${Field} label="Name" ...${bind("name")} />
    <${Field} label=${provider.address} ...${bind("address")} />
    ${values.provider === "evolution" && html`<${Field} label="Server" type="url" placeholder="https://evolution.example.com" ...${bind("baseUrl")} />`}
    ${provider.credentials.map(([name, label, hint]) => html`<${Field} key=${name} label=${label} type="password" ...${bind(name, `credentials.${name}`)} autocomplete="new-password" value=${values[name] || ""} hint=${isNew ? hint : "Empty: as it is. New ones replace all that are there."} />`)}
    <div class="pair"><${Field} label="Messages a minute" isNumber ...${bind("rateLimit")} /><${Field} label="In any 24 hours" isNumber ...${bind("dailyLimit")} hint="Empty: no limit." /></div>
    <div class="pair">${may("operator") && html`<${Field} label="Price of a message" inputmode="decimal" ...${bind("pricePerMessage")} hint="Where no line below fits." />`}${isNew && html`<${Field} label="Currency" ...${bind("currency")} maxlength="3" />`}<${Field} label="Time zone" ...${bind("timeZone")} /></div>
    <${Area} label="Prices by country" rows=${2} placeholder="BR marketing 0.0625 2026-11-01" hint="One a line: country, category, price, from which day." ...${bind("prices")} wrong=${form.problem ? form.problem.errors.filter((error) => error.field.startsWith("prices")).map((error) => `${words(error.field)}: ${error.message}`).join(" ") : ""} />
  <//>`;
}
