// Decisions: found by id, entity, time, reason, decision, score; page by page, newest first.
import { get } from "../core/api.js";
import { button, cut, el, id } from "../core/dom.js";
import { panel } from "../core/panel.js";
import { change, go, link, route, viewLink } from "../core/route.js";
import { refusalBox, stateBox } from "../core/states.js";
import { absolute, moment } from "../core/time.js";
import { openDecision } from "./decision.js";

const FIELDS = [
  ["event_id", "Event", "search", "id", "grow"], ["entity", "Entity", "search", "user, card, account", "grow"],
  ["from", "From", "text", "2026-01-31T12:00Z", ""], ["to", "To", "text", "now", ""],
  ["reason", "Reason", "search", "R-AMOUNT", ""], ["min_score", "Score from", "number", "0", "short"], ["max_score", "to", "number", "1", "short"],
];
const CHOICES = [["decision", "Decision", ["approve", "review", "decline"]], ["variant", "Arm", ["champion", "canary"]]];
const PAGE = 50;

// "from" and "to" of the search are the address's own filters: the shared range has other names.
const inAddress = (name) => (name === "from" ? "since" : name === "to" ? "until" : name);

function form(submit) {
  const filters = route.state.filters;
  const inputs = FIELDS.map(([name, label, type, hint, kind], i) => el("label", { class: kind, for: i ? `find-${name}` : "find" }, label,
    el("input", { id: i ? `find-${name}` : "find", name: inAddress(name), type, placeholder: hint, value: filters[inAddress(name)] ?? "", step: "any", min: type === "number" ? 0 : null, max: type === "number" ? 1 : null, autocomplete: "off" })));
  const choices = CHOICES.map(([name, label, options]) => {
    const select = el("select", { id: `find-${name}`, name }, el("option", { value: "" }, "any"), options.map((option) => el("option", { value: option }, option)));
    select.value = options.includes(filters[name]) ? filters[name] : "";
    return el("label", { for: `find-${name}` }, label, select);
  });
  const node = el("form", { class: "filters", role: "search", "aria-label": "Find decisions" }, inputs, choices,
    el("button", { type: "submit", class: "primary" }, "Find"), button("Clear", () => { go(viewLink("decisions")); }));
  node.addEventListener("submit", (event) => {
    event.preventDefault();
    submit(Object.fromEntries([...new FormData(node)].filter(([, value]) => value !== "")));
  });
  return node;
}

function line(row) {
  const at = Date.parse(row.decided_at);
  return el("tr", {},
    el("td", { class: "quiet", title: absolute(at) }, moment(at, { seconds: true })),
    el("td", { class: row.decision === "approve" ? "" : "strong" }, row.decision),
    el("td", { class: "num" }, row.score.toFixed(4)),
    el("td", { class: `arm ${row.model.variant}` }, row.model.variant),
    el("td", { class: "name quiet", title: row.rule }, cut(row.rule, 60)),
    el("td", { class: "name", title: row.reasons.map((reason) => reason.code).join(", ") }, row.reasons.slice(0, 2).map((reason) => reason.code).join(", ")),
    el("td", { class: "name mono quiet", title: row.entity }, el("a", { href: link({ filters: { entity: row.entity } }) }, cut(row.entity ?? "", 40))),
    el("td", { class: "clip mono" }, el("a", { href: link({ open: row.event_id }), title: row.event_id }, cut(row.event_id, 80))));
}

const HEAD = [["time"], ["decision"], ["score", "num"], ["arm"], ["rule"], ["reasons"], ["entity"], ["event"]];

export function open(root, { jobs }) {
  let rows = [], next = null, opened = null;

  function list() {
    const table = () => ({ columns: ["decided_at", "event_id", "decision", "score", "arm", "rule", "reasons", "entity", "ledger_index"],
      rows: rows.map((row) => [row.decided_at, row.event_id, row.decision, row.score, row.model.variant, row.rule, row.reasons.map((reason) => reason.code).join(" "), row.entity, row.ledger_index]) });
    const box = panel("Decisions", { name: "found", note: "newest first", table });
    const body = el("tbody", { id: "found-rows" });
    const grid = el("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Decisions found" },
      el("table", {}, el("thead", {}, el("tr", {}, HEAD.map(([name, kind]) => el("th", { scope: "col", class: kind }, name)))), body));
    const more = button("More", () => load(false), { hidden: true });
    root.replaceChildren(el("h2", { class: "hidden" }, "Decisions"), form((filters) => change({ filters })), box.root);

    async function load(fresh) {
      if (fresh) { rows = []; next = null; box.body.replaceChildren(stateBox("loading", "Looking.")); }
      const asked = { ...route.state.filters, from: route.state.filters.since, to: route.state.filters.until, since: "", until: "", order: "newest", limit: PAGE, cursor: next ?? "" };
      try {
        const answer = await get("/api/v1/decisions", asked, jobs.signal);
        rows = [...rows, ...answer.decisions];
        next = answer.next_cursor;
        body.append(...answer.decisions.map(line));
        if (fresh) { body.replaceChildren(...rows.map(line)); }
        more.hidden = next === null;
        box.note.textContent = `${rows.length}${next === null ? "" : " so far"}, newest first`;
        if (rows.length === 0) box.body.replaceChildren(stateBox("empty", "No decision is like that."));
        else if (!grid.isConnected) box.body.replaceChildren(grid, el("div", { class: "buttons" }, more));
      } catch (error) {
        if (!jobs.ended) box.body.replaceChildren(refusalBox(error, () => load(true)));
      }
    }
    load(true);
  }

  function show() {
    opened = route.state.open && !route.state.open.includes(":") ? route.state.open : "";
    if (opened) openDecision(root, opened, jobs);
    else list();
  }
  show();
  return {
    route(state, before) {
      const name = state.open && !state.open.includes(":") ? state.open : "";
      if (name !== opened || JSON.stringify(state.filters) !== JSON.stringify(before.filters)) show();
    },
    close() { id("find")?.blur(); },
  };
}
