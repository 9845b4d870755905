// One promotion: its stages as they happened, what engaged, and where the money is.
import { html, useState } from "../../vendor/preact.js";
import { call, download, query, session, useAct, useKey, useLive, write } from "../../api.js";
import { Answer, Card, Do, Empty, Facts, Figures, Id, Meter, Note, Pager, Screen, Status, Table, Trouble, When, usePages } from "../../parts.js";
import { Area, Asked, Choice, Field, Filled, minorOf, numberOf, useForm } from "../../forms.js";
import { action, duration, money, number, plural, relative, sentence, words } from "../../format.js";
import { budgetOf, statusOf } from "./list.js";
import { Verified } from "../verified.js";

const PUBLISHING = ["first_post", "contract", "second_post"];
const CLOSING = ["final_metrics", "engagers", "split", "rewards", "refund", "finalise", "claims", "expire", "settled"];
const UNDOING = ["undo_second", "undo_contract", "undo_first", "release"];

export function Promotion({ id }) {
  const path = `v2/campaigns/${id}`;
  const live = useLive(path, (answer) => (answer && (answer.status === "CampaignDraft" || answer.stage === "settled") ? 15 : 2));
  const one = live.answer;
  return html`<${Screen} title=${one ? one.title : "Promotion"} back=${["#/promotions", "Promotions"]} status=${one && statusOf(one)} id=${id} actions=${one && html`<${PromotionActions} one=${one} path=${path} />`}>
    <${Answer} live=${live} lines=${5}>${(of) => html`
      ${of.error && html`<${Halted} one=${of} path=${path} />`}
      ${of.cancel_requested_at && html`<${Note} tone="warn">It is being cancelled: what was posted is deleted, and the budget goes back.<//>`}
      ${of.status === "CampaignDraft" && html`<${Preview} one=${of} path=${path} />`}
      <${Card}>
        <div class="percent"><p><b>${money(of.paid, of.currency, of.exponent)}</b> paid of ${money(of.budget, of.currency, of.exponent)}</p><${Meter} label="Budget of ${of.title}" ...${budgetOf(of)} />
        <ul class="legend"><li><span class="swatch good" />paid <b>${money(of.paid, of.currency, of.exponent)}</b></li><li><span class="swatch good hatched" />promised <b>${money(of.promised, of.currency, of.exponent)}</b></li><li><span class="swatch quiet" />went back <b>${money(of.refunded, of.currency, of.exponent)}</b></li><li>held <b>${money(of.money.remaining + of.money.reserved, of.currency, of.exponent)}</b></li></ul></div>
        <${Facts} items=${[
          ["Network", of.host || of.network], ["What it is", of.type === "rewarded" ? "rewards whoever engages" : "is only shown"], ["Shares", of.type === "rewarded" ? (of.share === "equal" ? "the same for all" : "by what they did") : null],
          ["Runs for", duration(of.duration_minutes * 60)], ["Started", of.campaign_start_time && html`<${When} at=${of.campaign_start_time} absolute />`], ["Closes", of.campaign_close_time && html`<${When} at=${of.campaign_close_time} absolute />`],
          ["Closed because of", of.close_reason && words(of.close_reason)], ["Claims until", of.claim_until && html`<${When} at=${of.claim_until} absolute />`], ["A weight of 1 gets", of.final_rate && `${of.final_rate} ${of.currency}`],
          ["First post", of.tweet_id && html`<${Id} id=${of.tweet_id} />`], ["Second post", of.last_thread_tweet_id && html`<${Id} id=${of.last_thread_tweet_id} />`], ["Contract", of.contract_id && html`<${Id} id=${of.contract_id} />`], ["Owner", of.owner],
        ]} />
      <//>
      <div class="columns">
        <${Stages} one=${of} />
        <${Engagement} one=${of} path=${path} />
      </div>
      ${of.type === "rewarded" && CLOSING.includes(of.stage) && html`<${Rewards} one=${of} path=${path} />`}
      ${of.status !== "CampaignDraft" && html`<${Movements} one=${of} path=${path} />`}
      ${of.status !== "CampaignDraft" && html`<${Verified} title="Evidence" path="${path}/verify" entity=${id} good="Every number follows from the ledger and the participants." />`}
      <${Happened} path=${path} />`}
    <//>
  <//>`;
}

