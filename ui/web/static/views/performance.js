// How good the decisions were whose truth is known by now: figures with their intervals by arm, day by
// day with the estimate that was made before the truth came, and how late and how much of it comes.
import { get } from "../core/api.js";
import { el, setText } from "../core/dom.js";
import { nowOf } from "../core/history.js";
import { panel } from "../core/panel.js";
import { route } from "../core/route.js";
import { refusalBox, stateBox } from "../core/states.js";
import { bounds, moment } from "../core/time.js";
import { count, quantity } from "../core/words.js";
import { interval, intervalScale } from "../charts/interval.js";
import { facts } from "./parts.js";

const FIGURES = [["auc", "AUC"], ["average_precision", "average precision"], ["precision", "precision"], ["recall", "recall"], ["f1", "F1"], ["brier", "Brier score"], ["log_loss", "log loss"], ["ece", "calibration error"]];
const ESTIMATED = { auc: "roc_auc", average_precision: "average_precision", precision: "precision", recall: "recall", f1: "f1" };
const MONTH = 30 * 86400e3;
const MOST_DAYS = 31;

// Figures near zero keep as many digits as those near one.
const short = (value) => (value === null || value === undefined ? "no data" : value !== 0 && Math.abs(value) < 0.1 ? value.toPrecision(2) : value.toFixed(3));
const between = (ci) => (ci ? `${short(ci[0])} – ${short(ci[1])}` : "");
const scroll = (label, ...rows) => el("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": label }, el("table", {}, ...rows));
const heading = (columns) => el("thead", {}, el("tr", {}, columns.map(([name, kind = ""]) => el("th", { scope: "col", class: kind }, name))));

// The truth comes late: what follows the present shows a month.
function asked(picture) {
  const { from, to, follows } = bounds(route.state, nowOf(picture));
  return { follows: follows && to - from < MONTH, from: Math.floor(follows ? Math.min(from, to - MONTH) : from), to: Math.ceil(to) };
}

function byArm(groups) {
  const known = groups.filter((group) => group.n > 0);
  if (!known.length) return stateBox("nodata", "No truth is known of these decisions yet. It is told by POST /v1/labels.");
  return scroll("Figures by arm", heading([["figure"], ...known.flatMap((group) => [[group.value, "num"], ["95 %", "num quiet"]])]),
    el("tbody", {}, FIGURES.map(([key, name]) => el("tr", {}, el("td", { class: "name" }, name),
      known.flatMap((group) => [el("td", { class: "num" }, short(group[key])), el("td", { class: "num quiet" }, between(group.ci[key]))]))),
    el("tr", {}, el("td", { class: "name quiet" }, "labelled, positive"), known.flatMap((group) => [el("td", { class: "num" }, count(group.n)), el("td", { class: "num quiet" }, count(group.positives))]))));
}

// One row a day, newest first: what was estimated, and what it was.
function days(groups, periods, metric) {
  const truth = new Map(groups.map((group) => [group.value, group]));
  const guessed = new Map(periods.filter((period) => period.variant === "champion").map((period) => [period.from, period]));
  return [...new Set([...truth.keys(), ...guessed.keys()])].sort().reverse().map((day) => {
    const group = truth.get(day), period = guessed.get(day);
    const guess = period?.metrics.find((one) => one.metric === ESTIMATED[metric]);
    const [low, high] = group?.ci[metric] ?? [null, null];
    return { day, low, high, value: group?.[metric] ?? null, from: guess?.lower ?? null, estimate: guess?.estimated ?? null, to: guess?.upper ?? null, decided: group?.decided ?? period?.decided ?? null, n: group?.n ?? 0, over: period?.over ?? true };
  });
}

function dayTable(rows, name) {
  if (!rows.some((row) => row.value !== null || row.estimate !== null)) return stateBox("nodata", "Neither truth nor an estimate is known in this range yet.");
  const shown = rows.slice(0, MOST_DAYS), scale = intervalScale(shown);
  return scroll(`${name} day by day`, heading([["day"], [`${short(scale.least)} to 1`, "wide"], ["estimated", "num quiet"], ["known", "num"], ["95 %", "num quiet"], ["labelled", "num quiet"]]),
    el("tbody", {}, shown.map((row) => el("tr", {}, el("td", { class: "name" }, `${row.day.slice(0, 10)}${row.over ? "" : ", so far"}`), el("td", { class: "wide" }, interval(row, scale)),
      el("td", { class: "num quiet" }, short(row.estimate)), el("td", { class: "num" }, short(row.value)), el("td", { class: "num quiet" }, row.low === null ? "" : between([row.low, row.high])), el("td", { class: "num quiet" }, count(row.n))))));
}

