// The shared time range: chosen here, zoomed into on any chart, kept in the address.
import { button, el, setAttribute, setText } from "./dom.js";
import { key } from "./keys.js";
import { change, route } from "./route.js";
import { RANGES, bounds, moment, rangeWords } from "./time.js";
import { drawnBounds } from "./begin.js";
import { live } from "./live.js";
import { nowOf } from "./history.js";

let parts = null;

const choose = (word) => change({ range: word, from: "", to: "" });

function shift(by) {
  const { from, to } = bounds(route.state, nowOf(live.picture));
  const move = (to - from) * by;
  change({ from: String(Math.round(from + move)), to: String(Math.round(to + move)) });
}

export function makeRange() {
  const choices = el("div", { class: "segments", role: "group", "aria-label": "Time range" },
    RANGES.map(([word, words]) => button(word, () => choose(word), { "data-range": word, "aria-label": `last ${words}`, "aria-pressed": "false" })));
  const words = el("span", { class: "note range-words" });
  const back = button("to now", () => change({ from: "", to: "" }), { class: "tool", hidden: true });
  const compare = button("compare", () => change({ compare: route.state.compare ? "" : "1" }), { class: "tool", "aria-pressed": "false", title: "with the same period before" });
  const box = el("div", { class: "range" }, words, back, choices, compare);
  parts = { box, choices, words, back, compare };
  key("[", "the range before", () => shift(-1), "time");
  key("]", "the range after", () => shift(1), "time");
  key("L", "back to live", () => change({ from: "", to: "" }), "time");
  key("c", "compare with the period before", () => change({ compare: route.state.compare ? "" : "1" }), "time");
  return box;
}

export function drawRange(ranged) {
  const { follows } = bounds(route.state, 0);
  parts.box.hidden = !ranged;
  parts.back.hidden = follows;
  const { since } = drawnBounds(nowOf(live.picture));
  setText(parts.words, !follows ? rangeWords(route.state, nowOf(live.picture)) : since ? `since ${moment(since)}, nothing is known before` : "");
  setAttribute(parts.compare, "aria-pressed", String(Boolean(route.state.compare)));
  for (const node of parts.choices.children) setAttribute(node, "aria-pressed", String(follows && node.dataset.range === (route.state.range ?? "1h")));
}
