"""HTTP: POST /v1/score on keep-alive connections, each answer committed before it is given, against
servers that record nothing. Servers take turns; each has one core, the load generator the other."""
import json
import os
import pathlib
import statistics
import subprocess
import time
import urllib.request

import world
from report import say

PATH = "/v1/score"
WIDTH = 27  # features of the default configuration
IDLE = 200
REPETITIONS, SECONDS, WARM_SECONDS = 3, 3, 1


class Server:
    """A server under load; `page` is where browsers would look."""

    def __init__(self, name, process, port, page=None):
        self.name, self.process, self.port, self.page = name, process, port, page or port
        self.found, self.problem = [], ""

    def wait_ready(self, path="/readyz", seconds=60):
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self.process.ended():
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=2):
                    return True
            except OSError:
                time.sleep(0.05)
        return False

    def load(self, connections, seconds, warm, idle=0):
        command = [world.program("load"), self.port, PATH, connections, seconds, warm, idle,
                   self.page]
        before = self.process.cpu_seconds()
        done = subprocess.run(world.pinned(world.LOAD_CORE, *command), text=True, check=False,
                              capture_output=True, timeout=seconds + warm + 60)
        if done.returncode != 0:
            raise RuntimeError(f"load on {self.name}: {done.stderr.strip()[:200]}")
        found = json.loads(done.stdout)
        answers = max(found["answers"], 1) * (seconds + warm) / seconds  # those before measuring, too
        found["cpu_us"] = (self.process.cpu_seconds() - before) * 1e6 / answers
        self.found.append(found)
        return self.found[-1]

    def figures(self, name):
        return [found[name] for found in self.found]

    def stop(self):
        self.process.stop()


def start_binnacle(work, name="http", extra=""):
    config = world.transactions(work, f"config-{name}", extra=extra)
    model, _ = world.trained(work, config)
    page, score = world.free_port(), world.free_port()
    process = world.Process(name, [world.BINNACLE, "run", "--no-tui", "--config", config, "--model",
                                   model, "--ledger", os.path.join(work, f"ledger-{name}"),
                                   "--listen", f"127.0.0.1:{page}", "--listen-score",
                                   f"127.0.0.1:{score}"], work, world.SERVER_CORE)
    server = Server("binnacle", process, page, page)
    if not server.wait_ready():
        raise RuntimeError(f"binnacle does not start: {process.output()}")
    server.port = score
    return server


def peer_environment(work):
    model, _ = world.trained(work, None)
    return {**world.ONE_THREAD, "MODEL": model, "WIDTH": str(WIDTH)}


def start_fastapi(work):
    port = world.free_port()
    command = [world.python("peers"), "-m", "uvicorn", "--app-dir", world.PEERS, "--port", port,
               "--no-access-log", "--log-level", "warning", "--loop", "uvloop", "--http",
               "httptools", "fastapi_app:app"]
    return Server("FastAPI", world.Process("fastapi", command, work, world.SERVER_CORE,
                                           peer_environment(work)), port)


def start_nginx(work):
    port = world.free_port()
    text = (world.PEERS / "nginx.conf").read_text(encoding="utf-8")
    conf = pathlib.Path(work) / "nginx.conf"
    conf.write_text(text.replace("FOLDER", work).replace("PORT", str(port)), encoding="utf-8")
    return Server("nginx, a constant", world.Process("nginx", ["nginx", "-c", conf, "-p", work],
                                                     work, world.SERVER_CORE), port)


def start_ray(work):
    port = world.free_port()
    environment = {**peer_environment(work), "RAY_USAGE_STATS_ENABLED": "0", "TMPDIR": "/tmp"}
    command = [world.python("ray"), world.PEERS / "ray_app.py", port]
    return Server("Ray Serve", world.Process("ray", command, work, world.SERVER_CORE,
                                             environment), port)


def started(report, make, work, seconds=60):
    """The server, ready; or None, with the reason told."""
    server = make(work)
    if server.wait_ready(seconds=seconds):
        return server
    report.not_measured(server.name, server.process.output().strip()[-200:] or "does not start")
    server.stop()
    return None


def installed(report, work):
    from shutil import which
    servers = []
    if world.python("peers"):
        servers.append(started(report, start_fastapi, work))
    else:
        report.not_measured("FastAPI", "tests/bench/setup has not installed it")
    if which("nginx"):
        servers.append(started(report, start_nginx, work))
    else:
        report.not_measured("nginx", "tests/bench/setup has not installed it")
    return [server for server in servers if server]


def fsync_floor(work):
    """Microseconds that a write of one page and its fdatasync take here; the median of half a second."""
    times, page = [], bytes(4096)
    with open(os.path.join(work, "floor"), "wb", buffering=0) as file:
        until = time.monotonic() + 0.5
        while time.monotonic() < until:
            began = time.perf_counter()
            file.write(page)
            os.fdatasync(file.fileno())
            times.append((time.perf_counter() - began) * 1e6)
    return statistics.median(times)


