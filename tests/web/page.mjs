#!/usr/bin/env node
// The page in Chromium, in front of made-up pictures: every state, size and colour scheme.
// SHOTS=DIR keeps the screenshots.
import path from "node:path";
import { launch, open, server } from "./lib/browser.mjs";
import { check, finish, test, until } from "./lib/tap.mjs";

const FAKE = process.env.WEB_FAKE_SERVER ?? "build/dev/web/web_fake_server";
const SIZES = [[400, 850], [800, 1000], [1600, 1000], [3840, 2160]];

let fake;
async function start(listen = "127.0.0.1:0", scene = "full") {
  fake = server(FAKE, [listen], /listening (\d+)/);
  fake.port = Number(await fake.ready);
  fake.say(`scene ${scene}`);
  return `http://127.0.0.1:${fake.port}/`;
}
async function stop() {
  fake.child.stdin.end();
  return fake.ended;
}

const text = (page, selector) => page.locator(selector).innerText();
const link = (page) => page.evaluate(() => document.documentElement.dataset.link);
const scene = async (page, name, selector, pattern) => {
  fake.say(`scene ${name}`);
  await until(`${name} to show ${pattern}`, async () => pattern.test(await text(page, selector)));
};

// Pairs of colours of every piece of text that can be seen, with its ground blended from all layers.
function contrasts() {
  const parse = (color) => { const [r, g, b, a = 1] = color.match(/[\d.]+/g).map(Number); return [r, g, b, a]; };
  const over = (top, under) => [0, 1, 2].map((i) => top[i] * top[3] + under[i] * (1 - top[3])).concat(1);
  const light = ([r, g, b]) => [r, g, b].map((v) => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; })
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (node) => {
    const layers = [];
    for (let at = node; at; at = at.parentElement) layers.unshift(parse(getComputedStyle(at).backgroundColor));
    return layers.reduce((under, top) => over(top, under), [255, 255, 255, 1]);
  };
  const poor = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const parent = node.parentElement;
    if (!node.textContent.trim() || !parent.checkVisibility() || parent.closest(".hidden, .skip, noscript, script")) continue;
    const under = ground(parent);
    const pair = [light(over(parse(getComputedStyle(parent).color), under)), light(under)].sort((a, b) => b - a);
    const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
    if (ratio < 4.5) poor.push(`${node.textContent.trim().slice(0, 30)}: ${ratio.toFixed(2)}`);
  }
  return poor;
}

const browser = await launch();
let url = await start();

await test("draws every panel from live pictures, silently, asking nobody else", async () => {
  const page = await open(browser, url);
  for (const [selector, pattern] of [
    ["#service", /fraud-eu/], ["#rate", /\/s$/], ["#latency", /p50[^]*p95[^]*p99|µs/], ["#decisions", /approve[^]*review[^]*decline/],
    ["#arms", /champion[^]*canary[^]*shadow/], ["#objectives", /latency[^]*availability/], ["#scores-box-note", /n \d/],
    ["#score-drift", /PSI \.04 of \.30/], ["#drift", /tx_amount/], ["#recent", /champion/], ["#quarantine", /future/],
    ["#record", /leaves/], ["#attention", /Nothing needs you/]]) {
    const shown = await text(page, selector);
    check(pattern.test(shown), `${selector} shows ${JSON.stringify(shown)}`);
  }
  check((await page.locator("#histogram rect").count()) === 20, "20 bins");
  check((await page.locator(".spark .line").count()) === 2, "two sparklines");
  const before = await text(page, "#clock");
  await until("the clock to move", async () => (await text(page, "#clock")) !== before);
  check(page.messages.length === 0, page.messages.join("; "));
  check(page.foreign.length === 0, page.foreign.join("; "));
  await page.context().close();
});

await test("shows long names of features whole", async () => {
  const page = await open(browser, url, { width: 1280, height: 800 });
  await until("the long name", async () => /within_30_days/.test(await text(page, "#drift")));
  const cut = await page.locator("#drift td.name").evaluateAll((cells) => cells.filter((cell) => cell.scrollWidth > cell.clientWidth).length);
  check(cut === 0, `${cut} names are cut`);
  const hidden = await page.locator("#drift").evaluate((rows) => { const box = rows.closest(".scroll"); return box.scrollWidth - box.clientWidth; });
  check(hidden <= 0, `${hidden} px of the table are beyond its edge`);
  await page.context().close();
});

