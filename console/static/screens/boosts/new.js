// Creates a boost: its terms on the left, and on the right what would happen, while they are typed.
import { html, useState } from "../../vendor/preact.js";
import { useKey, useLive, write } from "../../api.js";
import { Card, Checks, Empty, Figures, Note, Screen, Trouble, Waiting, go } from "../../parts.js";
import { Area, Choice, Field, numberOf, useForm, useSimulation } from "../../forms.js";
import { Columns } from "../../charts.js";
import { day, dollars, moment, monthOf, number, plural, sentence, wholeDay, words } from "../../format.js";
import { BOOSTS } from "./list.js";

const BOOST_PATTERNS = { steady: [8, 8, 8, 8], burst: [16, 12, 8, 4], progressive: [4, 8, 12, 16] };

// A day's share by the pattern, small enough for a button.
function BoostPicture({ heights }) {
  return html`<span class="pattern" aria-hidden="true">${heights.map((height, place) => html`<i key=${place} style=${{ height: `${height}px` }} />`)}</span>`;
}

function boostTerms(values) {
  const videos = values.videos.split(/[\s,]+/).filter(Boolean);
  return {
    ...(videos.length > 1 ? { video_ids: videos } : { video_id: videos[0] || "" }),
    // What is left out is said to be required.
    total_count: numberOf(values.total) ?? undefined, duration_days: numberOf(values.days) ?? undefined, daily_limit: numberOf(values.limit) ?? undefined,
    pattern: values.pattern,
    ...(values.start ? { scheduled_for: new Date(values.start).toISOString() } : {}),
  };
}

export function NewBoost({ asked }) {
  const form = useForm({ videos: asked.video || "", total: "", days: "30", limit: "", pattern: "steady", start: "" });
  const [made, setMade] = useState(null);
  const [[key], [startKey]] = [useKey(), useKey()];
  const limits = useLive(`${BOOSTS}/limits`, 30).answer;
  const { values } = form;
  const terms = boostTerms(values);
  const isFilled = Boolean((terms.video_id || terms.video_ids) && terms.total_count !== undefined && terms.duration_days !== undefined && terms.daily_limit !== undefined);
  const simulation = useSimulation(`${BOOSTS}/simulate`, isFilled ? terms : null);
  // What was refused at the press of a button, else what the simulation refuses.
  const problem = form.problem || (isFilled ? simulation.problem : null);
  const bind = (name, ...fields) => ({
    name, value: values[name], disabled: Boolean(made),
    onValue: (value) => {
      form.clear();
      form.set(name, value);
    },
    wrong: problem ? problem.errors.filter((error) => fields.includes(error.field.split(".")[0])).map((error) => error.message).join(" ") : "",
  });

  async function create(isStarted) {
    const boost = made || await write("POST", BOOSTS, terms, { key });
    // Made once: if its start is refused, the screen stays, says why, and the next press starts this one.
    setMade(boost);
    if (isStarted) await write("POST", `${BOOSTS}/${boost.id}/execute`, undefined, { key: startKey });
    go(`/boosts/${boost.id}`);
  }
  const doer = (isStarted) => () => form.send(() => create(isStarted));
  const isScheduled = Boolean(values.start);

  return html`<${Screen} title="New boost" back=${["#/boosts", "Boosts"]}>
    <div class="columns form">
      <${Card} title="Terms">
        <form novalidate onSubmit=${(event) => { event.preventDefault(); doer(!isScheduled)(); }}>
          <${Area} label="Videos" rows=${Math.min(6, values.videos.split("\n").length)} spellcheck="false" placeholder="abc123" hint="The id of a video of your own; of several, one a line. They share every batch." ...${bind("videos", "video_id", "video_ids")} />
          <div class="pair">
            <${Field} label="Views in all" isNumber placeholder="15000" ...${bind("total", "total_count")} />
            <${Field} label="Days" isNumber ...${bind("days", "duration_days")} />
          </div>
          <${Field} label="At most a day" isNumber placeholder="500" hint=${limits && `The platform adds at most ${number(limits.max_per_day)} a day to all contents; ${number(limits.today_remaining)} are left today.`} ...${bind("limit", "daily_limit")} />
          <${Choice} label="Pattern" ...${bind("pattern", "pattern")} options=${Object.entries(BOOST_PATTERNS).map(([of, heights]) => [of, sentence(of), html`<${BoostPicture} heights=${heights} />`])} />
          <${Field} label="Start at (optional)" type="datetime-local" hint="In your own time zone. Without it the boost waits until somebody starts it." ...${bind("start", "scheduled_for")} />
          ${made && !form.isBusy && html`<${Note} tone="warn"><b>The boost is created, and not started.</b> Nothing is added yet. <a href="#/boosts/${made.id}">Open the boost</a>.<//>`}
          ${form.problem && (form.problem.errors.length && !made ? html`<p class="wrong" role="alert">Nothing was created: see the fields.</p>` : html`<${Trouble} problem=${form.problem} />`)}
          <div class="buttons">
            ${!isScheduled && !made && html`<button type="button" aria-busy=${form.isBusy} onClick=${doer(false)}>Create only</button>`}
            <button type="submit" class="primary" aria-busy=${form.isBusy}>${isScheduled ? "Create and schedule" : made ? "Try to start it again" : "Create and start"}</button>
          </div>
        </form>
      <//>
      <${Card} title="What would happen" aside="simulated by the worker’s own steps">
        ${simulation.answer
          ? html`<${BoostLastValid} simulation=${simulation} isFilled=${isFilled} /><${BoostSimulation} answer=${simulation.answer} />`
          : problem && problem.errors.length ? html`<${Empty}>The terms are not valid yet: see the fields.<//>`
            : problem ? html`<${Trouble} problem=${problem} again=${simulation.again} />`
              : isFilled ? html`<${Waiting} lines=${6} />`
                : html`<${Empty}>Say which video, how many views and how many a day at most. The days, the end, the caps and the cost are shown here while you type.<//>`}
      <//>
    </div>
  <//>`;
}

