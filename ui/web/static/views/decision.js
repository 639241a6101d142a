// One decision as one page: the verdict in a sentence, the waterfall of its exact reasons, the rule
// that fired, the inputs, the features, the model, and the proof that it was so.
import { get } from "../core/api.js";
import { cut, el } from "../core/dom.js";
import { panel, asTable } from "../core/panel.js";
import { link, viewLink } from "../core/route.js";
import { refusalBox, stateBox } from "../core/states.js";
import { absolute } from "../core/time.js";
import { count, number, quantity } from "../core/words.js";
import { waterfall } from "../charts/waterfall.js";
import { facts } from "./parts.js";

const DONE = { approve: "approved", review: "sent to review", decline: "declined" };

function verdict(row) {
  const first = row.reasons.filter((reason) => reason.contribution !== null).slice(0, 2).map((reason) => reason.feature);
  const why = row.rule === "default" ? "no rule fired" : `rule ${row.rule} fired`;
  const mostly = first.length ? `, mostly for ${first.join(" and ")}` : "";
  return `${DONE[row.decision] ?? row.decision} with a score of ${number(row.score)}: ${why}${mostly}.`;
}

function head(row) {
  return el("section", { class: "decision-head", "aria-label": "Verdict" },
    el("p", {}, el("a", { href: link({ open: "" }) }, "‹ decisions"), " ", el("span", { class: "mono quiet" }, cut(row.event_id, 200))),
    el("p", { class: "verdict-line" }, el("b", { class: row.decision === "approve" ? "" : row.decision === "decline" ? "sev-page" : "sev-ticket" }, verdict(row).split(" ")[0]), ` ${verdict(row).split(" ").slice(1).join(" ")}`),
    el("p", { class: "quiet" }, `Decided ${absolute(Date.parse(row.decided_at))} in ${quantity(row.latency_us, "us")} by ${row.model.name} ${row.model.version} (${row.model.variant}); the event is of ${absolute(Date.parse(row.event_ts))}.`));
}

function reasons(answer) {
  const { row } = answer;
  const all = answer.reasons ?? row.reasons.filter((reason) => reason.contribution !== null);
  const table = () => ({ columns: ["feature", "code", "value", "contribution"], rows: all.map((reason) => [reason.feature, reason.code, reason.value, reason.contribution]) });
  const box = panel("Why", { name: "why", span: "seven", note: answer.reasons ? `exact contributions of all ${all.length} features, margin units` : "the recorded reasons", table });
  if (answer.reasons_problem) box.body.append(stateBox("stale", answer.reasons_problem));
  if (all.length === 0) box.body.append(stateBox("empty", "No feature moved this score."));
  else {
    const sum = all.reduce((total, reason) => total + reason.contribution, 0);
    const numbers = all.filter((reason) => reason.contribution !== null);
    box.body.append(waterfall({ reasons: numbers, base: answer.bias ?? row.margin - sum, margin: row.margin }));
  }
  return box.root;
}

function rules(answer) {
  const box = panel("Rules", { name: "rules", span: "five", note: "in their order; the first that holds decides" });
  const marks = { fired: "▶", passed: "·", "not reached": " " };
  if (!answer.rules) box.body.append(stateBox("unset", "The rules of then are not those of now."));
  else box.body.append(el("ol", { class: "trace" }, answer.rules.map((rule) => el("li", { class: rule.state === "fired" ? "fired" : rule.state === "passed" ? "" : "quiet" },
    el("span", { "aria-hidden": "true" }, marks[rule.state]), el("span", {}, `${rule.name} → ${rule.decision}`, el("br"), el("span", { class: "mono quiet" }, rule.when ?? "otherwise"), el("span", { class: "hidden" }, ` ${rule.state}`))))));
  return box.root;
}

function values(title, name, object, span) {
  const rows = Object.entries(object ?? {}).map(([key, value]) => [key, value === null ? "missing" : typeof value === "object" ? JSON.stringify(value) : value]);
  const box = panel(title, { name, span, note: `${rows.length}`, table: () => ({ columns: ["name", "value"], rows }) });
  box.body.append(rows.length ? el("div", { class: "scroll values", tabindex: "0", role: "group", "aria-label": title }, asTable({ columns: ["name", "value"], rows: rows.map(([key, value]) => [key, typeof value === "number" ? number(value) : cut(String(value), 2000)]) })) : stateBox("empty"));
  return box.root;
}

function about(row) {
  const box = panel("Record", { name: "about", span: "third" });
  const list = el("dl", { class: "facts" });
  facts(list, [["ledger row", count(row.ledger_index)], ["trace id", row.trace_id], ["entity", row.entity], ["margin", number(row.margin)],
    ...(row.shadows ?? []).map((shadow) => [`shadow ${shadow.model?.name ?? shadow.model} ${shadow.model?.version ?? shadow.version ?? ""}`, number(shadow.score)])]);
  box.body.append(list, el("p", { class: "note" }, el("a", { href: viewLink("decisions", { entity: row.entity }) }, "all of this entity")));
  return box.root;
}

function proof(answer) {
  const box = panel("Proof", { name: "proof", span: "two-thirds", note: "RFC 9162: from this row to the signed head" });
  if (!answer.proof) { box.body.append(stateBox("nodata", answer.proof_problem ?? "There is no proof yet.")); return box.root; }
  const { proof: it } = answer;
  box.body.append(el("p", {}, `Row ${count(it.leaf_index)} is one of the ${count(it.tree_size)} rows whose root was signed ${absolute(it.head.timestamp_ms)} with key ${cut(it.head.key_id, 24)}. ${it.path.length} hashes lead from its leaf to that root.`),
    el("dl", { class: "words hashes mono" }, el("dt", {}, "leaf"), el("dd", {}, it.leaf_hash), it.path.flatMap((hash, i) => [el("dt", {}, String(i + 1)), el("dd", {}, hash)]), el("dt", {}, "root"), el("dd", {}, it.head.root), el("dt", {}, "signature"), el("dd", {}, it.head.signature_b64)),
    el("p", { class: "note" }, `Anyone can check it without binnacle: binnacle ledger prove ${cut(answer.row.event_id, 80)} gives the same as JSON.`));
  return box.root;
}

export async function openDecision(root, eventId, jobs) {
  const load = async () => {
    root.replaceChildren(el("h2", { class: "hidden" }, "Decision"), el("section", { class: "panel" }, stateBox("loading", "Looking it up.")));
    try {
      const answer = await get("/api/v1/decision/record", { event_id: eventId }, jobs.signal);
      root.replaceChildren(el("h2", { class: "hidden" }, "Decision"), head(answer.row), reasons(answer), rules(answer), values("Input", "input", answer.row.input, "half"), values("Features", "features", answer.row.features, "half"), about(answer.row), proof(answer));
    } catch (error) {
      if (jobs.ended) return;
      const box = error.status === 404 ? stateBox("empty", `There is no decision on event ${cut(eventId, 200)}.`, " ", el("a", { href: link({ open: "" }) }, "Find another")) : refusalBox(error, load);
      root.replaceChildren(el("h2", { class: "hidden" }, "Decision"), el("section", { class: "panel" }, box));
    }
  };
  load();
}
