// What all screens share of the platform: whether it is stopped, and where an id leads to.
import { signal } from "./vendor/preact.js";

// The answer of GET /api/admin/stop, read by the frame; null before it came.
export const platform = signal(null);

export function isStopped() {
  return platform.value !== null && platform.value.status === "stopped";
}

const SCREENS_BY_PREFIX = { bst: "boosts", brd: "broadcasts", spn: "sponsorships", prm: "promotions" };

// The screen of what an audit entry or an event is about; its own entries if it has no screen.
export function linkTo(entity) {
  const screen = SCREENS_BY_PREFIX[entity.slice(0, entity.indexOf("_"))];
  if (screen && !/[#/: ]/.test(entity)) return `#/${screen}/${entity}`;
  const content = /^(?:content|adjustments)[:#]([^:#]+)[:#](.+)$/.exec(entity);
  if (content) return `#/views/${encodeURIComponent(content[1])}/${encodeURIComponent(content[2])}`;
  return `#/audit/${encodeURIComponent(entity)}`;
}
