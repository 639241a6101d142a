"""Topics and what becomes of them, with a client that is not binnacle's.

usage: kafka_watch.py BROKER create TOPIC...           makes the topics
       kafka_watch.py BROKER rate N GROUP DECISIONS    until the group has dealt with N events
       kafka_watch.py BROKER latency N DECISIONS       from now on, until N more decisions are there
Both print JSON."""
import json
import sys
import time

import confluent_kafka as client
from confluent_kafka.admin import AdminClient, NewTopic

PARTITIONS, LIMIT_S = 4, 120
TOPIC = "transactions"
broker, task, *rest = sys.argv[1:]


def parts(topic, offset=client.OFFSET_INVALID):
    return [client.TopicPartition(topic, part, offset) for part in range(PARTITIONS)]


def reader(group="reader"):
    return client.Consumer({"bootstrap.servers": broker, "group.id": group,
                            "isolation.level": "read_committed", "enable.auto.commit": False,
                            "enable.partition.eof": True, "fetch.wait.max.ms": 50})


def create(topics):
    admin = AdminClient({"bootstrap.servers": broker})
    for topic in admin.create_topics([NewTopic(name, PARTITIONS, 1) for name in topics]).values():
        topic.result(30)


def done(asked):
    try:
        return sum(max(place.offset, 0) for place in asked.committed(parts(TOPIC), timeout=5))
    except client.KafkaException:
        return 0


def decided(topic):
    """Ids of all committed decisions, as often as they stand there."""
    asked = reader()
    asked.assign(parts(topic, 0))
    ids, ended, until = [], set(), time.monotonic() + 60
    while len(ended) < PARTITIONS and time.monotonic() < until:
        for message in asked.consume(1000, 1):
            if message.error():
                ended.add(message.partition())
            else:
                ids.append(json.loads(message.value())["event_id"])
    asked.close()
    return ids


def rate(count, group, decisions):
    """From the first commit seen, so that starting and joining the group are not in it, to the one
    that has the last event."""
    asked = reader(group)
    samples, until = [], time.monotonic() + LIMIT_S
    while time.monotonic() < until:
        samples.append((time.monotonic(), done(asked)))
        if samples[-1][1] >= count:
            break
        time.sleep(0.02)
    asked.close()
    ids = decided(decisions)
    begun = next((sample for sample in samples if sample[1] > 0), samples[-1])
    print(json.dumps({"done": samples[-1][1], "begun_at": begun[1],
                      "seconds": samples[-1][0] - begun[0],
                      "decisions": len(ids), "different": len(set(ids))}))


def at_end(asked, topic):
    places = []
    for place in parts(topic):
        place.offset = asked.get_watermark_offsets(place, timeout=5)[1]
        places.append(place)
    return places


def latency(count, decisions):
    """From an event's time on its topic, which its producer gave it, to when a reader of committed
    messages has its decision."""
    asked = reader()
    asked.assign(at_end(asked, TOPIC) + at_end(asked, decisions))
    asked.consume(1, 0.5)
    print("reading", flush=True)
    sent, seen, until = {}, {}, time.monotonic() + LIMIT_S
    while len(seen) < count and time.monotonic() < until:
        for message in asked.consume(100, 0.01):
            if message.error():
                continue
            if message.topic() == TOPIC:
                place = f"{TOPIC}/{message.partition()}/{message.offset()}"
                sent[place] = message.timestamp()[1] / 1000
            else:
                seen[dict(message.headers())["event"].decode()] = time.time()
    asked.close()
    print(json.dumps({"ms": [(came - sent[place]) * 1000 for place, came in seen.items()
                             if place in sent]}))


if task == "create":
    create(rest)
elif task == "rate":
    rate(int(rest[0]), *rest[1:])
else:
    latency(int(rest[0]), rest[1])
