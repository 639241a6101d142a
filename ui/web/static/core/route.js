// What is looked at, as the address says it: the view, the range, what is opened, the filters. Every
// picture can be linked, and back goes back.

const OWN = ["view", "range", "from", "to", "compare", "open"];
const listeners = new Set();

function read() {
  const address = new URLSearchParams(location.search);
  const state = { view: "now", range: "1h", filters: {} };
  for (const [name, value] of address) {
    if (OWN.includes(name)) state[name] = value;
    else state.filters[name] = value;
  }
  return state;
}

export const route = { state: read() };

function address(state) {
  const parameters = new URLSearchParams();
  for (const name of OWN) {
    if (state[name] && !(name === "view" && state.view === "now") && !(name === "range" && state.range === "1h")) parameters.set(name, state[name]);
  }
  for (const [name, value] of Object.entries(state.filters)) {
    if (value !== "" && value !== null && value !== undefined) parameters.set(name, value);
  }
  const text = parameters.toString();
  return text ? `/?${text}` : "/";
}

// The address of this state with some of it changed.
export const link = (change) => address({ ...route.state, ...change });
// A view from its beginning: the range is kept, what was opened and filtered is not.
export const viewLink = (view, filters = {}, open = "") => address({ ...route.state, view, open, filters });

export function onRoute(listener) {
  listeners.add(listener);
}

function tell(before) {
  for (const listener of listeners) listener(route.state, before);
}

export function go(target, { replace = false } = {}) {
  const before = route.state;
  if (target === location.pathname + location.search) return;
  history[replace ? "replaceState" : "pushState"](null, "", target);
  route.state = read();
  tell(before);
}

export const change = (part, options) => go(link(part), options);

addEventListener("popstate", () => {
  const before = route.state;
  route.state = read();
  tell(before);
});

// Links of the page stay in the page; with a modifier they are the browser's.
document.addEventListener("click", (event) => {
  const target = event.target.closest?.("a[href^='/?'], a[href='/']");
  if (!target || event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  go(target.getAttribute("href"));
});
