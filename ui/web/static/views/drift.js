// Drift: features against time as a heat map, the most moved first; one feature opened: where it was
// and where it is, how far that is beyond chance, which bins carry it, and since when.
import { get } from "../core/api.js";
import { cut, el, setAttribute, setText } from "../core/dom.js";
import { changes, history } from "../core/history.js";
import { panel } from "../core/panel.js";
import { go, route, viewLink } from "../core/route.js";
import { refusalBox, stateBox } from "../core/states.js";
import { absolute } from "../core/time.js";
import { count, number } from "../core/words.js";
import { heatMap } from "../charts/heat.js";
import { bar, barBox } from "../charts/marks.js";
import { recordedChart } from "../charts/recorded.js";
import { driftBar } from "./now.js";
import { liveTable, marked, numberCell } from "./parts.js";

const MOST_ROWS = 24;

function table() {
  let rows = [];
  const box = panel("Features", { name: "drift-box", note: "most moved over its noise first", table: () => ({ columns: ["feature", "psi", "noise", "threshold", "n", "state"], rows }) });
  const live = liveTable([["feature"], ["[PSI as a bar, with what no drift gives and the limit]", "wide"], ["PSI", "num"], ["noise", "num quiet"], ["limit", "num quiet"], ["n", "num quiet"]], { name: "drift", label: "Features" });
  box.body.append(...live.nodes);
  return { root: box.root, draw({ view, drift }) {
    rows = drift.map((one) => [one.feature, one.psi, one.noise ?? null, one.threshold, one.n, one.state]);
    setText(live.none, view.drift_note);
    live.none.className = view.n_drift ? "unknown" : "unset";
    setText(box.note, view.drift_note);
    live.set([...(view.score_drift ? [view.score_drift] : []), ...view.other_drift, ...view.drift], (row, item) => {
      const cell = row.children[0];
      const link = cell.querySelector("a") ?? cell.appendChild(el("a"));
      severityLink(cell, link, item);
      driftBar(row.children[1].firstElementChild ?? row.children[1].appendChild(barBox()), item);
      numberCell(row.children[2], item.psi, `drift:${item.name}`, item.name);
      numberCell(row.children[3], item.noise);
      setText(row.children[4], item.limit);
      setText(row.children[5], item.n);
      setAttribute(row, "title", item.waits || `n ${item.n}, reference ${item.n_reference}`);
    });
  } };
}

function severityLink(cell, link, item) {
  marked(link, item.mark, item.name);
  setAttribute(link, "href", viewLink("drift", { feature: item.feature, variant: item.variant ?? "" }));
  cell.className = item.state === "ok" ? "name" : `name sev-${item.state}`;
  setAttribute(cell, "title", `${item.name}: ${item.word}`);
}

const nameOf = (one) => one.labels.feature ?? one.labels.column ?? one.name;

function heat({ jobs, picture }) {
  const chart = heatMap("PSI by time", { name: "drift-heat", rowHeight: 20 });
  jobs.cleanup(() => chart.destroy());
  const load = async () => {
    const now = picture();
    try {
      const got = await history(["psi"], { by: "feature", of: (now?.drift ?? []).slice(0, MOST_ROWS).map((one) => one.feature), picture: now, signal: jobs.signal });
      if (jobs.ended) return;
      const order = new Map((now?.drift ?? []).map((one, i) => [one.feature, i]));
      const limit = now?.drift[0]?.threshold ?? 0.3;
      // While windows fill, PSI says how full they are, not what drifted.
      const warming = new Set((now?.drift ?? []).filter((one) => one.warm_at).map((one) => one.feature));
      const found = got.series.filter((one) => !warming.has(nameOf(one)) && one.points.some(([, value]) => value !== null)).map((one) => ({ label: nameOf(one), points: one.points }))
        .sort((a, b) => (order.get(a.label) ?? 1e9) - (order.get(b.label) ?? 1e9)).slice(0, MOST_ROWS).reverse();
      if (found.length === 0) { chart.refuse(stateBox("nodata", "No PSI is known in this range yet: windows fill first.")); return; }
      const longest = found.reduce((a, b) => (a.points.length > b.points.length ? a : b)).points;
      const times = longest.map(([at]) => at);
      const step = times.length > 1 ? times[1] - times[0] : 1000;
      const rows = found.map((one) => { const at = new Map(one.points); return { label: one.label, values: times.map((when) => at.get(when) ?? null) }; });
      chart.set({ rows, times, from: got.from, to: got.to, step, scale: (value) => Math.min(1, 0.04 + value / limit), words: number, open: (row) => go(viewLink("drift", { feature: row.label })), href: (row) => viewLink("drift", { feature: row.label }), note: `strongest at the limit of ${number(limit)}; hatched is no data${warming.size ? `; ${warming.size} more are still filling their windows` : ""}${got.note ? `; ${got.note}` : ""}` });
    } catch (error) {
      if (!jobs.ended) chart.refuse(refusalBox(error, load));
    }
  };
  return { root: chart.root, load };
}

