// Keeps the picture alive: a WebSocket that comes back by itself, plain requests where no WebSocket
// is to be had, and an honest word about how old the picture is. A page that nobody sees closes its
// socket and costs nothing.
import { apply } from "./patch.js";

const STALE_MS = 3500;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10000;
const POLL_MS = 2000;
const HIDDEN_MS = 2000;

const listeners = new Set();
export const live = { picture: null, link: "loading", word: "connecting", banner: "", paused: false, missed: 0 };
const state = { seen: 0, started: Date.now(), open: false, wait: FIRST_WAIT_MS, polling: null, socket: null, retry: null, judging: null, hiding: null };

export function onLive(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
const tell = (fresh) => listeners.forEach((listener) => listener(live, fresh));

const age = () => Math.round((Date.now() - state.seen) / 1000);

// What the service says of itself, where that is worse than a link could be.
const stopped = () => (live.picture?.view?.headline.clock_state === "page" ? live.picture.view.headline.clock_word : "");

function set(link, wordOfLink, banner) {
  const word = wordOfLink.startsWith(stopped()) ? wordOfLink : `${wordOfLink}, ${stopped()}`;
  if (live.link === link && live.word === word && live.banner === banner) return;
  Object.assign(live, { link, word, banner });
  tell(false);
}

// Five different pictures: live, polled, stale, lost, and nothing yet.
function judge() {
  if (!live.picture) {
    const late = Date.now() - state.started > 2000;
    set("loading", state.open ? "waiting" : "connecting",
      !late ? "" : state.open ? "Connected. The first picture comes with the first second of work." : "No answer yet. Trying again.");
  } else if (!state.open && !state.polling) {
    set("lost", "disconnected", `Disconnected: this picture is ${age()} s old. Trying again.`);
  } else if (Date.now() - state.seen > STALE_MS) {
    set("stale", "stale", `Stale. No new picture for ${age()} s: the service answers, but its clock stands still.`);
  } else if (live.paused) {
    set("paused", "paused", "");
  } else {
    const word = live.picture.view?.headline.clock_word ?? "live";
    set("live", state.polling ? `${word}, by polling` : word, "");
  }
}

function take(picture) {
  if (!picture.view) return;
  if (live.picture?.seq !== picture.seq || live.picture?.time !== picture.time) state.seen = Date.now();
  live.picture = picture;
  if (live.paused) live.missed++;
  tell(!live.paused);
  judge();
}

// A full picture, or what changed since `base`; what does not fit the picture that is held is asked
// for whole.
function hear(text) {
  const message = JSON.parse(text);
  if (!message.delta) { take(message); return; }
  if (!live.picture || live.picture.seq !== message.base) {
    state.socket?.send(JSON.stringify({ want: "full" }));
    return;
  }
  try {
    apply(live.picture, message.delta);
  } catch {
    live.picture.seq = -1;
    state.socket?.send(JSON.stringify({ want: "full" }));
    return;
  }
  state.seen = Date.now();
  take(live.picture);
}

async function poll() {
  try {
    const response = await fetch("/api/v1/snapshot");
    if (!response.ok) throw new Error(String(response.status));
    take(await response.json());
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
    const response = await fetch("/api/v1/snapshot");
    if (state.open || document.hidden || !response.ok) return;
    state.polling ??= setInterval(poll, POLL_MS);
    take(await response.json());
  } catch {
    judge();
  }
}

function connect() {
  if (document.hidden || state.socket) return;
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(`${scheme}//${location.host}/live`);
  state.socket = socket;
  socket.onopen = () => {
    state.open = true;
    state.wait = FIRST_WAIT_MS;
    stopPolling();
  };
  socket.onmessage = (event) => hear(event.data);
  socket.onclose = () => {
    if (state.socket !== socket) return;
    state.socket = null;
    state.open = false;
    if (document.hidden) return;
    judge();
    fallBack();
    // Not all pages at once after a restart.
    state.retry = setTimeout(connect, state.wait * (0.75 + Math.random() / 2));
    state.wait = Math.min(LONGEST_WAIT_MS, state.wait * 2);
  };
}

function sleep() {
  clearTimeout(state.retry);
  clearInterval(state.judging);
  stopPolling();
  const socket = state.socket;
  state.socket = null;
  state.open = false;
  socket?.close();
}

function wake() {
  clearTimeout(state.hiding);
  state.wait = FIRST_WAIT_MS;
  clearInterval(state.judging);
  state.judging = setInterval(judge, 500);
  connect();
}

export function pause(paused) {
  live.paused = paused;
  if (!paused) {
    live.missed = 0;
    if (live.picture) tell(true);
  }
  judge();
}

export function start() {
  document.addEventListener("visibilitychange", () => {
    clearTimeout(state.hiding);
    if (document.hidden) state.hiding = setTimeout(sleep, HIDDEN_MS);
    else wake();
  });
  wake();
}
