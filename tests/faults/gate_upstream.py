#!/usr/bin/env python3
"""The gate behind upstreams that are slow, dead, broken, cut, endless, redirecting, lying, hostile or forgetful."""
import json
import os
import shutil
import socket
import sys
import threading
import time

from gate_tools import (DAY, USEC, blobs, contains, equal, fetch, hashes, hook_on, iso, lacks, main, ok, policy,
                        raw_answer, rss, sentence, store, tarball, temporaries, wait_until)


def start(t, registry="", **options):
    fake = t.fake().lab()
    return fake, t.gate(policy(fake.url, registry=registry, **options))


def big_package(fake, name="lab-big", **options):
    """One whose tarball is streamed: os.urandom, because gzip would make it small."""
    fake.publish(name, "1.0.0", files={"data.bin": os.urandom(6 << 20)}, **options)
    return fake.tarballs[name, name + "-1.0.0.tgz"]


# --- slow and dead ---

def test_a_slow_upstream_delays_nobody_else_and_is_asked_once(t):
    fake, gate = start(t, fresh="5m")
    equal(gate.get("/lab-a").status, 200)
    fake.publish("lab-slow", "1.0.0")
    hook_on(fake, "lab-slow", lambda handler: time.sleep(5))
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(gate.get("/lab-slow").status)) for _ in range(20)]
    for thread in threads:
        thread.start()
    wait_until(lambda: fake.asked("lab-slow"), "the slow one is asked")
    equal(gate.get("/lab-a").status, 200)
    equal(answers, [], "another package waited for the slow upstream")
    for thread in threads:
        thread.join()
    equal(answers, [200] * 20)
    equal(len(fake.asked("lab-slow")), 1)


def test_a_dead_upstream_is_said_at_once_and_not_asked_for_each_client(t):
    fake, gate = start(t)
    fake.close()
    for _ in range(20):
        sentence(gate.get("/lab-x"), 502)
    sentence(gate.get(tarball("lab-x", "1.0.0")), 502)


def test_an_upstream_that_never_answers_blocks_nothing_else(t):
    fake, gate = start(t, fresh="5m")
    equal(gate.get("/lab-a").status, 200)
    silent = socket.create_server(("127.0.0.1", 0))
    gate.reload(policy("http://127.0.0.1:%d/" % silent.getsockname()[1], fresh="5m"))
    waiting = [socket.create_connection(("127.0.0.1", gate.port)) for _ in range(30)]
    for i, s in enumerate(waiting):
        s.sendall(b"GET /npm/other-%d HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n" % i)
    for _ in range(5):
        equal(gate.get("/-/healthz", timeout=5).status, 200)
    for s in waiting:
        s.close()
    silent.close()


def test_5xx_of_the_upstream_is_a_sentence_and_ends_when_it_ends(t):
    fake, gate = start(t)
    fake.publish("lab-b", "1.0.0")
    hook_on(fake, "/-/lab-b", lambda h: fake.send(h, 500, b"{}") or True)
    contains(sentence(gate.get(tarball("lab-b", "1.0.0")), 502), "500")
    fake.hook = None
    equal(fetch(gate, "lab-b", "1.0.0").status, 200)
    fake.broken = 503
    contains(sentence(gate.get("/lab-c"), 502), "503")
    fake.broken = None
    fake.publish("lab-c", "1.0.0")
    wait_until(lambda: gate.get("/lab-c").status == 200, "the upstream is asked again after a while", 30)


# --- cut, wrong length, wrong bytes, endless ---

def test_truncated_and_wrongly_long_packuments_are_never_stored(t):
    fake, gate = start(t)
    body = json.dumps(dict(fake.documents["lab-a"], name="lab-cut", _id="lab-cut")).encode()
    head = "HTTP/1.1 200 OK\ncontent-type: application/json\n"
    for i, (length, pieces) in enumerate((
            ("content-length: %d\n\n" % len(body), [body[:-100]]),
            ("content-length: %d\n\n" % (len(body) - 100), [body]),
            ("content-length: %d\n\n" % (len(body) + 100), [body]),
            ("transfer-encoding: chunked\n\n", [b"%x\r\n" % len(body), body, b"\r\n"]),
            ("transfer-encoding: chunked\n\n", [b"%x\r\n" % len(body), body[:-100]]),
            ("content-length: -5\n\n", [body]),
            ("content-encoding: gzip\ncontent-length: %d\n\n" % len(body), [body]),
            ("content-length: 0\n\n", []))):
        name = "lab-cut-%d" % i
        hook_on(fake, name, lambda h, length=length, pieces=pieces: raw_answer(h, head + length, pieces))
        ok(sentence_of_failure(gate.get("/" + name)), name)
    equal(temporaries(gate), [])
    equal(gate.get("/lab-a").status, 200)


