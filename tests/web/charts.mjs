#!/usr/bin/env node
// Charts in Chromium: what they make of a young service, of an answer that fails once, of a point that
// stands alone; dragged over, walked through by keyboard, read as a table while they change.
import { launch, open, server } from "./lib/browser.mjs";
import { check, finish, test as one, until } from "./lib/tap.mjs";

const FAKE = process.env.WEB_FAKE_SERVER ?? "build/dev/web/web_fake_server";
const MINUTE = 60000;

const fake = server(FAKE, ["127.0.0.1:0"], /listening (\d+)/);
const url = `http://127.0.0.1:${await fake.ready}`;
fake.say("scene burning");
const browser = await launch();

const test = (behaviour, run) => one(behaviour, async () => {
  try { await run(); } finally { for (const context of browser.contexts()) await context.close(); }
});
const label = (page, panel) => page.locator(`${panel} [aria-roledescription=chart]`).getAttribute("aria-label");
// Ready to be looked at with the answers of `routes`: [pattern, (query) => what is fulfilled]; `first` runs before the page.
async function look(view, routes = [], first = () => {}) {
  const page = await open(browser, `${url}/?view=${view}`, { width: 1280, height: 900, go: false });
  await page.addInitScript(first);
  for (const [pattern, give] of routes) await page.route(pattern, (route) => { const answer = give(new URL(route.request().url()).searchParams); return answer ? route.fulfill(answer) : route.fallback(); });
  await page.goto(`${url}/?view=${view}`);
  await page.locator('html[data-link="live"]').waitFor({ state: "attached" });
  return page;
}

// Recorded series of which nothing is known before `since`.
const recorded = (since, value = () => 0.5) => (query) => {
  const [from, to, step] = ["from", "to", "step"].map((name) => Number(query.get(name)));
  const n = Math.ceil((to - from) / (step * 1000));
  return { json: { from: "", to: "", step_s: step, series: query.get("series").split(",").map((name) => ({ name, unit: "", labels: {},
    points: Array.from({ length: n }, (_, i) => from + i * step * 1000).map((at) => [at, at < since ? null : value(at)]) })) } };
};

await test("a young service is drawn from its beginning on, and says so", async () => {
  const since = Math.floor(Date.now() / MINUTE - 11) * MINUTE;
  const page = await look("slo", [[/api\/v1\/history\?/, recorded(since)]]);
  await until("the beginning", async () => /since [\d -]*\d\d:\d\dZ, nothing is known before/.test(await page.locator(".range-words").innerText()));
  const begins = new Date(since).toISOString().slice(0, 19).replace("T", " ");
  await until("the axis", async () => (await label(page, "#panel-rate-line"))?.includes(`${begins}Z to`));
  check((await page.locator(".timeline-axis span").first().innerText()).endsWith(`${begins.slice(11, 16)}Z`), "the changes have another axis");
});

await test("an axis of two minutes names hours, minutes and seconds", async () => {
  const since = Date.now() - 2 * MINUTE;
  const page = await look("slo", [[/api\/v1\/history\?/, recorded(since)]], () => {
    const draw = CanvasRenderingContext2D.prototype.fillText;
    window.drawn = new Set();
    CanvasRenderingContext2D.prototype.fillText = function (text, ...rest) { window.drawn.add(text); return draw.call(this, text, ...rest); };
  });
  let clocks = [];
  await until("the axis", async () => (clocks = (await page.evaluate(() => [...window.drawn])).filter((text) => text.endsWith("Z"))).length > 3);
  check(clocks.every((text) => /^\d\d:\d\d:\d\dZ$/.test(text)), clocks);
});

await test("a gap before the last minutes of an older service stays in the picture", async () => {
  const since = Date.now() - 11 * MINUTE;
  const page = await look("slo", [[/api\/v1\/history\?/, (query) => {
    const long = Number(query.get("to")) - Number(query.get("from")) > 24 * 60 * MINUTE;
    return recorded(long ? 0 : since)(query);
  }]]);
  await until("a chart", async () => /to/.test((await label(page, "#panel-rate-line")) ?? ""));
  const [from, to] = (await label(page, "#panel-rate-line")).match(/\d{4}-[\d-]+ [\d:]+Z/g).map((at) => Date.parse(at.replace(" ", "T")));
  check(Math.abs(to - from - 60 * MINUTE) < 2000, `${(to - from) / MINUTE} minutes are drawn`);
  check((await page.locator(".range-words").innerText()) === "", "it says that it is young");
});

await test("a heat map whose question failed once is there again at the next", async () => {
  let refusals = 0;
  const page = await look("slo", [[/api\/v1\/heatmap/, () => (refusals++ === 0 ? { status: 503, contentType: "application/problem+json", body: '{"status":503,"title":"Overloaded"}' } : null)]]);
  const panel = page.locator("#panel-latency-heat");
  await until("busy", async () => /Busy/.test(await panel.innerText()));
  await panel.getByRole("button", { name: "Try again" }).click();
  await until("the map", async () => panel.locator("canvas.heat").isVisible());
  check(/hatched is no data/.test(await panel.innerText()), await panel.innerText());
});