function binTable(bins) {
  const most = Math.max(...bins.flatMap((bin) => [bin.reference ?? 0, bin.live ?? bin.current ?? 0]), 1e-9);
  const cell = (value) => { const box = barBox(); bar(box, { ratio: value === null ? null : value / most }); return [el("td", { class: "wide" }, box), el("td", { class: "num" }, value === null ? "no data" : `${(100 * value).toFixed(1)} %`)]; };
  return el("div", { class: "scroll bins", tabindex: "0", role: "group", "aria-label": "Bins" }, el("table", {},
    el("thead", {}, el("tr", {}, [["bin"], ["reference as a bar", "wide"], ["reference", "num"], ["live as a bar", "wide"], ["live", "num"], ["carries", "num"]].map(([name, kind]) => el("th", { scope: "col", class: kind }, kind === "wide" ? el("span", { class: "hidden" }, name) : name)))),
    el("tbody", {}, bins.map((bin) => el("tr", {}, el("th", { scope: "row" }, cut(String(bin.label), 60)), cell(bin.reference ?? null), cell(bin.live ?? bin.current ?? null), el("td", { class: "num strong" }, bin.contribution === null || bin.contribution === undefined ? "no data" : bin.contribution.toFixed(4)))))));
}

function methods(answer) {
  const rows = answer.methods ?? [];
  const list = Array.isArray(rows) ? rows : Object.entries(rows).map(([method, value]) => (typeof value === "object" ? { method, ...value } : { method, statistic: value }));
  if (list.length === 0) return null;
  return el("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Methods" }, el("table", {}, el("thead", {}, el("tr", {}, [["method"], ["statistic", "num"], ["no drift gives", "num"], ["p", "num"], ["n", "num"]].map(([name, kind]) => el("th", { scope: "col", class: kind }, name)))),
    el("tbody", {}, list.map((row) => el("tr", {}, el("td", {}, row.method ?? row.name), el("td", { class: "num" }, number(row.statistic ?? row.value)), el("td", { class: "num quiet" }, number(row.expected_null ?? row.noise ?? null)), el("td", { class: "num" }, row.p_value === null || row.p_value === undefined ? "" : number(row.p_value)), el("td", { class: "num quiet" }, row.n === undefined ? "" : `${count(row.n)}${row.sampled ? " sampled" : ""}`))))));
}

const ARMS = ["champion", "canary", "shadow"];

// Whose events are looked at: a link each, so that it can be sent on. Of several shadows the first of
// the split is the one that is judged.
function drawArms(box, feature, chosen, picture) {
  const shown = ARMS.flatMap((arm) => picture?.view.arms.find((one) => one.variant === arm) ?? (arm === chosen ? { variant: arm, model: "" } : []));
  const text = JSON.stringify(shown.map(({ variant, model }) => [variant, model]));
  if (box.dataset.shown === text) return;
  box.dataset.shown = text;
  box.replaceChildren(...shown.map(({ variant, model }) => el("a", { class: `arm ${variant}`, href: viewLink("drift", { feature, variant: variant === "champion" ? "" : variant }), "aria-current": variant === chosen ? "true" : null }, variant, " ", el("span", { class: "quiet" }, cut(model, 60)))));
}

const wordOf = (state) => ({ page: "▲ page", ticket: "◆ ticket", ok: "● ok" }[state] ?? "○ no data");

// What the API says of an arm other than the champion's, which the picture does not carry.
const factsOf = (answer) => [["PSI", number(answer.psi)], ["no drift gives up to", number(answer.noise)], ["limit", number(answer.threshold)], ["state", wordOf(answer.state)], ["n live", count(answer.n)], ["n reference", count(answer.n_reference)]];