def sentence_of_failure(answer):
    ok(answer.status in (403, 502), answer)
    return answer.json()["error"]


def test_truncated_tarballs_are_cut_or_refused_and_leave_no_receipt(t):
    fake, gate = start(t)
    small = fake.tarballs["lab-a", "lab-a-1.1.0.tgz"]
    large = big_package(fake)
    head = "HTTP/1.1 200 OK\ncontent-type: application/octet-stream\ncontent-length: %d\n\n"
    hook_on(fake, "/-/lab-a", lambda h: raw_answer(h, head % len(small), [small[:-20]]))
    hook_on(fake, "/-/lab-big", lambda h: raw_answer(h, head % len(large), [large[:-20]]))
    sentence(fetch(gate, "lab-a", "1.1.0"), 502)
    answer = fetch(gate, "lab-big", "1.0.0")
    ok(answer is None or answer.status == 502, answer)
    for purl in ("npm:lab-a@1.1.0", "npm:lab-big@1.0.0"):
        equal(gate.who_has(purl)["receipts"], [])
    wait_until(lambda: not temporaries(gate), "what was begun is removed")
    equal(blobs(gate), [])
    fake.hook = None
    equal(fetch(gate, "lab-a", "1.1.0").body, small)
    equal(fetch(gate, "lab-big", "1.0.0").body, large)
    equal(len(gate.who_has("npm:lab-big@1.0.0")["receipts"]), 1)


def test_wrong_bytes_of_the_right_length_never_arrive_whole(t):
    fake, gate = start(t)
    large = big_package(fake)
    fake.tarballs["lab-big", "lab-big-1.0.0.tgz"] = large[:-1] + bytes([large[-1] ^ 1])
    fake.swap_bytes("lab-a", "1.1.0")
    contains(sentence(fetch(gate, "lab-a", "1.1.0"), 403), "hash")
    answer = fetch(gate, "lab-big", "1.0.0")
    ok(answer is None or answer.status == 403, answer)
    wait_until(lambda: gate.incidents("lab-big") and gate.incidents("lab-a"), "both are incidents")
    equal(blobs(gate), [])
    equal(len([b for b in blobs(gate, "quarantine") if b.endswith(".blob")]), 2)
    equal(gate.who_has("npm:lab-big@1.0.0")["receipts"], [])


def test_a_tarball_longer_than_it_says_or_without_a_length(t):
    fake, gate = start(t)
    data = fake.tarballs["lab-a", "lab-a-1.1.0.tgz"]
    hook_on(fake, "/-/lab-a-1.1.0", lambda h: raw_answer(h, "HTTP/1.1 200 OK\ncontent-length: %d\n\n" % (len(data) - 1), [data]))
    contains(sentence(fetch(gate, "lab-a", "1.1.0"), 403), "hash")
    hook_on(fake, "/-/lab-a-1.0.0", lambda h: raw_answer(h, "HTTP/1.0 200 OK\n\n", [fake.tarballs["lab-a", "lab-a-1.0.0.tgz"]]))
    answer = fetch(gate, "lab-a", "1.0.0")
    equal((answer.status, answer.header("content-length")), (200, str(len(fake.tarballs["lab-a", "lab-a-1.0.0.tgz"]))))


def test_a_tarball_of_no_bytes_is_refused(t):
    fake, gate = start(t)
    hook_on(fake, "/-/lab-a", lambda h: raw_answer(h, "HTTP/1.1 200 OK\ncontent-length: 0\n\n"))
    answer = fetch(gate, "lab-a", "1.1.0")
    ok(answer.status in (403, 502), answer)
    # Even where the metadata promises exactly that.
    fake.publish("lab-void", "1.0.0", dist=hashes(b""))
    fake.tarballs["lab-void", "lab-void-1.0.0.tgz"] = b""
    answer = fetch(gate, "lab-void", "1.0.0")
    ok(answer.status in (403, 502), answer)


def test_an_endless_packument_ends_at_the_limit(t):
    fake, gate = start(t)
    before = rss(gate)
    sent = []

    def endless(handler):
        handler.close_connection = True
        handler.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n" + b'{"name":"lab-endless","versions":{},"readme":"')
        piece = b"x" * (1 << 20)
        try:
            for _ in range(2048):
                handler.wfile.write(piece)
                sent.append(len(piece))
        except OSError:
            pass
        return True

    hook_on(fake, "lab-endless", endless)
    contains(sentence_of_failure(gate.get("/lab-endless", timeout=120)), "lab-endless")
    ok(sum(sent) < 400 << 20, "%d MiB were read" % (sum(sent) >> 20))
    ok(rss(gate, "VmHWM") - before < 128 << 20, "the body was held in memory: %d MiB" % ((rss(gate, "VmHWM") - before) >> 20))
    wait_until(lambda: not temporaries(gate), "what was begun is removed")


