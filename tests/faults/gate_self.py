#!/usr/bin/env python3
"""The gate as its own upstream, in every way that this can come about; gates behind gates; two gates on one state folder."""
import os
import socket
import subprocess
import sys
import time

from gate_tools import binary, contains, equal, fetch, main, metric, ok, policy, sentence, tarball, wait_until


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def refused_start(t, text, listen, state=None):
    """What a gate says that does not start."""
    folder = t.path("refused")
    os.makedirs(folder)
    file = os.path.join(folder, "bondgate.yaml")
    with open(file, "w", encoding="utf-8") as f:
        f.write(text)
    done = subprocess.run([binary(), "gate", "--state", state or os.path.join(folder, "state"), "--policy", file, "--listen", listen],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=30, cwd=folder, check=False)
    equal(done.returncode, 3, done)
    ok("registry=" not in done.stdout, done)
    return done.stderr


def test_its_own_address_is_refused_at_the_start(t):
    port = free_port()
    for listen in ("127.0.0.1:%d" % port, "0.0.0.0:%d" % port):
        for host in ("127.0.0.1", "localhost", "LOCALHOST", "0.0.0.0", "127.1", "2130706433", "0x7f000001"):
            if listen.startswith("127") and host == "0.0.0.0":
                continue
            contains(refused_start(t, policy("http://%s:%d/npm/" % (host, port)), listen), "itself", "registries.npm.upstream")


def test_its_own_address_by_a_policy_that_comes_later(t):
    fake = t.fake().lab()
    gate = t.gate(policy(fake.url))
    equal(gate.get("/lab-a").status, 200)
    for host in ("127.0.0.1", "localhost"):
        gate.reload(policy("http://%s:%d/npm/" % (host, gate.port)))
        begun = time.monotonic()
        text = wait_until(lambda: complaint(gate, "/never-%s-%d" % (host, int(time.time() * 1000))), "the loop is refused")
        ok(len(text) > 15)
        ok(time.monotonic() - begun < 20)


def complaint(gate, path):
    answer = gate.get(path, timeout=20)
    if answer.status in (404, 200):
        return None   # the old policy, still
    ok(answer.status in (502, 508), answer)
    return answer.json()["error"]


def test_its_own_address_under_another_name(t):
    """Listening on all addresses, reached by one that the start cannot know to be its own."""
    port = free_port()
    own = socket.gethostbyname(socket.gethostname())
    if own.startswith("127."):
        own = "127.0.0.9"
    gate = t.gate(policy("http://%s:%d/npm/" % (own, port)), port=port, arguments=["--listen", "0.0.0.0:%d" % port]) if own != "127.0.0.9" else None
    if gate is None:
        contains(refused_start(t, policy("http://127.0.0.9:%d/npm/" % port), "0.0.0.0:%d" % port), "itself")
        return
    begun = time.monotonic()
    ok(sentence(gate.get("/lab-a", timeout=20), 502))
    ok(time.monotonic() - begun < 20)


def test_two_gates_in_a_circle_end_at_once(t):
    first, second = free_port(), free_port()
    one = t.gate(policy("http://127.0.0.1:%d/npm/" % second), port=first)
    two = t.gate(policy("http://127.0.0.1:%d/npm/" % first), port=second)
    for gate in (one, two):
        begun = time.monotonic()
        text = sentence(gate.get("/lab-%d" % gate.port, timeout=60), 502)
        ok(time.monotonic() - begun < 20, "%.1f s: %s" % (time.monotonic() - begun, text))
        answer = gate.get(tarball("lab-x", "1.0.0"), timeout=60)
        ok(answer.status == 502, answer)
        for path in ("/npm/-/v1/search?text=lab", "/npm/-/npm/v1/keys", "/npm/-/npm/v1/attestations/lab-a@1.0.0"):
            ok(gate.get(path, timeout=20).status >= 400, path)
        ok(metric(gate, "bondgate_upstream_requests_total") < 12)
    equal(one.get("/-/healthz").status, 200)


def test_three_gates_in_a_circle_end_at_once(t):
    ports = [free_port() for _ in range(3)]
    gates = [t.gate(policy("http://127.0.0.1:%d/npm/" % ports[(i + 1) % 3]), port=ports[i]) for i in range(3)]
    begun = time.monotonic()
    sentence(gates[0].get("/lab-a", timeout=60), 502)
    ok(time.monotonic() - begun < 20, "%.1f s" % (time.monotonic() - begun))


def test_a_gate_behind_a_gate_works(t):
    fake = t.fake().lab()
    fake.publish("@lab/scoped", "1.0.0")
    inner = t.gate(policy(fake.url))
    outer = t.gate(policy(inner.registry, cooldown="60d"))
    third = t.gate(policy(outer.registry))
    equal(outer.versions("lab-a"), {"1.0.0", "1.1.0"})   # the inner one hides 1.2.0, the outer one the 50 days old 2.0.0-beta.1
    equal(third.versions("lab-a"), {"1.0.0", "1.1.0"})
    data = fake.tarballs["lab-a", "lab-a-1.1.0.tgz"]
    equal(fetch(third, "lab-a", "1.1.0").body, data)
    equal(fetch(third, "@lab/scoped", "1.0.0").status, 200)
    for gate in (inner, outer, third):
        equal(len(gate.who_has("npm:lab-a@1.1.0")["receipts"]), 1)
    ok(fetch(third, "lab-a", "1.2.0").status in (403, 404))
    # An incoming Via names gates only: what other proxies say of themselves stays here.
    fake.forget()
    inner.get("/lab-other", via="1.1 secret-proxy.internal, 1.1 bondgate-0123456789abcdef")
    ok(fake.requests and all("secret-proxy" not in r.headers.get("via", "") for r in fake.requests), [r.headers for r in fake.requests])


def test_a_second_gate_on_one_state_folder_is_refused(t):
    fake = t.fake().lab()
    gate = t.gate(policy(fake.url))
    text = refused_start(t, policy(fake.url), "127.0.0.1:0", state=gate.state)
    ok("another" in text or "in use" in text or "already" in text, text)
    equal(fetch(gate, "lab-a", "1.1.0").status, 200)
    equal(gate.command("log", "verify")[0], 0)
    gate.kill()
    gate.start()   # what the killed one held is free
    equal(fetch(gate, "lab-a", "1.1.0").status, 200)


def test_a_port_in_use_is_said(t):
    with socket.create_server(("127.0.0.1", 0)) as s:
        contains(refused_start(t, policy("http://127.0.0.1:1/"), "127.0.0.1:%d" % s.getsockname()[1]), "in use")


if __name__ == "__main__":
    main(sys.modules[__name__])
