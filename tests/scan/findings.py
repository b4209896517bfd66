#!/usr/bin/env python3
"""What three tools agree to find in large real lockfiles, with the same advisories, is found here too; every other
difference has to be one of those that docs/findings.md explains."""
import json
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from urllib.parse import unquote

BONDGATE = os.path.abspath(sys.argv[1])
SOURCE = os.environ.get("BONDGATE_SOURCE", os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
DATA = os.environ.get("BONDGATE_DATA", os.path.join(SOURCE, "..", "shared", "data"))

ROW = re.compile(r"\| `([^`]+)` \| `([^`]*)@([^`@]*)` \| (\S+) \| (only here|not here; [^|]+) \| ([^|]+) \|$")


def explained():
    """{(file, "only here" or "not here")} of docs/findings.md, each a set of findings."""
    rows = {}
    with open(os.path.join(SOURCE, "docs", "findings.md"), encoding="utf-8") as text:
        for line in text:
            found = ROW.match(line)
            if found:
                path, name, version, advisory, who, _ = found.groups()
                rows.setdefault((path, who.split(";")[0]), set()).add((name, version, advisory))
    return rows


def read(purl):
    name, _, version = unquote(purl[len("pkg:"):]).partition("/")[2].rpartition("@")
    return name, version


def main():
    if not os.path.exists(os.path.join(DATA, "osv", "npm.zip")):
        print(f"skipped: no advisories in {DATA} (set BONDGATE_DATA)")
        return 77
    with open(os.path.join(DATA, "findings-real.json"), encoding="utf-8") as text:
        real = json.load(text)
    with tempfile.TemporaryDirectory() as folder:
        for name in ("npm", "nuget"):
            with zipfile.ZipFile(os.path.join(DATA, "osv", name + ".zip")) as records:
                records.extractall(os.path.join(folder, name))
        done = subprocess.run([BONDGATE, "scan", "--json", "--advisories", f"{folder}/npm,{folder}/nuget", *real],
                              cwd=os.path.join(DATA, "lockfiles"), capture_output=True, check=False)
    if done.returncode != 1:
        print("FAIL exit", done.returncode, done.stderr[-800:].decode(errors="replace"))
        return 1
    ours, failed = {path: set() for path in real}, 0
    for finding in json.loads(done.stdout)["findings"]:
        if finding["kind"] not in ("malware", "vulnerability"):
            continue
        ours[finding["file"]].add((*read(finding["purl"]), finding["id"]))
    known = explained()
    for path, tools in real.items():
        lists = [{tuple(found) for found in listed} for listed in tools.values() if listed is not None]
        differences = {"only here": ours[path] - set.union(*lists), "not here": set.union(*lists) - ours[path]}
        agreed = set.intersection(*lists) - ours[path]
        if agreed:
            failed += 1
            print(f"FAIL {path}: all others find {sorted(agreed)[:5]}")
        for where, found in differences.items():
            listed = known.pop((path, where), set())
            if found != listed:
                failed += 1
                print(f"FAIL {path}, {where}: not explained {sorted(found - listed)[:5]}, explained and gone {sorted(listed - found)[:5]}")
    if known:
        failed += 1
        print(f"FAIL docs/findings.md explains what is in no file: {sorted(known)[:5]}")
    print(f"{len(real)} files, {sum(map(len, ours.values()))} findings")
    return 1 if failed else 0


sys.exit(main())
