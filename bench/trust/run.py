#!/usr/bin/env python3
"""What the rules of `strict` (without its list of approved names) would have held of the last twelve months of much used packages.

usage: run.py BONDGATE [--packages N] [--cache DIR]      `./dev bench trust`; needs the registry that npm is configured for, and BONDGATE_DATA

The packages are the names that stand in the most lockfiles of BONDGATE_DATA. Their packuments are fetched one after the other, once, and kept in
DIR (default .cache/trust). Every release is judged a minute after its publication, by the facts that the packument gives.
"""
import argparse
import calendar
import collections
import json
import os
import random
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
PAGE_TEXT = """# What the rules hold of a year of much used packages

`./dev bench trust` writes this page (last on %(day)s). Looked at are %(packages)d packages, the names that stand in the most lockfiles of the project's data, and all of
their %(releases)d releases of the last twelve months: each is put to `bondgate policy shipped strict`, without its list of approved names, a minute after its
publication, by the facts that the packument gives. %(wrong)d further releases are left out, because the mirror dates old versions by when it
copied them: a higher one of their line is at least half a year older, or any higher one five years.

A release may be held for several reasons; `cooldown` is every release's.

%(reasons)s

`new-binary` counts commands; native code that only an archive shows is not seen here. Pinned sets of platform packages (`dependency-held`) are cleared
with what they belong to, and are not counted.

%(delays)s

A fix is a release that an advisory names as one within sixty days. Our advisories end in 2024, and before that the mirror's dates are those of
its copies: where the table says "none", the delay of fixes could not be measured here. It is counted to the first moment at which the policy clears it, with the
advisory known from its publication on.

Most often held for something else than the cooldown:

%(outliers)s

## Publishers

Of these releases %(known)d name their publisher: the registry that this was measured with is a mirror that strips the field, so that of continuity only the
repository is left. What `publisher-changed` would hold where the field is there cannot be measured here. In its place 200 made-up
packages, with three years of releases each (one to four people, every 3 to 60 days, back-ports; changes a year and package, which are our assumptions: %(rates)s): of
%(made)d releases of their last year %(held)d are held (%(share).2f %%), none of them for a back-port or for which of its known people published it.
"""


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


def triple(version):
    found = re.match(r"(\d+)\.(\d+)\.(\d+)", version)
    return tuple(int(n) for n in found.groups()) if found else None


def misdated(path):
    """Versions that a mirror dates by when it copied them: a higher one of the line came half a year before, or any higher one five years before."""
    with open(path, encoding="utf-8") as f:
        times = {v: t for v, t in json.load(f).get("time", {}).items() if triple(v)}
    seconds = {v: calendar.timegm(time.strptime(t[:19], "%Y-%m-%dT%H:%M:%S")) for v, t in times.items()}
    stable = sorted(((triple(v), t) for v, t in seconds.items() if re.fullmatch(r"\d+\.\d+\.\d+", v)), reverse=True)
    wrong = set()
    for version, at in seconds.items():
        own = triple(version)
        line = [t for v, t in stable if v > own and v[0] == own[0]]
        higher = [t for v, t in stable if v > own]
        # 0.0.0-nightly and the like stand below everything and are new all the same.
        if own != (0, 0, 0) and (at - min(line, default=at) > 180 * DAY or at - min(higher, default=at) > 5 * 365 * DAY):
            wrong.add(version)
        if own == (0, 0, 0) and "-" not in version and at - min(higher, default=at) > 180 * DAY:
            wrong.add(version)
    return wrong


def survey(bondgate, probe, count, cache, folder):
    packuments, state = Packuments(cache), os.path.join(folder, "state")
    subprocess.run([bondgate, "feed", "import", os.path.join(DATA, "osv", "npm.zip"), "--state", state, "--quiet"], check=True, capture_output=True)
    now = time.time()
    stamp = [time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(t)) for t in (now - 365 * DAY, now)]
    rules, began, releases, packages, wrong = policy(bondgate, folder), {}, [], 0, 0
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
        dated = misdated(path)
        for release in judged(probe, arguments + [listed]):
            if release["version"] in dated:
                wrong += release["recent"]
            else:
                releases.append(dict(release, name=name))
    return packages, releases, wrong


