// Logs: what the service says of itself, newest last, followed while they are looked at.
import { get } from "../core/api.js";
import { cut, el } from "../core/dom.js";
import { panel } from "../core/panel.js";
import { change, route } from "../core/route.js";
import { refusalBox, stateBox } from "../core/states.js";
import { absolute, moment } from "../core/time.js";

const LEVELS = ["debug", "info", "warn", "error"];
const STATES = { error: "page", warn: "ticket" };
const MARKS = { error: "▲", warn: "◆", info: "", debug: "" };
const MOST = 1000;

const row = (line) => el("tr", { class: `log-${line.level}` },
  el("td", { class: "quiet", title: absolute(Date.parse(line.time)) }, moment(Date.parse(line.time), { seconds: true })),
  el("td", { class: STATES[line.level] ? `sev-${STATES[line.level]}` : "quiet" }, `${MARKS[line.level]} ${line.level}`.trim()),
  el("td", { class: "quiet" }, line.component), el("td", {}, line.event), el("td", {}, cut(line.message, 4000)));

export function open(root, { jobs }) {
  let lines = [], newest = 0, level = "";
  const find = el("input", { id: "logs-find", type: "search", placeholder: "component, event or words", value: route.state.filters.q ?? "", on: { input: () => change({ filters: { ...route.state.filters, q: find.value } }, { replace: true }) } });
  const choose = el("select", { id: "logs-level", on: { change: () => change({ filters: { ...route.state.filters, level: choose.value } }) } }, LEVELS.map((name) => el("option", { value: name }, `${name} and worse`)));
  choose.value = LEVELS.includes(route.state.filters.level) ? route.state.filters.level : "info";
  const table = () => ({ columns: ["time", "level", "component", "event", "message"], rows: shown().map((line) => [line.time, line.level, line.component, line.event, line.message]) });
  const box = panel("What the service says", { name: "logs", table });
  const rows = el("tbody");
  const wrap = el("div", { class: "scroll log-rows", tabindex: "0", role: "group", "aria-label": "Log lines" }, el("table", {},
    el("thead", {}, el("tr", {}, ["time", "level", "component", "event", "message"].map((name) => el("th", { scope: "col" }, name)))), rows));
  root.append(el("div", { class: "filters", role: "search" }, el("label", { class: "grow", for: "logs-find" }, "Find", find), el("label", { for: "logs-level" }, "Level", choose)), box.root);
  box.body.append(stateBox("loading"));

  const shown = () => {
    const words = (route.state.filters.q ?? "").toLowerCase();
    return lines.filter((line) => !words || `${line.component} ${line.event} ${line.message}`.toLowerCase().includes(words));
  };
  function draw() {
    const matching = shown();
    box.note.textContent = `${matching.length} of the last ${lines.length} lines, newest first`;
    if (matching.length === 0) { box.body.replaceChildren(stateBox("empty", lines.length ? "No line is like that." : "No lines of this level yet.")); return; }
    rows.replaceChildren(...matching.slice(-300).reverse().map(row));
    if (!wrap.isConnected) box.body.replaceChildren(wrap);
  }
  async function load() {
    if (level !== choose.value) { lines = []; newest = 0; level = choose.value; }
    try {
      const answer = await get("/api/v1/logs", { level, after: newest || "", limit: newest ? 1024 : 300 }, jobs.signal);
      const fresh = answer.lines.filter((line) => line.seq > newest);
      newest = answer.newest < newest ? 0 : answer.newest;
      lines = [...lines, ...fresh].slice(-MOST);
      if (fresh.length || !wrap.isConnected) draw();
    } catch (error) {
      if (!jobs.ended && lines.length === 0) box.body.replaceChildren(refusalBox(error, load));
    }
  }
  load();
  jobs.every(2000, load);
  return { route() { load().then(draw); } };
}
