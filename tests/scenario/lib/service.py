"""A transactions service to try things on: a configuration, a model, events."""
import json
import os
import shutil
import time

from tap import EXAMPLES, WORK, check, run

DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def ulid(number):
    """A ULID of this millisecond whose random part is `number`."""
    value = (int(time.time() * 1000) << 80) | number
    return "".join(DIGITS[(value >> shift) & 31] for shift in range(125, -1, -5))


def event(number, **changes):
    """A good event of the default contract, with changes; a change to ... leaves the field out."""
    fields = {"event_id": ulid(number), "user_id": "user-42", "transaction_amount": 12.5,
              "country": "US", "device": "web", "label": None,
              "event_ts": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 1))}
    fields.update(changes)
    return {name: value for name, value in fields.items() if value is not ...}


def text(fields):
    return json.dumps(fields)


def config(source="http", extra="", name="config", example="transactions"):
    """A copy of an example's folder with this source."""
    folder = os.path.join(WORK, name)
    shutil.copytree(os.path.join(EXAMPLES, example), folder)
    path = os.path.join(folder, "binnacle.yaml")
    with open(path) as file:
        kept, skipping = [], False
        for line in file:
            if not line.startswith((" ", "#", "\n")):
                skipping = line.startswith(("source:", "listen"))
            if not skipping:
                kept.append(line)
    with open(path, "w") as file:
        file.write("".join(kept) + f"\nsource: {{type: {source}}}\n" + extra)
    return folder


def model(folder):
    """A small model trained on synthetic events; also returns the events' file."""
    events, path = os.path.join(WORK, "training.jsonl"), os.path.join(WORK, "model.json")
    if os.path.exists(path):
        return path, events
    code, _, problem = run("produce", "--count", 20000, "--seed", 3, "--fraud", 0.03,
                           "--with-labels", "--to", events)
    check(code == 0, "synthetic events are produced", problem)
    code, _, problem = run("train", "--config", folder, "--data", events, "-o", path)
    check(code == 0, "a model is trained on them", problem)
    return path, events
