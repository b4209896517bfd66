#!/usr/bin/env python3
"""The gate's HTTP, rule by rule, by raw requests: names, paths, HEAD, ranges, conditions, encodings, methods, bodies."""
import gzip
import json
import sys
import zlib

from gate_tools import contains, equal, fetch, hook_on, lacks, main, ok, policy, tarball

TGZ = tarball("lab-a", "1.1.0")


def start(t):
    fake = t.fake().lab()
    fake.publish("@lab/scoped", "1.0.0")
    return fake, t.gate(policy(fake.url, fresh="5m"))


def ask(gate, path, method="GET", **headers):
    return gate.request(method, "/npm" + path, {k.replace("_", "-"): v for k, v in headers.items()})


def raw_status(gate, line, *lines):
    text = b"\r\n".join([line.encode("latin-1"), b"host: 127.0.0.1", b"connection: close"] + [x.encode("latin-1") for x in lines]) + b"\r\n\r\n"
    answer = gate.raw(text)
    ok(answer.startswith(b"HTTP/1.1 "), line, answer[:200])
    return int(answer.split(b" ")[1]), answer


# --- names and paths ---

def test_scoped_names_in_every_encoding_are_one_document(t):
    fake, gate = start(t)
    tags = {ask(gate, path).header("etag") for path in ("/@lab%2fscoped", "/@lab%2Fscoped", "/@lab/scoped", "/%40lab%2fscoped", "/%40lab/scoped")}
    equal(len(tags), 1)
    equal(len(fake.asked("@lab/scoped")), 1)
    data = fake.tarballs["@lab/scoped", "scoped-1.0.0.tgz"]
    for path in ("/@lab/scoped/-/scoped-1.0.0.tgz", "/@lab%2fscoped/-/scoped-1.0.0.tgz", "/%40lab%2Fscoped/-/scoped-1.0.0.tgz",
                 "/@lab/scoped/-/@lab/scoped-1.0.0.tgz", "/@lab/scoped/-/scoped-1%2E0.0.tgz"):
        answer = ask(gate, path)
        equal((path, answer.status, answer.body == data), (path, 200, True))


def test_hostile_paths_reach_nothing(t):
    fake, gate = start(t)
    fake.forget()
    for path in ("/..", "/../etc/passwd", "/%2e%2e", "/%2e%2e/x", "/..%2fx", "/@lab/..", "/@lab/..%2fx", "/@..%2fx", "/@lab%2f..%2fx", "/lab-a/../x", "/./lab-a",
                 "/lab-a/-/../x.tgz", "/lab-a/-/..%2fx.tgz", "/lab-a/-/%2e%2e%2fx.tgz", "/lab-a%00", "/lab-a%00.tgz", "/%00", "/lab-a%0a", "/lab-a%0d%0ax",
                 "/lab-a%20", "/lab%09a", "/@lab%252fscoped", "/@lab%25%32%66scoped", "/lab%2da%252f", "/lab-a%5c..", "/lab-a\\x", "//lab-a", "/@lab//scoped", "/@lab%2f%2fscoped",
                 "/@lab%2fa%2fb", "/@%2fscoped", "/@lab%2f", "/@", "/@lab", "/%c0%af", "/%c0%ae%c0%ae/x", "/lab%zza", "/lab%2", "/lab%", "/%ff%fe",
                 "/.hidden", "/node_modules", "/favicon.ico%00", "/" + "a" * 215, "/@lab%2f" + "a" * 215, "/lab-a/" + "1" * 300,
                 "/lab-a/-/" + "x" * 3000, "/lab-a/1.0.0/extra", "/lab-a/-", "/lab-a/-/", "/lab-a/-/lab-a-1.0.0.tgz/x", "/-/", "/-/unknown", "/-/package/",
                 "/-/package/..%2fx/dist-tags", "/-/npm/v1/attestations/..%2fx@1.0.0", "/lab-a/-rev/x", "/lab-a;x", "/lab-a%3f"):
        status, answer = raw_status(gate, "GET /npm%s HTTP/1.1" % path)
        ok(status in (400, 404, 405, 414), path, answer[:300])
        ok(b'{"error"' in answer, path, answer[:400])
        lacks(answer.split(b"\r\n\r\n")[0].decode("latin-1").lower(), "set-cookie", "x-injected")
    equal([r for r in fake.requests if ".." in r.path or "%" in r.path.replace("%2f", "")], [])
    equal([r.path for r in fake.requests if r.path not in ("/node_modules", "/favicon.ico")], [])


