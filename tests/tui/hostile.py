#!/usr/bin/env python3
"""What the screen sends to its terminal, byte for byte, while every view and every opened row shows
hostile texts: HTML, escape codes, marks that turn the direction of text, NUL, ten kilobytes. And
that it sends no colours with NO_COLOR, nothing beyond ASCII without UTF-8, and no more
colours than the terminal has."""
import fcntl
import os
import pathlib
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time

HERE = pathlib.Path(__file__).resolve().parent
BINNACLE = os.path.realpath(os.environ.get("BINNACLE", "build/dev/binnacle"))
SIZES = ((24, 80), (60, 200))
VIEWS = b"1234567890"
failed = False


def judge(good, name, detail=""):
    global failed
    print(("ok - " if good else "not ok - ") + name)
    if not good:
        failed = True
        print(f"# {detail!r}"[:400])


class Screen:
    def __init__(self, recording, rows, columns, **environment):
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            for name in ("NO_COLOR", "COLORTERM", "COLORFGBG"):
                os.environ.pop(name, None)
            os.environ.update({"TERM": "xterm-256color", "LC_ALL": "C.UTF-8", **environment})
            os.execv(BINNACLE, [BINNACLE, "top", "--play", recording])
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.bytes = b""
        self.wait_for(b"objective")

    def read(self, seconds):
        ready, _, _ = select.select([self.terminal], [], [], seconds)
        if not ready:
            return b""
        try:
            got = os.read(self.terminal, 1 << 16)
        except OSError:  # it has ended
            return b""
        self.bytes += got
        return got

    def wait_for(self, words):
        until = time.monotonic() + 20
        while words not in self.bytes and time.monotonic() < until:
            self.read(0.2)

    def press(self, keys):
        """What is painted for them."""
        os.write(self.terminal, keys)
        painted = self.read(3)
        while got := self.read(0.06):
            painted += got
        return painted

    def stop(self):
        os.kill(self.pid, signal.SIGTERM)
        while self.read(2):
            pass
        os.close(self.terminal)
        return os.waitpid(self.pid, 0)[1] == 0


def record(kind, folder):
    path = os.path.join(folder, kind)
    with open(path, "wb") as file:
        subprocess.run([sys.executable, HERE / "lib" / "recording.py", kind], stdout=file, check=True)
    return path


def unsafe(painted):
    """What of it came out of a text: no screen rings, turns the direction or uses these codes."""
    return re.findall(rb"\x07|\x00|\xe2\x80\xae|\x1b\[31m|\xc2[\x80-\x9f]", painted)


def walk(screen, name):
    for view in VIEWS:
        key = bytes([view])
        painted = screen.press(key)
        opened = screen.press(b"g\r") + screen.press(b"\t") + screen.press(b"+")
        closed = screen.press(b"\x1b")
        found = unsafe(painted + opened + closed)
        judge(not found, f"{name}: view {key.decode()} and its first row opened are text", found)


def bytes_of_all_views(recording, rows, columns, **environment):
    screen = Screen(recording, rows, columns, **environment)
    for view in VIEWS:
        screen.press(bytes([view]))
    screen.stop()
    return screen.bytes


def main():
    with tempfile.TemporaryDirectory() as folder:
        hostile, burning = record("hostile", folder), record("burning", folder)
        for rows, columns in SIZES:
            screen = Screen(hostile, rows, columns)
            walk(screen, f"{columns}x{rows}")
            judge(b"<b>x</b>?[31m" in screen.bytes, f"{columns}x{rows}: and they are shown", "")
            judge(screen.stop(), f"{columns}x{rows}: it ends in order")

        found = re.findall(rb"\x1b\[[0-9;]*(?:[34][0-8]|9[0-7])(?:;[0-9;]*)?m",
                           bytes_of_all_views(burning, 24, 80, NO_COLOR="1"))
        judge(not found, "NO_COLOR: no colour is set", found)
        found = re.findall(rb"[\x80-\xff]+", bytes_of_all_views(burning, 40, 120, LC_ALL="C"))
        judge(not found, "without UTF-8: nothing beyond ASCII", found)
        judge(b"38;5;" not in bytes_of_all_views(burning, 24, 80, TERM="xterm"),
              "eight colours: no other is asked for")
    return int(failed)


sys.exit(main())
