// Making and changing elements. Text always goes in as text: nothing that comes from an event, a
// model or a configuration is ever parsed as HTML.

const SVG = "http://www.w3.org/2000/svg";

// Controls, marks that turn the direction of what follows, and line ends that are no newline: what
// utf8_unsafe() of engine/base/utf8.h names, but for tabs and newlines, which are spaces here.
const UNSAFE = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069]/g;
const code = (mark) => `‹${mark.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}›`;

// Text as it is put on the page: no mark in it can make the rest read otherwise, and a figure does
// not break at its thousands, nor before its unit.
export const shown = (text) => (typeof text === "string" ? text.replaceAll("\u2009", "\u202F").replace(UNSAFE, code) : text);

// Attributes that people read or hear.
const READ = new Set(["title", "aria-label", "aria-description", "placeholder"]);
const worded = (name, value) => (READ.has(name) ? shown(value) : value);

// A child that is null or false is left out; `on` holds listeners, for inline ones are not allowed.
function fill(node, { on = {}, ...attributes }, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) node.setAttribute(name, "");
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, worded(name, value));
  }
  for (const [name, listener] of Object.entries(on)) node.addEventListener(name, listener);
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false).map(shown));
  return node;
}

export const el = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);
export const svg = (tag, attributes = {}, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);

// Writes only what changed, so that selections, focus and screen readers are left in peace.
export function setText(node, text) {
  const wanted = shown(text);
  if (node.textContent !== wanted) node.textContent = wanted;
}

export function setAttribute(node, name, value) {
  const wanted = worded(name, value);
  if (node.getAttribute(name) !== wanted) node.setAttribute(name, wanted);
}

export function setClass(node, name) {
  if (node.className !== name) node.className = name;
}

// Keeps parent's children in step with items: made once, changed in place, dropped at the end.
export function list(parent, items, make, change) {
  while (parent.children.length > items.length) parent.lastElementChild.remove();
  items.forEach((item, index) => {
    if (!parent.children[index]) parent.append(make(item, index));
    change(parent.children[index], item, index);
  });
}

export const id = (name) => document.getElementById(name);

export const button = (text, run, attributes = {}) => el("button", { type: "button", on: { click: run }, ...attributes }, text);

// Cuts what is longer than a screen could show; the whole text stays where it came from.
export const cut = (text, most = 400) => (text.length > most ? `${text.slice(0, most)}…` : text);
