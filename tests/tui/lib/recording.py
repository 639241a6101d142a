#!/usr/bin/env python3
"""A recording for `binnacle top --play`: one picture of a service whose canary is slow, with every
document that the views read. The clock stands still: the same text each time.

usage: recording.py burning|hostile|rows [N] > FILE
"""

import json
import math
import sys
from datetime import datetime, timedelta, timezone
from urllib.parse import quote

NOW = datetime(2026, 5, 12, 14, 3, 22, tzinfo=timezone.utc)
HOSTILE = "<b>x</b>\u001b[31m\u0007\u202eevil\u0000" + "long " * 2000


def iso(time):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def ago(**parts):
    return iso(NOW - timedelta(**parts))


def ms(time):
    return int(time.timestamp() * 1000)


def line(target, body, code=200):
    print(json.dumps({"at": ms(NOW), "target": target, "code": code, "body": body},
                     separators=(",", ":")))


def wave(i, n, base, swing):
    return base * (1 + swing * math.sin(i * 0.7) * math.cos(i * 0.13))


def slo(name, target, attainment, left, burns, state, since=None, bad=0, n=1290000, limit=None):
    windows = ("5m", "30m", "1h", "6h", "1d", "3d")
    item = {"name": name, "target": target, "attainment": attainment, "budget_left": left,
            "burn": dict(zip(windows, burns)), "bad": dict.fromkeys(windows, bad), "n": n,
            "window_s": 2592000, "state": state, "since": since}
    if limit:
        item["latency_limit_us"] = limit
    return item


def drift(feature, psi, state="ok", noise=0.004):
    return {"feature": feature, "psi": psi, "noise": noise, "threshold": 0.3, "n": 44812,
            "n_reference": 120000, "state": state}


def latency(p50, p95, p99, n):
    return {"p50": p50, "p95": p95, "p99": p99, "n": n}


def snapshot(text):
    return {
        "schema": 1, "seq": 4711, "time": iso(NOW), "started": ago(days=9), "ready": True,
        "service": text("fraud-eu"), "source": "http", "events_per_s": 12480,
        "latency_us": latency(400, 212000, 480000, 748800),
        "decisions": {"approve": 697140, "review": 34440, "decline": 17220},
        "decisions_usual": {"approve": 940000, "review": 42000, "decline": 18000},
        "traffic": [
            {"variant": "champion", "role": "champion", "model": text("fraud"), "version": "12",
             "share_wanted": 0.75, "share_measured": 0.751, "n": 562000,
             "latency_us": latency(390, 91000, 160000, 562000)},
            {"variant": "canary", "role": "canary", "model": text("fraud"), "version": "13",
             "share_wanted": 0.25, "share_measured": 0.249, "n": 186800,
             "latency_us": latency(900, 460000, 720000, 186800)},
            {"variant": "shadow", "role": "shadow", "model": text("fraud"), "version": "14",
             "share_wanted": 0.1, "share_measured": 0.1, "n": 74000,
             "latency_us": latency(400, 80000, 120000, 74000)}],
        "slo": [
            slo("latency", 0.95, 0.912, 0.38, (17.6, 15, 16.2, 4.1, 1.2, 0.6), "page",
                ago(minutes=12), 12900, limit=200000),
            slo("availability", 0.995, 0.9998, 0.96, (0.1,) * 6, "ok"),
            slo(text("drift"), 0.99, 1, 1, (0,) * 6, "ok", n=2016),
            slo("freshness", 0.99, None, None, (None,) * 6, "nodata", ago(minutes=5), n=0)],
        "drift": [drift("score", 0.05), drift("tx_amount", 0.212, "ok"),
                  drift(text("country"), 0.05), drift("device", 0.008), drift("hour", 0.002)],
        "drift_decisions": drift("decisions", 0.011),
        "drift_canary": {"features": 5, "drifted": 0, "drift_share": 0, "dataset_drift": False,
                         "score": drift("score", 0.31, "ticket"),
                         "decisions": drift("decisions", 0.07)},
        "drift_shadow": {"features": 5, "drifted": 0, "drift_share": 0, "dataset_drift": False,
                         "score": drift("score", 0.09)},
        "alerts": [{"name": text("latency-burn"), "state": "firing", "severity": "page",
                    "summary": text("latency burns 16 times too fast"),
                    "since": ago(minutes=12), "value": 16.2}],
        "quarantine": {text("enum"): 31000, "null": 9000, "future": 2400},
        "totals": {"events": 13680000, "accepted": 13637600, "quarantined": 42400,
                   "duplicates": 120, "errors": 2736},
        "recent": [{"event_id": text(f"01J8ZQ5V7N3K2M4P6R8T0W2Y{i:02d}"),
                    "decided_at": ago(seconds=i),
                    "decision": ("approve", "review", "decline")[i % 3], "variant": "champion",
                    "score": 0.0123 * (i + 1), "rule": text("high-score"),
                    "ledger_index": 13637600 - i} for i in range(20)],
        "score_bins": [int(900000 / (1 + i) ** 2) for i in range(20)],
        "history": {"events_per_s": [wave(i, 120, 12000, 0.1) for i in range(120)],
                    "p99_us": [wave(i, 120, 400000, 0.2) for i in range(120)],
                    "decline_share": [wave(i, 120, 0.023, 0.1) for i in range(120)]},
        "ledger": {"tree_size": 13637600, "root": "c0ffee" * 10 + "c0de", "state": "ok",
                   "durability": "commit", "queue": {"depth": 12, "capacity": 65536}},
        "features": {"entities": 184000, "bytes": 96000000},
        "explanation": explanation(text),
    }


