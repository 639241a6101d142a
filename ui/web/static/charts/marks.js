// The small marks that stand in text and tables: sparklines, bars, shares, histograms. Numbers come
// as ratios; texts are made by the server.
import { el, setAttribute, setClass, svg } from "../core/dom.js";

const WIDTH = 240;
const HEIGHT = 56;
const POINTS = 120;

// Runs of points without gaps: a missing second is a gap, not a zero.
export function runs(points) {
  const all = [];
  let run = null;
  points.forEach((value, index) => {
    if (value === null) { run = null; return; }
    if (!run) { run = []; all.push(run); }
    run.push([index, value]);
  });
  return all;
}

// Two minutes, newest at the right edge, from zero.
export function sparkline(box, series, most = POINTS) {
  const points = series.points ?? [];
  const top = Math.max(0, ...points.filter((value) => value !== null));
  const some = points.some((value) => value !== null);
  box.classList.toggle("none", !some);
  if (!some) { box.replaceChildren(); return; }
  if (!box.firstElementChild) {
    box.append(svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" },
      svg("path", { class: "area" }), svg("path", { class: "base", d: `M0 ${HEIGHT}H${WIDTH}` }), svg("path", { class: "line" })));
  }
  const first = most - points.length;
  const x = (index) => ((first + index) * WIDTH / (most - 1)).toFixed(1);
  const y = (value) => (HEIGHT - 1 - (top ? value / top : 0) * (HEIGHT - 4)).toFixed(1);
  const lines = runs(points);
  const path = (run) => run.map(([i, v]) => `${x(i)} ${y(v)}`).join("L");
  const drawing = box.firstElementChild;
  setAttribute(drawing.children[2], "d", lines.map((run) => `M${path(run)}`).join(""));
  setAttribute(drawing.children[0], "d", lines.map((run) => `M${x(run[0][0])} ${HEIGHT}L${path(run)}L${x(run[run.length - 1][0])} ${HEIGHT}Z`).join(""));
  setAttribute(drawing, "aria-label", `${series.name}, last two minutes, now ${series.end}`);
}

// Equal widths over [0, 1]. Heights are roots, as on the terminal: most scores are near one end, and
// the few in a thousand at the other, which matter, are still seen, while twice as high is always
// four times as many.
export function histogram(box, scores) {
  const some = scores.largest > 0;
  box.classList.toggle("none", !some);
  if (!some) { box.replaceChildren(); return; }
  const n = scores.bins.length;
  if (!box.firstElementChild) {
    const drawing = svg("svg", { viewBox: `0 0 ${n * 10} 100`, preserveAspectRatio: "none", role: "img" });
    for (let i = 0; i < n; i++) drawing.append(svg("rect", { x: i * 10 + 0.5, width: 9 }));
    drawing.append(svg("path", { class: "base", d: `M0 100H${n * 10}` }));
    box.append(drawing, el("div", { class: "axis" }, ["0", ".25", ".5", ".75", "1"].map((text) => el("span", {}, text))));
  }
  const drawing = box.firstElementChild;
  scores.bins.forEach((count, i) => {
    const height = count ? Math.max(2, 98 * Math.sqrt(count / scores.largest)) : 0;
    setAttribute(drawing.children[i], "y", (100 - height).toFixed(1));
    setAttribute(drawing.children[i], "height", height.toFixed(1));
  });
  setAttribute(drawing, "aria-label", `Scores of ${scores.n} ${scores.n === "1" ? "decision" : "decisions"} from 0 to 1, heights are roots of the counts`);
}

const percent = (ratio) => `${(100 * Math.min(1, Math.max(0, ratio))).toFixed(2)}%`;

function place(part, property, value) {
  if (part.style[property] !== value) part.style[property] = value;
}

// A bar with an optional tick (usual value, limit) and an optional band (noise).
export function bar(box, { ratio, tick = null, band = null, state = "ok" }) {
  setClass(box, ratio === null ? "bar none" : "bar");
  setAttribute(box, "data-state", state);
  for (const [tag, value] of [["u", band], ["i", ratio], ["b", tick]]) {
    let part = box.querySelector(tag);
    if (value === null || value === undefined || ratio === null && tag !== "b") { part?.remove(); continue; }
    if (!part) { part = document.createElement(tag); box.append(part); }
    place(part, tag === "b" ? "left" : "width", percent(value));
  }
}

// Shares side by side, each in its arm's colour and pattern; an arm that got nothing has no part.
export function stack(box, parts) {
  const some = parts.some(([, share]) => Number.isFinite(share));
  setClass(box, some ? "stack" : "stack none");
  while (box.children.length > (some ? parts.length : 0)) box.lastElementChild.remove();
  (some ? parts : []).forEach(([variant, share], i) => {
    if (!box.children[i]) box.append(document.createElement("i"));
    setClass(box.children[i], variant);
    place(box.children[i], "width", percent(share ?? 0));
  });
}

// A column a day, newest at the right, half high at what is wanted: [0, 2] times what is allowed to be bad.
export function daysOf(box, values, { target, bad, name }) {
  box.hidden = !values.some((value) => value !== null);
  if (box.hidden) return;
  while (box.children.length < values.length) box.append(document.createElement("i"));
  let known = 0, under = 0;
  values.forEach((value, i) => {
    const share = value === null ? null : bad ? 1 - value : value, allowed = 1 - target;
    const below = share !== null && share < target;
    known += share !== null; under += below;
    setClass(box.children[i], share === null ? "none" : below ? "under" : "");
    place(box.children[i], "height", share === null ? "" : percent(Math.max(0.08, allowed > 0 ? (share - target + allowed) / (2 * allowed) : share)));
  });
  setAttribute(box, "aria-label", `${name}, the last 30 days: ${known} known, ${under} below what is wanted`);
}

export const barBox = () => el("div", { class: "bar", "aria-hidden": "true" });
