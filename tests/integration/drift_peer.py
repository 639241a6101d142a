#!/usr/bin/env python3
"""`drift --compat` gives the numbers, tests and verdicts of Evidently 0.7 and of NannyML 0.13: random
data sets of every kind of column, below and above the sizes at which those tools change their ways."""
import json
import os
import pathlib
import sys
import tempfile
import warnings

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import peer  # noqa: E402
from verdict import FAILED, answer_of, check  # noqa: E402

BINNACLE = os.path.abspath(os.environ.get("BINNACLE", "build/dev/binnacle"))
TOOL = os.environ.get("DRIFT_PEER", "")
NEAR = 1e-9
ROUNDS = int(os.environ.get("DRIFT_ROUNDS", "2"))


def make_column(rng, kind, n, shift, k):
    import numpy as np
    numbers = {"float": lambda: rng.normal(shift, 1 + shift, n),
               "round": lambda: np.round(rng.normal(shift, 1, n), 1),
               "skewed": lambda: rng.exponential(1 + shift, n),
               "int": lambda: rng.integers(0, k, n) + int(shift * 2),
               "constant": lambda: np.full(n, 3.5),
               "flag": lambda: rng.random(n) < .4 + shift / 5,
               "category": lambda: rng.choice([f"v{i}" for i in range(k)], n, p=rng.dirichlet(np.ones(k) * 3))}
    if kind in numbers:
        return numbers[kind]()
    values = (rng.choice([f"v{i}" for i in range(k)], n) if kind == "category+nulls" else
              (rng.integers(0, k, n) if kind == "int+nulls" else rng.normal(shift, 1, n)).astype(float)).astype(object)
    values[rng.random(n) < .1] = None
    if kind == "infinite":
        values[rng.random(n) < .03] = np.inf
    return values


def make_pair(rng, kinds, sizes, work):
    import pandas as pd
    n, m = int(rng.choice(sizes[0])), int(rng.choice(sizes[1]))
    columns = [(kind, int(rng.choice([2, 3, 5, 6, 9, 10, 11, 15, 20, 21, 40])), float(rng.choice([0, 0, .1, .5])))
               for kind in kinds]
    read = []
    for name, size, moved in (("a", n, 0), ("b", m, 1)):
        path = work / f"{name}.csv"
        pd.DataFrame({f"{kind}.{i}": make_column(rng, kind, size, shift * moved, k)
                      for i, (kind, k, shift) in enumerate(columns)}).to_csv(path, index=False, float_format="%.17g")
        read.append(pd.read_csv(path, float_precision="round_trip"))
    return read


def ours(work, tool, method):
    answer = answer_of([BINNACLE, "drift", "--reference", work / "a.csv", "--current", work / "b.csv", "--json",
                        "--compat", tool, *(["--method", method] if method else [])], codes=(0, 1))
    return {feature["feature"]: feature for feature in answer["features"]}


def evidently_cases(rng, work):
    """(what, our feature, our score, its score, its test in our words, its verdict, its threshold)"""
    import numpy as np
    from evidently.core.datasets import infer_column_type
    from evidently.legacy.calculations.stattests import get_stattest
    from evidently.legacy.core import ColumnType
    names = {"psi": "psi", "js": "jensenshannon", "ks": "ks", "wasserstein": "wasserstein", "chisquare": "chisquare",
             "hellinger": "hellinger", "kl": "kl_div", "ztest": "z"}
    words = {theirs: our for our, theirs in names.items()}
    kinds = ["float", "round", "skewed", "int", "int", "int", "infinite", "float+nulls", "int+nulls", "constant", "flag",
             "category", "category", "category+nulls"]
    for _ in range(ROUNDS):
        a, b = make_pair(rng, kinds, ([30, 400, 1000, 1001, 3000], [25, 500, 1000, 2500]), work)
        for method in (None, *names):
            features = ours(work, "evidently", method)
            for name in a.columns:
                kind = infer_column_type(b[name])
                kind = ColumnType.Categorical if kind == ColumnType.Text else kind
                x, y = (side[name].replace([-np.inf, np.inf], np.nan).dropna() for side in (a, b))
                try:
                    test = get_stattest(x, y, kind, names.get(method))
                    result = test(x.copy(), y.copy(), kind, None)
                except Exception:  # not for this type: ours falls back on the tool's own choice
                    continue
                feature = features[name]
                score = feature["p_value" if feature["threshold_of"] == "p_value" else "statistic"]
                yield (f"{name} {method} {len(x)} {len(y)}", feature, score, result.drift_score, words[test.name],
                       bool(result.drifted), result.actual_threshold)


