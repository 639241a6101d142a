"""Events from a topic, decisions into another, exactly once, with a real broker on the same cores."""
import json
import os
import shutil
import statistics
import subprocess
import sys

import world
from report import say

sys.path.append(str(world.ROOT / "tests" / "integration" / "lib"))
import broker as brokers

EVENTS, REPETITIONS, TOPIC = 400_000, 3, "transactions"
RATES = [(20, 100), (2000, 10_000)]  # a trickle and a stream: events a second, how many
TICKS = os.sysconf("SC_CLK_TCK")


def watch(broker, *arguments):
    done = subprocess.run([world.python("peers"), world.PEERS / "kafka_watch.py", broker.address,
                           *map(str, arguments)], text=True, capture_output=True, check=False,
                          timeout=300)
    if done.returncode != 0:
        raise RuntimeError(f"kafka_watch: {done.stderr.strip()[-300:]}")
    return done.stdout


def cpu_seconds(process):
    """Of all its threads, also those that have ended; so it says nothing of one that has ended."""
    with open(f"/proc/{process.pid}/stat", encoding="ascii", errors="replace") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


class Service:
    """binnacle with a group, a ledger and a topic of decisions of its own."""

    def __init__(self, options, broker, name, extra=""):
        self.name, self.decisions = name, f"decisions-{name}"
        watch(broker, "create", self.decisions)
        config = world.transactions(
            options.work, f"config-{name}", "kafka",
            f"kafka: {{brokers: '{broker.address}', topic: {TOPIC}, group: {name}, "
            f"decisions_topic: {self.decisions}}}\n{extra}")
        model, _ = world.trained(options.work, config)
        self.ledger = os.path.join(options.work, f"ledger-{name}")
        self.process = world.Process(name, [
            world.BINNACLE, "run", "--no-tui", "--config", config, "--model", model, "--ledger",
            self.ledger, "--listen", f"127.0.0.1:{world.free_port()}"], options.work)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stop()
        shutil.rmtree(self.ledger, ignore_errors=True)


def drain(report, options, broker, name, extra=""):
    """The whole topic by a group that begins at its start. Events a second, and processor time of
    an event, in microseconds: binnacle's and the broker's."""
    before = cpu_seconds(broker.process)
    with Service(options, broker, name, extra) as service:
        found = world.last_json(watch(broker, "rate", EVENTS, name, service.decisions))
        used = (cpu_seconds(service.process.process), cpu_seconds(broker.process) - before)
        report.check(found["done"] >= EVENTS and found["decisions"] == found["different"] == EVENTS,
                     "every event is decided on once, and its decision is on the topic once",
                     f"{found} {service.process.output()[-300:]}")
    rate = (found["done"] - found["begun_at"]) / found["seconds"] if found["seconds"] else 0
    return rate, *(seconds / EVENTS * 1e6 for seconds in used)


def throughput(report, options, broker):
    say(f"kafka: {EVENTS:,} events onto the topic ...")
    world.binnacle("produce", "--count", EVENTS, "--rate", 500, "--users", 20000, "--seed", 21, "--to",
                   f"kafka://{broker.address}/{TOPIC}")
    runs = []
    for number in range(REPETITIONS + 1):
        say(f"kafka: deciding, {number} of {REPETITIONS} ..." if number else
            "kafka: a first time, for the broker's compiler ...")
        runs.append(drain(report, options, broker, f"bench{number}"))
    rates, ours, brokers_ = zip(*runs[1:])
    report.add("Kafka to Kafka", "events/s", rates, goal="Kafka to Kafka, events/s")
    report.add("processor, binnacle / event", "us", ours)
    report.add("processor, broker and check / event", "us", brokers_)
    say("kafka: with all reasons ...")
    report.add("Kafka to Kafka, all reasons in line", "events/s",
               [drain(report, options, broker, "reasons", "reasons: all\n")[0]])


def latencies(report, options, broker):
    with Service(options, broker, "latency") as service:
        found = world.last_json(watch(broker, "rate", EVENTS, "latency", service.decisions))
        report.check(found["done"] >= EVENTS, "the backlog is decided", found)
        for rate, count in RATES:
            say(f"kafka: {rate:,} events a second ...")
            watcher = subprocess.Popen(
                [world.python("peers"), world.PEERS / "kafka_watch.py", broker.address, "latency",
                 str(count), service.decisions], text=True, stdout=subprocess.PIPE)
            watcher.stdout.readline()
            world.binnacle("produce", "--count", count, "--rate", rate, "--pace", "live", "--users",
                           20000, "--seed", 22 + rate, "--to", f"kafka://{broker.address}/{TOPIC}")
            times = sorted(json.loads(watcher.communicate(timeout=200)[0])["ms"])
            if report.check(len(times) == count, f"decisions of all {count} events are seen",
                            len(times)):
                report.add(f"event to its decision, {rate:,}/s, p50", "ms",
                           [statistics.median(times)])
                report.add(f"event to its decision, {rate:,}/s, p99", "ms",
                           [times[int(len(times) * 0.99)]])


def run(report, options):
    report.heading("kafka", f"{EVENTS:,} events from a topic of a real broker to another, exactly "
                   "once; broker and binnacle on all cores")
    if not world.python("peers"):
        report.not_measured("kafka", "tests/bench/setup has not installed a client")
        return
    say("kafka: a broker ...")
    library = brokers.jars()
    if not library:
        report.not_measured("kafka", "no broker to be had from Maven Central")
        return
    folder = os.path.join(options.work, "broker")
    os.mkdir(folder)
    broker = brokers.Broker(library, folder, brokers.LONG_LIVED)
    try:
        if report.check(broker.start(), "a broker starts"):
            watch(broker, "create", TOPIC, "transactions.dead-letter")
            throughput(report, options, broker)
            latencies(report, options, broker)
    finally:
        broker.stop()


def smoke(report, _options):
    report.heading("kafka", "needs a broker: see tests/integration/kafka_pipeline.py")
