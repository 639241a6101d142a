#!/usr/bin/env python3
"""The exported JSON Schema against an independent validator (PyPI's jsonschema): it must take and
refuse the same events as `binnacle contract check` does. Skipped where jsonschema is missing."""
import copy
import json
import os
import subprocess
import sys
import tempfile

BINNACLE = os.environ.get("BINNACLE", "build/dev/binnacle")
CONTRACT = "packaging/examples/transactions/contract.yaml"

GOOD = {
    "event_id": "01KDYJ2Q8G0123456789ABCDEF", "user_id": "user-42", "transaction_amount": 12.5,
    "country": "US", "device": "ios", "event_ts": "2026-01-02T03:04:05Z", "label": None,
}
MISSING = object()
ODD = [MISSING, None, True, 0, 1, -1, 2, 0.5, 5000, 5000.01, "", "x", "US", "us", "web", "user-7",
       "user-", "1", "01KDYJ2Q8G0123456789ABCDEF", "81KDYJ2Q8G0123456789ABCDEF",
       "01KDYJ2Q8G0123456789ABCDEU", "2026-01-02T03:04:05Z", "2026-13-02T03:04:05Z", [], {}, ["US"]]


def events():
    """The good event, and it with every field in turn set to every odd value."""
    yield GOOD
    for field in GOOD:
        for value in ODD:
            event = copy.deepcopy(GOOD)
            if value is MISSING:
                del event[field]
            else:
                event[field] = value
            yield event
    yield {**GOOD, "unknown": [1, {"a": None}]}


def accepted_by_binnacle(event):
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        file.write(json.dumps(event) + "\n")
        file.flush()
        run = subprocess.run([BINNACLE, "contract", "check", CONTRACT, file.name],
                             stdout=subprocess.DEVNULL, check=False)
    if run.returncode not in (0, 1):
        raise RuntimeError(f"binnacle contract check ended with {run.returncode}")
    return run.returncode == 0


def main():
    try:
        import jsonschema
    except ImportError:
        print("ok - schema agrees with an independent validator # SKIP jsonschema is not installed")
        return 0
    text = subprocess.run([BINNACLE, "contract", "schema", CONTRACT], stdout=subprocess.PIPE,
                          check=True).stdout
    schema = json.loads(text)
    jsonschema.Draft202012Validator.check_schema(schema)
    print("ok - schema is a valid draft 2020-12 schema")
    checker = jsonschema.FormatChecker()
    validator = jsonschema.Draft202012Validator(schema, format_checker=checker)
    differing = 0
    n = 0
    for event in events():
        mine = accepted_by_binnacle(event)
        theirs = validator.is_valid(event)
        timestamp = event.get("event_ts")
        if theirs and not mine and isinstance(timestamp, str) and "date-time" not in checker.checkers:
            continue  # without its optional parts the validator does not look into date-time
        n += 1
        if mine != theirs:
            differing += 1
            print(f"# binnacle {mine}, validator {theirs}: {json.dumps(event)}")
    print(f"{'not ' if differing else ''}ok - schema takes and refuses {n} events as the contract does")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
