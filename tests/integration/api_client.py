#!/usr/bin/env python3
"""The API through a client that is generated from its OpenAPI document: PyPI's openapi-python-client
writes it, every GET operation is called with it, and typeguard holds every field of every answer
against the type that the document promises. What an answer has and the document does not fails,
too."""
import importlib
import json
import os
import pathlib
import subprocess
import sys
import types
import typing
import urllib.request

HERE = pathlib.Path(__file__).resolve()
sys.path[:0] = [str(HERE.parent / "lib"), str(HERE.parents[1] / "scenario" / "lib")]
import peer  # noqa: E402
from service import config, event, model, text  # noqa: E402
from tap import WORK, Server, check, finish, skip  # noqa: E402

WHAT = "a client generated from the document gets what it was promised"

# The generator reads no JSON lines; what is sent as such is bytes to it.
GENERATOR = {"literal_enums": True,
             "content_type_overrides": {"application/x-ndjson": "application/octet-stream"}}

# What operations are asked; those that are not here take no arguments. A list: each in turn.
DECIDED = event(0)["event_id"]
QUESTIONS = {
    "get_api_v1_decision": [{"event_id": DECIDED}],
    "get_api_v1_decision_record": [{"event_id": DECIDED}],
    "get_api_v1_decisions": [{}, {"limit": 5, "min_score": 0.0}],
    "get_api_v1_quarantine": [{}, {"limit": 1}],
    "get_api_v1_drift": [{}, {"feature": "score"}],
    "get_api_v1_panel": [{"expression": "100 * decline / accepted"}],
    "get_api_v1_history": [{"series": "events,latency_p95_us", "by": "variant"}],
    "get_api_v1_heatmap": [{"of": "score"}, {"of": "latency"}],
    "get_api_v1_logs": [{}, {"limit": 3}],
    "get_api_v1_performance": [{}, {"by": "variant"}, {"by": "time"}],
}


def generate(document, folder):
    """The client's package, and what the generator found wrong with the document."""
    (folder / "openapi.json").write_text(json.dumps(document))
    (folder / "generator.json").write_text(json.dumps(GENERATOR))
    programs = pathlib.Path(sys.executable).parent
    run = subprocess.run(
        [programs / "openapi-python-client", "generate", "--path", "openapi.json", "--config",
         "generator.json", "--output-path", folder / "client", "--meta", "none"],
        cwd=folder, env={**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"},
        capture_output=True, text=True, timeout=120, check=False)
    clean = run.returncode == 0 and "WARNING" not in run.stdout and "Unable" not in run.stdout
    check(clean, "the generator reads all of the document", run.stdout[-3000:] + run.stderr[-500:])
    sys.path.insert(0, str(folder))
    return importlib.import_module("client")


class Promises:
    """Holds parsed answers against the types of their classes."""

    def __init__(self, client):
        from typeguard import check_type
        self.check_type = check_type
        models = importlib.import_module("client.models")
        kinds = importlib.import_module("client.types")
        self.names = {**vars(typing), **vars(models), "Unset": kinds.Unset,
                      "datetime": importlib.import_module("datetime")}
        self.models = {value for value in vars(models).values() if isinstance(value, type)}
        self.client = client

    def broken(self, value, where):
        """What of the value is not as its class says, as lines."""
        if isinstance(value, (list, tuple)):
            return [line for i, one in enumerate(value) for line in self.broken(one, f"{where}[{i}]")]
        if type(value) not in self.models or not hasattr(type(value), "__attrs_attrs__"):
            return []
        hints = typing.get_type_hints(type(value), self.names, self.names)
        fields = [field.name for field in type(value).__attrs_attrs__
                  if field.name != "additional_properties"]
        lines = []
        for name in fields:
            part = getattr(value, name)
            try:
                self.check_type(part, hints[name])
            except Exception as problem:  # pylint: disable=broad-except
                lines.append(f"{where}.{name}: {problem}")
            lines += self.broken(part, f"{where}.{name}")
        more = getattr(value, "additional_properties", {})
        if fields and more:
            lines.append(f"{where}: the document does not know {', '.join(more)}")
        for name, part in more.items():
            lines += self.broken(part, f"{where}[{name}]")
        return lines


def call_all(client, url, document):
    """Calls every GET operation of the document by its generated function."""
    promises = Promises(client)
    connection = client.Client(base_url=url)
    problem = importlib.import_module("client.models").Problem
    for path, operations in sorted(document["paths"].items()):
        if "get" not in operations or path == "/live":
            continue
        name = operations["get"]["operationId"]
        module = importlib.import_module(f"client.api.default.{name}")
        wrong = []
        for question in QUESTIONS.get(name, [{}]):
            try:
                answer = module.sync_detailed(client=connection, **question)
            except (KeyError, TypeError, ValueError) as lacking:
                wrong.append(f"{question}: the client cannot read it: {lacking!r}")
                continue
            if answer.status_code != 200 or isinstance(answer.parsed, (problem, types.NoneType)):
                wrong.append(f"{question}: {answer.status_code} {answer.content[:300]}")
            wrong += promises.broken(answer.parsed, path)
        check(not wrong, f"{name} answers as promised", "\n".join(wrong[:12]))


def post(url, path, body):
    try:
        urllib.request.urlopen(urllib.request.Request(url + path, data=body.encode())).close()
    except urllib.error.HTTPError as refused:
        refused.close()


def first_answers(url):
    """Decisions, their truth and a quarantined event exist before the questions begin."""
    post(url, "/v1/score", text(event(0, event_id=DECIDED)))
    for number in range(1, 40):
        post(url, "/v1/score", text(event(number, user_id=f"user-{number}")))
    post(url, "/v1/score", text(event(40, country="XX")))
    post(url, "/v1/labels", json.dumps({"event_id": DECIDED, "label": 1}))


def main():
    if not peer.INSIDE:
        python = peer.environment("openapi_python_client, typeguard, httpx", "openapi-python-client",
                                  "typeguard", "ruff")
        if python is None:
            skip(WHAT, "PyPI cannot be reached")
            return 0
        return peer.run_inside(python, HERE)
    folder = config(extra="""
views:
  - {name: money, title: Money, panels: [{title: Declined, expression: 100 * decline / accepted, kind: line}]}
expectations:
  - {name: mostly-known, check: "null_share('country') < 0.5", over: 5m}
""")
    path, _ = model(folder)
    server = Server("--config", folder, "--model", path, "--ledger", pathlib.Path(WORK, "ledger"))
    check(server.wait_ready(), "a service runs", server.output())
    first_answers(server.url)
    with urllib.request.urlopen(server.url + "/api/openapi.json") as answer:
        document = json.load(answer)
    generated = pathlib.Path(WORK, "generated")
    generated.mkdir()
    call_all(generate(document, generated), server.url, document)
    check(server.stop() == 0, "the service ends well", server.output())
    return finish()


if __name__ == "__main__":
    sys.exit(main())
