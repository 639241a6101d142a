// SLO: attainment, the budget and its line over time, burn per window with its limits, latency with
// the objective drawn in, throughput, errors by cause, and when the budget runs out.
import { setAttribute, setText } from "../core/dom.js";
import { changes, heatmap } from "../core/history.js";
import { panel } from "../core/panel.js";
import { refusalBox, stateBox } from "../core/states.js";
import { count, duration, quantity } from "../core/words.js";
import { heatMap } from "../charts/heat.js";
import { bar, barBox } from "../charts/marks.js";
import { chartGroup, recordedChart } from "../charts/recorded.js";
import { drawTimeline, makeTimeline } from "../charts/timeline.js";
import { liveTable, numberCell, severity } from "./parts.js";

const WINDOWS = [["5m", 14.4], ["30m", 6], ["1h", 14.4], ["6h", 6], ["1d", 3], ["3d", 1]];
const WINDOW_S = 30 * 86400;

// At the rate of the last hour; nothing is said while the budget lasts longer than its window.
function runsOut(raw) {
  const burn = raw?.burn?.["1h"];
  if (!(burn > 1) || raw.budget_left === null) return "";
  if (raw.budget_left <= 0) return "used up";
  return `gone in ${duration(raw.budget_left * (raw.window_s ?? WINDOW_S) / burn)}`;
}

const times = (value) => (value === null || value === undefined ? "no data" : `${value >= 10 ? value.toFixed(1) : value.toFixed(value >= 0.95 ? 1 : 2)}×`);

function objectives() {
  const table = () => ({ columns: ["objective", "now", "want", "budget left", ...WINDOWS.map(([name]) => `burn ${name}`)], rows });
  let rows = [];
  const box = panel("Objectives", { name: "objectives-box", note: "burn in bold is over the limit of its window", table });
  const live = liveTable([["objective"], ["now", "num"], ["want", "num quiet"], ["[budget as a bar]", "wide"], ["budget left", "num"], ...WINDOWS.map(([name, limit]) => [`${name} ≤ ${limit}×`, "num"]), ["runs out", "num"]], { name: "slo-rows", label: "Objectives", empty: "No objectives are configured.", unset: true });
  box.body.append(...live.nodes);
  return { root: box.root, draw({ view, slo }) {
    rows = slo.map((raw) => [raw.name, raw.attainment, raw.target, raw.budget_left, ...WINDOWS.map(([name]) => raw.burn?.[name] ?? null)]);
    live.set(view.objectives, (row, item) => {
      const raw = slo.find((one) => one.name === item.name);
      severity(row.children[0], item, item.name);
      numberCell(row.children[1], item.now, `objective:${item.name}`, item.name);
      setText(row.children[2], item.want);
      bar(row.children[3].firstElementChild ?? row.children[3].appendChild(barBox()), { ratio: item.budget_left, state: item.state });
      numberCell(row.children[4], item.budget);
      WINDOWS.forEach(([name, limit], i) => {
        const value = raw?.burn?.[name] ?? null;
        numberCell(row.children[5 + i], times(value));
        row.children[5 + i].classList.toggle("over", value > limit);
      });
      setText(row.children[11], runsOut(raw));
      setAttribute(row, "title", `n ${item.n}`);
    });
  } };
}

// The largest latency that the objective allows, from its own words where it is one of latency.
export function latencyLimits({ slo }) {
  return slo.filter((one) => one.threshold_us > 0).map((one) => ({ value: one.threshold_us, label: `${one.name} ${quantity(one.threshold_us, "us")}`, state: "text" }));
}

const edgeWords = (edges) => edges.slice(0, -1).map((edge, i) => `${quantity(edge, "us")} to ${edges[i + 1] === null ? "∞" : quantity(edges[i + 1], "us")}`);

