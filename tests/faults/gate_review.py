#!/usr/bin/env python3
"""What a reading of the gate's core found, each as it went wrong."""
import json
import os
import signal
import sys

from gate_tools import blobs, equal, fetch, main, policy, wait_until

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
