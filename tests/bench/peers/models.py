"""The models that forests are compared on, and what the peers need of them, made in the peers' own
environment. Prints JSON: what was made, and why something was not.

usage: models.py FOLDER"""
import hashlib
import json
import pathlib
import sys

import numpy
import xgboost

SHAPES = {"100x6": (100, 6), "500x8": (500, 8)}
WIDTH, N_TRAINING, N_ROWS = 30, 6000, 4096


def rows(n, seed):
    """Thirty numeric columns, a tenth of the cells missing, and a label that hangs on ten of them."""
    chance = numpy.random.default_rng(seed)
    x = chance.normal(size=(n, WIDTH)).astype("f")
    x[chance.random(x.shape) < 0.1] = numpy.nan
    known = numpy.nan_to_num(x)
    signal = known[:, :8].sum(1) + known[:, 8] * known[:, 9] + chance.normal(size=n)
    return x, (signal > 1.5).astype(int)


def train(path, rounds, depth):
    x, y = rows(N_TRAINING, 4)
    options = {"objective": "binary:logistic", "max_depth": depth, "eta": 0.05, "nthread": 1,
               "min_child_weight": 0.05}
    booster = xgboost.train(options, xgboost.DMatrix(x, y, nthread=1), rounds)
    booster.save_model(path)


def older(path, target):
    """The same model with base_score as a number: as an array, older readers take it for 0.5."""
    model = json.loads(path.read_text())
    parameters = model["learner"]["learner_model_param"]
    parameters["base_score"] = parameters["base_score"].strip("[]")
    target.write_text(json.dumps(model))


def compile_trees(model, target):
    import tl2cgen
    import treelite
    tl2cgen.export_lib(treelite.frontend.load_xgboost_model(str(model)), toolchain="gcc",
                       libpath=str(target), nthread=1)


def convert(model, target):
    from onnxmltools.convert import convert_xgboost
    from onnxmltools.convert.common.data_types import FloatTensorType
    booster = xgboost.Booster(model_file=model)
    made = convert_xgboost(booster, initial_types=[("x", FloatTensorType([None, WIDTH]))])
    target.write_bytes(made.SerializeToString())


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    # Whoever changes the recipe gets new models.
    stamp = hashlib.sha256(pathlib.Path(__file__).read_bytes() +
                           xgboost.__version__.encode()).hexdigest()
    facts = {"stamp": stamp, "xgboost": xgboost.__version__, "width": WIDTH, "problems": {},
             "library": str(next(pathlib.Path(xgboost.__file__).parent.rglob("libxgboost.so")))}
    kept = folder / "facts.json"
    if kept.exists() and json.loads(kept.read_text())["stamp"] == stamp:
        print(kept.read_text())
        return
    rows(N_ROWS, 5)[0].tofile(folder / "rows.f32")
    for name, (rounds, depth) in SHAPES.items():
        model, plain = folder / f"{name}.json", folder / f"{name}-plain.json"
        train(model, rounds, depth)
        older(model, plain)
        # Half a thousand deep trees take the compiler many minutes; nobody asks for them.
        makers = [("onnxruntime", convert, folder / f"{name}.onnx")]
        if rounds <= 100:
            makers.append(("tl2cgen", compile_trees, folder / f"{name}.so"))
        for peer, make, target in makers:
            try:
                make(plain, target)
            except Exception as problem:  # whatever a peer throws is why it is not measured
                facts["problems"][f"{peer} {name}"] = str(problem).splitlines()[0][:200]
    kept.write_text(json.dumps(facts))
    print(json.dumps(facts))


main()
