#!/usr/bin/env python3
"""Runs every test and adds up: unit tables, stored fuzz corpora, HTTP scripts, faults, scans, the history of attacks, layers, real clients.

usage: tests/run.py [--soak] [SUITE…]      suites: meson (unit, corpus, http, faults, scan, attacks), layers, clients
The last line is "N passed, N failed" (", N skipped" may follow); the exit code is 1 when anything failed.
"""
import json
import os
import re
import subprocess
import sys
import time

MESON_SUITES = ("unit", "corpus", "http", "faults", "scan", "attacks")
TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CLOSING = re.compile(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?\s*$", re.M)


class Total:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def add(self, passed, failed, skipped, what):
        self.passed += passed
        self.failed += failed
        self.skipped += skipped
        print(f"{what}: {passed} passed, {failed} failed, {skipped} skipped", flush=True)


def count_output(text, ok):
    """The counts of one program: cmocka's lines, a closing line of our own, or the program as one test."""
    closing = CLOSING.findall(text)
    if closing:
        passed, failed, skipped = (int(n or 0) for n in closing[-1])
        return passed, failed or (0 if ok else 1), skipped
    passed = len(re.findall(r"^\[       OK \]", text, re.M))
    failed = len(re.findall(r"^\[  FAILED  \] [a-z_0-9A-Z]+$", text, re.M))
    skipped = len(re.findall(r"^\[  SKIPPED \] [a-z_0-9A-Z]+$", text, re.M))
    if passed + failed + skipped == 0:
        return (1, 0, 0) if ok else (0, 1, 0)
    if not ok and failed == 0:
        failed = 1
    return passed, failed, skipped


def run_meson(total, suites, soak):
    command = ["meson", "test", "-C", os.path.join(TOP, "build-test"), "--no-rebuild", "--num-processes", "2", "--quiet"]
    for suite in suites:
        command += ["--suite", suite]
    environment = dict(os.environ, BONDGATE_SOAK="1" if soak else "")
    environment.setdefault("UBSAN_OPTIONS", "halt_on_error=1:print_stacktrace=1")
    subprocess.run(command, cwd=TOP, env=environment, stdin=subprocess.DEVNULL)
    log = os.path.join(TOP, "build-test", "meson-logs", "testlog.json")
    with open(log, encoding="utf-8") as lines:
        for line in lines:
            test = json.loads(line)
            text = test.get("stdout", "") + "\n" + test.get("stderr", "")
            if test["result"] == "SKIP":
                total.add(0, 0, 1, test["name"])
                continue
            ok = test["result"] == "OK"
            total.add(*count_output(text, ok), test["name"])
            for skipped in re.findall(r"^(?:SKIP|skipped)[: ].*$", text, re.M):
                print("  " + skipped)
            if not ok:
                print(text[-6000:])


def run_script(total, name, arguments):
    done = subprocess.run([sys.executable, os.path.join(TOP, *name.split("/"))] + arguments, cwd=TOP, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    print(done.stdout, end="", flush=True)
    total.add(*count_output(done.stdout, done.returncode == 0), name)


def main():
    soak = "--soak" in sys.argv
    wanted = [a for a in sys.argv[1:] if a != "--soak"] or ["meson", "layers", "clients"]
    total = Total()
    started = time.monotonic()
    meson_suites = [s for s in wanted if s in MESON_SUITES]
    if "meson" in wanted or meson_suites:
        run_meson(total, [] if "meson" in wanted else meson_suites, soak)
    if "layers" in wanted:
        run_script(total, "tests/layers.py", [])
    if "clients" in wanted:
        run_script(total, "tests/clients/run.py", ["--long"] if soak else [])
    print(f"{time.monotonic() - started:.0f} seconds")
    skipped = f", {total.skipped} skipped" if total.skipped else ""
    print(f"{total.passed} passed, {total.failed} failed{skipped}")
    return 1 if total.failed or total.passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
