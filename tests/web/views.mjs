#!/usr/bin/env node
// Every view of the page in Chromium: what it shows when all is well, in every state of not being
// so, with hostile names, at all sizes, by keyboard, and judged by axe-core. SHOTS=DIR keeps pictures.
import { readFileSync } from "node:fs";
import path from "node:path";
import { HOSTILE } from "./lib/api.mjs";
import { axe, launch, open, server } from "./lib/browser.mjs";
import { check, finish, test as one, until } from "./lib/tap.mjs";

const AXE = readFileSync(axe(), "utf8");
const FAKE = process.env.WEB_FAKE_SERVER ?? "build/dev/web/web_fake_server";
const VIEWS = {
  now: ["/", /Nothing needs you|PAGE/], slo: ["/?view=slo", /Error budget left[^]*Burn over one hour/], traffic: ["/?view=traffic", /Share by arm[^]*Shadow/],
  drift: ["/?view=drift", /PSI by time[^]*tx_amount/], feature: ["/?view=drift&feature=tx_amount", /Reference against live/], quality: ["/?view=quality", /Why events were kept out[^]*Quarantine/],
  decisions: ["/?view=decisions", /R-AMOUNT/], decision: ["/?view=decisions&open=e1", /high-score fired[^]*Proof/], logs: ["/?view=logs", /few_viewers/],
  own: [`/?view=own&title=Mine&p=${encodeURIComponent(JSON.stringify([["Slow", "latency_p95_us", "line"], ["Rate", "events_per_s", "number"], ["Scores", "score", "heat"]]))}`, /Slow[^]*Rate[^]*\d[^]*Scores/],
  money: ["/?view=own&name=money", /Declined, percent[^]*Events a second[^]*\d[^]*How long it took/], settings: ["/?view=settings", /binnacle\.yaml:1/], help: ["/?view=help", /error budget/],
};
const MINUTE = 60000;
const ASKING = ["slo", "traffic", "quality", "decisions", "decision", "logs", "settings", "feature"];

const fake = server(FAKE, ["127.0.0.1:0"], /listening (\d+)/);
const url = `http://127.0.0.1:${await fake.ready}`;
fake.say("scene burning");
const browser = await launch();

// No page outlives its test: there are few sockets.
const test = (behaviour, run) => one(behaviour, async () => {
  try { await run(); } finally { for (const context of browser.contexts()) await context.close(); }
});
const main = (page) => page.locator("main").innerText();
const shows = (page, pattern) => until(`${pattern} on ${page.url()}`, async () => pattern.test(await main(page)));
async function visit(view, options = {}) {
  const page = await open(browser, url + VIEWS[view][0], { width: 1280, height: 900, ...options });
  return page;
}

