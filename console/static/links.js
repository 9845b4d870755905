// Where an id leads to.

const SCREENS_BY_PREFIX = { bst: "boosts", brd: "broadcasts", spn: "sponsorships", prm: "promotions", hok: "hooks" };

// The screen of what an audit entry or an event is about; its own entries if it has no screen.
export function linkTo(entity) {
  const screen = SCREENS_BY_PREFIX[entity.slice(0, entity.indexOf("_"))];
  if (screen && !/[#/: ]/.test(entity)) return `#/${screen}/${entity}`;
  const content = /^(?:content|adjustments)[:#]([^:#]+)[:#](.+)$/.exec(entity);
  if (content) return `#/views/${encodeURIComponent(content[1])}/${encodeURIComponent(content[2])}`;
  return `#/audit/${encodeURIComponent(entity)}`;
}
