#!/usr/bin/env python3
"""Bondgate beside Verdaccio and nginx: packuments, memory, cold answers, whole installs; medians and ratios of one run.

usage: run.py [--quick] [--rounds N] [--seconds S] [--budget S] [--verdaccio-rounds N] [--install-rounds N] [--deeds A,B]
              [--folder DIR] [--scratch DIR] [--output FILE] [PART…]
parts: packuments memory cold installs. Without any: the first three; installs take a quarter of an hour a round.
"""
import argparse
import datetime
import os
import platform
import shutil
import subprocess
import sys
import tempfile

import peers
import cold
import install
import installs
import memory
import packuments


def say(text):
    print("%s %s" % (datetime.datetime.now().strftime("%H:%M:%S"), text), file=sys.stderr, flush=True)


def machine():
    model = "unknown processor"
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as f:
        for line in f:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    commit = subprocess.run(["git", "-C", peers.TOP, "describe", "--always", "--dirty"], stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL, check=False, text=True).stdout.strip()
    return "%s, %d processors of %s, Linux %s, load %.1f at the start; commit %s" % (
        datetime.date.today().isoformat(), os.cpu_count(), model, platform.release(), os.getloadavg()[0], commit)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="three documents, short rounds")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=int, help="of each measurement of a fast server")
    parser.add_argument("--budget", type=float, help="processor seconds of each measurement of Verdaccio")
    parser.add_argument("--verdaccio-rounds", type=int)
    parser.add_argument("--install-rounds", type=int, default=1)
    parser.add_argument("--deeds", default=",".join(installs.DEEDS))
    parser.add_argument("--folder")
    parser.add_argument("--scratch", help="where packages are installed to; memory (/dev/shm) if there is some")
    parser.add_argument("--output")
    parser.add_argument("parts", nargs="*")
    o = parser.parse_args()
    parts = o.parts or ["packuments", "memory", "cold"]
    rounds = o.rounds or (2 if o.quick else 5)
    folder = o.folder or tempfile.mkdtemp(prefix="bondgate-bench-")
    os.makedirs(folder, exist_ok=True)
    os.chmod(folder, 0o755)
    scratch = tempfile.mkdtemp(prefix="bondgate-bench-", dir=o.scratch or ("/dev/shm" if os.access("/dev/shm", os.W_OK) else folder))
    with_verdaccio = install.install()
    if not with_verdaccio:
        say("Verdaccio or a client could not be installed: their measurements are left out")
    lines = ["Measured %s." % machine()]
    try:
        if "packuments" in parts:
            verdaccio_rounds = o.verdaccio_rounds if o.verdaccio_rounds is not None else (1 if o.quick else 3)
            cases, hidden, resident = packuments.run(
                folder, packuments.QUICK if o.quick else packuments.PACKAGES, rounds, o.seconds or (1 if o.quick else 2),
                o.budget or 1.0, verdaccio_rounds if with_verdaccio else 0, say)
            lines += ["", "## Packuments", ""] + packuments.table(cases, hidden) + [""] + packuments.summary(cases)
            lines.append("- Memory at the end, Rss and of it anonymous: " + ", ".join("%s %.1f and %.1f MiB" % (s, *m) for s, m in resident.items()) + ".")
        if "memory" in parts:
            lines += ["", "## Memory", ""] + memory.run(folder, o.quick, say)
        if "cold" in parts:
            lines += ["", "## Cold", ""] + cold.run(folder, rounds, say)
        if "installs" in parts and with_verdaccio:
            lines += ["", "## Installs", ""] + installs.run(
                folder, os.path.join(scratch, "install"), o.install_rounds, [d for d in installs.DEEDS if d in o.deeds.split(",")], say)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        if not o.folder:
            shutil.rmtree(folder, ignore_errors=True)
    text = "\n".join(lines) + "\n"
    if o.output:
        with open(o.output, "w", encoding="utf-8") as f:
            f.write(text)
    print(text, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
