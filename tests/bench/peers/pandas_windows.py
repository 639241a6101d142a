"""The Handbook's windows by pandas: per customer counts and mean amounts, per terminal counts and risk
a week late, over 1, 7 and 30 days, group by group as the Handbook's text describes it. Prints JSON:
seconds for the windows, and for reading the file.

usage: pandas_windows.py EVENTS.csv [FEATURES.csv]    the second: what to compare the windows with"""
import json
import sys
import time

import pandas

DAYS, DELAY = (1, 7, 30), 7


def of_customer(group):
    amounts = group.set_index("TX_DATETIME").TX_AMOUNT
    for days in DAYS:
        window = amounts.rolling(f"{days}D")
        group[f"CUSTOMER_ID_NB_TX_{days}DAY_WINDOW"] = window.count().to_numpy()
        group[f"CUSTOMER_ID_AVG_AMOUNT_{days}DAY_WINDOW"] = window.mean().to_numpy()
    return group


def of_terminal(group):
    frauds = group.set_index("TX_DATETIME").TX_FRAUD
    late = frauds.rolling(f"{DELAY}D")
    late_count, late_frauds = late.count(), late.sum()
    for days in DAYS:
        window = frauds.rolling(f"{DELAY + days}D")
        count = (window.count() - late_count).to_numpy()
        found = (window.sum() - late_frauds).to_numpy()
        group[f"TERMINAL_ID_NB_TX_{days}DAY_WINDOW"] = count
        group[f"TERMINAL_ID_RISK_{days}DAY_WINDOW"] = \
            pandas.Series(found / count, index=group.index).where(count > 0, 0)
    return group


def by_group(table, key, function):
    parts = [function(group.copy()) for _, group in table.groupby(key)]
    return pandas.concat(parts).sort_index()


began = time.monotonic()
table = pandas.read_csv(sys.argv[1], parse_dates=["TX_DATETIME"])
read = time.monotonic()
table = by_group(table, "CUSTOMER_ID", of_customer)
table = by_group(table, "TERMINAL_ID", of_terminal)
done = time.monotonic()
found = {"events": len(table), "read_s": read - began, "windows_s": done - read, "worst": None}
if len(sys.argv) > 2:
    ours = pandas.read_csv(sys.argv[2])
    names = [name for name in table.columns if name.endswith("_WINDOW")]
    found["worst"] = max(float((table[name] - ours[name]).abs().max()) for name in names)
    found["columns"] = len(names)
print(json.dumps(found))
