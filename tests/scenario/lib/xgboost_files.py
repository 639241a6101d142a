"""XGBoost model files made by hand: a small model as a Python value, both ways of writing it, and
what a file means, read independently of binnacle."""
import json
import math
import struct

NAN, INF = float("nan"), float("inf")
WIDTH = 3
ROWS = ([0.0, 0.0, 0.0], [1.0, 3.0, 2.5], [NAN, 2.0, -1.0], [0.5, NAN, 9.0], [-7.0, 40.0, NAN],
        [1e30, -1.0, 1e-30], [INF, INF, INF], [-INF, -INF, -INF], [INF, 2.0, INF],
        [INF, 2.0, -INF])


def tree(**changes):
    """0 splits on feature 0, 2 on categories of feature 1, 4 on feature 2 at infinity."""
    made = {"base_weights": [0.0] * 7, "categories": [2, 3], "categories_nodes": [2],
            "categories_segments": [0], "categories_sizes": [2],
            "default_left": [0, 0, 1, 0, 0, 0, 0], "id": 0,
            "left_children": [1, -1, 3, -1, 5, -1, -1], "loss_changes": [1.0] * 7,
            "parents": [2147483647, 0, 0, 2, 2, 4, 4],
            "right_children": [2, -1, 4, -1, 6, -1, -1],
            "split_conditions": [0.5, -1.0, NAN, 0.25, INF, 0.125, 2.0],
            "split_indices": [0, 0, 1, 0, 2, 0, 0], "split_type": [0, 0, 1, 0, 0, 0, 0],
            "sum_hessian": [7.0, 2.0, 5.0, 2.0, 3.0, 2.0, 1.0],
            "tree_param": {"num_deleted": "0", "num_feature": "3", "num_nodes": "7",
                           "size_leaf_vector": "1"}}
    made.update(changes)
    return made


def model(trees=None, dart=None, **changes):
    trees = [tree(id=0), tree(id=1)] if trees is None else trees
    booster = {"model": {"gbtree_model_param": {"num_parallel_tree": "1",
                                                "num_trees": str(len(trees))},
                         "iteration_indptr": list(range(len(trees) + 1)),
                         "tree_info": [0] * len(trees), "trees": trees}, "name": "gbtree"}
    if dart is not None:
        booster = {"gbtree": booster, "name": "dart", "weight_drop": dart}
    learner = {"attributes": {"note": "kept"}, "feature_names": [], "feature_types": [],
               "gradient_booster": booster,
               "learner_model_param": {"base_score": "[5E-1]", "num_class": "0",
                                       "num_feature": str(WIDTH), "num_target": "1"},
               "objective": {"name": "binary:logistic",
                             "reg_loss_param": {"scale_pos_weight": "1"}}}
    for key, value in changes.items():
        learner[key] = value
    return {"learner": learner, "version": [3, 1, 0]}


def as_json(value):
    return json.dumps(value).encode()


# ---- UBJSON -----------------------------------------------------------------------------------

INTEGERS = {"categories", "categories_nodes", "left_children", "right_children", "parents",
            "split_indices"}
BYTES = {"default_left", "split_type"}


def length(n):
    return b"L" + struct.pack(">q", n)


def text(value):
    raw = value.encode()
    return length(len(raw)) + raw


def as_ubjson(value, key="", order=">"):
    """As XGBoost lays it out: properties of nodes as typed arrays. `order` "<" is the wrong one."""
    if isinstance(value, dict):
        return b"{" + b"".join(text(k) + as_ubjson(v, k, order) for k, v in value.items()) + b"}"
    if isinstance(value, list) and key in INTEGERS | BYTES | {"split_conditions", "sum_hessian"}:
        kind, form = ("l", "i") if key in INTEGERS else ("U", "B") if key in BYTES else ("d", "f")
        return (b"[$" + kind.encode() + b"#" + length(len(value)) +
                b"".join(struct.pack(order + form, item) for item in value))
    if isinstance(value, list):
        return b"[#" + length(len(value)) + b"".join(as_ubjson(v, "", order) for v in value)
    if isinstance(value, str):
        return b"S" + text(value)
    if value is None or isinstance(value, bool):
        return {None: b"Z", True: b"T", False: b"F"}[value]
    if isinstance(value, int):
        return b"l" + struct.pack(order + "i", value)
    return b"d" + struct.pack(order + "f", value)


