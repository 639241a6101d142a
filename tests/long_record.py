"""tests/LONG.md: what the last run of each script of the long part said, and on which commit."""

import pathlib
import re
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
LINE = re.compile(r"^(?:not )?ok\b.*$", re.M)


def commit_name(root):
    """The commit that is checked out in `root`, with -dirty when files differ from it. The record
    itself, which each long script writes, does not count."""
    def git(*words):
        return subprocess.run(["git", *words], cwd=root, text=True, stdout=subprocess.PIPE,
                              check=False).stdout.strip()
    changed = git("status", "--porcelain", "--untracked-files=no", "--", ".",
                  ":(exclude)tests/LONG.md")
    return git("describe", "--always") + ("-dirty" if changed else "")


def write(details):
    """Results of (program, result) take the place of what the same scripts said before."""
    commit = commit_name(ROOT)
    page = ROOT / "tests" / "LONG.md"
    kept = {}
    order = re.compile(r"^## (\S+)\n(.*?)(?=^## |\Z)", re.M | re.S)
    if page.is_file():
        kept = {match[1]: match[2].strip() for match in order.finditer(page.read_text())}
    day = time.strftime("%Y-%m-%d %H:%MZ", time.gmtime())
    for program, result in details:
        lines = [f"{day} on commit `{commit}`, {result.seconds:.0f} s: {result.passed} passed, "
                 f"{result.failed} failed, {result.skipped} skipped.", ""]
        lines += [f"- {match[0]}" for match in LINE.finditer(result.output)]
        lines += [f"- {line.removeprefix('# result: ')}" for line in result.output.splitlines()
                  if line.startswith("# result: ")]
        kept[program.name] = "\n".join(lines)
    text = ("# The long part\n\nWritten by `tests/run long`: the last run of each script with the "
            "commit it ran on.\n")
    for name in sorted(kept):
        text += f"\n## {name}\n\n{kept[name]}\n"
    page.write_text(text)
