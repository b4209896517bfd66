#!/usr/bin/env python3
"""run.py BONDGATE PROBE [NAMES]: what the look-alike rule says of all package names in the lockfiles of shared/data (honest ones), of the names of
malware there, and of a further list of npm names, one a line and perhaps with tab-separated columns behind; and what a question costs.

    ninja -C build bondgate tests/unit/look_alike_probe
    python3 bench/look_alike/run.py build/bondgate build/tests/unit/look_alike_probe
"""
import importlib.util
import json
import os
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DATA = os.environ.get("BONDGATE_DATA") or os.path.join(TOP, "..", "shared", "data")
spec = importlib.util.spec_from_file_location("data", os.path.join(TOP, "tests", "unit", "look_alike_data.py"))
data = importlib.util.module_from_spec(spec)
spec.loader.exec_module(data)


def locked(bondgate):
    """All names in all lockfiles, by ecosystem."""
    out = subprocess.run([bondgate, "scan", os.path.join(DATA, "lockfiles"), "--list", "--json"], capture_output=True).stdout
    names = {"npm": set(), "nuget": set()}
    for file in json.loads(out)["files"]:
        for package in file["packages"]:
            if package["ecosystem"] in names:
                names[package["ecosystem"]].add(package["name"])
    return names


def cost(probe, ecosystem, names):
    text = "".join(name + "\n" for name in sorted(names))
    return subprocess.run([probe, ecosystem, "--time"], input=text.encode(), capture_output=True, check=True).stdout.decode().strip()


def main():
    bondgate, probe = sys.argv[1:3]
    names = locked(bondgate)
    for ecosystem in ("npm", "nuget"):
        alarms = data.resembling(probe, ecosystem, names[ecosystem])
        bad = data.malicious(DATA, ecosystem)
        hits = data.resembling(probe, ecosystem, bad)
        print("%-5s  lockfiles: %d names, %d alarms %s" % (ecosystem, len(names[ecosystem]), len(alarms), sorted(alarms.items())))
        print("       malware: %d names, %d resemble another (%.1f %%)" % (len(bad), len(hits), 100 * len(hits) / len(bad)))
        print("       cost: %s" % cost(probe, ecosystem, names[ecosystem]))
    if len(sys.argv) > 3:
        with open(sys.argv[3], encoding="utf-8") as f:
            more = {line.split("\t")[0].strip() for line in f} - {"", "name"}
        alarms = data.resembling(probe, "npm", more)
        print("%s: %d names, %d alarms (%.2f %%), e.g. %s" % (os.path.basename(sys.argv[3]), len(more), len(alarms), 100 * len(alarms) / len(more),
                                                             sorted(alarms.items())[::max(1, len(alarms) // 20)]))


if __name__ == "__main__":
    main()
