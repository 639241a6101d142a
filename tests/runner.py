"""Builds what the chosen parts need, runs their programs, counts their results.

Started by tests/run. Every test program speaks TAP: cmocka programs when told so by the
environment, scripts by printing `ok - behaviour` and `not ok - behaviour` themselves. A program
that dies, exits non-zero without a failed line, stops short of its plan, or reports nothing at
all is a failure of its own, so that silence never passes.
"""

import concurrent.futures
import dataclasses
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
LOGS = ROOT / "build" / "test-logs"
STRICT = os.environ.get("CI") == "true"
FUZZ_SECONDS = int(os.environ.get("BINNACLE_FUZZ_SECONDS", "30"))


@dataclasses.dataclass(frozen=True)
class Part:
    """One row of the table below."""

    name: str
    builds: tuple  # (preset, targets...)
    finder: str  # which of FINDERS lists its programs
    jobs: int = 1  # programs at a time
    limit_s: int = 300  # per program
    binary: str = "dev"  # preset whose binnacle is given to scripts as $BINNACLE


# Scenarios run the dev build, whose asserts are live; what a user touches runs the shipped one.
PARTS = (
    Part("unit", (("dev", "all", "unit"),), "unit", jobs=2, limit_s=120),
    Part("arch", (("dev", "all"),), "scripts"),
    Part("lint", (("dev", "all"),), "scripts", limit_s=900),
    Part("scenario", (("dev", "all"), ("release", "binnacle")), "scripts", jobs=2, limit_s=600),
    Part("tui", (("release", "binnacle"),), "scripts", binary="release"),
    Part("web", (("release", "binnacle"), ("dev", "web_fake_server")), "scripts",
         binary="release"),
    Part("integration", (("release", "binnacle", "kernel_margins"),
                         ("dev", "engine_feature_online_test")), "scripts", limit_s=600,
         binary="release"),
    Part("sanitize", (("asan", "unit"), ("tsan", "unit")), "sanitize", jobs=2, limit_s=400),
    Part("fuzz", (("fuzz", "all"),), "fuzz", jobs=2, limit_s=FUZZ_SECONDS + 120),
    Part("long", (("dev", "all"), ("release", "binnacle")), "scripts", limit_s=7200,
         binary="release"),
)
ORDINARY = tuple(part for part in PARTS if part.name != "long")


@dataclasses.dataclass
class Program:
    name: str
    command: list
    environment: dict = dataclasses.field(default_factory=dict)
    reports: bool = True  # False: its exit code is its one result


@dataclasses.dataclass
class Result:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0
    output: str = ""

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped


# ---- finding programs -------------------------------------------------------------------------

def unit_programs(preset, environment):
    """One per tests/unit/**/NAME_test.c, so that a stale program in build/ is never run."""
    base = ROOT / "tests" / "unit"
    for source in sorted(base.rglob("*_test.c")):
        name = str(source.relative_to(base).with_suffix(""))
        program = ROOT / "build" / preset / "unit" / name.replace("/", "_")
        yield Program(name, [str(program)], dict(environment, CMOCKA_MESSAGE_OUTPUT="TAP"))


def find_unit(_part):
    return list(unit_programs("dev", {}))


def find_sanitize(_part):
    folder = ROOT / "tests" / "sanitize"
    asan = {
        "ASAN_OPTIONS": "abort_on_error=0:detect_stack_use_after_return=1",
        "LSAN_OPTIONS": f"suppressions={folder / 'lsan.supp'}:print_suppressions=0",
        "UBSAN_OPTIONS": "print_stacktrace=1",
    }
    tsan = {"TSAN_OPTIONS": f"halt_on_error=0:suppressions={folder / 'tsan.supp'}"}
    programs = []
    for preset, environment in (("asan", asan), ("tsan", tsan)):
        for program in unit_programs(preset, environment):
            program.name = f"{preset} {program.name}"
            programs.append(program)
    return programs


def find_scripts(part):
    """Every executable file in tests/PART itself; sub-folders hold what they share."""
    folder = ROOT / "tests" / part.name
    environment = {"BINNACLE": str(ROOT / "build" / part.binary / "binnacle")}
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    return [Program(file.name, [str(file)], environment) for file in files
            if file.is_file() and os.access(file, os.X_OK)]


