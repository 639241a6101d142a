"""The history: what a year of minutes, labels and all, takes of the disk at 40 events a second, and
how long panels over thirty days take. Events are made up and arrive by their own clock."""
import json
import os
import shutil
import subprocess

import world
from report import say

PANELS = {  # as tests/bench/history.c calls them
    "panel": "panel of 30 days", "panel_by_country": "by country", "panel_psi": "of PSI",
    "panel_by_two": "by country and device", "panel_by_four": "by four labels",
    "panel_psi_by_two": "of PSI by country and device",
    "panel_distances_by_country": "of four distances by country",
    "panel_where": "of one country and device", "panel_half_hours": "by half an hour",
    "panel_usual_step_by_two": "by two hours, country and device",
    "week_half_hours_by_two": "a week by half an hour, country and device",
}
PROGRAM = os.path.join(os.path.dirname(world.BINNACLE), "bench", "history")


def measure(options, name, days, rate, countries=9):
    folder = os.path.join(options.work, name)
    os.makedirs(folder)
    say(f"history of {days} days at {rate} events/s ...")
    done = subprocess.run([PROGRAM, folder, str(days), str(rate), str(countries)], stdout=subprocess.PIPE,
                          text=True, timeout=1200, check=True)
    shutil.rmtree(folder)
    return json.loads(done.stdout)


def run(report, options):
    report.heading("history", "7 countries, 3 devices, 2 variants, 3 decisions, 16 columns")
    size = measure(options, "history-size", 1, 40)
    report.add("a year of history", "GB", [size["year_gb"]], goal="a year of history, GB")
    report.add("counting", "ns", [size["counting_ns_per_event"]])
    wide = measure(options, "history-wide", 1, 40, countries=40)
    report.add("of 40 countries, each as often", "GB", [wide["year_gb"]])
    panels = measure(options, "history-panels", 30, 10)
    goals = {"panel": "panel of 30 days, ms", "panel_by_country": "panel by country, ms"}
    for name, words in PANELS.items():
        report.add(words, "ms", [panels[name + "_ms"]], goal=goals.get(name, "other panels, ms"))


def smoke(report, options):
    report.heading("history", "ten minutes' worth")
    measure(options, "history-smoke", 1, 1)
