#!/usr/bin/env python3
"""A real Apache Kafka broker: events from one topic, decisions and dead letters into others, each
exactly once, with brokers, binnacle and group members that come, go and die.

The broker's jars come from Maven Central, the client that checks from PyPI, each kept between runs;
where they cannot be reached, this is skipped."""
import collections
import json
import os
import pathlib
import random
import shutil
import signal
import sys
import time

HERE = pathlib.Path(__file__).resolve()
sys.path[:0] = [str(HERE.parent / "lib"), str(HERE.parent.parent / "scenario" / "lib")]
import broker

KILLS = int(os.environ.get("BINNACLE_KAFKA_KILLS", "20"))

broker.with_client("exactly once through a real Kafka broker", __file__)

import confluent_kafka as client
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic

import ledger as ledgers
import service
from kafka_world import (DEAD, DECISIONS, GROUP, HEADS, PARTITIONS, TOPIC, Stream, World, problems,
                         wait_for)
from tap import WORK, check, finish, run


def check_letters(world):
    """A dead letter is what came, with the reasons, and says where from."""
    came = {(m.partition(), m.offset()): m.value() for m in world.read(TOPIC)}
    wrong = []
    for letter in world.read(DEAD):
        _, part, offset = letter.key().decode().rsplit("/", 2)
        reasons = json.loads(dict(letter.headers())["reasons"])
        if (came[int(part), int(offset)] or b"") != letter.value() or not reasons[0]["reason"]:
            wrong.append(letter.value())
    check(not wrong, "dead letters are the bytes that came, with their reasons", wrong)


def check_flow(world):
    check(world.send(3000) == "", "produce sends events to a topic")
    server = world.serve()
    check(server.wait_ready(), "a service with a Kafka source starts", server.output())
    check(world.caught_up(), "it reads the topic to its end", server.output())
    check(problems(world, [LEDGER]) == "", "every event is decided or dead-lettered, once",
          problems(world, [LEDGER]))
    check_letters(world)
    by_user = collections.defaultdict(set)
    for message in world.read(TOPIC):
        by_user[message.key()].add(message.partition())
    check(len(by_user) > 100 and all(len(parts) == 1 for parts in by_user.values()),
          "events of one user share a partition")
    return server


def check_poison(world, server):
    """Messages that are no events do not stop those behind them."""
    event = service.text(service.event(2, country="X" * 900_000)).encode()
    left = world.put([(None, None), (b"", None), (b"{", [("traceparent", b"nonsense")]),
                      (b"\xff" * 50, [("a", None), ("a", b"\0" * 3000)]), (b"[" * 5000, None),
                      (event, None)])
    check(left == 0 and world.send(500) == "", "messages that are no events are sent, and events")
    check(world.caught_up(), "the events behind them are decided", server.output())
    broken = problems(world, [LEDGER])
    check(broken == "", "and each of them is a dead letter", broken)
    check_letters(world)
    world.put([(b"[" + b"7" * 1_030_000, None)])
    check(world.caught_up(), "one that is too large to be sent on does not stop the rest",
          server.output())
    letter = next((m for m in world.read(DEAD) if not m.value() and b"json" in m.headers()[0][1]),
                  None)
    check(letter is not None and "too_large" in server.output(),
          "its letter goes without a value, and that is logged", server.output())


def check_repeats(world, server):
    """Events that are on the topic twice, as producers without idempotence leave them."""
    events = [(service.text(service.event(number)).encode(), None) for number in range(1000, 1300)]
    world.put(events)
    world.put(events)
    world.sent -= len(events)
    check(world.caught_up(), "events that are sent twice are read", server.output())
    broken = problems(world, [LEDGER])
    check(broken == "", "and decided and answered once", broken)


def check_frozen(world, server):
    """A process that stands still until its transaction has timed out. Whether it has one open is
    chance, so more than once if need be."""
    for _ in range(4):
        world.send(12000)
        time.sleep(0.2)
        server.process.send_signal(signal.SIGSTOP)
        time.sleep(6)
        server.process.send_signal(signal.SIGCONT)
        if wait_for(lambda: "connection_lost" in server.output(), 3):
            break
    check(world.caught_up(), "after a standstill longer than a transaction may take it goes on",
          server.output())


