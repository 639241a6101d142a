// Traffic: the arms beside each other: shares wanted and measured, latency, decisions, scores; how
// far the shadows differ; and the place where shares are changed.
import { button, el, setAttribute, setText } from "../core/dom.js";
import { changes, history, nowOf } from "../core/history.js";
import { panel } from "../core/panel.js";
import { refusalBox, stateBox } from "../core/states.js";
import { rangeWords } from "../core/time.js";
import { route } from "../core/route.js";
import { count, number, quantity } from "../core/words.js";
import { countHeat } from "../charts/counts.js";
import { histogram, stack } from "../charts/marks.js";
import { chartGroup, recordedChart } from "../charts/recorded.js";
import { drawTimeline, makeTimeline } from "../charts/timeline.js";
import { changeShares, rollBack } from "./actions.js";
import { facts, liveTable } from "./parts.js";
import { changeArm } from "./now.js";

function arms() {
  let rows = [];
  const box = panel("Arms", { name: "arms-box", span: "seven", table: () => ({ columns: ["arm", "model", "wanted", "measured", "n", "p50_us", "p95_us", "p99_us"], rows }) });
  const shares = el("div", { class: "shares" }, ["want", "has"].flatMap((name) => [el("span", { class: "note" }, name), el("div", { class: "stack", "aria-hidden": "true" })]));
  const table = liveTable([["arm"], ["model", "name"], ["want", "num quiet"], ["has", "num"], ["p50", "num"], ["p95", "num"], ["p99", "num"], ["n", "num quiet"]], { name: "arms", label: "Arms", empty: "No model serves.", unset: true });
  const roll = button("Roll the canary back…", rollBack, { hidden: true });
  const acts = el("div", { class: "buttons" }, button("Change shares…", changeShares), roll);
  box.body.append(shares, ...table.nodes, acts);
  return { root: box.root, draw({ view, traffic }) {
    rows = traffic.map((arm) => [arm.variant, arm.model, arm.share_wanted, arm.share_measured, arm.n, arm.latency_us?.p50 ?? null, arm.latency_us?.p95 ?? null, arm.latency_us?.p99 ?? null]);
    const serving = view.arms.filter((arm) => arm.variant !== "shadow");
    stack(shares.children[1], serving.map((arm) => [arm.variant, arm.share_wanted]));
    stack(shares.children[3], serving.map((arm) => [arm.variant, arm.share_measured]));
    table.set(view.arms, (row, arm) => { changeArm(row, arm); setText(row.children[7], arm.n); });
    acts.hidden = view.arms.length < 2;
    roll.hidden = !view.arms.some((arm) => arm.variant === "canary" && arm.share_wanted > 0);
    setText(box.note, view.arms_note);
    setAttribute(box.note, "title", "users are assigned by a hash of their id");
  } };
}

function scores() {
  const box = panel("Scores", { name: "scores-box", span: "five" });
  const bins = el("div", { class: "histogram tall", id: "histogram" });
  box.body.append(bins);
  return { root: box.root, draw({ view }) {
    setText(box.note, `n ${view.scores.n}, last hour, height = √n: so that few in a thousand show`);
    histogram(bins, view.scores);
  } };
}

// The measured share of each arm, out of the decisions of each; what was refused has none.
function ofAll(series) {
  const all = new Map();
  for (const one of series) for (const [at, n] of one.points) all.set(at, (all.get(at) ?? 0) + (n ?? 0));
  return series.filter((one) => one.labels.variant).map((one) => ({ ...one, name: "share", points: one.points.map(([at, n]) => [at, n === null || !all.get(at) ? null : n / all.get(at)]) }));
}
async function shares(picture, signal) {
  const got = await history(["accepted"], { by: "variant", strict: true, picture, signal });
  return { ...got, series: ofAll(got.series), before: ofAll(got.before) };
}

const shadowNames = (now) => {
  const shadows = now?.view.arms.filter((arm) => arm.variant === "shadow") ?? [];
  return shadows.length > 1 ? `all ${shadows.length} shadows together` : shadows[0]?.model ?? "no shadow sees events";
};

