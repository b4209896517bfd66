#!/usr/bin/env python3
"""What the whitelist costs: processor time of the gate for a packument that is judged and rendered anew, with the policy `default` and with the
whitelist enforced over 5,000 roots, by turns, against a crafted registry on the loopback.

    BONDGATE_BINARY=build/bondgate bench/gate/strict.py [ROUNDS]
"""
import os
import statistics
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "tests", "clients"))

from fake import FakeRegistry                              # noqa: E402
from gate import Gate, policy, wait_until                  # noqa: E402

ROOTS, PACKAGES, VERSIONS = 5000, 60, 150


def cpu(gate):
    """Seconds on a processor, of all threads, to the nanosecond."""
    folder, total = "/proc/%d/task" % gate.child.pid, 0
    for task in os.listdir(folder):
        with open("%s/%s/schedstat" % (folder, task), encoding="ascii") as f:
            total += int(f.read().split()[0])
    return total / 1e9


def strict():
    lines = "".join('    - {name: "npm:root-%d", reason: "bench", owner: bench, review-by: 2099-01-01}\n' % i for i in range(ROOTS))
    return "allow:\n  mode: enforce\n  roots:\n" + lines


def settled(gate):
    """The walk is over, and the gate is idle."""
    text = gate.get("/-/metrics").body.decode()
    if "approved_names_unknown" in text and "bondgate_approved_names_unknown 0" not in text:
        return False
    before = cpu(gate)
    time.sleep(0.3)
    return cpu(gate) - before < 0.02


def measure(gate, text, extra):
    """One reload that changes a decision, so that nothing made before counts; then each packument once."""
    gate.write_policy(text + extra)
    before = gate.get("/-/metrics").body
    wait_until(lambda: gate.get("/-/metrics").body.split(b"bondgate_rules_epoch ")[-1][:8] != before.split(b"bondgate_rules_epoch ")[-1][:8], "reload", 60)
    wait_until(lambda: settled(gate), "the walk ends", 300)
    begun = cpu(gate)
    for i in range(PACKAGES):
        answer = gate.get("/root-%d" % i, accept="application/json")
        if answer.status != 200:
            raise SystemExit("root-%d: %r" % (i, answer))
    return (cpu(gate) - begun) / PACKAGES


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 8
    fake = FakeRegistry()
    for i in range(PACKAGES):
        for v in range(VERSIONS):
            fake.publish("root-%d" % i, "%d.%d.0" % (v // 10, v % 10), age="%dd" % (VERSIONS * 3 - v * 2), scripts={"test": "x" * 200},
                         dependencies={"root-%d" % ((i + k) % PACKAGES): "^1.0.0" for k in range(1, 6)})
    figures = {"default": [], "strict": []}
    with tempfile.TemporaryDirectory() as folder:
        gates = {name: (Gate(os.path.join(folder, name), policy(fake.url, fresh="1h", extra=extra)), extra)
                 for name, extra in (("default", ""), ("strict", strict()))}
        for round_number in range(rounds + 1):
            for name, (gate, extra) in gates.items():
                days = 8 + round_number
                figure = measure(gate, policy(fake.url, fresh="1h", cooldown="%dd" % days), extra)
                if round_number:                 # the first one also fetches
                    figures[name].append(figure)
        for gate, _ in gates.values():
            gate.stop()
    fake.close()
    medians = {name: statistics.median(f) for name, f in figures.items()}
    print("%d versions a package, %d roots, %d rounds" % (VERSIONS, ROOTS, rounds))
    for name, figure in medians.items():
        print("%-8s %.3f ms of processor time a packument judged and rendered anew" % (name, figure * 1000))
    print("strict / default: %.2f" % (medians["strict"] / medians["default"]))


if __name__ == "__main__":
    main()
