// Views of one's own: those of binnacle.yaml, and one that is composed here, kept in the address, so
// shared by its link, and taken along as YAML for binnacle.yaml. A panel is a title, an expression
// over recorded series and a kind, on this screen as on the terminal's.
import { get } from "../core/api.js";
import { button, cut, el, id, setText } from "../core/dom.js";
import { changes, evaluated, history } from "../core/history.js";
import { jobs as makeJobs } from "../core/jobs.js";
import { panel } from "../core/panel.js";
import { change, route, viewLink } from "../core/route.js";
import { refusalBox, stateBox } from "../core/states.js";
import { save, copy } from "../core/take.js";
import { absolute } from "../core/time.js";
import { count, number, quantity } from "../core/words.js";
import { viewYaml } from "../core/yaml.js";
import { countHeat } from "../charts/counts.js";
import { chartGroup, recordedChart } from "../charts/recorded.js";

const KINDS = ["line", "number", "heat"];
const MOST = 12; // as many as binnacle.yaml takes

// ---- what is looked at ----

export const configured = (picture) => picture?.own?.views ?? [];

// p=[[title, expression, kind], ...]; what is none is left out.
function composed(text) {
  try {
    return JSON.parse(text || "[]").slice(0, MOST).filter((one) => Array.isArray(one) && one.length === 3 && one.every((part) => typeof part === "string"))
      .map(([title, expression, kind]) => ({ title, expression, kind: KINDS.includes(kind) ? kind : "line" }));
  } catch {
    return [];
  }
}

const packed = (panels) => (panels.length ? JSON.stringify(panels.map(({ title, expression, kind }) => [title, expression, kind])) : "");
const compose = (panels, title = route.state.filters.title) => change({ filters: { p: packed(panels), title } });

// { name, title, panels, own }: `own` is one that is composed here.
function shown(picture) {
  const { name, p, title } = route.state.filters;
  const found = name && configured(picture).find((one) => one.name === name);
  if (found) return { ...found, own: false };
  const words = title || "My view";
  return { name: words.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "") || "my-view", title: words, panels: composed(p), own: true, missing: name };
}

// ---- panels ----

const last = (points) => points.findLast?.(([, value]) => value !== null) ?? null;

function figure(one, { jobs, picture }) {
  let newest = null;
  const box = panel(cut(one.title, 80), { span: "third", note: cut(one.expression, 80), table: () => ({ columns: ["time", one.expression], rows: newest ? [[new Date(newest[0]).toISOString(), newest[1]]] : [] }) });
  const value = el("p", { class: "number" });
  const load = async () => {
    try {
      const got = await history([one.expression], { ask: evaluated, strict: true, picture: picture(), signal: jobs.signal });
      newest = last(got.series[0]?.points ?? []);
      setText(value, newest ? quantity(newest[1], got.series[0].unit) : "");
      value.title = newest ? absolute(newest[0]) : "";
      box.body.replaceChildren(newest ? value : stateBox("nodata"));
    } catch (error) {
      if (!jobs.ended) box.body.replaceChildren(refusalBox(error, load));
    }
  };
  return { root: box.root, tools: box.tools, load };
}

function line(one, context) {
  const chart = recordedChart(cut(one.title, 80), { names: [one.expression], ask: evaluated, strict: true, span: "half", note: cut(one.expression, 80), zero: true, label: () => cut(one.title, 60) }, context);
  return { root: chart.root, tools: chart.root.querySelector(".panel-tools"), load: chart.load, chart };
}

const heat = (one, context) => countHeat(cut(one.title, 80), one.expression, { words: one.expression === "latency" ? (edge) => quantity(edge, "us") : number }, context);

const draws = { line, number: figure, heat };

// ---- composing ----

function form(names, add) {
  const title = el("input", { id: "own-title", type: "text", maxlength: "60", placeholder: "Declined, percent" });
  const expression = el("input", { id: "own-expression", type: "text", required: true, maxlength: "399", list: "own-names", placeholder: "100 * decline / accepted", autocomplete: "off", spellcheck: "false" });
  const kind = el("select", { id: "own-kind" }, KINDS.map((name) => el("option", { value: name }, name)));
  return el("form", { class: "filters", "aria-label": "Add a panel", on: { submit: (event) => {
    event.preventDefault();
    add({ title: title.value.trim() || cut(expression.value.trim(), 59), expression: expression.value.trim(), kind: kind.value });
  } } }, el("datalist", { id: "own-names" }, names.map((one) => el("option", { value: one.name }, one.help))),
  el("label", { class: "grow", for: "own-title" }, "Title", title), el("label", { class: "grow", for: "own-expression" }, "Expression over series; of a heat map: latency, score or a column", expression), el("label", { for: "own-kind" }, "Kind", kind), el("button", { type: "submit", class: "primary" }, "Add panel"));
}

