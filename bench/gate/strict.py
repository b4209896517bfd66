#!/usr/bin/env python3
"""What the whitelist costs: processor time of the gate for a packument with the shipped policy `default`, and with the shipped policy `strict` that
enforces over 5,000 approved roots, asked by turns in one run, against a crafted registry on the loopback.

    BONDGATE_BINARY=build/bondgate bench/gate/strict.py [ROUNDS]

Three cases apart: a packument whose rendition is kept; one that is judged and rendered anew after the rules changed; and nobody asking, after the
walk from the roots has ended.
"""
import http.client
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "tests", "clients"))

import gate as gates                                       # noqa: E402
from fake import FakeRegistry, iso                         # noqa: E402
from gate import Gate, wait_until                          # noqa: E402

ROOTS, PARTS, VERSIONS, SMALL = 5000, 1000, 150, 8
# Roots, and names that roots need.
MEASURED = 60
KEPT, PORTION, IDLE_SECONDS = 10, 100, 20
ACCEPT = "application/json"


def document(url, name, versions, needs):
    """The bytes of a packument; `needs` are the names that each version depends on."""
    now, shown, times = time.time(), {}, {}
    for v in range(versions):
        version = "%d.%d.0" % (1 + v // 10, v % 10)
        shown[version] = {
            "name": name, "version": version, "_id": "%s@%s" % (name, version), "scripts": {"test": "x" * 200},
            "dependencies": {need: ">=1.0.0" for need in needs},
            "_npmUser": {"name": "ada", "email": "ada@mail.example"}, "maintainers": [{"name": "ada", "email": "ada@mail.example"}],
            "dist": {"tarball": "%s%s/-/%s-%s.tgz" % (url, name, name, version), "shasum": "%040x" % (hash((name, version)) % 16 ** 40)}}
        times[version] = iso(now - 86400 * (100 + versions * 3 - v * 2))
    times["created"] = min(times.values())
    times["modified"] = max(times.values())
    return json.dumps({"_id": name, "name": name, "dist-tags": {"latest": list(shown)[-1]}, "versions": shown, "time": times}).encode()


def registry():
    fake = FakeRegistry()
    for i in range(ROOTS):
        large = i < MEASURED // 2
        needs = ["part-%d" % ((i * 3 + k) % PARTS) for k in range(5)]
        fake.documents["root-%d" % i] = document(fake.url, "root-%d" % i, VERSIONS if large else SMALL, needs)
    for i in range(PARTS):
        fake.documents["part-%d" % i] = document(fake.url, "part-%d" % i, VERSIONS if i < MEASURED // 2 else SMALL, [])
    return fake


def shipped(name, url, days, roots=0):
    """The shipped policy with this registry, this cooldown and these roots."""
    text = subprocess.run([gates.binary(), "policy", "shipped", name], stdout=subprocess.PIPE, check=True, text=True).stdout
    text = text.replace("npm: {upstream: auto}", "npm: {upstream: %s, fresh: 1h}" % url)
    text = re.sub(r"\n  default: \d+d", "\n  default: %dd" % days, text)
    lines = "".join('\n    - {name: "npm:root-%d", reason: "bench", owner: bench, review-by: 2099-01-01}' % i for i in range(roots))
    return text.replace("allow:\n  mode: enforce", "allow:\n  mode: enforce\n  roots:" + lines, 1) if roots else text


class Side:
    """A gate, one connection to it, and its clock."""

    def __init__(self, folder, name, url, roots):
        self.name, self.url, self.roots = name, url, roots
        self.gate = Gate(os.path.join(folder, name), shipped(name, url, 8, roots))
        self.connection = http.client.HTTPConnection("127.0.0.1", self.gate.port, timeout=120)

    def cpu(self):
        """Seconds of processor time of all its threads, those that ended too, to the nanosecond."""
        return time.clock_gettime(~self.gate.child.pid << 3 | 2)

    def ask(self, path, accept=ACCEPT):
        self.connection.request("GET", path, headers={"Accept": accept})
        answer = self.connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise SystemExit("%s: %s: %d %s" % (self.name, path, answer.status, body[:300]))
        return body

    def metric(self, name):
        found = re.search(r"^bondgate_%s (\d+)" % name, self.ask("/-/metrics").decode(), re.M)
        return int(found.group(1)) if found else 0

    def settled(self):
        """The walk is over, and the gate is as good as idle."""
        if self.metric("approved_names_unknown"):
            return False
        before = self.cpu()
        time.sleep(0.5)
        return self.cpu() - before < 0.005

    def settle(self):
        wait_until(self.settled, "the walk of `%s` ends" % self.name, 600)

    def change_rules(self, days):
        before = self.metric("rules_epoch")
        self.gate.write_policy(shipped(self.name, self.url, days, self.roots))
        wait_until(lambda: self.metric("rules_epoch") != before, "the rules of `%s` change" % self.name, 60)

    def memory(self):
        """MiB of Rss and Pss_Anon."""
        with open("/proc/%d/smaps_rollup" % self.gate.child.pid, encoding="ascii") as f:
            text = f.read()
        return [int(re.search(r"^%s:\s+(\d+)" % key, text, re.M).group(1)) / 1024 for key in ("Rss", "Pss_Anon")]


def measured(number):
    return "/npm/%s-%d" % ("part" if number % 2 else "root", number % MEASURED // 2)


def by_turns(sides, number):
    return sides if number % 2 else sides[::-1]


def first_renderings(sides, round_number):
    """{name: {packument: seconds}} after a change of the rules, once the walk that it makes is over."""
    for side in sides:
        side.change_rules(8 + round_number)
    for side in sides:
        side.settle()
    costs = {side.name: {} for side in sides}
    for i in range(MEASURED):
        for side in by_turns(sides, i + round_number):
            before = side.cpu()
            side.ask(measured(i))
            costs[side.name][measured(i)] = side.cpu() - before
    return costs


def kept_renditions(sides, round_number):
    """{name: {packument: seconds}}, by turns in small portions: a busy machine disturbs both alike."""
    paths = [measured(i) for i in range(KEPT)]
    costs = {side.name: {} for side in sides}
    for i, path in enumerate(paths):
        for side in by_turns(sides, i + round_number):
            side.ask(path)
            before = side.cpu()
            for _ in range(PORTION):
                side.ask(path)
            costs[side.name][path] = (side.cpu() - before) / PORTION
    return costs


def idle(sides, fake):
    """{name: share of a processor}, and what was asked upstream meanwhile."""
    for side in sides:
        side.settle()
    fake.forget()
    before = {side.name: side.cpu() for side in sides}
    time.sleep(IDLE_SECONDS)
    return {side.name: (side.cpu() - before[side.name]) / IDLE_SECONDS for side in sides}, len(fake.requests)


def report(what, rounds, unit, factor):
    """The lowest of the rounds is what a packument costs; what is above it is the machine's other business."""
    print("%s (of each packument the lowest of %d rounds; the median of all)" % (what, len(rounds)))
    for title, word in (("an approved root", "/root-"), ("what roots need", "/part-"), ("both", "/")):
        lowest, middle = {}, {}
        for name in rounds[0]:
            paths = [p for p in rounds[0][name] if word in p]
            lowest[name] = statistics.mean(min(r[name][p] for r in rounds) for p in paths)
            middle[name] = statistics.median(r[name][p] for r in rounds for p in paths)
        print("  %-17s default %8.3f, strict %8.3f %s: strict / default %.3f   (medians %.3f, %.3f: %.3f)" %
              (title, lowest["default"] * factor, lowest["strict"] * factor, unit, lowest["strict"] / lowest["default"],
               middle["default"] * factor, middle["strict"] * factor, middle["strict"] / middle["default"]))


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 8
    fake = registry()
    with tempfile.TemporaryDirectory() as folder:
        begun = time.monotonic()
        sides = [Side(folder, "default", fake.url, 0), Side(folder, "strict", fake.url, ROOTS)]
        for side in sides:
            side.settle()
        strict = sides[1]
        print("%d approved roots, %d names reached; the first walk asked upstream %d times and took %.1f s of processor time, %.0f s of time" %
              (ROOTS, strict.metric("approved_names"), len(fake.requests), strict.cpu(), time.monotonic() - begun))
        first_renderings(sides, 1)                         # which also fetches
        anew = [first_renderings(sides, 2 + n) for n in range(rounds)]
        kept = [kept_renditions(sides, n) for n in range(4 * rounds)]
        resting, asked = idle(sides, fake)
        report("processor time of a packument of %d versions, judged and rendered anew" % VERSIONS, anew, "ms", 1000)
        report("processor time of one whose rendition is kept", kept, "µs", 1e6)
        print("nobody asks, for %d s; asked upstream meanwhile: %d" % (IDLE_SECONDS, asked))
        for side in sides:
            print("  %-8s %8.3f %% of a processor, Rss %.1f MiB, Pss_Anon %.1f MiB" % (side.name, resting[side.name] * 100, *side.memory()))
        for side in sides:
            side.connection.close()
            side.gate.stop()
    fake.close()


if __name__ == "__main__":
    main()
