// Try it (S3-21): sends one view, or one impression of a sponsorship, and shows what became of it.
import { html, useState } from "../../vendor/preact.js";
import { call, query, useLive, write } from "../../api.js";
import { Answer, Card, Do, Empty, Facts, Note, Screen, Tabs, Trouble, When } from "../../parts.js";
import { Field, Select, useForm } from "../../forms.js";
import { duration, now, number, time } from "../../format.js";
import { CONTENT_TYPES, ContentFields, ViewReasons, contentPath } from "./shared.js";

const IMPRESSION_REASONS = {
  token_invalid: "The token is not ours, or was changed.", wrong_campaign: "The token is of another sponsorship.", too_early: "The token is too young: the viewer has not seen it for long enough.",
  token_expired: "The token is too old.", bot: "The user agent names a bot, a script or nothing.", do_not_track: "The browser asks not to be tracked, and the platform honours it.",
  own_view: "Streamers' own views do not count.", platform_stopped: "Everything is stopped.", campaign_paused: "The sponsorship is paused.", campaign_ended: "The sponsorship has ended.",
  not_participating: "The streamer does not take part.", target_reached: "The target is reached: more earns nothing.", token_used: "The token was used: it counts once.",
  viewer_counted: "This viewer is counted already.", voided: "The impression was voided.",
};

export function TryOut({ asked }) {
  const isImpression = asked.send === "impression";
  return html`<${Screen} title="Try it" lead="Send a view or an impression, and see what becomes of it.">
    <${Note} tone="warn"><b>These are real.</b> They go to the real counters and are counted as organic views and as impressions that are paid. One press sends one; nothing is sent by itself.<//>
    <${Tabs} label="What to send" items=${[["#/try", "A view"], ["#/try?send=impression", "An impression and a click"]]} current=${isImpression ? "#/try?send=impression" : "#/try"} />
    ${isImpression ? html`<${TryImpression} />` : html`<${TryView} asked=${asked} />`}
  <//>`;
}

// What became of one view, impression or click, in words.
function Became({ answer, what, of }) {
  if (answer.counted) return html`<${Note} tone="good"><b>The ${what} was counted.</b>${answer.degraded ? " Redis is away, so it went to the database." : ""}<//>`;
  return html`<${Note} tone="warn"><b>The ${what} was refused.</b>${answer.retry_after_seconds ? ` It may count in ${duration(answer.retry_after_seconds)}.` : ""}${answer.accepted_at && html` It was counted <${When} at=${answer.accepted_at} />.`}<//><${ViewReasons} reasons=${answer.reasons || [answer.reason]} of=${of} />`;
}

function TryView({ asked }) {
  const form = useForm({ type: asked.type || CONTENT_TYPES[0], id: asked.id || "", token: "", session: "" });
  const [sent, setSent] = useState([]);
  const send = (event) => {
    event.preventDefault();
    form.send(async () => {
      const { type, id, token, session } = form.values;
      const path = `api/views/${contentPath(type.trim(), id.trim())}`;
      const before = id.trim() ? await call("GET", path) : null;
      const answer = await write("POST", "api/views", { content_type: type.trim(), content_id: id.trim(), session: session.trim() }, { key: null, token: token.trim().replace(/^Bearer\s+/i, "") });
      setSent([{ at: new Date(), name: `${type}/${id}`, answer, before, after: await call("GET", path) }, ...sent].slice(0, 8));
      form.set("session", answer.session);
    });
  };
  const [last, ...earlier] = sent;
  return html`<div class="columns form">
    <${Card} title="A view"><form onSubmit=${send} novalidate>
      <div class="pair"><${ContentFields} bind=${form.bind} /></div>
      <${Field} label="Session" hint="The last answer's. Empty: this browser's cookie, or a new session." spellcheck="false" ...${form.bind("session")} />
      <${Field} label="Viewer's token" hint="For a view by somebody who is signed in: make token ROLE=viewer SUB=nina. Without one, the viewer is the session, or this browser at this address." type="password" spellcheck="false" ...${form.bind("token")} />
      ${form.problem && html`<${Trouble} problem=${form.problem} />`}
      <div class="buttons"><button type="submit" class="primary" aria-busy=${form.isBusy}>${last ? "Send one more view" : "Send one view"}</button></div>
    </form><//>
    <${Card} title="What became of it"><div class="stack" role="status">
      ${last ? html`<${Became} answer=${last.answer} what="view" /><${CounterChange} before=${last.before} after=${last.after} />
        ${last.answer.reasons && html`<p class="soft"><a href="#/refusals">Why is a view refused?</a> shows every rule with its limit.</p>`}`
      : html`<${Empty}>Nothing was sent yet.<//>`}
      ${earlier.length > 0 && html`<h3>Before it</h3><ul class="list">${earlier.map((each) => html`<li key=${each.at.getTime()}><div class="two"><span>${each.answer.counted ? "Counted" : `Refused: ${(each.answer.reasons || []).join(", ").replaceAll("_", " ")}`} <span class="soft">${each.name}</span></span><time class="soft" datetime=${each.at.toISOString()}>${time(each.at)}</time></div></li>`)}</ul>`}
    </div><//>
  </div>`;
}

const COUNTED_PARTS = [["Shown", (of) => of.view_count, ""], ["Organic", (of) => of.organic.synced, "organic"], ["Organic, pending", (of) => of.organic.pending, "organic hatched"], ["Boosted", (of) => of.boosted, "boosted"]];

function CounterChange({ before, after }) {
  return html`<div class="scroll" role="region" tabindex="0" aria-label="The counter before and after"><table class="plain">
    <thead><tr><th scope="col">Views</th><th scope="col" class="num">Before</th><th scope="col" class="num">After</th></tr></thead>
    <tbody>${COUNTED_PARTS.map(([label, value, tone]) => html`<tr key=${label}><th scope="row">${tone && html`<span class="swatch ${tone}" />`}${label}</th><td class="num">${number(value(before))}</td><td class="num">${value(after) === value(before) ? number(value(after)) : html`<b>${number(value(after))}</b>`}</td></tr>`)}</tbody>
  </table></div><p class="soft">Others may view it at the same time, and a sync may move pending views.</p>`;
}

function TryImpression() {
  const running = useLive(`api/v1/campaigns${query({ status: "running", limit: 50 })}`, 30);
  return html`<${Answer} live=${running} isEmpty=${(answer) => !answer.items.length} empty=${html`<${Card}><${Empty} act=${html`<a class="button" href="#/sponsorships">Go to sponsorships</a>`}>An impression needs a sponsorship that runs and a streamer who takes part. None runs now.<//><//>`}>
    ${(answer) => html`<${ImpressionTry} campaigns=${answer.items} />`}
  <//>`;
}

