// Now: in five seconds, what hurts and how fast, since when, what changed before, the likely cause,
// what to do; below it the vital signs.
import { el, list, setAttribute, setText } from "../core/dom.js";
import { evident } from "../core/evidence.js";
import { panel } from "../core/panel.js";
import { said } from "../core/time.js";
import { changes as askChanges, month } from "../core/history.js";
import { viewLink } from "../core/route.js";
import { bar, barBox, daysOf, histogram, sparkline, stack } from "../charts/marks.js";
import { drawTimeline, makeTimeline } from "../charts/timeline.js";
import { drawAttention } from "./attention.js";
import { facts, figure, liveTable, numberCell, severity, trend } from "./parts.js";

const withBar = (row, at) => row.children[at].firstElementChild ?? row.children[at].appendChild(barBox());

function rate() {
  const box = panel("Events", { name: "rate-box", span: "rate" });
  const value = evident(el("p", { class: "figure", id: "rate" }), "rate:now", "events a second");
  const spark = el("div", { class: "spark" });
  const note = el("p", { class: "note" });
  box.body.append(value, spark, note);
  return { root: box.root, draw({ view }) {
    figure(value, view.headline.rate);
    sparkline(spark, view.rate);
    const parts = [trend("last two minutes", view.rate), `${view.events} in all`];
    if (view.duplicates !== "0") parts.push(`${view.duplicates} duplicates`);
    if (view.errors !== "0") parts.push(`${view.errors} errors`);
    setText(note, parts.join(" · "));
  } };
}

function latency() {
  const box = panel("Latency", { name: "latency-box", span: "latency" });
  const values = el("dl", { class: "figures", id: "latency" });
  const spark = el("div", { class: "spark" });
  const note = el("p", { class: "note" });
  box.body.append(values, spark, note);
  const make = ([name]) => el("div", {}, el("dt", {}, name), el("dd", {}, evident(el("span"), `latency:${name}`, `latency ${name}`)));
  return { root: box.root, draw({ view }) {
    list(values, [["p50", view.latency.p50], ["p95", view.latency.p95], ["p99", view.latency.p99]], make, (node, [, text]) => figure(node.children[1].firstElementChild, text));
    setText(box.note, `n ${view.latency.n}, last minute`);
    sparkline(spark, view.p99);
    setText(note, trend("99th percentile, last two minutes", view.p99));
  } };
}

function decided() {
  const box = panel("Decided", { name: "decided-box", span: "decisions" });
  const table = liveTable([["decision"], ["[share as a bar; the tick is the usual share]", "wide"], ["now", "num"], ["usual", "num quiet"]], { name: "decisions", label: "Decided" });
  box.body.append(...table.nodes);
  return { root: box.root, draw({ view }) {
    setText(box.note, `n ${view.decided}, last minute`);
    table.set(view.decisions, (row, item) => {
      setText(row.children[0], item.decision);
      bar(withBar(row, 1), { ratio: item.ratio, tick: item.usual_ratio });
      numberCell(row.children[2], item.share, `decided:${item.decision}`, item.decision);
      row.children[2].classList.toggle("strong", item.unusual);
      setAttribute(row, "title", item.unusual ? "further from usual than chance explains" : `n ${item.n}`);
      setText(row.children[3], `${item.usual}${item.unusual ? " ≠" : ""}`);
    });
  } };
}

function makeObjective() {
  return el("li", { class: "objective" },
    el("div", { class: "objective-head" }, el("span", { class: "name" }), el("span", { class: "quiet" })),
    el("p", { class: "objective-now" }, evident(el("span"), "", "the objective"), el("span", { class: "quiet" })),
    barBox(), el("p", { class: "note" }, el("span"), el("span")),
    el("div", { class: "days", role: "img", hidden: true }));
}

function changeObjective(node, item, kept) {
  const [head, now, budget, note, days] = node.children;
  setAttribute(node, "data-state", item.state);
  severity(head.children[0], item, item.name);
  setText(head.children[1], item.state === "ok" ? "" : item.word);
  now.firstElementChild.dataset.evidence = `objective:${item.name}`;
  figure(now.firstElementChild, item.now);
  setText(now.lastElementChild, ` of ${item.want}`);
  bar(budget, { ratio: item.budget_left, state: item.state });
  setText(note.children[0], item.budget_left === null ? "budget: no data" : `budget ${item.budget}${/overspent/.test(item.budget) ? "" : " left"}`);
  setText(note.children[1], `burn ${item.burn_1h} over 1 h`);
  daysOf(days, kept[item.kept_share] ?? [], { target: item.target, bad: item.kept_bad, name: item.name });
  note.children[1].classList.toggle("strong", item.state !== "ok" && item.state !== "nodata");
}