def check_broker_outage(world, server):
    world.send(8000)
    time.sleep(0.5)
    world.broker.stop(signal.SIGKILL)
    time.sleep(1.5)
    event = service.event(1)
    world.by_http.add(event["event_id"])
    status, _, body = server.call("POST", "/v1/score", service.text(event),
                                  {"Content-Type": "application/json"})
    check(status == 200, "with the broker dead, HTTP is answered", body)
    check(world.broker.start(), "the broker comes back")
    check(world.send(1500) == "", "more events are sent")
    check(world.caught_up(90), "the service goes on by itself", server.output())


def check_kills(world, server):
    """kill -9 at random moments while events stream in."""
    chance, began = random.Random(7), time.monotonic()
    with Stream(world):
        for number in range(KILLS):
            if number % 2:  # every second one while it decides, the others while it starts, too
                wait_for(lambda: "assigned" in server.output())
            time.sleep(chance.uniform(0, 0.5))
            server.stop(signal.SIGKILL)
            server = world.serve()
            server.wait_ready()
    print(f"# {KILLS} kills in {time.monotonic() - began:.0f} s, {world.sent} events in all")
    check(world.caught_up(120), f"after {KILLS} kills the topic is read to its end", server.output())
    return server


def check_group(world, server):
    """A stranger takes some partitions and gives them back; then a second instance shares them."""
    stranger = client.Consumer({"bootstrap.servers": world.broker.address, "group.id": GROUP,
                                "enable.auto.commit": False})
    mine = []
    stranger.subscribe([TOPIC], on_assign=lambda _, parts: mine.extend(parts))
    until = time.monotonic() + 30
    while not mine and time.monotonic() < until:
        stranger.poll(0.2)
    check(0 < len(mine) < PARTITIONS, "a stranger in the group gets some of the partitions", mine)
    world.send(1500)
    stranger.close()
    check(world.caught_up(), "when it leaves, its partitions are read", server.output())
    before = len(ledgers.decisions(LEDGER))
    with Stream(world, bad=0):  # an id that comes again under another key is another instance's
        other = world.serve("ledger2")
        other.wait_ready()
        wait_for(lambda: "assigned" in other.output())
        time.sleep(1)
        other.stop(signal.SIGKILL)
        other = world.serve("ledger2")
        wait_for(lambda: "assigned" in other.output())
        time.sleep(1)
    check(world.caught_up(90), "two instances read the topic to its end",
          server.output() + other.output())
    shared = len(ledgers.decisions(LEDGER2)), len(ledgers.decisions(LEDGER)) - before
    check(min(shared) > 0, "they have shared the work, under load, one of them killed", shared)
    other.stop()


def check_lost_rows(world):
    """A ledger out of an older backup must not pass silently."""
    backup = os.path.join(WORK, "backup")
    shutil.copytree(LEDGER, backup)
    server = world.serve()
    server.wait_ready()
    world.send(500)
    # The other instance's place in the group is kept for it until its session ends.
    check(world.caught_up(90), "the restarted service reads on", server.output())
    time.sleep(2.5)  # so that a head of these rows goes out, too
    server.stop()
    shutil.rmtree(LEDGER)
    shutil.move(backup, LEDGER)
    server = world.serve()
    server.wait_ready()
    until = time.monotonic() + 40
    while "rows are missing" not in server.output() and time.monotonic() < until:
        time.sleep(0.2)
    check("rows are missing" in server.output(),
          "a ledger that has lost rows is refused with an explanation", server.output())
    check(server.call("GET", "/healthz")[0] == 200, "and the rest of the service runs")
    server.stop()