// Which views there are, what this one is called, and taking it along.
function head(view, picture) {
  const links = configured(picture).map((one) => el("li", {}, el("a", { href: viewLink("own", { name: one.name }), "aria-current": !view.own && one.name === view.name ? "page" : null }, cut(one.title, 60))));
  const name = el("input", { id: "own-name", type: "text", maxlength: "60", value: route.state.filters.title ?? "", placeholder: "My view", on: { change: (event) => compose(view.panels, event.target.value.trim()) } });
  return el("div", { class: "own-head" },
    links.length > 0 && el("ul", { class: "own-views", "aria-label": "Views of this service" }, links, el("li", {}, el("a", { href: viewLink("own"), "aria-current": view.own ? "page" : null }, "compose one"))),
    view.own && el("label", { for: "own-name" }, "This view is called", name),
    view.panels.length > 0 && el("div", { class: "buttons" },
      !view.own && button("Change a copy", () => compose(view.panels, view.title)),
      button("Copy link", () => copy(location.href, "The link")),
      button("Copy as YAML", () => copy(viewYaml(view), "The YAML for binnacle.yaml")),
      button("Save as YAML", () => save(`${view.name}.yaml`, viewYaml(view), "application/yaml"))));
}

function tools(part, i, panels) {
  const one = cut(panels[i].title, 60);
  const moved = (from, to) => { const all = [...panels]; all.splice(to, 0, ...all.splice(from, 1)); return all; };
  part.tools.append(
    i > 0 ? button("earlier", () => compose(moved(i, i - 1)), { class: "tool", "aria-label": `Move ${one} to the front by one` }) : "",
    button("remove", () => compose(panels.filter((_, k) => k !== i)), { class: "tool", "aria-label": `Remove ${one}` }));
}

function nothing(view, names) {
  const text = view.missing ? `No view here is called ${cut(view.missing, 80)}.`
    : `No panels yet. ${names.length ? `${count(names.length)} series can be shown. ` : ""}The link of this page is the view; as YAML it goes under views: in binnacle.yaml, for both screens.`;
  return el("section", { class: "panel" }, stateBox("empty", text));
}

export function open(root, context) {
  const { jobs, picture } = context;
  let names = [], parts = [], group = null, drawn = "", work = null;
  const load = () => { group?.load(); parts.filter((part) => !part.chart).forEach((part) => part.load()); };
  function draw() {
    const view = shown(picture());
    work?.end();
    work = makeJobs();
    const within = { ...context, jobs: work };
    drawn = JSON.stringify(view);
    parts = view.panels.map((one, i) => {
      const part = draws[one.kind](one, within);
      if (view.own) tools(part, i, view.panels);
      return part;
    });
    group = chartGroup(parts.filter((part) => part.chart).map((part) => part.chart), null, { ...within, changes });
    root.replaceChildren(el("h2", { class: "hidden" }, view.title), head(view, picture()),
      ...(view.own ? [form(names, (one) => { compose([...view.panels, one].slice(0, MOST)); id("own-expression")?.focus(); })] : []),
      ...(parts.length ? parts.map((part) => part.root) : [nothing(view, names)]));
    context.start(load);
  }
  draw();
  jobs.cleanup(() => work.end());
  get("/api/v1/history/series", {}, jobs.signal).then((answer) => { names = answer.series; if (!route.state.filters.name) draw(); }, () => {});
  jobs.every(10000, () => parts.filter((part) => !part.chart).forEach((part) => part.load()));
  return {
    draw(now) {
      if (JSON.stringify(shown(now)) !== drawn) draw();
      else group.draw(now);
    },
    route(state, before) {
      if (JSON.stringify(state.filters) !== JSON.stringify(before.filters)) draw();
      else context.start(load);
    },
  };
}
