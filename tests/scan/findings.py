#!/usr/bin/env python3
"""What three tools agree to find in large real lockfiles, with the same advisories, is found here too; what only we find has to be
explained below."""
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from urllib.parse import unquote

BONDGATE = os.path.abspath(sys.argv[1])
SOURCE = os.environ.get("BONDGATE_SOURCE", os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
DATA = os.environ.get("BONDGATE_DATA", os.path.join(SOURCE, "..", "shared", "data"))

# The others read only the first document of these.
SEVERAL_DOCUMENTS = {"real/withastro__astro/pnpm-lock.yaml": 6, "real/pnpm__pnpm/pnpm-lock.yaml": 1}
# Its range ends at "1.0.0.beta.3", which is no version: an end that cannot be read ends nothing.
UNREADABLE_END = "LAB-RETIRE-aecf136b6d47"


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
    for path, tools in real.items():
        lists = [{tuple(found) for found in listed} for listed in tools.values() if listed is not None]
        missing = set.intersection(*lists) - ours[path]
        alone = {found for found in ours[path] - set.union(*lists) if found[2] != UNREADABLE_END}
        if missing or len(alone) != SEVERAL_DOCUMENTS.get(path, 0):
            failed += 1
            print(f"FAIL {path}: missing {sorted(missing)[:5]}, only here {sorted(alone)[:8]}")
    print(f"{len(real)} files, {sum(map(len, ours.values()))} findings")
    return 1 if failed else 0


sys.exit(main())
