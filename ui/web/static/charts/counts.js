// A heat map of how something was distributed over time: latency, scores or a column, as the history
// counted it.
import { heatmap } from "../core/history.js";
import { refusalBox, stateBox } from "../core/states.js";
import { count } from "../core/words.js";
import { countScale, heatMap } from "./heat.js";

// words(edge): an edge of the bins; least: how strong the fewest are drawn; limit(picture): { value,
// label } of the objective drawn in, or undefined; events: what is counted; named: what it says when
// there is none.
export function countHeat(title, of, { words, least = 0.12, limit = () => undefined, events = "decisions", named = "values", ...options }, { jobs, picture }) {
  const chart = heatMap(title, { span: "half", height: 204, ...options });
  jobs.cleanup(() => chart.destroy());
  function draw(got) {
    const bins = got.edges.length + 1;
    const used = Array.from({ length: bins }, (_, r) => got.cells.some(([, n]) => n?.[r] > 0));
    const high = used.lastIndexOf(true), low = Math.max(0, used.indexOf(true));
    if (high < 0) { chart.refuse(stateBox("nodata", `No ${named} in this range.`)); return; }
    const labels = [`under ${words(got.edges[0])}`, ...got.edges.map((edge) => words(edge))];
    const rows = labels.slice(low, high + 1).map((label, r) => ({ label, values: got.cells.map(([, n]) => n && (n[low + r] ?? 0)) }));
    const line = limit(picture() ?? { slo: [] });
    const place = line ? got.edges.findIndex((edge) => edge >= line.value) - low : -1;
    chart.set({ rows, times: got.cells.map(([at]) => at), from: got.from, to: got.to, step: got.step, scale: countScale(got.cells, least), words: count,
      line: place > 0 && place < rows.length ? place : null, lineLabel: line?.label, showLabel: (_, r) => r % Math.ceil(rows.length / 5) === 0,
      note: `stronger is more ${events}, logarithmic; hatched is no data` });
  }
  const load = async () => {
    try {
      const got = await heatmap(of, { picture: picture(), signal: jobs.signal });
      if (!jobs.ended) draw(got);
    } catch (error) {
      if (!jobs.ended) chart.refuse(refusalBox(error, load));
    }
  };
  return { root: chart.root, tools: chart.tools, load };
}