function objectives() {
  const box = panel("Objectives", { name: "objectives-box", span: "objectives" });
  const rows = el("ul", { class: "multiples", id: "objectives" });
  const none = el("p", { class: "unset", id: "objectives-empty", hidden: true }, "No objectives are configured.");
  box.body.append(rows, none);
  let kept = {};
  const load = async (picture, signal) => {
    const names = [...new Set(picture.view.objectives.map((item) => item.kept_share).filter(Boolean))];
    if (names.length) kept = await month(names, { picture, signal });
  };
  return { root: box.root, load, draw({ view, slo }) {
    setText(box.note, Object.keys(kept).length ? "columns: the last 30 days; half high is what is wanted" : "");
    none.hidden = view.objectives.length > 0;
    rows.hidden = !none.hidden;
    list(rows, view.objectives, makeObjective, (node, item) => changeObjective(node, { ...item, target: slo.find((one) => one.name === item.name)?.target }, kept));
  } };
}

function traffic() {
  const box = panel("Traffic", { name: "traffic-box", span: "traffic" });
  const shares = el("div", { class: "shares" }, ["want", "has"].flatMap((name) => [el("span", { class: "note" }, name), el("div", { class: "stack", "aria-hidden": "true" })]));
  const table = liveTable([["arm"], ["model", "name"], ["want", "num quiet"], ["has", "num"], ["p50", "num"], ["p95", "num"], ["p99", "num"]], { name: "arms", label: "Traffic", empty: "No model serves.", unset: true });
  box.body.append(shares, ...table.nodes);
  return { root: box.root, draw({ view }) {
    const serving = view.arms.filter((arm) => arm.variant !== "shadow");
    shares.hidden = serving.length < 2;
    stack(shares.children[1], serving.map((arm) => [arm.variant, arm.share_wanted]));
    stack(shares.children[3], serving.map((arm) => [arm.variant, arm.share_measured]));
    table.set(view.arms, changeArm);
  } };
}

export function changeArm(row, arm) {
  row.children[0].className = `arm ${arm.variant}`;
  setText(row.children[0], arm.variant);
  setText(row.children[1], arm.model);
  setAttribute(row.children[1], "title", arm.model);
  setText(row.children[2], arm.wanted);
  numberCell(row.children[3], arm.measured, `arm:${arm.variant}`, `the share of ${arm.variant}`);
  [arm.p50, arm.p95, arm.p99].forEach((text, i) => numberCell(row.children[4 + i], text));
  setAttribute(row, "title", `n ${arm.n}, last minute`);
}

export function driftBar(box, item) {
  const top = Math.max(1.25 * (item.limit_ratio ?? 0), item.psi_ratio ?? 0) || 1;
  const part = (value) => (value === null ? null : value / top);
  bar(box, { ratio: part(item.psi_ratio), tick: part(item.limit_ratio), band: part(item.noise_ratio), state: item.state });
}

function scores() {
  const box = panel("Scores", { name: "scores-box", span: "scores" });
  const bins = el("div", { class: "histogram", id: "histogram" });
  const words = el("div");
  const mark = barBox();
  box.body.append(bins, el("div", { class: "score-drift", id: "score-drift" }, words, mark));
  return { root: box.root, draw({ view }) {
    setText(box.note, `n ${view.scores.n}, last hour, height = √n: so that few in a thousand show`);
    histogram(bins, view.scores);
    const item = view.score_drift;
    words.className = !item ? "quiet" : item.state === "ok" ? "" : `sev-${item.state}`;
    setText(words, !item ? "PSI of the score: no reference yet" : item.waits ? `${item.mark} PSI of the score: ${item.waits}`
      : `${item.mark} PSI ${item.psi} of ${item.limit} · noise up to ${item.noise} · n ${item.n}`);
    if (item) driftBar(mark, item); else bar(mark, { ratio: null });
  } };
}

