#!/usr/bin/env python3
"""What a reading of the gate's core found, each as it went wrong."""
import json
import os
import signal
import sys
import time
import urllib.parse

from gate_tools import DAY, blobs, contains, equal, fetch, main, policy, wait_until

PUBLISHING = 'publish: true\ntoken: {file: "%s"}'


def with_token(t, fake, extra=""):
    """A gate whose upstream has a token in a file, and takes writes."""
    path = t.path("token")
    with open(path, "w", encoding="ascii") as f:
        f.write("gates-own-secret\n")
    return t.gate(policy(fake.url, registry=PUBLISHING % path, extra=extra)), path


def test_nobody_writes_with_the_gates_own_token(t):
    fake = t.fake().lab()
    gate, _ = with_token(t, fake)
    body = json.dumps({"name": "lab-a"})
    answer = gate.request("PUT", "/lab-a", {"content-type": "application/json"}, body)
    equal(answer.status, 401, answer)
    gate.request("PUT", "/npm/-/user/org.couchdb.user:eve", {"content-type": "application/json"}, "{}")
    gate.request("PUT", "/lab-a", {"content-type": "application/json", "authorization": "Bearer eves"}, body)
    sent = [(r.path, r.headers.get("authorization")) for r in fake.requests if r.method == "PUT"]
    equal(sent, [("/-/user/org.couchdb.user:eve", None), ("/lab-a", "Bearer eves")])
    gate.get("/lab-a")
    equal(fake.asked("lab-a")[-1].headers.get("authorization"), "Bearer gates-own-secret")


def test_a_rotated_token_is_used_after_a_hangup(t):
    fake = t.fake().lab()
    gate, path = with_token(t, fake)
    equal(gate.get("/lab-a").status, 200)
    with open(path, "w", encoding="ascii") as f:
        f.write("rotated\n")
    gate.child.send_signal(signal.SIGHUP)
    wait_until(lambda: gate.get("/lab-a") and fake.asked("lab-a")[-1].headers.get("authorization") == "Bearer rotated", "the new token is sent", 10)


def test_a_folder_that_is_missing_is_no_missing_package(t):
    fake = t.fake().lab()
    fake.publish("lab-pins", "1.0.0", dependencies={"lab-a": "1.1.0"})
    gate = t.gate(policy(fake.url))
    os.rmdir(os.path.join(gate.state, "cache", "documents", "tmp"))
    equal(gate.get("/lab-pins").status, 502)


def test_a_pin_that_is_no_name_is_not_put_into_an_upstreams_url(t):
    fake = t.fake()
    fake.publish("lab-a", "1.0.0", dependencies={"../../admin": "1.0.0", "x?y": "1.0.0", "z" * 300: "1.0.0", "ok": "npm:../alias@1.0.0"})
    gate = t.gate(policy(fake.url))
    equal(gate.versions("lab-a"), {"1.0.0"})
    equal({r.path for r in fake.requests}, {"/lab-a"})


def test_a_write_that_is_refused_anyway_is_not_read_into_memory(t):
    fake = t.fake().lab()
    gate = t.gate(policy(fake.url))
    head = b"PUT /npm/lab-a HTTP/1.1\r\nhost: x\r\nauthorization: Bearer y\r\ncontent-length: 200000000\r\n\r\n"
    contains(gate.raw(head, 5).decode(), "HTTP/1.1 403", "publish to its registry directly")
    publishing, _ = with_token(t, fake)
    contains(publishing.raw(head.replace(b"authorization: Bearer y\r\n", b""), 5).decode(), "HTTP/1.1 401")
    equal(publishing.request("PUT", "/lab-a", {"authorization": "Bearer y"}, b"x" * (4 << 20)).status, 405)
    equal(len(fake.asked("lab-a", "PUT")[0].body), 4 << 20)


def test_a_search_never_tells_an_internal_name(t):
    fake = t.fake().lab()
    gate = t.gate(policy(fake.url, extra='internal: ["npm:@acme/*", "npm:acme-*"]\n'))
    for text in ("@acme/secret", '"@acme/secret"', "x,@acme/secret", "keywords:@acme/secret", "@ACME/Secret", "scope:acme", "acme/secret",
                 "a\tacme-secret", "scope:@acme"):
        answer = gate.get("/npm/-/v1/search?text=" + urllib.parse.quote(text))
        equal((answer.status, answer.json()["objects"]), (200, []), text)
    equal(fake.asked("search"), [])
    gate.get("/npm/-/v1/search?text=left-pad")
    equal(len(fake.asked("search")), 1)


def test_held_dependencies_obey_the_mode_of_their_rule(t):
    fake = t.fake().lab()
    fake.publish("lab-pins", "1.0.0", age="20d", dependencies={"lab-a": "1.2.0"})
    gate = t.gate(policy(fake.url))
    equal(gate.get("/lab-pins/1.0.0").status, 403)
    for extra in ("rules:\n  dependency-held:\n    mode: report\n", "rules:\n  dependency-held:\n    mode: off\n",
                  'exemptions:\n  - {package: "npm:lab-pins@1.0.0", rules: [dependency-held], reason: "a test", owner: jo, approved-by: kim, '
                  'expires: %s}\n' % time.strftime("%Y-%m-%d", time.gmtime(time.time() + 5 * DAY))):
        other = t.gate(policy(fake.url, extra=extra))
        equal(other.versions("lab-pins"), {"1.0.0"}, extra)
        equal(fetch(other, "lab-pins", "1.0.0").status, 200, extra)
        equal(other.explain("npm:lab-pins@1.0.0")["decision"], "allow", extra)


def test_a_refused_tag_says_why(t):
    fake = t.fake().lab()
    fake.publish("lab-new", "1.0.0", age="2h")
    gate = t.gate(policy(fake.url))
    for path in ("/lab-new/latest", "/lab-a/young"):
        answer = gate.get(path)
        equal(answer.status, 403, answer)
        contains(answer.json()["error"], "cooldown")
    equal(gate.get("/lab-a/no-such-tag").status, 404)


def test_a_cached_artifact_that_changed_on_disk_is_fetched_anew(t):
    fake = t.fake().lab()
    gate = t.gate(policy(fake.url))
    whole = fetch(gate, "lab-a", "1.1.0").body
    for spoil in (lambda f: f.truncate(10), lambda f: f.write(b"other bytes")):
        for blob in blobs(gate):
            with open(blob, "r+b") as f:
                spoil(f)
        equal(fetch(gate, "lab-a", "1.1.0", timeout=10).body, whole)


if __name__ == "__main__":
    main(sys.modules[__name__])
