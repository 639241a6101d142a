// SLO: attainment, the budget and its line over time, burn per window with its limits, latency with
// the objective drawn in, throughput, errors by cause, and when the budget runs out.
import { setAttribute, setText } from "../core/dom.js";
import { changes } from "../core/history.js";
import { panel } from "../core/panel.js";
import { count, quantity } from "../core/words.js";
import { countHeat } from "../charts/counts.js";
import { bar, barBox } from "../charts/marks.js";
import { chartGroup, recordedChart } from "../charts/recorded.js";
import { drawTimeline, makeTimeline } from "../charts/timeline.js";
import { liveTable, numberCell, severity } from "./parts.js";

const WINDOWS = ["5m", "30m", "1h", "2h", "6h", "1d", "3d"];
const limitWords = (burn) => (burn.limit === null || burn.limit === undefined ? burn.window : `${burn.window} ≤ ${burn.limit}×`);

function objectives() {
  const table = () => ({ columns: ["objective", "now", "want", "budget left", ...WINDOWS.map((name) => `burn ${name}`)], rows });
  let rows = [];
  const box = panel("Objectives", { name: "objectives-box", note: "burn in bold is over the limit of its window", table });
  const live = liveTable([["objective"], ["now", "num"], ["want", "num quiet"], ["[budget as a bar]", "wide"], ["budget left", "num"], ...WINDOWS.map((name, i) => [i ? name : `burn ${name}`, "num"]), ["runs out", "num"]], { name: "slo-rows", label: "Objectives", empty: "No objectives are configured.", unset: true });
  box.body.append(...live.nodes);
  return { root: box.root, draw({ view, slo }) {
    rows = slo.map((raw) => [raw.name, raw.attainment, raw.target, raw.budget_left, ...WINDOWS.map((name) => raw.burn?.[name] ?? null)]);
    live.set(view.objectives, (row, item) => {
      severity(row.children[0], item, item.name);
      numberCell(row.children[1], item.now, `objective:${item.name}`, item.name);
      setText(row.children[2], item.want);
      bar(row.children[3].firstElementChild ?? row.children[3].appendChild(barBox()), { ratio: item.budget_left, state: item.state });
      numberCell(row.children[4], item.budget);
      WINDOWS.forEach((window, i) => {
        const burn = item.burns?.find((one) => one.window === window) ?? { window, burn: "no data", beyond: false, bad: "0", counted: "0" };
        numberCell(row.children[5 + i], burn.burn);
        row.children[5 + i].classList.toggle("over", burn.beyond);
        setAttribute(row.children[5 + i], "title", `${burn.bad} of ${burn.counted}, ${limitWords(burn)}`);
      });
      setText(row.children[5 + WINDOWS.length], item.gone ?? "");
      setAttribute(row, "title", `n ${item.n}`);
    });
  } };
}

// The largest latency that the objective allows, from its own words where it is one of latency.
function latencyLimits({ slo }) {
  return slo.filter((one) => one.latency_limit_us > 0).map((one) => ({ value: one.latency_limit_us, label: `${one.name} ${quantity(one.latency_limit_us, "us")}`, state: "text" }));
}

function causes() {
  const box = panel("Errors by cause", { name: "causes", span: "half" });
  const live = liveTable([["cause", "name"], ["events", "num"], ["share", "num quiet"]], { name: "cause-rows", label: "Errors by cause", empty: "No errors since the start." });
  box.body.append(...live.nodes);
  return { root: box.root, draw({ view, ledger, totals }) {
    setText(box.note, `of ${view.events} events, since the start`);
    const { refused = 0, unconfirmed = 0 } = ledger ?? {};
    const ours = [["turned away undecided: the ledger took nothing", refused], ["decided, but not confirmed in time", unconfirmed], ["not decided: another error of ours", Math.max(0, totals.errors - refused - unconfirmed)]];
    const rows = [...ours.filter(([, n]) => n > 0).map(([name, n]) => [name, count(n), quantity(n / totals.events, "ratio"), ""]),
      ...view.quarantine.map((item) => [item.reason.replaceAll("_", " "), item.n, item.share, `quarantined:${item.reason}`])];
    live.set(rows, (row, [name, n, share, evidence]) => {
      setText(row.children[0], name);
      numberCell(row.children[1], n, evidence, name);
      setText(row.children[2], share);
    });
  } };
}

export function open(root, context) {
  const byObjective = (one) => one.labels.objective ?? one.labels.slo ?? one.name;
  const named = (now) => now.slo.map((one) => one.name);
  const parts = [objectives(), causes()];
  const charts = [
    recordedChart("Error budget left", { names: ["budget_left"], by: "objective", of: named, unit: "ratio", span: "half", name: "budget-line", zero: false, label: byObjective, limits: () => [{ value: 0, label: "used up", state: "page" }] }, context),
    recordedChart("Burn over one hour", { names: ["burn_1h"], by: "objective", of: named, unit: "×", span: "half", name: "burn-line", label: byObjective, limits: (now) => (now.slo.some((one) => one.burn?.["1h"] > 3) ? [{ value: 14.4, label: "pages at 14.4×", state: "page" }, { value: 1, label: "1×" }] : [{ value: 1, label: "1×: used up just at the end" }]) }, context),
    recordedChart("Latency", { names: ["latency_p50_us", "latency_p95_us", "latency_p99_us"], unit: "us", height: 180, log: true, span: "half", name: "latency-line", label: (one) => one.name.slice(8, 11), limits: latencyLimits }, context),
    recordedChart("Throughput", { names: ["events_per_s"], unit: "per_s", span: "half", name: "rate-line", label: () => "events" }, context),
  ];
  const heat = countHeat("Latency by time", "latency", { name: "latency-heat", words: (edge) => quantity(edge, "us"), least: 0.15, limit: (now) => latencyLimits(now)[0], events: "events", named: "latencies" }, context);
  const timeline = makeTimeline("What was changed", { name: "changes", span: "half" });
  const group = chartGroup(charts, timeline, { ...context, changes, drawTimeline });
  root.append(parts[0].root, charts[0].root, charts[1].root, charts[2].root, heat.root, charts[3].root, parts[1].root, timeline.root);
  context.start(() => { group.load(); heat.load(); });
  context.jobs.every(60000, heat.load);
  return {
    draw(now) { parts.forEach((part) => part.draw(now)); group.draw(now); },
    route() { group.load(); heat.load(); },
  };
}
