#!/usr/bin/env node
// The page and the API of the real thing: `binnacle run --demo`.
import { launch, open, server } from "./lib/browser.mjs";
import { check, finish, test, until } from "./lib/tap.mjs";

const BINNACLE = process.env.BINNACLE ?? "build/dev/binnacle";
const text = (page, selector) => page.locator(selector).innerText();

const demo = server(BINNACLE, ["run", "--demo", "--no-tui", "--listen", "127.0.0.1:0"], /http:\/\/127\.0\.0\.1:(\d+)/);
const url = `http://127.0.0.1:${await demo.ready}/`;
const api = (path, options) => fetch(new URL(path, url), options);

// A ULID of now, so that the event is neither late nor from the future.
function ulid() {
  const digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  let time = Date.now();
  let head = "";
  for (let i = 0; i < 10; i++) { head = digits[time % 32] + head; time = Math.floor(time / 32); }
  return head + Array.from({ length: 16 }, () => digits[Math.floor(Math.random() * 32)]).join("");
}
const event = (changes = {}) => JSON.stringify({ event_id: ulid(), user_id: "user-1", transaction_amount: 42.5, country: "DE", device: "web", event_ts: new Date(Date.now() - 1000).toISOString(), label: null, ...changes });
const post = (path, body, headers = {}) => api(path, { method: "POST", body, headers: { "content-type": "application/json", ...headers } });

await test("becomes ready, and says why not until then", async () => {
  await until("ready", async () => {
    const response = await api("/readyz");
    if (response.status === 503) check((await response.json()).reasons.length > 0, "no reasons");
    return response.ok;
  }, 60000);
  check((await api("/healthz")).ok, "healthz");
});

const browser = await launch();

await test("the page shows the demo's traffic, silently, asking nobody else", async () => {
  const page = await open(browser, url, { api: "real" });
  await until("events", async () => /[1-9].*\/s/.test(await text(page, "#rate")), 30000);
  await until("a decision", async () => /approve|review|decline/.test(await text(page, "#recent")), 30000);
  await until("a quantile", async () => /(µs|ms)/.test(await text(page, "#latency")), 30000);
  check(/champion/.test(await text(page, "#arms")), await text(page, "#arms"));
  check(/latency[^]*availability/.test(await text(page, "#objectives")), await text(page, "#objectives"));
  const clock = await text(page, "#clock");
  await until("the clock to move", async () => (await text(page, "#clock")) !== clock);
  for (const width of [400, 1600]) {
    await page.setViewportSize({ width, height: 900 });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    check(wide <= 0, `${width} px: ${wide} px too wide`);
  }
  if (process.env.SHOTS) {
    await page.setViewportSize({ width: 1600, height: 1000 });
    await page.screenshot({ path: `${process.env.SHOTS}/demo-1600.png`, fullPage: true });
  }
  check(page.messages.length === 0, page.messages.join("; "));
  check(page.foreign.length === 0, page.foreign.join("; "));
  await page.context().close();
});

await test("the first message of /live is what /api/v1/snapshot gives", async () => {
  const page = await open(browser, url, { api: "real" });
  const first = await page.evaluate(() => new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://${location.host}/live`);
    socket.onmessage = (message) => { resolve(JSON.parse(message.data)); socket.close(); };
    socket.onerror = () => reject(new Error("no WebSocket"));
  }));
  const asked = await (await api("/api/v1/snapshot")).json();
  check(first.schema === 1 && asked.schema === 1, "schema");
  check(Object.keys(first).join() === Object.keys(asked).join(), `${Object.keys(first)} and ${Object.keys(asked)}`);
  for (const key of ["seq", "time", "events_per_s", "latency_us", "decisions", "quarantine", "traffic", "slo", "drift", "alerts", "ledger"]) check(key in asked, `no ${key}`);
  await page.context().close();
});

