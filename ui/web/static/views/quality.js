// Quality: what comes in against what is expected of it, how good the decisions were, and what was
// kept out, with a way back in.
import { get } from "../core/api.js";
import { button, cut, el, setText } from "../core/dom.js";
import { panel } from "../core/panel.js";
import { change, route } from "../core/route.js";
import { refusalBox, stateBox } from "../core/states.js";
import { absolute, moment } from "../core/time.js";
import { number, quantity } from "../core/words.js";
import { barBox, bar } from "../charts/marks.js";
import { retryQuarantined } from "./actions.js";
import { facts, liveTable, numberCell } from "./parts.js";
import { performance } from "./performance.js";

const PAGE = 50;

function reasons() {
  const box = panel("Why events were kept out", { name: "reasons", span: "third" });
  const table = liveTable([["reason", "name"], ["[share as a bar]", "wide"], ["events", "num"], ["share", "num quiet"]], { name: "quarantine", label: "Reasons", empty: "Nothing is in quarantine." });
  box.body.append(...table.nodes);
  return { root: box.root, draw({ view }) {
    setText(box.note, view.quarantine.length ? `${view.quarantined} of all events` : "");
    const most = Number(view.quarantine[0]?.n.replace(/\D/g, "") || 1);
    table.set(view.quarantine, (row, item) => {
      setText(row.children[0], item.reason.replaceAll("_", " "));
      bar(row.children[1].firstElementChild ?? row.children[1].appendChild(barBox()), { ratio: Number(item.n.replace(/\D/g, "")) / most });
      numberCell(row.children[2], item.n, `quarantined:${item.reason}`, item.reason);
      setText(row.children[3], item.share);
    });
  } };
}

function flow() {
  const box = panel("What comes in", { name: "flow", span: "third" });
  const list = el("dl", { class: "facts" });
  box.body.append(list);
  return { root: box.root, draw({ view, kafka }) {
    facts(list, [["events a second", view.headline.rate], ["events in all", view.events], ["accepted", view.accepted], ["duplicates", view.duplicates], ["errors", view.errors], ["source", view.headline.broker || view.headline.source],
      ...(kafka?.paused_since ? [["paused since", absolute(Date.parse(kafka.paused_since))]] : [])]);
  } };
}

// What is known of fields, volume, freshness and duplicates, all from one answer.
function judged(jobs) {
  let fields = [], series = [];
  const box = panel("Fields", { name: "fields", span: "half", table: () => ({ columns: ["field", "state", "missing", "usual", "invalid", "distinct", "n", "why"], rows: fields.map((row) => [row.field, row.state, row.null_ratio, row.usual_null_ratio ?? row.usual_ratio, row.invalid_ratio, row.distinct, row.n, row.why]) }) });
  const usual = panel("Against what is usual", { name: "usual", span: "half", note: "the same hour of other weeks", table: () => ({ columns: ["series", "state", "value", "usual", "low", "high", "z", "why"], rows: series.map((row) => [row.series, row.state, row.value, row.usual, row.low, row.high, row.z, row.why]) }) });
  const age = panel("Freshness", { name: "freshness", span: "third" });
  for (const one of [box, usual, age]) one.body.append(stateBox("loading"));
  const load = async () => {
    try {
      const answer = await get("/api/v1/quality", {}, jobs.signal);
      fields = answer.fields ?? [];
      series = answer.anomalies ?? [];
      box.body.replaceChildren(fields.length ? fieldTable(fields) : stateBox("empty", "No fields are watched."));
      usual.body.replaceChildren(series.length ? usualTable(series) : stateBox("empty", "Nothing is held against the past."));
      age.body.replaceChildren(ageList(answer));
    } catch (error) {
      if (!jobs.ended) for (const one of [box, usual, age]) one.body.replaceChildren(refusalBox(error, load));
    }
  };
  load();
  jobs.every(10000, load);
  return { age: age.root, roots: [usual.root, box.root] };
}