await test("changes what changed in place and leaves the rest alone", async () => {
  const page = await open(browser, url);
  await page.evaluate(() => { document.querySelector("#arms tr").dataset.kept = "yes"; });
  const clock = await text(page, "#clock");
  await until("the clock to move", async () => (await text(page, "#clock")) !== clock);
  check(await page.evaluate(() => document.querySelector("#arms tr").dataset.kept === "yes"), "the row was made anew");
  await page.context().close();
});

await test("puts what burns first, with cause and action, and says so in the title", async () => {
  const page = await open(browser, url);
  await scene(page, "burning", "#attention", /roll the canary back/);
  const items = await page.locator("#attention .item").evaluateAll((nodes) => nodes.map((node) => node.dataset.state));
  check(items.join() === "page,ticket,ticket", items.join());
  check((await page.title()).startsWith("▲1 "), await page.title());
  check(/▲ 1 page/.test(await text(page, "#counts")), await text(page, "#counts"));
  await scene(page, "full", "#attention", /Nothing needs you/);
  check((await page.title()) === "fraud-eu · binnacle", await page.title());
  await page.context().close();
});

for (const name of ["starting", "empty", "full", "burning", "hostile"]) {
  await test(`fits every size in both colour schemes: ${name}`, async () => {
    fake.say(`scene ${name}`);
    await new Promise((resolve) => setTimeout(resolve, 250));
    for (const [width, height] of SIZES) {
      for (const scheme of ["light", "dark"]) {
        const page = await open(browser, url, { width, height, scheme });
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        check(wide <= 0, `${width} px ${scheme}: ${wide} px too wide`);
        const poor = await page.evaluate(contrasts);
        check(poor.length === 0, `${width} px ${scheme}: contrast under 4.5: ${poor.slice(0, 5).join("; ")}`);
        const shown = await page.evaluate(() => document.body.innerText);
        check(!/NaN|undefined|null|\[object/.test(shown), `${width} px: ${shown.match(/.*(NaN|undefined|null|\[object).*/)?.[0]}`);
        check(page.messages.length === 0, page.messages.join("; "));
        if (process.env.SHOTS) await page.screenshot({ path: path.join(process.env.SHOTS, `${name}-${width}-${scheme}.png`), fullPage: true });
        await page.context().close();
      }
    }
  });
}

await test("fits the wall without scrolling", async () => {
  for (const name of ["full", "burning"]) {
    fake.say(`scene ${name}`);
    const page = await open(browser, url, { width: 3840, height: 2160 });
    await page.waitForTimeout(250);
    const high = await page.evaluate(() => document.documentElement.scrollHeight - innerHeight);
    check(high <= 0, `${name}: ${high} px too high`);
    await page.context().close();
  }
});

await test("shows hostile names as text", async () => {
  const page = await open(browser, url);
  await scene(page, "hostile", "#service", /<img src=x/);
  check((await page.locator("img").count()) === 0, "an image was made");
  check(/<img src=x/.test(await text(page, "#recent")), "the event id is not there");
  check(page.messages.length === 0, page.messages.join("; "));
  await page.context().close();
});

await test("says no data where nothing is known", async () => {
  const page = await open(browser, url);
  await scene(page, "empty", "#latency", /no data/);
  check(/no data[^]*no data/.test(await text(page, "#objectives")), await text(page, "#objectives"));
  check(await page.locator("#recent-empty").isVisible(), "the empty table is not named");
  await page.context().close();
});

await test("is reached by keyboard, and shows times of the reader's clock when asked", async () => {
  fake.say("scene full");
  const page = await open(browser, url);
  await page.keyboard.press("Tab");
  check(await page.evaluate(() => document.activeElement.classList.contains("skip")), "the first stop is the skip link");
  await page.keyboard.press("Tab");
  check(await page.evaluate(() => document.activeElement.getAttribute("href") === "/"), "then the way home");
  await page.keyboard.press("Tab");
  check(await page.evaluate(() => document.activeElement.id === "clock"), "then the clock");
  check(/Z$/.test(await text(page, "#clock")), await text(page, "#clock"));
  await page.keyboard.press("Enter");
  await until("local time", async () => !/Z$/.test(await text(page, "#clock")));
  await page.keyboard.press("Enter");
  await until("UTC", async () => /Z$/.test(await text(page, "#clock")));
  const unnamed = await page.evaluate(() => [...document.querySelectorAll("section, [role=region], svg[role=img], button")]
    .filter((node) => !node.getAttribute("aria-label") && !node.getAttribute("aria-labelledby") && !(node.tagName === "BUTTON" && node.textContent.trim())).length);
  check(unnamed === 0, `${unnamed} parts have no name`);
  await page.context().close();
});

await test("says stale when no new picture comes, and live again after", async () => {
  const page = await open(browser, url);
  fake.say("pause");
  await until("stale", async () => (await link(page)) === "stale");
  check(/No new picture for \d+ s/.test(await text(page, "#banner")), await text(page, "#banner"));
  fake.say("go");
  await until("live", async () => (await link(page)) === "live");
  check(!(await page.locator("#banner").isVisible()), "the banner is still there");
  await page.context().close();
});

await test("tells the worst of link and service by the mark at the top", async () => {
  const page = await open(browser, url);
  const mark = () => page.locator("#link .dot").evaluate((dot) => getComputedStyle(dot).backgroundColor);
  const well = await mark();
  await scene(page, "stopped", "#link-word", /^not deciding$/);
  const [page_, of] = [await mark(), await page.locator("#link-word").evaluate((word) => getComputedStyle(word).color)];
  check(page_ === of && page_ !== well, `the dot is ${page_}, ${well} when all is well, the word ${of}`);
  await page.keyboard.press("Z");
  await until("both", async () => /^paused, not deciding$/.test(await text(page, "#link-word")));
  check((await mark()) === page_, `paused: ${await mark()}`);
  await page.keyboard.press("Z");
  await scene(page, "full", "#link-word", /^live$/);
  check((await mark()) === well, `live again: ${await mark()}`);
  await page.context().close();
});

await test("asks for pictures when no more WebSockets are held", async () => {
  const pages = [];
  for (let i = 0; i < 4; i++) pages.push(await open(browser, url));
  const page = await open(browser, url);
  await until("polling", async () => /by polling/.test(await text(page, "#link-word")));
  const clock = await text(page, "#clock");
  await until("the clock to move", async () => (await text(page, "#clock")) !== clock);
  await pages[0].context().close();
  await until("a WebSocket of its own", async () => /^live$/.test(await text(page, "#link-word")), 20000);
  for (const other of [...pages.slice(1), page]) await other.context().close();
});

await test("says disconnected, and comes back by itself after a restart", async () => {
  const page = await open(browser, url);
  await stop();
  await until("lost", async () => (await link(page)) === "lost");
  check(/Disconnected: this picture is \d+ s old/.test(await text(page, "#banner")), await text(page, "#banner"));
  url = await start(`127.0.0.1:${new URL(url).port}`);
  await until("live", async () => (await link(page)) === "live", 20000);
  await page.context().close();
});

await test("waits visibly for the first picture", async () => {
  await stop();
  url = await start("127.0.0.1:0", "none");
  const page = await open(browser, url, { go: false });
  await page.goto(url);
  await until("a word about waiting", async () => /first picture/.test(await page.locator("#banner").textContent()));
  fake.say("scene full");
  await until("live", async () => (await link(page)) === "live");
  await page.context().close();
});

await test("sends the page with rules that keep everything else out", async () => {
  const response = await fetch(url);
  const rules = response.headers.get("content-security-policy") ?? "";
  for (const rule of ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"]) check(rules.includes(rule), rules);
  check(response.headers.get("x-content-type-options") === "nosniff", "nosniff");
  check(response.headers.get("referrer-policy") === "no-referrer", "referrer");
  check(response.headers.get("content-encoding") === "gzip", "gzip");
});

await browser.close();
const code = await stop();
await test("the server ends cleanly", async () => check(code === 0, `it ended with ${code}`));
finish();
