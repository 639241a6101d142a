#!/usr/bin/env python3
"""Two real Apache Kafka brokers under load: partitions change their leader while events are decided, and
the ledger's disk fills up and is freed again. Every event is decided once, and told once.

The brokers' jars come from Maven Central, the client that checks from PyPI, each kept between runs;
where they cannot be reached, this is skipped."""
import json
import os
import pathlib
import signal
import sys
import time

HERE = pathlib.Path(__file__).resolve()
sys.path[:0] = [str(HERE.parent / "lib"), str(HERE.parent.parent / "scenario" / "lib")]
import broker

broker.with_client("exactly once while leaders move and disks fill", __file__)

from confluent_kafka import ElectionType, KafkaException

import ledger as ledgers
from disk import Disk
from kafka_world import Stream, World, problems, wait_for
from tap import WORK, check, finish

MOVES = 2


def lead_again(world):
    """The second broker gets back what it led before, once it has all that was written meanwhile."""
    try:
        world.admin.elect_leaders(ElectionType.PREFERRED, None).result(10)
    except KafkaException:
        pass
    return 2 in world.leaders()


def check_leaders(world):
    """The second broker dies with the partitions that it leads, comes back and gets them again."""
    server = world.serve()
    check(server.wait_ready() and wait_for(lambda: "assigned" in server.output()),
          "a service reads from two brokers", server.output())
    check({1, 2} == set(world.leaders()), "each leads some of the partitions", world.leaders())
    with Stream(world):
        for number in range(MOVES):
            time.sleep(1)
            world.brokers[1].stop(signal.SIGKILL)
            check(wait_for(lambda: set(world.leaders()) == {1}),
                  f"move {number + 1}: when a broker dies the other one leads", world.leaders())
            time.sleep(1)
            check(world.brokers[1].start() and wait_for(lambda: lead_again(world)),
                  f"move {number + 1}: and leadership goes back under load", world.leaders())
    check(world.caught_up(90), "the topic is read to its end", server.output())
    broken = problems(world, [LEDGER])
    check(broken == "", "every event is decided once and told once", broken)
    server.stop()


def is_paused(server):
    return "kafka is paused" in json.dumps(
        json.loads(server.call("GET", "/api/v1/snapshot")[2])["view"]["attention"])


def check_full_disk(world):
    """The same group goes on with a ledger on a small file system."""
    disk = Disk(os.path.join(WORK, "small"), 96)
    try:
        server = world.serve("small")
        disk.use(server.process)
        server.wait_ready()
        with Stream(world):
            wait_for(lambda: "assigned" in server.output())
            wait_for(lambda: server.call("GET", "/readyz")[0] == 200)
            time.sleep(1)
            disk.fill()
            check(wait_for(lambda: is_paused(server)), "a full disk pauses the source, as screens say",
                  server.output())
            before = world.lag()
            check(wait_for(lambda: world.lag() > before), "events stay on the topic meanwhile", before)
            disk.free()
            check(wait_for(lambda: not is_paused(server)), "with room again it goes on by itself",
                  server.output())
        check(world.caught_up(90), "and reads the topic to its end", server.output())
        check("connection_lost" not in server.output(),
              "it never left its group", server.output())
        server.stop()
        check(len(ledgers.decisions(disk.folder)) > 0, "the ledger on that disk has decisions")
        broken = problems(world, [LEDGER, disk.folder])
        check(broken == "", "of all that, every event is decided once and told once", broken)
    finally:
        disk.close()


LEDGER = os.path.join(WORK, "ledger")
world = World(2)
try:
    check_leaders(world)
    check_full_disk(world)
finally:
    world.stop()
finish()