def nannyml_cases(rng, work):
    import pandas as pd
    from nannyml.chunk import DefaultChunker
    from nannyml.drift.univariate.methods import FeatureType, MethodFactory
    from nannyml.thresholds import ConstantThreshold
    names = {None: "jensen_shannon", "js": "jensen_shannon", "ks": "kolmogorov_smirnov", "wasserstein": "wasserstein",
             "chisquare": "chi2", "hellinger": "hellinger", "linf": "l_infinity"}
    kinds = ["float", "round", "skewed", "int", "int", "float+nulls", "int+nulls", "constant", "category", "category",
             "category+nulls"]
    for _ in range(ROUNDS):
        a, b = make_pair(rng, kinds, ([30, 400, 9999, 10000, 15000], [25, 500, 12000]), work)
        for method, theirs in names.items():
            features = ours(work, "nannyml", method)
            for name in a.columns:
                kind = (FeatureType.CONTINUOUS if pd.api.types.is_numeric_dtype(a[name]) else FeatureType.CATEGORICAL)
                if kind not in MethodFactory.registry[theirs]:
                    continue
                test = MethodFactory.create(theirs, kind, chunker=DefaultChunker(), threshold=ConstantThreshold(upper=.1))
                try:
                    test._fit(a[name])
                    value = test._calculate(b[name])
                except ValueError:  # as of too many bins for a constant
                    continue
                feature = features[name]
                drifted = test._p_value < 0.05 if theirs == "chi2" else feature["drift"]
                yield (f"{name} {method} {len(a)} {len(b)}", feature, feature["statistic"], value, feature["method"],
                       drifted, feature["threshold"])


def compare(tool, cases):
    import numpy as np
    with tempfile.TemporaryDirectory() as work:
        n, worst, wrong = 0, 0.0, []
        for what, feature, got, want, test, drifted, threshold in cases(np.random.default_rng(5), pathlib.Path(work)):
            n += 1
            off = abs((np.nan if got is None else got) - want) / max(1, abs(want))
            worst = max(worst, off)
            if not off <= NEAR or (feature["method"], feature["drift"], feature["threshold"]) != (test, drifted, threshold):
                wrong.append(f"{what}: {feature['method']} {got} {feature['drift']}, not {test} {want} {drifted}")
    check(n > 40 * ROUNDS and not wrong, f"{tool}: scores, tests, verdicts and thresholds of random data sets", wrong)
    print(f"# {tool}: {n} comparisons, largest difference {worst:.2g}")


def main():
    if TOOL:
        warnings.filterwarnings("ignore")
        compare(TOOL, {"evidently": evidently_cases, "nannyml": nannyml_cases}[TOOL])
        return 1 if FAILED else 0
    code = 0
    for tool, packages in (("evidently", ("evidently>=0.7,<0.8", "pandas<3")),
                           ("nannyml", ("nannyml>=0.13,<0.14", "pandas<3", "statsmodels"))):
        python = peer.environment(tool, *packages)
        if python is None:
            print(f"ok - {tool}'s numbers # SKIP PyPI cannot be reached", flush=True)
            continue
        os.environ["DRIFT_PEER"] = tool
        code = peer.run_inside(python, os.path.abspath(__file__)) or code
    return code


sys.exit(main())
