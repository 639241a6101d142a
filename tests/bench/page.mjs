#!/usr/bin/env node
// The page in Chromium against the clock: when it can be used, whether it ever holds a frame up, what it
// takes of memory over many pictures, what a page that nobody sees costs. Prints one JSON object.
//
// usage: page.mjs LIVE_URL FAST_URL STARTS VIEW_S MEMORY_S
//   LIVE_URL  a service with history, a picture a second: every view is looked at for VIEW_S
//   FAST_URL  pictures as fast as they come, for the memory over MEMORY_S
import { launch } from "../web/lib/browser.mjs";

const [live, fast] = process.argv.slice(2, 4);
const [starts, viewS, memoryS] = process.argv.slice(4).map(Number);
const VIEWS = ["now", "slo", "traffic", "drift", "quality", "decisions", "logs", "settings"];
const browser = await launch();
const wait = (s) => new Promise((resolve) => setTimeout(resolve, s * 1000));

// When the first picture is drawn, and every task that took the main thread for longer than a frame of
// 50 ms may.
function watch() {
  window.watched = { usable: null, tasks: [] };
  new PerformanceObserver((list) => watched.tasks.push(...list.getEntries().map((one) => [one.startTime, one.duration]))).observe({ type: "longtask", buffered: true });
  const look = () => {
    if (document.documentElement?.dataset.link === "live" && document.querySelector("#main .panel")) watched.usable ??= performance.now();
    else requestAnimationFrame(look);
  };
  look();
}

async function open(url, script = watch) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  await page.addInitScript(script);
  const session = await context.newCDPSession(page);
  await session.send("Performance.enable");
  await page.goto(url);
  // Not waitForFunction: it evaluates a string, which the page's rules forbid.
  const end = Date.now() + 60000;
  while (Date.now() < end && (await page.evaluate(() => watched.usable)) === null) await wait(0.02);
  return { context, page, session };
}

const metrics = async (session) => Object.fromEntries((await session.send("Performance.getMetrics")).metrics.map(({ name, value }) => [name, value]));

async function interactive() {
  const found = [];
  for (let i = 0; i < starts; i++) {
    const { context, page } = await open(live);
    found.push(await page.evaluate(() => watched.usable));
    await context.close();
  }
  return found;
}

// The longest task of each view while it is live, once it stands; ms, 0: none over 50.
async function frames() {
  const found = {};
  for (const view of VIEWS) {
    const { context, page, session } = await open(`${live}/?view=${view}&range=6h`);
    await wait(2);
    const from = await page.evaluate(() => performance.now());
    const before = await metrics(session);
    await wait(viewS);
    const after = await metrics(session);
    const tasks = await page.evaluate((at) => watched.tasks.filter(([start]) => start >= at).map(([, ms]) => ms), from);
    found[view] = { longest_ms: Math.max(0, ...tasks), busy_ms_per_s: (after.TaskDuration - before.TaskDuration) * 1000 / viewS };
    await context.close();
  }
  return found;
}

// Memory, nodes and listeners after a collection, six times.
async function memory() {
  const { context, session } = await open(fast);
  const found = [];
  for (let i = 0; i < 6; i++) {
    await wait(memoryS / 6);
    await session.send("HeapProfiler.collectGarbage");
    const now = await metrics(session);
    found.push({ heap: now.JSHeapUsedSize, nodes: now.Nodes, listeners: now.JSEventListeners });
  }
  await context.close();
  return found;
}

// What a page takes of a processor once it is out of sight, and what it still asks for.
async function hidden() {
  const { context, page, session } = await open(`${live}/?view=slo`);
  let asked = 0;
  await page.evaluate(() => { Object.defineProperty(document, "hidden", { value: true, configurable: true }); document.dispatchEvent(new Event("visibilitychange")); });
  await wait(4);
  page.on("request", () => { asked++; });
  page.on("websocket", () => { asked++; });
  const before = await metrics(session);
  await wait(Math.max(3, viewS));
  const after = await metrics(session);
  await context.close();
  return { busy_ms_per_s: (after.TaskDuration - before.TaskDuration) * 1000 / Math.max(3, viewS), requests: asked };
}

console.log(JSON.stringify({ interactive_ms: await interactive(), frames: await frames(), memory: await memory(), hidden: await hidden() }));
await browser.close();
