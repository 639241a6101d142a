// Settings: the configuration in effect, each value with the file and line it came from.
import { get } from "../core/api.js";
import { el, setText } from "../core/dom.js";
import { panel } from "../core/panel.js";
import { change, route } from "../core/route.js";
import { refusalBox, stateBox } from "../core/states.js";

const place = (row) => (row.from === "file" ? `${row.file}:${row.line}` : row.from);

function tableOf(rows) {
  return el("table", { class: "settings" },
    el("thead", {}, el("tr", {}, ["key", "value", "from", "what it is"].map((name) => el("th", { scope: "col" }, name)))),
    el("tbody", {}, rows.map((row) => el("tr", { class: row.from === "default" ? "is-default" : "" },
      el("td", { class: "key-cell" }, row.key),
      el("td", { class: "value-cell mono" }, row.secret ? el("span", { class: "quiet" }, "secret, not shown") : row.value ?? el("span", { class: "quiet" }, "not set")),
      el("td", { class: `mono ${row.from === "default" ? "quiet" : ""}` }, place(row)),
      el("td", { class: "help-cell quiet" }, row.help ?? "")))));
}

export function open(root, { jobs }) {
  let settings = null;
  const find = el("input", { id: "settings-find", type: "search", placeholder: "key, value or file", value: route.state.filters.q ?? "", on: { input: () => change({ filters: { ...route.state.filters, q: find.value } }, { replace: true }) } });
  const only = el("input", { id: "settings-set", type: "checkbox", checked: route.state.filters.set === "1", on: { change: () => change({ filters: { ...route.state.filters, set: only.checked ? "1" : "" } }) } });
  const form = el("div", { class: "filters", role: "search" }, el("label", { class: "grow", for: "settings-find" }, "Find", find), el("label", { class: "check", for: "settings-set" }, only, "only what was set"));
  const table = () => ({ columns: ["key", "value", "from", "file", "line"], rows: shown().map((row) => [row.key, row.secret ? "(secret)" : row.value, row.from, row.file, row.line]) });
  const box = panel("The configuration in effect", { name: "settings", table });
  root.append(form, box.root);

  function shown() {
    const words = (route.state.filters.q ?? "").toLowerCase();
    return (settings?.settings ?? []).filter((row) => (!only.checked || row.from !== "default")
      && (!words || `${row.key} ${row.value ?? ""} ${row.file ?? ""} ${row.help ?? ""}`.toLowerCase().includes(words)));
  }
  function draw() {
    if (!settings) return;
    const rows = shown();
    setText(box.note, `${rows.length} of ${settings.settings.length} values, ${settings.folder}`);
    box.body.replaceChildren(rows.length ? el("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Settings" }, tableOf(rows)) : stateBox("empty", "No setting is like that."));
  }
  async function load() {
    box.body.replaceChildren(stateBox("loading"));
    try {
      settings = await get("/api/v1/settings", {}, jobs.signal);
      draw();
    } catch (error) {
      if (!jobs.ended) box.body.replaceChildren(refusalBox(error, load));
    }
  }
  load();
  return { route: draw };
}
