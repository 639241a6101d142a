// One function a panel: puts the server's words and numbers where they belong. The words, their
// order and the severities come from the server, so this page and the terminal say the same.
import { bar, histogram, sparkline, stack } from "./charts.js";
import { el, id, list, setAttribute, setText } from "./dom.js";

const NO_DATA = "no data";
const clean = (text) => text === NO_DATA || text === "too few";

function figure(node, text) {
  setText(node, text);
  node.classList.toggle("is-nodata", clean(text));
}

function number(cell, text) {
  setText(cell, text);
  cell.classList.toggle("is-nodata", clean(text));
}

function cells(...classes) {
  return () => el("tr", {}, ...classes.map((name) => el("td", name ? { class: name } : {})));
}

function withBar(row, at) {
  const cell = row.children[at];
  if (!cell.firstElementChild) cell.append(el("div", { class: "bar", "aria-hidden": "true" }));
  return cell.firstElementChild;
}

function severity(cell, row, name) {
  setText(cell, `${row.mark} ${name}`);
  cell.className = row.state === "ok" ? "name" : `name sev-${row.state}`;
  setAttribute(cell, "title", `${name}: ${row.word}`);
}

function showEmpty(name, empty) {
  id(`${name}-empty`).hidden = !empty;
  id(name).closest("table").hidden = empty;
}

// ---- times: the server's UTC words, or the reader's own clock ----

export const time = { local: false };

function localTime(iso, seconds) {
  const options = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  if (seconds) options.second = "2-digit";
  const date = new Date(iso);
  if (new Date().toDateString() !== date.toDateString()) Object.assign(options, { year: "numeric", month: "2-digit", day: "2-digit" });
  return date.toLocaleString("sv-SE", options);
}

function moment(words, iso, seconds) {
  return time.local && iso ? localTime(iso, seconds) : words;
}

const trend = (words, series) => clean(series.top) ? words : `${words}, up to ${series.top}`;

// ---- panels ----

function head(view) {
  const { headline } = view;
  setText(id("service"), headline.service);
  setText(id("clock"), moment(headline.clock, view.time, true));
  setAttribute(id("clock"), "title", view.time);
  setText(id("split"), headline.split);
  setText(id("source"), `${headline.broker || headline.source} · up ${headline.uptime}`);
  id("source").classList.toggle("sev-ticket", headline.broker_lost);
  const counts = [["▲", headline.pages, headline.n_pages, "page"], ["◆", headline.tickets, headline.n_tickets, "ticket"]];
  list(id("counts"), counts, () => el("span"), (node, [mark, words, n, state]) => {
    setText(node, n ? `${mark} ${words}` : words);
    node.className = n ? `sev-${state}` : "sev-ok";
  });
  const urgent = headline.n_pages ? `▲${headline.n_pages} ` : headline.n_tickets ? `◆${headline.n_tickets} ` : "";
  document.title = `${urgent}${headline.service} · binnacle`;
}

function makeItem() {
  return el("article", { class: "item" },
    el("h2", {}, el("span", { class: "mark" }), el("span", { class: "title" }), el("span", { class: "since" })), el("dl"));
}

function changeItem(node, item) {
  setAttribute(node, "data-state", item.state);
  setText(node.querySelector(".mark"), item.state === "nodata" ? item.mark : `${item.mark} ${item.word.toUpperCase()}`);
  setText(node.querySelector(".title"), item.title);
  const since = node.querySelector(".since");
  setText(since, item.since && `since ${time.local && item.since_time ? localTime(item.since_time, false) + item.since.slice(item.since.indexOf(",")) : item.since}`);
  if (item.since_time) setAttribute(since, "title", item.since_time);
  const pairs = item.evidence.flatMap((line) => [["DT", line.label], ["DD", line.text]]);
  list(node.querySelector("dl"), pairs, () => el(node.querySelector("dl").children.length % 2 ? "dd" : "dt"), (part, [, text]) => setText(part, text));
}

