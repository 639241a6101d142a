"""What each benchmark is held to: must, aim. One table, read by the benchmarks and the report.

A figure is better when it is larger, except those listed in SMALLER. The kinds of vectors that a
machine has set some goals apart; every other goal holds wherever the benchmark runs."""

GOALS = {
    # name of the figure: (must, aim)
    "one row 100x6 / libxgboost of Debian": (15, 50),
    "one row 100x6 / TL2cgen": (4, 8),
    "batch 100x6 avx2 / libxgboost 3": (5, 10),
    "batch 100x6 avx512 / libxgboost 3": (12, 20),
    "batch 500x8 avx2 / libxgboost 3": (4, 8),
    "batch 500x8 avx512 / libxgboost 3": (8, 15),
    "contributions 100x6 / libxgboost": (30, 100),
    "stage: parse and contract, ns": (150, 150),
    "stage: features, ns": (100, 100),
    "stage: score 100x6, ns": (600, 100),  # by kernel
    "stage: rules, ns": (10, 10),
    "stage: observe, ns": (30, 30),
    "replay to a durable ledger, events/s": (150_000, 300_000),
    "Handbook, whole, seconds": (15, 5),
    "HTTP 128 / FastAPI": (15, 25),
    "HTTP 128 p99 share of FastAPI": (1 / 5, 1 / 20),
    "HTTP 16 / FastAPI": (8, 20),
    "HTTP 128 p99 with idle browsers, times": (2, 2),
    "Kafka to Kafka, events/s": (50_000, 100_000),
    "a year of history, GB": (2, 1.7),
    "panel of 30 days, ms": (50, 5),
    "panel by country, ms": (50, 20),
    "other panels, ms": (50, 30),
    "drift above parsing, s": (3, 2),
    "CSV of short values, MB/s": (300, 300),
    "drift memory, MB more": (8, 2),
    "idle memory, MB": (40, 30),
    "start to ready, ms": (150, 100),
    "key to paint, ms": (16, 8),
    "screen start, ms": (50, 30),
    "screen idle, %": (1, 0.5),
    "screen memory, MB": (20, 15),
    "page usable, ms": (300, 150),
    "longest task while live, ms": (50, 50),
    "page memory after half an hour, times": (1.1, 1.02),
    "page out of sight, ms/s": (1, 0.1),
}
SMALLER = {"stage: parse and contract, ns", "stage: features, ns", "stage: score 100x6, ns",
           "stage: rules, ns", "stage: observe, ns",
           "Handbook, whole, seconds", "HTTP 128 p99 share of FastAPI",
           "HTTP 128 p99 with idle browsers, times", "idle memory, MB", "start to ready, ms",
           "drift above parsing, s", "drift memory, MB more", "a year of history, GB",
           "panel of 30 days, ms", "panel by country, ms", "other panels, ms",
           "key to paint, ms", "screen start, ms", "screen idle, %", "screen memory, MB",
           "page usable, ms", "longest task while live, ms",
           "page memory after half an hour, times", "page out of sight, ms/s"}


def verdict(name, figure):
    """"aim", "must", "below must", or "" where there is no goal."""
    if name not in GOALS or figure is None:
        return ""
    sign = -1 if name in SMALLER else 1
    must, aim = (sign * goal for goal in GOALS[name])
    figure *= sign
    return "aim" if figure >= aim else "must" if figure >= must else "below must"
