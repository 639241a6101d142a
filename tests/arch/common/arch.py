"""What the architecture checks share: the tree's files, CMake's link lists, TAP lines."""

import os
import pathlib
import re
import subprocess
import sys

# Folders whose code is the product; tests and packaging are looked at by name where needed.
PRODUCT = ("app", "ui", "reports", "alerts", "engine")


def root():
    """The tree to check: the first argument, else the one this file is in."""
    if len(sys.argv) > 1:
        return pathlib.Path(sys.argv[1]).resolve()
    return pathlib.Path(__file__).resolve().parent.parent.parent.parent


def tracked(top):
    """Relative paths of all files that git knows or would add; in a bare folder, all files."""
    listing = subprocess.run(
        ["git", "-C", str(top), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    if listing.returncode == 0:
        names = [name for name in listing.stdout.decode().split("\0") if name]
    else:
        names = [os.path.relpath(os.path.join(folder, name), top)
                 for folder, _, files in os.walk(top) for name in files]
    return sorted(name for name in set(names) if (top / name).is_file())


def sources(top, folders=PRODUCT, suffixes=(".c", ".h")):
    return [name for name in tracked(top)
            if name.split("/")[0] in folders and name.endswith(suffixes)]


def folder_of(name):
    return str(pathlib.PurePosixPath(name).parent)


INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+([<"])([^>"]+)[>"]', re.M)


def includes(path):
    """[(line, quote, header)] of one file."""
    text = path.read_text(encoding="utf-8", errors="replace")
    return [(text.count("\n", 0, match.start()) + 1, match[1], match[2])
            for match in INCLUDE.finditer(text)]


LIBRARY = re.compile(r"^binnacle_library\((\w+)([^)]*)\)", re.M)


def libraries(top):
    """{folder: (name, LINK list, PRIVATE list)} from every CMakeLists.txt."""
    found = {}
    for name in tracked(top):
        if not name.endswith("CMakeLists.txt"):
            continue
        text = re.sub(r"#.*", "", (top / name).read_text())
        for match in LIBRARY.finditer(text):
            lists = {"LINK": [], "PRIVATE": []}
            current = None
            for word in match[2].split():
                if word in lists:
                    current = lists[word]
                elif current is not None:
                    current.append(word)
            found[folder_of(name)] = (match[1], lists["LINK"], lists["PRIVATE"])
    return found


class Report:
    """Collects findings per behaviour and prints them as TAP."""

    def __init__(self):
        self.failed = False

    def check(self, behaviour, findings):
        findings = list(findings)
        self.failed |= bool(findings)
        print(("not ok - " if findings else "ok - ") + behaviour)
        for finding in findings:
            print(f"#   {finding}")

    def warn(self, what, findings):
        for finding in findings:
            print(f"# {what}: {finding}")

    def end(self):
        sys.exit(1 if self.failed else 0)
