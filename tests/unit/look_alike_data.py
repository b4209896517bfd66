#!/usr/bin/env python3
"""look_alike_data.py PROBE: the look-alike rule over real names. Of the honest ones in lockfiles hardly any may resemble another; of those that are
known to be malicious, at least so many must, and so must known imitations; what it says of the names in the history of attacks is written down."""
import csv
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
# Imitations of the history, by name, that attacks.csv does not spell out.
IMITATIONS = [("nuget", "Microsoft.Vis\u0443alStudio.Sdk"), ("npm", "crossenv"), ("npm", "loadsh"), ("npm", "l0dash"), ("npm", "jquerry")]
# Every name that attacks.csv spells out, and what the rule says of it: nothing, in each case. Most imitate no name, and
# the four that do (the last ones) add or exchange whole words, as honest packages do: other rules have to hold them.
ATTACKED = {
    "npm": ["event-stream", "flatmap-stream", "ua-parser-js", "colors", "faker", "node-ipc", "peacenotwar", "@solana/web3.js", "xrpl",
            "eslint-config-prettier", "eslint-plugin-prettier", "synckit", "@pkgr/core", "napi-postinstall", "chalk", "debug", "@ctrl/tinycolor",
            "ngx-bootstrap", "@bitwarden/cli", "mbt", "@cap-js/sqlite", "postgres", "db-service", "size-sensor", "echarts-for-react",
            "art-template", "@vapi-ai/server-sdk", "keyv", "cacheable", "flat-cache"],
    "nuget": ["Moq", "Sharp7Extend", "Tracer.Fody.NLog", "Coinbase.Core", "SqzrFramework480", "StripeApi.Net"],
}


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


def attacked(probe):
    """What differs from ATTACKED: in what the rule says, or in what attacks.csv names."""
    problems = []
    with open(os.path.join(DATA, "attacks.csv"), encoding="utf-8") as f:
        text = " ".join(row["package"] for row in csv.DictReader(f))
    for ecosystem, names in ATTACKED.items():
        hits = resembling(probe, ecosystem, names)
        print("%s: %d names of attacks.csv, %d resemble another" % (ecosystem, len(names), len(hits)))
        problems += ["%s resembles %s" % hit for hit in hits.items()] + ["attacks.csv does not name " + n for n in names if n not in text]
    known = {n for names in ATTACKED.values() for n in names}
    written = {w.rsplit("@", 1)[0].lstrip("+") if w.rfind("@") > 0 else w for w in re.findall(r"[^\s,()\"]+", text)}
    # What is written like a name of a package: a scope, or words joined as only names are.
    new = {w for w in written if re.fullmatch(r"@[\w.-]+/[\w.-]+|[a-z]+(-[a-z]+)+|[A-Z]\w+(\.[A-Z]\w+)+", w)} - known - {"dependency-confusion"}
    return problems + ["attacks.csv names %s, which stands in no list here" % n for n in sorted(new)]


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
    for problem in attacked(probe):
        print(problem)
        failed += 1
    print("%d failed" % failed)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
