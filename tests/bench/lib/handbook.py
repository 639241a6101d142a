"""The Fraud Detection Handbook's half year: twelve exact windows, score and record by `binnacle
replay`, against pandas for the windows alone. A slice, unless --long: the first events of the file,
its time times the whole over the slice. That flatters neither: both go by the event."""
import gzip
import itertools
import json
import os
import subprocess

import world
from report import say

WHOLE, SLICE = 1_754_155, 150_000
NAME = "fdh_transactions.csv.gz"
CONFIG = world.ROOT / "packaging" / "examples" / "card-fraud"
SLACK = 1e-3  # pandas' running means drift, and ours are printed as float32


def take(source, target, count):
    with gzip.open(source, "rt", encoding="ascii") as whole, \
            open(target, "w", encoding="ascii") as out:
        out.writelines(itertools.islice(whole, count + 1))


def own(options, events, model):
    ledger = os.path.join(options.work, "handbook")
    return world.last_json(world.binnacle("replay", "--config", CONFIG, "--model", model, "--ledger",
                                          ledger, events, timeout=900))


def pandas(options, events):
    features = os.path.join(options.work, "features.csv")
    world.binnacle("features", "--config", CONFIG, "-o", features, events, timeout=900)
    done = subprocess.run([world.python("peers"), world.PEERS / "pandas_windows.py", events, features],
                          text=True, capture_output=True, check=False, timeout=1800)
    if done.returncode != 0:
        raise RuntimeError(f"pandas: {done.stderr.strip()[-300:]}")
    return json.loads(done.stdout)


def run(report, options):
    source = world.DATA / NAME
    count = WHOLE if options.long else SLICE
    report.heading("handbook", f"{count:,} of {WHOLE:,} events, 12 windows, score, record"
                   + ("" if options.long else "; times extrapolated to the whole"))
    if not source.exists():
        report.not_measured("handbook", f"{NAME} is not in $BINNACLE_DATA")
        return
    events = os.path.join(options.work, "handbook.csv")
    model = os.path.join(options.work, "handbook.json")
    take(source, events, count)
    say("handbook: training ...")
    world.binnacle("train", "--config", CONFIG, "--data", events, "-o", model, timeout=900)
    say("handbook: replay ...")
    found = own(options, events, model)
    report.check(found["accepted"] == count, "every event is decided on and recorded", found)
    scale = WHOLE / count
    seconds = found["seconds"] * scale
    if world.python("peers"):
        say("handbook: pandas ...")
        theirs = pandas(options, events)
        report.check(theirs["columns"] == 12 and theirs["worst"] < SLACK,
                     "the twelve windows are those of pandas", theirs)
        report.add("Handbook, all of it / windows alone", "s", [seconds], "pandas",
                   [theirs["windows_s"] * scale], smaller=True)
    else:
        report.not_measured("pandas", "tests/bench/setup has not installed it")
    report.held("Handbook, whole, seconds", seconds)


def smoke(report, options):
    """Without pandas, the first events only."""
    source = world.DATA / NAME
    report.heading("handbook", "the first 20,000 events")
    if not source.exists():
        report.not_measured("handbook", f"{NAME} is not in $BINNACLE_DATA")
        return
    events = os.path.join(options.work, "handbook.csv")
    take(source, events, 20000)
    model = os.path.join(options.work, "handbook.json")
    world.binnacle("train", "--config", CONFIG, "--data", events, "-o", model)
    found = own(options, events, model)
    report.check(found["accepted"] == 20000, "every event is decided on and recorded", found)
    report.add("Handbook, slice", "s", [found["seconds"]])