function PromotionActions({ one, path }) {
  const [asked, ask] = useState("");
  const close = () => ask("");
  const act = useAct();
  const isMine = one.owner === session.value.subject;
  const post = (verb) => () => write("POST", `${path}/${verb}`);
  const remove = async () => {
    await write("DELETE", path);
    window.location.hash = "/promotions";
  };
  return html`
    ${act.problem && html`<${Trouble} problem=${act.problem} />`}
    ${one.status === "CampaignDraft" && html`<button type="button" class="warn" onClick=${() => ask("delete")}>Delete</button>${isMine && html`<button type="button" onClick=${() => ask("edit")}>Edit</button>`}${isMine && html`<${Do} kind="primary" act=${act} onDo=${post("publish")}>Publish<//>`}`}
    ${one.status === "CampaignPending" && !one.cancel_requested_at && html`<button type="button" class="warn" onClick=${() => ask("cancel")}>Cancel</button>`}
    ${one.status === "CampaignRunning" && !one.closing_since && html`<button type="button" class="warn" onClick=${() => ask("close")}>Close now</button>`}
    ${asked === "edit" && html`<${EditPromotion} one=${one} path=${path} onClose=${close} />`}
    ${asked === "delete" && html`<${Asked} title="Delete this draft?" verb="Delete it" isDanger onClose=${close} onDo=${remove}><p>Nothing was posted, and no money has moved. What was done with it stays in the audit trail.</p><//>`}
    ${asked === "cancel" && html`<${Asked} title="Cancel the publish?" verb="Cancel it" isDanger onClose=${close} onDo=${post("cancel")}><p>After the answer no post begins. What was posted is deleted, and the budget goes back to ${one.owner}.</p><//>`}
    ${asked === "close" && html`<${Asked} title="Close ${one.title} now?" verb="Close it" isDanger onClose=${close} onDo=${post("close")}>
      <p>The metrics are read a last time, then ${one.type === "rewarded" ? "whoever engaged is rewarded, and what is left goes back." : "the budget goes back."}</p><ul><li>The posts stay.</li><li>It cannot be opened again.</li></ul>
    <//>`}`;
}

// The terms that people change before they publish. What it is and how it is shared stay.
function EditPromotion({ one, path, onClose }) {
  const form = useForm({ title: one.title, first: one.texts[0], second: one.texts[1], budget: String(one.budget / 10 ** one.exponent), hours: String(one.duration_minutes / 60) });
  const { values, bind } = form;
  const save = () => write("PATCH", path, { title: values.title, texts: [values.first, values.second], budget: minorOf(values.budget, one.currency), duration_minutes: typeof numberOf(values.hours) === "number" ? Math.round(numberOf(values.hours) * 60) : numberOf(values.hours) });
  return html`<${Filled} title="Edit" verb="Save" form=${form} onSave=${save} onClose=${onClose}>
    <${Field} label="Title" ...${bind("title")} />
    <${Area} label="First post" rows=${3} ...${bind("first", "texts.0")} />
    <${Area} label="Second post, which replies to it" rows=${3} ...${bind("second", "texts.1")} />
    <div class="pair"><${Field} label="Budget" hint="In ${one.currency}" inputmode="decimal" ...${bind("budget")} /><${Field} label="Runs for" hint="Hours" isNumber ...${bind("hours", "duration_minutes")} /></div>
  <//>`;
}

// It has halted: what happened, and the acts that let it go on.
function Halted({ one, path }) {
  const [asked, ask] = useState("");
  const { error, call: open } = one;
  const isUnknown = open && ["unknown", "stuck"].includes(open.state);
  return html`<${Note} tone="bad">
    <p><b>It has halted at ${words(error.stage)}</b> <${When} at=${error.at} />: ${error.reason}</p>
    ${isUnknown && html`<p>Nobody knows whether the call took effect: ${open.reason || "no answer came"}. Look at the network, then say what became of it.</p>`}
    <div class="actions">
      ${error.retriable && html`<${Do} kind="small" onDo=${() => write("POST", `${path}/resume`)}>Try it again<//>`}
      ${open && html`<button type="button" class="small" onClick=${() => ask("resolve")}>Say what became of it</button>`}
      <button type="button" class="small warn" onClick=${() => ask("abandon")}>Abandon</button>
    </div>
    ${asked === "resolve" && html`<${Resolving} open=${open} path=${path} onClose=${() => ask("")} />`}
    ${asked === "abandon" && html`<${Asked} title="Abandon ${one.title}?" verb="Abandon it" isDanger reason="Why is it abandoned?" onClose=${() => ask("")} onDo=${(reason) => write("POST", `${path}/abandon`, { reason })}>
      <p>Its posts and its contract stay as they are, and the money that is held goes back to ${one.owner}.</p><ul><li>Nobody else is rewarded.</li><li>It cannot be taken up again.</li></ul>
    <//>`}
  <//>`;
}

