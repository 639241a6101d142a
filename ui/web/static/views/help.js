// Help: the keys from the table that handles them, the marks, and the words of the field.
import { el } from "../core/dom.js";
import { keyRows } from "../core/keys.js";
import { panel } from "../core/panel.js";
import { stateBox } from "../core/states.js";

const MARKS = [["▲ page", "somebody is called: the budget is being used up fast", "page"], ["◆ ticket", "somebody must look, in working hours", "ticket"], ["● ok", "within its limits", "ok"], ["○ no data", "nothing is known, which is not good news", "nodata"]];
const ARMS = [["champion", "decides for most"], ["canary", "decides for a share, to be judged"], ["shadow", "sees events, decides nothing"]];
const WORDS = [
  ["attainment", "the share of good events among all, in the objective's window"],
  ["error budget", "how many bad events the objective allows; burn 1× uses it up exactly at the window's end"],
  ["PSI", "population stability index: how far a distribution has moved from its reference"],
  ["noise", "the PSI that no drift at all would give at these sample sizes, in 95 of 100 cases"],
  ["quarantine", "events that broke the contract: kept, not decided, and tried again when it is put right"],
  ["margin", "the model's sum before it becomes a probability; reasons add up in it"],
  ["proof", "hashes that lead from one decision to the signed head of the ledger"],
];
const STATES = [["empty", "Known to be none."], ["stale", "Known, but not of now."], ["loading", "Asked for, not here yet."], ["refused", "You may not see it."], ["unset", "Not configured here."], ["nodata", "Nobody knows."]];

function keys() {
  const groups = [...new Set(keyRows().map((row) => row.group))];
  return groups.flatMap((group) => [el("h3", {}, group), el("dl", { class: "keys" }, keyRows().filter((row) => row.group === group).flatMap((row) => [
    el("dt", {}, row.keys.split(" ").map((part) => el("kbd", {}, part))), el("dd", {}, row.what)]))]);
}

const pairs = (rows) => el("dl", { class: "words" }, rows.flatMap(([word, means, state]) => [el("dt", { class: state ? `sev-${state}` : "" }, word), el("dd", {}, means)]));

export function open(root) {
  const keyBox = panel("Keys", { span: "third" });
  keyBox.body.append(...keys());
  const marks = panel("Marks", { span: "third" });
  marks.body.append(pairs(MARKS), el("h3", {}, "arms"), el("dl", { class: "words" }, ARMS.flatMap(([arm, means]) => [el("dt", { class: `arm ${arm}` }, arm), el("dd", {}, means)])),
    el("h3", {}, "what is not a number"), el("div", { class: "state-row" }, STATES.map(([kind, text]) => stateBox(kind, text))));
  const words = panel("Words", { span: "third" });
  words.body.append(pairs(WORDS), el("h3", {}, "elsewhere"),
    el("p", {}, el("a", { href: "/api/openapi.json" }, "the API's description"), ", ", el("a", { href: "/metrics" }, "metrics"), ". Every address of this page can be linked; charts are drawn by uPlot (MIT)."));
  root.append(keyBox.root, marks.root, words.root);
  return {};
}
