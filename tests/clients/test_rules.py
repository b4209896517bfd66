"""The twelve rules of the npm protocol that clients punish a proxy for breaking, one or a few tests each, by raw requests.

1 HTTP/1.1 and many sockets, 2 every document filtered, 3 policyRestrictions, 4 no dangling tag, 5 time, 6 hiding is not enough,
7 the form of a refusal, 8 dist.tarball, 9 caching headers, 10 tarballs byte-exact, 11 verified, 12 full metadata from upstream.
"""
import gzip
import http.client
import json
import re
import socket
import time

from harness import contains, equal, from_iso, lacks, ok, policy, wait_until

NPM_11 = "npm/11.19.1 node/v24.21.0 linux x64 workspaces/false"
YARN = "yarn/1.22.22 npm/? node/v24.21.0 linux x64"


def lab(t, **options):
    fake = t.fake().lab()
    return fake, t.gate(policy(fake.url, **options))


def refused(answer, *parts):
    """Status, reason phrase, JSON and npm-notice all carry one sentence: each client shows another of them."""
    equal(answer.status, 403, answer)
    contains(answer.header("content-type") or "", "application/json")
    sentence = answer.json()["error"]
    contains(sentence, *parts)
    ok(len(sentence) <= 200 and sentence.isascii() and sentence.isprintable(), sentence)
    equal(answer.reason, sentence)
    equal(answer.header("npm-notice"), sentence)
    return sentence


# --- 1 ---

