"""What a ledger's day files hold, read with SQLite itself and not by the binary under test."""
import glob
import os
import sqlite3

KINDS = ("approve", "review", "decline")
COLUMNS = ("idx", "event_id", "entity", "event_us", "decided_us", "input", "features", "score",
           "margin", "decision")


def _each(folder, query):
    for path in sorted(glob.glob(os.path.join(folder, "????-??-??.db"))):
        day = sqlite3.connect(path)
        try:
            yield from day.execute(query)
        finally:
            day.close()


def decisions(folder):
    """Every decision by the order of its leaf: a dictionary of COLUMNS."""
    found = [dict(zip(COLUMNS, row))
             for row in _each(folder, f"SELECT {', '.join(COLUMNS)} FROM decisions")]
    for row in found:
        row["decision"] = KINDS[row["decision"]]
    return sorted(found, key=lambda row: row["idx"])


def labels(folder):
    return list(_each(folder, "SELECT event_id, label FROM labels"))


def quarantined(folder):
    """The violations of every quarantined event, as text."""
    return [row[0] for row in _each(folder, "SELECT violations FROM quarantine")]


def leaves(folder):
    """The index of every leaf, in order."""
    return sorted(row[0] for table in ("decisions", "labels", "actions")
                  for row in _each(folder, f"SELECT idx FROM {table}"))


def tree_size(folder):
    """What the newest day file says it is."""
    return max((row[0] for row in _each(folder, "SELECT tree_size FROM state")), default=0)


def whole(folder):
    """Nothing when every leaf is there once and every event decided once, else what is not."""
    found, events = leaves(folder), [row["event_id"] for row in decisions(folder)]
    if found != list(range(tree_size(folder))):
        return f"{len(found)} leaves, a tree of {tree_size(folder)}"
    if len(set(events)) != len(events):
        return f"{len(events) - len(set(events))} events have two rows"
    return ""
