// Keeps the picture alive: a WebSocket that comes back by itself, plain requests where no WebSocket
// is to be had, and an honest word about how old the picture is.
import { id, setAttribute, setText } from "./dom.js";
import { draw, time } from "./panels.js";

const STALE_MS = 3500;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10000;
const POLL_MS = 2000;

const state = { view: null, seen: 0, started: Date.now(), open: false, wait: FIRST_WAIT_MS, polling: null };

function age() {
  return Math.round((Date.now() - state.seen) / 1000);
}

function tell(link, word, banner) {
  setAttribute(document.documentElement, "data-link", link);
  setText(id("link-word"), word);
  const box = id("banner");
  box.hidden = !banner;
  if (banner) setText(box, banner);
}

// Five different pictures: live, polled, stale, lost, and nothing yet.
function judge() {
  if (!state.view) {
    const late = Date.now() - state.started > 2000;
    tell("loading", state.open ? "waiting" : "connecting",
      !late ? "" : state.open ? "Connected. The first picture comes with the first second of work." : "No answer yet. Trying again.");
  } else if (!state.open && !state.polling) {
    tell("lost", "disconnected", `Disconnected: this picture is ${age()} s old. Trying again.`);
  } else if (Date.now() - state.seen > STALE_MS) {
    tell("stale", "stale", `No new picture for ${age()} s. The service answers, but its clock stands still.`);
  } else {
    tell("live", state.polling ? `${state.view.headline.clock_word}, by polling` : state.view.headline.clock_word, "");
  }
}

function take(text) {
  const snapshot = JSON.parse(text);
  if (!snapshot.view) return;
  if (state.view?.seq !== snapshot.seq || state.view?.time !== snapshot.view.time) state.seen = Date.now();
  state.view = snapshot.view;
  draw(state.view);
  judge();
}

async function poll() {
  try {
    const response = await fetch("/api/v1/snapshot", { cache: "no-store" });
    if (!response.ok) throw new Error(String(response.status));
    take(await response.text());
  } catch {
    stopPolling();
  }
}

function stopPolling() {
  clearInterval(state.polling);
  state.polling = null;
  judge();
}

// The service lives but takes no more WebSockets: ask for the picture instead.
async function fallBack() {
  if (state.polling || state.open) return;
  try {
    const response = await fetch("/api/v1/snapshot", { cache: "no-store" });
    if (state.open || !response.ok) return;
    state.polling ??= setInterval(poll, POLL_MS);
    take(await response.text());
  } catch {
    judge();
  }
}

function connect() {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(`${scheme}//${location.host}/live`);
  socket.onopen = () => {
    state.open = true;
    state.wait = FIRST_WAIT_MS;
    stopPolling();
  };
  socket.onmessage = (event) => take(event.data);
  socket.onclose = () => {
    state.open = false;
    judge();
    fallBack();
    // Not all pages at once after a restart.
    setTimeout(connect, state.wait * (0.75 + Math.random() / 2));
    state.wait = Math.min(LONGEST_WAIT_MS, state.wait * 2);
  };
}

function remember(local) {
  try { localStorage.setItem("time", local ? "local" : "utc"); } catch { /* private mode: not kept */ }
}

function showTime(local) {
  time.local = local;
  setAttribute(id("clock"), "aria-label", local ? "Time, shown locally. Press for UTC." : "Time, shown in UTC. Press for local time.");
  setAttribute(id("clock"), "aria-pressed", String(local));
  if (state.view) draw(state.view);
}

id("clock").addEventListener("click", () => {
  showTime(!time.local);
  remember(time.local);
});
try { showTime(localStorage.getItem("time") === "local"); } catch { showTime(false); }
setInterval(judge, 500);
connect();