def explanation(text):
    return {"incident": text("requests of the canary are slow"), "since": ago(minutes=12),
            "until": None,
            "causes": [{"cause": "model", "slice": text("variant=canary"), "share_of_excess": 0.92,
                        "changed_at": ago(minutes=14),
                        "evidence": text("the canary has 92 % of the slow requests and 25 % of the "
                                         "traffic; split changed 5 → 25 % by shift-2")},
                       {"cause": "split", "slice": None, "share_of_excess": None,
                        "changed_at": ago(minutes=14),
                        "evidence": text("the canary's share went from 5 to 25 %")}],
            "impact": {"requests": 12900, "users": 1840, "errors": 0, "money": None,
                       "money_field": None, "decisions_changed": 0},
            "action": text("roll the canary back: binnacle traffic set canary=0")}


# Of every point; what is late comes in the last fifth.
USUAL = {"fresh_ratio": 1, "steady_ratio": 1}


def series(names, step, n, by=None):
    end = NOW.replace(second=0)
    found = []
    for name in names:
        for label in by or (None,):
            points = []
            for i in range(n):
                late = i > n * 0.8
                base = {"latency_p50_us": 400, "latency_p95_us": 460000 if late else 90000,
                        "latency_p99_us": 720000 if late else 160000, "events_per_s": 12000,
                        "latency_good_ratio": 0.91 if late else 0.985, "error_ratio": 0.0002,
                        "decline_ratio": 0.023, "score_mean": 0.06,
                        "approve": 18620, "review": 920, "decline": 460 + (200 if late else 0),
                        "errors": 240 if late else 0, "quarantine.enum": 520,
                        "quarantine.null": 150, "shadow_scored": 1200, "shadow_higher_ratio": 0.59, "quarantine.future": 20 if late else 0,
                        **USUAL}.get(name, 0.05)
                if name == "psi.tx_amount":
                    base = 0.02 if i < n * 0.6 else 0.212
                if label == "champion" and name == "latency_p95_us":
                    base = 91000
                value = None if i < n * 0.1 else wave(i, n, base, 0.08)
                if name in USUAL and value is not None:
                    value = base
                if name.startswith("budget_left.") and value is not None:
                    value = 0.62 - 1.2 * max(0, i / n - 0.8) if name.endswith("latency") else 0.97
                if name.endswith("good_ratio") and value is not None:
                    value = min(value, 1)
                points.append([ms(end - timedelta(seconds=step * (n - 1 - i))), value])
            found.append({"name": name, "unit": "", "labels": {"variant": label} if label else {},
                          "points": points})
    return {"from": iso(end - timedelta(seconds=step * (n - 1))), "to": iso(end), "step_s": step,
            "series": found}