for (const view of Object.keys(VIEWS)) {
  await test(`${view}: is linked to, shows what it is for, silently, and fits from 400 px to 4K`, async () => {
    const page = await visit(view);
    await shows(page, VIEWS[view][1]);
    for (const [width, height] of [[1280, 900], [400, 850], [2560, 1440], [3840, 2160]]) {
      await page.setViewportSize({ width, height });
      await page.waitForTimeout(120);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      check(wide <= 0, `${width} px: ${wide} px too wide`);
      if (process.env.SHOTS) await page.screenshot({ path: path.join(process.env.SHOTS, `${view}-${width}.png`), fullPage: true });
    }
    const shown = await main(page);
    check(!/\bNaN\b|undefined|\[object|Something went wrong/.test(shown), shown.match(/.*(NaN|undefined|\[object|Something went wrong).*/)?.[0]);
    check(page.messages.length === 0, page.messages.join("; "));
    check(page.foreign.length === 0, page.foreign.join("; "));
  });

  await test(`${view}: axe-core finds nothing, light, dark and with colours forced`, async () => {
    const page = await visit(view);
    await shows(page, VIEWS[view][1]);
    for (const [scheme, forcedColors] of [["light", "none"], ["dark", "none"], ["light", "active"]]) {
      await page.emulateMedia({ colorScheme: scheme, forcedColors });
      await page.waitForTimeout(300);
      // By the debugger: the page's own rules let no other script in.
      const found = await page.evaluate(`(() => { ${AXE}; return axe.run(document, { resultTypes: ["violations"] }); })()`);
      const told = found.violations.map((bad) => `${bad.id}: ${bad.nodes.length} × ${bad.nodes[0].html.slice(0, 160)} ${bad.nodes[0].failureSummary.split("\n")[1] ?? ""}`);
      check(told.length === 0, `${scheme}, forced ${forcedColors}: ${told.join("; ")}`);
    }
  });

  await test(`${view}: hostile names are text`, async () => {
    fake.say("scene hostile");
    const page = await visit(view, { api: "hostile" });
    await until("something of it", async () => (await main(page)).length > 60);
    await page.waitForTimeout(300);
    await harmless(page, view === "traffic" ? "what was changed" : view);
    if (!["help", "feature", "decision", "own"].includes(view)) check((await page.locator("body").innerText()).includes("<img src=x"), "the name is not shown");
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    check(wide <= 0, `${wide} px too wide`);
    check(page.messages.length === 0, page.messages.join("; "));
    fake.say("scene burning");
  });
}

// Marks that change how what follows is read, in text or in what is read of attributes.
function unsafe() {
  const marks = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;
  const told = [...document.querySelectorAll("[title], [aria-label], [aria-description], [placeholder]")].flatMap((node) => ["title", "aria-label", "aria-description", "placeholder"].map((name) => node.getAttribute(name) ?? ""));
  const text = document.body.textContent;
  return { text, raw: [document.title, text, ...told].filter((one) => marks.test(one)).map((one) => JSON.stringify(one.slice(Math.max(0, one.search(marks) - 20), one.search(marks) + 20))) };
}

// What is left of the page when everything in it was made to break it: no element of the text's
// making, nothing wider than the screen, no word on the console, no dialog of the browser's.
async function harmless(page, where) {
  const { text, raw } = await page.evaluate(unsafe);
  check(raw.length === 0, `${where}: characters that turn what follows: ${raw.slice(0, 3).join("; ")}`);
  if (where.startsWith("what was changed")) check(text.includes("‹202E›") && text.includes("‹001B›"), `${where}: no codes`);
  const { made, wide } = await page.evaluate(() => ({ made: document.querySelectorAll("img, script:not([src]), iframe, [onerror]").length, wide: document.documentElement.scrollWidth - innerWidth }));
  check(made === 0 && wide <= 0, `${where}: ${made} elements made, ${wide} px too wide`);
  check(page.messages.filter((message) => !/Failed to load resource/.test(message)).length === 0, `${where}: ${page.messages.join("; ")}`);
}

await test("hostile strings are text in dialogs, in refusals, and in everything that is opened", async () => {
  fake.say("scene hostile");
  const detail = `${HOSTILE}${"y".repeat(10240)}`, long = `${HOSTILE}${"z".repeat(1024)}`; // an address has an end
  for (const width of [1280, 400]) {
    const page = await visit("now", { api: "hostile", width, posts: () => ({ status: 422, contentType: "application/problem+json", body: JSON.stringify({ title: HOSTILE, status: 422, detail }) }) });
    await shows(page, /PAGE|▲/);
    for (const [view, name] of [["t", "Roll the canary back"], ["t", "Change shares"], ["n", "Silence"], ["n", "Acknowledge"]]) {
      await page.keyboard.type(`g${view}`);
      await page.getByRole("button", { name }).first().click();
      const dialog = page.locator("dialog");
      await dialog.getByLabel("Reason").fill(HOSTILE.replace("\u001b", ""));
      await dialog.locator("button[type=submit]").click();
      await until("the refusal", async () => (await dialog.locator(".wrong").innerText()).includes("<img src=x"));
      await harmless(page, `${name}, ${width} px`);
      const { box, high } = await dialog.evaluate((node) => ({ box: node.getBoundingClientRect().toJSON(), high: innerHeight }));
      check(box.left >= 0 && box.right <= width && box.bottom <= high, `${name}: the dialog is beyond the screen, ${JSON.stringify(box)}`);
      await dialog.getByRole("button", { name: "Cancel" }).click();
    }
    // Each number that has evidence, opened by its link.
    const marks = [...new Set(await page.locator("[data-evidence]").evaluateAll((nodes) => nodes.map((node) => node.dataset.evidence)))];
    check(marks.some((mark) => mark.includes("<img")), "nothing hostile can be opened");
    for (const mark of marks) {
      await page.evaluate((open) => { history.pushState(null, "", `/?open=${encodeURIComponent(open)}`); dispatchEvent(new PopStateEvent("popstate")); }, mark);
      await until(`the evidence of ${mark}`, async () => page.locator("#side").isVisible());
      await harmless(page, `${mark}, ${width} px`);
    }
    for (const target of [`/?view=drift&feature=${encodeURIComponent(HOSTILE)}`, `/?view=decisions&open=${encodeURIComponent(HOSTILE)}`, `/?view=own&name=${encodeURIComponent(HOSTILE)}`,
      `/?view=own&title=${encodeURIComponent(HOSTILE)}&p=${encodeURIComponent(JSON.stringify([[HOSTILE, HOSTILE, "line"], [long, long, "number"], [long, long, "heat"]]))}`, `/?view=quality&field=${encodeURIComponent(HOSTILE)}`, `/?open=${encodeURIComponent(`objective:${long}`)}`]) {
      await page.goto(url + target);
      await page.locator('html[data-link="live"]').waitFor({ state: "attached" });
      await page.waitForTimeout(400);
      await harmless(page, `${target.slice(0, 40)}, ${width} px`);
    }
    await page.context().close();
  }
  fake.say("scene burning");
});

const REFUSED = { 401: [/Refused/, "state-refused"], 501: [/Not configured|no history is kept/, "state-unset"], 429: [/Busy/, "state-busy"], 503: [/Busy/, "state-busy"], lost: [/No answer/, "state-lost"] };
for (const view of ASKING) {
  await test(`${view}: refused, not offered, busy and lost are different pictures`, async () => {
    for (const [mode, [words, kind]] of Object.entries(REFUSED)) {
      if (["429", "503"].includes(mode) && view !== "decisions") continue;
      const page = await visit(view, { api: mode === "lost" ? mode : Number(mode) });
      await shows(page, words);
      await until(`${kind} for ${mode}`, async () => (await page.locator(`.${kind}`).count()) > 0);
      check(page.messages.every((message) => /Failed to load resource/.test(message)), page.messages.join("; "));
      await page.context().close();
      }
  });
}

await test("the address says it all: range, filters, what is open; back goes back", async () => {
  const page = await visit("now");
  await page.keyboard.press("g"); await page.keyboard.press("s");
  await shows(page, /Error budget left/);
  await page.locator('[data-range="6h"]').click();
  check(new URL(page.url()).searchParams.get("range") === "6h", page.url());
  await page.locator("#slo-rows .evident").first().click();
  check(/open=objective/.test(page.url()), page.url());
  check(/want[^]*n\b/.test(await page.locator("#side").innerText()), await page.locator("#side").innerText());
  const other = await open(browser, page.url());
  check(await other.locator("#side").isVisible(), "the link does not open the evidence");
  await other.context().close();
  await page.keyboard.press("Escape");
  check(!(await page.locator("#side").isVisible()), "Escape does not close it");
  await page.goBack(); await page.goBack(); await page.goBack();
  check(!/open=|range=/.test(page.url()), page.url());
});

await test("a drag zooms every chart, compare draws the period before, and L is live again", async () => {
  const page = await visit("slo");
  const plot = page.locator("#panel-latency-line .u-over");
  await plot.waitFor();
  const box = await plot.boundingBox();
  await page.mouse.move(box.x + 80, box.y + 40); await page.mouse.down(); await page.mouse.move(box.x + 220, box.y + 40, { steps: 5 }); await page.mouse.up();
  await until("a range", async () => /from=\d+&to=\d+/.test(page.url()));
  await page.keyboard.press("c");
  await until("the lines before", async () => /before/.test(await page.locator("#panel-latency-line .legend").innerText()));
  await page.keyboard.press("L");
  await until("live", async () => !/from=/.test(page.url()));
});

await test("arrows move the crosshair through all charts, which say what they point at", async () => {
  const page = await visit("slo");
  await page.locator("#panel-latency-line .u-over").waitFor();
  await until("lines", async () => /µs|ms/.test(await page.locator("#panel-latency-line .legend").innerText()));
  await page.locator("#panel-latency-line .plot").focus();
  await page.keyboard.press("ArrowLeft"); await page.keyboard.press("ArrowLeft");
  check(/p50 .*p99/.test(await page.locator("#panel-latency-line [role=status]").textContent()), "nothing is said");
  const others = await page.locator(".u-cursor-x").evaluateAll((lines) => lines.filter((line) => !/-10px/.test(line.style.transform)).length);
  check(others >= 3, `${others} charts follow`);
});

await test("every chart is a table and a CSV, too", async () => {
  const page = await visit("slo");
  await page.locator("#panel-latency-line .u-over").waitFor();
  await page.locator("#panel-latency-line").getByRole("button", { name: "as a table" }).click();
  check((await page.locator("#panel-latency-line .as-table tbody tr").count()) > 20, "no rows");
  const [file] = await Promise.all([page.waitForEvent("download"), page.locator("#panel-latency-line").getByRole("button", { name: "as CSV" }).click()]);
  const text = readFileSync(await file.path(), "utf8");
  check(/^time,p50 \(us\),p95 \(us\)/.test(text) && text.split("\r\n").length > 20, text.slice(0, 80));
});

// A panel's numbers as its table has them: a list of columns, each a name and its cells.
async function columns(page, panel) {
  await page.locator(panel).getByRole("button", { name: "as a table" }).click();
  return page.locator(`${panel} .as-table`).evaluate((box) => {
    const rows = [...box.querySelectorAll("tr")].map((row) => [...row.children].map((cell) => cell.innerText.trim()));
    return Object.fromEntries(rows[0].map((name, i) => [name, rows.slice(1).map((row) => row[i])]));
  });
}
const known = (cells) => cells.filter((cell) => /\d/.test(cell)).length;

await test("minutes that nobody saw are hatched and no zeros, in every heat map", async () => {
  for (const [view, panel, note] of [["slo", "#panel-latency-heat", ".heat-note"], ["traffic", "#panel-score-heat", ".heat-note"]]) {
    const page = await visit(view);
    await until("its note", async () => /hatched is no data/.test(await page.locator(`${panel} ${note}`).innerText()));
    const { time, ...bands } = await columns(page, panel);
    for (const [name, cells] of Object.entries(bands)) check(known(cells) === time.length - 12, `${view}, ${name}: ${known(cells)} of ${time.length} are known`);
    await page.context().close();
  }
});

await test("a young service: features that warm up are no data, an arm without traffic leaves the others' shares", async () => {
  fake.say("scene young");
  const page = await visit("drift");
  await page.locator("#panel-drift-heat .heat-note").waitFor();
  const { time, country, tx_amount } = await columns(page, "#panel-drift-heat");
  check(country === undefined && known(tx_amount) >= time.length - 1, `country ${country}, ${known(tx_amount)} of tx_amount`);
  check(/still filling their windows/.test(await page.locator("#panel-drift-heat .heat-note").innerText()), "nobody says what is left out");
  for (const view of ["now", "traffic"]) {
    const other = await visit(view);
    const has = other.locator(".shares .stack").nth(1);
    await has.locator("i").first().waitFor({ state: "attached" });
    check((await has.getAttribute("class")) === "stack" && (await has.locator(".champion").evaluate((part) => part.style.width)) === "100%", `${view}: ${await has.evaluate((box) => box.outerHTML)}`);
    await other.context().close();
  }
  fake.say("scene burning");
});

await test("quality: on a phone its tables are whole, and what is wider says so", async () => {
  const page = await visit("quality", { width: 360, height: 800 });
  await shows(page, /too few hours/);
  const cut = await page.locator(":is(#panel-usual, #panel-fields, #panel-browser) .panel-body .scroll").evaluateAll((boxes) => boxes.map((box) => box.scrollWidth - box.clientWidth));
  check(cut.length === 3 && cut.every((px) => px <= 0), `${cut} px are beyond the edge`);
  check(await page.locator("#panel-figures .panel-body .scroll").evaluate((box) => box.scrollWidth > box.clientWidth && /local/.test(getComputedStyle(box).backgroundAttachment)), "no shade where figures go on");
  check(/›/.test(await page.locator("#nav ul").evaluate((list) => getComputedStyle(list, "::after").content)), "nothing says that there are more views");
});

await test("how far shadows are from the others is told of recorded scores, for the range that is looked at", async () => {
  fake.say("scene full");
  const page = await visit("traffic");
  const panel = page.locator("#panel-shadow-box");
  await until("figures", async () => /fraud 14\s+n\s+\d[^]*mean difference of score\s+0\.0\d+\s+further than 0\.1\s+\d[\d.]* %/.test(await panel.innerText()));
  check(/last hour/.test(await panel.innerText()), await panel.innerText());
  const asked = page.waitForRequest(/series=shadow_scored/);
  await page.locator('[data-range="6h"]').click();
  await asked;
  await until("the other range", async () => /last 6 hours/.test(await panel.innerText()));
  fake.say("scene burning");
});

await test("a feature is looked at by arm", async () => {
  const page = await visit("feature");
  const asked = page.waitForRequest(/api\/v1\/drift\?.*variant=canary/);
  await page.getByRole("group", { name: "Arm" }).getByRole("link", { name: "canary" }).click();
  await asked;
  check(/[?&]variant=canary/.test(page.url()), page.url());
  await until("whose it is", async () => /Now, canary/.test(await main(page)));
  await page.context().close();
});

await test("every objective shows its last month by the day", async () => {
  const page = await visit("now");
  await until("days", async () => (await page.locator("#objectives .days:visible").count()) > 0);
  const days = page.locator("#objectives .days:visible").first();
  check((await days.locator("i").count()) === 30, `${await days.locator("i").count()} days`);
  check(/the last 30 days: \d+ known, \d+ below/.test(await days.getAttribute("aria-label")), await days.getAttribute("aria-label"));
  await page.context().close();
});

await test("lines that are made of the objectives wait for the first picture, also when the range is changed before it", async () => {
  const page = await open(browser, url, { width: 1280, height: 900, go: false });
  const asked = [];
  page.on("request", (request) => { if (/api\/v1\/history\?/.test(request.url())) asked.push(request.url()); });
  await page.routeWebSocket(/\/live/, (socket) => { setTimeout(() => socket.connectToServer(), 1500); });
  const to = Math.floor(Date.now() / MINUTE) * MINUTE;
  await page.goto(`${url}/?view=slo&range=1h`);
  await page.evaluate((address) => { history.pushState(null, "", address); dispatchEvent(new PopStateEvent("popstate")); }, `/?view=slo&from=${to - 60 * MINUTE}&to=${to}`);
  await until("lines", async () => /availability \d/.test(await page.locator("#panel-budget-line .legend").innerText()));
  check(!/no history is kept/.test(await main(page)), "it says that no history is kept");
  check(asked.length > 0 && asked.every((one) => !/(budget_left|burn_1h)(?!\.)/.test(one)), asked.join(" "));
});

await test("rolling the canary back says what will happen, asks why, and sends it with the reason and the token", async () => {
  let asked = 0;
  const page = await visit("now", { posts: (post) => (post.headers.authorization ? { status: 200, json: {} } : (asked++, { status: 401, contentType: "application/problem+json", body: JSON.stringify({ title: "A token is needed", status: 401, detail: "no token" }) })) });
  await page.getByRole("button", { name: "Roll the canary back" }).first().click();
  const dialog = page.locator("dialog");
  check(/canary fraud 13 goes from 25 % to 0 %/.test(await dialog.innerText()), await dialog.innerText());
  await dialog.getByLabel("Reason").fill("it is slow");
  await dialog.getByRole("button", { name: "Roll back" }).click();
  await dialog.getByLabel("Token").fill("a-token-long-enough");
  await dialog.getByRole("button", { name: "Roll back" }).click();
  await until("it to be done", async () => (await dialog.count()) === 0);
  check(asked === 1, `${asked} refusals`);
  const { path: to, body } = page.posts.at(-1);
  check(to === "/api/v1/traffic" && body.reason === "it is slow" && body.traffic.find((arm) => arm.variant === "canary").share === 0 && body.traffic[0].share === 100, JSON.stringify(body));
});

await test("quarantined events are chosen and retried, alerts acknowledged and silenced, where they are seen", async () => {
  const page = await visit("quality", { posts: () => ({ status: 200, json: { accepted: 2, quarantined: 0 } }) });
  await shows(page, /country/);
  const boxes = page.locator("#quarantine-rows input");
  await boxes.nth(0).check(); await boxes.nth(1).check();
  await page.getByRole("button", { name: "Retry 2" }).click();
  await page.locator("dialog").getByLabel("Reason").fill("the list is mended");
  await page.locator("dialog").getByRole("button", { name: "Retry" }).click();
  await until("the post", async () => page.posts.length === 1);
  check(JSON.stringify(page.posts[0].body) === JSON.stringify({ ids: [40, 39], reason: "the list is mended" }), JSON.stringify(page.posts[0].body));
  await until("the dialog to close", async () => (await page.locator("dialog").count()) === 0);
  await page.keyboard.press("g"); await page.keyboard.press("n");
  await page.getByRole("button", { name: "Silence" }).first().click();
  await page.locator("dialog").getByLabel("Minutes").fill("30");
  await page.locator("dialog").getByLabel("Reason").fill("known");
  await page.locator("dialog").getByRole("button", { name: "Silence" }).click();
  await until("the second post", async () => page.posts.length === 2);
  check(page.posts[1].path === "/api/v1/alerts/silence" && page.posts[1].body.minutes === 30, JSON.stringify(page.posts[1]));
});

await test("figures have their intervals by arm, and estimates stand beside the truth day by day", async () => {
  const page = await visit("quality");
  await until("figures", async () => /AUC\s+0\.900\s+0\.880 – 0\.910\s+0\.900\s+0\.880 – 0\.910\s+0\.880\s+0\.860 – 0\.890/.test(await page.locator("#panel-figures").innerText()));
  check(!/shadow/.test(await page.locator("#panel-figures").innerText()), "an arm without truth has figures");
  const rows = page.locator("#panel-daily tbody tr");
  check((await rows.count()) === 9, `${await rows.count()} days`);
  check(/so far\s+0\.910\s+no data/.test(await rows.nth(0).innerText()), await rows.nth(0).innerText());
  check((await rows.nth(0).locator(".truth").count()) === 0 && (await rows.nth(3).locator(".truth").count()) === 1 && (await rows.nth(0).locator(".band").count()) === 1, "the marks");
  check(/1 d|24 h/.test(await page.locator("#panel-labels").innerText()) && /0\.012 in the mean of 7 days/.test(await page.locator("#panel-labels").innerText()), await page.locator("#panel-labels").innerText());
  await page.getByLabel("Figure", { exact: true }).selectOption("recall");
  await until("recall", async () => /no data/.test((await page.locator("#panel-labels").innerText()).split("off by")[1]));
});

await test("decisions are found by filters, page by page", async () => {
  const page = await visit("decisions");
  await shows(page, /R-AMOUNT/);
  check((await page.locator("#found-rows tr").count()) === 50, "50 rows");
  await page.getByRole("button", { name: "More" }).click();
  await until("the next page", async () => (await page.locator("#found-rows tr").count()) === 100);
  await page.keyboard.press("/");
  await page.keyboard.type("nobody"); await page.keyboard.press("Enter");
  await shows(page, /No decision is like that/);
  check(/event_id=nobody/.test(page.url()), page.url());
});

await test("views of binnacle.yaml are in the navigation, can be changed as a copy, and go back as YAML", async () => {
  const page = await visit("now");
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.locator("#nav").getByRole("link", { name: "Money at risk" }).click();
  await shows(page, VIEWS.money[1]);
  check((await page.locator('#nav [aria-current="page"]').innerText()) === "Money at risk", "the navigation does not say where one is");
  await until("a line", async () => /\d/.test(await page.locator(".legend").first().innerText()));
  check((await page.locator("canvas.heat").count()) === 1, "no heat map");
  await page.getByRole("button", { name: "Change a copy" }).click();
  await page.getByLabel("Title").fill('Tail: "p99" #1');
  await page.getByLabel("Expression").fill("latency_p99_us / latency_p50_us");
  await page.getByRole("button", { name: "Add panel" }).click();
  await shows(page, /Tail: "p99" #1/);
  await page.getByRole("button", { name: "Remove Events a second" }).click();
  await page.getByRole("button", { name: 'Move Tail: "p99" #1 to the front by one' }).click();
  const titles = await page.locator("main .panel h2").allInnerTexts();
  check(titles.join() === 'Declined, percent,Tail: "p99" #1,How long it took', titles.join());
  await page.getByRole("button", { name: "Copy as YAML" }).click();
  const yaml = await page.evaluate(() => navigator.clipboard.readText());
  check(yaml === ["views:", '  - name: "money-at-risk"', '    title: "Money at risk"', "    panels:",
    '      - title: "Declined, percent"', '        expression: "100 * decline / accepted"', "        kind: line",
    '      - title: "Tail: \\"p99\\" #1"', '        expression: "latency_p99_us / latency_p50_us"', "        kind: line",
    '      - title: "How long it took"', '        expression: "latency"', "        kind: heat", ""].join("\n"), yaml);
  const other = await open(browser, page.url());
  await shows(other, /Tail: "p99" #1/);
  await page.goBack(); await page.goBack(); await page.goBack(); await page.goBack();
  check(/name=money/.test(page.url()), page.url());
});

await test("a view that is configured nowhere, and panels that are none, are said to be so", async () => {
  const page = await open(browser, `${url}/?view=own&name=gone`);
  await shows(page, /No view here is called gone/);
  const other = await open(browser, `${url}/?view=own&p=${encodeURIComponent('[["a"],7,{"b":1},["x","events","pie"]]')}`);
  await until("the one that is", async () => (await other.locator("main .panel h2").allInnerTexts()).join() === "x");
});

await test("help lists the keys that are there", async () => {
  const page = await visit("now");
  await page.keyboard.press("?");
  await shows(page, /Decisions[^]*UTC or local time/);
  for (const [key, view] of [["t", "traffic"], ["d", "drift"], ["q", "quality"], ["e", "decisions"], ["l", "logs"], ["n", "now"]]) {
    await page.keyboard.type(`g${key}`);
    await until(view, async () => (await page.locator("main").getAttribute("class")) === `view-${view}`);
  }
});

await test("the first view is at most 120 KB compressed, in at most 6 requests", async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  let bytes = 0, requests = 0;
  await session.send("Network.enable");
  session.on("Network.loadingFinished", (one) => { bytes += one.encodedDataLength; });
  session.on("Network.requestWillBeSent", () => { requests++; });
  await page.goto(url);
  await page.locator('html[data-link="live"]').waitFor({ state: "attached" });
  await page.waitForTimeout(2500);
  console.log(`# ${requests} requests, ${bytes} bytes`);
  check(requests <= 6, `${requests} requests`);
  check(bytes <= 120 * 1024, `${bytes} bytes`);
});

await test("a hidden page closes its socket, and is back when it is seen", async () => {
  const page = await visit("now");
  const hide = (hidden) => page.evaluate((value) => {
    Object.defineProperty(document, "hidden", { value, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  }, hidden);
  let closed = false;
  page.on("websocket", (socket) => socket.on("close", () => { closed = true; }));
  await page.reload();
  await page.locator('html[data-link="live"]').waitFor({ state: "attached" });
  await hide(true);
  await until("the socket to close", async () => closed);
  const clock = await page.locator("#clock").innerText();
  await page.waitForTimeout(1500);
  check((await page.locator("#clock").innerText()) === clock, "it goes on");
  await hide(false);
  await until("the clock to move", async () => (await page.locator("#clock").innerText()) !== clock);
});

await browser.close();
fake.child.stdin.end();
await fake.ended;
finish();
