#!/usr/bin/env python3
"""Runs `bondgate scan --list --json` over every file of data/lockfiles and compares the packages with what other tools expect of
them. The differences that docs/lockfiles.md lists must be there exactly; any other one fails. The cases in which rivals are wrong
(facts/scan-rivals.md 4.2) and cut files are looked at one by one."""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

BONDGATE = os.path.abspath(sys.argv[1])
SOURCE = os.environ.get("BONDGATE_SOURCE", os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
DATA = os.environ.get("BONDGATE_DATA", os.path.join(SOURCE, "..", "shared", "data"))
SKIPPED = 77
# Extracts that somebody wrote by hand: nothing in them says that more was to follow.
MOST_UNNOTICED = 0.02

failures = []


def check(truth, text):
    if not truth:
        failures.append(text)


def scan(*arguments, cwd):
    environment = {"PATH": os.environ["PATH"], "HOME": cwd, "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "")}
    done = subprocess.run([BONDGATE, "scan", "--json", *arguments], cwd=cwd, env=environment, capture_output=True, check=False)
    check(done.returncode in (0, 1, 3), f"exit {done.returncode}: {done.stderr[-800:].decode(errors='replace')}")
    return done.returncode, json.loads(done.stdout)


def pairs(packages):
    return {(p["name"], p["version"]) for p in packages}


def documented():
    rows = {}
    with open(os.path.join(SOURCE, "docs", "lockfiles.md"), encoding="utf-8") as text:
        for line in text:
            found = re.match(r"\| `([^`]+)` \| (\d+) \| (\d+) \| (.+) \|$", line)
            if found:
                rows[found.group(1)] = (int(found.group(2)), int(found.group(3)))
    return rows


def compare_expected(read):
    with open(os.path.join(DATA, "expected.json"), encoding="utf-8") as text:
        expected = json.load(text)
    known, equal = documented(), 0
    for path, packages in expected.items():
        want, got = pairs(packages), pairs(read[path]["packages"])
        difference = (len(want - got), len(got - want))
        if difference == (0, 0):
            equal += 1
            check(path not in known, f"{path}: docs/lockfiles.md lists a difference that is gone")
        else:
            check(known.get(path) == difference, f"{path}: -{sorted(want - got)[:5]} +{sorted(got - want)[:5]}, documented: {known.get(path)}")
    check(set(known) <= set(expected), f"unknown files in docs/lockfiles.md: {set(known) - set(expected)}")
    print(f"{equal} of {len(expected)} equal, {len(known)} differ as documented")


def compare_real(read):
    """What three tools list together in large real files is never missing here, and nobody knows of more than we list."""
    with open(os.path.join(DATA, "expected-real.json"), encoding="utf-8") as text:
        real = json.load(text)
    second_document = {"real/withastro__astro/pnpm-lock.yaml", "real/pnpm__pnpm/pnpm-lock.yaml"}
    for path, lists in real.items():
        got = {f"{p['name']}@{p['version']}" for p in read[path]["packages"]}
        missing, more = set(lists["in_all"]) - got, got - set(lists["in_all"]) - set(lists["only_some"])
        check(not missing, f"{path}: missing {sorted(missing)[:5]}")
        check(not more or path in second_document, f"{path}: only here {sorted(more)[:5]}")


def compare_rivals(read):
    astro, pnpm = (len(read[f"real/{name}/pnpm-lock.yaml"]["packages"]) for name in ("withastro__astro", "pnpm__pnpm"))
    check(astro > 2100 and pnpm > 1600, f"several documents: {astro} and {pnpm} packages")
    for path, answer in read.items():
        kind = path.split("/")[1] if path.startswith("derived/") else ""
        if kind in ("empty", "nul-byte", "truncated", "utf16le", "deep-nesting"):
            check(answer.get("error") and answer["packages"] == [], f"{path}: no error")
        elif kind in ("bom", "crlf", "bom-crlf", "plain"):
            check(len(answer["packages"]) > 1 and "error" not in answer, f"{path}: {answer.get('error')}")
    conflict = read["npm-cli/conflict-package-lock/package-lock.json"]
    check("merge conflict" in conflict.get("error", "") and ":13:" in conflict["error"], f"conflict: {conflict.get('error')}")
    jest = {p["name"]: p["source"] for p in read["real/jestjs__jest/yarn.lock"]["packages"]}
    check(jest.get("jest-website") == "workspace" and "string-width-cjs" not in jest and "@babel-baseline/core" not in jest, "jest: members, aliases")


def compare_cuts(read, files):
    """Cut at every 1/64 of their length: an error, or not fewer packages. Line formats can hide a cut between two entries."""
    total, silent = 0, []
    with tempfile.TemporaryDirectory() as folder:
        for path in files:
            full = read[path]
            size = os.path.getsize(os.path.join(DATA, "lockfiles", path))
            if full.get("error") or size < 2000 or not full["packages"]:
                continue
            with open(os.path.join(DATA, "lockfiles", path), "rb") as whole:
                content = whole.read()
            cuts = []
            for part in range(1, 64):
                os.makedirs(os.path.join(folder, str(part)), exist_ok=True)
                cuts.append(os.path.join(folder, str(part), os.path.basename(path)))
                with open(cuts[-1], "wb") as cut:
                    cut.write(content[:size * part // 64])
            for answer in scan("--list", *cuts, cwd=folder)[1]["files"]:
                total += 1
                if "error" not in answer and len(answer["packages"]) < len(full["packages"]):
                    silent.append((path, answer["path"]))
                    check(answer["format"] in ("yarn.lock", "pnpm-lock.yaml", "paket.lock"), f"{path} cut: silently fewer packages")
            for name in os.listdir(folder):
                shutil.rmtree(os.path.join(folder, name))
    print(f"{total} cuts, {len(silent)} of them not noticed")
    check(len(silent) <= total * MOST_UNNOTICED, f"{len(silent)} of {total} cuts are not noticed: {silent[:5]}")


def main():
    listing = os.path.join(DATA, "lockfiles.json")
    if not os.path.exists(listing):
        print(f"skipped: no {listing} (set BONDGATE_DATA)")
        return SKIPPED
    with open(listing, encoding="utf-8") as text:
        files = sorted(json.load(text))
    code, answer = scan("--list", *files, cwd=os.path.join(DATA, "lockfiles"))
    check(code == 3, f"unreadable files among them, yet exit {code}")
    read = {f["path"]: f for f in answer["files"]}
    check(sorted(read) == files, "not every file is in the answer")
    for compare in (compare_expected, compare_real, compare_rivals):
        compare(read)
    # The sanitizers make the cuts slow: one in eight files there, all of them in a soak.
    compare_cuts(read, files[:: 8 if os.environ.get("BONDGATE_QUICK") and not os.environ.get("BONDGATE_SOAK") else 1])
    for failure in failures:
        print("FAIL", failure)
    return 1 if failures else 0


sys.exit(main())
