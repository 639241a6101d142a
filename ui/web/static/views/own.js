// A view of one's own: panels of recorded series, composed here, kept in the address and so shared by
// its link. p=TITLE|SERIES,SERIES|KIND|BY, one a panel with ";" between them.
import { get } from "../core/api.js";
import { button, cut, el, id } from "../core/dom.js";
import { changes, history } from "../core/history.js";
import { asTable, panel } from "../core/panel.js";
import { change, route } from "../core/route.js";
import { refusalBox, stateBox } from "../core/states.js";
import { count, quantity } from "../core/words.js";
import { chartGroup, recordedChart } from "../charts/recorded.js";

const KINDS = ["line", "number", "table"];
const MOST = 24;

const clean = (text) => text.replace(/[|;]/g, " ").trim();
const read = () => (route.state.filters.p ?? "").split(";").filter(Boolean).slice(0, MOST).map((text) => {
  const [title, series = "", kind = "line", by = ""] = text.split("|");
  return { title, series: series.split(",").filter(Boolean), kind: KINDS.includes(kind) ? kind : "line", by };
});
const write = (panels) => change({ filters: { ...route.state.filters, p: panels.map((one) => [clean(one.title), one.series.join(","), one.kind, one.by].join("|")).join(";") } });

const nameOf = (one) => [one.name, ...Object.values(one.labels)].join(" ");
const lastOf = (points) => points.findLast?.(([, value]) => value !== null)?.[1] ?? null;

// The newest value of each series, large or as rows.
function values(one, { jobs, picture }) {
  let rows = [];
  const box = panel(one.title, { span: "third", table: () => ({ columns: ["series", "last"], rows }) });
  const load = async () => {
    try {
      const got = await history(one.series, { by: one.by, picture: picture(), signal: jobs.signal });
      rows = got.series.map((line) => [nameOf(line), quantity(lastOf(line.points), line.unit)]);
      box.body.replaceChildren(rows.length === 0 ? stateBox("nodata") : one.kind === "table" ? asTable({ columns: ["series", "last"], rows })
        : el("dl", { class: "figures" }, rows.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value)))));
    } catch (error) {
      if (!jobs.ended) box.body.replaceChildren(refusalBox(error, load));
    }
  };
  return { root: box.root, tools: box.tools, load };
}

function line(one, context) {
  const chart = recordedChart(one.title, { names: one.series, by: one.by, span: "half", unit: one.unit, zero: true, label: nameOf }, context);
  return { root: chart.root, tools: chart.root.querySelector(".panel-tools"), load: chart.load, chart };
}

function form(names, add) {
  const title = el("input", { id: "own-title", type: "text", maxlength: "80", placeholder: "Latency of the canary" });
  const series = el("input", { id: "own-series", type: "text", required: true, list: "own-names", placeholder: "latency_p95_us,latency_p99_us", autocomplete: "off" });
  const by = el("input", { id: "own-by", type: "text", placeholder: "variant" });
  const kind = el("select", { id: "own-kind" }, KINDS.map((name) => el("option", { value: name }, name)));
  return el("form", { class: "filters", "aria-label": "Add a panel", on: { submit: (event) => {
    event.preventDefault();
    add({ title: title.value || series.value, series: series.value.split(",").map((name) => name.trim()).filter(Boolean), kind: kind.value, by: by.value.trim() });
  } } }, el("datalist", { id: "own-names" }, names.map((one) => el("option", { value: one.name }, one.help))),
  el("label", { class: "grow", for: "own-title" }, "Title", title), el("label", { class: "grow", for: "own-series" }, "Series", series), el("label", { for: "own-by" }, "Told apart by", by), el("label", { for: "own-kind" }, "Kind", kind), el("button", { type: "submit", class: "primary" }, "Add panel"));
}

export function open(root, context) {
  const { jobs } = context;
  let names = [], parts = [], group = null;
  const units = () => new Map(names.map((one) => [one.name, one.unit]));
  function draw() {
    const panels = read();
    const known = units();
    parts = panels.map((one, i) => {
      const part = one.kind === "line" ? line({ ...one, unit: known.get(one.series[0]) ?? "" }, context) : values(one, context);
      part.tools.append(button("remove", () => write(panels.filter((_, k) => k !== i)), { class: "tool", "aria-label": `Remove ${cut(one.title, 80)}` }));
      return part;
    });
    group = chartGroup(parts.filter((part) => part.chart).map((part) => part.chart), null, { ...context, changes });
    root.replaceChildren(el("h2", { class: "hidden" }, "Own"), form(names, (one) => { write([...read(), one]); id("own-series")?.focus(); }),
      ...(parts.length ? parts.map((part) => part.root) : [el("section", { class: "panel" }, stateBox("empty", names.length ? `No panels yet. ${count(names.length)} series can be shown; the link of this page is the view.` : "No panels yet."))]));
    context.start(() => { group.load(); parts.filter((part) => !part.chart).forEach((part) => part.load()); });
  }
  draw();
  get("/api/v1/history/series", {}, jobs.signal).then((answer) => { names = answer.series; draw(); }, () => {});
  jobs.every(10000, () => parts.filter((part) => !part.chart).forEach((part) => part.load()));
  return {
    draw(now) { group.draw(now); },
    route(state, before) { if (state.filters.p !== before.filters.p) draw(); else context.start(() => { group.load(); parts.forEach((part) => part.load()); }); },
  };
}
