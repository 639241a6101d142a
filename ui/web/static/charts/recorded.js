// A line chart of recorded series that keeps itself up to date: asks for its range, again when the
// range changes and while it follows the present.
import { learnBegin } from "../core/begin.js";
import { history, nowOf, stepFor } from "../core/history.js";
import { refusalBox } from "../core/states.js";
import { setText } from "../core/dom.js";
import { bounds } from "../core/time.js";
import { route } from "../core/route.js";
import { lineChart } from "./line.js";

// names: the series; by: the label they are told apart by; label(one): its word in the legend;
// limits(picture): lines across; note: words, or what makes them of the picture; only(one): which of them are shown; of, derive, ask, strict: see
// history().
export function recordedChart(title, { names, by = "", of = null, derive = null, ask, strict = false, label = (one) => one.name, limits = () => [], only = () => true, note = "", ...options }, { jobs, picture }) {
  const words = (now) => (typeof note === "function" ? note(now) : note);
  const chart = lineChart(title, { note: words(picture()), ...options });
  let markers = [], asking = null, due = 0, waits = false;
  const line = (one, before) => ({ name: before ? `${label(one) || "none"} before` : label(one) || "none", arm: before ? undefined : one.labels.variant, before, points: one.points });

  async function load() {
    if (asking || jobs.ended) return;
    // Made of what the picture says: loaded as soon as there is one.
    waits = Boolean(derive ?? of) && !picture();
    if (waits) return;
    asking = true;
    try {
      const now = picture();
      const got = await history(names, { by, of: now && of ? of(now) : [], derive, ask, strict, picture: now, signal: jobs.signal });
      if (jobs.ended) return;
      const wanted = got.series.filter(only).sort((a, b) => names.indexOf(a.name) - names.indexOf(b.name));
      chart.set({ from: got.from, to: got.to, lines: [...wanted.map((one) => line(one, false)), ...got.before.filter(only).map((one) => line(one, true))], limits: now ? limits(now) : [], markers, unit: ask ? got.series[0]?.unit : undefined });
      setText(chart.note, got.note || words(now));
    } catch (error) {
      if (!jobs.ended && error.name !== "AbortError") chart.refuse(refusalBox(error, load));
    } finally {
      asking = null;
    }
  }
  jobs.cleanup(() => chart.destroy());
  return {
    root: chart.root,
    load,
    mark(changes) { markers = changes; },
    // Follows the present no oftener than its points come.
    follow(now) {
      const { from, to, follows } = bounds(route.state, now);
      if (!waits && (!follows || now < due)) return;
      due = now + Math.max(2000, stepFor((to - from) / 1000) * 1000);
      load();
    },
  };
}

// A view of such charts: markers of all of them from one list of changes.
export function chartGroup(charts, timeline, { jobs, picture, changes, drawTimeline }) {
  const load = async () => {
    const [rows] = await Promise.all([changes({ picture: picture(), signal: jobs.signal }).catch(() => []), learnBegin(nowOf(picture()))]);
    if (jobs.ended) return;
    charts.forEach((chart) => chart.mark(rows));
    if (timeline) drawTimeline(timeline, rows, picture());
    await Promise.all(charts.map((chart) => chart.load()));
  };
  jobs.every(30000, load);
  if (timeline) jobs.cleanup(timeline.destroy);
  return {
    load,
    draw(now) { charts.forEach((chart) => chart.follow(Date.parse(now.time))); },
  };
}
