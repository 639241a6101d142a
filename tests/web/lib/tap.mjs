// Prints "ok - behaviour" lines and remembers whether all of them held.
// ONLY=PATTERN runs those alone whose behaviour has the pattern.
const only = new RegExp(process.env.ONLY ?? "");
let failed = 0;

export async function test(behaviour, run) {
  if (!only.test(behaviour)) return;
  try {
    await run();
    console.log(`ok - ${behaviour}`);
  } catch (error) {
    failed++;
    console.log(`not ok - ${behaviour}`);
    for (const line of String(error.stack ?? error).split("\n").slice(0, 6)) console.log(`# ${line}`);
  }
}

export function check(condition, message) {
  if (!condition) throw new Error(message);
}

export async function until(what, condition, limitMs = 10000) {
  const end = Date.now() + limitMs;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`waited ${limitMs} ms for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export function finish() {
  process.exit(failed ? 1 : 0);
}
