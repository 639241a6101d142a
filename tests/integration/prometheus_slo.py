#!/usr/bin/env python3
"""Burn rates and attainment as Prometheus computes them, by the rules of `binnacle slo-rules` over the
history backfilled with promtool, against what the service says: within 1 %."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
import urllib.parse
import urllib.request

HERE = pathlib.Path(__file__).resolve()
sys.path.insert(0, str(HERE.parent.parent / "scenario" / "lib"))
from tap import BINNACLE, WORK, check, finish, free_port, run, skip

PROGRAM = pathlib.Path(BINNACLE).parent / "integration" / "burn_history"
DAYS = 4

if not (shutil.which("promtool") and shutil.which("prometheus")):
    skip("burn rates as Prometheus has them", "there is no prometheus (package prometheus)")
    sys.exit(0)

subprocess.run(["cmake", "--build", PROGRAM.parent.parent, "--target", "burn_history"],
               stdout=subprocess.DEVNULL, check=False)
done = subprocess.run([PROGRAM, WORK, str(DAYS)], stdout=subprocess.PIPE, text=True, check=False)
if not check(done.returncode == 0, f"{DAYS} days of history are made"):
    finish()
ours = {line["name"]: line for line in map(json.loads, done.stdout.splitlines())}

code, rules, problem = run("slo-rules")
check(code == 0, "slo-rules prints rules", problem)
path = os.path.join(WORK, "rules.yaml")
with open(path, "w", encoding="utf-8") as file:
    file.write(rules)
checked = subprocess.run(["promtool", "check", "rules", "--lint=all", "--lint-fatal", path], stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, text=True, check=False)
check(checked.returncode == 0 and "SUCCESS" in checked.stdout and "duplicate" not in checked.stdout,
      "promtool takes them and finds nothing to better", checked.stdout)

store = os.path.join(WORK, "tsdb")
made = subprocess.run(["promtool", "tsdb", "create-blocks-from", "--max-block-duration=192h",
                       "openmetrics", os.path.join(WORK, "slo.om"), store],
                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
check(made.returncode == 0, "promtool takes the history", made.stdout)

with open(os.path.join(WORK, "prometheus.yaml"), "w", encoding="utf-8") as file:
    file.write("global: {scrape_interval: 1m}\n")
port = free_port()
server = subprocess.Popen(["prometheus", f"--config.file={WORK}/prometheus.yaml",
                           f"--storage.tsdb.path={store}", "--storage.tsdb.retention.time=100y",
                           f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def ask(expression, at):
    query = urllib.parse.urlencode({"query": expression, "time": at})
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/query?{query}", timeout=30) as got:
        result = json.load(got)["data"]["result"]
    return float(result[0]["value"][1]) if result else None


def wait_ready():
    for _ in range(300):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=2).close()
            return True
        except OSError:
            time.sleep(0.2)
    return False


try:
    if check(wait_ready(), "a Prometheus serves it"):
        worst = 0.0
        pattern = re.compile(r'- record: binnacle:slo_(\w+)(?::(\w+))?\n    expr: (.*slo="(\w+)".*)\n')
        n = 0
        for what, window, expression, slo in pattern.findall(rules):
            if slo not in ours:
                continue
            want = ours[slo]["attainment" if what == "attainment" else window]
            got = ask(expression, ours[slo]["time"])
            n += 1
            off = abs(got - want) / max(abs(want), 1e-9) if got is not None else 1
            worst = max(worst, off)
            check(off <= 0.01, f"{slo}: {what} {window or '30d'} is Prometheus's within 1 %",
                  f"{want} here, {got} there")
        check(n == 16, "seven burn rates and the attainment of both objectives are compared")
        print(f"# largest difference {100 * worst:.4f} %")
finally:
    server.terminate()
    server.wait()
finish()