SIZES = {"i": "b", "U": "B", "I": "h", "l": "i", "L": "q", "d": "f", "D": "d"}


class Ubjson:
    """Reads what a sound file says; anything odd raises."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        if not 0 <= n <= len(self.data) - self.at:
            raise ValueError("it ends")
        self.at += n
        return self.data[self.at - n:self.at]

    def marker(self):
        while True:
            marker = self.take(1).decode("ascii")
            if marker != "N":
                return marker

    def number(self, marker):
        form = ">" + SIZES[marker]
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def string(self):
        marker = self.take(1).decode("ascii")
        if marker not in "iUIlL":
            raise ValueError("a length")
        return self.take(self.number(marker)).decode("utf-8")

    def header(self):
        kind = count = None
        if self.data[self.at:self.at + 1] == b"$":
            self.take(1)
            kind = self.take(1).decode("ascii")
        if self.data[self.at:self.at + 1] == b"#":
            self.take(1)
            count = self.number(self.take(1).decode("ascii"))
        return kind, count

    def items(self, end):
        kind, count = self.header()
        n = 0
        while n != count:
            if count is None:
                while self.data[self.at:self.at + 1] == b"N":
                    self.take(1)
                if self.data[self.at:self.at + 1] == end:
                    self.take(1)
                    return
            n += 1
            yield kind

    def value(self, marker=None):
        marker = marker or self.marker()
        if marker == "{":
            return {self.string(): self.value(kind) for kind in self.items(b"}")}
        if marker == "[":
            return [self.value(kind) for kind in self.items(b"]")]
        if marker == "S":
            return self.string()
        if marker == "C":
            return self.take(1).decode("ascii")
        words = {"Z": None, "T": True, "F": False}
        return words[marker] if marker in words else self.number(marker)


# ---- what a file means ------------------------------------------------------------------------

def rounded(value):
    """To float32, as every number of a file is."""
    if abs(value) >= 3.4028236e38:
        return math.copysign(INF, value)
    return struct.unpack("f", struct.pack("f", value))[0]


def leaf(nodes, row):
    node = 0
    sets = {n: nodes["categories"][s:s + c] for n, s, c in
            zip(nodes["categories_nodes"], nodes["categories_segments"], nodes["categories_sizes"])}
    while nodes["left_children"][node] != -1:
        value = row[nodes["split_indices"][node]]
        if math.isnan(value):
            left = nodes["default_left"][node]
        elif nodes["split_type"][node]:
            left = not 0 <= value < 2**24 or int(value) not in sets[node]
        else:
            left = value < rounded(nodes["split_conditions"][node])
        node = nodes["left_children" if left else "right_children"][node]
    return rounded(nodes["split_conditions"][node])


def margins(value):
    """Of ROWS, by the value of a file that is sound."""
    learner = value["learner"]
    booster = learner["gradient_booster"]
    weights = booster.get("weight_drop")
    booster = booster.get("gbtree", booster)
    base = float(learner["learner_model_param"]["base_score"].strip("[] "))
    if learner["objective"]["name"] in ("binary:logistic", "reg:logistic"):
        base = -math.log(1 / base - 1)
    sums = []
    for row in ROWS:
        total = rounded(base)
        for i, nodes in enumerate(booster["model"]["trees"]):
            weight = rounded(weights[i]) if weights else 1.0
            total = rounded(total + rounded(weight * leaf(nodes, [rounded(c) for c in row])))
        sums.append(total)
    return sums
