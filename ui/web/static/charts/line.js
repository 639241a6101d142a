// Lines over time, drawn by uPlot: one time range and one crosshair for all of them, drag to zoom,
// markers for what was changed, the period before as a thin line, limits as lines. The keyboard
// moves the crosshair, and every chart is a table and a CSV, too.
import { el, setAttribute, setText, shown } from "../core/dom.js";
import { crosshair, onCrosshair, point } from "../core/crosshair.js";
import { absolute, along } from "../core/time.js";
import { change } from "../core/route.js";
import { colour, onTheme } from "../core/theme.js";
import { panel } from "../core/panel.js";
import { px } from "../core/size.js";
import { stateBox } from "../core/states.js";
import { quantity, tick } from "../core/words.js";

/*! uPlot, (c) Leon Sorokin, MIT */
// Stands beside the one script of the page, and is fetched when the first chart is made: without it
// the page can be used sooner.
let uPlot = null;
const library = async () => { uPlot ??= (await import("./uPlot.js")).default; };

const DASHES = { champion: [], canary: [7, 4], shadow: [2, 3], before: [1, 3] };
const dashed = (dash) => dash.map((part) => px(part));
const KIND_MARKS = { split: "⇄", model: "M", rules: "R", config: "C", alert: "▲", start: "↑", stop: "↓", drill: "D", label: "L" };
const ROLE = { tabindex: "0", role: "img", "aria-roledescription": "chart" };
const INKS = ["ink-1", "ink-2", "ink-3", "ink-4", "ink-5"];
const REST_DASHES = [[], [7, 4], [2, 3], [10, 3, 2, 3], [4, 4]];

const strokeOf = (line, i) => () => colour(line.arm ?? line.colour ?? INKS[i % INKS.length]);

// All series on one axis of times, in seconds as uPlot wants them; none is below zero on a logarithmic one.
function align(lines, log) {
  const times = [...new Set(lines.flatMap((line) => line.points.map(([at]) => at)))].sort((a, b) => a - b);
  const place = new Map(times.map((at, i) => [at, i]));
  const columns = lines.map((line) => {
    const values = new Array(times.length).fill(null);
    for (const [at, value] of line.points) values[place.get(at)] = log && !(value > 0) ? null : value;
    return values;
  });
  return [times.map((at) => at / 1000), ...columns];
}

// A point between two gaps is no line, and is drawn as a point.
const known = (value) => value !== null && value !== undefined;
const alone = (values) => values.flatMap((value, i) => (known(value) && !known(values[i - 1]) && !known(values[i + 1]) ? [i] : []));

// One line a decade, and none of the many between.
function decades(_plot, _axis, min, max) {
  const marks = [];
  for (let power = Math.ceil(Math.log10(min)); power <= Math.log10(max); power++) marks.push(10 ** power);
  return marks;
}

function axes(unit, height, log) {
  // As large as the type was when the chart was made: paper has another size, and the same picture.
  const grown = px(1000) / 1000, sized = (size) => Math.round(size * grown);
  const font = `${sized(13)}px system-ui, sans-serif`;
  const common = { stroke: () => colour("quiet"), font, ticks: { show: false }, grid: { stroke: () => colour("rule"), width: 1 } };
  return [
    { ...common, grid: { show: false }, size: sized(24), gap: sized(4), space: sized(72), values: (_, marks) => along(marks.map((at) => at * 1000), marks[1] - marks[0] < 60) },
    { ...common, size: (plot, values) => Math.max(sized(60), ...(values ?? []).map((text) => sized(text.length * 7.5 + 10))), gap: sized(4), space: Math.max(sized(28), height / 5), ...(log ? { splits: decades, filter: (_, marks) => marks } : {}), values: (_, marks) => marks.map((value) => tick(value, unit)) },
  ];
}

// Lines across: objectives and limits, each with its word.
function drawLimits(plot, limits) {
  const { ctx } = plot;
  ctx.save();
  const line = px(15) * devicePixelRatio;
  ctx.font = `${px(13) * devicePixelRatio}px system-ui, sans-serif`;
  for (const limit of limits) {
    const y = Math.round(plot.valToPos(limit.value, "y", true)) + 0.5;
    if (y < plot.bbox.top || y > plot.bbox.top + plot.bbox.height) continue;
    ctx.strokeStyle = ctx.fillStyle = colour(limit.state ?? "text");
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(plot.bbox.left, y);
    ctx.lineTo(plot.bbox.left + plot.bbox.width, y);
    ctx.stroke();
    ctx.textAlign = "right";
    ctx.textBaseline = "bottom";
    const right = plot.bbox.left + plot.bbox.width - 2, bottom = y - 2 * devicePixelRatio;
    const wide = ctx.measureText(limit.label).width;
    // Nothing shines through the words.
    ctx.fillStyle = colour("ground");
    ctx.fillRect(right - wide - 4 * devicePixelRatio, bottom - line, wide + 4 * devicePixelRatio, line);
    ctx.fillStyle = ctx.strokeStyle;
    ctx.fillText(shown(limit.label), right, bottom);
  }
  ctx.restore();
}

