"""The clock of the day of processes under test, which can be moved while they run."""
import os
import struct
import subprocess


class MovedClock:
    """`environment` is what the processes are started with."""

    def __init__(self, work):
        library = os.path.join(work, "moved_clock.so")
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "moved_clock.c")
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, source], check=True)
        self.file = os.open(os.path.join(work, "clock"), os.O_RDWR | os.O_CREAT)
        self.environment = {"LD_PRELOAD": library, "CLOCK_FILE": os.path.join(work, "clock")}
        self.set(0)

    def set(self, seconds):
        """So far ahead of the true time, from now on."""
        os.pwrite(self.file, struct.pack("=q", seconds), 0)