def history(names, by=None, query="", step=30, n=120):
    target = f"/api/v1/history?series={','.join(names)}{query}"
    line(target, series(names, step, n, by))


def heatmap():
    edges = [16 * 2 ** (i / 2) for i in range(30)]
    cells = []
    for i in range(60):
        counts = [0 if abs(b - (11 if i < 48 else 17)) > 9 else
                  int(9000 * math.exp(-((b - 11) ** 2) / 6)) +
                  (int(2500 * math.exp(-((b - 27) ** 2) / 2)) if i > 48 else 0)
                  for b in range(31)]
        cells.append([ms(NOW - timedelta(minutes=59 - i)), counts if i > 4 else None])
    return {"of": "latency", "unit": "us", "from": ago(hours=1), "to": iso(NOW), "step_s": 60,
            "edges": edges, "cells": cells}


def scores(shift):
    """By half hours of a day; the last ones have more high scores."""
    cells = []
    for i in range(48):
        tilt = 2 * shift - (0.4 if i > 40 else 0)
        counts = [int(9e5 / (1 + band) ** tilt) for band in range(50)]
        cells.append([ms(NOW - timedelta(minutes=30 * (47 - i))), counts if i > 3 else None])
    return {"of": "score", "edges": [i / 50 for i in range(1, 50)], "cells": cells}


def feature(text):
    shares = [0.041, 0.06, 0.07, 0.09, 0.1, 0.1, 0.11, 0.12, 0.113, 0.196]
    bins = [{"label": text(f"{i * 21} - {(i + 1) * 21}"), "reference": 0.1, "live": share,
             "contribution": (share - 0.1) * math.log(share / 0.1)}
            for i, share in enumerate(shares)]
    bins.append({"label": "missing", "reference": 0, "live": 0, "contribution": 0})
    return {"feature": "tx_amount", "since": ago(hours=2, minutes=23), "bins": bins,
            "methods": [{"method": "psi", "statistic": 0.212}, {"method": "js", "statistic": 0.19},
                        {"method": "ks", "statistic": 0.11, "p_value": 1e-12},
                        {"method": "wasserstein", "statistic": 0.31}]}


def decision(text, i):
    return {"event_id": text(f"01J8ZQ5V7N3K2M4P6R8T0W2Y{i:02d}"), "decided_at": ago(seconds=i),
            "decision": ("decline", "review", "approve")[i % 3], "score": 0.97 / (i + 1),
            "rule": text("high-score"), "ledger_index": 13637600 - i, "latency_us": 310 + i,
            "trace_id": "0af7651916cd43dd8448eb211c80319c", "duplicate": False,
            "model": {"name": text("fraud"), "version": "12", "variant": "champion"},
            "shadows": [{"name": text("fraud"), "version": "14",
                         "score": 0.97 / (i + 1) + (0.3 if i % 7 == 3 else -0.01)}],
            "input": {"transaction_amount": 4200, "country": text("US"), "device": "web"},
            "reasons": [{"code": "R", "feature": text(name), "value": value, "contribution": moved}
                        for name, value, moved in (
                            ("amount_log", 8.34, 1.31), ("user_amount_ratio_7d", 14.2, 0.92),
                            ("user_count_1h", 1, -0.41), ("country_US", 1, -0.22),
                            ("user_since_last_s", None, 0.17), ("hour", 3, 0.09))]}


