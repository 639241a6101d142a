"""What binnacle needs before the first event: memory at rest with a model of 100 trees, 6 deep, and the
time from its start to /readyz."""
import os
import re
import socket
import time

import world
from report import say

STARTS = 5


def resident_mb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return int(re.search(r"VmRSS:\s*(\d+) kB", file.read())[1]) / 1024


def is_ready(port):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as asked:
            asked.sendall(b"GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            return asked.recv(64).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def start(options, config, model, number):
    """Milliseconds until ready, and resident MB two seconds later."""
    port = world.free_port()
    began = time.monotonic()
    process = world.Process("idle", [world.BINNACLE, "run", "--no-tui", "--config", config, "--model",
                                     model, "--ledger", os.path.join(options.work, f"idle-{number}"),
                                     "--listen", f"127.0.0.1:{port}"], options.work)
    try:
        while not is_ready(port):
            if process.ended() or time.monotonic() - began > 30:
                raise RuntimeError(f"binnacle does not start: {process.output()}")
            time.sleep(0.002)
        passed = (time.monotonic() - began) * 1e3
        time.sleep(2)
        return passed, resident_mb(process.process.pid)
    finally:
        process.stop()


def measure(report, options, starts):
    config = world.transactions(options.work, "config-idle")
    model, _ = world.trained(options.work, config)
    say("idle ...")
    found = [start(options, config, model, number) for number in range(starts)]
    report.add("start to ready", "ms", [ms for ms, _ in found], goal="start to ready, ms")
    report.add("idle memory", "MB", [mb for _, mb in found], goal="idle memory, MB")


def run(report, options):
    report.heading("idle", "a service with a 100x6 model and an empty ledger")
    measure(report, options, STARTS)


def smoke(report, options):
    report.heading("idle", "one start")
    measure(report, options, 1)
