"""A small S3-compatible store in this process, with a check of signatures (AWS Signature Version 4,
written from its description) and with faults: what a test of the archive needs and real stores do
not offer."""
import hashlib
import hmac
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ACCESS, SECRET = "AKIATEST", "secret/with+signs"


def _hmac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def _signature(request, region, secret):
    """What the Authorization header must end with."""
    parts = dict(part.strip().split("=", 1) for part in
                 request.headers["Authorization"].split(" ", 1)[1].split(","))
    _, date, _, service, _ = parts["Credential"].split("/")
    signed = parts["SignedHeaders"].split(";")
    path = urllib.parse.urlsplit(request.path)
    canonical = "\n".join([
        request.command, path.path, path.query,
        "".join(f"{name}:{' '.join(request.headers[name].split())}\n" for name in signed),
        ";".join(signed), request.headers["x-amz-content-sha256"]])
    scope = f"{date}/{region}/{service}/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", request.headers["x-amz-date"], scope,
                      hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + secret).encode()
    for step in (date, region, service, "aws4_request"):
        key = _hmac(key, step)
    return parts["Credential"].split("/")[0], _hmac(key, text).hex(), parts["Signature"]


class Store:
    """`fault` is None, "away" (503), "wrong" (a flipped bit in what is given), "slow" (takes half of
    an object, and no more until the fault is over), "half" (the same, and keeps that half) "mute" (keeps it and does not answer) or
    "hang" (does not answer anybody). `got`: bytes of the object that
    is being sent."""

    def __init__(self, region="eu-test-1", bucket="ledger"):
        self.objects, self.requests, self.fault, self.got = {}, [], None, 0
        self.region, self.bucket = region, bucket
        store = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def reply(self, code, body=b"", reason=""):
                if reason:
                    body = f"<?xml version='1.0'?><Error><Code>{reason}</Code></Error>".encode()
                self.send_response(code)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def take_slowly(self, size):
                """The first half; then it takes its time."""
                body = self.rfile.read(size // 2)
                store.got = len(body)
                while store.fault in ("slow", "half"):
                    time.sleep(0.02)
                return body

            def handle_one(self):
                size = int(self.headers.get("Content-Length") or 0)
                fault = store.fault if self.command == "PUT" else None
                body = self.take_slowly(size) if fault in ("slow", "half") else self.rfile.read(size)
                name = urllib.parse.urlsplit(self.path).path.lstrip("/")
                store.requests.append((self.command, name))
                while store.fault == "hang":
                    time.sleep(0.02)
                if store.fault == "away":
                    return self.reply(503, reason="SlowDown")
                access, wanted, given = _signature(self, store.region, SECRET)
                if access != ACCESS or wanted != given:
                    return self.reply(403, reason="SignatureDoesNotMatch")
                if len(body) < size:
                    if fault == "half":
                        store.objects[name] = body
                    self.close_connection = True
                    return None
                digest = hashlib.sha256(body).hexdigest()
                if digest != self.headers["x-amz-content-sha256"]:
                    return self.reply(400, reason="XAmzContentSHA256Mismatch")
                if not name.startswith(store.bucket + "/"):
                    return self.reply(404, reason="NoSuchBucket")
                if self.command == "PUT":
                    store.objects[name] = body
                    while store.fault == "mute":
                        time.sleep(0.02)
                    if fault == "mute":
                        self.close_connection = True
                        return None
                    return self.reply(200)
                if self.command == "DELETE":
                    store.objects.pop(name, None)
                    return self.reply(204)
                if name not in store.objects:
                    return self.reply(404, reason="NoSuchKey")
                body = bytearray(store.objects[name])
                if store.fault == "wrong":
                    body[len(body) // 2] ^= 1
                return self.reply(200, bytes(body))

            do_GET = do_PUT = do_DELETE = do_HEAD = handle_one

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