def check_load(report, server, found, connections):
    """Errors are not measured: ours are a wrong result, a peer's take it out of the comparison."""
    if found["errors"] == 0 and found["answers"] > 0:
        return
    if server.name == "binnacle":
        report.check(False, f"{connections} connections: every answer is 200 with a decision", found)
    else:
        server.problem = f"{found['errors']} errors, {found['first_error']}"


def start_explaining(work):
    """The same with all reasons of every decision in line; idle while others are measured."""
    return start_binnacle(work, "http-reasons", world.ALL_REASONS)


def take_turns(report, servers, connections, repetitions, seconds, warm):
    say(f"http: {connections} connections ...")
    for server in servers:
        server.found, server.problem = [], ""
    for _ in range(repetitions):
        for server in servers:
            check_load(report, server, server.load(connections, seconds, warm), connections)


def compare(report, servers, connections):
    """`servers`: binnacle, binnacle that explains all, peers."""
    own, explaining = servers[:2]
    for what, unit, name in (("", "answers/s", "per_s"), (" p50", "us", "p50_us"),
                             (" p99", "us", "p99_us"), (" processor an answer", "us", "cpu_us")):
        report.add(f"HTTP {connections}{what}", unit, own.figures(name),
                   explained=explaining.figures(name))
    for peer in servers[2:]:
        if peer.problem:
            report.not_measured(f"HTTP {connections} {peer.name}", peer.problem)
            continue
        report.add(f"HTTP {connections}", "answers/s", own.figures("per_s"), peer.name,
                   peer.figures("per_s"), f"HTTP {connections} / {peer.name}",
                   explained=explaining.figures("per_s"))
        report.add(f"HTTP {connections} p99", "us", own.figures("p99_us"), peer.name,
                   peer.figures("p99_us"), f"HTTP {connections} p99 / {peer.name}", smaller=True,
                   explained=explaining.figures("p99_us"))
        report.add(f"HTTP {connections} processor an answer", "us", own.figures("cpu_us"), peer.name,
                   peer.figures("cpu_us"), smaller=True)
        if peer.name == "FastAPI" and connections == 128:
            report.held("HTTP 128 p99 share of FastAPI",
                        statistics.median(own.figures("p99_us")) /
                        statistics.median(peer.figures("p99_us")))


def with_idle(report, own, seconds, warm, repetitions, idle=IDLE):
    """The same load with browsers attached, in turns with the load alone."""
    say("http: idle browsers ...")
    alone, beside = [], []
    for _ in range(repetitions):
        alone.append(own.load(128, seconds, warm))
        beside.append(own.load(128, seconds, warm, idle))
    attached = min(found["idle_attached"] for found in beside)
    for found in beside:
        check_load(report, own, found, f"128 and {attached} idle")
        report.check(attached > 0 and found["idle_bytes"] > 0, "attached browsers are told", found)
    report.add(f"HTTP 128, {attached} idle browsers", "answers/s", [f["per_s"] for f in beside],
               "itself alone", [f["per_s"] for f in alone])
    times = (statistics.median(f["p99_us"] for f in beside) /
             statistics.median(f["p99_us"] for f in alone))
    report.check(attached == idle, f"{idle} browsers attach", f"only {attached}")
    report.held("HTTP 128 p99 with idle browsers, times", times)


def ray(report, own, explaining, work):
    if not world.python("ray"):
        report.not_measured("Ray Serve", "tests/bench/setup has not installed it")
        return
    say("http: Ray Serve ...")
    server = started(report, start_ray, work, 120)
    if not server:
        return
    try:
        # Its proxy and its replica share the one core: more connections only wait longer.
        take_turns(report, [own, explaining, server], 16, 2, SECONDS, WARM_SECONDS)
        compare(report, [own, explaining, server], 16)
    finally:
        server.stop()


def run(report, options):
    report.heading("http", "POST /v1/score, keep-alive; server on one core, load on the other; "
                   "binnacle commits before it answers, the others record nothing")
    report.note(f"fsync floor: {fsync_floor(options.work):,.0f} us for a page")
    own = start_binnacle(options.work)
    servers = [own]
    try:
        servers.append(start_explaining(options.work))
        servers += installed(report, options.work)
        for connections in (128, 16):
            take_turns(report, servers, connections, REPETITIONS, SECONDS, WARM_SECONDS)
            compare(report, servers, connections)
        with_idle(report, own, SECONDS, WARM_SECONDS, 2)
        for server in servers[2:]:
            server.stop()
        ray(report, own, servers[1], options.work)
        report.note(f"fsync floor, at the end: {fsync_floor(options.work):,.0f} us")
    finally:
        for server in servers:
            server.stop()


def smoke(report, options):
    report.heading("http", "POST /v1/score")
    own = start_binnacle(options.work)
    servers = [own]
    try:
        servers.append(start_explaining(options.work))
        take_turns(report, servers, 16, 1, 0.5, 0.2)
        compare(report, servers, 16)
        found = own.load(4, 1.5, 0.1, 5)
        report.check(found["errors"] == 0 and found["idle_attached"] == 5 and
                     found["idle_bytes"] > 0, "five browsers are attached and told", found)
    finally:
        for server in servers:
            server.stop()