def crafted_package(source, now, number):
    """Three years of an ordinary project: one to four people, who publish by hand or by their workflow, back-ports; see RATES for what changes."""
    owner, people = "org%d" % number, ["p%d-%d" % (number, i) for i in range(source.choice((1, 1, 2, 3, 4)))]
    at, machine, major, minor, versions, times = now - 3 * 365 * DAY, source.random() < 0.3, 1, 0, {}, {}
    every = source.choice((3, 7, 14, 30, 60)) * DAY
    while at < now:
        years = every / (365 * DAY)
        if source.random() < RATES["a new maintainer"] * years:
            people.append("p%d-%d" % (number, len(people)))
        if not machine and source.random() < RATES["from publishing by hand to a workflow"] * years:
            machine = True
        if source.random() < RATES["the repository moves to another owner"] * years:
            owner += "x"
        if source.random() < 0.05:
            major, minor = major + 1, 0
        old = major > 1 and source.random() < 0.08
        minor += not old
        version = "%d.9%d.0" % (major - 1, len(versions)) if old else "%d.%d.0" % (major, minor)
        by = {"name": "GitHub Actions", "trustedPublisher": {"id": "github"}} if machine else {"name": source.choice(people)}
        dist = {"tarball": "https://npm.registry.example/x/-/x-%s.tgz" % version, "integrity": "sha512-AAAA"}
        if machine:
            dist["attestations"] = {"provenance": {"predicateType": "https://slsa.dev/provenance/v1"}}
        versions[version] = {"name": "made-%d" % number, "version": version, "_npmUser": by, "dist": dist, "repository": "github:%s/repo" % owner}
        times[version] = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(at))
        at += every * (0.5 + source.random())
    return {"name": "made-%d" % number, "dist-tags": {}, "versions": versions, "time": times}


# A year and package; our own assumptions.
RATES = {"a new maintainer": 0.2, "from publishing by hand to a workflow": 0.25, "the repository moves to another owner": 0.02}


def crafted(bondgate, probe, folder, count=200):
    """(releases of the last year, those of them that continuity holds)"""
    source, now, rules = random.Random(1), time.time(), policy(bondgate, folder)
    stamp = [time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(t)) for t in (now - 365 * DAY, now)]
    found = []
    for number in range(count):
        document, path = crafted_package(source, now, number), os.path.join(folder, "made.json")
        with open(path, "w", encoding="utf-8") as f:
            json.dump(document, f)
        found += judged(probe, [rules, "-", path, document["name"]] + stamp)
    held = [r for r in found if "publisher-changed" in {q["code"] for q in r["reasons"]}]
    return len(found), held


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
    # An advisory that was out before the release tells that the release is dated too late, or that nobody waited for it.
    fixes = [r for r in releases if r.get("advised", -1) > 0]
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
    return [(name, code, n) for (name, code), n in found.most_common(40)]


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
        packages, releases, wrong = survey(bondgate, os.path.abspath(probe), options.packages, options.cache, folder)
        made, held = crafted(bondgate, os.path.abspath(probe), folder)
    lines, delays, known, recent = report(packages, releases)
    page = PAGE_TEXT % {"packages": packages, "releases": len(recent), "wrong": wrong, "known": known, "reasons": "\n".join(lines), "delays": "\n".join(delays),
                        "outliers": "\n".join("- `%s`: `%s`, %d releases" % row for row in outliers(recent)[:8]), "made": made, "held": len(held),
                        "share": 100 * len(held) / max(1, made), "day": time.strftime("%Y-%m-%d"),
                        "rates": "; ".join("%s: %g" % row for row in RATES.items())}
    with open(PAGE, "w", encoding="utf-8") as f:
        f.write(page)
    print(page)
    for code in ("publisher-changed", "remote-dependency", "look-alike", "new-dependency", "install-script", "new-binary"):
        for r in [r for r in recent if code in {q["code"] for q in r["reasons"]}][:12]:
            print("  %s@%s: %s" % (r["name"], r["version"], next(q["text"] for q in r["reasons"] if q["code"] == code)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
