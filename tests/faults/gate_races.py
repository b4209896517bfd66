#!/usr/bin/env python3
"""Many clients, four loops, policies that change meanwhile, upstreams that change meanwhile, and an end in the middle of it: a race is
found by the sanitizer that the gate was built with, a lost answer by its client."""
import http.client
import os
import random
import socket
import sys
import threading
import time

from gate_tools import SOAK, equal, hook_on, main, ok, policy, tarball

# ThreadSanitizer brings a thread of its own, which the confinement refuses: BONDGATE_UNCONFINED=1 for such a build.
ARGUMENTS = ["--threads", "4", "--log-level", "error"] + (["--unconfined"] if os.environ.get("BONDGATE_UNCONFINED") == "1" else [])
SECONDS = 60 if SOAK else 8
PACKAGES = 24


def populate(fake):
    """Pins that lead from one to the next, young versions, a scope, archives that lie, large ones that are streamed."""
    for i in range(PACKAGES):
        name = "@lab/p%d" % i if i % 5 == 0 else "p%d" % i
        pins = {"p%d" % (i + 1): "1.0.0"} if i + 1 < PACKAGES and (i + 1) % 5 else {}
        fake.publish(name, "1.0.0", age="20d", dependencies=pins)
        fake.publish(name, "1.1.0", age="2h", optionalDependencies=pins)
        if i % 6 == 1:
            fake.publish(name, "1.0.1", age="30d", archive={"scripts": {"postinstall": "node x.js"}})
    for i in range(3):
        fake.publish("large-%d" % i, "1.0.0", files={"data.bin": os.urandom(5 << 20)})
    return list(fake.documents)


def ask(gate, names, dice, statuses):
    """One request of any kind over a connection of its own; half of those for large files are given up in the middle."""
    name = dice.choice(names)
    version = dice.choice(("1.0.0", "1.0.0", "1.0.1", "1.1.0"))
    path = dice.choice((tarball(name, version), tarball(name, version), "/" + name, "/%s/%s" % (name, version), "/%s/latest" % name,
                        "/-/package/%s/dist-tags" % name.replace("/", "%2f"), "/missing-%d" % dice.randrange(5)))
    connection = http.client.HTTPConnection("127.0.0.1", gate.port, timeout=60)
    try:
        connection.request("GET", "/npm" + path, headers={"accept-encoding": dice.choice(("gzip", "identity"))})
        answer = connection.getresponse()
        if "/-/large" in path and dice.random() < 0.5:
            answer.read(100000)
            return
        answer.read()
        statuses.append((answer.status, path))
    finally:
        connection.close()


def load(gate, names, statuses, failures, stop):
    def work(seed):
        dice = random.Random(seed)
        while not stop.is_set():
            try:
                ask(gate, names, dice, statuses)
            except (OSError, http.client.HTTPException) as e:
                if not stop.is_set():
                    failures.append(repr(e))
    threads = [threading.Thread(target=work, args=(i,)) for i in range(12)]
    for thread in threads:
        thread.start()
    return threads


def test_load_while_policies_and_packages_change(t):
    fake = t.fake()
    names = populate(fake)
    texts = [policy(fake.url, fresh=fresh, extra=extra) for fresh in ("0s", "1s") for extra in ("", 'deny:\n  versions: ["npm:p7@1.0.0"]\n')]
    gate = t.gate(texts[0], arguments=ARGUMENTS)
    statuses, failures, stop = [], [], threading.Event()
    threads = load(gate, names, statuses, failures, stop)
    end, round_ = time.monotonic() + SECONDS, 0
    while time.monotonic() < end:
        round_ += 1
        gate.reload(texts[round_ % len(texts)])
        fake.publish(random.choice(names), "1.0.%d" % (10 + round_), age="40d", tag=None)
        time.sleep(0.1)
    stop.set()
    gate.stop()
    for thread in threads:
        thread.join()
    equal(failures, [])
    odd = [s for s in statuses if s[0] not in (200, 403, 404)]
    equal(odd, [])
    ok(len(statuses) > 100, len(statuses))


def test_stopped_in_the_middle_of_everything(t):
    for round_ in range(6 if SOAK else 2):
        fake = t.fake()
        names = populate(fake)
        hook_on(fake, "p1", lambda handler: time.sleep(random.random() / 2))
        gate = t.gate(policy(fake.url, fresh="0s"), arguments=ARGUMENTS)
        statuses, failures, stop = [], [], threading.Event()
        threads = load(gate, names, statuses, failures, stop)
        time.sleep(1 + round_ / 3)
        stop.set()
        gate.stop()
        for thread in threads:
            thread.join()


if __name__ == "__main__":
    main(sys.modules[__name__], jobs=1)