function openFeature(root, feature, context) {
  const variant = ARMS.includes(route.state.filters.variant) ? route.state.filters.variant : "champion";
  const { jobs, picture } = context;
  const title = panel(variant === "champion" ? "Now" : `Now, ${variant}`, { name: "feature", span: "five" });
  const bins = panel("Reference against live", { name: "bins", span: "seven", table: () => ({ columns: ["bin", "reference", "live", "contribution"], rows }) });
  const arms = el("span", { class: "segments", role: "group", "aria-label": "Arm" });
  const list = el("dl", { class: "facts" });
  const more = el("div");
  let rows = [];
  title.body.append(list, more);
  const drawFacts = (pairs) => list.replaceChildren(...pairs.flatMap(([label, value]) => [el("dt", {}, label), el("dd", {}, value)]));
  // By arm there are half hours only; of all that decided, minutes.
  const line = recordedChart("PSI", { names: [`psi.${feature}`], by: variant === "champion" ? "" : "variant", note: variant === "champion" ? "of all that decided" : "", name: "psi-line", height: 180, unit: "psi", log: true, label: (one) => one.labels.variant ?? "PSI", limits: (now) => { const one = now.drift.find((item) => item.feature === feature); return one ? [{ value: one.threshold, label: `limit ${number(one.threshold)}`, state: "ticket" }, ...(one.noise > 0 ? [{ value: one.noise, label: `no drift gives up to ${number(one.noise)}`, state: "quiet" }] : [])] : []; } }, context);
  root.append(el("p", { class: "decision-head verdict-line" }, el("a", { href: viewLink("drift") }, "‹ drift"), ` ${cut(feature, 200)}`, arms), line.root, title.root, bins.root);
  const load = async () => {
    try {
      const answer = await get("/api/v1/drift", variant === "champion" ? { feature } : { feature, variant }, jobs.signal);
      if (jobs.ended) return;
      if (variant !== "champion") drawFacts(factsOf(answer));
      const known = answer.bins ?? [];
      rows = known.map((bin) => [bin.label, bin.reference ?? null, bin.live ?? bin.current ?? null, bin.contribution]);
      bins.body.replaceChildren(known.length ? binTable(known) : stateBox("nodata", "Nothing is binned yet."));
      more.replaceChildren(...[methods(answer), answer.since && el("p", { class: "note" }, `${answer.state === "ok" || !answer.state ? "in this state" : "drifting"} since ${absolute(Date.parse(answer.since))}`)].filter(Boolean));
    } catch (error) {
      if (!jobs.ended && rows.length === 0) bins.body.replaceChildren(refusalBox(error, load));
    }
  };
  context.start(load);
  jobs.every(10000, load);
  const marks = async () => { line.mark(await changes({ picture: picture(), signal: jobs.signal }).catch(() => [])); line.load(); };
  context.start(marks);
  return {
    draw(now) {
      const item = [...now.view.drift, now.view.score_drift, ...now.view.other_drift].find((one) => one?.name === feature);
      const raw = now.drift.find((one) => one.feature === feature);
      const pairs = item ? [["PSI", item.psi], ["no drift gives up to", item.noise], ["limit", item.limit], ["state", `${item.mark} ${item.word}`], ["n live", item.n], ["n reference", item.n_reference], ...(item.waits ? [["not judged", item.waits]] : [])]
        : raw ? [["PSI", number(raw.psi)], ["limit", number(raw.threshold)], ["n live", count(raw.n)]] : [["", "no such feature is watched"]];
      if (variant === "champion") drawFacts(pairs);
      drawArms(arms, feature, variant, now);
      line.follow(Date.parse(now.time));
    },
    route: marks,
  };
}

export function open(root, context) {
  let feature = null, variant = "", inner = null, map = null;
  function show() {
    feature = route.state.filters.feature ?? "";
    variant = route.state.filters.variant ?? "";
    root.replaceChildren(el("h2", { class: "hidden" }, "Drift"));
    if (feature) { inner = openFeature(root, feature, context); return; }
    const rows = table();
    map = heat(context);
    root.append(map.root, rows.root);
    context.start(map.load);
    inner = { draw: rows.draw, route: map.load };
  }
  show();
  context.jobs.every(30000, () => { if (!feature) map.load(); });
  return {
    draw(now) { inner.draw(now); },
    route(state) { if ((state.filters.feature ?? "") !== feature || (state.filters.variant ?? "") !== variant) show(); else inner.route(); },
  };
}