const MARKS = { page: "▲", ticket: "◆", ok: "●", nodata: "○" };
const marked = (state, name) => el("td", { class: state === "page" || state === "ticket" || state === "nodata" ? `name sev-${state}` : "name" }, el("span", { class: "name-mark" }, MARKS[state] ?? "●"), ` ${cut(String(name), 60)}`);
const UNITS = { events_per_s: "per_s", latency_p99_us: "us", age_mean_s: "s" };
const seconds = (value) => quantity(value, "s");

function ageList({ freshness, duplicates, schema_versions: versions }) {
  const list = el("dl", { class: "facts" });
  facts(list, [...(freshness ? [["state", `${MARKS[freshness.state] ?? "●"} ${freshness.state}`], ["age of events, p50", seconds(freshness.age_p50_s)], ["p95", seconds(freshness.age_p95_s)], ["features behind", seconds(freshness.feature_lag_s)]] : [["age", "no data"]]),
    ...(duplicates ? [["duplicates", `${duplicates.n} (${quantity(duplicates.ratio, "ratio")})`]] : []),
    ...(versions ?? []).map((one) => [`${one.contract} ${one.version}`, `${number(one.n)} events`])]);
  return list;
}

function usualTable(rows) {
  const words = (row, value) => quantity(value ?? null, UNITS[row.series] ?? (row.series.endsWith("_ratio") ? "ratio" : ""));
  return el("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Against what is usual" }, el("table", {},
    el("thead", {}, el("tr", {}, [["series"], ["now", "num"], ["usual", "num"], ["between", "num"]].map(([name, kind]) => el("th", { scope: "col", class: kind }, name)))),
    el("tbody", {}, rows.map((row) => el("tr", { title: row.why ?? "" }, marked(row.state, row.series), el("td", { class: "num" }, words(row, row.value)), el("td", { class: "num quiet" }, words(row, row.usual)),
      el("td", { class: "num quiet" }, row.low === null || row.low === undefined ? row.why ?? "" : `${words(row, row.low)} – ${words(row, row.high)}`))))));
}

function fieldTable(rows) {
  const ratio = (value) => (value === null || value === undefined ? "no data" : quantity(value, "ratio"));
  return el("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Fields" }, el("table", {},
    el("thead", {}, el("tr", {}, [["field"], ["missing", "num"], ["usual", "num"], ["invalid", "num"], ["distinct", "num"]].map(([name, kind]) => el("th", { scope: "col", class: kind }, name)))),
    el("tbody", {}, rows.map((row) => el("tr", { title: row.why ?? "" },
      marked(row.state, row.field ?? row.name ?? ""),
      el("td", { class: "num" }, ratio(row.null_ratio ?? row.missing_ratio ?? row.missing)), el("td", { class: "num quiet" }, ratio(row.usual_null_ratio ?? row.usual_ratio)), el("td", { class: "num" }, ratio(row.invalid_ratio)), el("td", { class: "num quiet" }, row.distinct === undefined ? "" : number(row.distinct)))))));
}

function violations(list) {
  return list.map((one) => `${one.field ?? "event"}: ${one.reason}`).join("; ");
}

const contractOf = (row) => [row.contract, row.contract_version].filter(Boolean).join(" ");

