#!/usr/bin/env python3
"""The OpenAPI document against the server that gives it, by two that nobody here wrote: PyPI's
openapi-spec-validator reads the document, schemathesis makes requests of it, good ones and broken
ones, and holds every answer against it: no 5xx, no status, type or shape that is not documented."""
import json
import os
import pathlib
import re
import subprocess
import sys
import urllib.request

HERE = pathlib.Path(__file__).resolve()
sys.path[:0] = [str(HERE.parent / "lib"), str(HERE.parents[1] / "scenario" / "lib")]
import peer  # noqa: E402
from service import config, event, model, text  # noqa: E402
from tap import WORK, Server, check, finish, skip  # noqa: E402

SECONDS = 30
WHAT = "the API is as its OpenAPI document says"

# A label of an event that is not known gets 404, an event with wrong fields 422: both are rules of
# the content, which a schema cannot say. TRACE is refused before there is a request to look at.
SETTINGS = """
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "3xx", 400, 401, 403, 404, 409, 422, 426, 429, 501, 503]
"""

LINES = """
import json
import schemathesis

@schemathesis.serializer("application/x-ndjson")
def lines(context, value):
    return value if isinstance(value, bytes) else json.dumps(value).encode()
"""


def first_answers(url):
    """An answer of every kind exists before the questions begin."""
    for number in range(20):
        body = text(event(number, user_id=f"user-{number}")).encode()
        urllib.request.urlopen(urllib.request.Request(url + "/v1/score", data=body)).close()


def validate(document):
    from openapi_spec_validator import validate as valid
    try:
        valid(document)
        check(True, "the document is valid OpenAPI 3.1")
    except Exception as problem:  # pylint: disable=broad-except
        check(False, "the document is valid OpenAPI 3.1", problem)
    check(document["openapi"].startswith("3.1"), "its version is 3.1")


def ask_everything(url):
    folder = pathlib.Path(WORK, "schemathesis")
    folder.mkdir()
    (folder / "schemathesis.toml").write_text(SETTINGS)
    (folder / "lines.py").write_text(LINES)
    program = pathlib.Path(sys.executable).with_name("schemathesis")
    run = subprocess.run(
        [program, "run", url + "/api/openapi.json", "--max-time", str(SECONDS), "--no-color",
         "--continue-on-failure", "--seed", "7", "--rate-limit", "150/s",
         "--exclude-checks", "unsupported_method"],
        cwd=folder, env={**os.environ, "SCHEMATHESIS_HOOKS": "lines", "PYTHONPATH": str(folder)},
        capture_output=True, text=True, timeout=SECONDS * 4, check=False)
    asked = re.search(r"(\d+) generated", run.stdout)
    check(asked and int(asked.group(1)) > 300, "hundreds of requests are made of it",
          run.stdout[-3000:] + run.stderr[-1000:])
    problems = run.stdout[run.stdout.find("= FAILURES ="):] if "= FAILURES =" in run.stdout else \
        run.stdout[-3000:]
    brief = "\n".join(line for line in problems.splitlines()
                      if re.match(r"__|- ST|\[\d|.*Invalid component|    (`|curl)", line))
    check(run.returncode == 0, f"{WHAT}: no 5xx, nothing undocumented", brief)


def main():
    if not peer.INSIDE:
        python = peer.environment("schemathesis, openapi_spec_validator", "schemathesis",
                                  "openapi-spec-validator")
        if python is None:
            skip(WHAT, "PyPI cannot be reached")
            return 0
        return peer.run_inside(python, HERE)
    folder = config()
    path, _ = model(folder)
    server = Server("--config", folder, "--model", path, "--ledger", pathlib.Path(WORK, "ledger"))
    check(server.wait_ready(), "a service runs", server.output())
    first_answers(server.url)
    with urllib.request.urlopen(server.url + "/api/openapi.json") as answer:
        validate(json.load(answer))
    ask_everything(server.url)
    check(server.stop() == 0, "the service ends well")
    return finish()


if __name__ == "__main__":
    sys.exit(main())
