// A claim that a click checks: the API computes it again from the rows, and every check is shown with both numbers.
import { html, useState } from "../vendor/preact.js";
import { call, useAct } from "../api.js";
import { Card, Checks, Do, Empty, Note, Trouble } from "../parts.js";
import { number } from "../format.js";

// `path` answers {valid, checks: [{claim, expected, found, holds}]}; `entity` has entries in the audit trail.
export function Verified({ title, path, entity, good, children }) {
  const [answer, setAnswer] = useState(null);
  const act = useAct();
  const check = async () => setAnswer(await call("GET", path));
  return html`<${Card} title=${title} aside=${html`<${Do} kind="small" act=${act} onDo=${check}>Verify<//>${entity && html`<a class="button small" href="#/audit/${encodeURIComponent(entity)}">Audit trail</a>`}`}>
    <div aria-live="polite">
      ${act.problem && html`<${Trouble} problem=${act.problem} />`}
      ${!answer && !act.problem && html`<${Empty}>Verify computes every number again from what was recorded.<//>`}
      ${answer && html`
        <${Note} tone=${answer.valid ? "good" : "bad"}><b>${answer.valid ? good : "Not every number holds."}</b><//>
        <${Checks} items=${answer.checks.map((of) => ({ name: of.claim, holds: of.holds, value: of.holds ? number(of.found) : `${number(of.found)}, expected ${number(of.expected)}` }))} />`}
    </div>
    ${children}
  <//>`;
}
