"""What the benchmarks found: printed as it comes, written as JSON at the end."""
import json
import os
import platform
import statistics
import subprocess
import sys
import time

import goals


def machine():
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
        text = file.read()
    names = [line.split(":", 1)[1].strip() for line in text.splitlines()
             if line.startswith("model name")]
    flags = next((line.split() for line in text.splitlines() if line.startswith("flags")), [])
    return {"cpu": names[0] if names else platform.machine(), "cores": os.cpu_count(),
            "vectors": "AVX-512" if "avx512bw" in flags else "AVX2" if "avx2" in flags else "none",
            "kernel": platform.release(), "load_average": os.getloadavg()[0]}


def commit():
    done = subprocess.run(["git", "describe", "--always", "--dirty"], text=True, check=False,
                          capture_output=True)
    return done.stdout.strip()


def shown(figure):
    """Three figures that say something, thousands apart."""
    if figure is None:
        return "-"
    if abs(figure) >= 100:
        return f"{figure:,.0f}"
    return f"{figure:.3g}"


def spread(values):
    """How far apart the repetitions lie, as a share of their median."""
    middle = statistics.median(values)
    return (max(values) - min(values)) / middle if middle else 0


class Report:
    def __init__(self):
        self.facts = {"machine": machine(), "commit": commit(),
                      "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
        self.rows, self.missing, self.wrong = [], [], []
        facts = self.facts["machine"]
        print(f"{facts['cpu']}, {facts['cores']} cores, {facts['vectors']}, load "
              f"{facts['load_average']:.1f}; commit {self.facts['commit']}")

    def heading(self, name, text):
        print(f"\n{name}: {text}")
        print(f"  {'what':<44} {'binnacle':>12} {'peer':>12} {'ratio':>8}  goal")

    def add(self, what, unit, ours, peer=None, theirs=None, goal=None, smaller=False,
            explained=None):
        """One comparison of lists of repetitions: medians, and how many times better ours are
        (`smaller`: less is better). Without a peer the figure itself is held against the goal.
        `explained`: ours with all reasons of every decision in line, told beside it."""
        our = statistics.median(ours)
        their = statistics.median(theirs) if theirs else None
        ratio = None if their is None else their / our if smaller else our / their
        figure = our if ratio is None else ratio
        name = goal or what
        verdict = goals.verdict(name, figure)
        wanted = goals.GOALS.get(name)
        row = {"what": what, "unit": unit, "binnacle": our, "binnacle_spread_ratio": spread(ours),
               "all_reasons_in_line": statistics.median(explained) if explained else None,
               "peer": peer, "peer_figure": their,
               "peer_spread_ratio": spread(theirs) if theirs else None, "ratio": ratio,
               "goal": name if wanted else None, "must": wanted[0] if wanted else None,
               "aim": wanted[1] if wanted else None, "met": verdict or None}
        self.rows.append(row)
        label = what + (f" / {peer}" if peer else "") + f", {unit}"
        goal_text = f"must {shown(wanted[0])} aim {shown(wanted[1])}: {verdict}" if wanted else ""
        if explained:
            goal_text += f"{'; ' if goal_text else ''}all reasons in line: " + shown(
                row["all_reasons_in_line"])
        print(f"  {label:<44} {shown(our):>12} {shown(their):>12} "
              f"{shown(ratio) + 'x' if ratio else '-':>8}  {goal_text}", flush=True)

    def held(self, name, figure, explained=None):
        """A figure made of others, held against its goal."""
        must, aim = goals.GOALS[name]
        verdict = goals.verdict(name, figure)
        self.rows.append({"what": name, "figure": figure, "all_reasons_in_line": explained,
                          "goal": name, "must": must, "aim": aim, "met": verdict})
        beside = f"; all reasons in line: {shown(explained)}" if explained else ""
        print(f"  {name:<44} {shown(figure):>12} {'':>12} {'':>8}  must {shown(must)} aim "
              f"{shown(aim)}: {verdict}{beside}", flush=True)

    def note(self, text):
        print(f"  {text}", flush=True)

    def not_measured(self, what, why):
        self.missing.append({"what": what, "why": why})
        print(f"  not measured: {what}: {why}", flush=True)

    def check(self, good, what, detail=""):
        """A wrong result fails the run, whatever its speed."""
        if not good:
            self.wrong.append({"what": what, "detail": str(detail)[:400]})
            print(f"  WRONG: {what} {str(detail)[:400]}", flush=True)
        return good

    def end(self, path):
        below = [row["what"] for row in self.rows if row.get("met") == "below must"]
        print(f"\n{len(self.rows)} figures, {len(below)} below must, {len(self.missing)} not "
              f"measured, {len(self.wrong)} wrong")
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            json.dump({**self.facts, "figures": self.rows, "not_measured": self.missing,
                       "wrong": self.wrong}, file, indent=1)
            file.write("\n")
        print(f"written to {path}")
        return 1 if self.wrong or not self.rows else 0


def say(text):
    print(text, file=sys.stderr, flush=True)