function attention(view) {
  const box = id("attention");
  const calm = box.querySelector(".calm");
  if (view.attention.length === 0) {
    const words = view.headline.worst === "nodata" ? "Nothing is known yet." : "Nothing needs you.";
    if (!calm) box.replaceChildren(el("p", { class: "calm" }));
    setText(box.firstElementChild, words);
    return;
  }
  calm?.remove();
  list(box, view.attention, makeItem, changeItem);
}

function events(view) {
  figure(id("rate"), view.headline.rate);
  sparkline(id("rate-spark"), view.rate);
  const parts = [trend("last two minutes", view.rate), `${view.events} in all`];
  if (view.duplicates !== "0") parts.push(`${view.duplicates} duplicates`);
  if (view.errors !== "0") parts.push(`${view.errors} errors`);
  setText(id("rate-note"), parts.join(" · "));
}

function latency(view) {
  const rows = [["p50", view.latency.p50], ["p95", view.latency.p95], ["p99", view.latency.p99]];
  list(id("latency"), rows, () => el("div", {}, el("dt"), el("dd")), (node, [name, text]) => {
    setText(node.children[0], name);
    figure(node.children[1], text);
  });
  setText(id("latency-note"), `n ${view.latency.n}, last minute`);
  sparkline(id("p99-spark"), view.p99);
  setText(id("p99-note"), trend("99th percentile, last two minutes", view.p99));
}

function decisions(view) {
  setText(id("decided-note"), `n ${view.decided}, last minute`);
  list(id("decisions"), view.decisions, cells("", "wide", "num", "num quiet"), (row, item) => {
    setText(row.children[0], item.decision);
    bar(withBar(row, 1), { ratio: item.ratio, tick: item.usual_ratio });
    number(row.children[2], item.share);
    row.children[2].classList.toggle("strong", item.unusual);
    setAttribute(row, "title", item.unusual ? "further from usual than chance explains" : `n ${item.n}`);
    setText(row.children[3], `${item.usual}${item.unusual ? " ≠" : ""}`);
  });
}

function objectives(view) {
  showEmpty("objectives", view.objectives.length === 0);
  list(id("objectives"), view.objectives, cells("", "num", "num quiet", "wide", "num", "num"), (row, item) => {
    severity(row.children[0], item, item.name);
    number(row.children[1], item.now);
    setText(row.children[2], item.want);
    bar(withBar(row, 3), { ratio: item.budget_left, state: item.state });
    number(row.children[4], item.budget);
    number(row.children[5], item.burn_1h);
    setAttribute(row, "title", `n ${item.n}, burn 6 h ${item.burn_6h}`);
  });
}

function traffic(view) {
  showEmpty("arms", view.arms.length === 0);
  const box = id("shares");
  const serving = view.arms.filter((arm) => arm.variant !== "shadow");
  if (!box.firstElementChild) {
    for (const name of ["want", "has"]) box.append(el("span", { class: "note" }, name), el("div", { class: "stack", "aria-hidden": "true" }));
  }
  box.hidden = serving.length < 2;
  stack(box.children[1], serving.map((arm) => [arm.variant, arm.share_wanted]));
  stack(box.children[3], serving.map((arm) => [arm.variant, arm.share_measured]));
  list(id("arms"), view.arms, cells("", "name", "num quiet", "num", "num", "num", "num"), (row, arm) => {
    row.children[0].className = `arm ${arm.variant}`;
    setText(row.children[0], arm.variant);
    setText(row.children[1], arm.model);
    setAttribute(row.children[1], "title", arm.model);
    setText(row.children[2], arm.wanted);
    [arm.measured, arm.p50, arm.p95, arm.p99].forEach((text, i) => number(row.children[3 + i], text));
    setAttribute(row, "title", `n ${arm.n}, last minute`);
  });
}

function driftBar(box, item) {
  const top = Math.max(1.25 * (item.limit_ratio ?? 0), item.psi_ratio ?? 0) || 1;
  const part = (value) => value === null ? null : value / top;
  bar(box, { ratio: part(item.psi_ratio), tick: part(item.limit_ratio), band: part(item.noise_ratio), state: item.state });
}