function drawMarkers(plot, markers) {
  const { ctx } = plot;
  ctx.save();
  ctx.font = `${px(11) * devicePixelRatio}px system-ui, sans-serif`;
  ctx.strokeStyle = ctx.fillStyle = colour("quiet");
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([2 * devicePixelRatio, 2 * devicePixelRatio]);
  let last = -Infinity;
  for (const marker of markers) {
    const x = Math.round(plot.valToPos(marker.ms / 1000, "x", true)) + 0.5;
    if (x < plot.bbox.left || x > plot.bbox.left + plot.bbox.width) continue;
    ctx.beginPath();
    ctx.moveTo(x, plot.bbox.top);
    ctx.lineTo(x, plot.bbox.top + plot.bbox.height);
    ctx.stroke();
    // Signs that would lie on each other: the first stands for all.
    if (Math.abs(x - last) < px(12) * devicePixelRatio) continue;
    last = x;
    ctx.textAlign = "center";
    ctx.textBaseline = "top";
    ctx.fillText(KIND_MARKS[marker.kind] ?? "◦", x, plot.bbox.top);
  }
  ctx.restore();
}

// A drag chooses a range; the range before is one step back in the browser's history.
function zoom(plot) {
  const { left, width } = plot.select;
  if (width < 8) return;
  const from = Math.round(plot.posToVal(left, "x") * 1000);
  const to = Math.round(plot.posToVal(left + width, "x") * 1000);
  plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  if (to - from >= 2000) change({ from: String(from), to: String(to) });
}

