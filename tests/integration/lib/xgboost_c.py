"""libxgboost of any version through its C API, without the Python package: wheels from PyPI of
versions that no longer run on today's Python still hold a library that does."""
import array
import ctypes
import ctypes.util
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import zipfile

import peer

NEWEST = "newest"
SYSTEM = "installed"  # Debian's


# ---- getting it -----------------------------------------------------------------------------

def _pip():
    """A pip to download with: an environment of our own, since the system may have none."""
    folder = peer.CACHE / "binnacle" / "pip"
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True, capture_output=True)
    return [python, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:",
            "--python-version", "3.13"]


def _unpack(wheel, folder):
    """Only the library and what it brings; it looks for that beside its package."""
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.endswith("/libxgboost.so") or ".libs/" in name:
                archive.extract(name, folder)


def _download(version, folder):
    cpu = version == NEWEST or tuple(map(int, version.split("."))) >= (2, 1, 1)
    package = "xgboost-cpu" if cpu else "xgboost"
    wanted = package if version == NEWEST else f"{package}=={version}"
    with tempfile.TemporaryDirectory(dir=folder.parent) as work:
        work = pathlib.Path(work)
        subprocess.run([*_pip(), "-d", work, wanted], check=True, capture_output=True, timeout=300)
        _unpack(next(work.glob("*.whl")), work / "unpacked")
        shutil.rmtree(folder, ignore_errors=True)
        (work / "unpacked").rename(folder)


def _found(folder):
    return next(folder.glob("xgboost/lib/libxgboost.so"), None)


def path_of(version):
    """Where the library of a version is, "1.3.3", NEWEST or SYSTEM; None when it cannot be had."""
    if version == SYSTEM:
        return ctypes.util.find_library("xgboost")
    folder = peer.CACHE / "binnacle" / f"libxgboost-{version}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    if _found(folder) and version != NEWEST:
        return _found(folder)
    try:
        _download(version, folder)
    except (subprocess.SubprocessError, OSError):
        pass  # the newest one of an earlier run will do
    return _found(folder)


# ---- asking it ------------------------------------------------------------------------------

def floats(values):
    return (ctypes.c_float * len(values)).from_buffer(values)


class Library:
    """One version in this process; more than one would share symbols. Rows are array.array("f")."""

    def __init__(self, path):
        self.c = ctypes.CDLL(str(path))
        self.c.XGBGetLastError.restype = ctypes.c_char_p
        parts = [ctypes.c_int() for _ in range(3)]
        self.c.XGBoostVersion(*map(ctypes.byref, parts))
        self.version = tuple(part.value for part in parts)
        self.name = ".".join(map(str, self.version))

    def call(self, name, *arguments):
        if getattr(self.c, name)(*arguments):
            raise RuntimeError(self.c.XGBGetLastError().decode(errors="replace").splitlines()[0])

    def matrix(self, rows, width, labels=None, types=None):
        handle = ctypes.c_void_p()
        n = len(rows) // width
        self.call("XGDMatrixCreateFromMat", floats(rows), ctypes.c_uint64(n),
                  ctypes.c_uint64(width), ctypes.c_float(float("nan")), ctypes.byref(handle))
        if labels:
            self.call("XGDMatrixSetFloatInfo", handle, b"label", floats(labels), ctypes.c_uint64(n))
        if types:
            self._set_texts("XGDMatrixSetStrFeatureInfo", handle, b"feature_type", types)
        return handle

    def _set_texts(self, function, handle, field, texts):
        values = (ctypes.c_char_p * len(texts))(*[text.encode() for text in texts])
        self.call(function, handle, field, values, ctypes.c_uint64(len(texts)))

    def set_names(self, booster, names):
        self._set_texts("XGBoosterSetStrFeatureInfo", booster, b"feature_name", names)

    def booster(self, *matrices):
        handle = ctypes.c_void_p()
        kept = (ctypes.c_void_p * len(matrices))(*matrices)
        self.call("XGBoosterCreate", kept, ctypes.c_uint64(len(matrices)), ctypes.byref(handle))
        return handle

    def train(self, parameters, matrix, n_rounds):
        booster = self.booster(matrix)
        for key, value in {"nthread": 1, "verbosity": 0, **parameters}.items():
            self.call("XGBoosterSetParam", booster, key.encode(), str(value).encode())
        for i in range(n_rounds):
            self.call("XGBoosterUpdateOneIter", booster, i, matrix)
        return booster

    def set_attribute(self, booster, key, value):
        self.call("XGBoosterSetAttr", booster, key.encode(), str(value).encode())

    def save(self, booster, path):
        self.call("XGBoosterSaveModel", booster, str(path).encode())

    def load(self, path):
        booster = self.booster()
        self.call("XGBoosterSetParam", booster, b"nthread", b"1")
        self.call("XGBoosterLoadModel", booster, str(path).encode())
        return booster

    def predict(self, booster, matrix, margin, n_rounds=0):
        """Every row's margin or score by the first n_rounds rounds (0: all), as array("f")."""
        out = ctypes.POINTER(ctypes.c_float)()
        n = ctypes.c_uint64()
        if hasattr(self.c, "XGBoosterPredictFromDMatrix"):
            config = json.dumps({"type": int(margin), "training": False, "iteration_begin": 0,
                                 "iteration_end": n_rounds, "strict_shape": False})
            shape = ctypes.POINTER(ctypes.c_uint64)()
            dimensions = ctypes.c_uint64()
            self.call("XGBoosterPredictFromDMatrix", booster, matrix, config.encode(),
                      ctypes.byref(shape), ctypes.byref(dimensions), ctypes.byref(out))
            n = ctypes.c_uint64(shape[0])
        else:
            self.call("XGBoosterPredict", booster, matrix, int(margin), ctypes.c_uint(n_rounds), 0,
                      ctypes.byref(n), ctypes.byref(out))
        return array.array("f", out[:n.value])

    def free(self, booster=None, matrix=None):
        if booster:
            self.call("XGBoosterFree", booster)
        if matrix:
            self.call("XGDMatrixFree", matrix)
