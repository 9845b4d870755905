// The API over HTTP: who is signed in, one call, and answers that stay up to date.
import { computed, signal, useCallback, useEffect, useRef, useState } from "./vendor/preact.js";
import { isHinted, listen } from "./live.js";

const KEPT = "sluice.token";
const ROLES = ["user", "service", "operator", "admin"];
const LONGEST_BACKOFF = 16;
const RETRY_SECONDS = 5;
// Between two readings of what hints tell of: a hint may be lost.
const HINTED_SECONDS = 15;

export const apiBase = new URL(".", document.baseURI);

// Why the sign-in form is shown, in words: the last token expired, or was refused.
export const signedOutBecause = signal("");
// False as long as the last request met no answer: what is shown is what it was.
export const isReached = signal(true);
// Changes after every write, so that all that is shown is read again at once.
export const written = signal(0);

const kept = signal(sessionStorage.getItem(KEPT));
// {token, subject, role, expiresAt} of whoever is signed in, else null.
export const session = computed(() => (kept.value ? readToken(kept.value) : null));

// What a token says of itself. Who takes it checks it. Null if it is no token.
export function claimsOf(token) {
  try {
    const part = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(part), (c) => c.charCodeAt(0))));
  } catch {
    return null;
  }
}

// What a token of this API says of itself, for the header alone. Null if it is no token.
export function readToken(token) {
  const claims = claimsOf(token);
  return claims && { token, subject: claims.sub, role: claims.role, expiresAt: new Date(claims.exp * 1000) };
}

export function keepToken(token) {
  sessionStorage.setItem(KEPT, token);
  signedOutBecause.value = "";
  kept.value = token;
}

export function signOut(because = "") {
  sessionStorage.removeItem(KEPT);
  signedOutBecause.value = because;
  kept.value = null;
}

export function may(role) {
  return session.value !== null && ROLES.indexOf(session.value.role) >= ROLES.indexOf(role);
}

// An answer that is none of 2xx: what the API says, its code, the request's id, and errors by field.
// `status` is 0 if the API was not reached.
export const Problem = class extends Error {
  constructor(status, answer = {}) {
    super(answer.message || (status ? `The API answered ${status}` : "The API cannot be reached"));
    this.status = status;
    this.code = answer.code || "";
    this.requestId = answer.request_id || "";
    this.errors = answer.errors || [];
  }

  // What the API says of one field of the request, or "".
  of(field) {
    return this.errors.filter((error) => error.field === field).map((error) => error.message).join(" ");
  }
};

