#!/usr/bin/env python3
"""look_alike_data.py PROBE: the look-alike rule over real names. Of the honest ones in lockfiles hardly any may resemble another; of those that are
known to be malicious, at least so many must, and so must the imitations in the history of attacks."""
import io
import json
import os
import re
import subprocess
import sys
import zipfile

SOURCE = os.environ.get("BONDGATE_SOURCE", ".")
DATA = os.environ.get("BONDGATE_DATA") or os.path.join(SOURCE, "..", "shared", "data")
MALICIOUS = ("MAL-", "LWA-", "LAB-")
# Imitations of the history, by name. Of attacks.csv, names that add a word (StripeApi.Net, Tracer.Fody.NLog) resemble nothing: honest ones do that too.
IMITATIONS = [("nuget", "Microsoft.Vis\u0443alStudio.Sdk"), ("npm", "crossenv"), ("npm", "loadsh"), ("npm", "l0dash"), ("npm", "jquerry")]


def resembling(probe, ecosystem, names):
    """{name: what it resembles}"""
    text = "".join(name + "\n" for name in sorted(names) if "\n" not in name)
    out = subprocess.run([probe, ecosystem], input=text.encode(), capture_output=True, check=True).stdout.decode("utf-8", "replace")
    return dict(line.split("\t") for line in out.splitlines())


def honest(data):
    """Names in the lockfiles whose content is written down, by ecosystem."""
    names = {"npm": set(), "nuget": set()}

    def walk(value, ecosystem):
        if isinstance(value, dict):
            if isinstance(value.get("name"), str) and isinstance(value.get("version"), str):
                names[ecosystem].add(value["name"])
            for inner in value.values():
                walk(inner, ecosystem)
        elif isinstance(value, list):
            for inner in value:
                walk(inner, ecosystem)
        elif isinstance(value, str) and value.rfind("@") > 0:
            names[ecosystem].add(value[: value.rfind("@")])

    for file in ("expected.json", "expected-real.json"):
        with open(os.path.join(data, file), encoding="utf-8") as f:
            for path, packages in json.load(f).items():
                base = os.path.basename(path)
                npm = re.search(r"package|yarn|pnpm|bun|shrinkwrap", base) and base != "packages.lock.json" and not base.startswith("packages.")
                walk(packages, "npm" if npm else "nuget")
    return names


def malicious(data, ecosystem):
    """Names of which a record of malware says something."""
    names = set()
    with zipfile.ZipFile(os.path.join(data, "osv", ecosystem + ".zip")) as z:
        for name in z.namelist():
            if not os.path.basename(name).startswith(MALICIOUS):
                continue
            for affected in json.load(io.BytesIO(z.read(name))).get("affected", []):
                if affected["package"]["ecosystem"].lower() == ecosystem:
                    names.add(affected["package"]["name"])
    return names


def main():
    probe = sys.argv[1]
    if not os.path.exists(os.path.join(DATA, "osv", "npm.zip")):
        print("skipped: %s is missing" % DATA)
        return 77
    failed = 0
    real = honest(DATA)
    for ecosystem, most in (("npm", 3), ("nuget", 1)):
        alarms = resembling(probe, ecosystem, real[ecosystem])
        print("%s: %d honest names, %d alarms: %s" % (ecosystem, len(real[ecosystem]), len(alarms), alarms))
        failed += len(alarms) > most or len(real[ecosystem]) < 50
    for ecosystem, least in (("npm", 200), ("nuget", 450)):
        names = malicious(DATA, ecosystem)
        hits = resembling(probe, ecosystem, names)
        print("%s: %d names of malware, %d resemble another" % (ecosystem, len(names), len(hits)))
        failed += len(hits) < least
    for ecosystem, name in IMITATIONS:
        if not resembling(probe, ecosystem, {name}):
            print("%s: %s resembles nothing" % (ecosystem, name))
            failed += 1
    print("%d failed" % failed)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
