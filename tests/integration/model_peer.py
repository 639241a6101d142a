#!/usr/bin/env python3
"""`binnacle predict` against Booster.predict of XGBoost's own Python package: scores and margins to
the last digit, contributions to rounding, for every kind of model that can be scored.

The package comes from PyPI into a private environment that is kept between runs; where PyPI cannot
be reached, the comparison is skipped. BINNACLE_XGBOOST names another package or version, such as
`xgboost==1.7.6`."""
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve()
sys.path.insert(0, str(HERE.parent / "lib"))
import peer

BINNACLE = os.environ.get("BINNACLE", "build/dev/binnacle")
PACKAGE = os.environ.get("BINNACLE_XGBOOST", "xgboost-cpu")


class Comparison:
    """Models of one version of the library, each saved, predicted by both, and compared."""

    def __init__(self, folder):
        import numpy
        import xgboost
        self.np, self.xgb = numpy, xgboost
        self.folder = folder
        self.failures = 0
        self.rng = numpy.random.default_rng(20260101)

    def rows(self, n, width):
        x = self.rng.normal(size=(n, width)).astype("f")
        x *= self.rng.choice([1e-3, 1, 1e6], size=width).astype("f")
        x[self.rng.random(x.shape) < 0.1] = self.np.nan
        signal = self.np.nan_to_num(x[:, 0]) / self.np.nanstd(x[:, 0])
        return x, (signal + self.rng.normal(size=n) > 0.5).astype(int)

    def matrix(self, x, y=None, **options):
        return self.xgb.DMatrix(x, y, nthread=1, **options)

    def write_csv(self, x, names):
        path = self.folder / "rows.csv"
        cell = lambda v: "" if self.np.isnan(v) else "%.9g" % v
        with open(path, "w", encoding="utf-8") as file:
            file.write(",".join(names) + "\n")
            file.writelines(",".join(map(cell, row)) + "\n" for row in x)
        return path

    def binnacle(self, model, rows, *options):
        run = subprocess.run([BINNACLE, "predict", "--model", model, *options, rows],
                             capture_output=True, text=True, check=False)
        if run.returncode:
            raise RuntimeError(run.stderr.strip())
        return run.stdout.splitlines()

    def report(self, name, problem):
        print(f"{'not ok' if problem else 'ok'} - {name}" + (f"\n# {problem}" if problem else ""))
        self.failures += bool(problem)

    def lines(self, booster, matrix, **options):
        return ["%.9g" % v for v in booster.predict(matrix, **options)]

    def differ(self, booster, x, matrix, names, suffix):
        """What is different, or None."""
        model, rows = self.folder / f"model.{suffix}", self.write_csv(x, names)
        booster.save_model(model)
        pairs = [((), {}), (("--margin",), {"output_margin": True})]
        if booster.attributes().get("best_iteration") and hasattr(booster, "best_iteration"):
            until = (0, int(booster.best_iteration) + 1)
            pairs.append((("--best-iteration",), {"iteration_range": until}))
        for options, theirs in pairs:
            ours, expected = self.binnacle(model, rows, *options), self.lines(booster, matrix, **theirs)
            wrong = [i for i, pair in enumerate(zip(ours, expected)) if pair[0] != pair[1]]
            if len(ours) != len(expected) or wrong:
                return (f"{suffix} {options}: {len(wrong)} of {len(expected)} rows differ, first "
                        f"{[(ours[i], expected[i]) for i in wrong[:1]]}")
        return self.contributions_differ(booster, matrix, model, rows)

    def contributions_differ(self, booster, matrix, model, rows):
        if "c" in (matrix.feature_types or []):
            return None  # the library cannot explain sets of categories in every version
        lines = self.binnacle(model, rows, "--contribs")
        ours = self.np.array([[float(v) for v in line.split(",")] for line in lines[1:]])
        theirs = booster.predict(matrix, pred_contribs=True)
        gap = float(abs(ours - theirs).max())
        scale = max(1.0, float(abs(theirs).max()))
        return f"contributions differ by {gap}" if gap > 1e-5 * scale else None

    def compare(self, name, booster, x, matrix, names=None):
        names = names or [f"column {i}" for i in range(x.shape[1])]
        for suffix in ("json", "ubj"):
            try:
                problem = self.differ(booster, x, matrix, names, suffix)
            except RuntimeError as error:
                problem = str(error)
            self.report(f"scores {name} ({suffix}) as xgboost {self.xgb.__version__}", problem)

    def objectives(self):
        x, y = self.rows(2000, 6)
        matrix = self.matrix(x, y)
        for objective in ("binary:logistic", "binary:logitraw", "reg:logistic", "reg:squarederror"):
            for booster in ("gbtree", "dart"):
                options = {"objective": objective, "booster": booster, "max_depth": 5, "eta": 0.2,
                           "nthread": 1}
                if booster == "dart":
                    options.update(rate_drop=0.3, skip_drop=0.2)
                trained = self.xgb.train(options, matrix, 30)
                self.compare(f"{objective} {booster}", trained, x, matrix)

    def shapes(self):
        x, y = self.rows(2000, 5)
        names = ["amount", "a,b", "Zeit (h)", "d", "e"]
        matrix = self.matrix(x, y, feature_names=names)
        base = {"objective": "binary:logistic", "nthread": 1}
        quoted = [f'"{n}"' for n in names]
        forest = self.xgb.train({**base, "num_parallel_tree": 4, "subsample": 0.5, "max_depth": 3,
                                 "base_score": 0.3}, matrix, 5)
        self.compare("a random forest with names", forest, x, matrix, quoted)
        pruned = self.xgb.train({**base, "gamma": 3, "tree_method": "exact"}, matrix, 15)
        self.compare("pruned trees", pruned, x, matrix, quoted)
        deep = self.xgb.train({**base, "max_depth": 0, "grow_policy": "lossguide",
                               "max_leaves": 300, "min_child_weight": 0, "tree_method": "hist"},
                              matrix, 5)
        self.compare("deep trees", deep, x, matrix, quoted)
        early = self.xgb.train(base, matrix, 200, evals=[(matrix, "a"), (self.matrix(
            x[::-1], y, feature_names=names), "b")], early_stopping_rounds=4, verbose_eval=False)
        self.compare("an early stopped model", early, x, matrix, quoted)

    def wide(self):
        x, y = self.rows(300, 700)
        matrix = self.matrix(x, y)
        trained = self.xgb.train({"objective": "binary:logistic", "max_depth": 4, "nthread": 1},
                                 matrix, 10)
        self.compare("700 features", trained, x, matrix)

    def categories(self):
        x = self.rng.integers(0, 40, size=(2000, 3)).astype("f")
        x[self.rng.random(x.shape) < 0.05] = self.np.nan
        y = self.np.isin(x[:, 0], [2, 4, 7, 33]) ^ (self.rng.random(2000) < 0.2)
        matrix = self.matrix(x, y.astype(int), feature_types=["c", "c", "q"],
                             enable_categorical=True)
        for onehot in (1, 100):
            trained = self.xgb.train({"objective": "binary:logistic", "tree_method": "hist",
                                      "max_depth": 4, "max_cat_to_onehot": onehot, "nthread": 1},
                                     matrix, 8)
            self.compare(f"categories, one-hot up to {onehot}", trained, x, matrix)


def main():
    if not peer.INSIDE:
        python = peer.environment("xgboost, numpy, scipy", PACKAGE, "numpy", "scipy")
        if python is None:
            print(f"ok - scores as Booster.predict # SKIP {PACKAGE} cannot be installed from PyPI")
            return 0
        return peer.run_inside(python, HERE)
    with tempfile.TemporaryDirectory() as folder:
        comparison = Comparison(pathlib.Path(folder))
        comparison.xgb.set_config(verbosity=0)
        for part in (comparison.objectives, comparison.shapes, comparison.wide,
                     comparison.categories):
            part()
    return 1 if comparison.failures else 0


if __name__ == "__main__":
    sys.exit(main())