export function freshKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// Answer of `method path`; `path` begins without a slash: "api/admin/stop". `body` is sent as JSON.
// A write carries an Idempotency-Key: `key`, else one of its own. `match` is sent as If-Match; `isRaw` gives the response
// itself, unread. Throws Problem, and AbortError if `abort` says so.
export async function call(method, path, body, { key, abort, token, match, isRaw } = {}) {
  const bearer = token || (session.value && session.value.token);
  const headers = { authorization: `Bearer ${bearer}` };
  if (body !== undefined) headers["content-type"] = "application/json";
  if (match) headers["if-match"] = match;
  if (method === "POST" && key !== null) headers["idempotency-key"] = key || freshKey();
  let response;
  try {
    response = await fetch(new URL(path, apiBase), {
      method, headers, body: body === undefined ? undefined : JSON.stringify(body), signal: abort, cache: "no-store",
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    isReached.value = false;
    throw new Problem(0);
  }
  isReached.value = true;
  if (isRaw && response.ok) return response;
  const text = await response.text();
  let answer = {};
  if ((response.headers.get("content-type") || "").includes("json") && text) {
    try {
      answer = JSON.parse(text);
    } catch {
      throw new Problem(response.status, { message: "The API's answer cannot be read: it is not JSON" });
    }
  } else answer = { text };
  if (response.ok) return answer;
  const problem = new Problem(response.status, answer);
  // API Gateway's own 401 and 403 have no code: the token is not accepted any more. Ours have one, and say why.
  if (!token && !problem.code && (problem.status === 401 || problem.status === 403)) {
    signOut("Your session has ended: its token has expired, or is not accepted any more. Sign in again.");
  }
  throw problem;
}

// Saves the CSV of GET `path` as the file `name`. It comes in parts: each part's `Link` names the next one.
export async function download(path, name) {
  const parts = [];
  for (let from = new URL(path, apiBase); from;) {
    const response = await call("GET", from, undefined, { isRaw: true });
    parts.push(await response.blob());
    const next = /<([^>]*)>;\s*rel="next"/.exec(response.headers.get("link") || "");
    from = next && new URL(next[1], from);
  }
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(parts, { type: "text/csv" }));
  link.download = name;
  link.click();
  // Not at once: the browser reads it after the click.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

// Posts `file` to a signed form of the API: {url, fields}. Throws Problem.
export async function upload(form, file) {
  const body = new FormData();
  Object.entries(form.fields).forEach(([name, value]) => body.append(name, value));
  body.append("file", file);
  const response = await fetch(form.url, { method: "POST", body }).catch(() => {
    throw new Problem(0, { message: "The file could not be uploaded" });
  });
  if (!response.ok) throw new Problem(response.status, { message: `The file was not accepted (${response.status}): it may be too large, or the form has expired` });
}

// Like `call`, for what changes something: everything on the screen is read again afterwards.
export async function write(method, path, body, options) {
  const answer = await call(method, path, body, options);
  written.value += 1;
  return answer;
}

// The answer of GET `path`, read again every `seconds`: {answer, problem, isWaiting, at, again}. An old answer stays while
// a new one is asked for and when that fails. Nothing is asked while the tab is hidden; null asks nothing. A hint of a
// change is a reason to read at once, and as long as there are hints it is read less often.
// `seconds` may be a function of the last answer.
export function useLive(path, seconds) {
  const [state, setState] = useState({ path: null, answer: null, problem: null, at: null });
  const ask = useRef(() => {});
  const paced = useRef(seconds);
  paced.current = seconds;
  const change = written.value;

  useEffect(() => {
    if (path === null) return undefined;
    let timer = 0;
    let failures = 0;
    const abort = new AbortController();
    // After a trouble that may pass: soon, then less and less often.
    const later = (answer, isFailed, wasHinted) => {
      const own = typeof paced.current === "function" ? paced.current(answer) : paced.current;
      const every = own && wasHinted ? Math.max(own, HINTED_SECONDS) : own;
      const wait = isFailed ? Math.min(every || RETRY_SECONDS, RETRY_SECONDS) * Math.min(2 ** failures, LONGEST_BACKOFF) : every;
      clearTimeout(timer);
      if (wait) timer = setTimeout(read, wait * 1000);
    };
    let reading = false;
    let isAskedAgain = false;
    async function read() {
      clearTimeout(timer);
      if (document.hidden) return;
      // What is being read may be older than what has changed since.
      isAskedAgain = reading;
      if (reading) return;
      reading = true;
      const wasHinted = isHinted(path);
      try {
        const answer = await call("GET", path, undefined, { abort: abort.signal });
        failures = 0;
        setState({ path, answer, problem: null, at: new Date() });
        later(answer, false, wasHinted);
      } catch (problem) {
        if (problem.name === "AbortError") return;
        if (!(problem instanceof Problem)) throw problem;
        failures += 1;
        setState((before) => ({ ...before, path, answer: before.path === path ? before.answer : null, problem }));
        later(null, problem.status === 0 || problem.status === 429 || problem.status >= 500);
      } finally {
        reading = false;
        if (isAskedAgain && !abort.signal.aborted) read();
      }
    }
    const seen = () => document.hidden || read();
    ask.current = read;
    read();
    // After a failure it is tried again by its own clock.
    const leave = listen(path, () => failures || read());
    document.addEventListener("visibilitychange", seen);
    window.addEventListener("online", seen);
    return () => {
      leave();
      abort.abort();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", seen);
      window.removeEventListener("online", seen);
    };
  }, [path, change, session.value && session.value.token]);

  const again = useCallback(() => ask.current(), []);
  const isOld = state.path !== path;
  return {
    answer: isOld ? null : state.answer,
    problem: isOld ? null : state.problem,
    at: isOld ? null : state.at,
    isWaiting: path !== null && (isOld || (!state.answer && !state.problem)),
    again,
  };
}

// One action at a time: {isBusy, problem, run, clear}. `run(work)` awaits it, and keeps the Problem that it throws.
export function useAct() {
  const [state, setState] = useState({ isBusy: false, problem: null });
  const run = async (work) => {
    setState({ isBusy: true, problem: null });
    try {
      const answer = await work();
      setState({ isBusy: false, problem: null });
      return answer;
    } catch (problem) {
      if (!(problem instanceof Problem)) {
        setState({ isBusy: false, problem: null });
        throw problem;
      }
      setState({ isBusy: false, problem });
      return null;
    }
  };
  return { ...state, run, clear: () => setState({ isBusy: false, problem: null }) };
}

// The Idempotency-Key of a form as long as it is open: pressed twice, or pressed again after a lost answer, it is one request.
// `[key, renew]`: renew it once its answer has come.
export function useKey() {
  return useState(freshKey).map((part, place) => (place ? () => part(freshKey()) : part));
}

export function query(fields) {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return given.length ? `?${new URLSearchParams(given)}` : "";
}
