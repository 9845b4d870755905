// A new broadcast: its terms on the left; on the right what would happen, while they are typed.
import { html, useRef, useState } from "../../vendor/preact.js";
import { call, freshKey, query, upload, useAct, useKey, useLive, write } from "../../api.js";
import { Answer, Card, Do, Empty, Note, Screen, Trouble, Waiting, go } from "../../parts.js";
import { Area, Choice, Field, Select, numberOf, useForm, useSimulation } from "../../forms.js";
import { day } from "../../format.js";
import { FilePicker, WouldHappen, importList, micros, pasted, useNumbers, variablesOf, wrongLines } from "./section.js";

const WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
// Phones of the sandbox, whose last digits are its script: most are delivered, one fails, one stays unknown.
const EXAMPLE = ["phone, name", "5511987654321, Ana", "5511912345678, Bruno", "5511955501234, Carla", "351912345678, Duarte", "5511900090015, Eva (reads it)", "5511900090002, Fabio (refused once)", "5511900090001, Gil (not on WhatsApp)", "5511900090010, Hugo (answer is lost)"].join("\n");

export function NewBroadcast() {
  const numbers = useNumbers();
  return html`<${Screen} title="New broadcast" back=${["#/broadcasts", "Broadcasts"]}>
    <${Answer} live=${numbers} lines=${8} isEmpty=${(answer) => !answer.items.length} empty=${html`<${FirstNumber} />`}>${(answer) => html`<${Terms} numbers=${answer.items} />`}<//>
  <//>`;
}

