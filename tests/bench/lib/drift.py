"""The CSV reader alone, then `drift` of a file against a stored profile: processor time, megabytes a
second, memory. To judge one column all cells have to be found, so what fifty cost above one is reading
their numbers and counting them."""
import json
import os
import random
import subprocess

import world
from report import say

COLUMNS = 50
LINES = 20_000  # different ones, repeated


# Values as files have them: cents and small counts, measurements, all that a double holds.
KINDS = {
    "short": lambda chance: f"{chance.gauss(0, 1):.2f}" if chance.random() < 0.5 else str(chance.randrange(10)),
    "of 6 to 9 digits": lambda chance: f"{chance.gauss(0, 1):.{chance.randrange(6, 10)}g}",
    "of 17 digits": lambda chance: f"{chance.gauss(0, 1):.17g}",
    "of 4 digits": lambda chance: f"{chance.gauss(0, 1):.4g}",
}


def write(path, rows, kind="of 4 digits"):
    chance = random.Random(5)
    make = KINDS[kind]
    lines = [",".join(make(chance) for _ in range(COLUMNS)) for _ in range(min(rows, LINES))]
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


def read_alone(report, path, rows, times):
    """The reader without anything behind it, in MB/s of one core."""
    say("reading CSV ...")
    for kind in ("short", "of 6 to 9 digits", "of 17 digits"):
        write(path, rows, kind)
        figures = []
        for _ in range(times):
            done = subprocess.run([world.program("csv"), path], stdout=subprocess.PIPE, timeout=120, check=True)
            took = json.loads(done.stdout)
            figures.append(took["bytes"] / 1e6 / took["seconds"])
        report.add(f"reading values {kind}", "MB/s", figures,
                   goal="CSV of short values, MB/s" if kind == "short" else None)
        os.remove(path)


def measure(report, options, rows, times):
    folder = os.path.join(options.work, "drift")
    os.makedirs(folder)
    read_alone(report, os.path.join(folder, "values.csv"), rows // 2, times)
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
