// The platform's views by day, and the most viewed contents: by organic views alone.
import { html } from "../../vendor/preact.js";
import { query, useLive } from "../../api.js";
import { Answer, Card, Csv, Empty, Figures, Pager, Screen, Tabs, usePages } from "../../parts.js";
import { Ranked } from "../../charts.js";
import { number, plural, sentence, short } from "../../format.js";
import { CONTENT_TYPES, DaysOfViews, OpenContent, contentPath, daysBack } from "./shared.js";

const VIEW_PERIODS = [7, 30, 90, 365];

export function Views({ asked }) {
  const days = Number(asked.days) || 30;
  const type = asked.type || CONTENT_TYPES[0];
  const to = (change) => `#/views${query({ days, type, ...change })}`;
  // A day more than shown: today is the platform's, which may be tomorrow here.
  const live = useLive(`api/admin/views/days${query({ from: daysBack(days) })}`, 60);
  const stats = useLive("api/admin/views/stats", 10);
  const pages = usePages(type);
  const ranking = `api/admin/views/top${query({ content_type: type })}`;
  const top = useLive(`api/admin/views/top${query({ content_type: type, limit: 20, cursor: pages.cursor })}`, 30);
  const pending = stats.answer ? stats.answer.pending_views : 0;
  return html`<${Screen} title="Views" actions=${html`<a class="button" href="#/try">Send a view</a>`}>
    <${OpenContent} key=${type} type=${type} />
    <${Card} title="All contents, day by day" aside=${html`<${Tabs} label="Period" items=${VIEW_PERIODS.map((of) => [to({ days: of }), of === 365 ? "A year" : `${of} days`])} current=${to({})} />`}>
      <${Answer} live=${live} lines=${8} isEmpty=${(answer) => !pending && answer.items.every((of) => !of.organic && !of.boosted && !of.adjusted)} empty=${html`<${Empty} act=${html`<a href="#/try">Send a view and see what happens</a>`}>No view was counted in these days.<//>`}>
        ${(answer) => {
          const shown = answer.items.slice(-days);
          const sum = (name) => shown.reduce((total, of) => total + of[name], 0);
          const figure = (name, label, tone, note, hatched, value = sum(name)) => ({ label, tone, note, hatched, value: short(value), exact: number(value) });
          return html`<${Figures} label="In these days" items=${[
            figure("organic", "Organic", "organic", "by viewers, moved"),
            figure("", "Organic, pending", "organic", stats.problem ? "cannot be read now" : "the next sync moves them", true, stats.answer ? pending : null),
            figure("boosted", "Boosted", "boosted", "by boosts, labelled"),
            figure("adjusted", "Organic, by hand", null, "added or taken away"),
          ]} /><${DaysOfViews} label="Views of all contents by day" days=${shown} pending=${pending} movedUntil=${answer.moved_until} /><p class="soft">Days begin at midnight in ${answer.time_zone}.</p>`;
        }}
      <//>
    <//>
    <${Card} title="Most viewed" aside=${html`<${Csv} key=${type} path=${ranking.replace("/top", "/top/export")} name="most-viewed-${type}.csv" />`}>
      <div class="stack">
        <${Tabs} label="Type" items=${[...new Set([...CONTENT_TYPES, type])].map((of) => [to({ type: of }), sentence(of)])} current=${to({})} />
        <p class="soft">By organic views alone: boosted views stand beside them and change no rank. Pending views are not in it yet.</p>
        <${Answer} live=${top} lines=${6} isEmpty=${(answer) => !answer.items.length} empty=${html`<${Empty} act=${html`<a href="#/sync">Go to the sync</a>`}>No content of this type has organic views that were moved.<//>`}>
          ${(answer) => html`<${Ranked} label="Most viewed by organic views" tone="organic" rows=${answer.items.map((of) => ({
            key: of.content_id, name: of.content_id, value: of.organic, href: `#/views/${contentPath(type, of.content_id)}`,
            note: of.boosted ? html`<span class="swatch boosted" />and ${plural(of.boosted, "boosted view")}, not ranked` : null,
          }))} /><${Pager} pages=${pages} next=${answer.next_cursor} newer="More viewed" older="Less viewed" />`}
        <//>
      </div>
    <//>
  <//>`;
}
