#!/usr/bin/env python3
"""What a reading of the gate's core found, each as it went wrong."""
import json
import sys

from gate_tools import contains, equal, main, policy

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


if __name__ == "__main__":
    main(sys.modules[__name__])