function Resolving({ open, path, onClose }) {
  const form = useForm({ outcome: "not_sent", result: "", reason: "" });
  const [key] = useKey();
  const { outcome, result, reason } = form.values;
  const resolve = () => write("POST", `${path}/resolve`, { attempt_id: open.attempt_id, outcome, reason, result: outcome === "sent" ? result : null }, { key });
  return html`<${Filled} title="What became of: ${words(open.purpose)}?" verb="Go on from there" form=${form} onSave=${resolve} onClose=${onClose}>
    <${Choice} label="It" ...${form.bind("outcome")} options=${[["not_sent", "did not take effect"], ["sent", "took effect"]]} />
    ${outcome === "sent" && html`<${Field} label="Its result" hint="The id of the post, or of the transaction." ...${form.bind("result")} />`}
    <${Field} label="How do you know?" hint="The audit trail keeps it." ...${form.bind("reason")} />
  <//>`;
}

function Preview({ one, path }) {
  const [answer, setAnswer] = useState(null);
  const act = useAct();
  const isMine = one.owner === session.value.subject;
  const ask = async () => setAnswer(await call("POST", `${path}/publish?dry_run=true`));
  return html`<${Card} title="Preview" aside=${isMine && html`<${Do} kind="small" act=${act} onDo=${ask}>See what would go out<//>`}>
    ${act.problem && html`<${Trouble} problem=${act.problem} />`}
    ${!answer && html`<${Empty}>${isMine ? "The texts as they would go out, all that stands against it, and its cost. Nothing is posted." : `Only ${one.owner} publishes it.`}<//>`}
    ${answer && html`
      ${answer.problems.length
        ? html`<${Note} tone="bad"><b>It cannot be published yet:</b><ul>${answer.problems.map((problem) => html`<li key=${problem.message}>${problem.message}</li>`)}</ul><//>`
        : html`<${Note} tone="good"><b>It can be published.</b><//>`}
      <ol class="posts">${answer.texts.map((text) => html`<li key=${text}>${text}</li>`)}</ol>
      <${Facts} items=${[["The network takes", `$${answer.network_cost_usd}`], ["Budget", money(answer.budget, one.currency, one.exponent)], ["Wallet", money(answer.wallet, one.currency, one.exponent)]]} />`}
  <//>`;
}

function Stages({ one }) {
  const done = one.operation ? one.operation.stages : [];
  const known = new Map(done.map((stage) => [stage.stage, stage]));
  const isUndone = done.some((stage) => UNDOING.includes(stage.stage));
  const path = [...PUBLISHING, ...(isUndone ? UNDOING : ["running", ...CLOSING])];
  const shown = path.filter((name) => known.has(name) || name === one.stage || PUBLISHING.includes(name) || name === "running");
  const past = CLOSING.includes(one.stage) ? path.slice(0, path.indexOf(one.stage)) : [];
  return html`<${Card} title="Stages" aside=${one.operation && `publish ${one.operation.number}`}>
    <ol class="timeline">${shown.map((name) => {
      const stage = known.get(name);
      const isNow = name === one.stage;
      const state = isNow && one.error ? "bad" : isNow && name !== "settled" ? "live" : (stage && stage.ended_at) || past.includes(name) || name === one.stage ? "good" : "quiet";
      return html`<li key=${name} class=${state}><div class="two"><b>${sentence(name)}</b><span class="soft">${stage && html`<${When} at=${stage.ended_at || stage.began_at} />`}</span></div>
        ${stage && html`<p class="soft">${stage.attempts > 1 ? `${plural(stage.attempts, "attempt")}. ` : ""}${stage.reason || ""}${stage.result && html`<${Id} id=${stage.result} />`}</p>`}
        ${isNow && one.call && html`<p class="soft">${one.call.state === "unknown" ? "The outcome is not known; it is looked up" : `Its call is ${words(one.call.state)}`}${one.call.due_at ? `, next ${relative(one.call.due_at)}` : ""}</p>`}
      </li>`;
    })}</ol>
  <//>`;
}

