#!/usr/bin/env python3
"""Models of every XGBoost from 1.0 to the newest, scored by `binnacle predict` and by the library
that trained them: margins and scores equal bit by bit.

Two things changed for files that had been written: versions before 1.4 added base_score after the
trees instead of before, and before 1.7 categories beyond a set's last one took the way of missing
values. Such files are scored as Debian's library reads them; before 1.4 that is also the own score
but for rounding. The libraries come from PyPI's wheels, kept between runs, and are asked through
the C API, each in a process of its own. BINNACLE_XGBOOST_VERSIONS, words, chooses others."""
import array
import concurrent.futures
import math
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve()
sys.path.insert(0, str(HERE.parent / "lib"))
import xgboost_c
import xgboost_cases

BINNACLE = os.environ.get("BINNACLE", "build/dev/binnacle")
VERSIONS = os.environ.get("BINNACLE_XGBOOST_VERSIONS",
                          "1.0.2 1.3.3 1.5.2 installed 2.0.3 2.1.4 3.0.5 3.1.3 newest").split()
UBJSON_SINCE = (1, 6)
BINARY_UNTIL = (2, 1)
BASE_FIRST_SINCE = (1, 4)
UNKNOWN_LEFT_SINCE = (1, 7)
LOGITRAW_AS_MARGIN_SINCE = (1, 3)


# ---- in a process of its own, with one library ----------------------------------------------

def write(folder, name, values):
    (folder / f"{name}.f32").write_bytes(values.tobytes())


def read(folder, name):
    values = array.array("f")
    values.frombytes((folder / f"{name}.f32").read_bytes())
    return values


def predict_all(library, booster, case, data, folder, prefix):
    """Fresh matrices: of the one that it trained on a library remembers sums."""
    def asked(margin, n_rounds):
        matrix = library.matrix(data.rows, data.width, types=data.types)
        values = library.predict(booster, matrix, margin, n_rounds)
        library.free(matrix=matrix)
        return values

    write(folder, f"{prefix}margin", asked(True, 0))
    write(folder, f"{prefix}score", asked(False, 0))
    if case.best >= 0:
        write(folder, f"{prefix}best", asked(True, case.best + 1))


def train_case(library, case, data, folder):
    folder.mkdir()
    types = data.types if library.version >= (1, 5) else ()
    matrix = library.matrix(data.rows, data.width, data.labels, types)
    booster = library.train({"seed": 7, **case.parameters}, matrix, case.n_rounds)
    if case.best >= 0:
        library.set_attribute(booster, "best_iteration", case.best)
    if case.names:
        library.set_names(booster, case.names)
    for suffix in ("json", "ubj"):
        if suffix == "json" or library.version >= UBJSON_SINCE:
            library.save(booster, folder / f"model.{suffix}")
    predict_all(library, booster, case, data, folder, "")
    library.free(booster, matrix)


def train_refused(library, data, folder):
    for name, parameters, _ in xgboost_cases.REFUSED:
        matrix = library.matrix(data.rows, data.width, data.labels)
        booster = library.train(parameters, matrix, 2)
        library.save(booster, folder / f"{name}.json")
        library.free(booster, matrix)
    if library.version < BINARY_UNTIL:
        matrix = library.matrix(data.rows, data.width, data.labels)
        booster = library.train({"objective": "binary:logistic"}, matrix, 2)
        library.save(booster, folder / "old.model")
        library.free(booster, matrix)


def train_all(library, folder):
    every = xgboost_cases.make_data()
    for i, case in enumerate(xgboost_cases.cases(library.version)):
        train_case(library, case, every[case.data], folder / str(i))
    train_refused(library, every["numeric"], folder)


def read_all(library, folder, trained_by):
    """What this library makes of the files of an older one."""
    every = xgboost_cases.make_data()
    for i, case in enumerate(xgboost_cases.cases(trained_by)):
        if "logitraw" in case.name and trained_by < LOGITRAW_AS_MARGIN_SINCE:
            continue  # newer libraries take their base_score for a margin
        try:
            booster = library.load(folder / str(i) / "model.json")
        except RuntimeError:
            continue  # pruned trees of 1.0 and 1.1: they count their deleted nodes wrongly
        predict_all(library, booster, case, every[case.data], folder / str(i), "newer-")
        library.free(booster)


def inside(arguments):
    library = xgboost_c.Library(arguments[1])
    if arguments[0] == "train":
        train_all(library, pathlib.Path(arguments[2]))
    else:
        read_all(library, pathlib.Path(arguments[2]), tuple(map(int, arguments[3].split("."))))
    print(library.name)


# ---- comparing --------------------------------------------------------------------------------

def quoted(text):
    return '"' + text.replace('"', '""') + '"'


def cell(value):
    return "" if math.isnan(value) else f"{value:.9g}"


