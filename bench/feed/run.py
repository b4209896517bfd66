#!/usr/bin/env python3
"""Imports the real records, and 400,000 made ones, and measures: seconds, CPU seconds, peak memory, size; then opening and questions.

usage: run.py BONDGATE FEED_BENCH FOLDER-OF-ZIPS
"""
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import zipfile

BONDGATE, BENCH, DATA = sys.argv[1:4]
MADE = 400000


def measured(command):
    begun = time.monotonic()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        sys.exit("%s failed" % command)
    return time.monotonic() - begun, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def show(label, state, paths):
    runs = sorted(measured([BONDGATE, "feed", "import", "--fresh", "--quiet", "--state", state] + paths) for _ in range(3))
    wall, cpu, memory = runs[1]
    again = measured([BONDGATE, "feed", "import", "--quiet", "--state", state] + paths)
    size = os.path.getsize(os.path.join(state, "advisories.idx")) / (1 << 20)
    print("%s: %.2f s, %.2f s of CPU, %.0f MiB at most (median of 3); the index %.1f MiB; the same again upon it %.2f s, %.0f MiB" %
          (label, wall, cpu, memory, size, again[0], again[2]))
    print(subprocess.run([BENCH, os.path.join(state, "advisories.idx")], stdout=subprocess.PIPE, text=True, check=True).stdout, end="")


def unzip_time(paths):
    begun = resource.getrusage(resource.RUSAGE_CHILDREN)
    for path in paths:
        subprocess.run(["python3", "-c", "import sys,zipfile\nz=zipfile.ZipFile(sys.argv[1])\nfor n in z.namelist(): z.read(n)", path], check=True)
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ended.ru_utime + ended.ru_stime - begun.ru_utime - begun.ru_stime


def made(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as z:
        for n in range(MADE):
            z.writestr("LAB-%d.json" % n, json.dumps({
                "id": "LAB-2024-%d" % n, "modified": "2024-01-01T00:00:00Z", "published": "2023-01-01T00:00:00Z", "aliases": ["CVE-2024-%d" % n],
                "summary": "Something is wrong with the package of number %d" % n, "details": "It says more of it here. " * 20,
                "affected": [{"package": {"ecosystem": "npm", "name": "lab-package-%d" % (n * 7 // 8)},
                              "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "%d.%d.0" % (n % 9 + 1, n % 7)}]}]}],
                "references": [{"type": "ADVISORY", "url": "https://advisory.example/%d" % n}], "database_specific": {"severity": "HIGH"}}))


def main():
    with tempfile.TemporaryDirectory(prefix="bondgate-bench-") as folder:
        real = [os.path.join(DATA, name) for name in ("npm.zip", "nuget.zip")]
        show("the real records", os.path.join(folder, "real"), real)
        print("Python only unpacking them: %.2f s of CPU" % unzip_time(real))
        sys.stdout.flush()
        made(os.path.join(folder, "made.zip"))
        show("%d made records" % MADE, os.path.join(folder, "made"), [os.path.join(folder, "made.zip")])


main()
