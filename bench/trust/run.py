#!/usr/bin/env python3
"""What the rules of `strict` (without its list of approved names) would have held of the last twelve months of much used packages.

usage: run.py BONDGATE [--packages N] [--cache DIR]      `./dev bench trust`; needs the registry that npm is configured for, and BONDGATE_DATA

The packages are the names that stand in the most lockfiles of BONDGATE_DATA. Their packuments are fetched one after the other, once, and kept in
DIR (default .cache/trust). Every release is judged a minute after its publication, by the facts that the packument gives.
"""
import argparse
import collections
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DATA = os.environ.get("BONDGATE_DATA") or os.path.join(TOP, "..", "shared", "data")
PAGE = os.path.join(TOP, "docs", "trust-survey.md")
DAY = 86400


def names(count):
    """By the number of files in which they stand."""
    seen = collections.Counter()

    def walk(value, found):
        if isinstance(value, dict):
            if isinstance(value.get("name"), str) and "version" in value:
                found.add(value["name"])
            for inner in value.values():
                walk(inner, found)
        elif isinstance(value, list):
            for inner in value:
                walk(inner, found)
        elif isinstance(value, str) and value.rfind("@") > 0:
            found.add(value[:value.rfind("@")])

    for file in ("expected.json", "expected-real.json"):
        with open(os.path.join(DATA, file), encoding="utf-8") as f:
            for path, packages in json.load(f).items():
                base = os.path.basename(path)
                if re.search(r"package|yarn|pnpm|bun|shrinkwrap", base) and not base.startswith("packages."):
                    found = set()
                    walk(packages, found)
                    seen.update(found)
    plain = [n for n in seen if re.fullmatch(r"(@[a-z0-9._-]+/)?[a-z0-9][a-z0-9._-]*", n)]
    return sorted(plain, key=lambda n: (-seen[n], n))[:count]


def registry():
    out = subprocess.run(["npm", "config", "get", "registry"], capture_output=True, text=True, check=True).stdout
    return out.strip().splitlines()[-1].rstrip("/") + "/"


class Packuments:
    def __init__(self, folder):
        self.folder, self.registry = folder, registry()
        os.makedirs(folder, exist_ok=True)

    def path(self, name):
        """None: the registry has no such name."""
        path = os.path.join(self.folder, urllib.parse.quote(name, safe="@") + ".json")
        if not os.path.exists(path):
            done = subprocess.run(["curl", "-sSf", "--compressed", "--max-time", "60", "-o", path + ".new", self.registry + name.replace("/", "%2f")],
                                  capture_output=True)
            if done.returncode != 0:
                return None
            os.replace(path + ".new", path)
        return path

    def began(self, name):
        path = self.path(name)
        if not path:
            return None
        with open(path, encoding="utf-8") as f:
            return json.load(f).get("time", {}).get("created")


def policy(bondgate, folder):
    text = subprocess.run([bondgate, "policy", "shipped", "strict"], capture_output=True, text=True, check=True).stdout
    text = text.replace("upstream: auto", 'upstream: "https://npm.registry.example/"')
    text, count = re.subn(r"(?m)^allow:\n  mode: enforce$", "allow:\n  mode: off", text)
    if count != 1:
        raise SystemExit("the shipped policy `strict` does not enforce its list of approved names where this script looks")
    path = os.path.join(folder, "strict-without-list.yaml")
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def judged(probe, arguments):
    out = subprocess.run([probe] + arguments, capture_output=True, text=True)
    if out.returncode != 0:
        print(out.stderr.strip()[:200], file=sys.stderr)
        return []
    return [json.loads(line) for line in out.stdout.splitlines()]


def survey(bondgate, probe, count, cache, folder):
    packuments, state = Packuments(cache), os.path.join(folder, "state")
    subprocess.run([bondgate, "feed", "import", os.path.join(DATA, "osv", "npm.zip"), "--state", state, "--quiet"], check=True, capture_output=True)
    now = time.time()
    stamp = [time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(t)) for t in (now - 365 * DAY, now)]
    rules, began, releases, packages = policy(bondgate, folder), {}, [], 0
    listed = os.path.join(folder, "names")
    for name in names(count):
        path = packuments.path(name)
        if not path:
            continue
        packages += 1
        arguments = [rules, os.path.join(state, "advisories.idx"), path, name] + stamp
        first = judged(probe, arguments)
        for asked in {n for r in first for n in r["asks"] if r["recent"]} - set(began):
            began[asked] = packuments.began(asked)
        with open(listed, "w", encoding="utf-8") as f:
            f.writelines("%s\t%s\n" % (n, t) for n, t in began.items() if t)
        for release in judged(probe, arguments + [listed]):
            releases.append(dict(release, name=name))
    return packages, releases


