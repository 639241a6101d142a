"""Lines that tests/run counts, and small helpers that the scenario scripts share."""
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

BINNACLE = os.path.abspath(os.environ.get("BINNACLE", "build/dev/binnacle"))
EXAMPLES = os.path.abspath("packaging/examples")
DATA = os.path.abspath(os.environ.get("BINNACLE_DATA", "../shared/data"))
WORK = tempfile.mkdtemp(prefix="scenario-")

_failed = 0


def check(good, behaviour, detail=""):
    """Prints one result line; detail only when it failed."""
    global _failed
    print(("ok - " if good else "not ok - ") + behaviour, flush=True)
    if not good:
        _failed += 1
        for line in str(detail).splitlines()[:20]:
            print("# " + line, flush=True)
    return good


def skip(behaviour, why):
    print(f"ok - {behaviour} # SKIP {why}", flush=True)


def finish():
    sys.exit(1 if _failed else 0)


def real_data(name):
    """The path of a real input, or None when it is not on this machine."""
    path = os.path.join(DATA, name)
    return path if os.path.exists(path) else None


def run(*arguments, stdin=None, timeout=170, **options):
    """Runs binnacle to its end; returns code, stdout, stderr as text, whose bytes os.fsencode() gives
    back. stdin may be text or bytes."""
    given = os.fsencode(stdin) if isinstance(stdin, str) else stdin
    done = subprocess.run([BINNACLE, *map(str, arguments)], input=given, capture_output=True,
                          timeout=timeout, **options)
    return done.returncode, os.fsdecode(done.stdout), os.fsdecode(done.stderr)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """`binnacle run` on a free port, with scoring on another one, too; stopped by pid."""

    def __init__(self, *arguments, environment=None):
        self.port, self.score_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = open(os.path.join(WORK, f"server-{self.port}.log"), "w+")
        self.process = subprocess.Popen(
            [BINNACLE, "run", "--no-tui", "--listen", f"127.0.0.1:{self.port}",
             "--listen-score", f"127.0.0.1:{self.score_port}", *map(str, arguments)],
            stdout=self.log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            env={**os.environ, **(environment or {})})

    def wait_ready(self, seconds=60):
        until = time.monotonic() + seconds
        while time.monotonic() < until and self.process.poll() is None:
            try:
                if self.call("GET", "/readyz")[0] == 200:
                    return True
            except OSError:
                pass
            time.sleep(0.05)
        return False

    def call(self, method, path, body=None, headers=None, port=None):
        """Status, headers and body of one request; never raises for a status."""
        data = body.encode() if isinstance(body, str) else body
        base = f"http://127.0.0.1:{port}" if port else self.url
        request = urllib.request.Request(base + path, data=data, method=method,
                                         headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.headers, answer.read().decode()
        except urllib.error.HTTPError as problem:
            return problem.code, problem.headers, problem.read().decode()

    def stop(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            return self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def output(self):
        self.log.flush()
        with open(self.log.name) as log:
            return log.read()


def lines(text):
    return [json.loads(line) for line in text.splitlines()]
