// Dark or light as the system says, until a person says otherwise; and whose clock is shown.
import { setAttribute } from "./dom.js";

const NEXT = { system: "dark", dark: "light", light: "system" };
const listeners = new Set();

export function kept(name, fallback) {
  try { return localStorage.getItem(name) ?? fallback; } catch { return fallback; }
}
export function keep(name, value) {
  try { localStorage.setItem(name, value); } catch { /* private mode: not kept */ }
}

export const theme = { choice: kept("theme", "system") };
export function onTheme(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function show() {
  if (theme.choice === "system") document.documentElement.removeAttribute("data-theme");
  else setAttribute(document.documentElement, "data-theme", theme.choice);
  colours.clear();
  listeners.forEach((listener) => listener(theme.choice));
}

export function nextTheme() {
  theme.choice = NEXT[theme.choice] ?? "dark";
  keep("theme", theme.choice);
  show();
}

// A colour of the style sheet, for what is drawn on a canvas.
const colours = new Map();
export function colour(name) {
  if (!colours.has(name)) colours.set(name, getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim());
  return colours.get(name);
}

for (const media of ["(prefers-color-scheme: dark)", "print"]) matchMedia(media).addEventListener("change", show);
show();
