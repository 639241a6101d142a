"""Where things are, and processes that are pinned and stopped by pid."""
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
PEERS = ROOT / "tests" / "bench" / "peers"
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache"))
INSTALLED = CACHE / "binnacle" / "bench"
RELEASE = ROOT / "build" / "release"
BINNACLE = RELEASE / "binnacle"
DATA = pathlib.Path(os.environ.get("BINNACLE_DATA", ROOT.parent / "shared" / "data"))
SERVER_CORE = min(os.sched_getaffinity(0))
LOAD_CORE = max(os.sched_getaffinity(0))
ONE_THREAD = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def program(name):
    return str(RELEASE / "bench" / name)


def python(environment):
    """The Python of a peers' environment, or None."""
    path = INSTALLED / environment / "bin" / "python"
    return str(path) if path.exists() else None


def pinned(core, *command):
    return ["taskset", "-c", str(core), *map(str, command)]


def folder():
    return tempfile.mkdtemp(prefix="binnacle-bench-")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def binnacle(*arguments, timeout=400, core=None):
    """Runs binnacle to its end; its output. Raises with what it said when it fails."""
    command = [str(BINNACLE), *map(str, arguments)]
    done = subprocess.run(pinned(core, *command) if core is not None else command, text=True,
                          capture_output=True, timeout=timeout, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"binnacle {arguments[0]}: {done.stderr.strip()[:300]}")
    return done.stdout


def last_json(text):
    return json.loads(text.strip().splitlines()[-1])


class Process:
    """Something that runs beside us, with its output in a file."""

    def __init__(self, name, command, work, core=None, environment=None):
        self.name = name
        self.log = os.path.join(work, f"{name}-{time.monotonic_ns()}.log")
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                pinned(core, *command) if core is not None else list(map(str, command)),
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=work,
                env=environment or os.environ, start_new_session=True)

    def ended(self):
        return self.process.poll() is not None

    def output(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return log.read()[-1500:]

    def cpu_seconds(self):
        """Of all processes of its session that still run, also of their threads that have ended."""
        ticks = 0
        for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = path.read_text(encoding="ascii", errors="replace").rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(fields[3]) == self.process.pid:
                ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def stop(self, how=signal.SIGTERM, seconds=20):
        """Its whole session: some peers start more processes."""
        if not self.ended():
            os.killpg(self.process.pid, how)
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def transactions(work, name="config", source="http", extra=""):
    """A copy of the default configuration with another source."""
    target = os.path.join(work, name)
    shutil.copytree(ROOT / "packaging" / "examples" / "transactions", target)
    path = os.path.join(target, "binnacle.yaml")
    with open(path, encoding="utf-8") as file:
        kept, skipping = [], False
        for line in file:
            if not line.startswith((" ", "#", "\n")):
                skipping = line.startswith(("source:", "listen", "train:"))
            if not skipping:
                kept.append(line)
    with open(path, "w", encoding="utf-8") as file:
        file.write("".join(kept) + f"\nsource: {{type: {source}}}\n"
                   "train: {rounds: 100, max_depth: 6, eta: 0.1, seed: 1, threads: 1}\n" + extra)
    return target


ALL_REASONS = "reasons: all\n"  # of every decision, in line


def trained(work, config, count=20000):
    """A model of 100 trees, 6 deep, trained on synthetic events; and the events' file."""
    events, model = os.path.join(work, "training.jsonl"), os.path.join(work, "model.json")
    if not os.path.exists(model):
        binnacle("produce", "--count", count, "--seed", 3, "--fraud", 0.03, "--with-labels",
                 "--to", events)
        binnacle("train", "--config", config, "--data", events, "-o", model)
    return model, events
