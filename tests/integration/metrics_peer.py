#!/usr/bin/env python3
"""`metrics` gives scikit-learn's numbers and `drift` scipy's, live: scores with ties, constants, one class and
one row; columns that are continuous, rounded, whole, constant, huge, with infinities, with nulls, and texts."""
import json
import math
import os
import pathlib
import sys
import tempfile
import warnings

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import peer  # noqa: E402
import verdict  # noqa: E402

BINNACLE = os.path.abspath(os.environ.get("BINNACLE", "build/dev/binnacle"))
NEAR = 1e-9


def ours(*words):
    return verdict.answer_of([BINNACLE, *words, "--json"], codes=(0, 1))


def differs(got, want):
    return verdict.differs(got, want, NEAR)


# ---- metrics ----

def scored(rng):
    """name, scores, labels (NaN: not known)"""
    import numpy as np
    for name, n, scores in (("uniform", 5000, rng.random(5000)), ("tenths", 3000, np.round(rng.random(3000), 1)),
                            ("two scores", 500, rng.choice([.25, .5], 500)), ("a constant", 200, np.full(200, .5)),
                            ("zeros and ones", 400, rng.integers(0, 2, 400).astype(float)),
                            ("tiny scores", 2000, rng.random(2000) ** 12), ("margins", 1000, rng.normal(0, 3, 1000)),
                            ("seven rows", 7, rng.random(7)), ("one row", 1, np.array([.7]))):
        for rate in (.5, .03, 0, 1):
            drawn = rng.random(n) < np.clip(rate * 2 * scores, 0, 1)
            labels = (drawn if 0 < rate < 1 else np.full(n, rate)).astype(float)
            yield f"{name}, {labels.sum():.0f} of {n} positive", scores, labels
        labels = (rng.random(n) < np.clip(scores, 0, 1)).astype(float)
        labels[rng.random(n) < .3] = math.nan
        yield f"{name}, labels missing", scores, labels


def calibration_error(scores, labels):
    """Bins (lo, hi] of equal width, zero in the first; each weighted by its rows."""
    import numpy as np
    bins = np.clip(np.ceil(scores * 10).astype(int) - 1, 0, 9)
    return sum(abs(scores[bins == b].sum() - labels[bins == b].sum()) for b in range(10)) / len(scores)


def of_sklearn(scores, labels):
    from sklearn import metrics
    from statsmodels.stats.proportion import proportion_confint
    predicted = scores >= .5
    both, probabilities = 0 < labels.sum() < len(labels), scores.min() >= 0 and scores.max() <= 1
    hits, named, positives = (predicted * labels).sum(), predicted.sum(), labels.sum()
    want = {"n": len(labels), "positives": int(positives),
            "auc": metrics.roc_auc_score(labels, scores) if both else None,
            "average_precision": metrics.average_precision_score(labels, scores) if positives else None,
            "brier": metrics.brier_score_loss(labels, scores, pos_label=1) if probabilities else None,
            "log_loss": metrics.log_loss(labels, scores, labels=[0, 1]) if probabilities else None,
            "ece": calibration_error(scores, labels) if probabilities else None,
            "precision": metrics.precision_score(labels, predicted) if named else None,
            "recall": metrics.recall_score(labels, predicted) if positives else None,
            "f1": metrics.f1_score(labels, predicted) if named or positives else None}
    return want, {"precision": proportion_confint(hits, named, method="wilson") if named else None,
                  "recall": proportion_confint(hits, positives, method="wilson") if positives else None}


def compare_metrics(rng, work):
    import pandas as pd
    wrong, n = [], 0
    for name, scores, labels in scored(rng):
        pd.DataFrame({"s": scores, "y": labels}).to_csv(work / "m.csv", index=False, float_format="%.17g")
        got = ours("metrics", "--score", "s", "--label", "y", work / "m.csv")
        known = labels == labels
        if not known.any():
            continue
        want, intervals = of_sklearn(scores[known], labels[known])
        wrong += [f"{name}, {key}: {got[key]}, not {value}" for key, value in want.items()
                  if differs(got[key], value)]
        for key, interval in intervals.items():
            if interval and any(differs(a, b) for a, b in zip(got["ci"][key], interval)):
                wrong.append(f"{name}, interval of {key}: {got['ci'][key]}, not {interval}")
        n += 1
    verdict.check(n >= 40 and not wrong, f"scikit-learn's metrics and statsmodels' intervals of {n} files", wrong)


# ---- drift ----

