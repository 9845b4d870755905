// At which networks promotions are published, with which account, and whose accounts are proven for rewards.
import { html, useState } from "../../vendor/preact.js";
import { may, useLive, write } from "../../api.js";
import { Answer, Card, Copied, Do, Empty, Facts, Note, Screen, Status, Trouble, When } from "../../parts.js";
import { Asked, Choice, Field, Filled, useForm } from "../../forms.js";
import { bytes, duration, number, sentence } from "../../format.js";
import { PromotionsTabs } from "./list.js";

export function Connections() {
  const live = useLive("v2/networks", 15);
  return html`<${Screen} title="Networks and accounts">
    <${PromotionsTabs} current="#/promotions/connections" />
    <${Answer} live=${live} lines=${6}>${(answer) => html`<div class="columns">${answer.items.map((network) => html`<${Network} key=${network.network} network=${network} />`)}</div>`}<//>
    <${Links} networks=${live.answer ? live.answer.items.filter((of) => of.links) : []} />
    ${may("operator") && html`<${Exceptions} />`}
  <//>`;
}

function Network({ network }) {
  const name = network.network;
  const live = useLive(`v2/connections/${name}`, 15);
  const [asked, ask] = useState("");
  const isNone = live.problem && live.problem.status === 404;
  const held = isNone ? null : live.answer;
  return html`<${Card} title=${sentence(name)} aside=${held && html`<${Status} status=${held.is_revoked ? "bad" : "connected"} label=${held.is_revoked ? "Token refused" : "Connected"} />`}>
    ${isNone ? html`<${Empty}>No account is connected.<//>` : html`<${Answer} live=${live}>${(of) => html`<${Facts} items=${[["Posts as", of.handle], ["At", of.host], ["Connected", html`<${When} at=${of.connected_at} />`]]} />`}<//>`}
    ${held && held.is_revoked && html`<${Note} tone="bad">The network refuses this token since. Nothing is published until it is connected again.<//>`}
    <${Facts} items=${[
      ["A text has", `${number(network.text_limit)} characters`], ["Pictures", network.media_count ? `${number(network.media_count)}, up to ${bytes(network.media_bytes)}` : "none"],
      ["A post costs", `$${network.post_price_usd}`], ["With a link", `$${network.link_price_usd}`], ["Rewards", network.rewards ? "its rules allow them" : "its rules forbid them"],
    ]} />
    ${network.quotas.map((quota) => html`<p key=${quota.family + quota.host} class="soft">${sentence(quota.family)} at ${quota.host}: ${number(quota.used)} of ${number(quota.most)} in ${duration(quota.window_seconds)}${quota.blocked_until ? html`, none before <${When} at=${quota.blocked_until} absolute />` : ""}</p>`)}
    <div class="buttons">
      ${held && html`<button type="button" class="warn" onClick=${() => ask("forget")}>Forget</button>`}
      <button type="button" class=${held ? "" : "primary"} onClick=${() => ask("connect")}>${held ? "New token" : "Connect an account"}</button>
    </div>
    ${asked === "connect" && html`<${Connecting} network=${network} onClose=${() => ask("")} />`}
    ${asked === "forget" && html`<${Asked} title="Forget the account at ${name}?" verb="Forget it" isDanger onClose=${() => ask("")} onDo=${() => write("DELETE", `v2/connections/${name}`)}><p>Its token is deleted here. It stays valid at the network until you withdraw it there.</p><//>`}
  <//>`;
}

function Connecting({ network, onClose }) {
  const form = useForm({ token: "", host: network.hosts[0] || "" });
  const isSandbox = network.network === "sandbox";
  const { token, host } = form.values;
  const connect = () => write("PUT", `v2/connections/${network.network}`, { token, host: network.hosts.length ? host : null });
  return html`<${Filled} title="Connect an account at ${sentence(network.network)}" verb="Connect" form=${form} onSave=${connect} onClose=${onClose}>
    ${network.hosts.length > 0 && html`<${Field} label="Server" hint="One of: ${network.hosts.join(", ")}" ...${form.bind("host")} />`}
    <${Field} label=${isSandbox ? "Name of the account" : "Token"} type=${isSandbox ? "text" : "password"} hint=${isSandbox ? "Any name: the sandbox has no passwords." : "It is kept encrypted, and is never shown again."} ...${form.bind("token")} />
  <//>`;
}

