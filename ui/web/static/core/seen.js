// What this page has seen of the live picture since it was opened, as series: what stands in where
// a service keeps no history. A quarter of an hour at most.
import { onLive } from "./live.js";

// A ring of as many places as there may be pictures: memory is the same after an hour as after a minute.
const MOST = 900;
const times = new Float64Array(MOST);
const series = new Map();
let count = 0;
let last = 0;
let first = 0;

function next(at) {
  times[count % MOST] = at;
  for (const one of series.values()) one.values[count % MOST] = NaN;
  count++;
}

// Of the newest picture; what it does not say stays unknown.
function put(name, labels, unit, value) {
  const key = `${name}|${Object.values(labels).join("|")}`;
  let one = series.get(key);
  if (!one) { one = { name, unit, labels, values: new Float64Array(MOST).fill(NaN) }; series.set(key, one); }
  one.values[(count - 1) % MOST] = value ?? NaN;
}

// The two minutes that the first picture brings along, a point a second.
function begin(at, { rate, p99, decline }) {
  const known = [["events_per_s", "per_s", rate], ["latency_p99_us", "us", p99], ["decline_ratio", "ratio", decline]].map(([name, unit, one]) => [name, unit, one?.points ?? []]);
  const most = Math.max(...known.map(([, , points]) => points.length));
  first = at - most * 1000;
  for (let back = most; back > 0; back--) {
    next(at - back * 1000);
    for (const [name, unit, points] of known) put(name, {}, unit, points[points.length - back]);
  }
}

function take(picture) {
  const at = Date.parse(picture.time);
  if (!(at > last)) return;
  if (!first) begin(at, picture.view);
  last = at;
  next(at);
  const { decisions, latency_us: latency } = picture;
  put("events_per_s", {}, "per_s", picture.events_per_s);
  for (const name of ["p50", "p95", "p99"]) put(`latency_${name}_us`, {}, "us", latency[name]);
  const decided = Object.values(decisions).reduce((sum, n) => sum + n, 0);
  for (const [name, n] of Object.entries(decisions)) put(`${name}_ratio`, {}, "ratio", decided ? n / decided : null);
  for (const arm of picture.traffic) {
    const labels = { variant: arm.variant };
    put("share", labels, "ratio", arm.share_measured);
    for (const name of ["p50", "p95", "p99"]) put(`latency_${name}_us`, labels, "us", arm.latency_us?.[name]);
  }
  for (const slo of picture.slo) {
    const labels = { objective: slo.name };
    put("attainment", labels, "ratio", slo.attainment);
    put("budget_left", labels, "ratio", slo.budget_left);
    for (const window of ["5m", "1h", "6h"]) put(`burn_${window}`, labels, "×", slo.burn?.[window]);
  }
  for (const drift of picture.drift) put("psi", { feature: drift.feature }, "", drift.psi);
}

onLive((live, fresh) => { if (fresh && live.picture.view) take(live.picture); });

export const seenSince = () => first;

function points({ values }) {
  const from = Math.max(0, count - MOST);
  return Array.from({ length: count - from }, (_, i) => (from + i) % MOST).map((at) => [times[at], Number.isNaN(values[at]) ? null : values[at]]);
}

// Series of these names; with `by` only those told apart by that label, else those told apart by none.
export function seen(names, by = "") {
  return [...series.values()].filter((one) => names.includes(one.name) && (by ? by in one.labels : Object.keys(one.labels).length === 0))
    .map(({ name, unit, labels, ...one }) => ({ name, unit, labels, points: points(one) }));
}
