"""What each stage of a decision costs on one core, by `binnacle bench`: processor time of the thread that
carries the batch, so that a loaded machine weighs less than it does on the clock."""
import json

import world
from report import say

REPETITIONS = 3
# what is printed: the stages of `binnacle bench` that it is the sum of, and its goal
BUDGETED = {
    "parse and contract": (("parse", "contract"), "stage: parse and contract, ns"),
    "features": (("features",), "stage: features, ns"),
    "score 100x6": (("score",), "stage: score 100x6, ns"),
    "rules": (("rules",), "stage: rules, ns"),
    "observe": (("observe",), "stage: observe, ns"),
}


def measure(report, repetitions, *arguments):
    say("stages ...")
    found = [json.loads(world.binnacle("bench", "--json", *arguments)) for _ in range(repetitions)]
    for what, (names, goal) in BUDGETED.items():
        report.add(what, "ns an event", [sum(one["stages_ns"][name] for name in names) for one in found],
                   goal=goal)
    others = sorted(set(found[0]["stages_ns"]) - {name for names, _ in BUDGETED.values() for name in names})
    for what in others:
        report.add(what.replace("_", " "), "ns an event", [one["stages_ns"][what] for one in found])
    report.add("all stages, with the ledger's thread", "ns an event", [one["total_ns"] for one in found])
    for one in found:
        report.check(abs(sum(one["stages_ns"].values()) / one["total_ns"] - 1) < 0.05,
                     "the stages are all of the work", one)


def run(report, options):
    report.heading("stages", "one core, transactions, 27 features, 100x6; in batches of 1,024")
    measure(report, REPETITIONS)


def smoke(report, options):
    report.heading("stages", "2,048 events")
    measure(report, 1, "--events", 2048)