def test_an_endless_head_ends_at_the_limit(t):
    fake, gate = start(t)

    def endless(handler):
        handler.close_connection = True
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        try:
            for i in range(1 << 16):
                handler.wfile.write(b"x-%d: %s\r\n" % (i, b"y" * 1000))
        except OSError:
            pass
        return True

    hook_on(fake, "lab-head", endless)
    ok(sentence_of_failure(gate.get("/lab-head")))


def test_a_gzip_bomb_of_an_upstream_ends_at_the_limit(t):
    fake, gate = start(t)
    import zlib
    squeeze = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join([squeeze.compress(b'{"name":"lab-bomb","readme":"')] + [squeeze.compress(b"x" * (1 << 20)) for _ in range(512)] + [squeeze.flush()])
    before = rss(gate)
    hook_on(fake, "lab-bomb", lambda h: fake.send(h, 200, bomb, extra={"content-encoding": "gzip"}) or True)
    ok(sentence_of_failure(gate.get("/lab-bomb", timeout=120)))
    ok(rss(gate, "VmHWM") - before < 128 << 20, "%d MiB" % ((rss(gate, "VmHWM") - before) >> 20))


# --- redirects and credentials ---

def redirect(fake, part, location, status=302):
    hook_on(fake, part, lambda h: raw_answer(h, "HTTP/1.1 %d Moved\nlocation: %s\ncontent-length: 0\n\n" % (status, location(h))))


def test_redirects_in_circles_end(t):
    fake, gate = start(t)
    redirect(fake, "lab-loop", lambda h: h.path)
    redirect(fake, "lab-ping", lambda h: h.path.replace("lab-ping", "lab-pong"))
    redirect(fake, "lab-pong", lambda h: h.path.replace("lab-pong", "lab-ping"))
    contains(sentence_of_failure(gate.get("/lab-loop")), "redirect")
    contains(sentence_of_failure(gate.get("/lab-ping")), "redirect")
    ok(len(fake.asked("lab-loop")) <= 10)
    hook_on(fake, "/-/lab-a-1.1.0", lambda h: raw_answer(h, "HTTP/1.1 302 Moved\nlocation: %s\ncontent-length: 0\n\n" % h.path))
    contains(sentence_of_failure(fetch(gate, "lab-a", "1.1.0")), "redirect")


def test_redirects_to_private_and_loopback_addresses_under_other_names_are_refused(t):
    fake, gate = start(t)
    other = t.fake()
    other.publish("lab-away", "1.0.0")
    places = ["http://localhost:%d/lab-away" % other.port, "http://127.0.0.2:%d/lab-away" % other.port, "http://[::1]:%d/lab-away" % other.port,
              other.url + "lab-away", "http://0.0.0.0:%d/lab-away" % other.port, "http://2130706433:%d/lab-away" % other.port,
              "http://127.1:%d/lab-away" % other.port, "http://10.0.0.1/lab-away", "http://169.254.169.254/latest/meta-data/",
              "http://[::ffff:127.0.0.1]:%d/lab-away" % other.port, "file:///etc/passwd", "gopher://127.0.0.1:%d/x" % other.port,
              "http://user:secret@127.0.0.1:%d/lab-away" % fake.port, "//127.0.0.1:%d/lab-away" % other.port]
    for i, place in enumerate(places):
        redirect(fake, "lab-away-%d" % i, lambda h, place=place: place)
        lacks(sentence_of_failure(gate.get("/lab-away-%d" % i)), "secret")
        redirect(fake, "lab-a-%d." % i, lambda h, place=place: place)
    equal(other.requests, [])


def test_tarballs_redirected_elsewhere_need_a_listed_host_and_take_no_token_along(t):
    fake, other = t.fake().lab(), t.fake().lab()
    redirect(fake, "/-/", lambda h: other.url[:-1] + h.path)
    token = "s3cr3t-of-the-origin"
    os.environ["BONDGATE_TEST_TOKEN"] = token
    text = policy(fake.url, registry="token: {env: BONDGATE_TEST_TOKEN}")
    gate = t.gate(text)
    contains(sentence(fetch(gate, "lab-a", "1.1.0"), 403), "127.0.0.1:%d" % other.port)
    equal(other.requests, [])
    ok(all(r.headers.get("authorization") == "Bearer " + token for r in fake.requests), fake.requests)
    gate.reload(policy(fake.url, registry='token: {env: BONDGATE_TEST_TOKEN}\nartifact-hosts: ["127.0.0.1:%d"]' % other.port))
    wait_until(lambda: fetch(gate, "lab-a", "1.1.0").status == 200, "the listed host is asked")
    ok(other.requests and not any("authorization" in r.headers for r in other.requests), other.requests)
    lacks(json.dumps([r.headers for r in other.requests]), token)
    lacks(gate.tail(100000), token)