def test_rule_01_http_1_1_even_when_http_2_is_offered(t):
    _, gate = lab(t)
    answer = gate.get("/lab-a", connection="Upgrade, HTTP2-Settings", upgrade="h2c", http2_settings="AAMAAABkAARAAAAAAAIAAAAA")
    equal((answer.status, answer.version), (200, 11))
    text = gate.raw(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", timeout=5)
    ok(text == b"" or text.startswith((b"HTTP/1.1 4", b"HTTP/1.1 505")), text[:200])


def test_rule_01_140_sockets_of_one_client_twice_each(t):
    fake, gate = lab(t, fresh="5m")
    fake.delay = 0.3
    line = b"GET /npm/lab-a HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: application/json\r\n\r\n"
    sockets = [socket.create_connection(("127.0.0.1", gate.port), timeout=30) for _ in range(140)]
    try:
        for _ in range(2):
            for s in sockets:
                s.sendall(line)
            for s in sockets:
                answer = http.client.HTTPResponse(s)
                answer.begin()
                equal(answer.status, 200)
                contains(answer.read().decode(), '"1.1.0"')
        equal(len(fake.asked("lab-a")), 1, "280 requests, one upstream request")
    finally:
        for s in sockets:
            s.close()


# --- 2 ---

def test_rule_02_packument_version_tag_and_tarball_agree(t):
    _, gate = lab(t)
    equal(gate.versions("lab-a"), {"1.0.0", "1.1.0", "2.0.0-beta.1"})
    equal(set(gate.document("lab-a", abbreviated=True)["versions"]), {"1.0.0", "1.1.0", "2.0.0-beta.1"})
    equal(gate.get("/lab-a/latest").json()["version"], "1.1.0")
    equal(gate.get("/lab-a/1.1.0").json()["version"], "1.1.0")
    refused(gate.get("/lab-a/1.2.0"), "lab-a@1.2.0", "cooldown")
    refused(gate.get("/lab-a/-/lab-a-1.2.0.tgz"), "lab-a@1.2.0", "cooldown")
    refused(gate.get("/lab-a/young"), "lab-a@1.2.0", "cooldown")  # a tag that points at it
    equal(gate.get("/lab-a/9.9.9").status, 404)
    equal(gate.get("/-/package/lab-a/dist-tags".replace("/-/", "/npm/-/", 1)).json(),
          {"latest": "1.1.0", "next": "2.0.0-beta.1", "stable": "1.0.0"})


def test_rule_02_head_tells_no_more_than_get(t):
    _, gate = lab(t)
    for path, status in (("/lab-a", 200), ("/lab-a/latest", 200), ("/lab-a/1.2.0", 403), ("/lab-a/-/lab-a-1.2.0.tgz", 403),
                         ("/lab-a/-/lab-a-1.1.0.tgz", 200)):
        answer = gate.request("HEAD", path)
        equal((path, answer.status, answer.body), (path, status, b""))


def test_rule_02_every_spelling_of_a_held_tarball_is_refused(t):
    fake, gate = lab(t)
    fake.publish("@lab/held", "1.0.0", age="90d")
    fake.publish("@lab/held", "1.1.0", age="1h")
    equal(gate.get("/@lab%2fheld").status, 200)
    for path in ("/@lab/held/-/held-1.1.0.tgz", "/@lab%2fheld/-/held-1.1.0.tgz", "/@lab%2Fheld/-/held-1.1.0.tgz",
                 "/@lab/held/-/@lab/held-1.1.0.tgz", "/@lab/held/-/held-1%2e1.0.tgz", "/@lab/held/-/held-1.1.0.tgz?x=1",
                 "/%40lab%2fheld/-/held-1.1.0.tgz"):
        answer = gate.get(path)
        ok(answer.status in (400, 403, 404), path, answer)
        lacks(repr(fake.asked("held-1.1.0.tgz")), "held-1.1.0.tgz")
    equal(gate.get("/@lab%2fheld/-/held-1.0.0.tgz").status, 200)
    equal(gate.get("/@lab/held/-/held-1.0.0.tgz").status, 200)


def test_rule_02_hostile_names_reach_no_upstream(t):
    fake, gate = lab(t)
    fake.forget()
    for path in ("/npm/..%2f..%2fetc", "/npm/a%00b", "/npm/@lab%252fheld", "/npm/a%5cb", "/npm/@a%2fb%2fc", "/npm//lab-a", "/npm/a%0d%0ab"):
        answer = gate.request("GET", path)
        ok(answer.status in (400, 404), path, answer)
    equal(fake.requests, [])


def test_rule_02_search_shows_what_is_cleared(t):
    fake, gate = lab(t)
    fake.publish("lab-new", "1.0.0", age="1h")

    def search(handler):
        if "/-/v1/search" not in handler.path:
            return False
        objects = [{"package": {"name": n, "version": v, "date": "2026-01-01T00:00:00.000Z", "links": {}}, "score": {"final": 1}, "searchScore": 1}
                   for n, v in (("lab-a", "1.2.0"), ("lab-new", "1.0.0"))]
        fake.send(handler, 200, json.dumps({"objects": objects, "total": 2, "time": "now"}).encode())
        return True
    fake.hook = search
    answer = gate.get("/npm/-/v1/search?text=lab&size=20").json()
    equal([(o["package"]["name"], o["package"]["version"]) for o in answer["objects"]], [("lab-a", "1.1.0")])
    equal(answer["total"], 1)


def test_rule_02_search_says_so_where_the_upstream_has_none(t):
    _, gate = lab(t)
    answer = gate.get("/npm/-/v1/search?text=lab")
    ok(answer.status in (404, 501) and answer.json()["error"], answer)


# --- 3 ---

def test_rule_03_policy_restrictions_name_what_is_hidden(t):
    _, gate = lab(t)
    for abbreviated in (False, True):
        restrictions = gate.document("lab-a", abbreviated)["policyRestrictions"]
        equal(restrictions["versions"], {"1.2.0": {"name": "lab-a", "version": "1.2.0"}})
        contains(restrictions["message"], "lab-a", "cooldown")


def test_rule_03_nothing_hidden_no_restrictions(t):
    fake, gate = lab(t)
    fake.publish("lab-old", "1.0.0", age="900d")
    lacks(list(gate.document("lab-old")), "policyRestrictions")


# --- 4 ---

def test_rule_04_no_tag_points_at_what_is_not_there(t):
    _, gate = lab(t)
    for abbreviated in (False, True):
        equal(gate.document("lab-a", abbreviated)["dist-tags"], {"latest": "1.1.0", "next": "2.0.0-beta.1", "stable": "1.0.0"})


def test_rule_04_latest_goes_down_the_line_never_by_date(t):
    fake, gate = lab(t)
    for version, age in (("1.9.0", "90d"), ("2.0.0", "200d"), ("2.1.0", "150d"), ("1.9.1", "30d"), ("3.0.0", "40d"), ("2.2.0", "3h")):
        fake.publish("lab-line", version, age=age)
    fake.tag("lab-line", "latest", "2.2.0")
    equal(gate.document("lab-line")["dist-tags"]["latest"], "2.1.0", "neither 1.9.1 (youngest) nor 3.0.0 (highest)")


def test_rule_04_latest_avoids_deprecated_and_prereleases(t):
    fake, gate = lab(t)
    fake.publish("lab-dep", "1.0.0", age="300d")
    fake.publish("lab-dep", "1.1.0", age="200d", deprecated="broken")
    fake.publish("lab-dep", "1.2.0-rc.1", age="100d", tag="next")
    fake.publish("lab-dep", "1.2.0", age="1h")
    equal(gate.document("lab-dep")["dist-tags"], {"latest": "1.0.0", "next": "1.2.0-rc.1"})


def test_rule_04_all_held_leaves_empty_objects_or_a_refusal(t):
    fake, gate = lab(t)
    fake.publish("lab-new", "1.0.0", age="1h")
    answer = gate.get("/lab-new", accept="application/json")
    if answer.status == 200:
        document = answer.json()
        equal((document["versions"], document["dist-tags"]), ({}, {}))
        equal(list(document["policyRestrictions"]["versions"]), ["1.0.0"])
    else:
        refused(answer, "lab-new@1.0.0", "cooldown")


# --- 5 (DESIGN rule 2 is stricter: a hidden version's time goes too) ---

def test_rule_05_time_is_there_in_both_forms_and_only_for_what_is_shown(t):
    _, gate = lab(t)
    full, short = gate.document("lab-a"), gate.document("lab-a", abbreviated=True)
    for document in (full, short):
        times = {k: from_iso(v) for k, v in document["time"].items()}
        equal(set(times) - {"created", "modified"}, set(document["versions"]))
        newest = max(times[v] for v in document["versions"])
        modified = document.get("modified") or document["time"]["modified"]
        ok(from_iso(modified) >= newest, modified, document["time"])
    for version in full["versions"]:
        exact, coarse = from_iso(full["time"][version]), from_iso(short["time"][version])
        ok(exact <= coarse <= exact + 86400 * 2, "rounded up, never down", version, full["time"], short["time"])


def test_rule_05_an_upstream_without_time_counts_from_first_seen(t):
    fake, gate = lab(t, cooldown="3s")
    fake.publish("lab-timeless", "1.0.0")
    fake.no_time("lab-timeless")
    first = gate.get("/lab-timeless", accept="application/json")
    ok(first.status == 403 or first.json()["versions"] == {}, "held at first sight", first)
    wait_until(lambda: gate.get("/lab-timeless", accept="application/json").json().get("versions"), "cleared 3 s after it was first seen")
    contains(list(gate.document("lab-timeless")["time"]), "1.0.0")


# --- 6 ---

def test_rule_06_a_tarball_is_refused_without_any_packument_before(t):
    fake, gate = lab(t)
    sentence = refused(gate.get("/lab-a/-/lab-a-1.2.0.tgz"), "lab-a@1.2.0")
    contains(sentence, "bondgate request npm:lab-a@1.2.0")
    equal(fake.asked("lab-a-1.2.0.tgz"), [])
    equal(gate.get("/lab-a/-/lab-a-1.1.0.tgz").status, 200)


# --- 7 ---

def test_rule_07_one_sentence_in_every_channel(t):
    _, gate = lab(t)
    first = refused(gate.get("/lab-a/-/lab-a-1.2.0.tgz"), "lab-a@1.2.0", "cooldown", "7d", "UTC")
    explained = gate.explain("pkg:npm/lab-a@1.2.0")
    equal(explained["decision"], "hold")
    contains([r["code"] for r in explained["reasons"]], "cooldown")
    until = time.strftime("%Y-%m-%d", time.gmtime(from_iso(explained["until"])))
    contains(first, until)


def test_rule_07_no_status_that_makes_clients_wait_and_retry(t):
    fake, gate = lab(t)
    statuses = {gate.get(p).status for p in ("/lab-a/1.2.0", "/lab-a/-/lab-a-1.2.0.tgz", "/lab-none", "/lab-none/-/lab-none-1.0.0.tgz",
                                             "/lab-a/-/lab-a-7.7.7.tgz", "/lab-a/7.7.7")}
    ok(statuses <= {403, 404}, statuses)
    refused_publish = gate.request("PUT", "/lab-a", {"content-type": "application/json"}, b'{"name":"lab-a"}')
    ok(refused_publish.status in (403, 405) and refused_publish.json()["error"], refused_publish)
    equal([r for r in fake.requests if r.method != "GET"], [])


# --- 8 ---

def test_rule_08_tarballs_point_to_where_the_client_came_in(t):
    _, gate = lab(t)
    for host, path in (("127.0.0.1:%d" % gate.port, "/npm/lab-a"), ("localhost:%d" % gate.port, "/npm/lab-a"),
                       ("127.0.0.1:%d" % gate.port, "/t/web/npm/lab-a")):
        for accept in ("application/json", gate.ABBREVIATED):
            document = gate.request("GET", path, {"host": host, "accept": accept, "user-agent": YARN}).json()
            for version, entry in document["versions"].items():
                mount = path.rsplit("/", 1)[0]
                equal(entry["dist"]["tarball"], "http://%s%s/lab-a/-/lab-a-%s.tgz" % (host, mount, version))
    answer = gate.request("GET", "/t/web/npm/lab-a/-/lab-a-1.1.0.tgz")
    equal(answer.status, 200)


def test_rule_08_npm_keeps_its_own_default_host_and_nobody_else(t):
    fake, gate = lab(t, registry="client-default: https://npm.registry.example/")

    def move(document):
        for entry in document["versions"].values():
            entry["dist"]["tarball"] = entry["dist"]["tarball"].replace(fake.url, "https://npm.registry.example/")
    fake.edit("lab-a", move)

    def host_for(agent):
        document = gate.request("GET", "/npm/lab-a", {"user-agent": agent, "accept": "application/json"})
        return document.json()["versions"]["1.1.0"]["dist"]["tarball"].split("/")[2], document.header("etag")
    here = "127.0.0.1:%d" % gate.port
    for agent in (NPM_11, NPM_11.replace("11.19.1", "7.0.0"), NPM_11.replace("11.19.1", "12.2.0")):
        equal(host_for(agent)[0], "npm.registry.example", agent)
    for agent in (NPM_11.replace("11.19.1", "6.14.18"), YARN, "pnpm/12.21.0 npm/? node/? linux x64", "Bun/1.4.5",
                  "got (https://code.example/got)", "curl/8"):
        equal(host_for(agent)[0], here, agent)
    ok(host_for(NPM_11)[1] != host_for(YARN)[1], "two bodies, two ETags")


# --- 9 ---

def test_rule_09_no_cache_and_a_strong_etag_of_our_own_bytes(t):
    _, gate = lab(t)
    seen = {}
    for form, accept in (("full", "application/json"), ("abbreviated", gate.ABBREVIATED)):
        answer = gate.get("/lab-a", accept=accept)
        equal(answer.header("cache-control"), "no-cache")
        seen[form] = answer.header("etag")
        ok(re.fullmatch(r'"[^"]+"', seen[form] or ""), "strong", seen[form])
        contains((answer.header("vary") or "").lower(), "accept", "accept-encoding")
        equal(answer.header("last-modified"), None)
        again = gate.get("/lab-a", accept=accept, if_none_match=seen[form])
        equal((again.status, again.body), (304, b""))
        equal(again.header("etag"), seen[form])
    ok(seen["full"] != seen["abbreviated"], seen)


def test_rule_09_if_modified_since_is_ignored(t):
    _, gate = lab(t)
    answer = gate.get("/lab-a", if_modified_since="Fri, 01 Jan 2100 00:00:00 GMT")
    equal(answer.status, 200)


def test_rule_09_what_becomes_hidden_changes_the_etag(t):
    fake, gate = lab(t)
    etag = gate.get("/lab-a").header("etag")
    gate.reload(policy(fake.url, extra='deny:\n  versions: ["npm:lab-a@1.1.0"]\n'))
    answer = wait_until(lambda: (lambda a: a if "1.1.0" not in a.json()["versions"] else None)(gate.get("/lab-a")), "the new policy is in force")
    ok(answer.header("etag") != etag)
    equal(gate.get("/lab-a", if_none_match=etag).status, 200)


def test_rule_09_gzip_on_request_only(t):
    _, gate = lab(t)
    plain, zipped = gate.get("/lab-a"), gate.get("/lab-a", accept_encoding="gzip,deflate")
    equal(plain.header("content-encoding"), None)
    equal(zipped.header("content-encoding"), "gzip")
    equal(json.loads(gzip.decompress(zipped.body)), plain.json())
    equal(gate.get("/lab-a", accept_encoding="gzip", if_none_match=zipped.header("etag")).status, 304)


# --- 10 ---

def test_rule_10_tarballs_are_byte_exact_and_not_encoded(t):
    fake, gate = lab(t)
    bytes_ = fake.tarballs["lab-a", "lab-a-1.1.0.tgz"]
    for _ in range(2):    # from upstream, then from the cache
        answer = gate.get("/lab-a/-/lab-a-1.1.0.tgz", accept_encoding="zstd, gzip, br")
        equal((answer.status, answer.body == bytes_), (200, True))
        equal(answer.header("content-length"), str(len(bytes_)))
        equal((answer.header("content-encoding"), answer.header("transfer-encoding")), (None, None))
    equal(len(fake.asked("lab-a-1.1.0.tgz")), 1)


def test_rule_10_ranges_of_a_tarball(t):
    fake, gate = lab(t)
    bytes_ = fake.tarballs["lab-a", "lab-a-1.1.0.tgz"]
    equal(gate.get("/lab-a/-/lab-a-1.1.0.tgz").status, 200)
    part = gate.get("/lab-a/-/lab-a-1.1.0.tgz", range="bytes=10-19")
    if part.status == 206:
        equal((part.body, part.header("content-range")), (bytes_[10:20], "bytes 10-19/%d" % len(bytes_)))
    else:
        equal((part.status, part.body == bytes_), (200, True))


# --- 11 ---

def test_rule_11_wrong_bytes_never_leave(t):
    fake, gate = lab(t)
    fake.swap_bytes("lab-a", "1.1.0")
    try:
        answer = gate.get("/lab-a/-/lab-a-1.1.0.tgz")
        ok(answer.status not in (200, 206), answer)
    except http.client.IncompleteRead:
        pass
    wait_until(lambda: gate.incidents("lab-a"), "an incident is recorded")
    equal(gate.who_has("pkg:npm/lab-a@1.1.0")["receipts"], [])


# --- 12 ---

ABBREVIATED_KEYS = {
    "name", "version", "deprecated", "dependencies", "optionalDependencies", "devDependencies", "bundleDependencies", "bundledDependencies",
    "peerDependencies", "peerDependenciesMeta", "bin", "directories", "dist", "engines", "_hasShrinkwrap", "hasInstallScript", "cpu",
    "os", "libc", "funding", "acceptDependencies"}


def test_rule_12_full_metadata_from_upstream_the_short_form_is_ours(t):
    fake, gate = lab(t, fresh="5m")
    fake.publish("lab-script", "1.0.0", scripts={"postinstall": "node index.js", "test": "true"}, dependencies={"lab-a": "^1.0.0"},
                 readme="long", os=["linux"], cpu=["x64"], libc=["glibc"], engines={"node": ">=18"}, bin={"lab": "index.js"}, keywords=["x"])
    short = gate.get("/lab-script", accept=gate.ABBREVIATED)
    contains(short.header("content-type"), "application/vnd.npm.install-v1+json")
    document = short.json()
    ok(set(document) <= {"name", "dist-tags", "versions", "modified", "time", "policyRestrictions"}, list(document))
    entry = document["versions"]["1.0.0"]
    ok(set(entry) <= ABBREVIATED_KEYS, set(entry) - ABBREVIATED_KEYS)
    equal(entry["hasInstallScript"], True)
    equal((entry["dependencies"], entry["libc"], entry["bin"]), ({"lab-a": "^1.0.0"}, ["glibc"], {"lab": "index.js"}))
    full = gate.document("lab-script")
    equal(full["versions"]["1.0.0"]["scripts"]["test"], "true")
    for request in fake.asked("lab-script"):
        lacks(request.headers.get("accept", ""), "install-v1")
    equal(len(fake.asked("lab-script")), 1, "both forms from one request")