function drift() {
  const box = panel("Drift of the inputs", { name: "drift-box", span: "drift" });
  const table = liveTable([["feature"], ["[PSI as a bar, with what no drift gives and the limit]", "wide"], ["PSI", "num"], ["noise", "num quiet"], ["limit", "num quiet"]], { name: "drift", label: "Drift of the inputs" });
  box.body.append(...table.nodes);
  return { root: box.root, draw({ view }) {
    setText(box.note, view.drift.length ? view.drift_note : "");
    setText(table.none, view.drift_note);
    table.none.className = view.n_drift ? "unknown" : "unset";
    table.set(view.drift.slice(0, 8), (row, item) => {
      severity(row.children[0], item, item.feature);
      driftBar(withBar(row, 1), item);
      numberCell(row.children[2], item.psi, `drift:${item.feature}`, item.feature);
      setText(row.children[3], item.noise);
      setText(row.children[4], item.limit);
      setAttribute(row, "title", `n ${item.n}, reference ${item.n_reference}`);
    });
  } };
}

function quarantine() {
  const box = panel("Quarantine", { name: "quarantine-box", span: "quarantine" });
  const table = liveTable([["reason", "name"], ["events", "num"], ["share", "num quiet"]], { name: "quarantine", label: "Quarantine", empty: "Nothing is in quarantine." });
  box.body.append(...table.nodes);
  return { root: box.root, draw({ view }) {
    setText(box.note, view.quarantine.length ? `${view.quarantined} of all events` : "");
    table.set(view.quarantine.slice(0, 8), (row, item) => {
      setText(row.children[0], item.reason.replaceAll("_", " "));
      setAttribute(row.children[0], "title", item.reason);
      numberCell(row.children[1], item.n, `quarantined:${item.reason}`, item.reason);
      setText(row.children[2], item.share);
    });
  } };
}

function recent() {
  const box = panel("Last decisions", { name: "recent-box", span: "recent" });
  const table = liveTable([["time", "quiet"], ["decision"], ["score", "num"], ["arm", "arm"], ["rule", "rule-cell name quiet"], ["event", "clip mono quiet"]], { name: "recent", label: "Last decisions", empty: "No decisions yet." });
  box.body.append(...table.nodes);
  return { root: box.root, draw({ view }) {
    table.set(view.recent.slice(0, 10), (row, item) => {
      setText(row.children[0], said(item.at, item.time, true));
      setAttribute(row.children[0], "title", item.time);
      setText(row.children[1], item.decision);
      row.children[1].classList.toggle("strong", item.decision !== "approve");
      setText(row.children[2], item.score);
      row.children[3].className = `arm ${item.variant}`;
      setText(row.children[3], item.variant);
      setAttribute(row.children[3], "title", item.variant);
      setText(row.children[4], item.rule);
      setAttribute(row.children[4], "title", item.rule);
      const link = row.children[5].firstElementChild ?? row.children[5].appendChild(el("a"));
      setText(link, item.event_id);
      setAttribute(link, "href", viewLink("decisions", {}, item.event_id));
      setAttribute(row.children[5], "title", item.event_id);
    });
  } };
}

function record() {
  const box = panel("Record", { name: "record-box", span: "record" });
  const rows = el("dl", { class: "facts", id: "record" });
  box.body.append(rows);
  return { root: box.root, draw({ view }) {
    facts(rows, [["leaves", view.tree_size], ["root", view.root ? `${view.root.slice(0, 16)}…` : "none yet", view.root], ["waiting", view.queue], ["answers", view.durability],
      ...(view.stops ? [["stopped", view.stops]] : []), ["entities", view.entities], ["their state", view.feature_memory]]);
  } };
}

export function open(root, { jobs, picture }) {
  const attention = el("section", { id: "attention", class: "attention", "aria-label": "What needs you", tabindex: "-1" });
  const wanted = objectives();
  const panels = [rate(), latency(), decided(), wanted, traffic(), drift(), scores(), quarantine()];
  const timeline = makeTimeline("What was changed", { name: "changes", span: "changes" });
  const last = [recent(), record()];
  root.append(attention, ...panels.map((one) => one.root), timeline.root, ...last.map((one) => one.root));
  const load = async () => {
    const now = picture();
    const rows = await askChanges({ picture: now, signal: jobs.signal }).catch(() => []);
    if (!jobs.ended) drawTimeline(timeline, rows, now);
  };
  const days = () => (picture() ? wanted.load(picture(), jobs.signal).catch(() => {}) : null);
  jobs.every(30000, load);
  jobs.every(600000, days);
  const soon = setTimeout(() => { load(); days(); }, 1200); // after the first picture: it must not wait for this
  jobs.cleanup(() => { clearTimeout(soon); timeline.destroy(); });
  return {
    draw(now) {
      drawAttention(attention, now);
      for (const one of [...panels, ...last]) one.draw(now);
    },
    route: load,
  };
}
