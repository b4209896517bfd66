"""What a client test is given: `t`, which makes gates, registries and package managers and clears them away afterwards.

    @for_clients("npm-11", "bun")            # one run for each
    @needs_network                           # skipped, by name, when the registry is unreachable
    def test_something(t, client):
        fake = t.fake().lab()
        gate = t.gate(policy(fake.url))
        done = t.client(client, gate).do("install", project)
"""
import json
import os
import shutil
import tempfile
import threading

import clients
import install
import upstream
from clients import Client, Project, Trap
from fake import FakeRegistry, from_iso, iso, make_tarball, seconds   # noqa: F401 (tests take them from here)
from gate import Gate, binary, policy, wait_until                     # noqa: F401
from verdaccio import Verdaccio

ALL = clients.NAMES


class Skip(Exception):
    pass


def for_clients(*names):
    def mark(test):
        test.clients = names or ALL
        return test
    return mark


def needs_network(test):
    test.network = True
    return test


def long(test):
    """Only with --long."""
    test.long = True
    return test


def without_gate(test):
    """Tries the harness itself: also runs where no gate is built."""
    test.gateless = True
    return test


# --- checks that say what they saw ---

def ok(condition, *shown):
    if not condition:
        raise AssertionError("\n".join(str(s) for s in shown) or "not so")


def equal(got, wanted, *shown):
    if got != wanted:
        raise AssertionError("\n".join(["got    %r" % (got,), "wanted %r" % (wanted,)] + [str(s) for s in shown]))


def contains(text, *parts):
    missing = [p for p in parts if p not in text]
    if missing:
        raise AssertionError("lacks %r:\n%s" % (missing, text[-2500:]))


def lacks(text, *parts):
    found = [p for p in parts if p in text]
    if found:
        raise AssertionError("has %r:\n%s" % (found, text[-2500:]))


def succeeded(result):
    if result.code != 0:
        raise AssertionError("should have succeeded:\n%r" % result)
    return result


def failed(result):
    if result.code == 0 or isinstance(result.code, str):
        raise AssertionError("should have failed by itself:\n%r" % result)
    return result


class Shared:
    """Things that several tests use, made once and cleared away at the end of the run."""

    def __init__(self):
        self.lock = threading.Lock()
        self.made, self.locks, self.cleanups = {}, {}, []

    def get(self, key, make):
        with self.lock:
            lock = self.locks.setdefault(key, threading.Lock())
        with lock:
            if key not in self.made:
                case = Case("shared-" + key, self)
                self.cleanups.append(case)
                self.made[key] = make(case)
            return self.made[key]

    def close(self):
        """The failures met while clearing away, by name."""
        found = []
        for case in reversed(self.cleanups):
            found += [(case.name, e) for e in case.close()]
        return found


class Case:
    """One test's things."""

    def __init__(self, name, shared):
        self.name, self.shared_things = name, shared
        self.folder = tempfile.mkdtemp(prefix="bondgate-")
        self.cleanups, self.gates, self.client_list = [], [], []
        self.count = 0

    def path(self, stem):
        self.count += 1
        return os.path.join(self.folder, "%s-%d" % (stem, self.count))

    def shared(self, key, make):
        return self.shared_things.get(key, make)

    def fake(self):
        registry = FakeRegistry()
        self.cleanups.append(registry.close)
        return registry

    def gate(self, text, **options):
        gate = Gate(self.path("gate"), text, **options)
        self.gates.append(gate)
        self.cleanups.append(gate.stop)
        return gate

    def verdaccio(self, uplink=None):
        registry = Verdaccio(self.path("verdaccio"), uplink)
        self.cleanups.append(registry.close)
        return registry

    def trap(self):
        trap = Trap()
        self.cleanups.append(trap.close)
        return trap

    def client(self, name, gate, age_gates=False):
        """`gate`: a Gate, or the URL of a registry."""
        registry = gate if isinstance(gate, str) else gate.registry
        client = Client(name, registry, self.path(name), self.trap(), age_gates)
        self.client_list.append(client)
        return client

    def project(self, client, manifest, files=None):
        return client.project(self.path("project"), manifest, files)

    def osv(self, *records):
        """A folder of advisories; each record is (id, package, versions)."""
        folder = self.path("osv")
        os.makedirs(folder)
        for record in records:
            self.advisory(folder, *record)
        return folder

    @staticmethod
    def advisory(folder, identifier, package, versions):
        record = {"schema_version": "1.6.0", "id": identifier, "modified": "2026-01-01T00:00:00Z", "published": "2026-01-01T00:00:00Z",
                  "summary": "made up for a test: " + identifier, "affected": [
                      {"package": {"ecosystem": "npm", "name": package}, "versions": versions}]}
        with open(os.path.join(folder, identifier + ".json.new"), "w", encoding="utf-8") as f:
            json.dump(record, f)
        os.replace(f.name, os.path.join(folder, identifier + ".json"))

    def close(self):
        """Clears away in reverse order; the failures met."""
        found = []
        for cleanup in reversed(self.cleanups):
            try:
                cleanup()
            except (AssertionError, OSError) as e:
                found.append(e)
        shutil.rmtree(self.folder, ignore_errors=True)
        return found

    def story(self):
        """For a failed test: what the package managers and gates said last."""
        lines = [repr(c.results[-1]) for c in self.client_list if c.results]
        for gate in self.gates:
            lines.append("--- gate's log\n" + gate.tail(2000))
        return "\n".join(lines)


def network():
    return upstream.reachable()


def clients_installed():
    return not install.missing()