// The last valid simulation stays when the terms do not fit it any more, and says so.
function BoostLastValid({ simulation, isFilled }) {
  if (!simulation.isOld || (isFilled && !simulation.problem)) return null;
  return html`<${Note} tone="warn">This is the last valid simulation. ${simulation.problem && !simulation.problem.errors.length ? `Of the new terms there is none: ${simulation.problem.message}.` : "The terms have changed since, and are not valid."}<//>`;
}

// A simulation's answer: end, batches, cost, its days against the pattern, and its months against the caps.
// `isBrief`: without the days, where they are drawn already.
export function BoostSimulation({ answer, isBrief }) {
  const clipped = answer.days.reduce((sum, of) => sum + of.clipped, 0);
  const held = [...new Set(answer.days.map((of) => of.waiting_for).filter((of) => of === "daily_cap" || of === "monthly_cap"))];
  const rows = answer.days.map((of) => ({ key: of.date, label: day(of.date), title: wholeDay(of.date), values: { wished: of.wished, views: of.views } }));
  const series = [{ name: "wished", label: "Pattern", mark: "line" }, { name: "views", label: "Would be added", tone: "boosted", hatched: true }];
  return html`<${Figures} label="Simulation" items=${[
    { label: "Ends", value: day(answer.ends_at.slice(0, 10)), note: moment(answer.ends_at) },
    { label: "Batches", value: number(answer.batches), note: plural(answer.steps, "step") },
    { label: "Cost", value: dollars(answer.cost_usd), note: "at list price" },
  ]} />
  ${answer.status !== "completed" && html`<${Note} tone="bad">It would not complete: it would end ${words(answer.status)}.<//>`}
  ${held.map((cap) => html`<${Note} key=${cap} tone="warn">It would wait for the ${words(cap)} of the platform.<//>`)}
  ${!isBrief && html`<${Columns} label="Views by day" rows=${rows} series=${series} />`}
  ${clipped > 0 && html`<p class="soft">Above “at most a day”, ${plural(clipped, "view")} of the pattern ${clipped === 1 ? "moves" : "move"} to other days.</p>`}
  <${Checks} items=${answer.months.map((of) => ({ name: `${monthOf(of.month)}: ${number(of.needed)} needed`, holds: of.fits, value: `${of.fits ? "fits" : "does not fit"}, ${number(of.left)} left` }))} />`;
}
