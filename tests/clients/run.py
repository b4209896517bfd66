#!/usr/bin/env python3
"""Runs the client tests: run.py [--long] [--list] [-j N] [PATTERN…]

One line a test, and a last line `N passed, N failed, N skipped`. A pattern is a part of a test's name, which is
`file.function[client]`. Exit 0: none failed; 1: some did; 2: used wrongly; 3: nothing could run.
"""
import argparse
import concurrent.futures
import importlib
import os
import sys
import threading
import time
import traceback

import harness
import install

HERE = os.path.dirname(os.path.abspath(__file__))
AREAS = ("harness", "rules", "refusals", "shapes", "private", "evidence", "whitelist", "whitelist_odd", "real_roots", "teams", "trust_facts",
         "simulate", "adopt", "record", "backup", "scan", "people", "cheats", "webhooks", "provenance", "report", "real_install")


class Test:
    def __init__(self, area, function, client):
        self.function, self.client = function, client
        self.name = "%s.%s%s" % (area, function.__name__[len("test_"):], "[%s]" % client if client else "")
        self.network = getattr(function, "network", False)
        self.long = getattr(function, "long", False)
        self.gateless = getattr(function, "gateless", False)


def collect():
    tests = []
    for area in AREAS:
        module = importlib.import_module("test_" + area)
        for name, function in vars(module).items():
            if name.startswith("test_") and callable(function) and function.__module__ == module.__name__:
                tests += [Test(area, function, c) for c in getattr(function, "clients", (None,))]
    return tests


def why_not(test, options, facts):
    if test.long and not options.long:
        return "only with --long"
    if test.network and not facts["network"]:
        return "the registry is unreachable"
    if not facts["clients"]:
        return "the package managers are not installed (tests/clients/install.py)"
    return None


def attempt(test, shared):
    """(verdict, text)"""
    case = harness.Case(test.name, shared)
    verdict, text = "pass", ""
    try:
        test.function(case, test.client) if test.client else test.function(case)
    except harness.Skip as e:
        verdict, text = "skip", str(e)
    except Exception as e:   # noqa: BLE001 (a broken test is a failed one)
        where = [f for f in traceback.extract_tb(e.__traceback__) if os.path.basename(f.filename).startswith("test_")]
        place = "%s:%d: " % (os.path.basename(where[-1].filename), where[-1].lineno) if where else ""
        kind = "" if isinstance(e, AssertionError) else type(e).__name__ + ": "
        verdict, text = "FAIL", place + kind + str(e) + "\n" + case.story()
        if kind and not where:
            text += traceback.format_exc()
    for problem in case.close():
        verdict, text = "FAIL", text + "\nwhile clearing away: " + str(problem)
    return verdict, text


def main():
    parser = argparse.ArgumentParser(description="Bondgate's tests with real package managers")
    parser.add_argument("patterns", nargs="*")
    parser.add_argument("--long", action="store_true", help="also the long set")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("-j", type=int, default=min(3, (os.cpu_count() or 1) + 1), metavar="N", help="tests at once")
    options = parser.parse_args()
    tests = [t for t in collect() if not options.patterns or any(p in t.name for p in options.patterns)]
    if not tests:
        print("no test is named so", file=sys.stderr)
        return 2
    if options.list:
        print("\n".join(t.name + (" (long)" if t.long else "") for t in tests))
        return 0
    install.install()
    facts = {"gate": os.access(harness.binary(), os.X_OK), "network": harness.network(), "clients": harness.clients_installed()}
    if not facts["gate"] and not all(t.gateless for t in tests):
        print("no gate at %s: build it (./dev build) or name one by BONDGATE_BINARY" % os.path.relpath(harness.binary()))
        print("0 passed, 1 failed, 0 skipped")
        return 3
    shared, counts, lock = harness.Shared(), {"pass": 0, "FAIL": 0, "skip": 0}, threading.Lock()
    began = time.monotonic()

    def one(test):
        started = time.monotonic()
        reason = why_not(test, options, facts)
        if reason == "only with --long" and not options.patterns:
            return
        verdict, text = ("skip", reason) if reason else attempt(test, shared)
        with lock:
            counts[verdict] += 1
            first = text.strip().splitlines()[0][:160] if verdict == "skip" and text else ""
            print("%s %s (%.1f s)%s" % (verdict, test.name, time.monotonic() - started, ": " + first if first else ""))
            if verdict == "FAIL":
                print("     " + text.strip().replace("\n", "\n     "))
            sys.stdout.flush()

    with concurrent.futures.ThreadPoolExecutor(max(1, options.j)) as pool:
        list(pool.map(one, tests))
    for name, problem in shared.close():
        counts["FAIL"] += 1
        print("FAIL %s: %s" % (name, problem))
    print("%.0f s" % (time.monotonic() - began))
    print("%d passed, %d failed, %d skipped" % (counts["pass"], counts["FAIL"], counts["skip"]))
    return 1 if counts["FAIL"] else 0 if counts["pass"] else 3


if __name__ == "__main__":
    sys.path.insert(0, HERE)
    sys.exit(main())