def column_pairs(rng):
    import numpy as np
    n, m = 900, 700
    yield "normal", rng.normal(0, 1, n), rng.normal(.1, 1.2, m)
    yield "the same", (same := rng.normal(0, 1, n)), same
    yield "rounded", np.round(rng.normal(0, 1, n), 1), np.round(rng.normal(.1, 1, m), 1)
    yield "whole", rng.integers(0, 6, n), rng.integers(0, 7, m)
    yield "flag", rng.integers(0, 2, n), (rng.random(m) < .6).astype(int)
    yield "constant", np.full(n, 3.25), np.full(m, 3.25)
    yield "constant, moved", np.full(n, 3.25), rng.choice([3.25, 4.5], m)
    yield "huge", rng.normal(1e300, 1e299, n), rng.normal(1.1e300, 1e299, m)
    yield "few rows", rng.normal(0, 1, 9), rng.normal(1, 1, 5)
    yield "one row", np.array([1.5]), np.array([2.5])
    yield "apart", rng.random(n), 5 + rng.random(m)
    with_nulls = [np.where(rng.random(k) < .2, math.nan, rng.normal(0, 1, k)) for k in (n, m)]
    yield "nulls", *with_nulls
    yield "many", rng.gamma(2, 3, 20000), rng.gamma(2.1, 3, 30000)


def counts_of(feature):
    import numpy as np
    a, b = (np.array([part[side] for part in feature["bins"]], float) for side in ("reference_n", "current_n"))
    return a[(a > 0) | (b > 0)], b[(a > 0) | (b > 0)]


def of_bins(method, a, b):
    """(statistic, p-value or None) of counts in bins."""
    import numpy as np
    from scipy import spatial, stats
    p, q = a / a.sum(), b / b.sum()
    if method == "chisquare":
        if len(a) < 2:
            return 0, 1
        result = stats.chi2_contingency(np.array([a, b]))  # with the correction of Yates for two bins, as ours
        return result.statistic, result.pvalue
    return {"js": lambda: spatial.distance.jensenshannon(p, q, base=2), "tvd": lambda: abs(p - q).sum() / 2,
            "hellinger": lambda: np.sqrt(((np.sqrt(p) - np.sqrt(q)) ** 2).sum() / 2),
            "linf": lambda: abs(p - q).max()}[method](), None


def of_values(method, x, y):
    import numpy as np
    from scipy import stats
    x, y = x[x == x], y[y == y]
    if method == "ks":
        result = stats.ks_2samp(x, y)
        return result.statistic, result.pvalue
    deviation = np.std(x)
    with np.errstate(all="ignore"):
        return stats.wasserstein_distance(x, y) / deviation if deviation > 0 else None, None


def compare_drift(rng, work):
    import pandas as pd
    wrong, n = [], 0
    for name, x, y in column_pairs(rng):
        for side, values in (("a", x), ("b", y)):
            pd.DataFrame({"v": values, "w": 1}).to_csv(work / f"{side}.csv", index=False, float_format="%.17g")
        for method in ("ks", "wasserstein", "chisquare", "js", "tvd", "hellinger", "linf"):
            got = ours("drift", "--reference", work / "a.csv", "--current", work / "b.csv", "--features", "v",
                       "--method", method)["features"][0]
            by_value = method in ("ks", "wasserstein")
            statistic, p = of_values(method, x, y) if by_value else of_bins(method, *counts_of(got))
            n += 1
            if statistic is not None and differs(got["statistic"], statistic):
                wrong.append(f"{name}, {method}: {got['statistic']}, not {statistic}")
            if p is not None and differs(got["p_value"], p):
                wrong.append(f"{name}, {method}: p {got['p_value']}, not {p}")
    verdict.check(not wrong, f"scipy's statistics and p-values, {n} comparisons", wrong)


def main():
    if not peer.INSIDE:
        python = peer.environment("nannyml", "nannyml>=0.13,<0.14", "pandas<3", "statsmodels")
        if python is None:
            print("ok - scikit-learn's and scipy's numbers # SKIP PyPI cannot be reached")
            return 0
        return peer.run_inside(python, os.path.abspath(__file__))
    warnings.filterwarnings("ignore")
    import numpy as np
    rng = np.random.default_rng(12)
    with tempfile.TemporaryDirectory() as work:
        compare_metrics(rng, pathlib.Path(work))
        compare_drift(rng, pathlib.Path(work))
    return 1 if verdict.FAILED else 0


sys.exit(main())
