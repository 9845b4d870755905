// The page: signing in, the frame around every screen, and which address shows which screen.
import { html, render, signal, useEffect, useId, useRef, useState } from "./vendor/preact.js";
import { Problem, call, isReached, keepToken, may, readToken, session, signOut, signedOutBecause, useAct, useLive, write } from "./api.js";
import { Card, Icon, Screen, Trouble, When } from "./parts.js";
import { Asked } from "./forms.js";
import { leaveForProvider, provider, takeCode } from "./oidc.js";
import { Audit } from "./screens/audit.js";
import { Boosts } from "./screens/boosts/list.js";
import { NewBoost } from "./screens/boosts/new.js";
import { Boost } from "./screens/boosts/one.js";
import { Instances } from "./screens/broadcasts/instances.js";
import { Limits } from "./screens/broadcasts/limits.js";
import { Broadcasts } from "./screens/broadcasts/list.js";
import { NewBroadcast } from "./screens/broadcasts/new.js";
import { Broadcast } from "./screens/broadcasts/one.js";
import { OptOuts } from "./screens/broadcasts/optouts.js";
import { Templates } from "./screens/broadcasts/templates.js";
import { Delivery } from "./screens/hooks/delivery.js";
import { Hooks } from "./screens/hooks/list.js";
import { NewHook } from "./screens/hooks/new.js";
import { Hook } from "./screens/hooks/one.js";
import { Overview } from "./screens/overview.js";
import { Connections } from "./screens/promotions/connections.js";
import { Promotions } from "./screens/promotions/list.js";
import { NewPromotion } from "./screens/promotions/new.js";
import { Promotion } from "./screens/promotions/one.js";
import { Sponsorships } from "./screens/sponsorships/list.js";
import { NewSponsorship } from "./screens/sponsorships/new.js";
import { Sponsorship } from "./screens/sponsorships/one.js";
import { Participation } from "./screens/sponsorships/participation.js";
import { Content } from "./screens/views/content.js";
import { Views } from "./screens/views/list.js";
import { Refusals } from "./screens/views/refusals.js";
import { Sync } from "./screens/views/sync.js";
import { TryOut } from "./screens/views/tryout.js";
import { Wallets } from "./screens/wallets.js";

// Address, screen, and which item of the navigation it belongs to. The first that fits is shown; {name} is any part.
const ROUTES = [
  ["overview", Overview],
  ["boosts", Boosts], ["boosts/new", NewBoost], ["boosts/{id}", Boost],
  ["broadcasts", Broadcasts], ["broadcasts/new", NewBroadcast], ["broadcasts/instances", Instances],
  ["broadcasts/templates", Templates], ["broadcasts/optouts", OptOuts], ["broadcasts/limits", Limits],
  ["broadcasts/{id}", Broadcast],
  ["sponsorships", Sponsorships], ["sponsorships/new", NewSponsorship], ["sponsorships/{id}", Sponsorship],
  ["sponsorships/{id}/{streamer}", Participation],
  ["promotions", Promotions], ["promotions/new", NewPromotion], ["promotions/connections", Connections],
  ["promotions/{id}", Promotion],
  ["views", Views], ["views/{type}/{id}", Content], ["try", TryOut], ["sync", Sync], ["refusals", Refusals],
  ["hooks", Hooks], ["hooks/new", NewHook], ["hooks/{id}", Hook], ["hooks/{id}/deliveries/{delivery}", Delivery],
  ["wallets", Wallets], ["audit", Audit], ["audit/{entity}", Audit],
];

const NAVIGATION = [
  ["overview", "Overview"],
  [null, "Campaigns"],
  ["boosts", "Boosts"], ["broadcasts", "Broadcasts"], ["sponsorships", "Sponsorships"], ["promotions", "Promotions"],
  [null, "Views"],
  ["views", "Views"], ["sync", "Sync"], ["refusals", "Refusals"],
  [null, "Records"],
  ["wallets", "Wallets"], ["hooks", "Webhooks"], ["audit", "Audit"],
  ["try", "Try it", "tryout"],
];

const address = signal(location.hash);