def find_fuzz(_part):
    """The kept inputs are copied first: new ones are for a person to choose from."""
    folder = ROOT / "tests" / "fuzz"
    work = ROOT / "build" / "fuzz" / "work"
    shutil.rmtree(work, ignore_errors=True)
    programs = []
    for source in sorted(folder.glob("*_fuzz.c")):
        name = source.stem.removesuffix("_fuzz")
        corpus = work / name
        corpus.mkdir(parents=True)
        if (folder / "corpus" / name).is_dir():
            shutil.copytree(folder / "corpus" / name, corpus, dirs_exist_ok=True)
        command = [str(ROOT / "build" / "fuzz" / "fuzz" / source.stem), str(corpus),
                   f"-max_total_time={FUZZ_SECONDS}", "-timeout=10", "-rss_limit_mb=2048",
                   "-print_final_stats=1", f"-artifact_prefix={work}/{name}-"]
        if (folder / f"{name}.dict").is_file():
            command.append(f"-dict={folder / f'{name}.dict'}")
        programs.append(Program(name, command, reports=False))
    return programs


FINDERS = {"unit": find_unit, "sanitize": find_sanitize, "scripts": find_scripts,
           "fuzz": find_fuzz}


# ---- building ---------------------------------------------------------------------------------

def build(preset, targets, done={}):
    """Configures when needed and builds; returns "" or what went wrong. Each is built once."""
    if (preset, targets) in done:
        return done[preset, targets]
    folder = ROOT / "build" / preset
    cache = folder / "CMakeCache.txt"
    here = f"CMAKE_HOME_DIRECTORY:INTERNAL={ROOT}\n"
    if cache.is_file() and here not in cache.read_text():
        shutil.rmtree(folder)  # a copied checkout
    steps = [["cmake", "--build", str(folder), "--target", *targets]]
    if not (folder / "build.ninja").is_file():
        steps.insert(0, ["cmake", "--preset", preset])
    started = time.monotonic()
    error = ""
    for step in steps:
        outcome = subprocess.run(step, cwd=ROOT, stdout=subprocess.PIPE, text=True,
                                 stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=False)
        (LOGS / f"build-{preset}.log").write_text(outcome.stdout)
        if outcome.returncode != 0:
            error = outcome.stdout
            break
    say(f"  built {preset} ({', '.join(targets)}) in {time.monotonic() - started:.0f} s"
        + (": FAILED" if error else ""))
    done[preset, targets] = error
    return error


# ---- running ----------------------------------------------------------------------------------

RUNNING = set()
PRINTING = threading.Lock()


def say(text):
    with PRINTING:
        print(text, flush=True)


