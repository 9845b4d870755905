// What an owner may send, and what is used of it.
import { html, useState } from "../../vendor/preact.js";
import { may, query, useLive, write } from "../../api.js";
import { Answer, Card, Done, Empty, Facts, Figures, Table } from "../../parts.js";
import { Field, Filled, Tick, numberOf, useForm } from "../../forms.js";
import { number, wholeDay } from "../../format.js";
import { Section, price } from "./section.js";

export function Limits({ asked }) {
  const owner = asked.owner || "";
  const live = useLive(`api/quotas${query({ owner })}`, 10);
  const [isEdited, edit] = useState(false);
  const of = live.answer;
  const change = of && may("operator") && html`<button type="button" onClick=${() => edit(true)}>Change the limits</button>`;
  return html`<${Section} title="Limits" at="limits" owner=${owner} actions=${change}>
    <${Answer} live=${live} lines=${4}>${() => html`
      <${Figures} label="Today" items=${[
        { label: "Sent today", value: number(of.usedToday), note: `${wholeDay(of.day)}, ${of.timeZone}`, tone: "accent" },
        { label: "Left today", value: of.remainingToday === null ? "no limit" : number(of.remainingToday), note: of.dailyLimit === null ? "" : `of ${number(of.dailyLimit)} a day` },
        { label: "Spent today", value: of.spentToday ? price(of.spentToday) : "nothing" },
      ]} />
      <${Card} title="What holds for ${of.userId}">
        <${Facts} items=${[
          ["Messages a day", of.dailyLimit === null ? "no limit" : number(of.dailyLimit)],
          ["One person gets at most", of.frequencyCap ? `${of.frequencyCap.count} in ${of.frequencyCap.hours} hours` : "no limit"],
          ["Consent", of.requiresConsent ? "needed for every message" : "not asked for"],
          ["Words that opt out, besides STOP, SAIR and others", of.optOutWords.join(", ") || "none"],
        ]} />
      <//>
      <${Card} title="Numbers, last 24 hours">
        ${of.instances.length
          ? html`<${Table} label="Numbers" rows=${of.instances} keyOf=${(row) => row.instanceId} columns=${[
            { label: "Number", cell: (row) => row.name },
            { label: "Sent", isWide: true, cell: (row) => (row.dailyLimit === null ? html`${number(row.used)} <span class="soft">no limit</span>` : html`<${Done} label="Sent by ${row.name}" done=${row.used} of=${row.dailyLimit} />`) },
            { label: "Left", isNumber: true, cell: (row) => number(row.remaining) },
          ]} />`
          : html`<${Empty} act=${html`<a class="button" href="#/broadcasts/instances">Numbers</a>`}>There is no number yet.<//>`}
      <//>
      ${isEdited && html`<${LimitsForm} of=${of} onClose=${() => edit(false)} />`}`}
    <//>
  <//>`;
}

function LimitsForm({ of, onClose }) {
  const cap = of.frequencyCap || { count: "", hours: "" };
  const form = useForm({ dailyLimit: of.dailyLimit === null ? "" : of.dailyLimit, count: cap.count, hours: cap.hours, requiresConsent: of.requiresConsent, optOutWords: of.optOutWords.join(", "), timeZone: of.timeZone });
  const { values, bind } = form;
  const body = {
    dailyLimit: numberOf(values.dailyLimit), timeZone: values.timeZone, requiresConsent: values.requiresConsent,
    frequencyCap: values.count === "" && values.hours === "" ? null : { count: numberOf(values.count), hours: numberOf(values.hours) },
    optOutWords: values.optOutWords.split(",").map((word) => word.trim()).filter(Boolean),
  };
  return html`<${Filled} title="Limits of ${of.userId}" verb="Set the limits" form=${form} onClose=${onClose} onSave=${() => write("PUT", `api/quotas/${encodeURIComponent(of.userId)}`, body)}>
    <${Field} label="Messages a day" isNumber ...${bind("dailyLimit")} hint="Over all broadcasts. Empty: no limit." />
    <div class="pair"><${Field} label="One person, at most" isNumber ...${bind("count", "frequencyCap.count")} /><${Field} label="in so many hours" isNumber ...${bind("hours", "frequencyCap.hours")} /></div>
    <${Tick} label="A message needs a noted consent" name="requiresConsent" value=${values.requiresConsent} onValue=${(value) => form.set("requiresConsent", value)} />
    <${Field} label="More words that opt out" ...${bind("optOutWords")} hint="With commas. STOP, SAIR and others always count." />
    <${Field} label="Time zone" ...${bind("timeZone")} hint="Whose midnight begins a day." />
  <//>`;
}
