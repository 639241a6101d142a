"""The models that every version of XGBoost trains for model_versions.py, and the rows they see."""
import array
import dataclasses
import random

NAN = float("nan")
N_ROWS = 1200
MISSING = 0.1

# Names as people give them; commas and quotes need CSV's own quoting.
NAMES = ["amount (USD)", 'the "old" one', "a,b", "größe", "🦊 fox", "line count"]


@dataclasses.dataclass(frozen=True)
class Data:
    width: int
    rows: array.array
    labels: array.array
    types: tuple = ()


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    data: str
    parameters: dict
    n_rounds: int = 15
    since: tuple = (1, 0)
    names: tuple = ()
    best: int = -1  # a best_iteration to leave in the file, as early stopping does


def numeric(chance):
    """Scales six orders apart, ties, negative zeros and tiny values; the first feature matters."""
    rows, labels = array.array("f"), array.array("f")
    for _ in range(N_ROWS):
        row = [chance.gauss(0, 1e-3), chance.gauss(0, 1), chance.gauss(0, 1e6),
               float(chance.randrange(-3, 4)), chance.choice((-0.0, 0.0, 1e-42, 1.0)),
               chance.lognormvariate(0, 8)]
        labels.append(float(row[0] * 1000 + row[3] / 2 + chance.gauss(0, 1) > 0.5))
        rows.extend(NAN if chance.random() < MISSING else cell for cell in row)
    return Data(len(NAMES), rows, labels)


def chain(_):
    """Targets that grow so fast that every split takes one more row off: a tree of one branch."""
    n = 420
    return Data(1, array.array("f", range(n)), array.array("f", (1.2 ** i for i in range(n))))


def codes(chance):
    """Two features of categories and one of numbers."""
    rows, labels = array.array("f"), array.array("f")
    for _ in range(N_ROWS):
        row = [chance.randrange(40), chance.randrange(4), chance.gauss(0, 1)]
        labels.append(float((row[0] in (2, 4, 7, 33)) != (row[1] == 2) or row[2] > 1.5))
        rows.extend(NAN if chance.random() < MISSING else cell for cell in row)
    return Data(3, rows, labels, ("c", "c", "q"))


def make_data():
    chance = random.Random(20260101)
    return {made.__name__: made(chance) for made in (numeric, chain, codes)}


def _objectives():
    for objective in ("binary:logistic", "binary:logitraw", "reg:logistic", "reg:squarederror"):
        yield Case(objective, "numeric", {"objective": objective, "max_depth": 5})
        yield Case(f"{objective} dart", "numeric",
                   {"objective": objective, "booster": "dart", "max_depth": 4, "rate_drop": 0.3,
                    "skip_drop": 0.2})


def _base_scores():
    """The first versions wrote six places after the point, whatever the number, and the next ones
    misread a long one of those; before 3.2 a probability had to be within 0 and 1."""
    always, written, bounded = (1, 0), (1, 2), (3, 2)
    for objective, value, since in (
            ("binary:logistic", 0.3, always), ("binary:logistic", 1e-7, written),
            ("reg:logistic", 0.9999999, written), ("binary:logistic", 0, bounded),
            ("reg:logistic", 1, bounded), ("binary:logitraw", 0.25, always),
            ("reg:squarederror", -12.5, always), ("reg:squarederror", 1e10, written),
            ("reg:squarederror", 0, always)):
        yield Case(f"{objective} from base_score {value}", "numeric",
                   {"objective": objective, "base_score": value, "max_depth": 3}, 5, since)


def _shapes():
    logistic = {"objective": "binary:logistic"}
    yield Case("random forest", "numeric", {**logistic, "num_parallel_tree": 4, "subsample": 0.5,
                                            "max_depth": 4}, 5)
    yield Case("pruned trees", "numeric", {**logistic, "gamma": 3, "tree_method": "exact"})
    yield Case("single leaves", "numeric", {**logistic, "gamma": 1e9, "max_depth": 3}, 3)
    yield Case("approx", "numeric", {**logistic, "tree_method": "approx", "max_depth": 8}, 5)
    yield Case("deep trees", "numeric",
               {**logistic, "tree_method": "hist", "grow_policy": "lossguide", "max_depth": 0,
                "max_leaves": 300, "min_child_weight": 0}, 5)
    yield Case("a chain of splits", "chain",
               {"objective": "reg:squarederror", "tree_method": "exact", "max_depth": 500,
                "min_child_weight": 0, "lambda": 0, "eta": 1}, 2)
    yield Case("early stopping", "numeric", {**logistic, "max_depth": 3}, best=4)
    yield Case("names", "numeric", {**logistic, "max_depth": 4}, since=(1, 4), names=tuple(NAMES))
    for onehot in (1, 100):
        for booster in ("gbtree", "dart"):
            yield Case(f"{booster}, categories, one-hot up to {onehot}", "codes",
                       {**logistic, "tree_method": "hist", "max_cat_to_onehot": onehot,
                        "max_depth": 5, "booster": booster}, since=(1, 6))


def cases(version):
    """Those that this version can train."""
    every = [*_objectives(), *_base_scores(), *_shapes()]
    return [case for case in every if version >= case.since]


# What cannot be scored: the reason must be given, not a number.
REFUSED = (
    ("multi:softprob", {"objective": "multi:softprob", "num_class": 2}, "multi:softprob"),
    ("count:poisson", {"objective": "count:poisson"}, "count:poisson"),
    ("gblinear", {"objective": "binary:logistic", "booster": "gblinear"}, "gblinear"),
)