def kill_group(process):
    """A script may leave servers behind; they are all in its own process group."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def execute(program, limit_s):
    """Runs one program in a folder for its temporary files; returns (exit code, output)."""
    with tempfile.TemporaryDirectory(prefix="binnacle-test-") as folder:
        environment = {"LANG": "C.UTF-8", **os.environ, **program.environment, "TMPDIR": folder,
                       "XDG_STATE_HOME": os.path.join(folder, "state")}
        try:
            process = subprocess.Popen(program.command, cwd=ROOT, env=environment,
                                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                       stderr=subprocess.STDOUT, start_new_session=True)
        except OSError as error:
            return 127, f"cannot be started: {error}\n"
        RUNNING.add(process)
        try:
            output, _ = process.communicate(timeout=limit_s)
            code = process.returncode
        except subprocess.TimeoutExpired:
            kill_group(process)
            output, _ = process.communicate()
            output += f"\n# stopped after {limit_s} s\n".encode()
            code = 124
        finally:
            kill_group(process)
            RUNNING.discard(process)
    return code, output.decode("utf-8", "replace")


LINE = re.compile(r"^(not )?ok\b(.*)$", re.M)
PLAN = re.compile(r"^1\.\.(\d+)$", re.M)


def judge(program, code, output):
    """Counts the TAP lines; silence, death and a broken plan are failures."""
    result = Result(output=output)
    for match in LINE.finditer(output):
        if re.search(r"#\s*skip\b", match[2], re.I):
            result.skipped += 1
        elif match[1]:
            result.failed += 1
        else:
            result.passed += 1
    if not program.reports:
        return Result(passed=int(code == 0), failed=int(code != 0), output=output)
    seen = result.passed + result.failed + result.skipped
    planned = sum(int(n) for n in PLAN.findall(output))
    if code != 0 and result.failed == 0:
        result.failed += 1
        result.output += f"# ended with {describe(code)}\n"
    elif seen == 0:
        result.failed += 1
        result.output += "# reported no result at all\n"
    elif planned and seen < planned:
        result.failed += 1
        result.output += f"# stopped after {seen} of {planned}: {describe(code)}\n"
    if STRICT and result.skipped:
        result.output += "# CI=true: skipped counts as failed\n"
        result.failed += result.skipped
        result.skipped = 0
    return result


def describe(code):
    if code < 0:
        return f"signal {signal.Signals(-code).name}"
    return f"exit code {code}"


def run_program(part, program):
    started = time.monotonic()
    code, output = execute(program, part.limit_s)
    result = judge(program, code, output)
    result.seconds = time.monotonic() - started
    log = LOGS / part.name / (program.name.replace("/", "_").replace(" ", "_") + ".log")
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(result.output)
    counts = f"{result.passed} ok" + (f", {result.skipped} skipped" if result.skipped else "")
    if result.failed:
        counts += f", {result.failed} FAILED"
    say(f"  {program.name:<48} {counts:<24} {result.seconds:6.1f} s")
    if result.failed or result.skipped:
        shown = result.output if result.failed else "\n".join(
            match[0] for match in LINE.finditer(result.output) if "skip" in match[0].lower())
        say("".join(f"    | {line}\n" for line in shown.splitlines()).rstrip("\n"))
    return program, result


def run_part(part, word):
    started = time.monotonic()
    say(f"{part.name}:")
    total = Result()
    for preset, *targets in part.builds:
        error = build(preset, tuple(targets))
        if error:
            say("".join(f"    | {line}\n" for line in error.splitlines()[-80:]).rstrip("\n"))
            total.failed += 1
    details = []
    if total.failed == 0:
        programs = [p for p in FINDERS[part.finder](part) if word in p.name]
        if not programs:
            say("  no program to run")
            total.failed += 1
        with concurrent.futures.ThreadPoolExecutor(part.jobs) as pool:
            for program, result in pool.map(lambda p: run_program(part, p), programs):
                total.add(result)
                details.append((program, result))
    total.seconds = time.monotonic() - started
    return total, details


# ---- the record of the long part ----------------------------------------------------------------

def commit_name(root):
    """The commit that is checked out in `root`, with -dirty when files differ from it. The record
    itself, which each long script writes, does not count."""
    def git(*words):
        return subprocess.run(["git", *words], cwd=root, text=True, stdout=subprocess.PIPE,
                              check=False).stdout.strip()
    changed = git("status", "--porcelain", "--untracked-files=no", "--", ".",
                  ":(exclude)tests/LONG.md")
    return git("describe", "--always") + ("-dirty" if changed else "")


def write_long(details):
    """tests/LONG.md: the last result of each long script with the commit it ran on."""
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


# ---- main -------------------------------------------------------------------------------------

def chosen(arguments):
    by_name = {part.name: part for part in PARTS}
    if not arguments:
        return [(part, "") for part in ORDINARY]
    choice = []
    for argument in arguments:
        name, _, word = argument.partition(":")
        if name not in by_name:
            sys.exit(f"tests/run: no part {name}; there are {' '.join(by_name)}")
        choice.append((by_name[name], word))
    return choice


def stop(*_):
    for process in list(RUNNING):
        kill_group(process)
    print("tests/run: interrupted", file=sys.stderr)
    os._exit(130)


def main():
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    choice = chosen(sys.argv[1:])
    LOGS.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    rows = []
    total = Result()
    for part, word in choice:
        result, details = run_part(part, word)
        rows.append((part, result))
        total.add(result)
        if part.name == "long" and details:
            write_long(details)
    print()
    for part, result in rows:
        print(f"{part.name:<12} {result.passed:6} passed {result.failed:4} failed "
              f"{result.skipped:4} skipped {result.seconds:7.0f} s")
    print(f"in all {time.monotonic() - started:.0f} s; every program's output is in "
          f"{LOGS.relative_to(ROOT)}/\n")
    skipped = f", {total.skipped} skipped" if total.skipped else ""
    print(f"{total.passed} passed, {total.failed} failed{skipped}")
    return 1 if total.failed or total.passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
