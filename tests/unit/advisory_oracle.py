#!/usr/bin/env python3
"""Unpacks the real npm advisories and lets advisory_oracle.js compare. Skipped (77), saying so, without the data, node or npm's semver.

usage: advisory_oracle.py PROBE
"""
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))


def skip(why):
    print(f"skipped: {why}")
    sys.exit(77)


def semver_of_npm():
    npm = shutil.which("npm")
    if not shutil.which("node") or not npm:
        skip("node and npm are not here")
    here = os.path.dirname(os.path.realpath(npm))
    for module in (os.path.join(here, "..", "node_modules", "semver"), "/usr/share/nodejs/semver"):
        if os.path.isdir(module):
            return os.path.abspath(module)
    return skip("npm's semver is not where npm is")


def main():
    data = os.environ.get("BONDGATE_DATA") or os.path.join(os.environ.get("BONDGATE_SOURCE", "."), "..", "shared", "data")
    archive = os.path.join(data, "osv", "npm.zip")
    if not os.path.exists(archive):
        skip(f"{archive} is missing")
    module = semver_of_npm()
    with tempfile.TemporaryDirectory(prefix="bondgate-osv-") as folder:
        with zipfile.ZipFile(archive) as z:
            z.extractall(folder)
        return subprocess.run(["node", os.path.join(HERE, "advisory_oracle.js"), sys.argv[1], folder, module]).returncode


sys.exit(main())