def test_a_tarball_url_on_another_host_is_not_followed(t):
    fake, other = t.fake().lab(), t.fake().lab()
    fake.edit("lab-a", lambda doc: [v["dist"].update(tarball=v["dist"]["tarball"].replace(fake.url, other.url)) for v in doc["versions"].values()])
    gate = t.gate(policy(fake.url))
    equal(fetch(gate, "lab-a", "1.1.0").status, 200)   # from the customary place at the origin
    equal(other.requests, [])


def test_what_a_client_sends_stays_here(t):
    fake, gate = start(t)
    secrets = {"authorization": "Bearer s3cr3t-of-the-client", "cookie": "session=s3cr3t", "npm-otp": "123456", "x-forwarded-for": "10.9.8.7",
               "npm-session": "s3cr3t-session", "referer": "install s3cr3t-package", "user-agent": "npm/11 s3cr3t-agent", "npm-command": "s3cr3t"}
    for path in ("/lab-a", "/lab-a/latest", tarball("lab-a", "1.1.0"), "/-/v1/search?text=lab", "/-/npm/v1/keys", "/-/package/lab-a/dist-tags",
                 "/-/npm/v1/attestations/lab-a@1.1.0", "/-/whoami"):
        gate.request("GET", "/npm" + path, secrets)
    ok(len(fake.requests) >= 4, fake.requests)
    seen = json.dumps([r.headers for r in fake.requests])
    lacks(seen, "s3cr3t", "123456", "10.9.8.7")
    lacks(gate.tail(100000), "s3cr3t-of-the-client")


def test_a_write_is_not_passed_on_unless_the_policy_says_so(t):
    fake, gate = start(t)
    fake.forget()
    for method, path in (("PUT", "/lab-a"), ("PUT", "/-/package/lab-a/dist-tags/latest"), ("DELETE", "/lab-a/-rev/1-x"),
                         ("POST", "/-/v1/login"), ("PUT", "/-/user/org.couchdb.user:x")):
        sentence(gate.request(method, "/npm" + path, {"authorization": "Bearer x", "content-type": "application/json"}, b"{}"), 403)
    equal([r for r in fake.requests if r.method != "GET"], [])


# --- lies about ETags ---

def test_304_for_an_etag_that_was_never_seen(t):
    fake, gate = start(t)
    hook_on(fake, "lab-new", lambda h: fake.send(h, 304, b"", extra={"etag": '"never"'}) or True)
    contains(sentence_of_failure(gate.get("/lab-new")), "304")
    fake.hook = None
    fake.publish("lab-new", "1.0.0")
    wait_until(lambda: gate.get("/lab-new").status == 200, "the next answer counts", 20)


def test_the_same_etag_with_other_bytes_is_taken_for_what_it_is(t):
    fake, gate = start(t)
    fake.etags = False

    def same_etag(handler):
        return fake.send(handler, 200, json.dumps(fake.documents["lab-a"]).encode(), extra={"etag": '"always"'}) or True

    hook_on(fake, "lab-a", lambda h: same_etag(h) if "/-/" not in h.path else False)
    first = gate.get("/lab-a")
    fake.publish("lab-a", "0.9.0", age="300d", tag=None)
    fake.tag("lab-a", "stable", "1.1.0")
    wait_until(lambda: gate.document("lab-a")["dist-tags"].get("stable") == "1.1.0", "the new bytes are read")
    second = gate.get("/lab-a", if_none_match=first.header("etag"))
    equal(second.status, 200, "the gate's own ETag changed with its own bytes")
    ok(second.header("etag") != first.header("etag"))
    ok("0.9.0" not in second.json()["versions"], "a version that the last snapshot lacked is young, whatever its time says")


# --- changing between metadata and tarball ---

def test_metadata_that_changes_while_its_tarball_comes(t):
    fake, gate = start(t)
    equal(gate.get("/lab-a").status, 200)
    first = fake.tarballs["lab-a", "lab-a-1.1.0.tgz"]

    def change(handler):
        if fake.tarballs["lab-a", "lab-a-1.1.0.tgz"] == first:
            fake.republish("lab-a", "1.1.0")
        return False

    hook_on(fake, "/-/lab-a-1.1.0", change)
    contains(sentence(fetch(gate, "lab-a", "1.1.0"), 403), "hash")
    wait_until(lambda: "1.1.0" not in gate.versions("lab-a"), "the other hash is noticed")
    contains(sentence(fetch(gate, "lab-a", "1.1.0"), 403), "hash-changed")
    equal(gate.document("lab-a")["dist-tags"]["latest"], "1.0.0")


