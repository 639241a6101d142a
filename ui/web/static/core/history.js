// Recorded series and changes of a range. Where a service keeps no history, or not of this, what the
// page has seen since it was opened stands in, and says so.
import { Refusal, get } from "./api.js";
import { drawnBounds, learnBegin } from "./begin.js";
import { bounds } from "./time.js";
import { route } from "./route.js";
import { seen, seenSince } from "./seen.js";

const STEPS = [1, 5, 10, 30, 60, 300, 900, 3600, 21600];
const POINTS = 300;

export const stepFor = (seconds) => STEPS.find((step) => seconds / step <= POINTS) ?? 86400;
export const nowOf = (picture) => (picture?.time ? Date.parse(picture.time) : Date.now());
const asMs = (at) => (typeof at === "number" ? at : Date.parse(at));

// Series that the service names by what they are of ("psi.amount") rather than by a label.
const NAMED = { psi: "feature", budget_left: "objective", burn_1h: "objective" };

function named(one) {
  const at = one.name.indexOf(".");
  const kind = one.name.slice(0, at);
  return NAMED[kind] ? { ...one, name: kind, labels: { ...one.labels, [NAMED[kind]]: one.name.slice(at + 1) } } : one;
}

// A step that has hardly begun is of too few events to stand beside whole ones.
// One that is longer than the range is drawn where the range begins.
function settled(points, stepS, from, to) {
  const whole = points.map(([at, value]) => [asMs(at), value]).filter(([at]) => at + stepS * 250 <= to);
  return whole.length === 1 ? [[Math.max(from, whole[0][0]), whole[0][1]]] : whole;
}

const AT_ONCE = 16;

async function asked(names, from, to, by, signal) {
  if (names.length > AT_ONCE)
    return (await Promise.all([asked(names.slice(0, AT_ONCE), from, to, by, signal), asked(names.slice(AT_ONCE), from, to, by, signal)])).flat();
  const step = stepFor((to - from) / 1000);
  const grid = step * 1000;
  const answer = await get("/api/v1/history", { series: names.join(","), from: Math.floor(from / grid) * grid, to: Math.ceil(to / grid) * grid, step, by }, signal);
  return answer.series.map((one) => named({ ...one, labels: one.labels ?? {}, points: settled(one.points, answer.step_s ?? step, from, to) }));
}

function standIn(names, by, from, to) {
  const within = seen(names, by).map((one) => ({ ...one, points: one.points.filter(([at]) => at >= from && at < to) }));
  // Minutes are not to be squeezed into the corner of a month.
  const start = Math.max(from, Math.min(seenSince() || from, to - 60000));
  return { from: start, to, series: within, before: [], note: "no history is kept: seen since this page was opened" };
}

// An expression over series, as the service evaluates it; asked for as series are.
export async function evaluated([expression], from, to, by, signal) {
  const step = stepFor((to - from) / 1000), grid = step * 1000;
  const answer = await get("/api/v1/panel", { expression, from: Math.floor(from / grid) * grid, to: Math.ceil(to / grid) * grid, step }, signal);
  return answer.series.map((one) => ({ ...one, points: settled(one.points, answer.step_s ?? step, from, to) }));
}

// { from, to, series, before, note }: before is the same of the period just before, if asked for.
// `of`: what the series are of, where the service names them so; `derive`: makes such an answer
// of another where it has none of these; `ask`: how they are asked for; with `strict` nothing stands in.
export async function history(names, { by = "", of = [], derive = null, ask = asked, strict = false, picture = null, signal = undefined } = {}) {
  await learnBegin(nowOf(picture));
  const { from, to } = drawnBounds(nowOf(picture));
  const wanted = of.length ? names.flatMap((name) => of.map((one) => `${name}.${one}`)) : names;
  const label = of.length ? "" : by;
  const made = derive && picture;
  const then = route.state.compare && !made ? ask(wanted, 2 * from - to, from, label, signal) : Promise.resolve([]);
  try {
    if (made) return await derive(picture, signal);
    const [series, before] = await Promise.all([ask(wanted, from, to, label, signal), then]);
    return { from, to, series, before: before.map((one) => ({ ...one, points: one.points.map(([at, value]) => [at + to - from, value]) })), note: "" };
  } catch (error) {
    then.catch(() => {});
    if (!strict && error instanceof Refusal && (error.kind === "unset" || error.kind === "wrong")) return standIn(names, by, from, to);
    throw error;
  }
}

const DAY_S = 86400;

// The last month by the day: { name: 30 values, newest last }.
export async function month(names, { picture, signal }) {
  const to = Math.ceil(nowOf(picture) / 1000 / DAY_S) * DAY_S * 1000;
  const answer = await get("/api/v1/history", { series: names.join(","), from: to - 30 * DAY_S * 1000, to, step: DAY_S }, signal);
  return Object.fromEntries(answer.series.map((one) => [one.name, one.points.map(([, value]) => value).slice(-30)]));
}

// Counts of a minute that nobody saw are null.
export async function heatmap(of, { picture = null, signal = undefined } = {}) {
  await learnBegin(nowOf(picture));
  const { from, to } = drawnBounds(nowOf(picture));
  const step = Math.max(10, stepFor((to - from) / 1000 * 3));
  const grid = step * 1000;
  const answer = await get("/api/v1/heatmap", { of, from: Math.floor(from / grid) * grid, to: Math.ceil(to / grid) * grid, step }, signal);
  return { from, to, step: (answer.step_s ?? step) * 1000, edges: answer.edges, cells: answer.cells.map(([at, n]) => [asMs(at), n ?? null]) };
}

export async function changes({ picture = null, signal = undefined } = {}) {
  const { from, to } = bounds(route.state, nowOf(picture));
  try {
    const answer = await get("/api/v1/changes", { from: Math.floor(from), to: Math.ceil(to) }, signal);
    return answer.changes.map((one) => ({ ...one, ms: asMs(one.at) })).filter((one) => !Number.isNaN(one.ms));
  } catch (error) {
    if (error instanceof Refusal) return [];
    throw error;
  }
}