function Engagement({ one, path }) {
  const live = useLive(one.tweet_id ? `${path}/engagement` : null, 5);
  return html`<${Card} title="Engagement" aside=${live.answer && (live.answer.final ? "the last reading" : live.answer.next_read_at && `read again ${relative(live.answer.next_read_at)}`)}>
    ${!one.tweet_id ? html`<${Empty}>Nothing is posted yet.<//>` : html`<${Answer} live=${live} isEmpty=${(answer) => !answer.metrics} empty=${html`<${Empty}>The metrics are read for the first time soon.<//>`}>${(answer) => html`
      ${answer.missing && html`<${Note} tone="bad">The network no longer has a post.<//>`}
      <${Figures} label="Engagement" items=${["likes", "reposts", "quotes", "replies"].map((name) => ({ label: sentence(name), value: number(answer.metrics[name]) }))} />
      <p class="soft">Read <${When} at=${answer.read_at} />${answer.errors ? `; ${plural(answer.errors, "reading")} failed` : ""}. The numbers are the network's own.</p>`}<//>`}
    ${one.auto_close.length > 0 && html`<p class="soft">It closes by itself at ${one.auto_close.map((of) => `${number(of.at_least)} ${of.metric}`).join(" or ")}.</p>`}
  <//>`;
}

function Rewards({ one, path }) {
  const pages = usePages(path);
  const live = useLive(`${path}/rewards${query({ limit: 20, cursor: pages.cursor })}`, one.stage === "settled" ? 30 : 4);
  return html`<${Card} title="Rewards">
    <${Answer} live=${live} isEmpty=${(answer) => !answer.items.length} empty=${html`<${Empty}>Nobody engaged.<//>`}>${(answer) => html`<${Table} label="Rewards" rows=${answer.items} keyOf=${(row) => row.host + row.account_id} columns=${[
      { label: "Account", cell: (row) => html`<span class="name">${row.handle}</span><p class="soft">${row.kinds.map(words).join(", ")}</p>` },
      { label: "State", cell: (row) => html`<${Status} status=${row.state} tone=${{ paid: "good", claimable: "live", listed: "quiet" }[row.state] || "warn"} />` },
      { label: "Why not", cell: (row) => (row.reason ? words(row.reason) : "") },
      { label: "Gets", isNumber: true, cell: (row) => money(row.amount, one.currency, one.exponent) },
    ]} /><${Pager} pages=${pages} next=${answer.next_cursor} newer="Back" older="More" />`}<//>
  <//>`;
}

function Movements({ one, path }) {
  const pages = usePages(path);
  const live = useLive(`${path}/statement${query({ limit: 10, cursor: pages.cursor })}`, 10);
  return html`<${Card} title="Statement" aside=${html`<${Do} kind="small" onDo=${() => download(`${path}/statement/export`, `${one.id}-statement.csv`)}>CSV<//>`}>
    <${Answer} live=${live} isEmpty=${(answer) => !answer.items.length} empty=${html`<${Empty}>No money has moved yet.<//>`}>${(answer) => html`<${Table} label="Statement" rows=${answer.items} keyOf=${(row) => row.account + row.number} columns=${[
      { label: "What", cell: (row) => sentence(row.kind) }, { label: "Account", cell: (row) => words(row.account.split("#")[0]) }, { label: "When", cell: (row) => html`<${When} at=${row.at} />` },
      { label: "Amount", isNumber: true, cell: (row) => money(row.amount, answer.currency, answer.exponent) }, { label: "After it", isNumber: true, cell: (row) => money(row.after, answer.currency, answer.exponent) },
    ]} /><${Pager} pages=${pages} next=${answer.next_cursor} newer="Back" older="More" />`}<//>
  <//>`;
}

function Happened({ path }) {
  const pages = usePages(path);
  const live = useLive(`${path}/events${query({ limit: 10, cursor: pages.cursor })}`, 5);
  return html`<${Card} title="What happened">
    <${Answer} live=${live} isEmpty=${(answer) => !answer.items.length} empty=${html`<${Empty}>Nothing yet.<//>`}>${(answer) => html`<ul class="list">${answer.items.map((of) => html`<li key=${of.number}><div class="two"><span><b>${action(of.action)}</b> <span class="soft">by ${of.actor}</span></span><span class="soft"><${When} at=${of.at} /></span></div></li>`)}</ul><${Pager} pages=${pages} next=${answer.next_cursor} />`}<//>
  <//>`;
}
