// Headless Chromium by playwright-core, and the servers it looks at.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync } from "node:fs";
import { createRequire } from "node:module";
import { homedir, tmpdir } from "node:os";
import path from "node:path";
import { answer } from "./api.mjs";

// The newest that runs on Debian 12's Node.js 18.
const VERSION = "1.54.0";
const AXE_VERSION = "4.10.3";
const HOME = path.join(homedir(), ".cache", "binnacle", `web-tests-${VERSION}`);

// Without the last ones Chromium looks for its maker's servers at every start.
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync"];

// Packages of a folder of their own in the cache: nothing is installed in the tree.
function install(name, version) {
  if (!existsSync(path.join(HOME, "node_modules", name, "package.json"))) {
    const npm = spawnSync("npm", ["install", "--silent", "--no-audit", "--no-fund", "--prefix", HOME,
      `${name}@${version}`], { encoding: "utf8" });
    if (npm.status !== 0) throw new Error(`npm could not install ${name}: ${npm.stderr ?? npm.error}`);
  }
}

function playwright() {
  install("playwright-core", VERSION);
  return createRequire(path.join(HOME, "package.json"))("playwright-core");
}

// Where axe-core's script is, for a page to be judged by it.
export function axe() {
  install("axe-core", AXE_VERSION);
  return path.join(HOME, "node_modules", "axe-core", "axe.min.js");
}

export function launch() {
  return playwright().chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });
}

// A page that remembers everything it should not have done.
// `api`: how the API answers, by lib/api.mjs; "real": as the server does.
export async function open(browser, url, { width = 1600, height = 1000, scheme = "light", go = true, api = "ok", posts = undefined } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme });
  const page = await context.newPage();
  if (api !== "real") await answer(page, api, posts);
  page.messages = [];
  page.foreign = [];
  page.on("console", (message) => page.messages.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => page.messages.push(`error: ${error.message}`));
  page.on("dialog", (dialog) => { page.messages.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  const host = new URL(url).host;
  page.on("request", (request) => {
    if (new URL(request.url()).host !== host) page.foreign.push(request.url());
  });
  page.on("websocket", (socket) => {
    if (new URL(socket.url()).host !== host) page.foreign.push(socket.url());
  });
  if (go) {
    await page.goto(url);
    await page.locator('html[data-link="live"]').waitFor({ state: "attached", timeout: 15000 });
  }
  return page;
}

export function server(command, args, pattern) {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"], cwd: process.cwd(), env: { ...process.env, HOME: process.env.BINNACLE_TEST_HOME ?? process.env.HOME } });
  let said = "";
  const ready = new Promise((resolve, reject) => {
    const hear = (data) => {
      said += data;
      const match = said.match(pattern);
      if (match) resolve(match[1]);
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    child.on("error", reject);
    child.on("exit", (code) => reject(new Error(`${command} ended with ${code}: ${said.slice(-600)}`)));
  });
  const ended = new Promise((resolve) => child.on("exit", (code, signal) => resolve(code ?? signal)));
  return { child, ready, ended, say: (line) => child.stdin.write(`${line}\n`) };
}

export const temporary = () => mkdtempSync(path.join(tmpdir(), "binnacle-web-"));
