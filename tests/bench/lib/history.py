"""The history: what a year of minutes, labels and all, takes of the disk at 40 events a second, and
how long panels over thirty days take. Events are made up and arrive by their own clock."""
import json
import os
import shutil
import subprocess

import world
from report import say

PROGRAM = os.path.join(os.path.dirname(world.BINNACLE), "bench", "history")


def measure(report, options, name, days, rate):
    folder = os.path.join(options.work, name)
    os.makedirs(folder)
    say(f"history of {days} days at {rate} events/s ...")
    done = subprocess.run([PROGRAM, folder, str(days), str(rate)], stdout=subprocess.PIPE,
                          text=True, timeout=1200, check=True)
    shutil.rmtree(folder)
    return json.loads(done.stdout)


def run(report, options):
    report.heading("history", "7 countries, 3 devices, 2 variants, 3 decisions, 16 columns")
    size = measure(report, options, "history-size", 1, 40)
    report.add("a year of history", "GB", [size["year_gb"]], goal="a year of history, GB")
    report.add("counting", "ns", [size["counting_ns_per_event"]])
    panels = measure(report, options, "history-panels", 30, 10)
    report.add("panel of 30 days", "ms", [panels["panel_ms"]], goal="panel of 30 days, ms")
    report.add("by country", "ms", [panels["panel_by_country_ms"]], goal="panel by country, ms")
    report.add("of PSI", "ms", [panels["panel_psi_ms"]])
    report.add("by country and device", "ms", [panels["panel_by_two_ms"]])


def smoke(report, options):
    report.heading("history", "ten minutes' worth")
    measure(report, options, "history-smoke", 1, 1)
