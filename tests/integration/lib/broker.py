"""Nodes of Apache Kafka (KRaft) on loopback, its jars fetched once from Maven Central."""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time

import peer

POM = pathlib.Path(__file__).resolve().parent.parent / "kafka" / "pom.xml"
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache"))
JAVA = ["java", "-Xms128m", "-XX:+UseSerialGC", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]
SHORT_LIVED = ["-Xmx256m", "-XX:TieredStopAtLevel=1"]  # starts quickly
LONG_LIVED = ["-Xmx512m"]  # fast once it is warm
PROPERTIES = """process.roles={roles}
node.id={number}
controller.quorum.voters=1@127.0.0.1:{controller}
listeners={listeners}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs={folder}/data
auto.create.topics.enable=false
offsets.topic.replication.factor={copies}
offsets.topic.num.partitions=4
transaction.state.log.replication.factor={copies}
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms={session_ms}
log.cleaner.dedupe.buffer.size=2097152
"""


def jars():
    """The folder of the broker's jars, or None when they cannot be had."""
    folder = CACHE / "binnacle" / "kafka-4.1.1"
    if (folder / "complete").exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        subprocess.run(["mvn", "-q", "-B", "-f", POM, "dependency:copy-dependencies",
                        f"-DoutputDirectory={folder}"], check=True, capture_output=True,
                       timeout=400)
    except (subprocess.SubprocessError, OSError):
        return None
    (folder / "complete").touch()
    return folder


def with_client(name, script):
    """Runs the script again with the Python client from PyPI, unless this is that run; says that `name`
    is skipped where broker or client cannot be had."""
    if peer.INSIDE:
        return
    python = peer.environment("confluent_kafka", "confluent-kafka")
    if not python or not jars():
        print(f"ok - {name} # SKIP no broker or client to be had from their registries")
        sys.exit(0)
    sys.exit(peer.run_inside(python, script))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Broker:
    """The first node, which is also the controller; or one that joins the cluster of `first`. The
    cluster's own topics get `copies`, as far as there are brokers when they are made."""

    def __init__(self, library, folder, kind=tuple(SHORT_LIVED), first=None, copies=1):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(exist_ok=True)
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.number = first.number + 1 if first else 1
        self.controller = first.controller if first else free_port()
        tools = [*JAVA, *SHORT_LIVED, "-cp", f"{library}/*", "kafka.tools.StorageTool"]
        self.command = [*JAVA, *kind, "-cp", f"{library}/*"]
        self.process = None
        self.properties = self.folder / "server.properties"
        own = "" if first else f",CONTROLLER://127.0.0.1:{self.controller}"
        self.properties.write_text(PROPERTIES.format(
            roles="broker" if first else "broker,controller", number=self.number, port=self.port,
            listeners=f"PLAINTEXT://{self.address}{own}", controller=self.controller,
            folder=self.folder, copies=copies,
            session_ms=3000 if copies > 1 else 9000))
        self.cluster = first.cluster if first else subprocess.run(
            [*tools, "random-uuid"], check=True, capture_output=True, text=True).stdout.split()[-1]
        subprocess.run([*tools, "format", "-t", self.cluster, "-c", self.properties], check=True,
                       capture_output=True)

    def start(self):
        with open(self.folder / "broker.log", "a", encoding="utf-8") as log:
            self.process = subprocess.Popen([*self.command, "kafka.Kafka", self.properties],
                                            stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        until = time.monotonic() + 60
        while time.monotonic() < until and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return True
            except OSError:
                time.sleep(0.1)
        return False

    def stop(self, how=signal.SIGTERM):
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(how)
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