// {Shown, params, asked, first}: the screen, the parts of the address by name, its query, and its first part.
function routeOf(hash) {
  const [path, asked = ""] = hash.replace(/^#\/?/, "").split("?");
  let parts;
  try {
    parts = (path || "overview").split("/").map(decodeURIComponent);
  } catch {
    // A % that encodes nothing.
    parts = [];
  }
  for (const [pattern, Shown] of ROUTES) {
    const wanted = pattern.split("/");
    if (wanted.length !== parts.length) continue;
    const params = {};
    const fits = wanted.every((part, at) => (part.startsWith("{") ? Boolean((params[part.slice(1, -1)] = parts[at])) : part === parts[at]));
    if (fits) return { Shown, params, asked: Object.fromEntries(new URLSearchParams(asked)), first: parts[0] };
  }
  return { Shown: Nowhere, params: {}, asked: {}, first: "" };
}

function Nowhere() {
  return html`<${Screen} title="There is no such page"><${Card}><p>The address names no screen. <a href="#/overview">Go to the overview</a>.</p><//><//>`;
}

// A token in the address, such as `make up` prints, is kept and taken out of the address before anything is drawn.
function takeToken() {
  const given = new URLSearchParams(location.hash.replace(/^#/, ""));
  const token = given.get("token");
  if (!token) return;
  history.replaceState(null, "", `${location.pathname}${location.search}#/${given.get("to") || "overview"}`);
  const read = readToken(token);
  if (read && read.expiresAt > new Date()) keepToken(token);
  else signOut(read ? "The link's token has expired. Sign in with a new one." : "The link's token is not a token.");
}

function SignInByProvider() {
  const act = useAct();
  useEffect(() => {
    if (!returned) return;
    const goOn = returned;
    returned = null;
    act.run(goOn);
  }, []);
  return html`
    ${act.problem && html`<${Trouble} problem=${act.problem} />`}
    ${act.isBusy && html`<p class="soft" role="status">Signing you in with ${provider}…</p>`}
    <div class="buttons whole"><button type="button" class="primary" aria-busy=${act.isBusy} disabled=${act.isBusy} onClick=${() => act.run(leaveForProvider)}>Sign in with ${provider}</button></div>
    <p class="soft">Or with a token:</p>`;
}

function SignIn() {
  const [text, setText] = useState("");
  const act = useAct();
  const [refused, setRefused] = useState(signedOutBecause.value);
  const id = useId();
  const field = useRef(null);
  useEffect(() => field.current.focus(), []);
  const enter = (event) => {
    event.preventDefault();
    if (act.isBusy) return;
    const token = text.trim().replace(/^Bearer\s+/i, "");
    const read = readToken(token);
    if (!token) return setRefused("Paste a token.");
    if (!read || Number.isNaN(read.expiresAt.getTime())) return setRefused("This is not a token: it has three parts with dots between them.");
    if (read.expiresAt <= new Date()) return setRefused("This token has expired. Make a new one.");
    setRefused("");
    act.run(async () => {
      try {
        // Asked before the token is kept, so that the reason of a refusal stays on the form.
        await call("GET", "api/admin/stop", undefined, { token });
        keepToken(token);
      } catch (problem) {
        if (!(problem instanceof Problem) || (problem.status !== 401 && problem.status !== 403)) throw problem;
        setRefused(problem.code ? `The role of this token, ${read.role}, may not see the console. It takes an operator or an admin.` : "The API does not accept this token. It may be another stack's.");
      }
    });
    return undefined;
  };
  return html`<main class="signin">
    <p class="brand"><img src=${new URL("icon.svg", import.meta.url)} alt="" /><span>Sluice</span></p>
    <${Card} title="Sign in">
      ${provider && html`<${SignInByProvider} />`}
      <form onSubmit=${enter} novalidate>
        <div class="field">
          <label for=${id}>Token</label>
          <input ref=${field} id=${id} type="password" autocomplete="off" spellcheck="false" value=${text} onInput=${(event) => setText(event.target.value)} aria-invalid=${Boolean(refused)} aria-describedby="${id}-hint" />
          <p id="${id}-hint" class=${refused ? "wrong" : "soft"} role=${refused ? "alert" : undefined}>${refused || "It stays in this tab, and is forgotten when the tab is closed."}</p>
        </div>
        ${act.problem && html`<${Trouble} problem=${act.problem} />`}
        <div class="buttons"><button type="submit" class=${provider ? "" : "primary"} aria-busy=${act.isBusy}>Sign in</button></div>
      </form>
    <//>
    <p class="soft">On a laptop, <code>make up</code> prints a link that signs in. For a stack on AWS, <code>make token ROLE=operator STACK=its-name</code> prints a token.</p>
  </main>`;
}

function StopButton({ stopped }) {
  const [isAsked, ask] = useState(false);
  const close = () => ask(false);
  if (!may("admin")) return null;
  if (stopped) {
    return html`<button type="button" class="primary" onClick=${() => ask(true)}><${Icon} name="go" />Resume</button>
      ${isAsked && html`<${Asked} title="Resume everything?" verb="Resume everything" reason="Why is it resumed?" onClose=${close} onDo=${(reason) => write("POST", "api/admin/resume", { reason })}>
        <p>Every campaign of every context goes on by itself within a minute, where it was. Nothing is done twice.</p>
      <//>`}`;
  }
  return html`<button type="button" class="warn" onClick=${() => ask(true)}><${Icon} name="stop" />Stop everything</button>
    ${isAsked && html`<${Asked} title="Stop everything?" verb="Stop everything" isDanger reason="Why is it stopped?" onClose=${close} onDo=${(reason) => write("POST", "api/admin/stop", { reason })}>
      <p>After the answer no batch of any campaign commits, no message is sent and nothing is posted, until somebody resumes.</p>
      <ul><li>What a provider was just asked for may still arrive.</li><li>Views and impressions are counted as always.</li><li>Nothing is lost: on resume each campaign goes on where it was.</li></ul>
    <//>`}`;
}

function Shell() {
  const { Shown, params, asked, first } = routeOf(address.value);
  const content = useRef(null);
  const last = useRef(address.value.split("?")[0]);
  const stop = useLive("api/admin/stop", 10);
  const stopped = stop.answer && stop.answer.status === "stopped" ? stop.answer : null;
  useEffect(() => {
    const path = address.value.split("?")[0];
    if (path === last.current) return;
    last.current = path;
    window.scrollTo(0, 0);
    content.current.focus({ preventScroll: true });
  }, [address.value]);
  useEffect(() => {
    const current = document.querySelector(".side [aria-current]");
    if (current && innerWidth <= 860) current.parentElement.scrollLeft = current.offsetLeft - 16;
  });
  return html`
    <a class="skip" href="#main" onClick=${(event) => { event.preventDefault(); content.current.focus(); }}>Skip to the content</a>
    <header class="top">
      <a class="brand" href="#/overview"><img src=${new URL("icon.svg", import.meta.url)} alt="" /><span>Sluice</span></a>
      <span class="who"><b>${session.value.subject}</b><span class="soft">${session.value.role}</span></span>
      <button type="button" onClick=${() => signOut()}>Sign out</button>
      <${StopButton} stopped=${stopped} />
    </header>
    <div aria-live="polite">
      ${!isReached.value && html`<div class="note warn bar-note"><p><b>The API cannot be reached.</b> What you see is what it was. It is tried again by itself.</p></div>`}
      ${stopped && html`<div class="note bad bar-note"><p><b>Everything is stopped</b> since <${When} at=${stopped.since} absolute />, by ${stopped.actor}: ${stopped.reason}</p></div>`}
    </div>
    <div class="frame">
      <nav class="side" aria-label="Screens">
        ${NAVIGATION.map(([to, label, icon]) => (to ? html`<a key=${to} href="#/${to}" aria-current=${to === first ? "page" : undefined}><${Icon} name=${icon || to} />${label}</a>` : html`<span key=${label} class="group">${label}</span>`))}
      </nav>
      <main id="main" ref=${content} tabindex="-1"><${Shown} key=${address.value.split("?")[0]} ...${params} asked=${asked} /></main>
    </div>`;
}

function Page() {
  return session.value ? html`<${Shell} />` : html`<${SignIn} />`;
}

// What the identity provider sent the browser back with, until the form goes on with it.
let returned = takeCode();
takeToken();
address.value = location.hash;
addEventListener("hashchange", () => {
  takeToken();
  address.value = location.hash;
});
render(html`<${Page} />`, document.getElementById("app"));
