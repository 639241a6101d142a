"""Trees alone: margins of one row and of many, and contributions, on one core. All peers and kernels
take turns, so that whatever else happens on the machine meets them alike."""
import array
import csv
import json
import math
import os
import statistics
import subprocess

import world
from report import say

SHAPES = ("100x6", "500x8")
KERNELS = ("avx512", "avx2", "portable")
REPETITIONS, MILLISECONDS = 7, 60
CONTRIBUTION = 1e-5  # absolute or relative, whichever is more


class Worker:
    """One evaluator in a process of its own; see worker.h."""

    def __init__(self, name, command, modes):
        self.name, self.modes = name, modes
        self.times = {mode: [] for mode in modes}
        self.process = subprocess.Popen(
            world.pinned(world.LOAD_CORE, *command), stdin=subprocess.PIPE, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=world.ONE_THREAD)
        self.ready = self.process.stdout.readline().strip() == "ready"
        self.problem = "" if self.ready else self.process.stderr.read().strip()[-200:]

    def ask(self, mode, milliseconds=0):
        self.process.stdin.write(f"{mode} {milliseconds}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def values(self, mode):
        return [float(text) for text in self.ask(mode).split()]

    def measure(self, milliseconds):
        for mode in self.modes:
            self.times[mode].append(float(self.ask(mode, milliseconds)))

    def best(self, *modes):
        """Of several ways to the same, the times of the one that is fastest."""
        return min((self.times[mode] for mode in modes), key=statistics.median)

    def stop(self):
        self.process.stdin.close()
        self.process.wait(20)


def peers(report):
    """Models and facts of the peers, or None when there are none."""
    python = world.python("peers")
    if not python:
        report.not_measured("forest against peers", "tests/bench/setup has not installed them")
        return None
    say("forest: models (made once) ...")
    folder = world.ROOT / "build" / "bench" / "models"
    done = subprocess.run([python, world.PEERS / "models.py", folder], text=True, timeout=900,
                          capture_output=True, env=world.ONE_THREAD, check=False)
    if done.returncode != 0:
        report.not_measured("forest against peers", done.stderr.strip()[-200:])
        return None
    return {**world.last_json(done.stdout), "folder": folder, "python": python}


def own_workers(model, rows, with_contribs):
    for kernel in KERNELS:
        modes = ["one", "batch"] if kernel == "avx512" or kernel == "portable" else ["batch"]
        if kernel == "portable" and with_contribs:
            modes.append("contribs")
        yield Worker(kernel, [world.program("forest_own"), model, rows, kernel], modes)


def peer_workers(facts, shape):
    folder, width = facts["folder"], facts["width"]
    rows = folder / "rows.f32"
    program = world.program("forest_peer")
    modes = ["one_dense", "one_matrix", "batch_dense", "batch_matrix"]
    contribs = ["contribs"] if shape == "100x6" else []
    yield Worker("libxgboost 3", [program, "xgboost", facts["library"], folder / f"{shape}.json",
                                  rows, width], modes + contribs)
    yield Worker("libxgboost of Debian", [program, "xgboost", "libxgboost.so.0",
                                          folder / f"{shape}-plain.json", rows, width],
                 modes + contribs)
    if (folder / f"{shape}.so").exists():
        yield Worker("TL2cgen", [program, "tl2cgen", folder / f"{shape}.so", "-", rows, width],
                     ["one", "batch"])
    if (folder / f"{shape}.onnx").exists():
        yield Worker("ONNX Runtime", [facts["python"], world.PEERS / "onnx_worker.py",
                                      folder / f"{shape}.onnx", rows, width], ["one", "batch"])


def close(a, b, tolerance):
    return len(a) == len(b) and all(abs(x - y) <= tolerance * max(1, abs(y)) for x, y in zip(a, b))


def check_values(report, shape, own, others):
    """The same bits from every kernel and from libxgboost; the rest nearly."""
    expected = own[0].values("margins_singly")
    for worker in own:
        report.check(worker.values("margins") == expected and len(expected) > 100,
                     f"{shape}: many rows by {worker.name} are the bits of one row")
    for worker in others:
        if "xgboost" in worker.name:
            theirs = worker.values("margins")
            report.check(theirs == expected, f"{shape}: margins are the bits of {worker.name}",
                         [pair for pair in zip(expected, theirs) if pair[0] != pair[1]][:3])
        elif worker.name == "TL2cgen":
            report.check(close(worker.values("margins"), expected, 1e-4), f"{shape}: {worker.name}")
        else:
            scores = [1 / (1 + math.exp(-margin)) for margin in expected]
            report.check(close(worker.values("scores"), scores, 1e-3), f"{shape}: {worker.name}")
        if "contribs" in worker.modes:
            ours, theirs = own[0].values("contribs_values"), worker.values("contribs_values")
            report.check(close(ours, theirs, CONTRIBUTION),
                         f"{shape}: contributions are those of {worker.name}",
                         max((abs(x - y) for x, y in zip(ours, theirs)), default="none"))


def started(report, workers, shape):
    ready = []
    for worker in workers:
        if worker.ready:
            ready.append(worker)
        else:
            why = worker.problem or "does not run on this machine"
            report.not_measured(f"{shape} {worker.name}", why)
    return ready


def compare(report, shape, own, others):
    by_name = {worker.name: worker for worker in own}
    single = by_name.get("avx512") or by_name["portable"]
    for peer in others:
        one = ("one_dense", "one_matrix") if "xgboost" in peer.name else ("one",)
        report.add(f"one row {shape}", "ns", single.times["one"], peer.name, peer.best(*one),
                   f"one row {shape} / {peer.name}", smaller=True)
    for kernel in own:
        for peer in others:
            many = ("batch_dense", "batch_matrix") if "xgboost" in peer.name else ("batch",)
            report.add(f"batch {shape} {kernel.name}", "ns a row", kernel.times["batch"], peer.name,
                       peer.best(*many), f"batch {shape} {kernel.name} / {peer.name}", smaller=True)
    for peer in others:
        if "contribs" in peer.modes:
            report.add(f"contributions {shape}", "ns a row", by_name["portable"].times["contribs"],
                       peer.name, peer.times["contribs"], f"contributions {shape} / libxgboost",
                       smaller=True)


def measure(report, shape, own, others, repetitions, milliseconds):
    say(f"forest: {shape} ...")
    check_values(report, shape, own, others)
    for worker in own + others:  # warm
        worker.measure(5)
        worker.times = {mode: [] for mode in worker.modes}
    for _ in range(repetitions):
        for worker in own + others:
            worker.measure(milliseconds)


def run(report, _options):
    facts = peers(report)
    if not facts:
        return smoke(report, _options)
    report.heading("forest", f"one core, XGBoost {facts['xgboost']} models of {facts['width']} "
                   "columns; libxgboost by the faster of its two ways")
    for what, why in facts["problems"].items():
        report.not_measured(what, why)
    for shape in SHAPES:
        model, rows = facts["folder"] / f"{shape}.json", facts["folder"] / "rows.f32"
        own = started(report, own_workers(model, rows, shape == "100x6"), shape)
        others = started(report, peer_workers(facts, shape), shape)
        try:
            measure(report, shape, own, others, REPETITIONS, MILLISECONDS)
            compare(report, shape, own, others)
        finally:
            for worker in own + others:
                worker.stop()
    return None


def smoke(report, options):
    """Without peers: a model of our own, the kernels against each other."""
    report.heading("forest", "one core, kernels only")
    config = world.transactions(options.work, "forest")
    model, events = world.trained(options.work, config, 4000)
    rows = os.path.join(options.work, "rows.f32")
    table = csv.reader(world.binnacle("features", "--config", config, events).splitlines()[1:])
    with open(rows, "wb") as file:
        for row in table:
            array.array("f", [float(cell) if cell else math.nan for cell in row[1:]]).tofile(file)
    own = started(report, own_workers(model, rows, True), "own model")
    try:
        measure(report, "own model", own, [], 3, 10)
        for worker in own:
            for mode, times in worker.times.items():
                report.add(f"{mode}, {worker.name}", "ns a row", times)
    finally:
        for worker in own:
            worker.stop()
