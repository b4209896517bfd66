#!/usr/bin/env python3
"""Many clients, slow clients, clients that never read, a stop and reloads in the middle of it: memory stays bounded, nobody is forgotten.

Memory is judged on a release build (build/bondgate, where it is there and no older than the sources), because sanitizers take memory.
"""
import asyncio
import gzip
import json
import os
import resource
import signal
import socket
import sys
import threading
import time

from gate_tools import (HERE, SOAK, Skip, binary, equal, fetch, iso, main, metric, ok, policy, rss, tarball, wait_until)

MIB = 1 << 20
MEMORY = 128 * MIB


def raise_limit():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 10000 if hard == resource.RLIM_INFINITY else min(hard, 10000)
    if wanted < 5000:
        raise Skip("this machine allows only %d open files" % hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class Unsanitized:
    """While a gate is started within: the release build in place of the test's."""
    lock = threading.Lock()

    def __enter__(self):
        with open(binary(), "rb") as f:
            sanitized = b"__asan_init" in f.read()
        self.lock.acquire()
        try:
            self.choose(sanitized)
        except Skip:
            self.lock.release()
            raise

    def choose(self, sanitized):
        path = os.environ.get("BONDGATE_RELEASE") or os.path.join(HERE, "..", "..", "build", "bondgate")
        self.before = os.environ.get("BONDGATE_BINARY")
        if sanitized:
            if not os.path.exists(path):
                raise Skip("memory is judged on a release build, and there is none at build/bondgate")
            sources = os.path.join(HERE, "..", "..", "src")
            newest = max(os.path.getmtime(os.path.join(d, n)) for d, _, names in os.walk(sources) for n in names)
            if os.path.getmtime(path) < newest:
                raise Skip("build/bondgate is older than its sources")
            os.environ["BONDGATE_BINARY"] = path

    def __exit__(self, *unused):
        if self.before:
            os.environ["BONDGATE_BINARY"] = self.before
        self.lock.release()


def big_document(fake, name, size):
    """A packument of about `size` bytes; versions of real weight."""
    fake.publish(name, "1.0.0")
    doc = fake.documents[name]
    entry = json.dumps(dict(doc["versions"]["1.0.0"], readme="x" * 1200, dependencies={"dep-%d" % i: "^1.0.0" for i in range(20)}))
    for i in range(1, size // len(entry) + 1):
        version = "1.%d.0" % i
        doc["versions"][version] = json.loads(entry.replace("1.0.0", version))
        doc["time"][version] = iso(time.time() - 400 * 86400 + i * 60)
    doc["dist-tags"]["latest"] = version
    text = json.dumps(doc).encode()
    with fake.lock:
        fake.documents[name] = text   # served as bytes
    return text


# --- a small client with many connections ---

async def ask(reader, writer, path, *lines):
    """(status, headers, body) over a connection that stays open."""
    writer.write("\r\n".join(["GET /npm%s HTTP/1.1" % path, "host: 127.0.0.1", *lines, "", ""]).encode())
    await writer.drain()
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in head[1:] if line)}
    return int(head[0].split(" ")[1]), headers, await reader.readexactly(int(headers.get("content-length", 0)))


async def connect(gate):
    return await asyncio.open_connection("127.0.0.1", gate.port, limit=1 << 16)


def many(t, gate, count):
    async def one(gone):
        for attempt in range(5):
            try:
                reader, writer = await connect(gate)
                break
            except OSError:
                await asyncio.sleep(0.2 * (attempt + 1))
        else:
            return gone.append("no connection")
        try:
            for path in ("/lab-a", "/lab-a/latest", tarball("lab-a", "1.1.0"), "/lab-a"):
                status, _, body = await asyncio.wait_for(ask(reader, writer, path), 60)
                if status != 200 or not body:
                    gone.append("%s: %s %s" % (path, status, body[:200]))
        except Exception as e:   # pylint: disable=broad-except
            gone.append(repr(e))
        writer.close()

    async def all_of_them():
        gone = []
        await asyncio.gather(*(one(gone) for _ in range(count)))
        return gone

    gone = asyncio.run(all_of_them())
    ok(not gone, "%d of %d went wrong" % (len(gone), count), *gone[:5])
    equal(gate.get("/-/healthz").status, 200)
    equal(len(gate.who_has("npm:lab-a@1.1.0")["receipts"]), count)


def test_2000_connections_at_once(t):
    raise_limit()
    fake = t.fake().lab()
    many(t, t.gate(policy(fake.url, fresh="5m")), 2000)


