#!/usr/bin/env python3
"""One report in its three formats, read by other software: JSON, the zip of CSV, and the PDF's text
by pdftotext say the same, and what was not measured is nowhere a number."""
import csv
import io
import json
import os
import pathlib
import shutil
import subprocess
import sys
import zipfile

HERE = pathlib.Path(__file__).resolve()
sys.path.insert(0, str(HERE.parent.parent / "scenario" / "lib"))
from service import config, model
from tap import WORK, check, finish, run, skip

NO_DATA = "no data"
PER_DAY = {"2024-03-01": 120, "2024-03-02": 0, "2024-03-03": 80}
DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def write_events(path):
    """Good events of these days, the last of which ends with one that breaks the contract."""
    number = 0
    with open(path, "w", encoding="utf-8") as file:
        for day, count in PER_DAY.items():
            for i in range(count):
                number += 1
                text = "".join(DIGITS[(number >> shift) & 31] for shift in range(125, -1, -5))
                json.dump({"event_id": text, "user_id": f"user-{i % 9}", "country": "US",
                           "transaction_amount": 10 + i, "device": "web",
                           "event_ts": f"{day}T{6 + i // 60:02}:{i % 60:02}:00Z"}, file)
                file.write("\n")
        file.write('{"event_id": "bad"}\n')


def report(form):
    path = os.path.join(WORK, "report." + form)
    code, _, problem = run("report", "slo", "--config", folder, "--ledger", ledger, "--from",
                           "2024-03-01T00:00:00Z", "--to", "2024-03-04T00:00:00Z", "--format",
                           form, "-o", path)
    check(code == 0, f"a report is made as {form}", problem)
    return path


def as_rows(table):
    return [dict(zip(table["columns"], row)) for row in table["rows"]]


def check_csv(tables):
    with zipfile.ZipFile(report("csv")) as archive:
        check(archive.testzip() is None, "the zip is whole")
        for name, rows in tables.items():
            text = archive.read(name + ".csv").decode("utf-8")
            cells = [["" if cell is None else cell for cell in row.values()] for row in rows]
            read = [[type(want)(got) for got, want in zip(line, row)] for line, row in
                    zip(list(csv.reader(io.StringIO(text)))[1:], cells)]
            check(read == cells, f"{name}.csv has the rows of the JSON", f"{read}\n{cells}")


def check_pdf(tables):
    if not shutil.which("pdftotext"):
        return skip("the PDF says the same", "there is no pdftotext")
    path = report("pdf")
    text = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, text=True,
                          check=True).stdout
    lines = {line.split()[0]: line for line in text.splitlines() if line.split()}
    for row in tables["objectives"]:
        line = lines.get(row["objective"], "")
        words = 4 if row["counted"] is None else 0
        figures = line.split("%", 1)[-1].rsplit(NO_DATA, 1)[0]  # what is covered stands behind them
        check(line.count(NO_DATA) >= words and (not words or "0" not in figures),
              f"{row['objective']} stands in the PDF with what is known of it", line)
    for row in tables["days"]:
        line = lines.get(row["day"], "")
        check(line.split()[1:2] == [str(row["decisions"])],
              f"{row['day']} stands in the PDF with its decisions", line)
    check(head["root"] in text.replace("\n", ""), "the PDF's foot has the ledger's root", text)


folder = config()
ledger, events = os.path.join(WORK, "ledger"), os.path.join(WORK, "events.jsonl")
write_events(events)
code, _, problem = run("replay", "--config", folder, "--model", model(folder)[0], "--ledger",
                       ledger, events)
check(code == 0, "three days are replayed", problem)
with open(report("json"), encoding="utf-8") as file:
    document = json.load(file)
head = document["head"]
tables = {table["name"]: as_rows(table) for table in document["tables"]}
check({"kind", "from", "to", "head", "tables"} <= set(document), "the JSON has the documented keys")
check([row["decisions"] for row in tables["days"]] == list(PER_DAY.values()),
      "every day has its decisions, the empty one none", tables["days"])
check([row["quarantined"] for row in tables["days"]] == [0, 0, 1],
      "the bad event stands in its day", tables["days"])
check(all(row["latency_p95_us"] is None for row in tables["days"]) and
      tables["days"][1]["declined_ratio"] is None,
      "what was not measured is null", tables["days"])
unknown = [row for row in tables["objectives"] if row["verdict"] == NO_DATA]
check({"latency", "availability", "freshness"} <= {row["objective"] for row in unknown} and
      all(row["counted"] is row["bad"] is row["attained_ratio"] is None for row in unknown),
      "objectives that a replay cannot measure have no data", tables["objectives"])
check_csv(tables)
check_pdf(tables)
finish()
