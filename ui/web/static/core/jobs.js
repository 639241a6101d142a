// Work that belongs to a view: what it asked for and what repeats ends with it, and nothing repeats
// while nobody looks or while the picture is held.
import { live } from "./live.js";

export function jobs() {
  const controller = new AbortController();
  const timers = [];
  const cleanups = [];
  return {
    signal: controller.signal,
    every(ms, run) {
      timers.push(setInterval(() => { if (!document.hidden && !live.paused) run(); }, ms));
    },
    cleanup(run) { cleanups.push(run); },
    end() {
      controller.abort();
      timers.forEach(clearInterval);
      cleanups.forEach((run) => run());
    },
    get ended() { return controller.signal.aborted; },
  };
}