function labels({ all, labels: told, coverage_ratio: coverage, concept_drift: concept, estimates }, metric) {
  const list = el("dl", { class: "facts" });
  const record = estimates.track_record.find((one) => one.metric === ESTIMATED[metric]);
  facts(list, [["decisions whose truth is known", quantity(coverage, "ratio")], ["truth comes after, p50", quantity(all.label_delay_s.p50, "s")], ["p95", quantity(all.label_delay_s.p95, "s")], ["at most", quantity(all.label_delay_s.max, "s")],
    ["labels joined", count(told.joined)], ["corrected", count(told.corrected)], ["of no known decision", count(told.unmatched)],
    ["estimates were off by", record?.periods ? `${short(record.mean_abs_error)} in the mean of ${count(record.periods)} days` : "no data"],
    [`concept drift (${concept.method})`, concept.detected ? `${count(concept.detected)}, last ${moment(Date.parse(concept.detections.at(-1).at))}` : concept.n ? "none found" : "no data"]]);
  return list;
}

export function performance({ jobs, picture, start }) {
  let arms = [], rows = [], got = null;
  const figures = panel("How good the decisions were", { name: "figures", span: "two-thirds", table: () => ({ columns: ["arm", "n", "positives", ...FIGURES.flatMap(([key]) => [key, `${key}_low`, `${key}_high`])], rows: arms.map((one) => [one.value, one.n, one.positives, ...FIGURES.flatMap(([key]) => [one[key], ...(one.ci[key] ?? [null, null])])]) }) });
  const truth = panel("Labels", { name: "labels", span: "third" });
  const daily = panel("Estimate beside truth", { name: "daily", table: () => ({ columns: ["day", "estimated", "estimated_low", "estimated_high", "known", "known_low", "known_high", "decided", "labelled"], rows: rows.map((row) => [row.day, row.estimate, row.from, row.to, row.value, row.low, row.high, row.decided, row.n]) }) });
  const metric = el("select", { id: "daily-metric", "aria-label": "Figure", on: { change: () => draw() } }, FIGURES.filter(([key]) => ESTIMATED[key]).map(([key, name]) => el("option", { value: key }, name)));
  daily.tools.before(metric);
  for (const one of [figures, truth, daily]) one.body.append(stateBox("loading"));

  function draw() {
    if (!got) return;
    const name = FIGURES.find(([key]) => key === metric.value)[1];
    arms = [...(got.arms.groups.filter((group) => group.n > 0).length > 1 ? [{ value: "all", ...got.arms.all }] : []), ...got.arms.groups];
    rows = days(got.time.groups, got.time.estimates.periods, metric.value);
    setText(figures.note, `${count(got.arms.labelled)} of ${count(got.arms.decided)} decisions, ${got.month ? "last 30 days" : "of this range"}`);
    setText(daily.note, "band: estimated before the truth was known; whisker: 95 % of what was found");
    figures.body.replaceChildren(byArm(arms));
    truth.body.replaceChildren(labels(got.time, metric.value));
    daily.body.replaceChildren(dayTable(rows, name));
  }

  const load = async () => {
    try {
      const { follows: month, from, to } = asked(picture());
      const [byVariant, byTime] = await Promise.all(["variant", "time"].map((by) => get("/api/v1/performance", { from, to, by }, jobs.signal)));
      got = { month, arms: byVariant, time: byTime };
      if (!jobs.ended) draw();
    } catch (error) {
      if (!jobs.ended) for (const one of [figures, truth, daily]) one.body.replaceChildren(refusalBox(error, load));
    }
  };
  start(load);
  jobs.every(30000, load);
  return { roots: [figures.root, truth.root, daily.root], load: () => start(load) };
}
