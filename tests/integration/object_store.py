#!/usr/bin/env python3
"""Days of a ledger in stores that others made: moto's S3 server and, where it was built before (it takes
minutes), MinIO, looked into by boto3, Amazon's own client. moto and boto3 come from PyPI into an
environment that is kept between runs."""
import hashlib
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve()
sys.path.insert(0, str(HERE.parent / "lib"))
sys.path.insert(0, str(HERE.parent.parent / "scenario" / "lib"))
import minio
import peer

MOVED = "days are moved to the store and read from there"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start_moto(port):
    os.environ.update(AWS_ACCESS_KEY_ID="testing", AWS_SECRET_ACCESS_KEY="testing")
    return subprocess.Popen([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def start_minio(port):
    """A server that checks every signature and every checksum."""
    os.environ.update(AWS_ACCESS_KEY_ID="binnacle-test", AWS_SECRET_ACCESS_KEY="a/secret+with=signs",
                      MINIO_ROOT_USER="binnacle-test", MINIO_ROOT_PASSWORD="a/secret+with=signs",
                      MINIO_BROWSER="off", MINIO_UPDATE="off", HOME=tempfile.gettempdir())
    return subprocess.Popen([minio.binary(), "server", "--quiet", "--address", f"127.0.0.1:{port}",
                             tempfile.mkdtemp(prefix="minio-")],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def make_bucket(client, server):
    until = time.monotonic() + 60
    while True:
        try:
            return client.create_bucket(Bucket="ledger")
        except Exception:
            if time.monotonic() > until or server.poll() is not None:
                raise
            time.sleep(0.2)


def try_store(name, start):
    import boto3
    from service import config, model
    from tap import WORK, check, run

    port = free_port()
    endpoint = f"http://127.0.0.1:{port}"
    os.environ["NO_PROXY"] = "127.0.0.1"
    server = start(port)
    client = boto3.session.Session().client("s3", endpoint_url=endpoint, region_name="us-east-1")
    try:
        make_bucket(client, server)
        folder = config(name=f"config-{name}")
        with open(os.path.join(folder, "binnacle.yaml"), "a") as file:
            file.write(f'\nledger: {{tiers: {{archive: {{endpoint: "{endpoint}", bucket: ledger, '
                       "prefix: node-1/}}}\n")
        model_file, _ = model(folder)
        events, ledger = os.path.join(WORK, "events.jsonl"), os.path.join(WORK, f"ledger-{name}")
        run("produce", "--count", 3000, "--rate", 3000 / (3 * 86400), "--start",
            "2026-01-05T00:00:00Z", "--to", events)
        run("replay", "--config", folder, "--model", model_file, "--ledger", ledger, events)
        _, before, _ = run("query", "--ledger", ledger, "--limit", 10000)
        archive = ["ledger", "archive", "--config", folder, "--ledger", ledger, "--before", "2026-01-07"]
        if name == "minio":  # moto believes everybody
            code, _, problem = run(*archive, env={**os.environ, "AWS_SECRET_ACCESS_KEY": "another"})
            check(code == 2 and "SignatureDoesNotMatch" in problem,
                  f"{name}: a signature by another key is refused", problem)
        code, out, problem = run(*archive)
        check(code == 0 and out.count("move") == 2, f"{name}: {MOVED}", out + problem)
        names = [one["Key"] for one in client.list_objects_v2(Bucket="ledger").get("Contents", [])]
        check(len(names) == 2 and all(name.startswith("node-1/2026-01-0") for name in names),
              f"{name}: boto3 finds them by day", names)
        body = client.get_object(Bucket="ledger", Key=names[0])["Body"].read()
        plain = subprocess.run(["zstd", "-d", "-c"], input=body, capture_output=True).stdout
        _, out, _ = run("ledger", "status", "--ledger", ledger, "--json")
        check(hashlib.sha256(plain).hexdigest() == json.loads(out.splitlines()[0])["sha256"],
              f"{name}: and gets the sealed file's bytes")
        code, out, problem = run("query", "--ledger", ledger, "--limit", 10000)
        check(code == 0 and out == before and len(out.splitlines()) == 3000,
              f"{name}: query gives the same rows, byte for byte", problem)
        code, out, problem = run("ledger", "verify", "--ledger", ledger)
        check(code == 0, f"{name}: verify finds all as recorded", out + problem)
        client.delete_object(Bucket="ledger", Key=names[1])
        subprocess.run(["rm", "-r", os.path.join(ledger, "cache")], check=True)
        code, out, problem = run("query", "--ledger", ledger, "--limit", 10000)
        check(code == 2 and "NoSuchKey" in problem and "2026-01-06" in problem,
              f"{name}: an object that somebody deleted is an error that names its day", problem)
    finally:
        server.terminate()
        server.wait()


def inside():
    from tap import finish

    try_store("moto", start_moto)
    if minio.binary():
        try_store("minio", start_minio)
    else:
        print("# MinIO is not there: tests/long/minio builds it, and then it is tried here, too")
    finish()


if peer.INSIDE:
    inside()
environment = peer.environment("moto.server, boto3", "moto[server]==5.1.4")
if environment is None:
    print(f"ok - {MOVED} # SKIP PyPI cannot be reached")
    sys.exit(0)
sys.exit(peer.run_inside(environment, __file__))