def test_the_hash_is_taken_back_and_the_first_bytes_count_again(t):
    fake, gate = start(t)
    good = json.loads(json.dumps(fake.documents["lab-a"]))
    data = fake.tarballs["lab-a", "lab-a-1.1.0.tgz"]
    equal(fetch(gate, "lab-a", "1.1.0").status, 200)
    fake.republish("lab-a", "1.1.0")
    wait_until(lambda: "1.1.0" not in gate.versions("lab-a"), "the other hash is noticed")
    sentence(fetch(gate, "lab-a", "1.1.0"), 403)
    with fake.lock:
        fake.documents["lab-a"] = good
        fake.tarballs["lab-a", "lab-a-1.1.0.tgz"] = data
    wait_until(lambda: "1.1.0" in gate.versions("lab-a"), "the first hash is back")
    equal(fetch(gate, "lab-a", "1.1.0").body, data)


def test_without_time_a_version_counts_from_when_it_was_first_seen(t):
    fake = t.fake().lab()
    fake.no_time("lab-a")
    gate = t.gate(policy(fake.url))
    answer = gate.get("/lab-a")
    ok(answer.status == 403 or not answer.json()["versions"], answer)
    contains(sentence(fetch(gate, "lab-a", "1.0.0"), 403), "cooldown")
    equal(gate.explain("npm:lab-a@1.0.0")["decision"], "hold")


# --- hostile documents ---

def hostile_documents(fake):
    """name -> bytes. `9.9.9` is an hour old in all of them and must be seen in none; 1.0.0 is old."""
    def base(name):
        fake.publish(name, "1.0.0")
        fake.publish(name, "9.9.9", age="1h")
        return fake.documents[name]

    def text(name):
        return json.dumps(base(name))

    documents = {
        "esc-versions": text("esc-versions").replace('"versions"', '"vers\\u0069ons"'),
        "esc-key": text("esc-key").replace('"9.9.9"', '"9.9\\u002e9"'),
        "esc-tags": text("esc-tags").replace('"dist-tags"', '"dist\\u002dtags"'),
        "esc-time": text("esc-time").replace('"time"', '"\\u0074ime"'),
    }
    doc = text("dup-versions")
    documents["dup-versions"] = doc[:-1] + ', "versions": %s}' % json.dumps(base("dup-versions")["versions"])
    doc = text("dup-time")
    documents["dup-time"] = doc[:-1] + ', "time": {"9.9.9": "2001-01-01T00:00:00.000Z"}}'
    documents["dup-time-entry"] = text("dup-time-entry").replace('"time": {', '"time": {"9.9.9": "2001-01-01T00:00:00.000Z", ')
    documents["dup-version"] = text("dup-version").replace('"versions": {', '"versions": {"9.9.9": {"name": "dup-version", "version": "1.0.0"}, ')
    documents["deep"] = text("deep")[:-1] + ', "x": %s}' % ("[" * 100000 + "]" * 100000)
    documents["deep-open"] = text("deep-open")[:-1] + ', "x": ' + "{\"a\":" * 100000
    documents["proto"] = text("proto").replace('"versions": {', '"__proto__": {"versions": {}}, "versions": {"__proto__": {"version": "9.9.9"}, ')
    for i, key in enumerate(("../../../x", "1.0.0/../9.9.9", "..", "", ".", "9.9.9/", "/9.9.9", "9.9.9\\u0000", "9.9.9\\n", " 9.9.9", "v9.9.9", "=9.9.9",
                             "9.9.9+build", "9.9.9%2f", "latest")):
        name = "key-%d" % i
        documents[name] = text(name).replace('"9.9.9": {"name"', '"%s": {"name"' % key, 1)
    for i, url in enumerate(("http://127.0.0.1/\\u0000x", "http://a\\r\\nx-injected: 1/b.tgz", "javascript:alert(1)", "", "http://", "../../etc/passwd",
                             "file:///etc/passwd", "http://127.0.0.1:1/x y.tgz", "http://[::1", "http://user:secret@host.example/x.tgz",
                             "https://host.example/\\ud800.tgz", "http://127.0.0.1/" + "a" * 9000)):
        name = "url-%d" % i
        entry = base(name)["versions"]["1.0.0"]
        documents[name] = json.dumps(fake.documents[name]).replace(json.dumps(entry["dist"]["tarball"]), '"%s"' % url, 1)
    for name, change in (
            ("tags-array", lambda d: d.update({"dist-tags": ["9.9.9"]})),
            ("tags-deep", lambda d: d.update({"dist-tags": {"latest": {"version": "9.9.9"}}})),
            ("tags-odd", lambda d: d["dist-tags"].update({"../x": "1.0.0", "__proto__": "9.9.9", "": "1.0.0", "a\r\nb": "1.0.0"})),
            ("versions-array", lambda d: d.update(versions=list(d["versions"].values()))),
            ("versions-null", lambda d: d.update(versions=None)),
            ("version-null", lambda d: d["versions"].update({"9.9.9": None})),
            ("dist-null", lambda d: d["versions"]["1.0.0"].update(dist=None)),
            ("dist-array", lambda d: d["versions"]["1.0.0"].update(dist=[])),
            ("hash-number", lambda d: d["versions"]["1.0.0"]["dist"].update(integrity=5, shasum=7)),
            ("hash-junk", lambda d: d["versions"]["1.0.0"]["dist"].update(integrity="sha512-!!!!", shasum="zz")),
            ("time-number", lambda d: d["time"].update({"9.9.9": 0})),
            ("time-junk", lambda d: d["time"].update({"9.9.9": "yesterday"})),
            ("time-early", lambda d: d["time"].update({"9.9.9": "0000-01-01T00:00:00Z"})),
            ("time-late", lambda d: d["time"].update({"9.9.9": "9999-12-31T23:59:59.999Z"})),
            ("time-huge", lambda d: d["time"].update({"9.9.9": "99999999999999999999-01-01T00:00:00Z"})),
            ("time-array", lambda d: d.update(time=[])),
            ("deps-odd", lambda d: d["versions"]["1.0.0"].update(dependencies={"../x": "1", "y": 5, "": {}, "__proto__": "9.9.9"})),
            ("deps-array", lambda d: d["versions"]["1.0.0"].update(dependencies=["x"], optionalDependencies="y")),
            ("name-other", lambda d: d.update(name="lab-a", _id="lab-a")),
            ("restrictions", lambda d: d.update(policyRestrictions={"message": "all is well", "versions": {}}))):
        doc = base(name)
        change(doc)
        documents[name] = json.dumps(doc)
    documents["nan"] = text("nan")[:-1] + ', "x": NaN}'
    documents["two"] = text("two") + text("two")
    documents["bom"] = "\ufeff" + text("bom")
    documents["utf16"] = text("utf16").encode("utf-16")
    documents["latin"] = text("latin").replace('"# latin"', '"\xff\xfe"').encode("latin-1")
    documents["surrogate"] = text("surrogate").replace('"# surrogate"', '"\\ud800"')
    documents["number"] = text("number")[:-1] + ', "x": 1e999999999999, "y": -0, "z": %s}' % ("9" * 4000)
    return {name: d if isinstance(d, bytes) else d.encode("utf-8", "surrogatepass") for name, d in documents.items()}


