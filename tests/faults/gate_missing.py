#!/usr/bin/env python3
"""What goes missing: packages that vanish, upstreams that hang, pinned dependencies that cannot be asked for, room in the cache."""
import os
import signal
import socket
import sys
import threading
import time

from gate_tools import blobs, contains, equal, fetch, hook_on, main, ok, policy, raw_answer, sentence, tarball, temporaries, wait_until


def start(t, **options):
    fake = t.fake().lab()
    return fake, t.gate(policy(fake.url, **options))


# --- packages and versions that vanish ---

def test_a_package_that_vanishes_is_served_from_here_where_it_was_received(t):
    fake, gate = start(t)
    data = fetch(gate, "lab-a", "1.0.0").body
    equal(gate.get("/lab-a").status, 200)
    document = fake.documents.pop("lab-a")
    wait_until(lambda: gate.versions("lab-a") == {"1.0.0"}, "only what is in the cache is offered")
    equal(gate.get("/lab-a/latest").json()["version"], "1.0.0")
    equal(fetch(gate, "lab-a", "1.0.0").body, data)
    contains(sentence(fetch(gate, "lab-a", "1.1.0"), 403), "gone")
    ok(gate.incidents("lab-a"))
    gate.stop()
    gate.start()
    equal(gate.versions("lab-a"), {"1.0.0"})
    fake.documents["lab-a"] = document
    wait_until(lambda: gate.versions("lab-a") == {"1.0.0", "1.1.0", "2.0.0-beta.1"}, "all are back")
    equal(fetch(gate, "lab-a", "1.1.0").status, 200)


def test_a_young_package_that_vanishes_is_held_though_cached(t):
    fake = t.fake()
    fake.publish("lab-young", "1.0.0", age="10d")
    gate = t.gate(policy(fake.url))
    equal(fetch(gate, "lab-young", "1.0.0").status, 200)
    del fake.documents["lab-young"]
    wait_until(lambda: gate.get("/lab-young").status == 403, "it is held")
    contains(sentence(fetch(gate, "lab-young", "1.0.0"), 403), "withdrawn")
    contains(sentence(gate.get("/lab-young/1.0.0"), 403), "withdrawn")


def test_answers_that_are_neither_here_nor_there(t):
    fake, gate = start(t)
    for status, wanted in ((401, 403), (403, 403), (410, 404), (418, 502), (204, 502), (206, 502), (429, 502), (500, 502)):
        name = "lab-%d" % status
        hook_on(fake, name, lambda h, s=status: raw_answer(h, "HTTP/1.1 %d Odd\ncontent-length: 0\n\n" % s))
        text = sentence(gate.get("/" + name), wanted)
        ok(str(status) in text or status == 410, text)
        ok(status not in (401, 403) or "token" in text, text)
    # One odd answer takes nothing away.
    equal(gate.get("/lab-a").status, 200)
    hook_on(fake, "lab-a", lambda h: raw_answer(h, "HTTP/1.1 403 No\ncontent-length: 0\n\n"))
    wait_until(lambda: "110" in (gate.get("/lab-a").header("warning") or ""), "it is stale now")
    equal(gate.versions("lab-a"), {"1.0.0", "1.1.0", "2.0.0-beta.1"})


# --- upstreams that hang ---

def test_a_stop_does_not_wait_for_an_upstream_that_hangs(t):
    silent = socket.create_server(("127.0.0.1", 0), backlog=64)
    gate = t.gate(policy("http://127.0.0.1:%d/" % silent.getsockname()[1]))
    waiting = [socket.create_connection(("127.0.0.1", gate.port)) for _ in range(20)]
    for i, s in enumerate(waiting):
        s.sendall(b"GET /npm%s HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n" % (b"/p-%d" % i if i % 2 else tarball("p", "1.0.%d" % i).encode()))
    wait_until(lambda: gate.get("/-/healthz").status == 200, "all are under way")
    gate.child.send_signal(signal.SIGTERM)
    gate.child.wait(25)
    for s in waiting:
        s.close()
    silent.close()


def test_a_tarball_that_stops_coming_holds_up_nobody_and_ends_with_the_gate(t):
    fake, gate = start(t, fresh="5m")
    fake.publish("lab-large", "1.0.0", files={"data.bin": os.urandom(8 << 20)})
    data = fake.tarballs["lab-large", "lab-large-1.0.0.tgz"]
    release = threading.Event()

    def stall(handler):
        handler.close_connection = True
        handler.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(data) + data[:6 << 20])
        release.wait(20)
        return True

    hook_on(fake, "/-/lab-large", stall)
    readers = []
    for _ in range(10):
        s = socket.create_connection(("127.0.0.1", gate.port), timeout=20)
        s.sendall(b"GET /npm%s HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n" % tarball("lab-large", "1.0.0").encode())
        readers.append(s)
    for s in readers:
        got = 0
        while got < 5 << 20:
            got += len(s.recv(1 << 20))
    equal(len(fake.asked("/-/lab-large")), 1, "ten readers, one fetch")
    equal(fetch(gate, "lab-a", "1.1.0").status, 200)
    for s in readers[:5]:
        s.close()
    gate.child.send_signal(signal.SIGTERM)
    gate.child.wait(25)
    release.set()
    for s in readers[5:]:
        got = 0
        with s:
            try:
                while True:
                    piece = s.recv(1 << 20)
                    if not piece:
                        break
                    got += len(piece)
            except ConnectionError:
                pass
        ok(got < len(data))
    gate.stop()
    fake.hook = None
    gate.start()
    equal(fetch(gate, "lab-large", "1.0.0").body, data)
    equal(len(gate.who_has("npm:lab-large@1.0.0")["receipts"]), 1)
    equal(temporaries(gate), [])


