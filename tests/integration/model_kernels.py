#!/usr/bin/env python3
"""100,000 rows with missing values through every way of the evaluator that runs on this machine,
each margin equal bit by bit to that of the library that trained the model: the newest of PyPI and
Debian's."""
import array
import os
import pathlib
import random
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve()
sys.path.insert(0, str(HERE.parent / "lib"))
import xgboost_c

BINNACLE = pathlib.Path(os.environ.get("BINNACLE", "build/release/binnacle"))
PROGRAM = BINNACLE.parent / "integration" / "kernel_margins"
N_ROWS = 100_000
N_TRAINING = 4_000
WIDTH = 8
TYPES = ("q",) * 6 + ("c", "c")
PLAIN = {"objective": "binary:logistic", "tree_method": "hist", "max_depth": 6}
MODELS = {
    "100 trees of depth 6": (100, {**PLAIN, "tree_method": "exact"}, False),
    "120 trees of depth 8": (120, {**PLAIN, "max_depth": 8, "eta": 0.1}, False),
    "40 trees of depth 6 and deeper ones": (
        40, {**PLAIN, "max_depth": 0, "grow_policy": "lossguide", "max_leaves": 60}, False),
    "dart": (60, {**PLAIN, "booster": "dart", "rate_drop": 0.2}, False),
    "categories": (60, {**PLAIN, "max_cat_to_onehot": 6}, True),
}


def make_rows():
    """Thresholds are met exactly: cells have few digits, and extremes are among them."""
    chance = random.Random(99)
    extremes = (-0.0, 0.0, 1e-42, -3e38, 3e38, 1.0)
    rows = array.array("f")
    for _ in range(N_ROWS):
        rows.extend((chance.gauss(0, 1), round(chance.gauss(0, 1), 1), chance.gauss(0, 1e5),
                     chance.expovariate(0.01), float(chance.randrange(9)),
                     chance.choice(extremes), float(chance.randrange(60)),
                     float(chance.randrange(5))))
    for i in chance.sample(range(len(rows)), len(rows) // 8):
        rows[i] = float("nan")
    return rows


def label(row):
    missing = sum(cell != cell for cell in row)
    return float((row[0] > 0.3) ^ (row[1] > row[4] / 4 - 1) ^ (row[6] in (3, 17, 41)) ^ (missing > 1))


def inside(path, folder):
    """Trains every model, saves it, and leaves its margins of all rows."""
    library = xgboost_c.Library(path)
    rows = array.array("f")
    rows.frombytes((folder / "rows.f32").read_bytes())
    training = rows[:N_TRAINING * WIDTH]
    labels = array.array("f", (label(training[i:i + WIDTH])
                               for i in range(0, len(training), WIDTH)))
    for number, (n_rounds, parameters, categories) in enumerate(MODELS.values()):
        types = TYPES if categories else ()
        booster = library.train({"nthread": 2, **parameters},
                                library.matrix(training, WIDTH, labels, types), n_rounds)
        library.save(booster, folder / f"{number}.json")
        margins = library.predict(booster, library.matrix(rows, WIDTH, types=types), True)
        (folder / f"{number}.theirs").write_bytes(margins.tobytes())
    print(library.name)


def compare(folder, number, name, version):
    """Prints a line per kernel; returns how many were wrong."""
    run = subprocess.run([PROGRAM, folder / f"{number}.json", folder / "rows.f32",
                          folder / f"{number}.ours"], capture_output=True, text=True, check=False)
    theirs = (folder / f"{number}.theirs").read_bytes()
    if run.returncode or len(theirs) != 4 * N_ROWS:
        print(f"not ok - margins of {name}\n# {run.stderr.strip()}")
        return 1
    failures = 0
    for kernel in run.stdout.split():
        ours = (folder / f"{number}.ours.{kernel}").read_bytes()
        wrong = 0 if ours == theirs else sum(ours[i:i + 4] != theirs[i:i + 4]
                                             for i in range(0, len(theirs), 4))
        print(f"{'not ok' if wrong else 'ok'} - {kernel} gives the bits of xgboost {version} for "
              f"{name}")
        if wrong:
            print(f"# {wrong} of {N_ROWS} rows differ")
        failures += wrong > 0
    return failures


def try_version(wanted, folder):
    path = xgboost_c.path_of(wanted)
    if path is None:
        print(f"ok - margins as xgboost {wanted} # SKIP it cannot be had")
        return 0
    run = subprocess.run([sys.executable, HERE, path, folder], capture_output=True, text=True,
                         check=False, timeout=300)
    if run.returncode:
        print(f"not ok - xgboost {wanted} trains models\n# {run.stderr.strip()[-300:]}")
        return 1
    return sum(compare(folder, number, name, run.stdout.strip())
               for number, name in enumerate(MODELS))


def main():
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "rows.f32").write_bytes(make_rows().tobytes())
        failures = sum(try_version(wanted, folder)
                       for wanted in (xgboost_c.NEWEST, xgboost_c.SYSTEM))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(inside(sys.argv[1], pathlib.Path(sys.argv[2])) if len(sys.argv) > 1 else main())
