#!/usr/bin/env python3
"""Does the manifest check leave real packages in peace? Fetches old and new versions of widely used packages from the
registry that npm is configured for and compares each tarball with its metadata. Every difference it prints is either an
attack or a false alarm of ours. Optional: needs a registry.

usage: manifest_survey.py PROBE [PACKAGE...]     (PROBE: the built tests/unit/manifest_probe)
"""
import collections
import json
import pathlib
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request

PACKAGES = """
bufferutil utf-8-validate fsevents esbuild sharp lodash react express jest jest-cli @jest/core @angular/core @angular/cli
typescript webpack vite rollup next vue svelte @babel/core @babel/cli eslint prettier mocha chai sinon request async
underscore moment axios chalk commander yargs debug semver glob rimraf mkdirp uuid ws socket.io mongoose mysql2 pg sqlite3
better-sqlite3 bcrypt node-sass sass canvas keytar node-pty keccak secp256k1 leveldown grpc @grpc/grpc-js protobufjs puppeteer
playwright electron cypress core-js bluebird q jquery bootstrap grunt gulp bower npm pnpm yarn nodemon pm2 ts-node
@types/node @types/react styled-components tailwindcss postcss autoprefixer redis ioredis farmhash re2 iconv snappy
""".split()


def registry():
    out = subprocess.run(["npm", "config", "get", "registry"], capture_output=True, text=True, check=True).stdout
    return out.strip().splitlines()[-1].rstrip("/") + "/"


def versions_to_try(document):
    """The first, the last, and some between."""
    names = list(document["versions"])
    latest = document.get("dist-tags", {}).get("latest")
    picked = {names[0], names[-1], *(names[len(names) * i // 5] for i in range(1, 5))}
    return sorted(picked | ({latest} if latest in document["versions"] else set()))


def pack(folder, specs):
    """One npm pack for all; when one of them cannot be had, one by one."""
    found = {}
    for group in [specs] if len(specs) > 1 else []:
        done = subprocess.run(["npm", "pack", "--json", "--ignore-scripts", *group], cwd=folder, capture_output=True, text=True)
        if done.returncode == 0:
            return {item["id"]: folder / item["filename"] for item in json.loads(done.stdout)}
    for spec in specs:
        done = subprocess.run(["npm", "pack", "--json", "--ignore-scripts", spec], cwd=folder, capture_output=True, text=True)
        if done.returncode == 0:
            item = json.loads(done.stdout)[0]
            found[item["id"]] = folder / item["filename"]
    return found


def survey(probe, base, package, counts):
    with urllib.request.urlopen(base + urllib.parse.quote(package, safe="@"), timeout=120) as answer:
        document = json.load(answer)
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        tarballs = pack(folder, [f"{package}@{v}" for v in versions_to_try(document)])
        for name, tarball in sorted(tarballs.items()):
            version = name.rpartition("@")[2]
            if version not in document["versions"]:
                counts["not in the metadata"] += 1
                continue
            metadata = folder / "metadata.json"
            metadata.write_text(json.dumps(document["versions"][version]))
            said = subprocess.run([probe, metadata, tarball], capture_output=True, text=True).stdout.strip()
            counts[said.split(":")[0] or "crashed"] += 1
            if not said.startswith("same"):
                print(f"{name}: {said}", flush=True)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    probe, counts, base = str(pathlib.Path(sys.argv[1]).resolve()), collections.Counter(), registry()
    for package in sys.argv[2:] or PACKAGES:
        try:
            survey(probe, base, package, counts)
        except (OSError, ValueError) as problem:
            print(f"{package}: not looked at: {problem}", file=sys.stderr)
            counts["not looked at"] += 1
    print(", ".join(f"{count} {what}" for what, count in counts.most_common()))


main()
