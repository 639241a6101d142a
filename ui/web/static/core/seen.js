// What this page has seen of the live picture since it was opened, as series: what stands in where
// a service keeps no history. A quarter of an hour at most.
import { onLive } from "./live.js";

const MOST = 900;
const series = new Map();
let last = 0;
let first = 0;

function put(name, labels, unit, at, value) {
  const key = `${name}|${Object.values(labels).join("|")}`;
  let one = series.get(key);
  if (!one) { one = { name, unit, labels, points: [] }; series.set(key, one); }
  one.points.push([at, value ?? null]);
  if (one.points.length > MOST) one.points.shift();
}

// The two minutes that the first picture brings along, a point a second.
function begin(at, { rate, p99, decline }) {
  first = at;
  for (const [name, unit, one] of [["events_per_s", "per_s", rate], ["latency_p99_us", "us", p99], ["decline_ratio", "ratio", decline]]) {
    const points = one?.points ?? [];
    if (points.length) first = Math.min(first, at - points.length * 1000);
    points.forEach((value, i) => put(name, {}, unit, at - (points.length - i) * 1000, value));
  }
}

function take(picture) {
  const at = Date.parse(picture.time);
  if (!(at > last)) return;
  if (!first) begin(at, picture.view);
  last = at;
  const { decisions, latency_us: latency } = picture;
  put("events_per_s", {}, "per_s", at, picture.events_per_s);
  for (const name of ["p50", "p95", "p99"]) put(`latency_${name}_us`, {}, "us", at, latency[name]);
  const decided = Object.values(decisions).reduce((sum, n) => sum + n, 0);
  for (const [name, n] of Object.entries(decisions)) put(`${name}_ratio`, {}, "ratio", at, decided ? n / decided : null);
  for (const arm of picture.traffic) {
    const labels = { variant: arm.variant };
    put("share", labels, "ratio", at, arm.share_measured);
    for (const name of ["p50", "p95", "p99"]) put(`latency_${name}_us`, labels, "us", at, arm.latency_us?.[name]);
  }
  for (const slo of picture.slo) {
    const labels = { objective: slo.name };
    put("attainment", labels, "ratio", at, slo.attainment);
    put("budget_left", labels, "ratio", at, slo.budget_left);
    for (const window of ["5m", "1h", "6h"]) put(`burn_${window}`, labels, "×", at, slo.burn?.[window]);
  }
  for (const drift of picture.drift) put("psi", { feature: drift.feature }, "", at, drift.psi);
}

onLive((live, fresh) => { if (fresh && live.picture.view) take(live.picture); });

export const seenSince = () => first;

// Series of these names; with `by` only those told apart by that label, else those told apart by none.
export function seen(names, by = "") {
  return [...series.values()].filter((one) => names.includes(one.name) && (by ? by in one.labels : Object.keys(one.labels).length === 0))
    .map((one) => ({ ...one, points: one.points.slice() }));
}
