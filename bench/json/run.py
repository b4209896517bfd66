#!/usr/bin/env python3
"""Reads a JSON document with Bondgate's reader and with Python's json module by turns and prints the medians.

usage: run.py JSON_BENCH FILE.json...      (JSON_BENCH: the program built from json_bench.c)
"""

import json
import os
import statistics
import subprocess
import sys
import time

ROUNDS = 9


def python_loads(data):
    begin = time.process_time()
    json.loads(data)
    return len(data) / (time.process_time() - begin) / 1e6


def measure(program, path):
    with open(path, "rb") as file:
        data = file.read()
    speeds = {"python json.loads": []}
    for _ in range(ROUNDS):
        done = subprocess.run([program, path], stdout=subprocess.PIPE, check=True, text=True)
        for line in done.stdout.splitlines():
            name, speed = line.split("\t")
            speeds.setdefault(name, []).append(float(speed))
        speeds["python json.loads"].append(python_loads(data))
    python = statistics.median(speeds["python json.loads"])
    print("%s, %.2f MB, medians of %d rounds" % (os.path.basename(path), len(data) / 1e6, ROUNDS))
    for name, values in speeds.items():
        median = statistics.median(values)
        print("  %-20s %8.0f MB/s   (%.0f to %.0f)   %6.1f x python" % (name, median, min(values), max(values), median / python))


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    for path in sys.argv[2:]:
        measure(sys.argv[1], path)


main()
