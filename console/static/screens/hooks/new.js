// Creates an endpoint, and shows its secret: the API tells it once.
import { html, useEffect, useState } from "../../vendor/preact.js";
import { useKey, write } from "../../api.js";
import { Card, Screen, Trouble } from "../../parts.js";
import { useForm } from "../../forms.js";
import { EventPicker, HOOKS, HookFields, HookSecret, hookName, hookTerms } from "./shared.js";

export function NewHook() {
  const form = useForm({ url: "", description: "", all: "yes", events: [] });
  const [key] = useKey();
  const [made, setMade] = useState(null);
  const create = (event) => {
    event.preventDefault();
    form.send(async () => setMade(await write("POST", HOOKS, hookTerms(form.values), { key })));
  };
  useEffect(() => {
    // The button that had the focus is gone.
    if (made) document.getElementById("main").focus();
  }, [made]);
  const back = ["#/hooks", "Webhooks"];
  if (made) {
    return html`<${Screen} title="The endpoint is created" back=${back} id=${made.id} lead=${hookName(made)}>
      <${Card} title="Its secret"><${HookSecret} secret=${made.secret} /><div class="buttons"><a class="button primary" href="#/hooks/${made.id}">Open the endpoint</a></div><//>
    <//>`;
  }
  return html`<${Screen} title="New endpoint" back=${back}>
    <form class="columns form" novalidate onSubmit=${create}>
      <${Card} title="Terms"><${HookFields} form=${form} /><//>
      <${Card} title="Which events">
        ${form.values.all === "no" ? html`<${EventPicker} form=${form} />` : html`<p>All of every context, also those to come. Left out are single messages of broadcasts, of which there may be a million, and what happens to endpoints themselves.</p>`}
        ${form.problem && html`<${Trouble} problem=${form.problem} />`}
        <div class="buttons"><button type="submit" class="primary" aria-busy=${form.isBusy}>Create</button></div>
      <//>
    </form>
  <//>`;
}
