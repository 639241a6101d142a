"""`drift` of a file against a stored profile: processor time, megabytes a second, memory. To judge one column
all cells have to be found, so what fifty cost above one is reading their numbers and counting them."""
import os
import random
import subprocess

import world
from report import say

COLUMNS = 50
LINES = 20_000  # different ones, repeated


def write(path, rows):
    chance = random.Random(5)
    lines = [",".join(f"{chance.gauss(0, 1):.4g}" for _ in range(COLUMNS)) for _ in range(min(rows, LINES))]
    block = ("\n".join(lines) + "\n").encode()
    with open(path, "wb") as file:
        file.write((",".join(f"f{i}" for i in range(COLUMNS)) + "\n").encode())
        for _ in range(max(1, rows // LINES)):
            file.write(block)
    return path


def spent(*arguments):
    """Seconds of the processor, resident MB at most."""
    process = subprocess.Popen([world.BINNACLE, "drift", *arguments], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):
        raise RuntimeError(f"drift ended with {process.returncode}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def measure(report, options, rows, times):
    folder = os.path.join(options.work, "drift")
    os.makedirs(folder)
    say(f"drift of {rows} rows x {COLUMNS} ...")
    small = write(os.path.join(folder, "small.csv"), min(rows, LINES))
    large = write(os.path.join(folder, "large.csv"), rows)
    profile = os.path.join(folder, "profile.json")
    spent("--reference", small, "--profile-out", profile)
    whole = [spent("--reference", profile, "--current", large) for _ in range(times)]
    one = [spent("--reference", profile, "--current", large, "--features", "f0") for _ in range(times)]
    flat = spent("--reference", profile, "--current", small)[1]
    megabytes = os.path.getsize(large) / 1e6
    report.add("all columns, parsing included", "s", [seconds for seconds, _ in whole])
    report.add("all columns, above reading one", "s",
               [many - few for (many, _), (few, _) in zip(whole, one)], goal="drift above parsing, s")
    report.add("parsing included", "MB/s", [megabytes / seconds for seconds, _ in whole])
    report.add("memory beyond a fiftieth of the file", "MB", [most - flat for _, most in whole],
               goal="drift memory, MB more")
    for name in (small, large, profile):
        os.remove(name)


def run(report, options):
    report.heading("drift", "1,000,000 rows x 50 features against a stored profile, one core")
    measure(report, options, 1_000_000, 3)


def smoke(report, options):
    report.heading("drift", "a few rows")
    measure(report, options, 2000, 1)