function browser(jobs) {
  let rows = [], next = null;
  const chosen = new Set();
  const table = () => ({ columns: ["quarantine_id", "received_at", "status", "violations", "contract"], rows: rows.map((row) => [row.quarantine_id, row.received_at, row.status, violations(row.errors), contractOf(row)]) });
  const box = panel("Quarantine", { name: "browser", note: "newest first", table });
  const body = el("tbody", { id: "quarantine-rows" });
  const all = el("input", { type: "checkbox", "aria-label": "choose all that are shown", on: { change: () => choose(rows.map((row) => row.quarantine_id), all.checked) } });
  const grid = el("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Quarantined events" }, el("table", {},
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, all), ["id", "received", "status", "what is wrong", "contract"].map((name) => el("th", { scope: "col" }, name)))), body));
  const retry = button("Retry…", () => retryQuarantined([...chosen], () => load(true)), { class: "primary", disabled: true });
  const more = button("More", () => load(false), { hidden: true });
  const reason = el("input", { id: "q-reason", type: "search", placeholder: "missing", value: route.state.filters.reason ?? "" });
  const field = el("input", { id: "q-field", type: "search", placeholder: "country", value: route.state.filters.field ?? "" });
  const status = el("select", { id: "q-status" }, ["open", "retried", "resolved", "all"].map((name) => el("option", { value: name }, name)));
  status.value = ["open", "retried", "resolved", "all"].includes(route.state.filters.status) ? route.state.filters.status : "open";
  const form = el("form", { class: "filters", role: "search", "aria-label": "Find quarantined events", on: { submit: (event) => {
    event.preventDefault();
    change({ filters: { ...route.state.filters, reason: reason.value, field: field.value, status: status.value === "open" ? "" : status.value } });
  } } }, el("label", { for: "q-reason" }, "Reason", reason), el("label", { for: "q-field" }, "Field", field), el("label", { for: "q-status" }, "Status", status), el("button", { type: "submit" }, "Find"), retry);
  box.root.insertBefore(form, box.body);

  function choose(ids, on) {
    for (const id of ids) if (on) chosen.add(id); else chosen.delete(id);
    for (const input of body.querySelectorAll("input")) input.checked = chosen.has(Number(input.value));
    retry.disabled = chosen.size === 0;
    setText(retry, chosen.size ? `Retry ${chosen.size}…` : "Retry…");
  }
  const line = (row) => el("tr", {},
    el("td", {}, row.status === "open" ? el("input", { type: "checkbox", value: row.quarantine_id, "aria-label": `choose event ${row.quarantine_id}`, on: { change: (event) => choose([row.quarantine_id], event.target.checked) } }) : ""),
    el("td", { class: "num" }, String(row.quarantine_id)), el("td", { class: "quiet", title: absolute(Date.parse(row.received_at)) }, moment(Date.parse(row.received_at), { seconds: true })), el("td", {}, row.status),
    el("td", { class: "wrong-cell", title: cut(violations(row.errors), 2000) }, cut(violations(row.errors), 300)), el("td", { class: "quiet" }, cut(contractOf(row), 80)));

  async function load(fresh) {
    if (fresh) { rows = []; next = null; chosen.clear(); choose([], false); all.checked = false; box.body.replaceChildren(stateBox("loading")); body.replaceChildren(); }
    try {
      const answer = await get("/api/v1/quarantine", { reason: route.state.filters.reason, field: route.state.filters.field, status: route.state.filters.status ?? "open", limit: PAGE, cursor: next ?? "" }, jobs.signal);
      rows = [...rows, ...answer.quarantine];
      next = answer.next_cursor;
      body.append(...answer.quarantine.map(line));
      more.hidden = next === null;
      if (rows.length === 0) box.body.replaceChildren(stateBox("empty", "No quarantined event is like that."));
      else if (!grid.isConnected) box.body.replaceChildren(grid, el("div", { class: "buttons" }, more));
    } catch (error) {
      if (!jobs.ended) box.body.replaceChildren(refusalBox(error, () => load(true)));
    }
  }
  load(true);
  return { root: box.root, load };
}

export function open(root, context) {
  const { jobs } = context;
  const parts = [reasons(), flow()];
  const events = browser(jobs);
  const known = judged(jobs);
  const truth = performance(context);
  root.append(...parts.map((part) => part.root), known.age, ...known.roots, ...truth.roots, events.root);
  return {
    draw(picture) { parts.forEach((part) => part.draw(picture)); },
    route(state, before) {
      if (JSON.stringify(state.filters) !== JSON.stringify(before.filters)) events.load(true);
      else truth.load();
    },
  };
}
