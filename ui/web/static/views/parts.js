// Pieces that several views share: rows with a severity, numbers that open their evidence, tables
// that change in place.
import { el, list, setAttribute, setClass, setText } from "../core/dom.js";
import { evident } from "../core/evidence.js";
import { isNoData } from "../core/words.js";

export function figure(node, text) {
  setText(node, text);
  node.classList.toggle("is-nodata", isNoData(text));
}

// A cell with a number; opens its evidence when it has some.
export function numberCell(cell, text, evidence, what) {
  let node = cell;
  if (evidence) {
    node = cell.firstElementChild ?? cell.appendChild(evident(el("span"), evidence, what));
    node.dataset.evidence = evidence;
  }
  figure(node, text);
}

// A name behind its mark; the mark of what is well is quiet.
export function marked(node, mark, name) {
  if (node.children.length !== 2) node.replaceChildren(el("span", { class: "name-mark" }), el("span"));
  setText(node.children[0], mark);
  setText(node.children[1], `\u00A0${name}`);
}

export function severity(cell, row, name) {
  marked(cell, row.mark, name);
  setClass(cell, row.state === "ok" ? "name" : `name sev-${row.state}`);
  setAttribute(cell, "title", `${name}: ${row.word}`);
}


const cells = (classes) => () => el("tr", {}, classes.map((name) => el("td", name ? { class: name } : {})));

// columns: [[title, class], ...]; a title in [brackets] is only heard.
export function liveTable(columns, { name = "", label = "", empty = "Nothing here.", unset = false } = {}) {
  const body = el("tbody", name ? { id: name } : {});
  const head = columns.map(([title, kind = ""]) => el("th", { scope: "col", class: kind.split(" ").filter((word) => ["num", "wide"].includes(word)).join(" ") || null },
    title.startsWith("[") ? el("span", { class: "hidden" }, title.slice(1, -1)) : title));
  const table = el("table", {}, el("thead", {}, el("tr", {}, head)), body);
  const none = el("p", { class: unset ? "unset" : "empty", id: name ? `${name}-empty` : null, hidden: true }, empty);
  const root = el("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": label || "table" }, table);
  return {
    nodes: [root, none], body, none,
    set(rows, change) {
      root.hidden = rows.length === 0;
      none.hidden = rows.length !== 0;
      list(body, rows, cells(columns.map(([, kind = ""]) => kind)), change);
    },
  };
}

// dt and dd pairs, changed in place.
export function facts(node, pairs) {
  const flat = pairs.flatMap(([label, value, title]) => [["dt", label], ["dd", value, title]]);
  list(node, flat, ([tag]) => el(tag), (part, [, text, title]) => {
    setText(part, text ?? "no data");
    if (title) setAttribute(part, "title", title);
  });
}

export const trend = (words, series) => (isNoData(series.top) ? words : `${words}, up to ${series.top}`);
