"""Builds what the chosen parts need, runs their programs, counts their results.

Two lanes of parts run beside each other: one that computes (compilers, the analyser, unit tests,
fuzzers) and one that mostly waits (for terminals, browsers, servers, clocks). The first is nice to
the second, so that what measures time gets a processor when it wants one and none stands idle.

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

import long_record
import recap

ROOT = pathlib.Path(__file__).resolve().parent.parent
LOGS = ROOT / "build" / "test-logs"
STRICT = os.environ.get("CI") == "true"
FUZZ_SECONDS = int(os.environ.get("BINNACLE_FUZZ_SECONDS", "30"))


@dataclasses.dataclass(frozen=True)
class Part:
    """One row of the table below."""

    name: str
    builds: tuple  # (preset, targets...), beside the target that a program names itself
    finder: str  # which of FINDERS lists its programs
    jobs: int = 2  # programs at a time
    limit_s: int = 300  # per program
    binary: str = "dev"  # preset whose binnacle is given to scripts as $BINNACLE
    waits: bool = False  # its lane


# Scenarios run the dev build, whose asserts are live; what a user touches runs the shipped one.
PARTS = (
    Part("unit", (("dev", "all"),), "unit", limit_s=300),
    Part("arch", (("dev", "all"),), "scripts"),
    Part("lint", (("dev", "all"),), "scripts", limit_s=3600),
    Part("sanitize", (), "sanitize", limit_s=1200),
    Part("fuzz", (), "fuzz", limit_s=FUZZ_SECONDS + 120),
    Part("scenario", (("dev", "all"), ("release", "binnacle")), "scripts", limit_s=600,
         waits=True),
    Part("tui", (("release", "binnacle"),), "scripts", binary="release", waits=True),
    Part("web", (("release", "binnacle"), ("dev", "web_fake_server")), "scripts", jobs=1,
         binary="release", waits=True),
    Part("integration", (("release", "binnacle", "kernel_margins"),
                         ("dev", "engine_feature_online_test")), "scripts", limit_s=600,
         binary="release", waits=True),
    Part("long", (("dev", "all"), ("release", "binnacle")), "scripts", jobs=1, limit_s=7200,
         binary="release", waits=True),
)
ORDINARY = tuple(part for part in PARTS if part.name != "long")


@dataclasses.dataclass
class Program:
    name: str
    command: list
    environment: dict = dataclasses.field(default_factory=dict)
    reports: bool = True  # False: its exit code is its one result
    preset: str = ""  # where it is built, as `target`
    target: str = ""


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

def unit_programs(preset, environment, label=""):
    """One per tests/unit/**/NAME_test.c, so that a stale program in build/ is never run."""
    base = ROOT / "tests" / "unit"
    for source in sorted(base.rglob("*_test.c")):
        name = str(source.relative_to(base).with_suffix(""))
        target = name.replace("/", "_")
        yield Program(label + name, [str(ROOT / "build" / preset / "unit" / target)],
                      dict(environment, CMOCKA_MESSAGE_OUTPUT="TAP"), preset=preset, target=target)


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
    return [*unit_programs("asan", asan, "asan "), *unit_programs("tsan", tsan, "tsan ")]


STARTS_THREADS = re.compile(r" U (?:pthread_create|thrd_create|rd_kafka_new)\b")


def leave_out_single_threads(programs):
    """Without the unit tests that have no race for ThreadSanitizer to find: those whose plain
    build calls nothing that starts a thread."""
    build("dev", {program.target for program in programs if program.preset == "tsan"})

    def can_race(program):
        plain = ROOT / "build" / "dev" / "unit" / program.target
        calls = subprocess.run(["nm", "--undefined-only", str(plain)], stdout=subprocess.PIPE,
                               text=True, check=True).stdout
        return STARTS_THREADS.search(calls) is not None
    return [program for program in programs if program.preset != "tsan" or can_race(program)]


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
        programs.append(Program(name, command, reports=False, preset="fuzz", target=source.stem))
    return programs


FINDERS = {"unit": find_unit, "sanitize": find_sanitize, "scripts": find_scripts,
           "fuzz": find_fuzz}


# ---- starting processes -----------------------------------------------------------------------

RUNNING = set()
BOTH_LANES = threading.Event()  # set when there is somebody to be nice to
# The first half is for kernels that weigh whole sessions against each other.
NICE = ["sh", "-c", "echo 10 2>/dev/null >/proc/self/autogroup; exec nice -n 10 \"$@\"", "nice"]


def kill_group(process):
    """A script may leave servers behind; they are all in its own process group."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def start(command, environment, limit_s, nice):
    """Runs to the end or to the limit; returns (exit code, output). Its whole group ends with it."""
    whole = (NICE + command) if nice and BOTH_LANES.is_set() else command
    process = subprocess.Popen(whole, cwd=ROOT, env=environment,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, start_new_session=True)
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


PRINTING = threading.Lock()


def say(text):
    with PRINTING:
        print(text, flush=True)


def indented(lines):
    return "".join(f"    | {line}\n" for line in lines).rstrip("\n")


# ---- building ---------------------------------------------------------------------------------

class BuildFailed(Exception):
    """Holds the log's path and its text."""


BUILDING = {preset: threading.Lock() for preset in ("dev", "release", "asan", "tsan", "fuzz")}
BUILT = {}  # (preset, targets): what failed, as its tools said it; "" when nothing did


