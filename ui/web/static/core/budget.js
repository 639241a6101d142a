// The line of an error budget and of its burn, from recorded counts of good and all: for services
// whose history has them but not the lines themselves.
import { get } from "./api.js";
import { bounds } from "./time.js";
import { nowOf, stepFor } from "./history.js";
import { route } from "./route.js";

const HOUR = 3600;

// What each kind of objective counts: the share that was bad, and of how many.
const KINDS = [
  { is: (slo) => slo.latency_limit_us > 0, names: ["latency_good_ratio", "latency_measured"], bad: ([good, n]) => [(1 - good) * n, n] },
  { is: (slo) => /avail/i.test(slo.name), names: ["error_ratio", "events"], bad: ([errors, n]) => [errors * n, n] },
  { is: (slo) => /fresh/i.test(slo.name), names: ["fresh_ratio"], bad: ([fresh]) => [1 - fresh, 1] },
  { is: (slo) => /drift|steady/i.test(slo.name), names: ["steady_ratio"], bad: ([steady]) => [1 - steady, 1] },
];
const kindOf = (slo) => KINDS.find((kind) => kind.is(slo));

async function counts(kinds, from, to, step, signal) {
  const names = [...new Set(kinds.flatMap((kind) => kind.names))];
  const answer = await get("/api/v1/history", { series: names.join(","), from, to, step }, signal);
  const points = new Map(answer.series.map((one) => [one.name, one.points]));
  return (kind) => (points.get(kind.names[0]) ?? []).map(([at, value], i) => {
    const all = kind.names.map((name) => points.get(name)?.[i]?.[1] ?? null);
    return [at, value === null || all.includes(null) ? null : kind.bad(all)];
  });
}

const sum = (rows) => rows.reduce(([bad, n], [, one]) => (one ? [bad + one[0], n + one[1]] : [bad, n]), [0, 0]);

// What left the window at the far end while the range goes by is small against it, and left in.
function budget(slo, before, rows) {
  let [bad, n] = sum(before);
  return rows.map(([at, one]) => {
    if (one) { bad += one[0]; n += one[1]; }
    return [at, n > 0 && (one || bad > 0) ? 1 - bad / (n * (1 - slo.target)) : null];
  });
}

// The rate of the hour up to each point, over what the target allows.
function burn(slo, rows, from) {
  let first = 0, bad = 0, n = 0;
  const points = [];
  rows.forEach(([at, one]) => {
    if (one) { bad += one[0]; n += one[1]; }
    while (rows[first][0] <= at - HOUR * 1000) {
      const gone = rows[first++][1];
      if (gone) { bad -= gone[0]; n -= gone[1]; }
    }
    if (at >= from) points.push([at, n > 0 ? Math.max(0, bad / n / (1 - slo.target)) : null]);
  });
  return points;
}

// Series like those of /api/v1/history, one an objective: budget_left and burn_1h.
export async function objectiveLines(picture, signal) {
  const { from, to } = bounds(route.state, nowOf(picture));
  const known = picture.slo.filter(kindOf);
  const kinds = known.map(kindOf);
  const step = Math.max(60, stepFor((to - from) / 1000));
  const grid = step * 1000, start = Math.floor(from / grid) * grid;
  const window = Math.max(...known.map((slo) => slo.window_s ?? 30 * 24 * HOUR), HOUR) * 1000;
  if (known.length === 0) return { from, to, budget: [], burn: [] };
  const [far, near] = await Promise.all([
    counts(kinds, Math.floor((from - window) / 3600e3) * 3600e3, start, Math.max(HOUR, Math.ceil(window / 1e3 / 720)), signal),
    counts(kinds, start - HOUR * 1000, Math.ceil(to / grid) * grid, step, signal)]);
  const line = (name, slo, points) => ({ name, unit: "", labels: { objective: slo.name }, points });
  const rows = (slo) => near(kindOf(slo)).filter(([at]) => at >= start);
  return { from, to,
    budget: known.map((slo) => line("budget_left", slo, budget(slo, far(kindOf(slo)), rows(slo)))),
    burn: known.map((slo) => line("burn_1h", slo, burn(slo, near(kindOf(slo)), start))) };
}
