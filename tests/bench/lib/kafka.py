"""Events from a topic, decisions into another, exactly once, with a real broker on the same cores."""
import os
import subprocess
import sys

import world
from report import say

sys.path.append(str(world.ROOT / "tests" / "integration" / "lib"))
import broker as brokers

EVENTS, GROUP = 150_000, "bench"


def watch(broker, *arguments):
    done = subprocess.run([world.python("peers"), world.PEERS / "kafka_watch.py", broker.address,
                           *map(str, arguments)], text=True, capture_output=True, check=False,
                          timeout=300)
    if done.returncode != 0:
        raise RuntimeError(f"kafka_watch: {done.stderr.strip()[-300:]}")
    return done.stdout


def measure(report, options, broker):
    watch(broker, "create")
    config = world.transactions(
        options.work, "config-kafka", "kafka",
        f"kafka: {{brokers: '{broker.address}', topic: transactions, group: {GROUP}, "
        "decisions_topic: decisions}\n")
    model, _ = world.trained(options.work, config)
    say("kafka: filling the topic ...")
    world.binnacle("produce", "--count", EVENTS, "--rate", 200, "--users", 20000, "--seed", 21, "--to",
                   f"kafka://{broker.address}/transactions")
    say("kafka: deciding ...")
    process = world.Process("kafka", [world.BINNACLE, "run", "--no-tui", "--config", config, "--model",
                                      model, "--ledger", os.path.join(options.work, "kafka-ledger"),
                                      "--listen", f"127.0.0.1:{world.free_port()}"], options.work)
    try:
        found = world.last_json(watch(broker, "watch", EVENTS, GROUP))
    finally:
        process.stop()
    report.check(found["done"] >= EVENTS and found["decisions"] == found["different"] == EVENTS,
                 "every event is decided on once, and its decision is on the topic once",
                 f"{found} {process.output()[-300:]}")
    if found["seconds"] > 0:
        report.add("Kafka to Kafka", "events/s",
                   [(found["done"] - found["begun_at"]) / found["seconds"]],
                   goal="Kafka to Kafka, events/s")


def run(report, options):
    report.heading("kafka", f"{EVENTS:,} events on a topic of a real broker, exactly once; broker and "
                   "binnacle on all cores")
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
    broker = brokers.Broker(library, folder)
    try:
        if report.check(broker.start(), "a broker starts"):
            measure(report, options, broker)
    finally:
        broker.stop()


def smoke(report, _options):
    report.heading("kafka", "needs a broker: see tests/integration/kafka_pipeline.py")