def test_hostile_documents_uncover_nothing_and_break_nothing(t):
    fake = t.fake()
    documents = hostile_documents(fake)
    with fake.lock:
        fake.documents.update(documents)
    gate = t.gate(policy(fake.url))
    pid = gate.child.pid
    served = 0
    for name in documents:
        for abbreviated in (False, True):
            answer = gate.get("/" + name, accept=gate.ABBREVIATED if abbreviated else "application/json")
            ok(answer.status in (200, 403, 404, 502), name, answer)
            document = answer.json()   # whatever it is, it is JSON
            if answer.status != 200:
                ok(len(document["error"]) > 15, name, answer)
                continue
            served += 1
            shown = json.dumps([document["versions"], document["dist-tags"], {k: v for k, v in document.get("time", {}).items() if k != "modified"}])
            ok("9.9.9" not in document["versions"] and "9.9.9" not in document["dist-tags"].values(), name, shown[:2000])
            ok(all(v in document["versions"] for v in document["dist-tags"].values()), name, shown[:2000])
            for version, entry in document["versions"].items():
                ok(entry["version"] == version, name, version)
                lacks(entry["dist"]["tarball"], "\r", "\n", "\0", "..")
            ok("x-injected" not in answer.headers, name)
        for path in ("/%s/9.9.9" % name, "/%s/latest" % name, tarball(name, "9.9.9"), tarball(name, "1.0.0"), "/-/package/%s/dist-tags" % name):
            answer = gate.get(path if not path.startswith("/-/") else "/npm" + path)
            ok(answer.status in (200, 403, 404, 502), name, path, answer)
            ok(answer.status != 200 or "9.9.9" not in path, name, path, answer)
            document = answer.json() if answer.status == 200 and not path.endswith(".tgz") else {}
            if path.endswith(("latest", "dist-tags")) and answer.status == 200:
                ok("9.9.9" not in (document.get("version"), document.get("latest")), name, path, document)
    equal(gate.child.pid, pid)
    ok(gate.child.poll() is None, "the gate ended")
    ok(served >= 10, "some of them are harmless after filtering: %d" % served)
    gate.stop()
    gate.start()
    for name in list(documents)[:20]:
        ok(gate.get("/" + name).status in (200, 403, 404, 502))


# --- the archive's own manifest ---

