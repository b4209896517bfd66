#!/usr/bin/env python3
"""bench/scan/run.py BONDGATE [TRIVY [OTHER-BONDGATE]]: wall, CPU and memory of `bondgate scan` for the largest real lockfiles of the data and for a
tree of 200, beside the limit (`cat` and SHA-256 of the same bytes), the start of the program alone, and Trivy listing the same file
without a network, if its path is given ("-": none). A third path is another build, whose start and scan are measured beside. The index is
that of all advisories of the data. Medians of 11 runs, one after the other, of each."""
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DATA = os.environ.get("BONDGATE_DATA", os.path.join(SOURCE, "..", "shared", "data"))
FILES = ["real/facebook__create-react-app/package-lock.json", "real/gatsbyjs__gatsby-starter-blog/package-lock.json",
         "real/withastro__astro/pnpm-lock.yaml", "real/angular__angular-cli/pnpm-lock.yaml", "real/pnpm__pnpm/pnpm-lock.yaml",
         "real/jestjs__jest/yarn.lock"]
RUNS = 11


def once(command):
    with open(os.devnull, "wb") as nothing:
        start = time.monotonic()
        child = subprocess.Popen(command, stdout=nothing, stderr=nothing)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        wall = time.monotonic() - start
    return wall * 1000, (used.ru_utime + used.ru_stime) * 1000, used.ru_maxrss / 1024


def measure(name, command):
    once(command)
    runs = [once(command) for _ in range(RUNS)]
    wall, cpu, memory = (statistics.median(column) for column in zip(*runs))
    print(f"{name:44} {wall:8.1f} ms wall {cpu:8.1f} ms CPU {memory:7.1f} MiB", flush=True)


def main():
    bondgate, trivy = os.path.abspath(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 and sys.argv[2] != "-" else None
    other = os.path.abspath(sys.argv[3]) if len(sys.argv) > 3 else None
    measure("start alone (bondgate version)", [bondgate, "version"])
    if other:
        measure("start alone, the other build", [other, "version"])
    with tempfile.TemporaryDirectory() as folder:
        state = os.path.join(folder, "state")
        subprocess.run([bondgate, "feed", "import", "--state", state, os.path.join(DATA, "osv", "npm.zip"), os.path.join(DATA, "osv", "nuget.zip")], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        tree = os.path.join(folder, "tree")
        for path in FILES:
            source = os.path.join(DATA, "lockfiles", path)
            alone = os.path.join(folder, path.split("/")[1])
            os.makedirs(alone)
            shutil.copy(source, alone)
            name = path.split("/")[1].split("__")[1] + "/" + os.path.basename(path)
            measure("scan " + name, [bondgate, "scan", "--json", "--state", state, source])
            if other:
                measure("  the other build", [other, "scan", "--json", "--state", state, source])
            measure("scan --list " + name, [bondgate, "scan", "--list", "--json", "--state", state, source])
            measure("scan to SARIF and CycloneDX " + name, [bondgate, "scan", "--state", state, source, "--format", "sarif", "--output",
                                                           "cyclonedx=" + os.path.join(folder, "bom.json")])
            measure("  cat and sha256sum", ["sh", "-c", 'cat "$1" | sha256sum', "sh", source])
            if trivy:
                measure("  trivy", [trivy, "fs", "--format", "cyclonedx", "--offline-scan", "--skip-db-update", alone])
        for i in range(200):
            os.makedirs(os.path.join(tree, str(i)))
            path = FILES[i % len(FILES)]
            shutil.copy(os.path.join(DATA, "lockfiles", path), os.path.join(tree, str(i)))
        measure("scan a tree of 200 lockfiles", [bondgate, "scan", "--json", "--state", state, tree])


if __name__ == "__main__":
    main()
