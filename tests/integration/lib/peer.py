"""A private Python environment with packages from PyPI, kept between runs."""
import os
import pathlib
import re
import subprocess
import sys

CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache"))
INSIDE = os.environ.get("BINNACLE_PEER") == "inside"


def environment(modules, *packages):
    """The Python of an environment in which `modules` can be imported, or None when PyPI cannot be
    reached. The first package names the environment."""
    folder = CACHE / "binnacle" / ("peer-" + re.sub(r"\W+", "-", packages[0]))
    python = folder / "bin" / "python"
    probe = [python, "-c", f"import {modules}"]
    if python.exists() and subprocess.run(probe, capture_output=True, check=False).returncode == 0:
        return python
    try:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True, capture_output=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *packages],
                       check=True, capture_output=True, timeout=400)
    except (subprocess.SubprocessError, OSError):
        return None
    return python


def run_inside(python, script):
    """Runs the script again, in the environment; returns its exit code."""
    return subprocess.run([python, script], env={**os.environ, "BINNACLE_PEER": "inside"},
                          check=False).returncode