function Links({ networks }) {
  const live = useLive("v2/links", 10);
  const form = useForm({ network: "", handle: "", host: "" });
  const chosen = form.values.network || (networks[0] ? networks[0].network : "");
  const begin = (event) => {
    event.preventDefault();
    form.send(async () => {
      await write("POST", "v2/links", { network: chosen, handle: form.values.handle, host: form.values.host || null });
      form.set("handle", "");
    });
  };
  return html`<${Card} title="My accounts, for rewards">
    <${Answer} live=${live} isEmpty=${(answer) => !answer.items.length} empty=${html`<${Empty}>No account is linked. A reward of a linked account is paid into your wallet.<//>`}>${(answer) => html`<ul class="list">${answer.items.map((link) => html`<li key=${link.id}>
      <div class="two"><span><b>${link.handle}</b> <span class="soft">at ${link.host}</span></span><${Status} status=${link.state === "proven" ? "linked" : "pending"} label=${link.state === "proven" ? "Proven" : "Not proven yet"} /></div>
      ${link.state !== "proven" && html`<p>Write this into the profile of the account, then press Verify: <${Copied} text=${link.code} /></p>`}
      <div class="actions">${link.state !== "proven" && html`<${Do} kind="small" onDo=${() => write("POST", `v2/links/${link.id}/verify`)}>Verify<//>`}<${Do} kind="small warn" onDo=${() => write("DELETE", `v2/links/${link.id}`)}>Remove<//></div>
    </li>`)}</ul>`}<//>
    ${networks.length > 0 && html`<form onSubmit=${begin} novalidate>
      <${Choice} label="Link an account at" name="network" value=${chosen} onValue=${(value) => form.set("network", value)} options=${networks.map((of) => [of.network, sentence(of.network)])} />
      <div class="pair"><${Field} label="Account" ...${form.bind("handle")} /><${Field} label="Server" hint="For Mastodon only" ...${form.bind("host")} /></div>
      ${form.problem && html`<${Trouble} problem=${form.problem} />`}
      <div class="buttons"><button type="submit" aria-busy=${form.isBusy}>Link it</button></div>
    </form>`}
  <//>`;
}

// What an operator says of an account stands above the rules.
function Exceptions() {
  const form = useForm({ host: "sandbox", account: "", eligible: "no", reason: "" });
  const [found, setFound] = useState(null);
  const path = () => `v2/exceptions/${encodeURIComponent(form.values.host)}/${encodeURIComponent(form.values.account)}`;
  const run = (work) => form.send(async () => setFound(await work()));
  return html`<${Card} title="Exceptions from the rules" aside="audited">
    <p class="soft">Whether an account is rewarded is decided by rules: its age, what it follows, how much it posts. An operator may say otherwise.</p>
    <div class="pair"><${Field} label="Server" ...${form.bind("host")} /><${Field} label="Id of the account" ...${form.bind("account")} /></div>
    <${Choice} label="It is" ...${form.bind("eligible")} options=${[["no", "never rewarded"], ["yes", "always rewarded"]]} />
    <${Field} label="Why?" ...${form.bind("reason")} />
    ${found && html`<${Note}>${found.eligible === null ? "The rules decide about this account." : `${found.eligible ? "Always" : "Never"} rewarded, says ${found.by}: ${found.reason}`}<//>`}
    ${form.problem && (form.problem.status === 404 ? html`<${Note}>Nobody has said anything of this account: the rules decide.<//>` : html`<${Trouble} problem=${form.problem} />`)}
    <div class="buttons">
      <button type="button" onClick=${() => run(() => write("DELETE", path()))}>Let the rules decide</button>
      <button type="button" onClick=${() => run(() => write("PUT", path(), { eligible: form.values.eligible === "yes", reason: form.values.reason }))}>Say so</button>
    </div>
  <//>`;
}
