"""Topics and what becomes of them, with a client that is not binnacle's.

usage: kafka_watch.py BROKER create           makes the topics
       kafka_watch.py BROKER watch N GROUP    until the group has dealt with N events; prints JSON"""
import json
import sys
import time

import confluent_kafka as client
from confluent_kafka.admin import AdminClient, NewTopic

PARTITIONS, LIMIT_S = 4, 120
TOPIC, DECISIONS, DEAD = "transactions", "decisions", "transactions.dead-letter"
broker, task = sys.argv[1:3]


def create():
    admin = AdminClient({"bootstrap.servers": broker})
    made = admin.create_topics([NewTopic(name, PARTITIONS, 1) for name in (TOPIC, DECISIONS, DEAD)])
    for topic in made.values():
        topic.result(30)


def done(asked, places):
    try:
        return sum(max(place.offset, 0) for place in asked.committed(places, timeout=5))
    except client.KafkaException:
        return 0


def decided():
    """Ids of all committed decisions, as often as they stand there."""
    reader = client.Consumer({"bootstrap.servers": broker, "group.id": "reader",
                              "isolation.level": "read_committed", "enable.auto.commit": False,
                              "enable.partition.eof": True})
    reader.assign([client.TopicPartition(DECISIONS, part, 0) for part in range(PARTITIONS)])
    ids, ended, until = [], set(), time.monotonic() + 60
    while len(ended) < PARTITIONS and time.monotonic() < until:
        for message in reader.consume(1000, 1):
            if message.error():
                ended.add(message.partition())
            else:
                ids.append(json.loads(message.value())["event_id"])
    reader.close()
    return ids


def watch(count, group):
    asked = client.Consumer({"bootstrap.servers": broker, "group.id": group})
    places = [client.TopicPartition(TOPIC, part) for part in range(PARTITIONS)]
    samples, until = [], time.monotonic() + LIMIT_S
    while time.monotonic() < until:
        samples.append((time.monotonic(), done(asked, places)))
        if samples[-1][1] >= count:
            break
        time.sleep(0.02)
    asked.close()
    ids = decided()
    # From the first commit seen, so that joining the group and starting are not in the rate.
    begun = next((sample for sample in samples if sample[1] > 0), samples[-1])
    seconds = samples[-1][0] - begun[0]
    print(json.dumps({"done": samples[-1][1], "begun_at": begun[1], "seconds": seconds,
                      "decisions": len(ids), "different": len(set(ids))}))


create() if task == "create" else watch(int(sys.argv[3]), sys.argv[4])