export function makeSandbox() {
  return write("POST", "api/instances", { name: "Sandbox", provider: "sandbox", address: `sandbox-${freshKey().slice(0, 6)}`, rateLimit: 60, timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC" });
}

function FirstNumber() {
  const act = useAct();
  return html`<${Card} title="First, a number to send from">
    <${Empty} act=${html`<div class="actions"><${Do} kind="primary" act=${act} onDo=${makeSandbox}>Create a sandbox number<//><a class="button" href="#/broadcasts/instances">Connect a real one</a></div>`}>
      The sandbox sends nothing to anybody. It answers as a provider does: most messages are delivered, some fail, so you see all of it.
    <//>
    ${act.problem && html`<${Trouble} problem=${act.problem} />`}
  <//>`;
}

function Terms({ numbers }) {
  const form = useForm({ name: `Broadcast of ${day(new Date().toISOString().slice(0, 10))}`, instanceId: numbers.at(-1).id, what: "message", message: "Hello {{name|friend}}!", templateId: "", from: "paste", people: "", at: "", rate: "", budget: "", hours: "any", days: WEEKDAYS.slice(0, 5), opens: "09:00", closes: "18:00", media: null });
  const [picked, pick] = useState(null);
  const [key, renew] = useKey();
  const [step, setStep] = useState("");
  const [draft, setDraft] = useState(null);
  const act = useAct();
  const templates = useLive(`api/templates${query({ limit: 200 })}`, 60);
  const { values, set, bind } = form;
  const isFile = values.from === "file";
  const template = (templates.answer ? templates.answer.items : []).find((one) => one.id === values.templateId);
  const variables = values.what === "template" ? (template ? template.variables : []) : variablesOf(values.message);
  const { recipients, lines } = pasted(isFile ? "" : values.people, variables);
  const window = { weekdays: values.hours === "own" ? values.days : WEEKDAYS.slice(0, 5), from: values.hours === "own" ? values.opens : "09:00", to: values.hours === "own" ? values.closes : "18:00" };
  const body = {
    name: values.name || null,
    instanceId: values.instanceId,
    ...(values.what === "template" ? { templateId: values.templateId } : { message: values.message }),
    ...(recipients.length ? { recipients } : {}),
    scheduledFor: values.at ? new Date(values.at).toISOString() : null,
    rateLimit: numberOf(values.rate),
    budget: micros(values.budget),
    windows: values.hours === "any" ? null : [window],
    ...(values.media || {}),
  };
  const isReady = values.what === "template" ? Boolean(template) : Boolean(values.message.trim());
  // A draft may have no name yet while it is only simulated.
  const simulation = useSimulation("api/campaigns/simulate", isReady ? { ...body, name: body.name || "Simulated" } : null);
  const problem = form.problem || simulation.problem;
  const bound = (name, field) => ({ ...bind(name, field), wrong: problem ? problem.of(field || name) : "" });
  // The lines of what the simulation answers, which may be of an earlier list than the one that stands there.
  const answered = useRef(lines);
  if (!simulation.isOld) answered.current = lines;
  const isSandbox = numbers.some((one) => one.id === values.instanceId && one.provider === "sandbox");

  const create = (isStarted) => async () => {
    try {
      const made = draft || await write("POST", "api/campaigns", body, { key });
      // Made once: if its start is refused, the next press starts this one.
      setDraft(made);
      let asked = {};
      if (isFile && picked) {
        setStep("The file is uploaded…");
        asked = { import: await importList(made.id, picked, variables) };
      } else if (isStarted && made.status === "DRAFT") await write("POST", `api/campaigns/${made.id}/actions`, { action: "start" }, { key: `${key}-start` });
      renew();
      go(`#/broadcasts/${made.id}${query(asked)}`);
    } finally {
      setStep("");
    }
  };
  const attach = (event) => {
    const file = event.target.files[0];
    set("media", null);
    if (!file) return;
    act.run(async () => {
      const made = await call("POST", "api/media", { contentType: file.type, bytes: file.size });
      await upload(made, file);
      const kind = file.type.split("/")[0];
      set("media", { mediaId: made.mediaId, mediaType: ["image", "video", "audio"].includes(kind) ? kind : "document" });
    });
  };
  const wrongPeople = wrongLines(problem, lines);
  return html`<div class="columns form">
    <${Card} title="Terms">
      <${Field} label="Name" ...${bound("name")} maxlength="200" />
      <${Select} label="Number" ...${bound("instanceId")} hint=${isSandbox ? "A sandbox: nothing is really sent." : "Real messages go out by this number."} options=${numbers.map((one) => [one.id, `${one.name} (${one.provider})`])} />
      <${Choice} label="What is sent" ...${bind("what")} options=${[["message", "A message"], ["template", "A template"]]} />
      ${values.what === "message"
        ? html`<${Area} label="Message" ...${bound("message")} rows=${3} maxlength="4096" hint="{{name}} is filled in for each person; {{name|friend}} has a word for those without." />`
        : html`<${Select} label="Template" ...${bound("templateId")} options=${[["", "Choose one"], ...(templates.answer ? templates.answer.items : []).map((one) => [one.id, one.name])]} hint=${template ? template.text : html`None fits? <a href="#/broadcasts/templates">Make one</a>.`} />`}
      <${Choice} label="Who gets it" ...${bind("from")} options=${[["paste", "Typed or pasted"], ["file", "A CSV file"]]} />
      ${isFile
        ? html`<${FilePicker} variables=${variables} picked=${picked} onPick=${pick} />`
        : html`<${Area} label="Recipients" ...${bind("people")} wrong=${wrongPeople} rows=${7} spellcheck=${false} placeholder=${`phone, ${variables.join(", ") || "name"}\n5511987654321, Ana`} hint=${`One a line: the phone with its country's code${variables.length ? `, then ${variables.join(", ")}` : ""}. A first line may name the columns.`} />
          ${isSandbox && !values.people && html`<p class="field"><button type="button" onClick=${() => set("people", EXAMPLE)}>Use eight people of the sandbox</button></p>`}`}
      <details class="field">
        <summary>Time, pace, budget, file</summary>
        <${Field} label="Start by itself at" type="datetime-local" ...${bound("at", "scheduledFor")} hint=${`Your clock (${Intl.DateTimeFormat().resolvedOptions().timeZone}). Empty: when you press start.`} />
        <div class="pair">
          <${Field} label="Messages a minute" isNumber ...${bound("rate", "rateLimit")} hint="Empty: the number's own." />
          <${Field} label="Budget" inputmode="decimal" ...${bound("budget")} hint="It pauses before it costs more." />
        </div>
        <${Choice} label="Only in these hours, by the recipient's clock" ...${bind("hours")} wrong=${problem ? problem.errors.filter((error) => error.field.startsWith("windows")).map((error) => error.message).join(" ") : ""} options=${[["any", "Any time"], ["office", "Mon to Fri, 9 to 18"], ["own", "Own hours"]]} />
        ${values.hours === "own" && html`
          <fieldset class="days"><legend class="unseen">Days</legend>${WEEKDAYS.map((name) => html`<label key=${name}><input type="checkbox" checked=${values.days.includes(name)} onChange=${(event) => set("days", WEEKDAYS.filter((one) => (one === name ? event.target.checked : values.days.includes(one))))} />${name}</label>`)}</fieldset>
          <div class="pair"><${Field} label="From" type="time" ...${bind("opens")} /><${Field} label="To" type="time" ...${bind("closes")} /></div>`}
        <div class="field"><label for="media">Send a file with it</label><input id="media" type="file" accept="image/*,video/*,audio/*,application/pdf" onChange=${attach} /><p class="soft">${values.media ? `Uploaded as ${values.media.mediaType}.` : "An image, a video, a sound or a document."}</p></div>
      </details>
      ${draft && !act.isBusy && html`<${Note} tone="warn"><b>The draft is made, and not started.</b> Its terms are kept. <a href="#/broadcasts/${draft.id}">Open the draft</a>.<//>`}
      ${act.problem && (act.problem.errors.length ? html`<p class="wrong" role="alert">Not created: ${act.problem.message}</p>` : html`<${Trouble} problem=${act.problem} />`)}
      ${step && html`<p role="status">${step}</p>`}
      <div class="buttons">
        ${isFile
          ? html`<${Do} kind="primary" act=${act} isDisabled=${!picked} onDo=${create(false)}>Create and check the file<//>`
          : html`<${Do} act=${act} isDisabled=${Boolean(draft)} onDo=${create(false)}>Create draft<//><${Do} kind="primary" act=${act} isDisabled=${!recipients.length} onDo=${create(true)}>${values.at ? "Create and schedule" : "Create and start"}<//>`}
      </div>
    <//>
    <${Card} title="What would happen" aside=${simulation.isOld ? "of the last valid terms" : "nothing is saved or sent"}>
      ${isFile
        ? html`<${Empty}>The file's rows are checked after the upload. You then see who gets what, and start it yourself.<//>`
        : !recipients.length ? html`<${Empty}>Type a message and a phone or two: the messages, the cost and the end are shown here.<//>`
          : simulation.answer && simulation.answer.totalRecipients ? html`<${WouldHappen} answer=${simulation.answer} lines=${answered.current} />`
            : simulation.problem ? html`<${Empty}>The terms do not hold yet: see the fields.<//>` : html`<${Waiting} lines=${5} />`}
      ${simulation.problem && !simulation.problem.errors.length && html`<${Trouble} problem=${simulation.problem} />`}
    <//>
  </div>`;
}
