#!/usr/bin/env python3
"""How soon each concept-drift detector finds a change that is known, and how often it finds one that
is none: errors at a rate of .2 that becomes .4 after 5,000 of 10,000 (at once, or over 2,000), or
stays. Prints the table of engine/stats/README.md.

usage: tests/bench/detectors.py [STREAMS]   ($BINNACLE: the binary, build/dev/binnacle)"""
import os
import random
import subprocess
import sys

BINNACLE = os.environ.get("BINNACLE", "build/dev/binnacle")
METHODS = ("adwin", "ddm", "eddm", "hddm_a", "ph", "kswin")
LENGTH, CHANGE, RAMP = 10000, 5000, 2000


def rate(kind, at):
    if kind == "none" or at < CHANGE:
        return .2
    return .4 if kind == "abrupt" else min(.4, .2 + .2 * (at - CHANGE) / RAMP)


def positions(method, errors):
    done = subprocess.run([BINNACLE, "detect", "--method", method], input=errors, text=True,
                          capture_output=True, check=True)
    return [int(line) for line in done.stdout.split()]


def main():
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    print("| method | abrupt: delay | missed | gradual: delay | missed | false alarms in 10,000 |")
    print("|---|---|---|---|---|---|")
    for method in METHODS:
        cells, false, quiet = [], 0, 0
        for kind in ("abrupt", "gradual", "none"):
            rng, delays = random.Random(kind), []
            for _ in range(n):
                found = positions(method, "".join(
                    f"{int(rng.random() < rate(kind, at))}\n" for at in range(LENGTH)))
                until = LENGTH if kind == "none" else CHANGE
                false += sum(at < until for at in found)
                quiet += until
                delays += [at - CHANGE for at in found if at >= CHANGE][:1]
            if kind != "none":
                mean = f"{sum(delays) / len(delays):.0f}" if delays else "-"
                cells += [mean, f"{n - len(delays)} of {n}"]
        print(f"| `{method}` | {' | '.join(cells)} | {false / quiet * 10000:.1f} |", flush=True)


main()