def test_2000_connections_at_once_in_bounded_memory(t):
    raise_limit()
    fake = t.fake().lab()
    with Unsanitized():
        gate = t.gate(policy(fake.url, fresh="5m"))
    many(t, gate, 2000)
    ok(rss(gate, "VmHWM") < MEMORY, "%d MiB" % (rss(gate, "VmHWM") // MIB))


def test_64_connections_on_a_packument_of_10_mib(t):
    fake = t.fake()
    text = big_document(fake, "lab-huge", 10 * MIB)
    with Unsanitized():
        gate = t.gate(policy(fake.url, fresh="5m"))

    async def one(i):
        reader, writer = await connect(gate)
        lines = (["accept: application/json"], ["accept: application/json", "accept-encoding: gzip"],
                 ["accept: application/vnd.npm.install-v1+json"], ["accept: application/vnd.npm.install-v1+json", "accept-encoding: gzip"])[i % 4]
        sizes = []
        for _ in range(3):
            status, headers, body = await ask(reader, writer, "/lab-huge", *lines)
            equal((status, headers.get("content-encoding")), (200, "gzip" if i % 2 else None))
            document = json.loads(gzip.decompress(body) if i % 2 else body) if i < 4 else None
            ok(document is None or len(document["versions"]) > 1000)
            sizes.append(len(body))
        writer.close()
        return sizes

    async def everybody():
        return await asyncio.gather(*(one(i) for i in range(64)))

    sizes = asyncio.run(everybody())
    for i in range(4):
        equal(len({size for s in sizes[i::4] for size in s}), 1, "every answer of one form has the same bytes")
    ok(len(text) > 9 * MIB)
    equal(len(fake.asked("lab-huge")), 1)
    print("# 64 connections on %d MiB: %d MiB at most" % (len(text) // MIB, rss(gate, "VmHWM") // MIB))
    ok(rss(gate, "VmHWM") < MEMORY, "%d MiB" % (rss(gate, "VmHWM") // MIB))


def test_clients_that_never_read_are_dropped_and_hold_up_nobody(t):
    fake = t.fake().lab()
    big_document(fake, "lab-huge", 10 * MIB)
    fake.publish("lab-large", "1.0.0", files={"data.bin": os.urandom(24 * MIB)})
    with Unsanitized():
        gate = t.gate(policy(fake.url, fresh="5m"))
    equal(gate.get("/lab-huge").status, 200)
    equal(fetch(gate, "lab-large", "1.0.0").status, 200)
    idle = []
    for i in range(100):
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.connect(("127.0.0.1", gate.port))
        s.sendall(b"GET /npm%s HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n" % (b"/lab-huge" if i % 2 else tarball("lab-large", "1.0.0").encode()))
        idle.append(s)
    try:
        for _ in range(20):
            equal(gate.get("/lab-a", timeout=20).status, 200)
        equal(fetch(gate, "lab-large", "1.0.0", timeout=40).status, 200)
        print("# 100 clients that never read: %d MiB at most" % (rss(gate, "VmHWM") // MIB))
        ok(rss(gate, "VmHWM") < MEMORY, "%d MiB" % (rss(gate, "VmHWM") // MIB))
        wait_until(lambda: metric(gate, "bondgate_http_connections_open") < 20, "they are dropped after a minute", 90)
        ok(metric(gate, "bondgate_http_dropped_slow_total") >= 90)
    finally:
        for s in idle:
            s.close()
    # What each of them did not receive to the end has its receipt all the same only if the last byte could have gone out.
    equal(fetch(gate, "lab-large", "1.0.0").status, 200)


def test_bodies_that_are_received_at_once_have_a_bound(t):
    fake = t.fake().lab()
    with Unsanitized():
        gate = t.gate(policy(fake.url, fresh="5m"))
    head = b"POST /npm/-/npm/v1/security/advisories/bulk HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 16000000\r\n\r\n"
    pushing = [socket.create_connection(("127.0.0.1", gate.port), timeout=20) for _ in range(60)]
    refused = 0
    for s in pushing:
        try:
            s.sendall(head)
            for _ in range(15):
                s.sendall(b" " * MIB)
        except OSError:
            refused += 1
    print("# 60 bodies of 15 MiB: %d refused, %d MiB at most" % (refused, rss(gate, "VmHWM") // MIB))
    ok(rss(gate, "VmHWM") < 600 * MIB, "%d MiB" % (rss(gate, "VmHWM") // MIB))
    equal(gate.get("/lab-a").status, 200)
    for s in pushing:
        s.close()
    audit = ("POST", "/npm/-/npm/v1/security/advisories/bulk", {"content-type": "application/json"}, b'{"lab-a": ["1.1.0"]}')
    wait_until(lambda: gate.request(*audit).status == 200, "there is room for bodies again")


def test_documents_that_were_opened_from_disk_are_closed_again(t):
    fake = t.fake()
    for i in range(200):
        big_document(fake, "doc-%d" % i, 200000)
    gate = t.gate(policy(fake.url, fresh="5m", extra="memory: 8MiB\n"))
    for _ in range(2):
        for i in range(200):
            equal(gate.get("/doc-%d" % i).status, 200)
        gate.get("/doc-0", accept_encoding="gzip")
    for i in range(200):
        equal(gate.get("/doc-%d" % i, accept=gate.ABBREVIATED).status, 200)
    with open("/proc/%d/maps" % gate.child.pid, encoding="utf-8") as f:
        mapped = sum("/cache/documents/" in line for line in f)
    ok(mapped < 60, "%d documents of 200 KB are open, with 4 MiB for them" % mapped)


def test_200_slowloris_do_not_keep_the_others_out(t):
    fake = t.fake().lab()
    gate = t.gate(policy(fake.url, fresh="5m"))
    slow = [socket.create_connection(("127.0.0.1", gate.port)) for _ in range(200)]
    for s in slow:
        s.sendall(b"GET /npm/lab-a HTTP/1.1\r\nhost: 127.0.0.1\r\n")
    ended = 0
    begun = time.monotonic()
    while ended < 200 and time.monotonic() - begun < 40:
        for s in slow:
            try:
                s.sendall(b"x-a: b\r\n")
            except OSError:
                pass
        equal(gate.get("/lab-a", timeout=10).status, 200)
        time.sleep(0.5)
        ended = 0
        for s in slow:
            s.setblocking(False)
            try:
                piece = s.recv(4096, socket.MSG_PEEK)
                ended += 1
                ok(piece == b"" or piece.startswith(b"HTTP/1.1 408"), piece)
            except BlockingIOError:
                pass
            except OSError:
                ended += 1
            s.setblocking(True)
    for s in slow:
        s.close()
    equal(ended, 200, "slow heads are ended")


# --- stop and reload under load ---

def test_sigterm_finishes_what_is_under_way(t):
    fake = t.fake().lab()
    data = os.urandom(12 * MIB)
    fake.publish("lab-large", "1.0.0", files={"data.bin": data})
    whole = fake.tarballs["lab-large", "lab-large-1.0.0.tgz"]
    gate = t.gate(policy(fake.url, fresh="5m"))
    equal(fetch(gate, "lab-large", "1.0.0").status, 200)
    gate.stop()
    gate.start()
    fake.delay = 1.5
    results = []

    def slow_reader():
        with socket.create_connection(("127.0.0.1", gate.port), timeout=20) as s:
            s.sendall(b"GET /npm%s HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n" % tarball("lab-large", "1.0.0").encode())
            got = b""
            while True:
                piece = s.recv(1 << 20)
                if not piece:
                    break
                got += piece
                if len(got) < 4 * MIB:
                    time.sleep(0.05)
            results.append(got.split(b"\r\n\r\n", 1)[1] == whole)

    def packument(i):
        answer = gate.get("/lab-a" if i % 2 else "/lab-large")
        results.append(answer.status == 200)

    idle = socket.create_connection(("127.0.0.1", gate.port))
    threads = [threading.Thread(target=slow_reader) for _ in range(4)] + [threading.Thread(target=packument, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    wait_until(lambda: fake.asked("lab-a"), "requests are under way")
    time.sleep(0.3)
    gate.child.send_signal(signal.SIGTERM)
    for thread in threads:
        thread.join()
    equal(results, [True] * 12)
    gate.child.wait(15)
    equal(gate.child.returncode, 0)
    idle.close()


def test_reloads_drop_no_connection(t):
    fake = t.fake().lab()
    good = policy(fake.url, fresh="5m")
    gate = t.gate(good)

    async def client(stop, failures, count):
        reader, writer = await connect(gate)
        while not stop.is_set():
            try:
                status, _, body = await ask(reader, writer, "/lab-a")
                answer = json.loads(body)
                status2, _, _ = await ask(reader, writer, tarball("lab-a", "1.0.0"))
                if (status, status2) != (200, 200) or "1.2.0" in answer["versions"]:
                    failures.append((status, status2, body[:200]))
                count.append(1)
            except Exception as e:   # pylint: disable=broad-except
                failures.append(repr(e))
                return
        writer.close()

    async def run():
        stop, failures, count = asyncio.Event(), [], []
        clients = [asyncio.create_task(client(stop, failures, count)) for _ in range(30)]
        for i in range(20):
            await asyncio.sleep(0.1)
            text = good if i % 3 else policy(fake.url, fresh="5m", extra="deny:\n  versions: [\"npm:lab-a@1.1.0\"]\n")
            gate.reload(text if i % 4 != 3 else "version: 1\nmode: sometimes\n")
        gate.reload(good)
        await asyncio.sleep(0.3)
        stop.set()
        await asyncio.gather(*clients)
        return failures, len(count)

    failures, count = asyncio.run(run())
    equal(failures, [])
    ok(count > 30, count)
    equal(metric(gate, "bondgate_policy_reload_failures_total") > 0, True)


def test_a_broken_policy_keeps_the_last_good_one_and_says_so(t):
    fake = t.fake().lab()
    gate = t.gate(policy(fake.url, fresh="5m", extra="deny:\n  versions: [\"npm:lab-a@1.0.0\"]\n"))
    for text in ("version: 1\nmode: sometimes\n", "nonsense: [", "", "version: 1\ncooldwn:\n  default: 1d\n", "\0\1\2",
                 "version: 1\nexemptions:\n  - {package: \"npm:lab-a@1.2.0\", rules: [cooldown], expires: 2030-01-01}\n"):
        before = gate.tail(1 << 20).count("last good")
        gate.reload(text)
        wait_until(lambda b=before: gate.tail(1 << 20).count("last good") > b, "the log says so: %r" % text)
        equal(gate.versions("lab-a"), {"1.1.0", "2.0.0-beta.1"})
        equal(fetch(gate, "lab-a", "1.0.0").status, 403)
    refused = [r for r in gate.log() if r["kind"] == "admin" and "refused" in json.dumps(r)]
    ok(len(refused) >= 4, "the evidence says so: %r" % refused)
    os.unlink(gate.policy_file)
    gate.child.send_signal(signal.SIGHUP)
    time.sleep(0.5)
    equal(gate.versions("lab-a"), {"1.1.0", "2.0.0-beta.1"})
    equal(fetch(gate, "lab-a", "1.0.0").status, 403)


def test_a_replaced_policy_counts_within_5_seconds_without_a_signal(t):
    fake = t.fake().lab()
    gate = t.gate(policy(fake.url, fresh="5m"))
    equal(gate.versions("lab-a"), {"1.0.0", "1.1.0", "2.0.0-beta.1"})
    deny = policy(fake.url, fresh="5m", extra="deny:\n  versions: [\"npm:lab-a@1.1.0\"]\n")
    gate.write_policy(deny)
    wait_until(lambda: gate.versions("lab-a") == {"1.0.0", "2.0.0-beta.1"}, "replaced by rename", 5.5)
    with open(gate.policy_file, "w", encoding="utf-8") as f:
        f.write(policy(fake.url, fresh="5m"))
    wait_until(lambda: "1.1.0" in gate.versions("lab-a"), "written in place", 5.5)
    os.unlink(gate.policy_file)
    time.sleep(0.5)
    equal(gate.get("/lab-a").status, 200)
    gate.write_policy(deny)
    wait_until(lambda: "1.1.0" not in gate.versions("lab-a"), "removed and made again", 5.5)


def test_connections_past_the_limit_are_told_so(t):
    fake = t.fake().lab()
    gate = t.gate(policy(fake.url, fresh="5m", extra="gate:\n  connections: 50\n  threads: 1\n"))
    held = [socket.create_connection(("127.0.0.1", gate.port)) for _ in range(80)]
    told = 0
    time.sleep(1)
    for s in held:
        s.setblocking(False)
        try:
            told += s.recv(4096).startswith(b"HTTP/1.1 503")
        except OSError:
            pass
    for s in held:
        s.close()
    ok(20 <= told <= 31, told)
    wait_until(lambda: gate.get("/lab-a").status == 200, "room again", 5)


if __name__ == "__main__":
    main(sys.modules[__name__], jobs=2 if not SOAK else 1)
