// Why a score is what it is: from the model's base to the margin, one bar a feature, in the order of
// their weight. Exact contributions, in margin units, that add up.
import { el } from "../core/dom.js";
import { number } from "../core/words.js";

const MOST = 12;

function row(label, value, from, to, scale, kind) {
  const left = Math.min(scale(from), scale(to)), width = Math.abs(scale(to) - scale(from));
  const bar = el("i", { class: `fall ${kind}` });
  bar.style.left = `${left.toFixed(2)}%`;
  bar.style.width = `${Math.max(0.4, width).toFixed(2)}%`;
  return el("tr", {}, el("th", { scope: "row", class: "fall-name" }, label), el("td", { class: "num" }, value),
    el("td", { class: "fall-cell", "aria-hidden": "true" }, el("div", { class: "fall-box" }, bar)),
    el("td", { class: "num" }, kind === "sum" ? number(to) : `${to >= from ? "+" : "−"}${number(Math.abs(to - from))}`));
}

// reasons: [{ feature, value, contribution }]; base and margin in the same units.
export function waterfall({ reasons, base, margin }) {
  const sorted = [...reasons].sort((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution));
  const shown = sorted.slice(0, MOST), rest = sorted.slice(MOST);
  const steps = shown.map((reason) => [reason.feature, reason.value === null ? "missing" : number(reason.value), reason.contribution]);
  if (rest.length) steps.push([`${rest.length} others`, "", rest.reduce((sum, reason) => sum + reason.contribution, 0)]);
  const sums = [base];
  for (const [, , contribution] of steps) sums.push(sums[sums.length - 1] + contribution);
  const end = margin ?? sums[sums.length - 1];
  // The bars that stand for sums come from the edge where zero lies: what moves is drawn large.
  const low = Math.min(...sums, end), high = Math.max(...sums, end), pad = (high - low) * 0.08 || 1;
  const scale = (value) => Math.min(100, Math.max(0, (value - low + pad) / (high - low + 2 * pad) * 100));
  return el("table", { class: "waterfall" },
    el("caption", { class: "hidden" }, "Contributions to the margin, largest first"),
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "feature"), el("th", { scope: "col", class: "num" }, "value"), el("th", { scope: "col" }, el("span", { class: "hidden" }, "bar")), el("th", { scope: "col", class: "num" }, "margin"))),
    el("tbody", {},
      row("without knowing anything", "", 0, base, scale, "sum"),
      steps.map(([name, value, contribution], i) => row(name, value, sums[i], sums[i + 1], scale, contribution >= 0 ? "up" : "down")),
      row("margin", "", 0, end, scale, "sum")));
}