def median(values):
    """Of delays in seconds; without end: -1."""
    ordered = sorted(v if v >= 0 else float("inf") for v in values)
    if not ordered:
        return "none"
    middle = ordered[len(ordered) // 2]
    return "until a person decides" if middle == float("inf") else "%.1f d" % (middle / DAY)


def report(packages, releases):
    recent = [r for r in releases if r["recent"]]
    stable = [r for r in recent if r["stable"]]
    codes = sorted({q["code"] for r in recent for q in r["reasons"]})
    lines = ["| reason | stable releases | of %d | prereleases | of %d |" % (len(stable), len(recent) - len(stable)), "| --- | --- | --- | --- | --- |"]
    for code in codes + [c for c in ("publisher-changed", "look-alike", "remote-dependency", "new-dependency", "new-binary") if c not in codes]:
        hit = [r for r in recent if code in {q["code"] for q in r["reasons"]}]
        a, b = sum(r["stable"] for r in hit), sum(not r["stable"] for r in hit)
        lines.append("| `%s` | %d | %.2f %% | %d | %.2f %% |" % (code, a, 100 * a / max(1, len(stable)), b, 100 * b / max(1, len(recent) - len(stable))))
    fixes = [r for r in releases if "fix" in r]
    rows = [("stable releases of the year", [r["delay"] for r in stable]), ("prereleases of the year", [r["delay"] for r in recent if not r["stable"]]),
            ("fixes of the year", [r["delay"] for r in fixes if r["recent"]]),
            ("fixes of all years (the advisories end in 2024)", [r["delay"] for r in fixes])]
    delays = ["| | releases | median delay | longer than 7 d | until a person decides |", "| --- | --- | --- | --- | --- |"]
    for title, values in rows:
        n = max(1, len(values))
        delays.append("| %s | %d | %s | %.2f %% | %.2f %% |" % (title, len(values), median(values), 100 * sum(v > 7 * DAY for v in values) / n,
                                                            100 * sum(v < 0 for v in values) / n))
    known = sum(r["publisher"] for r in recent)
    return lines, delays, known, recent


def outliers(recent):
    found = collections.Counter((r["name"], q["code"]) for r in recent for q in r["reasons"] if q["code"] != "cooldown")
    return ["%4d  %-18s %s" % (n, code, name) for (name, code), n in found.most_common(40)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bondgate")
    parser.add_argument("--probe", help="bench/trust_probe (default: beside BONDGATE)")
    parser.add_argument("--packages", type=int, default=200)
    parser.add_argument("--cache", default=os.path.join(TOP, ".cache", "trust"))
    options = parser.parse_args()
    bondgate = os.path.abspath(options.bondgate)
    probe = options.probe or os.path.join(os.path.dirname(bondgate), "bench", "trust_probe")
    if not os.path.exists(os.path.join(DATA, "expected.json")):
        print("skipped: %s has no lists of packages (BONDGATE_DATA)" % DATA)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        packages, releases = survey(bondgate, os.path.abspath(probe), options.packages, options.cache, folder)
    lines, delays, known, recent = report(packages, releases)
    print("%d packages, %d releases of the year; %d of them name their publisher\n" % (packages, len(recent), known))
    print("\n".join(lines) + "\n\n" + "\n".join(delays) + "\n\nmost often, beside cooldown:\n" + "\n".join(outliers(recent)))
    for code in ("publisher-changed", "remote-dependency", "look-alike", "new-dependency", "install-script", "new-binary"):
        for r in [r for r in recent if code in {q["code"] for q in r["reasons"]}][:12]:
            print("  %s@%s: %s" % (r["name"], r["version"], next(q["text"] for q in r["reasons"] if q["code"] == code)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
