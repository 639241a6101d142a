"""Lines that tests/run counts, for comparisons with peers, and when two numbers are the same."""
import json
import math
import subprocess
import sys

MOST_DETAILS = 20
FAILED = []  # behaviours


def check(good, behaviour, details=()):
    """Prints one result line, the details (a list, or one text) only when it failed; returns whether it
    was good."""
    print(("ok - " if good else "not ok - ") + behaviour, flush=True)
    if not good:
        FAILED.append(behaviour)
        lines = details if isinstance(details, (list, tuple)) else str(details).splitlines()
        print("".join(f"# {line}\n" for line in lines[:MOST_DETAILS]), end="", flush=True)
    return bool(good)


def differs(got, want, near):
    """None and NaN are no data, which only no data equals."""
    if got is None or want is None or math.isnan(want):
        return not (got is None and (want is None or math.isnan(want)))
    return abs(got - want) > near * max(1, abs(want))


def answer_of(command, codes=(0,)):
    """The JSON document that a command prints; NaN and the like are none."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in codes, done.stderr
    return json.loads(done.stdout, parse_constant=lambda word: sys.exit(f"{word} is not JSON"))
