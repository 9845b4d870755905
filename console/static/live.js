// Hints over a WebSocket: that something has changed, never what. Without them, everything is read as often as before.
import { Problem, call } from "./api.js";

const MOST_TOPICS = 20;
const SOON = 200;
// What is said twice, two seconds apart, was heard: of two messages at once, the earlier may be the last to arrive.
const SETTLE = 2000;
// API Gateway ends a connection that says nothing for ten minutes.
const PING = 240_000;
const RETRY = 5000;
const REST = 600_000;
const MOST_FAILURES = 3;
const JITTER = 300;
const CONTEXTS = [
  ["api/admin/stop", "platform"], ["api/admin/fake-views", "boosts"], ["api/v1/campaigns", "sponsorships"],
  ["v2/campaigns", "promotions"], ["api/campaigns", "broadcasts"], ["api/admin/hooks", "hooks"],
];
// What has no other part that changes without a hint.
const WHOLE = /(stop|fake-views|campaigns)(\/\w{3}_\w{26})?(\/(plan|progress|participations))?(\?.*)?$/;

// A stack without a WebSocket: it would answer each request for a ticket with 503, by which an alarm rings.
let isOff = document.getElementById("app").dataset.live === "off";
// What to call when a topic changes.
const listeners = new Map();
let socket = null;
let isTrying = false;
let failures = 0;
let said = "";
let watched = new Set();
let timer = 0;

// The topic whose hints are about the answer of GET `path`; undefined if there is none.
export function topicOf(path) {
  const [, topic] = CONTEXTS.find(([of]) => path.startsWith(of)) || [];
  return topic && (/\b(bst|brd|dlv|prm|spn)_\w{26}/.exec(path) || [topic])[0];
}

// Whether whoever listens is told of every change of it, so that asking often finds nothing more.
export function isHinted(path) {
  return watched.has(topicOf(path)) && WHOLE.test(path);
}

// Calls `ask` when there may be a new answer of GET `path`, until the function that it returns is called.
export function listen(path, ask) {
  const topic = topicOf(path);
  if (!topic) return () => {};
  listeners.set(topic, (listeners.get(topic) || new Set()).add(ask));
  watch(SOON);
  open();
  return () => {
    listeners.get(topic).delete(ask);
    if (!listeners.get(topic).size) listeners.delete(topic);
    watch(SOON);
  };
}

function tell(topic) {
  (listeners.get(topic) || []).forEach((ask) => setTimeout(ask, Math.random() * JITTER));
}

function watch(wait) {
  clearTimeout(timer);
  timer = setTimeout(() => {
    if (!socket || socket.readyState !== WebSocket.OPEN) return;
    // Nobody listens who is signed out.
    if (!listeners.size) return socket.close();
    const topics = [...listeners.keys()].sort().slice(0, MOST_TOPICS);
    const text = JSON.stringify({ action: "watch", topics });
    const isSettled = text === said;
    watched = new Set(isSettled ? topics : topics.filter((each) => watched.has(each)));
    said = text;
    socket.send(text);
    watch(isSettled ? PING : SETTLE);
  }, wait);
}

async function open() {
  if (isOff || isTrying || !listeners.size) return;
  isTrying = true;
  try {
    const { url, ticket } = await call("POST", "api/admin/live", undefined, { key: null });
    socket = new WebSocket(`${url}?ticket=${ticket}`);
    socket.onopen = () => {
      failures = 0;
      watch(0);
    };
    socket.onmessage = ({ data }) => tell(JSON.parse(data).topic);
    socket.onclose = lost;
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    isOff = problem.code === "live_off";
    if (!isOff) lost();
  }
}

// What was read less often is read at once and then at its own pace; the next connection is tried soon, or after a while.
function lost() {
  watched.forEach(tell);
  socket = null;
  said = "";
  watched = new Set();
  failures += 1;
  setTimeout(() => {
    isTrying = false;
    open();
  }, failures < MOST_FAILURES ? RETRY : REST);
}
