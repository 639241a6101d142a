// Making and changing elements. Text always goes in as text: nothing that comes from an event, a
// model or a configuration is ever parsed as HTML.

const SVG = "http://www.w3.org/2000/svg";

// A figure does not break at its thousands, nor before its unit.
const whole = (text) => (typeof text === "string" ? text.replaceAll("\u2009", "\u202F") : text);

// A child that is null or false is left out; `on` holds listeners, for inline ones are not allowed.
function fill(node, { on = {}, ...attributes }, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) node.setAttribute(name, "");
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value);
  }
  for (const [name, listener] of Object.entries(on)) node.addEventListener(name, listener);
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false).map(whole));
  return node;
}

export const el = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);
export const svg = (tag, attributes = {}, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);

// Writes only what changed, so that selections, focus and screen readers are left in peace.
export function setText(node, text) {
  const wanted = whole(text);
  if (node.textContent !== wanted) node.textContent = wanted;
}

export function setAttribute(node, name, value) {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value);
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