const MEANS = ["shadow_distance_mean", "shadow_disagreement_ratio", "shadow_higher_ratio"];

// How many scores shadows gave, and the means of all of them: each step counts as often as it has scores.
function summed(series) {
  const points = (name) => new Map(series.find((one) => one.name === name)?.points ?? []);
  const counts = [...points("shadow_scored")].filter(([, n]) => n > 0);
  const n = counts.reduce((sum, [, some]) => sum + some, 0);
  return { n, means: MEANS.map((name) => {
    const of = points(name), known = counts.filter(([at]) => Number.isFinite(of.get(at)));
    const all = known.reduce((sum, [, some]) => sum + some, 0);
    return all ? known.reduce((sum, [at, some]) => sum + of.get(at) * some, 0) / all : null;
  }) };
}

// How far the scores of shadows are from those that decided, over the range.
function disagreement({ jobs, start, picture }) {
  let rows = [];
  const list = el("dl", { class: "facts" });
  const columns = ["shadow", "n", "mean difference of score", "further than 0.1", "the shadow is higher"];
  const box = panel("Shadow disagreement", { name: "shadow-box", span: "half", table: () => ({ columns, rows }) });
  box.body.append(stateBox("loading"));
  const load = async () => {
    try {
      const now = picture(), within = rangeWords(route.state, nowOf(now));
      const { n, means: [distance, far, higher] } = summed((await history(["shadow_scored", ...MEANS], { strict: true, picture: now, signal: jobs.signal })).series);
      if (jobs.ended) return;
      rows = n > 0 ? [[shadowNames(now), n, distance, far, higher]] : [];
      setText(box.note, within);
      const told = [shadowNames(now), count(n), number(distance), quantity(far, "ratio"), quantity(higher, "ratio")];
      if (n > 0) facts(list, columns.map((name, i) => [name, told[i]]));
      box.body.replaceChildren(n > 0 ? list : stateBox("empty", `No shadow scored an event in this range (${within}).`));
    } catch (error) {
      if (!jobs.ended) box.body.replaceChildren(refusalBox(error, load));
    }
  };
  start(load);
  jobs.every(15000, () => start(load));
  return { root: box.root, load };
}

export function open(root, context) {
  const parts = [arms(), scores()];
  const byArm = (one) => one.labels.variant ?? one.name;
  const charts = [
    recordedChart("Share by arm", { names: ["share"], by: "variant", derive: shares, unit: "ratio", span: "half", name: "share-line", label: byArm }, context),
    recordedChart("Latency p95 by arm", { names: ["latency_p95_us"], by: "variant", unit: "us", span: "half", name: "arm-latency-line", label: byArm }, context),
    recordedChart("Decided", { names: ["review_ratio", "decline_ratio"], unit: "ratio", height: 180, span: "half", name: "decided-line", label: (one) => one.name.replace("_ratio", "") }, context),
    recordedChart("Declined by arm", { names: ["decline_ratio"], by: "variant", unit: "ratio", span: "half", name: "arm-decline-line", label: byArm }, context),
    recordedChart("Mean score by arm", { names: ["score_mean"], by: "variant", unit: "score", span: "half", name: "arm-score-line", label: byArm }, context),
    recordedChart("Shadow scores apart over time", { names: ["shadow_disagreement_ratio"], unit: "ratio", span: "half", name: "shadow-line", note: shadowNames, label: () => "further than 0.1" }, context),
  ];
  const heat = countHeat("Scores by time", "score", { name: "score-heat", words: number, named: "scores" }, context);
  const far = disagreement(context);
  const timeline = makeTimeline("What was changed", { name: "changes", span: "changes" });
  const group = chartGroup(charts, timeline, { ...context, changes, drawTimeline });
  root.append(parts[0].root, parts[1].root, charts[0].root, charts[1].root, charts[2].root, heat.root, charts[3].root, charts[4].root, far.root, charts[5].root, timeline.root);
  context.start(() => { group.load(); heat.load(); });
  context.jobs.every(60000, heat.load);
  return {
    draw(now) { parts.forEach((part) => part.draw(now)); group.draw(now); },
    route() { group.load(); heat.load(); far.load(); },
  };
}