def test_targets_with_raw_bytes_are_no_paths(t):
    fake, gate = start(t)
    fake.forget()
    for target in ("/npm/lab\xe9", "/npm/lab-a#x", "/npm/lab\x7fa", "npm/lab-a", "*", "/npm/lab a"):
        status, answer = raw_status(gate, "GET %s HTTP/1.1" % target)
        ok(status in (400, 404, 405), target, answer[:300])
    # As a proxy would be asked: the path counts or it is refused, but nobody else is asked.
    for target in ("http://foreign.example/npm/lab-a", "http://127.0.0.1:1/lab-a", "http://[::1/npm/lab-a", "https://foreign.example" + TGZ):
        status, answer = raw_status(gate, "GET %s HTTP/1.1" % target)
        ok(status in (200, 400, 404), target, answer[:300])
    ok(all("foreign" not in r.path + r.headers["host"] for r in fake.requests))
    status, _ = raw_status(gate, "CONNECT foreign.example:443 HTTP/1.1")
    ok(status in (400, 404, 405, 501), status)


def test_hosts_that_are_none_are_refused_and_others_are_not_believed(t):
    fake, gate = start(t)
    for host in ('evil.example"><script>', "a b", "x/../y", "user@host", "host\\x", "", "h" * 300, "a,b", "host:80/npm"):
        answer = gate.raw(("GET /npm/lab-a HTTP/1.1\r\nhost: %s\r\nconnection: close\r\n\r\n" % host).encode())
        contains(answer[:40].decode(), " 400 ")
    answer = gate.raw(b"GET /npm/lab-a HTTP/1.1\r\nhost: a.example\r\nhost: b.example\r\nconnection: close\r\n\r\n")
    contains(answer[:40].decode(), " 400 ")
    document = ask(gate, "/lab-a", host="gate.example:80", x_forwarded_host="evil.example", x_forwarded_proto="https", forwarded="host=evil.example").json()
    equal(document["versions"]["1.1.0"]["dist"]["tarball"], "http://gate.example:80/npm" + TGZ)
    equal(ask(gate, "/lab-a").json()["versions"]["1.1.0"]["dist"]["tarball"], "http://127.0.0.1:%d/npm%s" % (gate.port, TGZ))


def test_files_of_another_package_or_name_are_not_there(t):
    fake, gate = start(t)
    fake.publish("lab-b", "1.0.0")
    for path in ("/lab-b/-/lab-a-1.1.0.tgz", "/lab-a/-/lab-b-1.0.0.tgz", "/@lab/scoped/-/lab-a-1.1.0.tgz", "/lab-a/-/lab-a-1.1.0.tar.gz", "/lab-a/-/lab-a-1.1.tgz",
                 "/lab-a/-/lab-a-01.1.0.tgz", "/lab-a/-/LAB-A-1.1.0.tgz", "/LAB-A", "/lab-a/-/lab-a-1.1.0.tgz%20", "/lab-a/-/@lab/lab-a-1.1.0.tgz"):
        ok(ask(gate, path).status in (400, 404), path)
    equal(fake.asked("/-/"), [])


def test_odd_artifact_urls_of_an_upstream_work_as_they_are_rewritten(t):
    fake = t.fake()
    for i, path in enumerate(("lab-odd-0/-/0123abcd.tgz", "download/lab-odd-1/1.0.0/0123abcd", "lab-odd-2/-/lab-odd-2-1.0.0.tgz?x=1&y=2",
                              "api/npm/npm-local/lab-odd-3/-/lab-odd-3-1.0.0.tgz", "lab-odd-4/-/@lab/lab-odd-4-1.0.0.tgz", "lab-odd-5/-/a%20b.tgz")):
        name = "lab-odd-%d" % i
        fake.publish(name, "1.0.0")["dist"]["tarball"] = fake.url + path
        data = fake.tarballs[name, name + "-1.0.0.tgz"]
        hook_on(fake, "/" + path, lambda h, d=data: fake.send(h, 200, d, "application/octet-stream") or True)
    gate = t.gate(policy(fake.url))
    for i in range(6):
        name = "lab-odd-%d" % i
        for abbreviated in (False, True):
            url = gate.document(name, abbreviated)["versions"]["1.0.0"]["dist"]["tarball"]
            ok(url.startswith("http://127.0.0.1:%d/npm/%s/-/" % (gate.port, name)), url)
            answer = gate.get(url.split("%d" % gate.port, 1)[1])
            equal((url, answer.status, answer.body == fake.tarballs[name, name + "-1.0.0.tgz"]), (url, 200, True))


