// Forms: the API alone validates; what it says of a field stands at the field.
import { html, useEffect, useId, useState } from "./vendor/preact.js";
import { Problem, call, useAct } from "./api.js";
import { Dialog, Trouble } from "./parts.js";
import { exponentOf } from "./format.js";

const TYPING_MS = 350;

// {values, set(name, value), setValues, bind(name, field), problem, isBusy, send(work), clear}. `bind` is what the fields below
// take; `send` runs `work`, one at a time, and keeps the Problem that it throws, whose errors stand at their fields.
// Texts stay texts while they are typed; `numberOf` makes numbers of them.
export function useForm(initial) {
  const [values, setValues] = useState(initial);
  const { problem, isBusy, run, clear } = useAct();
  const set = (name, value) => setValues((before) => ({ ...before, [name]: value }));
  const send = async (work) => (isBusy ? null : run(work));
  const bind = (name, field = name) => ({ name, value: values[name], onValue: (value) => set(name, value), wrong: problem ? problem.of(field) : "" });
  return { values, set, setValues, problem, isBusy, send, clear, bind };
}

// A form in a dialog: closed once `onSave` is done, unless it returns true.
export function Filled({ title, verb, isDanger, keep = "Keep as it is", form, onSave, onClose, children }) {
  const save = (event) => {
    event.preventDefault();
    form.send(async () => {
      if ((await onSave()) !== true) onClose();
    });
  };
  return html`<${Dialog} title=${title} onClose=${onClose}><form onSubmit=${save} novalidate>
    ${children}
    ${form.problem && html`<${Trouble} problem=${form.problem} />`}
    <div class="buttons">
      <button type="button" onClick=${onClose}>${keep}</button>
      ${verb && html`<button type="submit" class=${isDanger ? "danger" : "primary"} aria-busy=${form.isBusy}>${verb}</button>`}
    </div>
  </form><//>`;
}

// Asks before something that cannot be undone. `children` say what will happen and what will not.
// `reason` (a label) asks for one, which goes into the audit trail; `onDo(reason)` does it.
export function Asked({ reason, onDo, children, ...rest }) {
  const form = useForm({ reason: "" });
  return html`<${Filled} form=${form} onSave=${() => onDo(form.values.reason.trim())} ...${rest}>
    <div class="will">${children}</div>
    ${reason && html`<${Area} label=${reason} hint="The audit trail keeps it." rows=${2} maxlength="500" ...${form.bind("reason")} />`}
  <//>`;
}

// "" is null; what is no number stays as it is, so that the API can say so.
export function numberOf(text) {
  const plain = String(text).replaceAll(/[\s,]/g, "");
  if (plain === "") return null;
  return Number.isNaN(Number(plain)) ? text : Number(plain);
}

// "12.50" of USD as 1250; "" is null; what is no number stays as it is.
export function minorOf(text, currency) {
  const value = numberOf(text);
  return typeof value === "number" ? Math.round(value * 10 ** exponentOf(currency)) : value;
}

function Labelled({ label, hint, wrong, id, children }) {
  return html`<div class="field">
    <label for=${id}>${label}</label>
    ${children}
    ${(wrong || hint) && html`<p id="${id}-hint" class=${wrong ? "wrong" : "soft"}>${wrong || hint}</p>`}
  </div>`;
}

// One line: <Field label="Views in all" ...${form.bind("total_count")} isNumber />.
export function Field({ label, hint, wrong, name, value, onValue, isNumber, type = "text", ...rest }) {
  const id = useId();
  return html`<${Labelled} label=${label} hint=${hint} wrong=${wrong} id=${id}>
    <input id=${id} name=${name} type=${type} inputmode=${isNumber ? "numeric" : undefined} autocomplete="off" value=${value} onInput=${(event) => onValue(event.target.value)} aria-invalid=${wrong ? "true" : undefined} aria-describedby=${wrong || hint ? `${id}-hint` : undefined} ...${rest} />
  <//>`;
}

export function Area({ label, hint, wrong, name, value, onValue, rows = 4, ...rest }) {
  const id = useId();
  return html`<${Labelled} label=${label} hint=${hint} wrong=${wrong} id=${id}>
    <textarea id=${id} name=${name} rows=${rows} value=${value} onInput=${(event) => onValue(event.target.value)} aria-invalid=${wrong ? "true" : undefined} aria-describedby=${wrong || hint ? `${id}-hint` : undefined} ...${rest} />
  <//>`;
}

// options = [[value, label], ...].
export function Select({ label, hint, wrong, name, value, onValue, options, ...rest }) {
  const id = useId();
  return html`<${Labelled} label=${label} hint=${hint} wrong=${wrong} id=${id}>
    <select id=${id} name=${name} value=${value} onChange=${(event) => onValue(event.target.value)} aria-invalid=${wrong ? "true" : undefined} aria-describedby=${wrong || hint ? `${id}-hint` : undefined} ...${rest}>
      ${options.map(([of, text]) => html`<option key=${of} value=${of} selected=${of === value}>${text}</option>`)}
    </select>
  <//>`;
}

// One of a few, as cards in a row: options = [[value, label, picture], ...].
export function Choice({ label, name, value, onValue, options, wrong, disabled }) {
  return html`<fieldset class="choice">
    <legend>${label}</legend>
    <div>${options.map(([of, text, picture]) => html`<label key=${of}><input type="radio" name=${name} value=${of} checked=${of === value} disabled=${disabled} onChange=${() => onValue(of)} />${picture}<span>${text}</span></label>`)}</div>
    ${wrong && html`<p class="wrong">${wrong}</p>`}
  </fieldset>`;
}

export function Tick({ label, hint, name, value, onValue }) {
  const id = useId();
  return html`<div class="tick"><input type="checkbox" id=${id} name=${name} checked=${value} onChange=${(event) => onValue(event.target.checked)} /><label for=${id}>${label}</label>${hint && html`<p class="soft">${hint}</p>`}</div>`;
}

// Asks `POST path` with `body` (an object, or null for not yet) 350 ms after the last change, and drops the one before.
// {answer, problem, isWaiting, isOld, again}: the last valid answer stays, and `isOld` says that it is not of what stands there now.
export function useSimulation(path, body) {
  const [state, setState] = useState({ answer: null, problem: null, isWaiting: false, of: "" });
  const text = body === null ? "" : JSON.stringify(body);
  const [times, setTimes] = useState(0);
  useEffect(() => {
    if (!text) return undefined;
    const abort = new AbortController();
    const timer = setTimeout(async () => {
      setState((before) => ({ ...before, isWaiting: true }));
      try {
        const answer = await call("POST", path, JSON.parse(text), { abort: abort.signal, key: null });
        setState({ answer, problem: null, isWaiting: false, of: text });
      } catch (problem) {
        if (problem.name === "AbortError") return;
        if (!(problem instanceof Problem)) throw problem;
        setState((before) => ({ ...before, problem, isWaiting: false }));
      }
    }, TYPING_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [path, text, times]);
  return { ...state, isOld: state.answer !== null && state.of !== text, again: () => setTimes(times + 1) };
}
