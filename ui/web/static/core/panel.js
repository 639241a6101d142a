// One panel of a view: a title, a note, what it shows, and what can be done with it.
import { button, el } from "./dom.js";
import { download } from "./csv.js";
import { onLive } from "./live.js";

let made = 0;

// `table` gives { columns, rows } of what the panel shows: with it the panel can be read as a table
// and taken along as CSV.
export function panel(title, { name = `p${++made}`, span = "", note = "", table = null, evidence = null } = {}) {
  const heading = el("h2", { id: `h-${name}` }, title);
  const noteNode = el("span", { class: "note", id: `${name}-note` }, note);
  const body = el("div", { class: "panel-body" });
  const tools = el("span", { class: "panel-tools" });
  const root = el("section", { class: `panel ${span}`, id: `panel-${name}`, "aria-labelledby": `h-${name}` },
    el("div", { class: "panel-head" }, heading, noteNode, tools), body);
  if (evidence) tools.append(button("evidence", evidence, { class: "tool", "aria-label": `Evidence for ${title}` }));
  if (table) tools.append(...tableTools(title, root, body, table));
  return { root, body, tools, note: noteNode, heading };
}

function tableTools(title, root, body, table) {
  const box = el("div", { class: "as-table scroll", hidden: true, tabindex: "0", role: "group", "aria-label": `${title} as a table` });
  root.append(box);
  let shown = "", unfollow = () => {};
  // Follows what the panel shows, and changes nothing while that is the same.
  const draw = () => {
    if (!root.isConnected) { unfollow(); return; }
    const now = table(), text = JSON.stringify(now);
    if (text === shown) return;
    shown = text;
    const { scrollLeft } = box;
    box.replaceChildren(asTable(now));
    box.scrollLeft = scrollLeft;
  };
  const toggle = button("table", () => {
    box.hidden = !box.hidden;
    body.hidden = !box.hidden;
    toggle.setAttribute("aria-pressed", String(!box.hidden));
    unfollow();
    if (box.hidden) return;
    draw();
    unfollow = onLive(draw);
  }, { class: "tool", "aria-pressed": "false", "aria-label": `${title} as a table` });
  const csv = button("CSV", () => { const { columns, rows } = table(); download(title, columns, rows); },
    { class: "tool", "aria-label": `${title} as CSV` });
  return [toggle, csv];
}

const MOST_ROWS = 500;

// Figures stand at the right, under their heads.
const isFigure = (value) => typeof value === "number" || /^[\u2212-]?[\d.\u2009]+\s?[%×]?$/.test(value);

export function asTable({ columns, rows }) {
  if (rows.length === 0) return el("p", { class: "empty" }, "No rows.");
  const shown = rows.slice(-MOST_ROWS);
  const figures = columns.map((_, i) => shown.every((row) => row[i] === null || row[i] === undefined || isFigure(row[i])));
  return el("table", {},
    rows.length > MOST_ROWS && el("caption", {}, `the last ${MOST_ROWS} of ${rows.length} rows; CSV has all`),
    el("thead", {}, el("tr", {}, columns.map((column, i) => el("th", { scope: "col", class: figures[i] ? "num" : null }, column)))),
    el("tbody", {}, shown.map((row) => el("tr", {}, row.map((value, i) => el("td", { class: figures[i] ? "num" : null },
      value === null || value === undefined ? "no data" : String(value)))))));
}
