"""The end of a run in which something failed: each failed program with its failed lines and what
was said about them, so that the tail of a log is enough to know what failed."""

import re

PROGRAM_LINES, ALL_LINES, COLUMNS = 40, 200, 300
# A failed line, or a skipped one (which CI counts as failed), with its details.
FAILURE = re.compile(r"^(?:not ok\b.*|ok\b.*#\s*(?:skip|SKIP)\b.*)(?:\n#.*)*", re.M)
LAST_WORDS = re.compile(r"(?:^#.*\n?)+\Z", re.M)


def cut(lines, most):
    """At most so many lines, the last of which says how many are missing."""
    if len(lines) <= most:
        return lines
    return [*lines[:most - 1], f"# ... {len(lines) - most + 1} more lines"]


def failed_lines(output):
    """What failed in a program's output. Every failure shows, whatever the details of another are.
    Of a program that reported no failure itself, the end, where it died."""
    failures = [match[0].splitlines() for match in FAILURE.finditer(output)]
    if not failures:
        return output.splitlines()[-PROGRAM_LINES:]
    last = LAST_WORDS.search(output)
    if last and last[0].splitlines()[-1] != failures[-1][-1]:
        failures.append(last[0].splitlines())
    share = max(2, PROGRAM_LINES // len(failures))
    return cut([line for failure in failures for line in cut(failure, share)], PROGRAM_LINES)


def pages(failed):
    """The lines to print for [(program's name, its output)]."""
    lines = []
    for place, (name, output) in enumerate(failed):
        page = [f"FAILED {name}", *(f"    | {line[:COLUMNS]}" for line in failed_lines(output))]
        if len(lines) + len(page) > ALL_LINES:
            names = ", ".join(name for name, _ in failed[place:])
            return [*lines, f"FAILED as well: {names}"]
        lines += page
    return lines
