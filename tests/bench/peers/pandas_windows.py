"""The Handbook's windows by pandas: per customer counts and mean amounts, per terminal counts and risk
a week late, over 1, 7 and 30 days, group by group as the Handbook's text describes it. Prints JSON:
seconds for the windows, and for reading the file.

usage: pandas_windows.py EVENTS.csv FEATURES.csv EVERY
FEATURES.csv is what to compare the windows with. Only customers and terminals whose number EVERY
divides are looked at."""
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


def worst(table, ours):
    """The largest difference of any window, and how many columns there are."""
    names = [name for name in table.columns if name.endswith("_WINDOW")]
    ours = ours.loc[table.index]
    return max(float((table[name] - ours[name]).abs().max()) for name in names), len(names)


every = int(sys.argv[3])
table = pandas.read_csv(sys.argv[1], parse_dates=["TX_DATETIME"])
began = time.monotonic()
customers = by_group(table[table.CUSTOMER_ID % every == 0], "CUSTOMER_ID", of_customer)
terminals = by_group(table[table.TERMINAL_ID % every == 0], "TERMINAL_ID", of_terminal)
seconds = time.monotonic() - began
ours = pandas.read_csv(sys.argv[2])
found = [worst(part, ours) for part in (customers, terminals)]
print(json.dumps({"events": len(table), "windows_s": seconds,
                  "worst": max(difference for difference, _ in found),
                  "columns": sum(columns for _, columns in found)}))