# --- HEAD ---

def test_head_is_get_without_its_body(t):
    _, gate = start(t)
    equal(fetch(gate, "lab-a", "1.1.0").status, 200)
    for path in ("/lab-a", "/lab-a/latest", "/lab-a/1.1.0", TGZ, "/lab-a/9.9.9", "/lab-none", "/-/ping", "/-/package/lab-a/dist-tags", "/lab-a/1.2.0"):
        get, head = ask(gate, path), ask(gate, path, "HEAD")
        equal((path, head.status, head.body), (path, get.status, b""))
        for name in ("content-length", "content-type", "etag", "cache-control", "vary"):
            equal((path, name, head.header(name)), (path, name, get.header(name)))
    equal(len(gate.who_has("npm:lab-a@1.1.0")["receipts"]), 2)


# --- ranges ---

def test_ranges_of_a_tarball(t):
    fake, gate = start(t)
    data = fake.tarballs["lab-a", "lab-a-1.1.0.tgz"]
    n = len(data)
    for value, first, last in (("bytes=0-0", 0, 0), ("bytes=0-9", 0, 9), ("bytes=5-", 5, n - 1), ("bytes=-7", n - 7, n - 1), ("bytes=0-%d" % (n - 1), 0, n - 1),
                               ("bytes=%d-%d" % (n - 1, n - 1), n - 1, n - 1), ("bytes=3-99999999", 3, n - 1), ("bytes=-99999999", 0, n - 1)):
        answer = ask(gate, TGZ, range=value)
        equal((value, answer.status, answer.header("content-range")), (value, 206, "bytes %d-%d/%d" % (first, last, n)))
        equal((value, answer.body), (value, data[first:last + 1]))
        equal(answer.header("content-length"), str(last - first + 1))
    for value in ("bytes=%d-" % n, "bytes=99999999-", "bytes=-0"):
        answer = ask(gate, TGZ, range=value)
        equal((value, answer.status, answer.header("content-range")), (value, 416, "bytes */%d" % n))
    for value in ("bytes=0-1,3-4", "bytes=0-0,-1", "bytes=5-2", "items=0-1", "bytes", "bytes=", "bytes=a-b", "bytes=-", "bytes=1-2-3", "bytes=0x1-2", "bytes=+1-2",
                  "bytes=18446744073709551616-"):
        answer = ask(gate, TGZ, range=value)
        ok(answer.status == 200 and answer.body == data or value.startswith("bytes=1844") and answer.status == 416, value, answer.status)
    equal(ask(gate, TGZ, range="bytes=0-1", if_range='"other"').body, data)
    equal(ask(gate, "/lab-a", range="bytes=0-1").status, 200)
    answer = ask(gate, TGZ, "HEAD", range="bytes=0-1")
    equal((answer.status, answer.header("content-length")), (200, str(n)))
    ok(len(gate.who_has("npm:lab-a@1.1.0")["receipts"]) >= 8, "whoever takes a part of it has a receipt")


# --- conditions and encodings ---

def test_conditions_on_packuments(t):
    _, gate = start(t)
    tag = ask(gate, "/lab-a").header("etag")
    ok(tag.startswith('"'), tag)
    for value in (tag, "W/" + tag, '"x", ' + tag, tag + ', "y"', "*"):
        answer = ask(gate, "/lab-a", if_none_match=value)
        equal((value, answer.status, answer.body, answer.header("etag")), (value, 304, b"", tag))
    for value in ('"x"', tag[:-2] + '"', tag.strip('"'), ""):
        equal((value, ask(gate, "/lab-a", if_none_match=value).status), (value, 200))
    equal(ask(gate, "/lab-a", if_modified_since="Fri, 01 Jan 2100 00:00:00 GMT").status, 200)
    equal(ask(gate, "/lab-a", accept=gate.ABBREVIATED, if_none_match=tag).status, 200, "another form is another document")
    answer = ask(gate, "/lab-a")
    equal(answer.header("cache-control"), "no-cache")
    equal(answer.header("last-modified"), None)
    for path in ("/lab-a/latest", "/-/package/lab-a/dist-tags"):
        tag = ask(gate, path).header("etag")
        equal(ask(gate, path, if_none_match=tag).status, 304)


