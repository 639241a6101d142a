"""The terminal screen: from a key to what it paints with 100,000 rows, start to the first picture,
what an attached screen takes of a processor and of memory while nobody touches it."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time

import world
from report import say

ROWS = 100_000
KEYS = 40
IDLE_S = 6
RECORDING = world.ROOT / "tests" / "tui" / "lib" / "recording.py"


class Screen:
    """`binnacle top` on a terminal of its own."""

    def __init__(self, *arguments):
        self.began = time.monotonic()
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="xterm-256color", LC_ALL="C.UTF-8")
            os.execv(world.BINNACLE, [str(world.BINNACLE), "top", *arguments])
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self.seen = b""

    def read(self, seconds):
        """What is painted within that time; False when nothing is."""
        ready, _, _ = select.select([self.terminal], [], [], seconds)
        if ready:
            self.seen += os.read(self.terminal, 1 << 16)
        return bool(ready)

    def wait_for(self, words, seconds=60):
        until = time.monotonic() + seconds
        while words not in self.seen:
            if time.monotonic() > until:
                raise RuntimeError(f"the screen never showed {words!r}")
            self.read(0.2)

    def settle(self):
        while self.read(0.15):
            pass

    def key(self, key):
        """Milliseconds from the key to the first of what it paints."""
        self.settle()
        began = time.monotonic()
        os.write(self.terminal, key)
        while not self.read(2):
            raise RuntimeError(f"{key!r} paints nothing")
        return (time.monotonic() - began) * 1e3

    def processor_s(self):
        total = 0
        for task in os.listdir(f"/proc/{self.pid}/task"):
            with open(f"/proc/{self.pid}/task/{task}/schedstat", encoding="ascii") as file:
                total += int(file.read().split()[0])
        return total / 1e9

    def resident_mb(self):
        with open(f"/proc/{self.pid}/status", encoding="ascii") as file:
            return int(re.search(r"VmRSS:\s*(\d+) kB", file.read())[1]) / 1024

    def stop(self):
        os.kill(self.pid, signal.SIGTERM)
        os.close(self.terminal)
        os.waitpid(self.pid, 0)


def many_rows(options, rows):
    path = os.path.join(options.work, "rows.jsonl")
    with open(path, "wb") as file:
        subprocess.run([sys.executable, RECORDING, "rows", str(rows)], stdout=file, check=True)
    return path


def measure_keys(report, options, rows, keys):
    screen = Screen("--play", many_rows(options, rows), "--screen", "decisions")
    try:
        screen.wait_for(b"01J8ZQ5V7N3K2M4P6R8T0W2Y00")
        moves = [screen.key(b"jk"[i % 2:i % 2 + 1]) for i in range(keys)]
        ends = [screen.key(b"Gg"[i % 2:i % 2 + 1]) for i in range(keys)]
        screen.key(b"/")
        typed = [screen.key(letter) for letter in (b"d", b"e", b"c", b"l")]
    finally:
        screen.stop()
    report.add(f"key to paint, {rows:,} rows", "ms", moves, goal="key to paint, ms")
    report.add("to the last row and back", "ms", ends, goal="key to paint, ms")
    report.add("a letter of a filter", "ms", typed)


def measure_attached(report, options, starts, seconds):
    config = world.transactions(options.work, "config-screen")
    model, _ = world.trained(options.work, config)
    port = world.free_port()
    service = world.Process("screen", [world.BINNACLE, "run", "--no-tui", "--config", config,
                                       "--model", model, "--ledger",
                                       os.path.join(options.work, "screen-ledger"), "--listen",
                                       f"127.0.0.1:{port}"], options.work)
    try:
        time.sleep(3)
        passed, worked = [], []
        for _ in range(starts):
            screen = Screen("--url", f"http://127.0.0.1:{port}")
            screen.wait_for(b"objective")
            passed.append((time.monotonic() - screen.began) * 1e3)
            worked.append(screen.processor_s() * 1e3)
            screen.stop()
        screen = Screen("--url", f"http://127.0.0.1:{port}")
        screen.wait_for(b"objective")
        time.sleep(1)
        before, began = screen.processor_s(), time.monotonic()
        while time.monotonic() - began < seconds:
            screen.read(0.5)
        share = 100 * (screen.processor_s() - before) / (time.monotonic() - began)
        memory = screen.resident_mb()
        screen.stop()
    finally:
        service.stop()
    report.add("start to the first picture", "ms", passed, goal="screen start, ms")
    report.add("of that, of a processor", "ms", worked)
    report.add("attached and idle, of a core", "%", [share], goal="screen idle, %")
    report.add("memory of a remote screen", "MB", [memory], goal="screen memory, MB")


def run(report, options):
    report.heading("screen", "binnacle top in a terminal of 120x40")
    say("screen ...")
    measure_keys(report, options, ROWS, KEYS)
    measure_attached(report, options, 5, IDLE_S)


def smoke(report, options):
    report.heading("screen", "few rows, one start")
    measure_keys(report, options, 1000, 4)
    measure_attached(report, options, 1, 1)
