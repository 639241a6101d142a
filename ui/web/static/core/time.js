// Moments and ranges. UTC with a "Z" unless the reader asked for the own clock.

export const time = { local: false };

const two = (n) => String(n).padStart(2, "0");

function parts(ms) {
  const date = new Date(ms);
  return time.local
    ? [date.getFullYear(), date.getMonth() + 1, date.getDate(), date.getHours(), date.getMinutes(), date.getSeconds()]
    : [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate(), date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()];
}

const zone = () => (time.local ? "" : "Z");

// "14:03Z", "14:03:22Z"; with its date when that is not `now`'s.
export function moment(ms, { seconds = false, now = Date.now() } = {}) {
  const [year, month, day, hour, minute, second] = parts(ms);
  const today = parts(now);
  const clock = `${two(hour)}:${two(minute)}${seconds ? `:${two(second)}` : ""}${zone()}`;
  if (today[0] === year && today[1] === month && today[2] === day) return clock;
  return `${today[0] === year ? "" : `${year}-`}${two(month)}-${two(day)} ${clock}`;
}

// Moments along an axis: the date where another day begins, for midnight alone, else the clock.
export function along(moments, seconds) {
  const words = moments.map((ms) => moment(ms, { seconds }).split(" "));
  return words.map(([day, clock], i) => {
    if (!clock) return day;
    if (i > 0 && words[i - 1][0] === day) return clock;
    return clock.startsWith("00:00") ? day : `${day} ${clock}`;
  });
}

export function absolute(ms) {
  const [year, month, day, hour, minute, second] = parts(ms);
  return `${year}-${two(month)}-${two(day)} ${two(hour)}:${two(minute)}:${two(second)}${zone()}`;
}

// The server's words, which are UTC, or the same moment on the reader's clock.
export const said = (words, iso, seconds) => (time.local && iso ? moment(Date.parse(iso), { seconds }) : words);

export const RANGES = [["15m", "15 min"], ["1h", "1 hour"], ["6h", "6 hours"], ["1d", "1 day"], ["7d", "7 days"], ["30d", "30 days"]];
const UNITS = { m: 60e3, h: 3600e3, d: 86400e3 };

const length = (word) => {
  const match = /^(\d+)([mhd])$/.exec(word);
  return match ? Number(match[1]) * UNITS[match[2]] : null;
};

// The range of a state as [from, to) in ms; those without an end follow `now`.
export function bounds(state, now) {
  const from = Number(state.from), to = Number(state.to);
  if (state.from && state.to && from < to) return { from, to, follows: false };
  const long = length(state.range ?? "") ?? UNITS.h;
  return { from: now - long, to: now, follows: true };
}

export function rangeWords(state, now) {
  const { from, to, follows } = bounds(state, now);
  if (follows) return `last ${(RANGES.find(([word]) => word === state.range) ?? RANGES[1])[1].replace(/^1 /, "")}`;
  return `${moment(from, { seconds: to - from < 300e3 })} to ${moment(to, { seconds: to - from < 300e3 })}`;
}