def documents(text):
    line("/api/v1/explain", explanation(text))
    line("/api/v1/changes?from={now-604800}&to={now}", {"changes": [
        {"at": ago(days=9), "kind": "start", "what": "binnacle 0.1.0 started", "who": None,
         "reason": None},
        {"at": ago(minutes=14), "kind": "split", "what": text("canary 5 → 25 %"), "who": "shift-2",
         "reason": text("ramp as planned")},
        {"at": ago(minutes=12), "kind": "alert", "what": text("latency-burn fires"), "who": None,
         "reason": None}]})
    line("/api/v1/history/series", {"labels": {}, "series": []})
    history(["latency_p50_us", "latency_p95_us", "latency_p99_us"])
    for name in ("latency", "availability", "freshness", text("drift")):
        history([f"budget_left.{name}"])
    history(["latency_good_ratio"])
    history(["latency_good_ratio", "error_ratio", "steady_ratio", "fresh_ratio"], step=86400, n=31)
    history(["errors", "quarantine.enum", "quarantine.null", "quarantine.future"])
    history(["events_per_s"])
    for name in ("latency_p95_us", "events_per_s", "decline_ratio", "score_mean", "error_ratio"):
        history([name], ("champion", "canary", "shadow"), "&by=variant")
    history(["approve", "review", "decline"], ("champion", "canary"), "&by=variant")
    history(["shadow_scored", "shadow_disagreement_ratio", "shadow_higher_ratio",
             "shadow_distance_mean"])
    for arm, shift in (("champion", 1), ("canary", 0.7), ("shadow", 0.8)):
        line(f"/api/v1/heatmap?of=score&where=variant:{arm}", scores(shift))
    history(["psi.tx_amount"])
    for n in range(1, 6):
        names = ["psi.score", "psi.tx_amount", f"psi.{text('country')}", "psi.device", "psi.hour"]
        history(names[:n])
    line("/api/v1/heatmap?of=latency", heatmap())
    line("/api/v1/drift?feature=tx_amount", feature(text))
    line("/api/v1/quality", {"state": "ticket", "why": None, "anomalies": [
            {"series": "events_per_s", "state": "ok", "why": None, "value": 12480, "usual": 12183,
             "low": 11500, "high": 12900, "z": 0.7, "n": 28, "basis": "hour_of_week"},
            {"series": "decline_ratio", "state": "ticket", "why": None, "value": 0.023,
             "usual": 0.018, "low": 0.0165, "high": 0.0195, "z": 5.1, "n": 28,
             "basis": "hour_of_week"},
            {"series": "score_mean", "state": "nodata", "why": text("too few hours are known yet"),
             "value": 0.06, "usual": None, "low": None, "high": None, "z": None, "n": 0,
             "basis": "none"}],
        "from": ago(minutes=5), "to": iso(NOW),
        "freshness": {"state": "ok", "age_p50_s": 1, "age_p95_s": 3, "feature_lag_s": 0.2},
        "duplicates": {"n": 9, "ratio": 0.000012},
        "volume": {"series": "events", "state": "ok", "why": None, "value": 12480,
                   "usual": 12183, "low": 11500, "high": 12900, "z": 0.7, "n": 28,
                   "basis": "hour_of_week"},
        "expectations": [{"name": text("amount-known"), "check": text("null_ratio(amount) < .001"),
                          "over_s": 3600, "state": "failed"}],
        "fields": [
        {"field": text("country"), "null_ratio": 0.0031, "usual_null_ratio": 0.0002, "n": 748800,
         "invalid_ratio": 0.0024, "usual_invalid_ratio": 0.0001, "state": "ticket"},
        {"field": "transaction_amount", "null_ratio": 0, "usual_null_ratio": 0, "n": 748800,
         "invalid_ratio": 0, "usual_invalid_ratio": 0, "state": "ok"},
        *({"field": f"field_{i}", "null_ratio": i / 100, "usual_null_ratio": i / 100, "n": 748800,
           "invalid_ratio": 0, "usual_invalid_ratio": 0, "state": "ok"} for i in range(9))]})
    line("/api/v1/performance", performance())
    line("/api/v1/quarantine?limit=200", {"quarantine": [
        {"quarantine_id": 40 - i, "received_at": ago(seconds=9 * i), "status": "open",
         "source": text("http"),
         "errors": [{"field": text("country"), "reason": text("is none of US, CA, GB, DE, FR")}]}
        for i in range(40)]})
    line("/api/v1/decisions?order=newest&limit=200", {"decisions": [decision(text, i) for i in range(60)]})
    first = decision(text, 0)
    line("/api/v1/decision/record?event_id=01J8ZQ5V7N3K2M4P6R8T0W2Y00", {
        "row": {**first, "margin": 3.48}, "reasons": first["reasons"], "bias": -5.547,
        "reasons_problem": None, "proof_problem": None,
        "rules": [{"name": "blocked-user", "when": "in_list('blocked-users', user_id)",
                   "decision": "decline", "code": "R-BLOCKED", "state": "passed"},
                  {"name": text("high-score"), "when": "score >= 0.8", "decision": "decline",
                   "code": None, "state": "fired"}],
        "proof": {"leaf_index": 13637600, "tree_size": 13637640,
                  "leaf_hash": "9ddc262123a7ac2cb2c1b57e2462d47989d6b4155612fcee38174eebd7918cd4"}})
    own_view(text)
    line("/api/v1/logs?limit=1000", {"newest": 60, "lines": [
        {"seq": i, "time": ago(minutes=60 - i), "level": ("info", "info", "warn", "error")[i % 4],
         "component": "record", "event": text("slow_commit"),
         "message": text(f"a group of {i} rows took 41 ms")} for i in range(1, 61)]})
    line("/api/v1/settings", {"folder": "/etc/binnacle", "settings": [
        {"key": "service", "value": text("fraud-eu"), "from": "file", "file": "binnacle.yaml",
         "line": 3, "column": 10, "secret": False, "help": "what the screens call this service"},
        {"key": "workers", "value": "160", "from": "default", "file": None, "line": None,
         "column": None, "secret": False, "help": "connections served at once"},
        {"key": "channels[oncall].secret", "value": None, "from": "file", "file": "binnacle.yaml",
         "line": 41, "column": 12, "secret": True, "help": None}]})


