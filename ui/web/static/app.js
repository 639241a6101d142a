// The page: the line at its top, the way between views, and the view that is looked at.
import { cut, el, id, list, setAttribute, setText, shown } from "./core/dom.js";
import { closeEvidence, showEvidence } from "./core/evidence.js";
import { jobs } from "./core/jobs.js";
import { key } from "./core/keys.js";
import { live, onLive, pause, start } from "./core/live.js";
import { change, go, onRoute, route, viewLink } from "./core/route.js";
import { keep, kept, nextTheme, onTheme, theme } from "./core/theme.js";
import { said, time } from "./core/time.js";
import { drawRange, makeRange } from "./core/range.js";
import { configured } from "./views/own.js";
import { VIEWS, viewOf } from "./views/table.js";

let current = null;

// ---- the line at the top ----

function head({ view }) {
  const { headline } = view;
  setText(id("service"), headline.service);
  setText(id("clock"), said(headline.clock, view.time, true));
  setAttribute(id("clock"), "title", view.time);
  setText(id("split"), headline.split);
  setText(id("source"), `${headline.broker || headline.source} · up ${headline.uptime}`);
  id("source").classList.toggle("sev-ticket", headline.broker_lost);
  const counts = [["▲", headline.pages, headline.n_pages, "page"], ["◆", headline.tickets, headline.n_tickets, "ticket"]];
  list(id("counts"), counts, () => el("span"), (node, [mark, words, n, state]) => {
    setText(node, n ? `${mark} ${words}` : words);
    node.className = n ? `sev-${state}` : "sev-ok";
  });
  const urgent = headline.n_pages ? `▲${headline.n_pages} ` : headline.n_tickets ? `◆${headline.n_tickets} ` : "";
  const title = current.row.id === "now" ? "" : `${current.row.title} · `;
  document.title = shown(`${urgent}${title}${headline.service} · binnacle`);
}

// What is heard when the link changes: once, and not again at every second that it lasts.
const HEARD = { stale: "Stale: no new picture comes.", lost: "Disconnected: this picture is old. Trying again.", loading: "No picture yet. Trying." };

function drawLink() {
  setAttribute(document.documentElement, "data-link", live.link);
  setAttribute(document.documentElement, "data-service", live.picture?.view.headline.clock_state ?? "nodata");
  setText(id("link-word"), live.word);
  setText(id("link-count"), live.paused && live.missed ? `, ${live.missed} waiting` : "");
  setText(id("heard"), live.banner ? HEARD[live.link] ?? "" : "");
  id("banner").hidden = !live.banner;
  if (live.banner) setText(id("banner"), live.banner);
}

// ---- the views ----

function nav() {
  const links = VIEWS.filter((view) => !view.hidden).map((view) => el("li", {}, el("a", { href: viewLink(view.id), "data-view": view.id }, view.title)));
  id("nav").append(el("ul", {}, links), makeRange());
}

// Which of the configured views of one's own is looked at; "" for all else.
const ownName = () => (current.row.id === "own" && configured(live.picture).some((one) => one.name === route.state.filters.name) ? route.state.filters.name : "");

// The views of one's own stand behind the others, once the first picture names them.
function ownNav(picture) {
  const place = id("nav").querySelector("ul");
  const named = configured(picture).map((one) => one.name).join();
  if (place.dataset.own === named) return;
  place.dataset.own = named;
  place.querySelectorAll("[data-own]").forEach((node) => node.parentElement.remove());
  place.querySelector('[data-view="own"]').parentElement.after(...configured(picture).map((one) => el("li", {}, el("a", { "data-view": "own", "data-own": one.name, href: viewLink("own", { name: one.name }) }, cut(one.title, 40)))));
  drawNav();
}

// Where there is no room for all views, the one that is looked at is in sight.
function showCurrent() {
  const place = id("nav").querySelector("ul"), link = place.querySelector("[aria-current]");
  if (link) place.scrollLeft = link.offsetLeft - place.offsetLeft - (place.clientWidth - link.offsetWidth) / 2;
}

function drawNav() {
  for (const node of id("nav").querySelectorAll("a[data-view]")) {
    const name = node.dataset.own ?? "";
    setAttribute(node, "href", viewLink(node.dataset.view, name ? { name } : {}));
    if (node.dataset.view === current.row.id && name === ownName()) node.setAttribute("aria-current", "page");
    else node.removeAttribute("aria-current");
  }
  showCurrent();
  drawRange(current.row.ranged);
}

function show() {
  const row = viewOf(route.state.view);
  current?.work.end();
  current?.view.close?.();
  const root = id("main");
  root.replaceChildren();
  root.className = `view-${row.id}`;
  root.setAttribute("aria-label", row.title);
  const work = jobs();
  current = { row, work, view: null, waiting: [] };
  // What is asked for depends on the live picture: its time, its features, its objectives.
  const start = (run) => { if (live.picture) run(); else current.waiting.push(run); };
  if (row.id !== "now") root.append(el("h2", { class: "hidden" }, row.title));
  current.view = row.module.open(root, { jobs: work, picture: () => live.picture, start });
  drawNav();
  if (live.picture) draw();
}

function draw() {
  head(live.picture);
  ownNav(live.picture);
  current.waiting.splice(0).forEach((run) => run());
  current.view.draw?.(live.picture);
  drawRange(current.row.ranged);
  showEvidence();
}

onRoute((state, before) => {
  if (state.view !== before.view) {
    show();
    scrollTo(0, 0);
  } else {
    drawNav();
    current.view.route?.(state, before);
    if (live.picture) current.view.draw?.(live.picture);
  }
  showEvidence();
});

// ---- what a person chooses ----

function showTime(local) {
  time.local = local;
  setAttribute(id("clock"), "aria-description", local ? "Time, shown locally. Press for UTC." : "Time, shown in UTC. Press for local time.");
  setAttribute(id("clock"), "aria-pressed", String(local));
  if (current && live.picture) draw();
}

function toggleTime() {
  showTime(!time.local);
  keep("time", time.local ? "local" : "utc");
}

function showTheme(choice) {
  setText(id("theme"), choice);
  setAttribute(id("theme"), "aria-label", `Colours: ${choice}. Press for another.`);
}

function find() {
  if (route.state.view !== "decisions" || route.state.open) go(viewLink("decisions"));
  id("find")?.focus();
}

for (const view of VIEWS.filter((row) => !row.hidden)) key(`g ${view.key}`, view.title, () => go(viewLink(view.id)), "go to");
key("?", "this help", () => go(viewLink("help")));
key("/", "find a decision", find);
key("Escape", "close what is open", () => {
  if (closeEvidence()) return true;
  if (route.state.open) { change({ open: "" }); return true; }
  document.activeElement?.blur?.();
  return false;
});
key("Z", "hold the picture, and go on", () => pause(!live.paused));
key("u", "UTC or local time", toggleTime);
key("T", "dark, light, as the system", nextTheme);
key("ArrowLeft", "the crosshair to the left, on a chart", () => false, "on a chart");
key("ArrowRight", "and to the right", () => false, "on a chart");
key("Home", "its beginning", () => false, "on a chart");
key("End", "its end", () => false, "on a chart");

id("clock").addEventListener("click", toggleTime);
id("theme").addEventListener("click", nextTheme);
id("help").addEventListener("click", () => go(viewLink("help")));
id("find-open").addEventListener("click", find);
onTheme(showTheme);
showTheme(theme.choice);
showTime(kept("time", "utc") === "local");
nav();
show();
onLive((_, fresh) => {
  drawLink();
  if (fresh) draw();
});
drawLink();
start();