// panel options and: unit, height, from zero unless `zero` is false, `log` for values that lie far
// below their limit. set({ from, to, lines, limits, markers, unit }): lines are { name, points:
// [[ms, value]], arm, before }; a unit that came with them counts before the usual one.
export function lineChart(title, { unit: usual = "", height = 160, zero = true, log = false, ...options } = {}) {
  let plot = null, turn = 0, unit = usual, data = [[]], drawn = { lines: [], limits: [], markers: [] };
  const table = () => ({
    columns: ["time", ...drawn.lines.map((line) => line.name + (unit ? ` (${unit})` : ""))],
    rows: data[0].map((at, i) => [new Date(at * 1000).toISOString(), ...data.slice(1).map((column) => column[i])]),
  });
  const made = panel(title, { table, ...options });
  const legend = el("div", { class: "legend", "aria-live": "off" });
  const readout = el("span", { class: "hidden", role: "status", "aria-live": "polite" });
  const host = el("div", { class: "plot", ...ROLE });
  made.body.append(legend, host, readout);

  function values(index) {
    drawn.lines.forEach((line, i) => {
      const at = index ?? lastWith(data[i + 1]);
      setText(legend.children[i].querySelector(".value"), quantity(data[i + 1]?.[at] ?? null, unit));
    });
  }
  const lastWith = (column = []) => { for (let i = column.length - 1; i >= 0; i--) if (column[i] !== null) return i; return -1; };

  function makeLegend() {
    legend.replaceChildren(...drawn.lines.map((line, i) => el("span", { class: `key ${line.arm ?? ""}` },
      el("i", { class: `key-line key-${line.before ? "before" : line.arm ?? i % INKS.length}` }), line.name, " ", el("b", { class: "value" }))));
  }

  library().catch(() => {});

  function build() {
    const mine = ++turn;
    if (!uPlot) {
      library().then(() => { if (mine === turn) { build(); follow(crosshair.at); } }, () => { if (mine === turn) refuse(stateBox("lost", "What draws the charts did not come.")); });
      return;
    }
    plot?.destroy();
    host.replaceChildren();
    for (const [name, value] of Object.entries(ROLE)) host.setAttribute(name, value);
    const width = host.clientWidth || 300, high = px(height);
    plot = new uPlot({
      width, height: high, legend: { show: false }, padding: [10, 8, 0, 0],
      cursor: { drag: { x: true, y: false, setScale: false }, points: { size: 6 }, focus: { prox: -1 }, y: false },
      scales: { x: { time: true, range: () => [drawn.from / 1000, drawn.to / 1000] },
        y: { distr: log ? 3 : 1, range: (_, min, max) => (log ? decadesOf(min, max) : rangeOf(min, max)) } },
      axes: axes(unit, high, log),
      series: [{}, ...drawn.lines.map((line, i) => ({ label: line.name, stroke: strokeOf(line, i), width: px(line.before ? 2 : 3) / 2, spanGaps: false,
        dash: dashed(line.before ? DASHES.before : line.arm ? DASHES[line.arm] : REST_DASHES[i % REST_DASHES.length]), points: { show: false, size: px(5), filter: (self, series) => alone(self.data[series]) } }))],
      hooks: {
        setSelect: [zoom],
        setCursor: [(self) => {
          const index = self.cursor.left >= 0 ? self.cursor.idx : null;
          values(index);
          if (self.moving) return;
          point(index === null || index === undefined ? null : data[0][index] * 1000);
        }],
        draw: [(self) => { drawMarkers(self, drawn.markers); drawLimits(self, drawn.limits); }],
      },
    }, data, host);
  }

  // Half a decade of room on both sides, so that a line never lies on the frame.
  function decadesOf(min, max) {
    const seen = [min, max, ...drawn.limits.map((limit) => limit.value)].filter((value) => value > 0);
    return seen.length ? [Math.min(...seen) / 3, Math.max(...seen) * 3] : [1, 10];
  }

  function rangeOf(min, max) {
    const limits = drawn.limits.map((limit) => limit.value);
    const high = Math.max(max ?? 0, ...limits), low = zero ? 0 : Math.min(min ?? 0, ...limits);
    if (high > low) return [low, high + (high - low) * 0.08];
    return high > 0 ? [0, high * 1.08] : [low, low + 1];
  }

  // Where others point, this points as well.
  function follow(at) {
    if (!plot || data[0].length === 0) return;
    plot.moving = true;
    plot.setCursor(at === null ? { left: -10, top: -10 } : { left: plot.valToPos(at / 1000, "x"), top: 10 }, true);
    plot.moving = false;
  }
  const unfollow = onCrosshair((at) => { if (!host.matches(":hover")) follow(at); else values(plot?.cursor.idx); });

  function step(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 }[event.key];
    if (event.key === "Escape" && crosshair.at !== null) { point(null); event.stopPropagation(); return; }
    if ((!by && event.key !== "Home" && event.key !== "End") || data[0].length === 0) return;
    event.preventDefault();
    const times = data[0];
    let at = crosshair.at === null ? times.length : times.findIndex((when) => when * 1000 >= crosshair.at);
    if (at < 0) at = times.length;
    at = event.key === "Home" ? 0 : event.key === "End" ? times.length - 1 : Math.min(times.length - 1, Math.max(0, at + by));
    point(times[at] * 1000);
    follow(times[at] * 1000);
    setText(readout, `${absolute(times[at] * 1000)}: ${drawn.lines.map((line, i) => `${line.name} ${quantity(data[i + 1][at], unit)}`).join(", ")}`);
  }
  host.addEventListener("keydown", step);

  function refuse(box) {
    turn++;
    data = [[]];
    drawn = { lines: [], limits: [], markers: [] };
    legend.replaceChildren();
    plot?.destroy();
    plot = null;
    host.replaceChildren(box);
    Object.keys(ROLE).forEach((name) => host.removeAttribute(name));
    host.removeAttribute("aria-label");
  }

  const observer = new ResizeObserver(() => {
    if (!plot || !host.clientWidth || host.clientWidth === plot.width) return;
    if (px(height) === plot.height) plot.setSize({ width: host.clientWidth, height: plot.height });
    else build(); // the type is of another size, too
  });
  observer.observe(host);
  const untheme = onTheme(() => plot?.redraw(false, true));

  return {
    ...made,
    set({ from, to, lines, limits = [], markers = [], unit: measured = usual }) {
      const same = plot && measured === unit && drawn.lines.length === lines.length && drawn.lines.every((line, i) => line.name === lines[i].name);
      drawn = { from, to, lines, limits, markers };
      unit = measured;
      data = align(lines, log);
      host.classList.toggle("none", !data.slice(1).some((column) => column.some((value) => value !== null)));
      made.body.classList.remove("is-loading");
      if (!same) { makeLegend(); build(); } else plot.setData(data);
      values(null);
      follow(crosshair.at);
      const last = drawn.lines.map((line, i) => `${line.name} ${quantity(data[i + 1][lastWith(data[i + 1])] ?? null, unit)}`).join(", ");
      setAttribute(host, "aria-label", `${title}, ${absolute(from)} to ${absolute(to)}; last: ${last || "no data"}. Arrow keys move the crosshair.`);
    },
    refuse,
    destroy() { turn++; observer.disconnect(); unfollow(); untheme(); plot?.destroy(); },
  };
}

