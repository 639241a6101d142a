// A number between the ends of its interval, beside what it was estimated to be: the band is the
// estimate's, the whisker the number's own. One scale for all rows of a table.
import { svg } from "../core/dom.js";

const WIDTH = 200, HEIGHT = 16, EDGE = 4;

// rows: [{ low, value, high, from, estimate, to }], all of them may be null; 0..1 is as far as it goes.
export function intervalScale(rows) {
  const known = rows.flatMap((row) => [row.low, row.value, row.from, row.estimate]).filter((one) => one !== null && one !== undefined);
  const least = known.length ? Math.max(0, Math.floor(Math.min(...known) * 20 - 0.5) / 20) : 0;
  return { least, place: (value) => EDGE + Math.min(1, Math.max(0, (value - least) / (1 - least || 1))) * (WIDTH - 2 * EDGE) };
}

export function interval({ low, value, high, from = null, estimate = null, to = null }, { place }) {
  const middle = HEIGHT / 2;
  const line = (a, b, kind) => svg("line", { x1: place(a), x2: place(b), y1: middle, y2: middle, class: kind });
  const tick = (at, kind, high_) => svg("line", { x1: place(at), x2: place(at), y1: middle - high_, y2: middle + high_, class: kind });
  return svg("svg", { class: "interval", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" },
    svg("line", { x1: 0, x2: WIDTH, y1: middle, y2: middle, class: "base" }),
    from !== null && to !== null && svg("rect", { x: place(from), y: 2, width: Math.max(1, place(to) - place(from)), height: HEIGHT - 4, class: "band" }),
    estimate !== null && tick(estimate, "estimate", 7),
    low !== null && high !== null && line(low, high, "whisker"),
    value !== null && tick(value, "truth", 5));
}