await test("a heat map is zoomed by a drag and walked through by keyboard", async () => {
  const page = await look("slo");
  const map = page.locator("#panel-latency-heat canvas.heat");
  await map.waitFor();
  await until("its label", async () => /rows/.test((await map.getAttribute("aria-label")) ?? ""));
  const note = page.locator("#panel-latency-heat .heat-note");
  await map.focus();
  const said = {};
  for (const key of ["Home", "ArrowRight", "PageDown", "End"]) { await page.keyboard.press(key); said[key] = (await note.innerText()).slice(0, 20); }
  const times = Object.values(said).map((at) => Date.parse(at.replace(" ", "T")));
  check(times.every((at, i) => at > 0 && (i === 0 || at > times[i - 1])), JSON.stringify(said));
  await page.keyboard.press("Escape");
  check(/hatched is no data/.test(await note.innerText()), await note.innerText());
  const box = await map.boundingBox();
  await page.mouse.move(box.x + 60, box.y + 30); await page.mouse.down(); await page.mouse.move(box.x + 160, box.y + 30, { steps: 4 }); await page.mouse.up();
  await until("a range", async () => /from=\d+&to=\d+/.test(page.url()));
  await page.goBack();
  check(!/from=/.test(page.url()), page.url());
});

// How many pixels of a chart have the colour of its first line.
const inked = (page) => page.locator("#panel-rate-line canvas").evaluate((canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let dark = 0;
  for (let i = 0; i < data.length; i += 4) if (data[i + 3] > 200 && data[i] < 60 && data[i + 1] < 60) dark++;
  return dark;
});

await test("a point between gaps is drawn", async () => {
  const third = (at) => Math.floor(at / MINUTE) % 20 === 0 && at % MINUTE === 0;
  const page = await look("slo", [[/api\/v1\/history\?/, recorded(0, (at) => (third(at) ? 5 : null))]]);
  await page.locator("#panel-rate-line canvas").waitFor();
  await until("points", async () => (await inked(page)) > 5);
});

await test("where nothing is known, nothing is drawn, and the chart is hatched", async () => {
  const page = await look("slo", [[/api\/v1\/history\?/, recorded(0, () => null)]]);
  await until("the hatching", async () => (await page.locator("#panel-rate-line .plot.none canvas").count()) === 1);
  check((await inked(page)) === 0, `${await inked(page)} pixels of a line`);
});

await test("a table that is open follows what its chart shows", async () => {
  let level = 1000;
  const page = await look("slo", [[/api\/v1\/history\?/, (query) => recorded(0, () => level)(query)]]);
  const panel = page.locator("#panel-rate-line");
  await until("a line", async () => /1\s?000/.test(await panel.locator(".legend").innerText()));
  await panel.getByRole("button", { name: "as a table" }).click();
  await until("its numbers", async () => /\b1000\b/.test(await panel.locator(".as-table").innerText()));
  level = 2000;
  await page.keyboard.press("Escape");
  await page.locator('[data-range="6h"]').click();
  await until("the new numbers", async () => /\b2000\b/.test(await panel.locator(".as-table").innerText()));
});

await test("a picture that grows old is told once, and its seconds only to who sees them", async () => {
  const page = await look("now");
  fake.say("pause");
  await until("stale", async () => (await page.locator("html").getAttribute("data-link")) === "stale");
  const heard = page.locator("#heard");
  check((await heard.getAttribute("role")) === "alert" && /^Stale/.test(await heard.textContent()), await heard.textContent());
  const told = await page.evaluate(() => { window.changes = 0; new MutationObserver(() => { window.changes++; }).observe(document.getElementById("heard"), { childList: true, characterData: true, subtree: true }); return document.getElementById("banner").innerText; });
  await until("the seconds", async () => (await page.locator("#banner").innerText()) !== told);
  check((await page.evaluate(() => window.changes)) === 0, "it is told again at every second");
  check((await page.locator("#banner").getAttribute("aria-hidden")) === "true", "the seconds are heard");
  fake.say("go");
  await until("live", async () => (await page.locator("html").getAttribute("data-link")) === "live");
  check((await heard.textContent()) === "", await heard.textContent());
});

await test("who changed what and why stands in words, not in letters, at every size", async () => {
  for (const [width, view] of [[400, "now"], [768, "now"], [1280, "now"], [768, "slo"], [1280, "slo"]]) {
    const page = await look(view);
    await page.setViewportSize({ width, height: 900 });
    const why = page.locator(".changes-list li > :last-child", { hasText: "shift-2" });
    await why.waitFor();
    const { width: wide, height } = await why.boundingBox();
    check(wide > 100 && height < 80, `${view}, ${width} px: ${wide} by ${height} px`);
    await page.context().close();
  }
});

await test("a held picture stands still, counts what waits, and goes on", async () => {
  const page = await look("now");
  const clock = page.locator("#clock"), link = page.locator("#link");
  await page.keyboard.press("Z");
  const held = await clock.innerText();
  await until("a count", async () => /paused, [2-9] waiting/.test(await link.innerText()));
  check((await clock.innerText()) === held, "it goes on");
  await page.keyboard.press("Z");
  await until("the clock to go on", async () => (await clock.innerText()) !== held && /^live$/.test((await link.innerText()).trim()));
});

await browser.close();
fake.child.stdin.end();
await fake.ended;
finish();
