"""A file of events into a durable ledger by `binnacle replay`, on all cores."""
import os
import shutil

import world
from report import say

EVENTS, SMOKE_EVENTS, REPETITIONS = 200_000, 5_000, 3


def once(options, config, model, events, count, report):
    ledger = os.path.join(options.work, "replayed")
    found = world.last_json(world.binnacle("replay", "--config", config, "--model", model, "--ledger",
                                           ledger, events))
    report.check(found["accepted"] == count and sum(found["decisions"].values()) == count,
                 f"all of {count} events are decided on and recorded", found)
    bytes_each = sum(entry.stat().st_size for entry in os.scandir(ledger) if entry.is_file()) / count
    shutil.rmtree(ledger)
    return found["events_per_s"], bytes_each


def measure(report, options, count, repetitions):
    config = world.transactions(options.work, "config-replay")
    explaining = world.transactions(options.work, "config-replay-reasons", extra=world.ALL_REASONS)
    model, _ = world.trained(options.work, config)
    events = os.path.join(options.work, "replay.jsonl")
    world.binnacle("produce", "--count", count, "--rate", 200, "--users", 20000, "--seed", 9,
                   "--start", "2026-01-01T00:00:00Z", "--to", events)
    say("replay ...")
    found, explained = [], []
    for _ in range(repetitions):
        found.append(once(options, config, model, events, count, report))
        explained.append(once(options, explaining, model, events, count, report)[0])
    os.unlink(events)
    report.add("replay to a durable ledger", "events/s", [rate for rate, _ in found],
               goal="replay to a durable ledger, events/s", explained=explained)
    report.note(f"{found[0][1]:,.0f} bytes of ledger an event")


def run(report, options):
    report.heading("replay", f"{EVENTS:,} synthetic events, 27 features, 100x6, reasons for review "
                   "and decline; all cores")
    measure(report, options, EVENTS, REPETITIONS)


def smoke(report, options):
    report.heading("replay", f"{SMOKE_EVENTS:,} synthetic events")
    measure(report, options, SMOKE_EVENTS, 1)
