#!/usr/bin/env python3
"""Concept drift: `binnacle detect` fires where River's own detectors fire, on the errors of a
classifier that learns ELEC2 and on synthetic streams (abrupt, gradual and no change).

River comes from PyPI into a private environment that is kept between runs; where PyPI cannot be
reached, this is skipped."""
import gzip
import itertools
import json
import os
import pathlib
import random
import subprocess
import sys
import warnings

HERE = pathlib.Path(__file__).resolve()
sys.path.insert(0, str(HERE.parent / "lib"))
import peer
from verdict import check

BINNACLE = os.path.abspath(os.environ.get("BINNACLE", "build/dev/binnacle"))
DATA = pathlib.Path(os.environ.get("BINNACLE_DATA", "../shared/data")) / "elec2.csv.gz"
SAME = "the positions are River's"
ELEC2_ROWS = 20000
SETTINGS = {
    "adwin": ({}, {"delta": .05, "clock": 1}, {"max_buckets": 2, "min_window_length": 1, "grace_period": 0}),
    "ddm": ({}, {"warm_start": 5, "drift_threshold": 2.0}),
    "eddm": ({}, {"warm_start": 10, "alpha": .99, "beta": .98}),
    "hddm_a": ({}, {"two_sided_test": True}, {"drift_confidence": .05}),
    "ph": ({}, {"mode": "up", "threshold": 10}, {"mode": "down", "delta": .1, "alpha": 1, "threshold": 5.0}),
    "kswin": ({}, {"seed": 7, "alpha": .05}, {"window_size": 300, "stat_size": 20, "seed": 2 ** 33 + 1}),
}


def theirs(method, settings, numbers):
    from river import drift
    kinds = {"adwin": drift.ADWIN, "ddm": drift.binary.DDM, "eddm": drift.binary.EDDM,
             "hddm_a": drift.binary.HDDMA, "ph": drift.PageHinkley, "kswin": drift.KSWIN}
    if method == "kswin":
        settings = {"seed": 42, **settings}
    detector, positions = kinds[method](**settings), []
    for at, number in enumerate(numbers):
        detector.update(number)
        if detector.drift_detected:
            positions.append(at)
    return positions


def ours(method, settings, numbers):
    words = [f"--set={name}={str(value).lower()}" for name, value in settings.items()]
    done = subprocess.run([BINNACLE, "detect", "--method", method, "--json", *words], text=True,
                          input="".join(f"{number!r}\n" for number in numbers), capture_output=True,
                          check=False)
    return json.loads(done.stdout)["positions"] if done.returncode == 0 else done.stderr


def streams(rng):
    for n in (1, 30, 200, 2000):
        for kind in ("no change", "abrupt", "gradual"):
            steps = [rng.random() for _ in range(3)]
            rates = [.2 if kind == "no change" else .1 + .5 * at / n if kind == "gradual"
                     else steps[at * 3 // n] for at in range(n)]
            yield f"{kind}, {n} errors", True, [int(rng.random() < rate) for rate in rates]
            yield f"{kind}, {n} reals", False, [rng.gauss(10 * rate, 1) for rate in rates]


def elec2():
    """Errors of a Gaussian naive Bayes that is asked before it is told."""
    from river import naive_bayes
    model, errors = naive_bayes.GaussianNB(), []
    with gzip.open(DATA, "rt") as file:
        names = file.readline().split(",")[:-1]
        for line in itertools.islice(file, ELEC2_ROWS):
            cells = line.split(",")
            row, truth = dict(zip(names, map(float, cells))), int(cells[-1])
            errors.append(int(model.predict_one(row) != truth))
            model.learn_one(row, truth)
    return errors


def is_tried(method, name, binary, numbers):
    """DDM counts errors. River's KSWIN tests two samples at every number, which takes longer than
    everything else together: of the long streams it gets those that have something to find."""
    if method == "ddm":
        return binary
    return method != "kswin" or len(numbers) <= 200 or name.startswith("abrupt")


def compare():
    warnings.simplefilter("ignore")
    good, n = True, 0
    cases = [(name, numbers, method, settings)
             for name, binary, numbers in streams(random.Random(5))
             for method, all_settings in SETTINGS.items()
             if is_tried(method, name, binary, numbers)
             for settings in all_settings]
    wrong = [(name, method, settings) for name, numbers, method, settings in cases
             if theirs(method, settings, numbers) != ours(method, settings, numbers)]
    n = len(cases)
    good = check(not wrong, f"{SAME} on {n} synthetic streams and settings", wrong)
    if not DATA.exists():
        print(f"ok - {SAME} on ELEC2 # SKIP the data is not here")
        return good
    errors = elec2()
    for method in SETTINGS:
        expected = theirs(method, {}, errors)
        good &= check(expected and ours(method, {}, errors) == expected,
                      f"{method}: {SAME} on ELEC2, {len(expected)} of them")
    return good


def main():
    if peer.INSIDE:
        sys.exit(0 if compare() else 1)
    python = peer.environment("river", "river")
    if python is None:
        print(f"ok - {SAME} # SKIP PyPI cannot be reached")
        return
    sys.exit(peer.run_inside(python, str(HERE)))


main()