def own_view(text):
    """One of each kind, as `binnacle.yaml` and the browser give them."""
    panels = [("events a second", "events_per_s", "number"),
              ("declined, percent", "100 * decline / accepted", "line"),
              ("shadow apart, percent", "100 * shadow_disagreement_ratio", "line"),
              ("budget left", "budget_left.latency", "number"),
              ("how long it took", "latency", "heat")]
    line("/api/v1/views", {"views": [{"name": "night", "title": text("Night watch"), "panels": [
        {"title": text(title), "expression": expression, "kind": kind}
        for title, expression, kind in panels]}]})
    for _, expression, kind in panels:
        if kind == "heat":
            continue
        answer = series([expression], 30, 120)
        for one in answer["series"]:
            factor = 100 if expression.startswith("100") else 1
            one["points"] = [[at, None if value is None else value * factor]
                             for at, value in one["points"]]
        line(f"/api/v1/panel?expression={quote(expression, safe='')}", answer)


def performance():
    truth = {"auc": 0.968, "average_precision": 0.71, "brier": 0.011, "log_loss": 0.048,
             "ece": 0.004, "precision": 0.83, "recall": 0.61, "f1": 0.703}
    ends = {name: [value * 0.97, min(value * 1.02, 1)] for name, value in truth.items()}
    guesses = (("roc_auc", 0.971, 0.955, 0.986), ("average_precision", 0.74, 0.69, 0.78),
               ("f1", 0.72, 0.66, 0.77), ("precision", 0.84, 0.79, 0.88),
               ("recall", 0.68, 0.65, 0.71))
    return {"decided": 41200000, "labelled": 18400000, "coverage_ratio": 0.4466,
            "all": {"n": 18400000, "positives": 31000, **truth, "ci": ends,
                    "label_delay_s": {"p50": 86400 * 9, "p95": 86400 * 31}},
            "estimates": {"periods": [{"variant": "champion", "metrics": [
                {"metric": name, "estimated": at, "lower": low, "upper": high}
                for name, at, low, high in guesses]}]},
            "concept_drift": {"method": "adwin", "detections": [{"at": ago(days=3)}]}}


def many_rows(n):
    rows = [decision(str, i) for i in range(n)]
    for row in rows:
        del row["input"], row["reasons"]
    line("/api/v1/decisions?order=newest&limit=200", {"decisions": rows})


def main():
    kind = sys.argv[1]
    text = (lambda word: HOSTILE + word) if kind == "hostile" else str
    line("/api/v1/snapshot", snapshot(text))
    if kind == "rows":
        many_rows(int(sys.argv[2]))
    else:
        documents(text)


main()
