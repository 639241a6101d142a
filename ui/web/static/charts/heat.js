// A heat map over time: rows from bottom to top, one hue, lightness carries the value, a line where
// the objective is. On a canvas, with the numbers as a table beside it.
import { el, setAttribute, setText, shown } from "../core/dom.js";
import { crosshair, onCrosshair, point } from "../core/crosshair.js";
import { panel } from "../core/panel.js";
import { change } from "../core/route.js";
import { absolute, moment } from "../core/time.js";
import { px } from "../core/size.js";
import { colour, onTheme } from "../core/theme.js";

const LEAST_DRAG = 8, MINUTES_ALONE_MS = 600e3;
const bottom = () => px(20);

// Hatched as what has no data is everywhere, in CSS pixels.
function hatch(pen, ratio) {
  const side = Math.round(7 * ratio), tile = document.createElement("canvas");
  tile.width = tile.height = side;
  const line = tile.getContext("2d");
  line.strokeStyle = colour("rule");
  line.lineWidth = ratio;
  line.beginPath();
  for (const by of [-side, 0, side]) { line.moveTo(by - 1, side + 1); line.lineTo(by + side + 1, -1); }
  line.stroke();
  const pattern = pen.createPattern(tile, "repeat");
  pattern.setTransform(new DOMMatrix().scale(7 / side));
  return pattern;
}

// How strong a count is, logarithmic from `least` up to the largest of these cells; nothing counted
// is left blank.
export function countScale(cells, least) {
  const most = Math.log1p(cells.reduce((top, [, n]) => Math.max(top, ...(n ?? [])), 0));
  return (value) => (value > 0 ? least + (1 - least) * Math.log1p(value) / most : null);
}