def build(preset, targets):
    """Configures when needed and builds, each once; raises BuildFailed."""
    targets = tuple(sorted(targets))
    if not targets:
        return
    log = LOGS / f"build-{preset}.log"
    with BUILDING[preset]:
        if (preset, targets) not in BUILT:
            BUILT[preset, targets] = run_build(preset, targets, log)
    if BUILT[preset, targets]:
        raise BuildFailed(log, BUILT[preset, targets])


def run_build(preset, targets, log):
    folder = ROOT / "build" / preset
    cache = folder / "CMakeCache.txt"
    here = f"CMAKE_HOME_DIRECTORY:INTERNAL={ROOT}\n"
    if cache.is_file() and here not in cache.read_text():
        shutil.rmtree(folder)  # a copied checkout
    steps = [["cmake", "--build", str(folder), "--target", *targets]]
    if not (folder / "build.ninja").is_file():
        steps.insert(0, ["cmake", "--preset", preset])
    started = time.monotonic()
    for step in steps:
        code, output = start(step, os.environ, None, preset in ("asan", "tsan", "fuzz"))
        log.write_text(output)
        if code != 0:
            break
    named = ", ".join(targets) if len(targets) < 4 else f"{len(targets)} targets"
    said = f"built {preset} ({named}) in {time.monotonic() - started:.0f} s"
    if code != 0:
        said += f": FAILED with {describe(code)}\n" + indented(output.splitlines()[-80:])
    say(said)
    return (output or said) if code != 0 else ""


# ---- running ----------------------------------------------------------------------------------

def execute(part, program):
    """Runs one program in a folder for its temporary files; returns (exit code, output)."""
    with tempfile.TemporaryDirectory(prefix="binnacle-test-") as folder:
        environment = {"LANG": "C.UTF-8", **os.environ, **program.environment, "TMPDIR": folder,
                       "XDG_STATE_HOME": os.path.join(folder, "state")}
        try:
            return start(program.command, environment, part.limit_s, not part.waits)
        except OSError as error:
            return 127, f"cannot be started: {error}\n"


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
    code, output = execute(part, program)
    result = judge(program, code, output)
    result.seconds = time.monotonic() - started
    log = LOGS / part.name / (program.name.replace("/", "_").replace(" ", "_") + ".log")
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(result.output)
    counts = f"{result.passed} ok" + (f", {result.skipped} skipped" if result.skipped else "")
    if result.failed:
        counts += f", {result.failed} FAILED"
    lines = [f"{part.name:<11} {program.name:<48} {counts:<24} {result.seconds:6.1f} s"]
    if result.failed:
        lines.append(indented(result.output.splitlines()))
    elif result.skipped:
        lines.append(indented(match[0] for match in LINE.finditer(result.output)
                              if "skip" in match[0].lower()))
    say("\n".join(lines))
    return program, result


def programs_of(part, word):
    """Those of the part whose names have the word, built."""
    programs = [program for program in FINDERS[part.finder](part) if word in program.name]
    if part.finder == "sanitize":
        programs = leave_out_single_threads(programs)
    for preset, *targets in part.builds:
        build(preset, targets)
    for preset in sorted({program.preset for program in programs if program.preset}):
        build(preset, {program.target for program in programs if program.preset == preset})
    return programs


def run_part(part, word):
    """Returns the part, its counts, and [(name, output)] of what failed."""
    started = time.monotonic()
    total = Result()
    details = []
    failed = []
    try:
        programs = programs_of(part, word)
        with concurrent.futures.ThreadPoolExecutor(part.jobs) as pool:
            for program, result in pool.map(lambda p: run_program(part, p), programs):
                total.add(result)
                details.append((program, result))
                if result.failed:
                    failed.append((f"{part.name} {program.name}", result.output))
    except BuildFailed as failure:
        log, text = failure.args
        say(f"{part.name}: cannot be built, see {log.relative_to(ROOT)}")
        failed.append((f"{part.name}: cannot be built", text))
        total.failed += 1
    if not details and not total.failed:
        say(f"{part.name}: no program to run")
        failed.append((part.name, "no program to run"))
        total.failed += 1
    total.seconds = time.monotonic() - started
    if part.name == "long" and details:
        long_record.write(details)
    return part, total, failed


def run_lane(choice):
    return [run_part(part, word) for part, word in choice]


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
    lanes = [[(part, word) for part, word in choice if part.waits == waits]
             for waits in (False, True)]
    if all(lanes):
        BOTH_LANES.set()
    with concurrent.futures.ThreadPoolExecutor(len(lanes)) as pool:
        rows = [row for lane in pool.map(run_lane, lanes) for row in lane]
    total = Result()
    print()
    for part, result, _ in rows:
        total.add(result)
        print(f"{part.name:<12} {result.passed:6} passed {result.failed:4} failed "
              f"{result.skipped:4} skipped {result.seconds:7.0f} s")
    print(f"in all {time.monotonic() - started:.0f} s; every program's output is in "
          f"{LOGS.relative_to(ROOT)}/\n")
    for line in recap.pages([program for _, _, failed in rows for program in failed]):
        print(line)
    skipped = f", {total.skipped} skipped" if total.skipped else ""
    print(f"{total.passed} passed, {total.failed} failed{skipped}")
    return 1 if total.failed or total.passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
