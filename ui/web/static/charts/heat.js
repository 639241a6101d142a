// A heat map over time: rows from bottom to top, one hue, lightness carries the value, a line where
// the objective is. On a canvas, with the numbers as a table beside it.
import { el, setText } from "../core/dom.js";
import { onCrosshair, point } from "../core/crosshair.js";
import { panel } from "../core/panel.js";
import { absolute, moment } from "../core/time.js";
import { colour, onTheme } from "../core/theme.js";

const LEFT = 0, BOTTOM = 20;

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
  made.body.append(el("div", { class: "heat-box" }, labels, wrap), readout);

  function mix(at) {
    const parse = (name) => colour(name).match(/[0-9a-f]{2}/gi).map((hex) => parseInt(hex, 16));
    const from = parse("heat-0"), to = parse("heat-1");
    return `rgb(${from.map((part, i) => Math.round(part + (to[i] - part) * at)).join(" ")})`;
  }

  function draw() {
    if (!drawn) return;
    const ratio = devicePixelRatio, width = wrap.clientWidth;
    const high = (rowHeight ? rowHeight * drawn.rows.length : height - BOTTOM);
    if (!width) return;
    canvas.width = width * ratio;
    canvas.height = (high + BOTTOM) * ratio;
    canvas.style.height = `${high + BOTTOM}px`;
    labels.style.height = `${high}px`;
    const pen = canvas.getContext("2d");
    pen.scale(ratio, ratio);
    const x = (at) => LEFT + (at - drawn.from) / (drawn.to - drawn.from) * (width - LEFT);
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
    pen.font = "13px system-ui, sans-serif";
    if (drawn.line !== undefined && drawn.line !== null) {
      const y = Math.round(high - drawn.line * cell) + 0.5;
      pen.setLineDash([5, 3]);
      pen.beginPath(); pen.moveTo(0, y); pen.lineTo(width, y); pen.stroke();
      pen.textAlign = "right";
      pen.fillText(drawn.lineLabel ?? "", width - 4, y - 4);
      pen.setLineDash([]);
    }
    pen.fillStyle = colour("quiet");
    for (let i = 0; i <= 4; i++) {
      pen.textAlign = i === 0 ? "left" : i === 4 ? "right" : "center";
      if (width < 360 && i % 2) continue;
      pen.fillText(moment(drawn.from + (drawn.to - drawn.from) * i / 4), width * i / 4, high + 16);
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

  canvas.addEventListener("pointermove", (event) => {
    if (drawn) point(drawn.from + event.offsetX / canvas.clientWidth * (drawn.to - drawn.from));
  });
  canvas.addEventListener("pointerleave", () => point(null));
  canvas.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by || !drawn || drawn.times.length === 0) return;
    event.preventDefault();
    at = Math.min(drawn.times.length - 1, Math.max(0, (at ?? drawn.times.length) + by));
    readout.setAttribute("aria-live", "polite");
    point(drawn.times[at]);
  });
  canvas.addEventListener("click", (event) => {
    if (!drawn?.open) return;
    const high = canvas.clientHeight - BOTTOM;
    const row = drawn.rows[Math.floor((high - event.offsetY) / (high / drawn.rows.length))];
    if (row) drawn.open(row);
  });
  let at = null;
  const observer = new ResizeObserver(draw);
  observer.observe(wrap);
  const unfollow = onCrosshair(tell);
  const untheme = onTheme(draw);

  return {
    ...made,
    set(picture) {
      drawn = picture;
      labels.replaceChildren(...[...picture.rows].reverse().map((row, i) => el("span", { title: row.label }, picture.showLabel?.(row, picture.rows.length - 1 - i) === false ? "" :
        picture.open ? el("a", { href: picture.href(row) }, row.label) : row.label)));
      canvas.setAttribute("aria-label", `${title}: ${picture.rows.length} rows, ${absolute(picture.from)} to ${absolute(picture.to)}. ${picture.note ?? ""} Arrow keys move the crosshair; the table has the numbers.`);
      draw();
      tell(null);
    },
    refuse(box) { made.body.replaceChildren(box); },
    destroy() { observer.disconnect(); unfollow(); untheme(); },
  };
}