function ImpressionTry({ campaigns }) {
  const form = useForm({ campaign: campaigns[0].id, streamer: "", viewer: "" });
  const { campaign, streamer, viewer } = form.values;
  const of = `api/v1/campaigns/${campaign}`;
  const joined = useLive(`${of}/participations${query({ limit: 50 })}`, 5);
  const [token, setToken] = useState(null);
  const [steps, setSteps] = useState({});
  const streamers = joined.answer ? joined.answer.items.filter((each) => each.status === "active") : [];
  const chosen = streamers.find((each) => each.streamer === streamer) || streamers[0];
  const wait = token ? Math.ceil((new Date(token.usable_at) - Math.max(now.value, Date.now())) / 1000) : 0;
  const mint = (event) => {
    event.preventDefault();
    form.send(async () => {
      setSteps({});
      setToken(null);
      setToken((await call("POST", `${of}/impressions/tokens`, { streamer_id: chosen ? chosen.streamer : "", viewers: [viewer.trim()] }, { key: null })).tokens[0]);
    });
  };
  const record = async (step, body) => setSteps({ ...steps, [step]: await write("POST", `${of}/${step}`, body, { key: null }) });
  const { impressions, clicks } = steps;
  const clickToken = impressions && impressions.click_token;
  return html`<div class="columns form">
    <${Card} title="1. A token for a viewer"><form onSubmit=${mint} novalidate>
      <${Select} label="Sponsorship" ...${form.bind("campaign")} options=${campaigns.map((each) => [each.id, each.name])} />
      ${joined.answer && !streamers.length ? html`<${Note} tone="warn">No streamer takes part in it now.<//>` : html`<${Select} label="Streamer" name="streamer" value=${chosen ? chosen.streamer : ""} onValue=${(value) => form.set("streamer", value)} wrong=${form.bind("streamer", "streamer_id").wrong} options=${streamers.map((each) => [each.streamer, each.streamer])} />`}
      <${Field} label="Viewer" hint="A name of yours. The row in the evidence says that you named it: a service names its viewers in the same way." ...${form.bind("viewer", "viewers")} />
      ${form.problem && html`<${Trouble} problem=${form.problem} />`}
      <div class="buttons"><button type="submit" class="primary" aria-busy=${form.isBusy} disabled=${!chosen}>Mint a token</button></div>
    </form><//>
    <${Card} title="2. What becomes of it"><div class="stack" role="status">
      ${chosen && html`<${Facts} items=${[["Impressions of the streamer", `${number(chosen.impressions)} of ${number(chosen.target_impressions)}`], ["Clicks", number(chosen.clicks)], ["Token usable", token && html`<${When} at=${token.usable_at} />`], ["Token expires", token && html`<${When} at=${token.expires_at} />`]]} />`}
      ${token ? html`${wait > 0 && !impressions && html`<p>A viewer must see it for a while: before that, the impression is refused.</p>`}
        <div class="actions"><${Do} kind=${impressions ? "" : "primary"} onDo=${() => record("impressions", { token: token.token })}>${impressions ? "Send the impression again" : "Send the impression"}<//>
        ${clickToken && html`<${Do} kind=${clicks ? "" : "primary"} onDo=${() => record("clicks", { token: clickToken })}>${clicks ? "Send the click again" : "Send a click"}<//>`}</div>`
      : html`<${Empty}>Mint a token first.<//>`}
      ${impressions && html`<${Became} answer=${impressions} what="impression" of=${IMPRESSION_REASONS} />`}
      ${clicks && html`<${Became} answer=${clicks} what="click" of=${IMPRESSION_REASONS} />`}
    </div><//>
  </div>`;
}
