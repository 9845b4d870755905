// Signing in by the team's identity provider: the authorization code flow with PKCE, and then a token of this API.
import { Problem, call, claimsOf, keepToken, session } from "./api.js";

const PENDING = "sluice.signing-in";
// Of the element that the page is drawn into: the function that serves the page writes them there.
const oidc = document.getElementById("app").dataset;

// The provider's name, for people; "" if the stack has none.
export const provider = oidc.issuer ? new URL(oidc.issuer).host : "";

function encoded(bytes) {
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

const random = () => encoded(crypto.getRandomValues(new Uint8Array(32)));
const redirectUri = () => location.origin + location.pathname;

async function ask(url, options) {
  const response = await fetch(url, { ...options, credentials: "omit", cache: "no-store" }).catch(() => null);
  if (!response) throw new Problem(0, { message: `${provider} cannot be reached from this page. Try again, or sign in with a token.` });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Problem(response.status, { message: `${provider} refused to sign you in (${response.status}). Try again.` });
  return answer;
}

async function discovered() {
  const found = await ask(`${oidc.issuer.replace(/\/$/, "")}/.well-known/openid-configuration`);
  if (found.issuer !== oidc.issuer) throw new Problem(0, { message: `${provider} says that it is another issuer: ask who deployed this platform.` });
  return found;
}

// Leaves for the provider's page, which sends the browser back here.
export async function leaveForProvider() {
  const { authorization_endpoint: endpoint } = await discovered();
  const pending = { state: random(), nonce: random(), verifier: random(), to: location.hash };
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(pending.verifier));
  sessionStorage.setItem(PENDING, JSON.stringify(pending));
  const url = new URL(endpoint);
  Object.entries({
    response_type: "code", client_id: oidc.client, redirect_uri: redirectUri(), scope: oidc.scope, state: pending.state, nonce: pending.nonce,
    code_challenge: encoded(new Uint8Array(digest)), code_challenge_method: "S256",
  }).forEach(([name, value]) => url.searchParams.set(name, value));
  location.assign(url);
}

async function exchange(code, { verifier, nonce }) {
  const { token_endpoint: endpoint } = await discovered();
  const body = new URLSearchParams({ grant_type: "authorization_code", code, redirect_uri: redirectUri(), client_id: oidc.client, code_verifier: verifier });
  const { id_token: idToken = "" } = await ask(endpoint, { method: "POST", body });
  const claims = claimsOf(idToken);
  if (!claims || claims.nonce !== nonce) throw new Problem(0, { message: `The answer of ${provider} belongs to another sign-in. Try again.` });
  const opened = await call("POST", `${oidc.session}/session`, undefined, { token: idToken, key: null }).catch((problem) => {
    // The gateway's own refusal has no code, and no words for people.
    throw problem.code || !problem.status ? problem : new Problem(problem.status, { message: `This platform does not accept what ${provider} says of you (${problem.status}): ask who deployed it.` });
  });
  keepToken(opened.token);
}

// What the provider sent the browser back with is taken out of the address before anything is drawn. Null if it is
// nothing; else a function that goes on with it, and throws a Problem.
export function takeCode() {
  const given = new URLSearchParams(location.search);
  if (!provider || !given.has("state")) return null;
  const pending = JSON.parse(sessionStorage.getItem(PENDING) || "{}");
  sessionStorage.removeItem(PENDING);
  const isOurs = given.get("state") === pending.state;
  history.replaceState(null, "", location.pathname + ((isOurs && pending.to) || "#/overview"));
  if (session.value) return null;
  return async () => {
    if (!isOurs) throw new Problem(0, { message: "This sign-in was not begun in this tab. Begin it again here." });
    if (!given.get("code")) throw new Problem(0, { message: `${provider} did not sign you in (${given.get("error")}). Try again, or sign in with a token.` });
    await exchange(given.get("code"), pending);
  };
}