function scores(view) {
  setText(id("scores-note"), `n ${view.scores.n}, last hour, log heights`);
  histogram(id("histogram"), view.scores);
  const box = id("score-drift");
  const item = view.score_drift;
  if (!box.firstElementChild) box.append(el("div"), el("div", { class: "bar", "aria-hidden": "true" }));
  if (!item) {
    setText(box.children[0], "PSI of the score: no reference yet");
    box.children[0].className = "quiet";
    bar(box.children[1], { ratio: null });
    return;
  }
  box.children[0].className = item.state === "ok" ? "" : `sev-${item.state}`;
  setText(box.children[0], item.waits ? `${item.mark} PSI of the score: ${item.waits}`
    : `${item.mark} PSI ${item.psi} of ${item.limit} · noise up to ${item.noise} · n ${item.n}`);
  driftBar(box.children[1], item);
}

function drift(view) {
  showEmpty("drift", view.drift.length === 0);
  setText(id("drift-note"), view.drift.length ? view.drift_note : "");
  setText(id("drift-empty"), view.drift_note);
  id("drift-empty").className = view.n_drift ? "unknown" : "unset";
  list(id("drift"), view.drift, cells("", "wide", "num", "num quiet", "num quiet"), (row, item) => {
    severity(row.children[0], item, item.feature);
    driftBar(withBar(row, 1), item);
    number(row.children[2], item.psi);
    setText(row.children[3], item.noise);
    setText(row.children[4], item.limit);
    setAttribute(row, "title", `n ${item.n}, reference ${item.n_reference}`);
  });
}

function quarantine(view) {
  showEmpty("quarantine", view.quarantine.length === 0);
  setText(id("quarantine-note"), view.quarantine.length ? `${view.quarantined} of all events` : "");
  list(id("quarantine"), view.quarantine.slice(0, 10), cells("name", "num", "num quiet"), (row, item) => {
    setText(row.children[0], item.reason.replaceAll("_", " "));
    setAttribute(row.children[0], "title", item.reason);
    setText(row.children[1], item.n);
    setText(row.children[2], item.share);
  });
}

function recent(view) {
  showEmpty("recent", view.recent.length === 0);
  list(id("recent"), view.recent.slice(0, 12), cells("quiet", "", "num", "arm", "rule-cell name quiet", "clip mono quiet"), (row, item) => {
    setText(row.children[0], moment(item.at, item.time, true));
    setAttribute(row.children[0], "title", item.time);
    setText(row.children[1], item.decision);
    row.children[1].classList.toggle("strong", item.decision !== "approve");
    setText(row.children[2], item.score);
    row.children[3].className = `arm ${item.variant}`;
    setText(row.children[3], item.variant);
    setAttribute(row.children[3], "title", item.variant);
    setText(row.children[4], item.rule);
    setAttribute(row.children[4], "title", item.rule);
    setText(row.children[5], item.event_id);
    setAttribute(row.children[5], "title", item.event_id);
  });
}

function record(view) {
  const facts = [["leaves", view.tree_size], ["root", view.root ? `${view.root.slice(0, 16)}…` : "none yet", view.root],
    ["waiting", view.queue], ["answers", view.durability],
    ...(view.stops ? [["stopped", view.stops]] : []), ["entities", view.entities], ["their state", view.feature_memory]];
  list(id("record"), facts.flatMap((fact) => [fact[0], fact]), () => el(id("record").children.length % 2 ? "dd" : "dt"), (node, fact) => {
    if (typeof fact === "string") { setText(node, fact); return; }
    setText(node, fact[1]);
    if (fact[2]) setAttribute(node, "title", fact[2]);
  });
}

export function draw(view) {
  for (const panel of [head, attention, events, latency, decisions, objectives, traffic, scores, drift, quarantine, recent, record]) panel(view);
}