# --- pinned dependencies ---

def test_pins_in_circles_and_pins_on_oneself_are_judged_once(t):
    fake = t.fake()
    for i in range(20):
        fake.publish("ring-%d" % i, "1.0.0", age="10d", dependencies={"ring-%d" % ((i + 1) % 20): "1.0.0", "ring-%d" % i: "1.0.0"})
    fake.publish("self", "1.0.0", age="10d", dependencies={"self": "1.0.0"}, optionalDependencies={"self": "9.9.9"})
    gate = t.gate(policy(fake.url, fresh="5m"))
    for i in range(20):
        equal(gate.versions("ring-%d" % i), {"1.0.0"})
    equal(gate.versions("self"), {"1.0.0"})
    ok(len(fake.requests) <= 21, len(fake.requests))


def test_a_ring_with_one_held_member_is_held_as_one(t):
    fake = t.fake()
    for i in range(4):
        fake.publish("ring-%d" % i, "1.0.0", age="1h" if i == 3 else "10d", dependencies={"ring-%d" % ((i + 1) % 4): "1.0.0"})
    gate = t.gate(policy(fake.url, fresh="5m"))
    for i in range(3):
        contains(sentence(gate.get("/ring-%d" % i), 403), "ring-")
        contains(sentence(fetch(gate, "ring-%d" % i, "1.0.0"), 403), "dependency-held")


def test_thousands_of_pins_do_not_hold_up_the_others(t):
    fake = t.fake().lab()
    fake.publish("pins", "1.0.0", age="20d")
    fake.publish("pins", "1.1.0", age="10d", dependencies={"never-%d" % i: "1.0.0" for i in range(3000)})
    gate = t.gate(policy(fake.url, fresh="5m"))
    done = []
    thread = threading.Thread(target=lambda: done.append(gate.get("/pins", timeout=60)))
    thread.start()
    for _ in range(20):
        equal(gate.get("/lab-a", timeout=20).status, 200)
    thread.join()
    equal(done[0].status, 200)
    ok("1.1.0" not in done[0].json()["versions"], "what was not looked at is not cleared")
    ok(len(fake.requests) < 2500, "%d requests of an upstream for one packument" % len(fake.requests))


def test_a_pin_whose_upstream_does_not_answer_is_held_and_then_cleared(t):
    fake = t.fake()
    fake.publish("root", "1.0.0", age="20d")
    fake.publish("root", "1.1.0", age="10d", dependencies={"leaf": "1.0.0"})
    fake.publish("leaf", "1.0.0", age="10d")
    hook_on(fake, "leaf", lambda h: raw_answer(h, "HTTP/1.1 500 Broken\ncontent-length: 0\n\n"))
    gate = t.gate(policy(fake.url))
    equal(gate.versions("root"), {"1.0.0"})
    contains(sentence(fetch(gate, "root", "1.1.0"), 403), "leaf@1.0.0")
    fake.hook = None
    wait_until(lambda: gate.versions("root") == {"1.0.0", "1.1.0"}, "the set is whole", 60)


def test_a_pin_that_never_answers_delays_a_packument_only_so_long(t):
    fake = t.fake()
    fake.publish("root", "1.0.0", age="20d")
    fake.publish("root", "1.1.0", age="10d", dependencies={"leaf": "1.0.0"})
    over = threading.Event()
    hook_on(fake, "leaf", lambda h: over.wait(28) and False)
    gate = t.gate(policy(fake.url))
    answer = gate.get("/root", timeout=27)   # yarn 1 gives up after 30 s
    over.set()
    equal(set(answer.json()["versions"]), {"1.0.0"})


# --- a small cache ---

def test_a_cache_that_is_too_small_serves_all_the_same(t):
    fake = t.fake()
    for i in range(12):
        fake.publish("lab-%d" % i, "1.0.0", files={"data.bin": os.urandom(400000)})
    gate = t.gate(policy(fake.url, fresh="5m", extra="cache:\n  size: 1MiB\n"))
    for _ in range(2):
        for i in range(12):
            equal(fetch(gate, "lab-%d" % i, "1.0.0").body, fake.tarballs["lab-%d" % i, "lab-%d-1.0.0.tgz" % i])
    gate.stop()
    gate.start()
    wait_until(lambda: sum(os.path.getsize(p) for p in blobs(gate)) < 2 << 20, "it is trimmed")
    for i in range(12):
        equal(fetch(gate, "lab-%d" % i, "1.0.0").status, 200)


def test_names_that_do_not_exist_cost_little(t):
    fake, gate = start(t, fresh="5m")
    for _ in range(3):
        for i in range(50):
            equal(gate.get("/none-%d" % i).status, 404)
    equal(len(fake.asked("none-")), 50)
    time.sleep(0)
    fake.publish("none-1", "1.0.0")
    equal(gate.get("/none-1").status, 404)


if __name__ == "__main__":
    main(sys.modules[__name__])