// rows: [{ label, values: [..] }] bottom first, null is no data; times: ms of each column;
// scale: (value) => 0..1, or null where nothing is drawn.
export function heatMap(title, { height = 180, rowHeight = 0, ...options } = {}) {
  let drawn = null;
  const table = () => drawn ? {
    columns: ["time", ...drawn.rows.map((row) => row.label)],
    rows: drawn.times.map((at, i) => [new Date(at).toISOString(), ...drawn.rows.map((row) => row.values[i] ?? null)]),
  } : { columns: [], rows: [] };
  const made = panel(title, { table, ...options });
  const labels = el("div", { class: "heat-labels" });
  const canvas = el("canvas", { class: "heat", role: "img", tabindex: "0" });
  const cross = el("div", { class: "heat-cross", hidden: true });
  const readout = el("p", { class: "note heat-note", role: "status", "aria-live": "off" });
  const wrap = el("div", { class: "heat-wrap" }, canvas, cross);
  const chosen = el("div", { class: "heat-chosen", hidden: true });
  wrap.append(chosen);
  const box = el("div", { class: "heat-box" }, labels, wrap);
  made.body.append(box, readout);

  function mix(at) {
    const parse = (name) => colour(name).match(/[0-9a-f]{2}/gi).map((hex) => parseInt(hex, 16));
    const from = parse("heat-0"), to = parse("heat-1");
    return `rgb(${from.map((part, i) => Math.round(part + (to[i] - part) * at)).join(" ")})`;
  }

  function draw() {
    if (!drawn) return;
    const ratio = devicePixelRatio, width = wrap.clientWidth;
    const foot = bottom(), high = rowHeight ? px(rowHeight) * drawn.rows.length : px(height) - foot;
    if (!width) return;
    canvas.width = width * ratio;
    canvas.height = (high + foot) * ratio;
    canvas.style.height = `${high + foot}px`;
    labels.style.height = `${high}px`;
    const pen = canvas.getContext("2d");
    pen.scale(ratio, ratio);
    const x = (at) => (at - drawn.from) / (drawn.to - drawn.from) * width;
    const cell = high / drawn.rows.length;
    const unknown = hatch(pen, ratio);
    drawn.rows.forEach((row, r) => row.values.forEach((value, i) => {
      const known = value !== null && value !== undefined;
      const strength = known ? drawn.scale(value, r) : 0;
      if (strength === null) return;
      const left = x(drawn.times[i]), right = x(drawn.times[i] + drawn.step);
      if (right < 0 || left > width) return;
      pen.fillStyle = known ? mix(strength) : unknown;
      pen.fillRect(left, high - (r + 1) * cell, Math.max(1, right - left) + 0.3, cell - (rowHeight ? 1 : 0));
    }));
    pen.fillStyle = pen.strokeStyle = colour("text");
    pen.font = `${px(13)}px system-ui, sans-serif`;
    if (drawn.line !== undefined && drawn.line !== null) {
      const y = Math.round(high - drawn.line * cell) + 0.5;
      pen.setLineDash([5, 3]);
      pen.beginPath(); pen.moveTo(0, y); pen.lineTo(width, y); pen.stroke();
      pen.textAlign = "right";
      pen.fillText(shown(drawn.lineLabel ?? ""), width - 4, y - 4);
      pen.setLineDash([]);
    }
    pen.fillStyle = colour("quiet");
    for (let i = 0; i <= 4; i++) {
      pen.textAlign = i === 0 ? "left" : i === 4 ? "right" : "center";
      if (width < px(360) && i % 2) continue;
      const long = drawn.to - drawn.from;
      pen.fillText(moment(drawn.from + long * i / 4, { seconds: long < MINUTES_ALONE_MS }), width * i / 4, high + px(16));
    }
  }

  function tell(at) {
    cross.hidden = at === null || !drawn || at < drawn.from || at > drawn.to;
    if (at === null || !drawn) { setText(readout, drawn?.note ?? ""); return; }
    cross.style.left = `${(at - drawn.from) / (drawn.to - drawn.from) * 100}%`;
    const i = drawn.times.findIndex((when) => when <= at && at < when + drawn.step);
    if (i < 0) { setText(readout, `${absolute(at)}: no data`); return; }
    const known = drawn.rows.map((row, r) => [row.label, row.values[i], r]).filter(([, value]) => value !== null && value !== undefined);
    const most = known.filter(([, value, r]) => drawn.scale(value, r) !== null).sort((a, b) => b[1] - a[1]).slice(0, 3).map(([label, value]) => `${label} ${drawn.words(value)}`).join(", ");
    setText(readout, `${absolute(drawn.times[i])}: ${most || (known.length ? "nothing" : "no data")}`);
  }

  const timeOf = (event) => drawn.from + Math.min(1, Math.max(0, event.offsetX / canvas.clientWidth)) * (drawn.to - drawn.from);
  const ahead = { PageUp: -10, ArrowLeft: -1, ArrowRight: 1, PageDown: 10 };

  function step(event) {
    if (!drawn || drawn.times.length === 0) return;
    if (event.key === "Escape" && crosshair.at !== null) { point(null); event.stopPropagation(); return; }
    const last = drawn.times.length - 1;
    const here = crosshair.at === null ? last + 1 : drawn.times.findLastIndex((when) => when <= crosshair.at);
    const at = { Home: 0, End: last }[event.key] ?? (ahead[event.key] ? here + ahead[event.key] : null);
    if (at === null) return;
    event.preventDefault();
    readout.setAttribute("aria-live", "polite");
    point(drawn.times[Math.min(last, Math.max(0, at))]);
  }

  // A drag chooses a range, as on the lines; a click opens the row.
  let pressed = null;
  function drag(event) {
    readout.setAttribute("aria-live", "off");
    point(timeOf(event));
    chosen.hidden = pressed === null || Math.abs(event.offsetX - pressed.x) < LEAST_DRAG;
    if (chosen.hidden) return;
    chosen.style.left = `${Math.min(pressed.x, event.offsetX)}px`;
    chosen.style.width = `${Math.abs(event.offsetX - pressed.x)}px`;
  }
  function release(event) {
    const from = pressed;
    pressed = null;
    chosen.hidden = true;
    if (!drawn || !from) return;
    const [first, last] = [from.at, timeOf(event)].sort((a, b) => a - b);
    if (Math.abs(event.offsetX - from.x) >= LEAST_DRAG) {
      if (last - first >= 2000) change({ from: String(Math.round(first)), to: String(Math.round(last)) });
      return;
    }
    const high = canvas.clientHeight - bottom();
    const row = drawn.rows[Math.floor((high - event.offsetY) / (high / drawn.rows.length))];
    if (row) drawn.open?.(row);
  }

  canvas.addEventListener("pointerdown", (event) => {
    if (!drawn || event.button !== 0) return;
    pressed = { x: event.offsetX, at: timeOf(event) };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => { if (drawn) drag(event); });
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointercancel", () => { pressed = null; chosen.hidden = true; });
  canvas.addEventListener("pointerleave", () => point(null));
  canvas.addEventListener("keydown", step);
  const observer = new ResizeObserver(draw);
  observer.observe(wrap);
  const unfollow = onCrosshair(tell);
  const untheme = onTheme(draw);

  return {
    ...made,
    set(picture) {
      drawn = picture;
      if (box.parentNode !== made.body) made.body.replaceChildren(box, readout);
      labels.replaceChildren(...[...picture.rows].reverse().map((row, i) => el("span", { title: row.label }, picture.showLabel?.(row, picture.rows.length - 1 - i) === false ? "" :
        picture.open ? el("a", { href: picture.href(row) }, row.label) : row.label)));
      setAttribute(canvas, "aria-label", `${title}: ${picture.rows.length} rows, ${absolute(picture.from)} to ${absolute(picture.to)}. ${picture.note ?? ""} Arrow keys move the crosshair; the table has the numbers.`);
      draw();
      tell(null);
    },
    refuse(instead) { drawn = null; made.body.replaceChildren(instead); },
    destroy() { observer.disconnect(); unfollow(); untheme(); },
  };
}