def test_what_the_archive_says_differently_is_refused_and_vanishes(t):
    fake = t.fake()
    cases = {
        "mm-script": {"archive": {"scripts": {"postinstall": "node evil.js"}}},
        "mm-dep": {"archive": {"dependencies": {"evil": "1.0.0"}}},
        "mm-optional": {"archive": {"optionalDependencies": {"evil": "1.0.0"}}},
        "mm-name": {"archive": {"name": "other"}},
        "mm-version": {"archive": {"version": "9.9.9"}},
        "mm-bin": {"archive": {"bin": {"npm": "evil.js"}}},
        "mm-gyp": {"files": {"index.js": "", "binding.gyp": "{}"}},
        "mm-dup": {"files": {"package.json": '{"name":"mm-dup","version":"1.1.0","version":"1.1.0","scripts":{"install":"x"}}'}},
        "mm-json": {"files": {"package.json": "not json"}},
    }
    for name, case in cases.items():
        fake.publish(name, "1.0.0")
        fake.publish(name, "1.1.0", **case)
    fake.publish("mm-none", "1.0.0")
    fake.publish("mm-none", "1.1.0")
    import io, tarfile, gzip
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb") as zipped, tarfile.open(fileobj=zipped, mode="w") as tar:
        info = tarfile.TarInfo("package/index.js")
        tar.addfile(info, io.BytesIO(b""))
    fake.tarballs["mm-none", "mm-none-1.1.0.tgz"] = out.getvalue()
    fake.edit("mm-none", lambda doc: doc["versions"]["1.1.0"]["dist"].update(hashes(out.getvalue())))
    gate = t.gate(policy(fake.url, fresh="5m"))
    for name in list(cases) + ["mm-none"]:
        equal(gate.versions(name), {"1.0.0", "1.1.0"}, name)
        contains(sentence(fetch(gate, name, "1.1.0"), 403), "manifest-mismatch")
        equal(gate.versions(name), {"1.0.0"}, name)
        equal(gate.get("/%s/latest" % name).json()["version"], "1.0.0", name)
        contains(sentence(fetch(gate, name, "1.1.0"), 403), "manifest-mismatch")
        equal(gate.who_has("npm:%s@1.1.0" % name)["receipts"], [], name)
        ok(gate.incidents(name), name)
        equal(fetch(gate, name, "1.0.0").status, 200, name)
    gate.stop()
    gate.start()
    for name in cases:
        equal(gate.versions(name), {"1.0.0"}, name)
        contains(sentence(fetch(gate, name, "1.1.0"), 403), "manifest-mismatch")


def test_a_large_archive_with_another_manifest_is_cut(t):
    fake, gate = start(t, fresh="5m")
    big_package(fake, archive={"scripts": {"install": "node evil.js"}})
    fake.edit("lab-big", lambda doc: doc["versions"]["1.0.0"].pop("scripts", None))
    answer = fetch(gate, "lab-big", "1.0.0")
    ok(answer is None or answer.status == 403, answer)
    wait_until(lambda: gate.incidents("lab-big"), "it is an incident")
    equal(gate.who_has("npm:lab-big@1.0.0")["receipts"], [])
    contains(sentence(fetch(gate, "lab-big", "1.0.0"), 403), "manifest-mismatch")


# --- stale metadata ---

def test_stale_metadata_is_served_until_stale_is_over(t):
    fake, gate = start(t, registry="stale: 6s")
    equal(gate.get("/lab-a").status, 200)
    data = fetch(gate, "lab-a", "1.1.0").body
    begun = time.monotonic()
    fake.broken = 503
    while time.monotonic() - begun < 4:
        equal(gate.get("/lab-a").status, 200)
        time.sleep(0.2)
    equal(fetch(gate, "lab-a", "1.1.0").body, data)
    wait_until(lambda: gate.get("/lab-a").status == 502, "stale metadata is no longer served", 15)
    sentence(gate.get("/lab-a"), 502)
    ok(fetch(gate, "lab-a", "1.1.0").status != 200, "the artifact is judged by the same document")
    fake.broken = None
    wait_until(lambda: gate.get("/lab-a").status == 200, "the upstream is back", 30)


def test_stale_is_said_and_survives_a_restart(t):
    fake, gate = start(t)
    equal(gate.get("/lab-a").status, 200)
    gate.stop()
    fake.broken = 500
    gate.start()
    equal(gate.versions("lab-a"), {"1.0.0", "1.1.0", "2.0.0-beta.1"})
    wait_until(lambda: "110" in (gate.get("/lab-a").header("warning") or ""), "the answer says that it is stale")