def keep_heads(world):
    """What was signed for the first ledger, out of the topic, by key; its newest head by itself."""
    code, out, problem = run("ledger", "head", "--ledger", LEDGER, "--json")
    newest = json.loads(out)
    mine = [message.value().decode() for message in world.read(HEADS)
            if message.key().decode() == newest["key_id"]]
    kept = os.path.join(WORK, "heads.jsonl")
    with open(kept, "w") as file:
        file.write("\n".join(mine) + "\n")
    return kept, mine, newest


def check_heads(world):
    kept, mine, newest = keep_heads(world)
    check(len(mine) > 3 and newest in [json.loads(value) for value in mine],
          "the newest signed head is on its topic", f"{newest} {mine[-3:]}")
    code, out, problem = run("ledger", "verify", "--ledger", LEDGER, "--head", kept)
    check(code == 0, "and all of them confirm the ledger", out + problem)


def check_new_topic(world):
    """The topic is deleted and made anew under a service that reads it: its offsets begin again, and mean
    other events."""
    server = world.serve("ledger3")
    server.wait_ready()
    world.send(500)
    check(world.caught_up(90), "a third ledger goes on where the group is", server.output())
    for gone in world.admin.delete_topics([TOPIC]).values():
        gone.result(20)
    time.sleep(1)
    for made in world.admin.create_topics([NewTopic(TOPIC, PARTITIONS, 1)]).values():
        made.result(20)
    world.send(2000)
    said = "not the topic that the ledger knows"
    check(wait_for(lambda: said in server.output(), 60),
          "a topic that was deleted and made anew is not taken for the one before", server.output())
    server.stop()
    decided = len(ledgers.decisions(os.path.join(WORK, "ledger3")))
    server = world.serve("ledger3")
    server.wait_ready()
    check(wait_for(lambda: said in server.output(), 60) and server.call("GET", "/healthz")[0] == 200,
          "nor after a restart, which serves everything else", server.output())
    server.stop()
    check(len(ledgers.decisions(os.path.join(WORK, "ledger3"))) == decided,
          "and nothing of it is decided")


def check_doctor(world):
    code, out, _ = run("doctor", "--config", world.config, "--json")
    findings = [(f["verdict"], f["text"]) for f in json.loads(out)["findings"]
                if f["about"] == "kafka"]
    text = json.dumps(findings)
    check(code == 1 and "replication" in text and "unsafe" in text,
          "doctor calls one copy of the events unsafe", text)
    for resource in world.admin.incremental_alter_configs([ConfigResource(
            "topic", TOPIC, incremental_configs=[
                ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
                for name, value in (("retention.ms", "60000"), ("cleanup.policy", "compact"))
            ])]).values():
        resource.result(20)
    code, out, _ = run("doctor", "--kafka", world.broker.address, "--config", world.config)
    check("retention" in out and "compact" in out,
          "and a retention of a minute, and compaction", out)
    for gone in world.admin.delete_topics([DECISIONS]).values():
        gone.result(20)
    time.sleep(1)
    code, out, _ = run("doctor", "--config", world.config)
    check(code == 1 and "decisions does not exist" in out, "and a topic that is missing", out)
    world.broker.stop()
    code, out, _ = run("doctor", "--config", world.config)
    check(code == 1 and "no broker answers" in out, "and a broker that does not answer", out)


LEDGER, LEDGER2 = os.path.join(WORK, "ledger"), os.path.join(WORK, "ledger2")
world = World()
try:
    server = check_flow(world)
    check_poison(world, server)
    check_repeats(world, server)
    check_broker_outage(world, server)
    check_frozen(world, server)
    server = check_kills(world, server)
    check_group(world, server)
    server.stop()
    broken = problems(world, [LEDGER, LEDGER2])
    check(broken == "", "after all that, every event is decided once and told once", broken)
    check_heads(world)
    check_lost_rows(world)
    kept, _, _ = keep_heads(world)
    code, out, problem = run("ledger", "verify", "--ledger", LEDGER, "--head", kept)
    check(code == 1 and "older copy" in out, "which is told from an older copy by them", out + problem)
    check_new_topic(world)
    check_doctor(world)
finally:
    world.stop()
finish()
