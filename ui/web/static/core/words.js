// Numbers as text where the server sent none: thin-space thousands, units always, no more digits
// than mean something. null is "no data", never 0.

const NO_DATA = "no data";
export const isNoData = (text) => text === NO_DATA || text === "too few";

function thousands(plain) {
  const text = plain.replace("-", "\u2212");
  const [whole, rest] = text.split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+(?!\d))/g, "\u2009");
  return rest === undefined ? grouped : `${grouped}.${rest}`;
}

// Three digits that mean something.
function digits(value) {
  const size = Math.abs(value);
  if (size >= 100 || size === 0 || Number.isInteger(value)) return thousands(value.toFixed(0));
  if (size < 0.0001) return value.toExponential(1).replace(/-/g, "\u2212");
  return thousands(value.toFixed(size >= 10 ? 1 : size >= 1 ? 2 : size < 0.01 ? 4 : 3));
}

export const count = (n) => (n === null || n === undefined ? NO_DATA : thousands(String(Math.round(n))));
export const number = (value) => (value === null || value === undefined || Number.isNaN(value) ? NO_DATA : digits(value));

function latency(us) {
  if (us < 1000) return `${digits(us)} µs`;
  if (us < 1e6) return `${digits(us / 1e3)} ms`;
  return `${digits(us / 1e6)} s`;
}

function bytes(n) {
  const step = [["GB", 1e9], ["MB", 1e6], ["kB", 1e3]].find(([, size]) => n >= size);
  return step ? `${digits(n / step[1])} ${step[0]}` : `${n} B`;
}

function duration(seconds) {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  const days = Math.floor(hours / 24);
  return hours % 24 ? `${days} d ${hours % 24} h` : `${days} d`;
}

const UNITS = {
  us: latency,
  ms: (value) => latency(value * 1000),
  s: (value) => (value !== 0 && value < 1 ? latency(value * 1e6) : duration(value)),
  ratio: (value) => `${digits(value * 100)} %`,
  share: (value) => `${digits(value * 100)} %`,
  percent: (value) => `${digits(value)} %`,
  bytes,
  decisions: (value) => thousands(String(Math.round(value))),
  labels: (value) => thousands(String(Math.round(value))),
  psi: digits, score: digits, value: digits, distance: digits, statistic: digits,
  "×": (value) => `${digits(value)}×`,
  per_s: (value) => `${digits(value)}/s`,
  "1/s": (value) => `${digits(value)}/s`,
  "events/s": (value) => `${digits(value)}/s`,
  count: (value) => thousands(String(Math.round(value))),
  events: (value) => thousands(String(Math.round(value))),
};

// For axes: no zeros that say nothing.
export const tick = (value, unit) => quantity(value, unit).replace(/(\.\d*?)0+(?=\D|$)/, "$1").replace(/\.(?=\D|$)/, "");

// A value with its unit; units that are not known stand behind the number as they came.
export function quantity(value, unit = "") {
  if (value === null || value === undefined || Number.isNaN(value)) return NO_DATA;
  if (UNITS[unit]) return UNITS[unit](value);
  return unit && unit !== "1" ? `${digits(value)} ${unit}` : digits(value);
}
