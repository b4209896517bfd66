"""Load on one URL, and what it cost the server."""
import http.client
import json
import os
import subprocess
import threading
import time
import urllib.parse

import peers


class Figures:
    """Of one measurement: requests (broken ones counted by their bytes), per second, processor microseconds a request, milliseconds."""

    def __init__(self, requests, seconds, cpu, p50, p99, connections):
        self.requests, self.rate, self.cpu = requests, requests / seconds, cpu * 1e6 / requests
        self.p50, self.p99, self.connections = p50, p99, connections


def timed(server, path, accept, encoding, connections, seconds, answer_bytes):
    """For servers that answer many a second: wrk, for a time. `answer_bytes` is what one answer has on the wire, head included."""
    before = server.cpu()
    done = subprocess.run(["wrk", "-t1", "-c%d" % connections, "-d%ds" % seconds, "--timeout", "60s", "-H", "Accept: " + accept, "-H",
                           "Accept-Encoding: " + encoding, "-s", os.path.join(peers.HERE, "count.lua"), server.url + path],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, text=True)
    cpu = server.cpu() - before
    if done.returncode != 0:
        raise SystemExit("wrk: " + (done.stderr + done.stdout).strip())
    said = json.loads(done.stdout.splitlines()[-1])
    if said["errors"] or not said["bytes"]:
        raise SystemExit("%s answered %s with errors: %s" % (server.name, path, said))
    return Figures(said["bytes"] / answer_bytes, said["microseconds"] / 1e6, cpu, said["p50"] / 1e3, said["p99"] / 1e3, connections)


def counted(server, path, accept, encoding, connections, requests):
    """For servers that need long for one answer: a fixed number of requests, all of which are waited for."""
    url = urllib.parse.urlsplit(server.url)
    waits, failures, left, lock = [], [], [requests], threading.Lock()

    def client():
        connection = http.client.HTTPConnection(url.hostname, url.port, timeout=300)
        while True:
            with lock:
                if left[0] == 0:
                    break
                left[0] -= 1
            started = time.monotonic()
            try:
                connection.request("GET", url.path + path, headers={"Accept": accept, "Accept-Encoding": encoding})
                answer = connection.getresponse()
                answer.read()
                if answer.status != 200:
                    failures.append(answer.status)
            except (OSError, http.client.HTTPException) as e:
                failures.append(e)
                connection.close()
            waits.append((time.monotonic() - started) * 1e3)
        connection.close()

    before, started = server.cpu(), time.monotonic()
    clients = [threading.Thread(target=client) for _ in range(min(connections, requests))]
    for c in clients:
        c.start()
    for c in clients:
        c.join()
    took, cpu = time.monotonic() - started, server.cpu() - before
    if failures:
        raise SystemExit("%s answered %s with errors: %s" % (server.name, path, failures[:3]))
    waits.sort()
    return Figures(requests, took, cpu, waits[len(waits) // 2], waits[min(len(waits) - 1, len(waits) * 99 // 100)], min(connections, requests))


def on_the_wire(server, path, accept, encoding):
    """Bytes of one answer with its head, by a raw socket's count: read until the connection closes."""
    import socket
    url = urllib.parse.urlsplit(server.url)
    with socket.create_connection((url.hostname, url.port), timeout=60) as s:
        s.sendall(("GET %s%s HTTP/1.1\r\nHost: %s\r\nAccept: %s\r\nAccept-Encoding: %s\r\n\r\n" %
                   (url.path, path, url.netloc, accept, encoding)).encode())
        got = b""
        while b"\r\n\r\n" not in got:
            got += s.recv(65536)
        head, _, rest = got.partition(b"\r\n\r\n")
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                return len(head) + 4 + int(line.split(b":")[1])
    raise SystemExit("%s gives no content-length for %s" % (server.name, path))
