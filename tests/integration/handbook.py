#!/usr/bin/env python3
"""The Fraud Detection Handbook's data: README's command gives README's figures, and the features
are those that pandas computes by the Handbook's definitions (chapter 3, baseline transformation).

pandas comes from PyPI into a private environment that is kept between runs; where PyPI cannot be
reached, the comparison is skipped."""
import gzip
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve()
sys.path.insert(0, str(HERE.parent / "lib"))
import peer
from verdict import check

BINNACLE = os.path.abspath(os.environ.get("BINNACLE", "build/dev/binnacle"))
DATA = pathlib.Path(os.environ.get("BINNACLE_DATA", "../shared/data")) / "fdh_transactions.csv.gz"
EVERY = 25  # of the customers and of the terminals, one in so many is compared
SAME = "the features are those of the Handbook, by pandas"
SATURDAY, NIGHT_UNTIL, DELAY_DAYS = 5, 6, 7
WINDOWS_DAYS = (1, 7, 30)


def figures(folder):
    """The command as it stands in README.md, on all of the data."""
    readme = pathlib.Path("README.md").read_text(encoding="utf-8")
    command = re.search(r"^binnacle train .*?-o fraud\.json$", readme, re.S | re.M)
    if not check(command, "README has the command for the published figures"):
        return False
    words = shlex.split(command.group().replace("\\\n", " "))
    words[0] = BINNACLE
    words = [{"fdh_transactions.csv.gz": DATA, "fraud.json": folder / "fraud.json"}.get(word, word)
             for word in words]
    done = subprocess.run([*words, "--json"], capture_output=True, text=True, check=False)
    if not check(done.returncode == 0, "it reads the events, trains and tests", done.stderr):
        return False
    got = json.loads(done.stdout)
    row = re.search(r"^\| binnacle, .*?\| *(\.\d+) *\| *(\.\d+) *\| *(\.\d+) *\|$", readme, re.M)
    names = ("auc", "average_precision", "card_precision")
    said = {name: float(text) for name, text in zip(names, row.groups())} if row else {}
    good = check((got["trained_on"], got["n"], got["positives"]) == (67240, 58264, 385),
                 "67,240 events to train on, 58,264 to test on, 385 of them frauds", got)
    good &= check(got["auc"] >= .852 and got["average_precision"] >= .62 and got["top"] == 100 and
                  got["card_precision"] >= .26, "as good as what is published, to noise", got)
    return good & check(said and all(abs(got[name] - said[name]) <= .0005001 for name in names),
                        "README says what comes out", f"README {said}, it is {got}")


def take_slice(target):
    """All transactions of some customers and of some terminals, with their text as it was."""
    with gzip.open(DATA, "rt") as whole, open(target, "w", encoding="ascii") as out:
        out.write(next(whole))
        for line in whole:
            _, _, customer, terminal, _ = line.split(",", 4)
            if int(customer) % EVERY == 0 or int(terminal) % EVERY == 0:
                out.write(line)


def rolling_sum(table, key, column, days):
    """Of the rows with the same key in (t - days, t], up to the row itself; the table is in order."""
    sums = table.set_index("TX_DATETIME").groupby(key)[column].rolling(f"{days}D").sum()
    # Its rows are grouped by key; within a group they keep their order.
    order = table.groupby(key, sort=True).indices
    flat = [row for name in sorted(order) for row in order[name]]
    result = table[column].astype(float).to_numpy().copy()
    result[flat] = sums.to_numpy()
    return result


def expected_features(table):
    """What the Handbook defines, counted in whole cents so that sums are exact."""
    import numpy
    table = table.assign(cents=(table.TX_AMOUNT * 100).round(), one=1.0)
    made = {"TX_AMOUNT": table.TX_AMOUNT.to_numpy(),
            "TX_DURING_WEEKEND": (table.TX_DATETIME.dt.day_of_week >= SATURDAY).to_numpy() * 1.0,
            "TX_DURING_NIGHT": (table.TX_DATETIME.dt.hour <= NIGHT_UNTIL).to_numpy() * 1.0}
    for days in WINDOWS_DAYS:
        count = rolling_sum(table, "CUSTOMER_ID", "one", days)
        made[f"CUSTOMER_ID_NB_TX_{days}DAY_WINDOW"] = count
        made[f"CUSTOMER_ID_AVG_AMOUNT_{days}DAY_WINDOW"] = \
            rolling_sum(table, "CUSTOMER_ID", "cents", days) / count / 100
    late = {column: rolling_sum(table, "TERMINAL_ID", column, DELAY_DAYS)
            for column in ("one", "TX_FRAUD")}
    for days in WINDOWS_DAYS:
        count, frauds = (rolling_sum(table, "TERMINAL_ID", column, DELAY_DAYS + days) - late[column]
                         for column in ("one", "TX_FRAUD"))
        made[f"TERMINAL_ID_NB_TX_{days}DAY_WINDOW"] = count
        made[f"TERMINAL_ID_RISK_{days}DAY_WINDOW"] = \
            numpy.divide(frauds, count, out=numpy.zeros_like(count), where=count > 0)
    return made


def compare(folder):
    """Counts and flags must be equal, means within 1e-9 before they are rounded to float32."""
    import numpy
    import pandas
    events, ours = folder / "slice.csv", folder / "features.csv"
    take_slice(events)
    with open(ours, "w", encoding="ascii") as out:
        done = subprocess.run([BINNACLE, "features", "--config", "packaging/examples/card-fraud",
                               events], stdout=out, stderr=subprocess.PIPE, text=True, check=False)
    if not check(done.returncode == 0, "features of a slice of the data", done.stderr):
        return False
    table = pandas.read_csv(events, parse_dates=["TX_DATETIME"])
    got, expected = pandas.read_csv(ours), expected_features(table)
    good = check(list(got.columns[1:]) == [name for name in got.columns if name in expected] and
                 len(got.columns) == 16 and len(table) > 100000 and
                 list(got.event_id) == list(table.TRANSACTION_ID),
                 f"one row for each of {len(table):,} events, in order, with the 15 features",
                 f"{len(got)} {list(got.columns)}")
    for name, theirs in expected.items():
        exact = "AVG" not in name and "RISK" not in name
        slack = 0 if exact else 1e-9
        low, high = ((theirs * (1 + sign * slack)).astype("f") for sign in (-1, 1))
        values = got[name].to_numpy().astype("f")
        wrong = numpy.flatnonzero(~((low <= values) & (values <= high)))
        good &= check(len(wrong) == 0, f"{name} is what pandas computes",
                      f"{len(wrong)} differ; the first, of event {got.event_id[wrong[0]]}: "
                      f"{values[wrong[0]]!r}, not {theirs[wrong[0]]!r}" if len(wrong) else "")
    return good


def main():
    if not DATA.exists():
        print("ok - the figures of the Handbook # SKIP its data is not here")
        return 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        if peer.INSIDE:
            return 0 if compare(folder) else 1
        good = figures(folder)
    python = peer.environment("pandas, numpy", "pandas", "numpy")
    if python is None:
        print(f"ok - {SAME} # SKIP pandas cannot be installed from PyPI")
        return 0 if good else 1
    return peer.run_inside(python, HERE) or (0 if good else 1)


if __name__ == "__main__":
    sys.exit(main())
