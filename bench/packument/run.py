#!/usr/bin/env python3
"""Building and rendering packuments, against Python's json on the same documents and this machine, in one run.

usage: run.py BENCH_PACKUMENT [NAME...]     (a release build's bench/packument/bench_packument)

The documents come from the registry that npm is configured for. Figures are medians of CPU time in milliseconds. "full" and
"abbreviated" are answers with every second version hidden, as bytes in a buffer; "slices" only finds the pieces to be sent.
"""
import json
import pathlib
import subprocess
import sys
import tempfile
import time

NAMES = ["lodash", "react", "typescript", "next"]
ROUNDS = 15


def registry():
    out = subprocess.run(["npm", "config", "get", "registry"], capture_output=True, text=True, check=True).stdout
    return out.strip().splitlines()[-1].rstrip("/") + "/"


def median_of(work, rounds):
    times = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        times.append((time.process_time() - start) * 1000)
    return sorted(times)[len(times) // 2]


def filtered(document):
    shown = list(document["versions"])[::2]
    document["versions"] = {v: document["versions"][v] for v in shown}
    document["time"] = {v: t for v, t in document["time"].items() if v in document["versions"]}
    return json.dumps(document, separators=(",", ":"))


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    bench = pathlib.Path(sys.argv[1]).resolve()
    print(f"{'document':<12}{'MB':>7}{'versions':>10}{'build':>9}{'open':>8}{'full':>8}{'abbrev.':>9}{'slices':>8}"
          f"{'py loads':>10}{'py filter+dumps':>17}{'ratio':>8}")
    with tempfile.TemporaryDirectory() as temporary:
        for name in sys.argv[2:] or NAMES:
            path = pathlib.Path(temporary, "document.json")
            subprocess.run(["curl", "-sSf", "-o", path, registry() + name.replace("/", "%2f")], check=True)
            line = subprocess.run([bench, path, name, str(ROUNDS)], capture_output=True, text=True, check=True).stdout
            ours = {key: float(value) for key, value in (pair.split("=") for pair in line.split())}
            raw = path.read_bytes()
            loads = median_of(lambda: json.loads(raw), 5)
            dumps = median_of(lambda: filtered(json.loads(raw)), 5)
            print(f"{name:<12}{ours['bytes'] / 1e6:>7.2f}{ours['versions']:>10.0f}{ours['build_ms']:>9.2f}{ours['open_ms']:>8.2f}"
                  f"{ours['full_ms']:>8.2f}{ours['abbreviated_ms']:>9.2f}{ours['full_slices_ms']:>8.2f}{loads:>10.1f}{dumps:>17.1f}"
                  f"{dumps / ours['full_ms']:>7.0f}x", flush=True)


main()
