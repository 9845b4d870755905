// One sponsorship: its money with every part, its streamers and how near each is to the target.
import { html, useState } from "../../vendor/preact.js";
import { query, useAct, useLive, write } from "../../api.js";
import { Answer, Card, Do, Done, Empty, Facts, Note, Pager, Screen, Status, Table, Trouble, When, usePages } from "../../parts.js";
import { Area, Asked, Field, Filled, useForm } from "../../forms.js";
import { money, number, sentence, words } from "../../format.js";
import { WholeFunds, fundsOf } from "./funds.js";
import { Verified } from "../verified.js";

const LIVE = ["running", "closing"];

export function Sponsorship({ id }) {
  const path = `api/v1/campaigns/${id}`;
  const live = useLive(path, (answer) => (answer && LIVE.includes(answer.status) ? 3 : 15));
  const one = live.answer;
  const pages = usePages(id);
  const taking = useLive(`${path}/participations${query({ limit: 20, cursor: pages.cursor })}`, one && LIVE.includes(one.status) ? 3 : 15);
  return html`<${Screen} title=${one ? one.name : "Sponsorship"} back=${["#/sponsorships", "Sponsorships"]} status=${one && html`<${Status} status=${one.status} />`} id=${id} actions=${one && html`<${SponsorshipActions} one=${one} path=${path} />`}>
    <${Answer} live=${live} lines=${5}>${(of) => html`
      ${of.status === "draft" && html`<${Note}>A draft moves no money. It is funded from the wallet of ${of.owner} when it starts.<//>`}
      ${of.status === "closing" && html`<${Note}>It is ending: each streamer settles, then what is left goes back to ${of.owner}.<//>`}
      <${Card}>
        <${WholeFunds} of=${fundsOf(of)} name=${of.name} />
        <${Facts} items=${[
          ["A streamer earns", `${money(of.pay, of.currency, of.exponent)} at ${number(of.target_impressions)} viewers`],
          ["Price of a viewer", `${of.rate} ${of.currency}`],
          ["Streamers it can pay", of.max_streamers === null ? null : number(of.max_streamers)],
          ["Who counts", of.viewers === "any" ? "anyone" : "viewers with a token"],
          ["A viewer counts", of.viewer_period === "day" ? "once a day" : "once"],
          ["At the end, below the target", of.at_end === "pro_rata" ? "pays for what there is" : "pays nothing"],
          ["Pay waits for objections", of.hold_hours ? `${of.hold_hours} hours` : "no"],
          ["G-Keys", of.gkeys === "required" ? "one for each streamer" : null],
          ["Started", of.started_at && html`<${When} at=${of.started_at} absolute />`],
          [of.closed_at ? "Ended" : "Ends", html`<${When} at=${of.closed_at || of.ends_at} absolute />`],
          ["Owner", of.owner],
        ]} />
      <//>
      <${Card} title="Streamers">
        <${Answer} live=${taking} isEmpty=${(answer) => !answer.items.length} empty=${html`<${Empty}>Nobody takes part yet. A streamer joins on your platform, or is added here.<//>`}>
          ${(answer) => html`<${Table} label="Streamers" rows=${answer.items} keyOf=${(row) => row.id} columns=${[
            { label: "Streamer", cell: (row) => html`<a class="name" href="#/sponsorships/${id}/${encodeURIComponent(row.streamer)}">${row.streamer}</a>` },
            { label: "Status", cell: (row) => html`<${Status} status=${row.status} />${row.waiting_for && html`<p class="soft">waits for the ${words(row.waiting_for)}</p>`}` },
            { label: "Viewers", isWide: true, cell: (row) => html`<${Done} label="Viewers of ${row.streamer}" done=${row.impressions + row.granted} of=${row.target_impressions} tone="organic" />` },
            { label: "Clicks", isNumber: true, cell: (row) => number(row.clicks) },
            { label: "Paid", isNumber: true, cell: (row) => money(row.paid, of.currency, of.exponent) },
          ]} /><${Pager} pages=${pages} next=${answer.next_cursor} newer="Back" older="More" />`}
        <//>
      <//>
      ${of.money && html`<${Verified} title="Evidence" path="${path}/verify" entity=${id} good="All money is where it is said to be." />`}`}
    <//>
  <//>`;
}

function SponsorshipActions({ one, path }) {
  const [asked, ask] = useState("");
  const close = () => ask("");
  const post = (verb) => () => write("POST", `${path}/${verb}`);
  const act = useAct();
  return html`
    ${act.problem && html`<${Trouble} problem=${act.problem} />`}
    ${one.status === "draft" && html`<button type="button" class="warn" onClick=${() => ask("cancel")}>Cancel</button><${Do} kind="primary" act=${act} onDo=${post("start")}>Start<//>`}
    ${one.status === "running" && html`<button type="button" onClick=${() => ask("join")}>Add a streamer</button><${Do} act=${act} onDo=${post("pause")}>Pause<//>`}
    ${one.status === "paused" && html`<${Do} kind="primary" act=${act} onDo=${post("resume")}>Resume<//>`}
    ${one.gkeys === "required" && ["draft", "running", "paused"].includes(one.status) && html`<button type="button" onClick=${() => ask("keys")}>Add G-Keys</button>`}
    ${["running", "paused"].includes(one.status) && html`<button type="button" class="warn" onClick=${() => ask("close")}>Close</button>`}
    ${asked === "cancel" && html`<${Asked} title="Cancel this draft?" verb="Cancel the draft" isDanger onClose=${close} onDo=${post("cancel")}><p>No money has moved, and none will.</p><//>`}
    ${asked === "close" && html`<${Asked} title="Close ${one.name}?" verb="Close it" isDanger onClose=${close} onDo=${post("close")}>
      <p>It takes no more viewers and no more streamers, for good.</p>
      <ul><li>Whoever has reached the target is paid.</li><li>${one.at_end === "pro_rata" ? "Everybody else is paid for the viewers there are." : "Nobody else gets anything."}</li><li>What is left goes back to ${one.owner}.</li></ul>
    <//>`}
    ${asked === "join" && html`<${Joining} path=${path} onClose=${close} />`}
    ${asked === "keys" && html`<${Loading} path=${path} onClose=${close} />`}`;
}

function Joining({ path, onClose }) {
  const form = useForm({ streamer: "" });
  const add = () => write("POST", `${path}/join`, { streamer_id: form.values.streamer.trim() });
  return html`<${Filled} title="Add a streamer" verb="Add" form=${form} onSave=${add} onClose=${onClose}>
    <${Field} label="Streamer" hint="As your platform names them. Their pay is set aside now." ...${form.bind("streamer", "streamer_id")} />
  <//>`;
}

function Loading({ path, onClose }) {
  const form = useForm({ keys: "" });
  const [loaded, setLoaded] = useState(null);
  const load = async () => {
    setLoaded(await write("POST", `${path}/gkeys`, { keys: form.values.keys.split(/\s+/).filter(Boolean) }));
    return true;
  };
  return html`<${Filled} title="Add G-Keys" verb="Add" keep="Close" form=${form} onSave=${load} onClose=${onClose}>
    <${Area} label="Keys" hint="One a line, at most 45 at once. A key that is there already is not added again." rows=${6} ...${form.bind("keys")} />
    ${loaded && html`<${Note} tone="good">${Object.entries(loaded).map(([name, value]) => `${sentence(name)}: ${Array.isArray(value) ? value.length : value}`).join(". ")}<//>`}
  <//>`;
}