await test("further messages of /live tell what changed; a page that missed one gets the whole picture", async () => {
  const { apply } = await import("../../ui/web/static/core/patch.js");
  const page = await open(browser, url, { api: "real" });
  const messages = (await page.evaluate(() => new Promise((resolve, reject) => {
    const got = [];
    const socket = new WebSocket(`ws://${location.host}/live`);
    socket.onerror = () => reject(new Error("no WebSocket"));
    socket.onmessage = (message) => {
      got.push(message.data);
      if (got.length === 5) socket.send("{}");
      if (got.length === 8) { resolve(got); socket.close(); }
    };
  }))).map((message) => JSON.parse(message));
  const deltas = messages.slice(1, 5).filter((message) => message.delta);
  check(deltas.length >= 3, `${deltas.length} of 4 are deltas`);
  let picture = messages[0];
  for (const message of messages.slice(1)) {
    if (message.view) { picture = message; continue; }
    check(message.base === picture.seq, `base ${message.base} on ${picture.seq}`);
    apply(picture, message.delta);
    check(picture.seq === message.seq, `seq ${picture.seq}, not ${message.seq}`);
  }
  check(messages.slice(5).some((message) => message.view), "no whole picture after asking");
  await page.context().close();
});

await test("decides on an event, repeats the answer, refuses other content under its id", async () => {
  const body = event();
  const response = await post("/v1/score", body, { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" });
  const answer = await response.json();
  check(response.status === 200, `${response.status}: ${JSON.stringify(answer)}`);
  check(["approve", "review", "decline"].includes(answer.decision), answer.decision);
  check(answer.score >= 0 && answer.score <= 1, answer.score);
  check(answer.trace_id === "0af7651916cd43dd8448eb211c80319c", answer.trace_id);
  check(response.headers.get("traceparent").startsWith("00-0af7651916cd43dd8448eb211c80319c-"), response.headers.get("traceparent"));
  check(answer.duplicate === false && answer.reasons.length <= 3, JSON.stringify(answer));
  const again = await (await post("/v1/score", body)).json();
  check(again.duplicate === true && again.score === answer.score && again.ledger_index === answer.ledger_index, JSON.stringify(again));
  const other = await post("/v1/score", JSON.stringify({ ...JSON.parse(body), transaction_amount: 43 }));
  check(other.status === 409 && /problem\+json/.test(other.headers.get("content-type")), `${other.status}`);
});

await test("quarantines what breaks the contract, with field and reason", async () => {
  const response = await post("/v1/score", event({ country: "XX" }));
  const problem = await response.json();
  check(response.status === 422 && /problem\+json/.test(response.headers.get("content-type")), `${response.status}`);
  check(problem.errors?.some((error) => error.field === "country"), JSON.stringify(problem));
  check(problem.quarantine_id !== undefined, JSON.stringify(problem));
});

await test("answers a batch line by line, in order", async () => {
  const bodies = [event(), event({ device: "toaster" }), event()];
  const response = await post("/v1/score/batch", bodies.join("\n"));
  const lines = (await response.text()).trim().split("\n").map((line) => JSON.parse(line));
  check(response.status === 200 && lines.length === 3, `${response.status}, ${lines.length} lines`);
  check(lines[0].event_id === JSON.parse(bodies[0]).event_id && lines[2].event_id === JSON.parse(bodies[2]).event_id, "order");
  check(!lines[1].decision, JSON.stringify(lines[1]));
});

await test("keeps pages of other sites from changing anything", async () => {
  for (const headers of [{ origin: "http://evil.example" }, { "sec-fetch-site": "cross-site" }]) {
    const response = await api("/api/v1/traffic", { method: "PUT", body: "{}", headers });
    check(response.status === 403, `${JSON.stringify(headers)}: ${response.status}`);
  }
});

await test("documents what it serves, and serves metrics", async () => {
  const document = await (await api("/api/openapi.json")).json();
  for (const path of ["/v1/score", "/v1/score/batch", "/v1/labels", "/api/v1/snapshot", "/api/v1/traffic", "/healthz", "/readyz", "/metrics", "/live"]) check(path in document.paths, path);
  const metrics = await (await api("/metrics")).text();
  check(/^# HELP /m.test(metrics) && /^# TYPE /m.test(metrics), metrics.slice(0, 200));
});

await browser.close();
demo.child.kill("SIGTERM");
const code = await demo.ended;
await test("drains and ends with 0 on SIGTERM", async () => check(code === 0, `it ended with ${code}`));
finish();
