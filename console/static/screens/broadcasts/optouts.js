// People who are not written to.
import { html, useState } from "../../vendor/preact.js";
import { download, query, useAct, useKey, useLive, write } from "../../api.js";
import { Answer, Card, Do, Empty, Note, Pager, Table, Trouble, When, usePages } from "../../parts.js";
import { Area, Asked, Field, useForm } from "../../forms.js";
import { number } from "../../format.js";
import { Section } from "./section.js";

// So many phones the API takes in a request.
const AT_ONCE = 1000;

export function OptOuts({ asked }) {
  const owner = asked.owner || "";
  const pages = usePages(owner);
  const live = useLive(`api/suppressions${query({ owner, limit: 50, cursor: pages.cursor })}`, 20);
  const [gone, remove] = useState(null);
  const act = useAct();
  const all = html`<${Do} act=${act} onDo=${() => download(`api/suppressions/export${query({ owner })}`, "opt-outs.csv")}>Export<//>`;
  return html`<${Section} title="Opt-outs" at="optouts" owner=${owner} actions=${all}>
    ${act.problem && html`<${Trouble} problem=${act.problem} />`}
    <div class="columns form">
      ${!owner && html`<${AddOptOuts} />`}
      <${Card} title="Who gets nothing" aside="by whatever broadcast">
        <${Answer} live=${live} lines=${5} isEmpty=${(answer) => !answer.items.length && pages.isFirst && !answer.next_cursor} empty=${html`<${Empty}>Nobody has opted out. Who answers STOP or SAIR to a broadcast is put here at once.<//>`}>
          ${(answer) => html`<${Table} label="Opt-outs" rows=${answer.items} keyOf=${(row) => row.phone} columns=${[
            { label: "Phone", cell: (row) => row.phone },
            { label: "Why", isWide: true, cell: (row) => row.reason },
            { label: "Since", cell: (row) => html`<${When} at=${row.at} />` },
            ...(owner ? [] : [{ label: "Undo", cell: (row) => html`<button type="button" class="small" aria-label="Remove ${row.phone}" onClick=${() => remove(row)}>Remove</button>` }]),
          ]} /><${Pager} pages=${pages} next=${answer.next_cursor} newer="Before" older="Next" />`}
        <//>
      <//>
    </div>
    ${gone && html`<${Asked} title="Write to ${gone.phone} again?" verb="Remove the opt-out" isDanger onClose=${() => remove(null)} onDo=${() => write("DELETE", "api/suppressions", { phone: gone.phone })}><p>This person asked for no more messages: ${gone.reason}. Do it only if they want them again.</p><//>`}
  <//>`;
}

function AddOptOuts() {
  const form = useForm({ phones: "", reason: "" });
  const [told, tell] = useState(null);
  const [key, renew] = useKey();
  const add = async (event) => {
    event.preventDefault();
    const lines = form.values.phones.split(/\r?\n/).map((phone, at) => ({ phone: phone.trim(), line: at + 1 })).filter((one) => one.phone);
    tell(null);
    await form.send(async () => {
      const sum = { changed: 0, unchanged: 0, refused: [] };
      for (let at = 0; at === 0 || at < lines.length; at += AT_ONCE) {
        const some = lines.slice(at, at + AT_ONCE);
        const answer = await write("POST", "api/suppressions/import", { phones: some.map((one) => one.phone), reason: form.values.reason }, { key: `${key}-${at}` });
        sum.changed += answer.changed;
        sum.unchanged += answer.unchanged;
        sum.refused.push(...answer.refused.map((one) => ({ line: some[one.row].line, message: one.message })));
      }
      form.setValues({ phones: "", reason: form.values.reason });
      renew();
      tell(sum);
    });
  };
  return html`<${Card} title="Add people"><form onSubmit=${add} novalidate>
    <${Area} label="Phones" ...${form.bind("phones")} rows=${6} spellcheck=${false} placeholder="+55 11 98765-4321" hint="One a line, with the country's code." />
    <${Field} label="Why" ...${form.bind("reason")} placeholder="asked by telephone" />
    ${form.problem && html`<${Trouble} problem=${form.problem} />`}
    ${told && html`<${Note} tone=${told.refused.length ? "warn" : "good"}><span role="status">${number(told.changed)} added, ${number(told.unchanged)} were there.</span>${told.refused.length > 0 && html`<ul>${told.refused.slice(0, 20).map((one) => html`<li key=${one.line}>Line ${one.line}: ${one.message}</li>`)}</ul>`}<//>`}
    <div class="buttons"><button type="submit" class="primary" aria-busy=${form.isBusy}>Write to them no more</button></div>
  </form><//>`;
}
