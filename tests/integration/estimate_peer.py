#!/usr/bin/env python3
"""`estimate` gives what NannyML 0.13's CBPE gives, number by number: estimates, sampling errors, bands,
thresholds, alerts and the truth where it is known, of every metric, on scores that are and are not calibrated,
with ties, constants, rare positives, missing labels, tiny chunks and a last one that is not full."""
import json
import os
import pathlib
import sys
import tempfile
import warnings

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import peer  # noqa: E402
from verdict import answer_of, check, differs  # noqa: E402

BINNACLE = os.path.abspath(os.environ.get("BINNACLE", "build/dev/binnacle"))
NEAR = 1e-9
SEED = 7
METRICS = ["roc_auc", "average_precision", "f1", "precision", "recall", "specificity", "accuracy", "confusion_matrix",
           "business_value"]
VALUES = [[1.5, -3.0], [-20.0, 40.0]]
THEIR_NAMES = {"estimated": "value", "realized": "realized", "sampling_error": "sampling_error",
               "lower": "lower_confidence_boundary", "upper": "upper_confidence_boundary",
               "lower_threshold": "lower_threshold", "upper_threshold": "upper_threshold"}
# name: rows of reference, rows of current, chunk size, shape of the scores, exponent of the truth
CASES = {
    "calibrated": (3000, 1700, 500, "uniform", 1),
    "not calibrated": (4000, 2000, 400, "uniform", 3),
    "many ties": (2000, 1000, 250, "tenths", 2),
    "rare positives": (4000, 2100, 300, "rare", 1),
    "a constant score": (1200, 700, 200, "constant", 1),
    "chunks of 30": (600, 100, 30, "uniform", 2),
    "chunks of 3": (60, 11, 3, "uniform", 1),
    "two scores": (900, 400, 150, "two", 1),
    "labels missing": (1500, 900, 300, "uniform", 2),
}


def scores_of(shape, rng, n):
    import numpy as np
    return {"uniform": lambda: rng.random(n), "tenths": lambda: np.round(rng.random(n), 1),
            "rare": lambda: rng.beta(.3, 12, n), "constant": lambda: np.full(n, .3),
            "two": lambda: rng.choice([.2, .9], n)}[shape]()


def make(name, rng):
    import pandas as pd
    n, m, _, shape, power = CASES[name]
    tables = []
    for size, drift in ((n, 0), (m, .1)):
        scores = scores_of(shape, rng, size)
        truth = (rng.random(size) < scores ** power * (1 - drift)).astype(int)
        tables.append(pd.DataFrame({"s": scores, "p": (scores >= .5).astype(int), "y": truth}))
    if name == "labels missing":
        tables[1]["y"] = tables[1]["y"].astype(float).mask(rng.random(m) < .3)
    return tables


def ours(work, size):
    words = ["--score", "s", "--pred", "p", "--label", "y", "--chunk-size", str(size), "--seed", str(SEED), "--json",
             "--metric", ",".join(METRICS), "--business-value", ",".join(str(v) for row in VALUES for v in row)]
    return answer_of([BINNACLE, "estimate", "--reference", work / "a.csv", "--current", work / "b.csv",
                      *words])["chunks"]


class StableNumpy:
    """numpy, but rows of equal score stay in their order: theirs is as this processor's sort leaves it."""
    def __getattr__(self, name):
        import numpy as np
        return getattr(np, name)

    def argsort(self, values):
        import numpy as np
        return np.argsort(values, kind="stable")


def theirs(reference, current, size):
    import numpy as np
    from nannyml import CBPE
    from nannyml.sampling_error import binary_classification
    binary_classification.np = StableNumpy()
    estimator = CBPE(y_pred_proba="s", y_pred="p", y_true="y", metrics=METRICS, chunk_size=size,
                     problem_type="classification_binary", business_value_matrix=np.array(VALUES))
    np.random.seed(SEED)
    estimator.fit(reference)
    return estimator.estimate(current).filter(period="analysis").to_df()


def compare(name, rng, work):
    reference, current = make(name, rng)
    for table, file in ((reference, "a.csv"), (current, "b.csv")):
        table.to_csv(work / file, index=False, float_format="%.17g")
    size, wrong = CASES[name][2], []
    table = theirs(reference, current, size)
    chunks = ours(work, size)
    for chunk in chunks:
        row = table.iloc[chunk["start"] // size][chunk["metric"]]
        for our, their in THEIR_NAMES.items():
            if differs(chunk[our], row[their], NEAR):
                wrong.append(f"{chunk['start']} {chunk['metric']} {our}: {chunk[our]}, not {row[their]}")
        if chunk["alert"] != bool(row["alert"]):
            wrong.append(f"{chunk['start']} {chunk['metric']} alert {chunk['alert']}")
    return check(not wrong and len(chunks) == 12 * len(table),
                 f"CBPE as NannyML has it, {name}: {len(chunks)} estimates", wrong)


def main():
    if not peer.INSIDE:
        python = peer.environment("nannyml", "nannyml>=0.13,<0.14", "pandas<3", "statsmodels")
        if python is None:
            print("ok - CBPE as NannyML has it # SKIP PyPI cannot be reached")
            return 0
        return peer.run_inside(python, os.path.abspath(__file__))
    warnings.filterwarnings("ignore")
    import logging
    import numpy as np
    logging.disable(logging.CRITICAL)
    rng = np.random.default_rng(11)
    with tempfile.TemporaryDirectory() as work:
        results = [compare(name, rng, pathlib.Path(work)) for name in CASES]
    return 0 if all(results) else 1


sys.exit(main())
