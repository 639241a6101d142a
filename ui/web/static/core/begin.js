// Since when this service has counted. A range that follows the present is drawn from there on where
// nothing is known before, so that the first quarter of an hour is not squeezed into a corner; a span
// without data between others stays in the picture.
import { get } from "./api.js";
import { route } from "./route.js";
import { bounds } from "./time.js";

const COARSE_S = 21600, BEFORE = 120; // a month of quarter days
const AGAIN_MS = 60e3, LEAST_MS = 120e3;
const OLDER = -Infinity;

// By the length of a range: { at: when it was asked, since: ms, OLDER, or null for nothing known, pending }.
const answers = new Map();

async function firstOf(from, to, step) {
  const { series } = await get("/api/v1/history", { series: "events", from, to, step });
  return series[0]?.points.find(([, value]) => value !== null)?.[0] ?? null;
}

async function ask(from, to) {
  const coarse = COARSE_S * 1000, start = Math.floor(from / coarse) * coarse;
  const fine = to - from <= coarse ? 60 : Math.ceil((to - from) / 300 / 300e3) * 300;
  const [before, within] = await Promise.all([firstOf(start - BEFORE * coarse, start, COARSE_S), firstOf(start, to, fine)]);
  return before !== null || (within !== null && within < from) ? OLDER : within;
}

// To be waited for before a range is drawn; where no history is kept nothing is learned.
export function learnBegin(now) {
  const { from, to, follows } = bounds(route.state, now);
  const known = answers.get(to - from);
  if (!follows || known?.since === OLDER) return null;
  if (known && now - known.at < AGAIN_MS) return known.pending;
  const fresh = { at: now, since: known?.since ?? null };
  answers.set(to - from, fresh);
  fresh.pending = ask(Math.floor(from), Math.ceil(to)).then((since) => { fresh.since = since; }, () => {});
  return fresh.pending;
}

// The range as it is drawn. `since`: when counting began, where that is why it is shorter.
export function drawnBounds(now) {
  const asked = bounds(route.state, now);
  const since = asked.follows ? answers.get(asked.to - asked.from)?.since ?? OLDER : OLDER;
  return since <= asked.from ? { ...asked, since: null } : { ...asked, from: Math.min(since, asked.to - LEAST_MS), since };
}
