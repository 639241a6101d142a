"""The page in Chromium: from its address to the first picture drawn, the longest that anything holds a
frame up while it is live, memory over half an hour of pictures, and what it costs out of sight.

Pictures come ten times a second from the server of made-up pictures, so that three minutes are the
half hour; --long takes the half hour itself and ten times the pictures."""
import json
import subprocess
import time

import world
from idle import is_ready
from report import say

HALF_HOUR_S = 1800
FAST = 10  # pictures a second of web_fake_server


def servers(options):
    """A service with traffic and history, and the server of made-up pictures; with their addresses."""
    config = world.transactions(options.work, "config-page", source="demo")
    model, _ = world.trained(options.work, config)
    port, fast = world.free_port(), world.free_port()
    live = world.Process("page", [world.BINNACLE, "run", "--no-tui", "--config", config, "--model", model,
                                  "--ledger", f"{options.work}/page-ledger", "--listen",
                                  f"127.0.0.1:{port}"], options.work)
    # It ends with its standard input: a shell keeps that open.
    fake = world.Process("page-fake", ["sh", "-c", '(echo "scene burning"; sleep 7200) | "$0" "$1"',
                                       world.RELEASE / "web" / "web_fake_server", f"127.0.0.1:{fast}"],
                         options.work)
    return live, f"http://127.0.0.1:{port}", fake, f"http://127.0.0.1:{fast}", port


def wait_ready(live, port):
    until = time.monotonic() + 60
    while not is_ready(port):
        if live.ended() or time.monotonic() > until:
            raise RuntimeError(f"binnacle does not start: {live.output()}")
        time.sleep(0.05)


def look(options, starts, view_s, memory_s):
    live, url, fake, fast_url, port = servers(options)
    try:
        wait_ready(live, port)
        done = subprocess.run(["node", world.ROOT / "tests" / "bench" / "page.mjs", url, fast_url, str(starts),
                               str(view_s), str(memory_s)], cwd=world.ROOT, text=True, capture_output=True,
                              timeout=memory_s + 20 * (view_s + 10) + 300, check=False)
    finally:
        live.stop()
        fake.stop()
    if done.returncode != 0:
        raise RuntimeError(done.stderr[-800:])
    return json.loads(done.stdout.splitlines()[-1])


def measure(report, options, starts, view_s, memory_s):
    say("page ...")
    found = look(options, starts, view_s, memory_s)
    report.add("page usable", "ms", found["interactive_ms"], goal="page usable, ms")
    frames = found["frames"]
    worst = max(frames, key=lambda view: frames[view]["longest_ms"])
    report.add("longest task while live", "ms", [frames[worst]["longest_ms"]],
               goal="longest task while live, ms")
    report.note("busy ms a second: " + ", ".join(f"{view} {one['busy_ms_per_s']:.1f}"
                                                 for view, one in frames.items()) +
                (f"; the longest task is in {worst}" if frames[worst]["longest_ms"] else ""))
    # The first third is what every page needs; what grows after it would grow for ever.
    early, late = found["memory"][1], found["memory"][-1]
    report.add("memory after half an hour of pictures", "x", [late["heap"] / early["heap"]],
               goal="page memory after half an hour, times")
    report.note(f"{late['heap'] / 1e6:.1f} MB, {late['nodes']} nodes, {late['listeners']} listeners; a third "
                f"of the way: {early['heap'] / 1e6:.1f} MB, {early['nodes']}, {early['listeners']}")
    report.check(late["nodes"] <= early["nodes"] * 1.5 and late["listeners"] <= early["listeners"] * 1.2,
                 "nodes and listeners of the page do not grow", found["memory"])
    report.add("page out of sight", "ms/s", [found["hidden"]["busy_ms_per_s"]],
               goal="page out of sight, ms/s")
    report.check(found["hidden"]["requests"] == 0, "a page out of sight asks for nothing", found["hidden"])


def run(report, options):
    report.heading("page", "headless Chromium on loopback, eight views of a live service")
    measure(report, options, 7, 8, HALF_HOUR_S if options.long else HALF_HOUR_S / FAST)


def smoke(report, options):
    report.heading("page", "some seconds of it")
    measure(report, options, 2, 2, 6)
