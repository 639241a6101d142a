"""Brokers, topics, what was sent, the services under test, and whether topics and ledgers agree.

Needs the client from PyPI: scripts start with broker.with_client()."""
import collections
import json
import os
import signal
import threading
import time

import broker as kafka
import confluent_kafka as client
from confluent_kafka.admin import AdminClient, NewTopic

import ledger as ledgers
import service
from tap import WORK, Server, check, run

PARTITIONS = 4
GROUP, TOPIC, DECISIONS, DEAD = "g1", "transactions", "decisions", "transactions.dead-letter"
HEADS = "ledger-heads"


class World:
    """The broker, the topics, what was sent, and the services under test."""

    def __init__(self, n_brokers=1):
        self.broker = kafka.Broker(kafka.jars(), os.path.join(WORK, "broker1"), copies=n_brokers)
        self.brokers = [self.broker]
        while len(self.brokers) < n_brokers:
            folder = os.path.join(WORK, f"broker{len(self.brokers) + 1}")
            self.brokers.append(kafka.Broker(kafka.jars(), folder, first=self.brokers[-1],
                                             copies=n_brokers))
        for number, broker in enumerate(self.brokers, 1):
            check(broker.start(), f"broker {number} of {n_brokers} starts")
        self.addresses = ",".join(broker.address for broker in self.brokers)
        self.admin = AdminClient({"bootstrap.servers": self.addresses, "log_level": 0})
        wait_for(lambda: len(self.admin.list_topics(timeout=10).brokers) == n_brokers)
        for made in self.admin.create_topics([NewTopic(name, PARTITIONS, n_brokers)
                                              for name in (TOPIC, DECISIONS, DEAD, HEADS)]).values():
            made.result(30)
        self.config = self.configure("config")
        self.model, _ = service.model(self.config)
        self.sent = 0
        self.by_http = set()  # ids of events that came another way
        self.seed = 100

    def configure(self, name):
        return service.config("kafka", f"kafka: {{brokers: '{self.addresses}', group: {GROUP}, "
                              "settings: {transaction.timeout.ms: 5000}}\n"
                              f"ledger: {{heads: {{topic: {HEADS}, every: 1s}}}}\n", name)

    def send(self, count, bad=0.02):
        """Synthetic events onto the topic; one seed each, so that no two are the same."""
        self.seed += 1
        code, _, problem = run("produce", "--count", count, "--seed", self.seed, "--bad", bad,
                               "--to", f"kafka://{self.broker.address}/{TOPIC}")
        self.sent += count if code == 0 else 0
        return problem if code else ""

    def put(self, messages):
        """Messages as they are: value and headers."""
        writer = client.Producer({"bootstrap.servers": self.addresses,
                                  "message.max.bytes": 1_040_000})
        for value, headers in messages:
            writer.produce(TOPIC, value=value, headers=headers)
        self.sent += len(messages)
        return writer.flush(30)

    def serve(self, name="ledger"):
        return Server("--config", self.config, "--model", self.model, "--ledger",
                      os.path.join(WORK, name))

    def read(self, topic):
        """All committed messages of a topic."""
        reader = client.Consumer({
            "bootstrap.servers": self.addresses, "group.id": "reader",
            "isolation.level": "read_committed", "enable.auto.commit": False,
            "enable.partition.eof": True})
        reader.assign([client.TopicPartition(topic, part, 0) for part in range(PARTITIONS)])
        found, ended, until = [], set(), time.monotonic() + 30
        while len(ended) < PARTITIONS and time.monotonic() < until:
            message = reader.poll(1)
            if message is None:
                continue
            if message.error():
                ended.add(message.partition())
            else:
                found.append(message)
        reader.close()
        return found

    def lag(self):
        """Events of the topic that the group has not dealt with; None when nobody says."""
        asked = client.Consumer({"bootstrap.servers": self.addresses, "group.id": GROUP})
        try:
            places = asked.committed([client.TopicPartition(TOPIC, part)
                                      for part in range(PARTITIONS)], timeout=5)
            return sum(asked.get_watermark_offsets(place, timeout=5)[1] - max(place.offset, 0)
                       for place in places)
        except client.KafkaException:
            return None
        finally:
            asked.close()

    def leaders(self):
        """Of the partitions of events and decisions: the number of the broker that leads each."""
        topics = self.admin.list_topics(timeout=10).topics
        return [part.leader for name in (TOPIC, DECISIONS) for part in topics[name].partitions.values()]

    def stop(self):
        for broker in self.brokers:
            broker.stop(signal.SIGKILL)

    def caught_up(self, seconds=60):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self.lag() == 0:
                return True
            time.sleep(0.2)
        return False


class Stream:
    """Events that keep coming, in bursts, until the block ends."""

    def __init__(self, world, bad=0.02):
        self.world, self.bad, self.ended = world, bad, threading.Event()
        self.thread = threading.Thread(target=self.send)

    def send(self):
        while not self.ended.is_set():
            self.world.send(1000, self.bad)
            self.ended.wait(0.3)

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()


def wait_for(condition, seconds=30):
    until = time.monotonic() + seconds
    while not condition() and time.monotonic() < until:
        time.sleep(0.05)
    return condition()


def problems(world, folders):
    """Nothing when topics and ledgers hold every event exactly once and say the same."""
    recorded = {}
    n_quarantined = 0
    for folder in folders:
        bad = ledgers.whole(folder)
        if bad:
            return f"{folder}: {bad}"
        for row in ledgers.decisions(folder):
            if row["event_id"] in world.by_http:
                continue
            if row["event_id"] in recorded:
                return f"{row['event_id']} is in two ledgers"
            recorded[row["event_id"]] = row
        n_quarantined += len(ledgers.quarantined(folder))
    if len(recorded) + n_quarantined != world.sent:
        return f"{len(recorded)} decided and {n_quarantined} quarantined of {world.sent} sent"
    told = [json.loads(message.value()) for message in world.read(DECISIONS)]
    times = collections.Counter(answer["event_id"] for answer in told)
    if max(times.values(), default=1) > 1 or set(times) != set(recorded):
        return (f"{len(told)} messages tell of {len(times)} decisions, {len(recorded)} are "
                f"recorded, {sum(n - 1 for n in times.values())} too many")
    for answer in told:
        row = recorded[answer["event_id"]]
        if (answer["decision"], answer["ledger_index"]) != (row["decision"], row["idx"]):
            return f"the topic says {answer}, the ledger {row}"
    letters = world.read(DEAD)
    if len(letters) != n_quarantined:
        return f"{len(letters)} dead letters of {n_quarantined} quarantined events"
    return ""