def test_gzip_only_for_who_takes_it(t):
    _, gate = start(t)
    plain = ask(gate, "/lab-a").body
    cases = {"gzip": True, "GZIP": True, "deflate, gzip": True, "gzip;q=1.0": True, "gzip;q=0.001": True, "gzip ; q=0.5": True, "br, zstd, gzip": True,
             "gzip;q=0": False, "gzip;q=0.0": False, "gzip;q=0.000": False, "gzip; q=0": False, "gzip;Q=0": False, "br": False, "deflate": False, "identity": False,
             "": False, "xgzip": False, "gzip2": False, "identity, gzip;q=0": False, "br;q=1.0, gzip;q=0.8, *;q=0.1": True}
    for value, zipped in cases.items():
        answer = ask(gate, "/lab-a", accept_encoding=value)
        equal((value, answer.status, answer.header("content-encoding")), (value, 200, "gzip" if zipped else None))
        equal(gzip.decompress(answer.body) if zipped else answer.body, plain, value)
        contains(answer.header("vary").lower(), "accept", "accept-encoding")
    for path in (TGZ, "/lab-a/latest"):
        answer = ask(gate, path, accept_encoding="gzip, deflate, br, zstd")
        equal((path, answer.header("content-encoding")), (path, None))
        equal(int(answer.header("content-length")), len(answer.body))


def test_tarballs_are_their_bytes(t):
    fake, gate = start(t)
    data = fake.tarballs["lab-a", "lab-a-1.1.0.tgz"]
    for headers in ({}, {"accept-encoding": "gzip"}, {"if-modified-since": "Fri, 01 Jan 2100 00:00:00 GMT"}, {"accept": "application/json"}, {"if-none-match": '"x"'}):
        answer = gate.request("GET", "/npm" + TGZ, headers)
        equal((answer.status, answer.body == data, answer.header("content-length"), answer.header("content-encoding"), answer.header("transfer-encoding")),
              (200, True, str(len(data)), None, None))
    tag = answer.header("etag")
    ok(tag and ask(gate, TGZ, if_none_match=tag).status in (200, 304))


# --- methods and bodies ---

def test_unknown_methods_are_answered_and_do_nothing(t):
    fake, gate = start(t)
    fake.forget()
    for method in ("PATCH", "OPTIONS", "TRACE", "BREW", "get", "PROPFIND", "PURGE", "X" * 200):
        for path in ("/npm/lab-a", "/npm" + TGZ, "/-/healthz", "/"):
            status, answer = raw_status(gate, "%s %s HTTP/1.1" % (method, path))
            ok(status in (400, 404, 405, 501), method, path, answer[:200])
    for method, path in (("POST", "/lab-a"), ("DELETE", "/lab-a"), ("POST", TGZ), ("PUT", TGZ), ("DELETE", TGZ), ("PUT", "/-/v1/search"), ("PUT", "/lab-a/latest"),
                         ("GET", "/-/npm/v1/security/advisories/bulk"), ("DELETE", "/-/ping")):
        answer = ask(gate, path, method)
        ok(answer.status in (400, 403, 404, 405), method, path, answer)
        ok(answer.json()["error"], answer)
    equal(fake.requests, [])


def post(gate, path, body, **headers):
    return gate.request("POST", "/npm" + path, dict({"content-type": "application/json"}, **{k.replace("_", "-"): v for k, v in headers.items()}), body)