function latencyHeat({ jobs, picture }) {
  const chart = heatMap("Latency by time", { name: "latency-heat", span: "half", height: 204 });
  jobs.cleanup(() => chart.destroy());
  const load = async () => {
    try {
      const got = await heatmap("latency", { picture: picture(), signal: jobs.signal });
      const used = got.edges.map((_, r) => got.cells.some(([, n]) => n[r] > 0));
      const low = Math.max(0, used.indexOf(true)), high = used.lastIndexOf(true);
      if (high < 0) { chart.refuse(stateBox("nodata", "No latencies in this range.")); return; }
      const labels = edgeWords(got.edges).concat(quantity(got.edges[got.edges.length - 1], "us"));
      const rows = got.edges.slice(low, high + 1).map((_, r) => ({ label: labels[low + r] ?? "", values: got.cells.map(([, n]) => n[low + r] || null) }));
      const most = Math.log1p(Math.max(...got.cells.flatMap(([, n]) => n)));
      const limit = latencyLimits(picture() ?? { slo: [] })[0];
      const place = limit ? got.edges.findIndex((edge) => edge >= limit.value) - low : -1;
      chart.set({ rows, times: got.cells.map(([at]) => at), from: got.from, to: got.to, step: got.step, scale: (value) => 0.15 + 0.85 * Math.log1p(value) / most, words: count,
        line: place > 0 && place < rows.length ? place : null, lineLabel: limit?.label, showLabel: (_, r) => r % Math.ceil(rows.length / 6) === 0, note: "darker is more events, logarithmic" });
    } catch (error) {
      if (!jobs.ended) chart.refuse(refusalBox(error, load));
    }
  };
  return { root: chart.root, load };
}

function causes() {
  const box = panel("Errors by cause", { name: "causes", span: "half" });
  const live = liveTable([["cause", "name"], ["events", "num"], ["share", "num quiet"]], { name: "cause-rows", label: "Errors by cause", empty: "No errors since the start." });
  box.body.append(...live.nodes);
  return { root: box.root, draw({ view, ledger }) {
    setText(box.note, `of ${view.events} events, since the start`);
    const rows = [...view.quarantine.map((item) => [item.reason.replaceAll("_", " "), item.n, item.share, `quarantined:${item.reason}`]),
      ...(view.errors !== "0" ? [["not decided: an error of ours", view.errors, "", ""]] : []),
      ...(ledger?.refused ? [["turned away undecided", count(ledger.refused), "", ""]] : []),
      ...(ledger?.unconfirmed ? [["decided, but not confirmed in time", count(ledger.unconfirmed), "", ""]] : [])];
    live.set(rows, (row, [name, n, share, evidence]) => {
      setText(row.children[0], name);
      numberCell(row.children[1], n, evidence, name);
      setText(row.children[2], share);
    });
  } };
}

export function open(root, context) {
  const byObjective = (one) => one.labels.objective ?? one.labels.slo ?? one.name;
  const parts = [objectives(), causes()];
  const charts = [
    recordedChart("Error budget left", { names: ["budget_left"], by: "objective", unit: "ratio", span: "half", name: "budget-line", zero: false, label: byObjective, limits: () => [{ value: 0, label: "used up", state: "page" }] }, context),
    recordedChart("Burn over one hour", { names: ["burn_1h"], by: "objective", unit: "×", span: "half", name: "burn-line", label: byObjective, limits: (now) => (now.slo.some((one) => one.burn?.["1h"] > 3) ? [{ value: 14.4, label: "pages at 14.4×", state: "page" }, { value: 1, label: "1×" }] : [{ value: 1, label: "1×: used up just at the end" }]) }, context),
    recordedChart("Latency", { names: ["latency_p50_us", "latency_p95_us", "latency_p99_us"], unit: "us", span: "half", name: "latency-line", label: (one) => one.name.slice(8, 11), limits: latencyLimits }, context),
    recordedChart("Throughput", { names: ["events_per_s"], unit: "per_s", span: "half", name: "rate-line", label: () => "events" }, context),
  ];
  const heat = latencyHeat(context);
  const timeline = makeTimeline("What was changed", { name: "changes", span: "changes" });
  const group = chartGroup(charts, timeline, { ...context, changes, drawTimeline });
  root.append(parts[0].root, charts[0].root, charts[1].root, charts[2].root, heat.root, charts[3].root, parts[1].root, timeline.root);
  group.load();
  heat.load();
  context.jobs.every(60000, heat.load);
  return {
    draw(now) { parts.forEach((part) => part.draw(now)); group.draw(now); },
    route() { group.load(); heat.load(); },
  };
}
