// The keyboard, as a table: what a key does stands beside it, and help is drawn from the same rows.
// "g n" is g, then n within two seconds.

const rows = [];
let first = "";
let firstAt = 0;

export function key(keys, what, run, group = "everywhere") {
  rows.push({ keys, what, run, group });
}
export const keyRows = () => rows.filter((row) => row.what);

const isTyping = (target) => target.closest?.("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]");

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (isTyping(event.target) && event.key !== "Escape") return;
  if (document.querySelector("dialog[open]")) return; // it has keys of its own
  const pair = Date.now() - firstAt < 2000 ? `${first} ${event.key}` : "";
  const row = rows.find((item) => item.keys === pair) ?? rows.find((item) => item.keys === event.key);
  first = event.key;
  firstAt = Date.now();
  if (!row || row.run(event) === false) return;
  event.preventDefault();
  first = "";
});