def test_audit_bodies_of_every_kind(t):
    fake, gate = start(t)
    bulk, quick = "/-/npm/v1/security/advisories/bulk", "/-/npm/v1/security/audits/quick"
    good = json.dumps({"lab-a": ["1.1.0"]}).encode()
    fake.forget()
    squeeze = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = squeeze.compress(b"[") + b"".join(squeeze.compress(b" " * (1 << 20)) for _ in range(64)) + squeeze.flush()
    bombs = gzip.compress(b" " * (12 << 20)) * 4   # several members, each below the limit
    for path in (bulk, quick):
        for body, coding, statuses in (
                (good, None, (200,) if path == bulk else (200, 400)), (gzip.compress(good), "gzip", (200,) if path == bulk else (200, 400)),
                (gzip.compress(good), "GZIP", (200,) if path == bulk else (200, 400)), (good, "identity", (200,) if path == bulk else (200, 400)),
                (bomb, "gzip", (413,)), (bombs, "gzip", (413, 400)), (b" " * (17 << 20), None, (413,)), (good, "gzip", (400,)), (gzip.compress(good)[:-6], "gzip", (400,)),
                (gzip.compress(good)[:12], "gzip", (400,)), (good, "br", (415,)), (gzip.compress(gzip.compress(good)), "gzip, gzip", (415,)), (b"", None, (200, 400)),
                (b"", "gzip", (200, 400)), (b"nonsense", None, (400,)), (b"[" * 100000, None, (400,)), (b'{"lab-a": ' * 50000, None, (400,)), (b"[]", None, (200, 400)),
                (b'{"lab-a": "1.1.0"}', None, (200, 400)), (b'{"lab-a": [5]}', None, (200, 400)), (b'{"../x": ["1.0.0"]}', None, (200, 400)), (b"\xff\xfe", None, (400,)),
                (json.dumps({"p%d" % i: ["1.0.0"] for i in range(100000)}).encode(), None, (200, 400, 413))):
            answer = post(gate, path, body, **({"content_encoding": coding} if coding else {}))
            ok(answer.status in statuses, path, body[:60], len(body), coding, answer)
            ok(answer.status == 200 or answer.json()["error"], answer)
    equal(fake.requests, [], "audit bodies name what is inside: nothing is forwarded")


def test_bodies_where_none_belongs(t):
    _, gate = start(t)
    ok(gate.request("GET", "/npm/lab-a", {"content-length": "5"}, b"hello").status in (200, 400, 413))
    ok(gate.request("GET", "/npm/lab-a", {"content-length": "500000000"}).status in (400, 413))
    answer = gate.raw(b"PUT /npm/lab-a HTTP/1.1\r\nhost: a\r\ncontent-length: 99999999999\r\nconnection: close\r\n\r\n")
    # Writes are refused whatever their size here: said before the body is read.
    ok(answer.startswith((b"HTTP/1.1 403 ", b"HTTP/1.1 413 ")), answer[:60])
    equal(gate.get("/lab-a").status, 200)


def test_pipelined_requests_are_answered_in_order(t):
    _, gate = start(t)
    text = b"".join(b"GET /npm%s HTTP/1.1\r\nhost: a\r\n%s\r\n" % (p.encode(), b"connection: close\r\n" if p == "/lab-a/1.0.0" else b"")
                    for p in ("/lab-a", TGZ, "/lab-a/1.2.0", "/lab-none", "/-/ping", "/lab-a/1.0.0"))
    answer = gate.raw(text)
    position = -1
    for piece in (b"HTTP/1.1 200", b"HTTP/1.1 403", b"HTTP/1.1 404", b"HTTP/1.1 200"):
        position = answer.find(piece, position + 1)
        ok(position >= 0, piece, answer[-500:])
    ok(answer.endswith(b"}"), answer[-200:])


def test_labels_of_tokens_are_words(t):
    _, gate = start(t)
    equal(gate.get("/t/team-1/npm/lab-a").json()["versions"]["1.1.0"]["dist"]["tarball"], "http://127.0.0.1:%d/t/team-1/npm%s" % (gate.port, TGZ))
    equal(gate.get("/t/team-1/npm" + TGZ).status, 200)
    equal(gate.who_has("npm:lab-a@1.1.0")["receipts"][0]["project"], "team-1")
    for label in ("", "a%2fb", "..%2f", "a b", "x" * 65, "%00", "<b>"):
        status, answer = raw_status(gate, "GET /t/%s/npm/lab-a HTTP/1.1" % label)
        ok(status in (400, 404), label, answer[:200])


if __name__ == "__main__":
    main(sys.modules[__name__])