def write_csv(path, data, names):
    """Named columns stand in another order than the model's."""
    order = list(range(data.width))
    header = [names[k] if names else f"column {k}" for k in order]
    if names:
        order.reverse()
        header.reverse()
    with open(path, "w", encoding="utf-8") as file:
        file.write(",".join(map(quoted, header)) + "\n")
        for i in range(0, len(data.rows), data.width):
            file.write(",".join(cell(data.rows[i + k]) for k in order) + "\n")


def binnacle(model, rows, *options):
    run = subprocess.run([BINNACLE, "predict", "--model", model, *options, rows],
                         capture_output=True, text=True, check=False, timeout=60)
    if run.returncode:
        return None, run.stderr.strip() or f"ended with {run.returncode}"
    return array.array("f", map(float, run.stdout.split())), None


def differing(ours, theirs, tolerance):
    """What differs, or None; bit by bit where no tolerance is given."""
    if len(ours) != len(theirs):
        return f"{len(ours)} rows instead of {len(theirs)}"
    if tolerance == 0:
        if ours.tobytes() == theirs.tobytes():
            return None
        wrong = [i for i in range(len(ours)) if ours[i:i + 1].tobytes() != theirs[i:i + 1].tobytes()]
    else:
        wrong = [i for i in range(len(ours))
                 if not abs(ours[i] - theirs[i]) <= tolerance * max(1, abs(theirs[i]))]
    if not wrong:
        return None
    first = wrong[0]
    return f"{len(wrong)} of {len(ours)} rows, row {first}: {ours[first]!r}, not {theirs[first]!r}"


def expectations(case, folder, version):
    """(prefix of the files, tolerance): whose answers ours are held against."""
    own = [("", 0 if version >= BASE_FIRST_SINCE else 2e-6)]
    if case.data == "codes" and version < UNKNOWN_LEFT_SINCE:
        own = []
    return own + ([("newer-", 0)] if (folder / "newer-margin.f32").exists() else [])


def problem_with(case, folder, rows, version):
    asked = [(("--margin",), "margin"), ((), "score")]
    if case.best >= 0:
        asked.append((("--margin", "--best-iteration"), "best"))
    for model in sorted(folder.glob("model.*")):
        for options, what in asked:
            ours, problem = binnacle(model, rows, *options)
            for prefix, tolerance in expectations(case, folder, version) if ours else ():
                problem = problem or differing(ours, read(folder, prefix + what), tolerance)
            if problem:
                return f"{model.name} {what}: {problem}"
    return None


def refusal_problem(folder, rows, version):
    wanted = [(f"{name}.json", words) for name, _, words in xgboost_cases.REFUSED]
    if version < BINARY_UNTIL:
        wanted.append(("old.model", "old binary format"))
    for name, words in wanted:
        ours, message = binnacle(folder / name, rows)
        if ours is not None or words not in message:
            return f"{name}: {message or 'scored'}"
    return None


def run_inside(*arguments):
    run = subprocess.run([sys.executable, HERE, *map(str, arguments)], capture_output=True,
                         text=True, check=False, timeout=300)
    if run.returncode:
        raise RuntimeError(run.stderr.strip().splitlines()[-1] if run.stderr else
                           f"ended with {run.returncode}")
    return run.stdout.strip()


def try_version(wanted, top):
    """Lines of TAP about one version."""
    path = xgboost_c.path_of(wanted)
    if path is None:
        return [f"ok - scores as xgboost {wanted} # SKIP it cannot be had from PyPI"]
    folder = top / wanted
    folder.mkdir()
    try:
        name = run_inside("train", path, folder)
        version = tuple(map(int, name.split(".")))
        newer = version < UNKNOWN_LEFT_SINCE and xgboost_c.path_of(xgboost_c.SYSTEM)
        if newer:
            run_inside("read", newer, folder, name)
    except (RuntimeError, subprocess.SubprocessError) as error:
        return [f"not ok - xgboost {wanted} trains models", f"# {error}"]
    lines = []

    def tell(what, problem):
        lines.append(f"{'not ok' if problem else 'ok'} - {what}")
        lines.extend([f"# {problem}"] if problem else [])

    for i, case in enumerate(xgboost_cases.cases(version)):
        rows = top / f"{case.data}{'-named' if case.names else ''}.csv"
        tell(f"scores {case.name} as xgboost {name}",
             problem_with(case, folder / str(i), rows, version))
    tell(f"refuses what it cannot score of xgboost {name}",
         refusal_problem(folder, top / "numeric.csv", version))
    return lines


def main():
    failed = False
    with tempfile.TemporaryDirectory() as top:
        top = pathlib.Path(top)
        for name, data in xgboost_cases.make_data().items():
            write_csv(top / f"{name}.csv", data, ())
        write_csv(top / "numeric-named.csv", xgboost_cases.make_data()["numeric"],
                  xgboost_cases.NAMES)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for lines in pool.map(lambda version: try_version(version, top), VERSIONS):
                print("\n".join(lines), flush=True)
                failed = failed or any(line.startswith("not ok") for line in lines)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(inside(sys.argv[1:]) if len(sys.argv) > 1 else main())
