"""The Fraud Detection Handbook's half year: twelve exact windows, score and record by `binnacle
replay`, against pandas for the windows alone. binnacle takes all of it. pandas takes, unless --long,
all events of every 25th customer and terminal, and its time times 25 is the whole: what a group costs
and what an event costs both grow so. (The first events of the file would not do: they have all of the
groups.)"""
import gzip
import itertools
import json
import os
import shutil
import subprocess

import world
from report import say

WHOLE, TRAINING, EVERY = 1_754_155, 150_000, 25
NAME = "fdh_transactions.csv.gz"
CONFIG = world.ROOT / "packaging" / "examples" / "card-fraud"
SLACK = 1e-3  # pandas' running means drift, and ours are printed as float32


def take(source, target, count):
    with gzip.open(source, "rt", encoding="ascii") as whole, \
            open(target, "w", encoding="ascii") as out:
        out.writelines(itertools.islice(whole, count + 1))


def own(options, events, model, config=CONFIG):
    ledger = os.path.join(options.work, "handbook")
    found = world.last_json(world.binnacle("replay", "--config", config, "--model", model, "--ledger",
                                           ledger, events, timeout=900))
    shutil.rmtree(ledger)
    return found


def explaining(options):
    """The configuration with all reasons of every decision in line."""
    config = os.path.join(options.work, "handbook-reasons")
    shutil.copytree(CONFIG, config)
    with open(os.path.join(config, "binnacle.yaml"), "a", encoding="utf-8") as file:
        file.write("\n" + world.ALL_REASONS)
    return config


def take_groups(source, target):
    with gzip.open(source, "rt", encoding="ascii") as whole, \
            open(target, "w", encoding="ascii") as out:
        out.write(next(whole))
        for line in whole:
            _, _, customer, terminal, _ = line.split(",", 4)
            if int(customer) % EVERY == 0 or int(terminal) % EVERY == 0:
                out.write(line)


def pandas(report, options, source):
    """Seconds for all windows of all events."""
    every = 1 if options.long else EVERY
    events = source
    if every > 1:
        events = os.path.join(options.work, "groups.csv")
        take_groups(source, events)
    features = os.path.join(options.work, "features.csv")
    world.binnacle("features", "--config", CONFIG, "-o", features, events, timeout=900)
    done = subprocess.run([world.python("peers"), world.PEERS / "pandas_windows.py", events, features,
                           str(every)], text=True, capture_output=True, check=False, timeout=1800)
    if done.returncode != 0:
        raise RuntimeError(f"pandas: {done.stderr.strip()[-300:]}")
    theirs = json.loads(done.stdout)
    report.check(theirs["columns"] == 12 and theirs["worst"] < SLACK,
                 "the twelve windows are those of pandas", theirs)
    return theirs["windows_s"] * every


def run(report, options):
    source = world.DATA / NAME
    report.heading("handbook", f"{WHOLE:,} events, 12 windows, score, record; pandas: the windows of "
                   + ("all groups" if options.long else f"1 in {EVERY} groups, times {EVERY}"))
    if not source.exists():
        report.not_measured("handbook", f"{NAME} is not in $BINNACLE_DATA")
        return
    events = os.path.join(options.work, "handbook.csv")
    model = os.path.join(options.work, "handbook.json")
    take(source, events, TRAINING)
    say("handbook: training ...")
    world.binnacle("train", "--config", CONFIG, "--data", events, "-o", model, timeout=900)
    say("handbook: replay ...")
    found = own(options, source, model)
    explained = own(options, source, model, explaining(options))
    report.check(found["accepted"] == explained["accepted"] == WHOLE,
                 "every event is decided on and recorded", [found, explained])
    if world.python("peers"):
        say("handbook: pandas ...")
        report.add("Handbook, all of it / windows alone", "s", [found["seconds"]], "pandas",
                   [pandas(report, options, source)], smaller=True,
                   explained=[explained["seconds"]])
    else:
        report.not_measured("pandas", "tests/bench/setup has not installed it")
    report.held("Handbook, whole, seconds", found["seconds"], explained["seconds"])


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
    explained = own(options, events, model, explaining(options))
    report.check(explained["accepted"] == 20000, "with all reasons in line, too", explained)
    report.add("Handbook, slice", "s", [found["seconds"]], explained=[explained["seconds"]])