def test_what_is_newly_denied_is_refused_while_stale(t):
    folder = t.osv()
    advisories = "advisories:\n  files: [%s]\n" % folder
    fake, gate = start(t, extra=advisories)
    equal(fetch(gate, "lab-a", "1.1.0").status, 200)
    fake.close()
    equal(gate.get("/lab-a").status, 200)
    shutil.copy(os.path.join(t.osv(("MAL-2026-1", "lab-a", ["1.1.0"])), "MAL-2026-1.json"), folder)
    gate.reload(policy(fake.url, extra=advisories + "deny:\n  versions: [\"npm:lab-a@1.0.0\"]\n"))
    wait_until(lambda: gate.get("/lab-a").status == 200 and "1.1.0" not in gate.versions("lab-a"), "the advisory counts")
    equal(gate.versions("lab-a"), {"2.0.0-beta.1"})
    contains(sentence(fetch(gate, "lab-a", "1.1.0"), 403), "MAL-2026-1")
    contains(sentence(gate.get("/lab-a/1.1.0"), 403), "MAL-2026-1")
    contains(sentence(fetch(gate, "lab-a", "1.0.0"), 403), "denied")
    gate.stop()
    gate.start()
    contains(sentence(fetch(gate, "lab-a", "1.1.0"), 403), "MAL-2026-1")


# --- the clock of rule 5 ---

def move_snapshot(gate, name, days):
    """As if nobody had asked for the package since then."""
    then = int((time.time() - days * DAY) * USEC)
    with store(gate) as db:
        found = db.execute("SELECT id FROM package WHERE name = ?", (name,)).fetchone()
        ok(found, "the store knows nothing of " + name)
        db.execute("UPDATE package SET first_snapshot = min(first_snapshot, ?), last_snapshot = ? WHERE id = ?", (then, then, found[0]))
        db.execute("UPDATE version SET first_seen = min(first_seen, ?), lacked_at = min(lacked_at, ?) WHERE package = ?", (then, then, found[0]))


def test_a_package_that_nobody_fetched_for_months_is_not_punished(t):
    fake, gate = start(t)
    equal(gate.versions("lab-a"), {"1.0.0", "1.1.0", "2.0.0-beta.1"})
    gate.stop()
    move_snapshot(gate, "lab-a", 200)
    fake.publish("lab-a", "1.3.0", age="100d")
    fake.publish("lab-a", "1.4.0", age="2d")
    fake.publish("lab-a", "1.5.0", age="380d", tag=None)   # a forged time: the snapshot of 200 days ago lacked it
    gate.start()
    wait_until(lambda: "1.3.0" in gate.versions("lab-a"), "a version of 100 days is cleared at once")
    ok("1.4.0" not in gate.versions("lab-a"))
    equal(gate.document("lab-a")["dist-tags"]["latest"], "1.3.0")
    ok("1.5.0" in gate.versions("lab-a"), "200 days since the last snapshot are more than the cooldown")
    equal(fetch(gate, "lab-a", "1.3.0").status, 200)
    sentence(fetch(gate, "lab-a", "1.4.0"), 403)


def test_a_forged_old_time_after_a_recent_snapshot_is_held(t):
    fake, gate = start(t)
    equal(gate.versions("lab-a"), {"1.0.0", "1.1.0", "2.0.0-beta.1"})
    fake.publish("lab-a", "1.3.0", age="300d")
    wait_until(lambda: "1.3.0" in gate.get("/lab-a").body.decode(), "the forged version is known")
    until = gate.explain("npm:lab-a@1.3.0")["until"]
    ok(until and iso(time.time() + 6.9 * DAY) < until < iso(time.time() + 7.1 * DAY), until)
    equal(gate.versions("lab-a"), {"1.0.0", "1.1.0", "2.0.0-beta.1"})
    contains(sentence(fetch(gate, "lab-a", "1.3.0"), 403), "cooldown")
    gate.stop()
    gate.start()
    contains(sentence(fetch(gate, "lab-a", "1.3.0"), 403), "cooldown")


def test_a_version_that_goes_and_comes_back_keeps_its_first_day(t):
    fake, gate = start(t)
    equal(fetch(gate, "lab-a", "1.0.0").status, 200)
    entry = fake.documents["lab-a"]["versions"]["1.0.0"]
    data = fake.tarballs["lab-a", "lab-a-1.0.0.tgz"]
    fake.withdraw("lab-a", "1.0.0")
    wait_until(lambda: gate.get("/lab-a") and gate.incidents("lab-a"), "it is noticed")
    with fake.lock:
        fake.documents["lab-a"]["versions"]["1.0.0"] = entry
        fake.tarballs["lab-a", "lab-a-1.0.0.tgz"] = data
    wait_until(lambda: len(gate.versions("lab-a")) == 3, "it is back")
    equal(fetch(gate, "lab-a", "1.0.0").body, data)


if __name__ == "__main__":
    main(sys.modules[__name__])
