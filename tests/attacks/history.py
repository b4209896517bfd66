"""The history of attacks as package series of the same shape: dates, publishers, scripts, new dependencies, lines, tags, names. Harmless: no
script is ever run, and no archive holds anything but its own version.

Every npm series lies in one registry, so that a package that was hit twice has one past. What the history does not say is written down as the
unfavourable case: a stolen account is one that had published before, "hours" are 24, "days" are 14, "weeks" are 56 (`live`).
"""
import csv
import os

HOUR, DAY = 3600, 86400
ASKED_AFTER = 60    # the first question, counted from when a version came
HOURS, DAYS, WEEKS = 24 * HOUR, 14 * DAY, 56 * DAY

# Approved in the replay under `strict`, for all rows alike: what the history says was in wide use when it was attacked, and the packages that
# the imitations imitate. No imitation is on it.
ROOTS = ["npm:event-stream", "npm:ua-parser-js", "npm:colors", "npm:faker", "npm:node-ipc", "npm:@solana/web3.js", "npm:xrpl",
         "npm:eslint-config-prettier", "npm:chalk", "npm:debug", "npm:@ctrl/tinycolor", "npm:ngx-bootstrap", "npm:@canister-shape/sdk",
         "npm:@bitwarden/cli", "npm:mbt", "npm:@cap-js/*", "npm:@antv/*", "npm:size-sensor", "npm:art-template",
         "npm:@redhat-cloud-services/*", "npm:@vapi-ai/server-sdk", "npm:keyv", "npm:supports-color", "nuget:Moq", "nuget:Newtonsoft.Json"]

PREINSTALL = {"scripts": {"preinstall": "node setup.mjs"}}
POSTINSTALL = {"scripts": {"postinstall": "node bundle.js"}}


class Release:
    def __init__(self, name, version, when, by="owner", gone=None, **manifest):
        self.name, self.version, self.when, self.by, self.gone, self.manifest = name, version, when, by, gone, manifest


def series(name, since, until, versions, by="owner", **manifest):
    """Ordinary releases, evenly spread over the time."""
    first, last = epoch(since), epoch(until)
    step = (last - first) / max(1, len(versions) - 1)
    return [Release(name, v, first + i * step, by, **manifest) for i, v in enumerate(versions)]


def epoch(text):
    import calendar
    import time
    form = "%Y-%m-%dT%H:%M" if "T" in text else "%Y-%m-%d"
    return calendar.timegm(time.strptime(text, form))


def by_machine(repository):
    """What trusted publishing leaves in the metadata: the workflow's repository and a claim of provenance."""
    return {"repository": {"type": "git", "url": "git+https://github.com/%s.git" % repository},
            "_npmUser": {"name": "GitHub Actions", "email": "npm-oidc-no-reply@mail.example", "trustedPublisher": {"id": "github"}},
            "dist": {"attestations": {"url": "https://npm.registry.example/-/npm/v1/attestations/x",
                                      "provenance": {"predicateType": "https://slsa.dev/provenance/v1"}}}}


class Row:
    """One line of attacks.csv. `releases`: the series with the attack in it; `asked`: the hostile versions of it, each to be held; `either`: the attack
    needs them all, so holding one is enough; `control`: the ordinary release before, or the package that is imitated."""
    def __init__(self, date, package, start, live, asked, control, releases=(), either=False, facts=None, why=""):
        self.date, self.package, self.start, self.live = date, package, epoch(start), live
        self.asked, self.control, self.releases, self.either, self.facts, self.why = asked, control, list(releases), either, facts, why
        self.end = self.start + live
        self.begins = {a: self.start for a in asked}
        for release in self.releases:
            if (release.name, release.version) in asked and release.when > self.start:
                self.begins[release.name, release.version] = release.when
            if (release.name, release.version) in asked and release.gone is None:
                release.gone = self.end


def hit(name, version, start, by="owner", minutes=0, **manifest):
    return Release(name, version, epoch(start) + 60 * minutes, by, **manifest)


def npm_rows():
    rows = []

    def row(*arguments, **named):
        rows.append(Row(*arguments, **named))

    row("2018-09-09 (payload 10-05)", "event-stream", "2018-10-05T12:00", 52 * DAY,
        [("flatmap-stream", "0.1.1"), ("event-stream", "3.3.6")], ("event-stream", "3.3.4"), either=True, releases=series(
            "event-stream", "2012-06-01", "2016-07-10", ["2.0.0", "2.1.0", "3.0.0", "3.1.0", "3.2.0", "3.3.0", "3.3.2", "3.3.4"], "dominic") + [
            hit("event-stream", "3.3.5", "2018-09-05", "right9"),
            hit("event-stream", "3.3.6", "2018-09-09", "right9", dependencies={"flatmap-stream": "^0.1.0"}),
            hit("event-stream", "4.0.0", "2018-09-16", "right9"),
            hit("flatmap-stream", "0.1.0", "2018-09-05", "hugeglass"), hit("flatmap-stream", "0.1.1", "2018-10-05T12:00", "hugeglass")],
        why="asked on the day of the payload; the version that brought it in was a month old by then")
    row("2021-02-09", "dependency-confusion", "2021-02-09", DAYS, [("shop-checkout-internal", "99.0.0")], ("chalk", "4.0.0"), releases=[
        hit("shop-checkout-internal", "99.0.0", "2021-02-09", "researcher", scripts={"preinstall": "node index.js"})],
        why="with `internal:` or an origin for the name it never leaves the house at all")
    row("2021-10-22", "ua-parser-js", "2021-10-22T12:15", 4 * HOUR + 11 * 60,
        [("ua-parser-js", "0.7.29"), ("ua-parser-js", "0.8.0"), ("ua-parser-js", "1.0.0")], ("ua-parser-js", "0.7.28"), releases=series(
            "ua-parser-js", "2018-01-01", "2021-04-10", ["0.7.%d" % i for i in range(18, 29)], "faisal") + [
            hit("ua-parser-js", "0.7.29", "2021-10-22T12:15", "faisal", **PREINSTALL),
            hit("ua-parser-js", "0.8.0", "2021-10-22T12:15", "faisal", 1, **PREINSTALL),
            hit("ua-parser-js", "1.0.0", "2021-10-22T12:15", "faisal", 2, **PREINSTALL)])
    row("2022-01-08", "colors", "2022-01-08", 2 * DAY, [("colors", "1.4.1"), ("faker", "6.6.6")], ("colors", "1.4.0"), releases=series(
        "colors", "2015-01-01", "2019-09-22", ["1.1.0", "1.1.2", "1.2.0", "1.3.0", "1.3.3", "1.4.0"], "marak") + series(
        "faker", "2017-01-01", "2021-10-20", ["4.1.0", "5.0.0", "5.1.0", "5.5.0", "5.5.3"], "marak") + [
        hit("colors", "1.4.1", "2022-01-08", "marak"), hit("faker", "6.6.6", "2022-01-08", "marak")])
    row("2022-03-07", "node-ipc", "2022-03-07", DAY, [("node-ipc", "10.1.1"), ("node-ipc", "10.1.2")], ("node-ipc", "10.1.0"), releases=[
        hit("node-ipc", "9.0.0", "2018-02-01", "sleeper")] + series(
        "node-ipc", "2018-06-01", "2022-02-10", ["9.0.1", "9.1.0", "9.1.1", "9.1.5", "9.2.0", "9.2.1", "9.2.2", "10.0.0", "10.1.0"], "ria") + [
        hit("node-ipc", "10.1.1", "2022-03-07", "ria"), hit("node-ipc", "10.1.2", "2022-03-07", "ria", 10)])
    row("2024-12-02", "@solana/web3.js", "2024-12-02T15:20", 5 * HOUR + 5 * 60,
        [("@solana/web3.js", "1.95.6"), ("@solana/web3.js", "1.95.7")], ("@solana/web3.js", "1.95.5"), releases=series(
            "@solana/web3.js", "2023-06-01", "2024-11-20", ["1.90.0", "1.91.0", "1.93.0", "1.94.0", "1.95.0", "1.95.3", "1.95.5"], "labs") + [
            hit("@solana/web3.js", "1.95.6", "2024-12-02T15:20", "labs"), hit("@solana/web3.js", "1.95.7", "2024-12-02T15:20", "labs", 5)])
    row("2025-04-21", "xrpl", "2025-04-21", 16 * HOUR, [("xrpl", "4.2.1"), ("xrpl", "2.14.2")], ("xrpl", "4.2.0"), releases=series(
        "xrpl", "2023-01-01", "2025-03-20", ["2.7.0", "2.11.0", "2.14.0", "2.14.1", "3.0.0", "3.1.0", "4.0.0", "4.1.0", "4.2.0"], "ledger") + [
        hit("xrpl", "4.2.1", "2025-04-21", "ledger"), hit("xrpl", "2.14.2", "2025-04-21", "ledger", 10, tag="2.x")])
    row("2025-07-18", "eslint-config-prettier", "2025-07-18T12:00", HOURS, [("eslint-config-prettier", v) for v in ("8.10.1", "9.1.1", "10.1.6", "10.1.7")],
        ("eslint-config-prettier", "10.1.5"), releases=series(
            "eslint-config-prettier", "2022-06-01", "2025-05-20", ["8.8.0", "8.9.0", "8.10.0", "9.0.0", "9.1.0", "10.0.0", "10.1.0", "10.1.5"], "jou") + [
            hit("eslint-config-prettier", v, "2025-07-18T12:00", "jou", i, scripts={"install": "node install.js"})
            for i, v in enumerate(("8.10.1", "9.1.1", "10.1.6", "10.1.7"))])
    row("2025-09-08", "chalk@5.6.1", "2025-09-08T13:16", 6 * HOUR + 43 * 60, [("chalk", "5.6.1"), ("debug", "4.4.2")], ("chalk", "5.6.0"), releases=series(
        "chalk", "2020-04-02", "2025-08-10", ["4.0.0", "4.1.0", "5.0.0", "5.2.0", "5.4.0", "5.6.0"], "qix") + series(
        "debug", "2021-01-01", "2025-05-13", ["4.3.2", "4.3.4", "4.3.7", "4.4.0", "4.4.1"], "qix") + [
        hit("chalk", "5.6.1", "2025-09-08T13:16", "qix"), hit("debug", "4.4.2", "2025-09-08T13:16", "qix")])
    row("2025-09-14", "Shai-Hulud 1", "2025-09-14", DAYS, [("@ctrl/tinycolor", "4.1.1"), ("ngx-bootstrap", "20.0.4")], ("@ctrl/tinycolor", "4.1.0"),
        releases=series("@ctrl/tinycolor", "2022-01-01", "2024-05-01", ["3.4.1", "3.6.0", "4.0.0", "4.1.0"], "scott") + series(
            "ngx-bootstrap", "2023-01-01", "2025-07-20", ["12.0.0", "18.0.0", "19.0.0", "20.0.0", "20.0.3"], "valor") + [
            hit("@ctrl/tinycolor", "4.1.1", "2025-09-14", "scott", **POSTINSTALL), hit("ngx-bootstrap", "20.0.4", "2025-09-14", "valor", **POSTINSTALL)])
    row("2026-02", "SANDWORM_MODE", "2026-02-10", DAYS, [("suport-color", "1.0.1")], ("supports-color", "10.2.0"), releases=series(
        "supports-color", "2021-01-01", "2025-07-01", ["8.1.1", "9.0.0", "9.4.0", "10.0.0", "10.2.0"], "sindre") + [
        hit("suport-color", "1.0.1", "2026-02-10", "squatter", **POSTINSTALL)])
    row("2026-03-20", "CanisterWorm", "2026-03-20", DAY, [("@canister-shape/sdk", "2.3.1")], ("@canister-shape/sdk", "2.3.0"), releases=series(
        "@canister-shape/sdk", "2025-01-01", "2026-02-01", ["2.0.0", "2.1.0", "2.2.0", "2.3.0"], "vendor") + [
        hit("@canister-shape/sdk", "2.3.1", "2026-03-20", "vendor", **POSTINSTALL)], why="the name is made up: the shape is that of its first wave")
    machine = by_machine("bitwarden/clients")
    row("2026-04-22", "@bitwarden/cli", "2026-04-22T12:00", 93 * 60, [("@bitwarden/cli", "2026.4.0")], ("@bitwarden/cli", "2026.3.0"), releases=series(
        "@bitwarden/cli", "2025-06-01", "2026-03-15", ["2025.6.0", "2025.9.0", "2025.12.0", "2026.1.0", "2026.3.0"], None, **machine) + [
        hit("@bitwarden/cli", "2026.4.0", "2026-04-22T12:00", None, **machine, **PREINSTALL)])
    machine = by_machine("cap-js/cds-dbs")
    row("2026-04-29", "mbt@1.2.48", "2026-04-29T09:55", 3 * HOUR + 51 * 60, [("mbt", "1.2.48"), ("@cap-js/sqlite", "2.2.2")], ("@cap-js/sqlite", "2.2.1"),
        releases=series("mbt", "2024-01-01", "2026-03-01", ["1.2.29", "1.2.33", "1.2.40", "1.2.47"], "sap") + series(
            "@cap-js/sqlite", "2025-06-01", "2026-03-20", ["2.0.0", "2.1.0", "2.2.0", "2.2.1"], None, **machine) + [
            hit("mbt", "1.2.48", "2026-04-29T09:55", "sap", **PREINSTALL),
            hit("@cap-js/sqlite", "2.2.2", "2026-04-29T09:55", None, **machine, **PREINSTALL)])
    row("2026-05-14", "node-ipc@9.1.6", "2026-05-14", HOURS, [("node-ipc", v) for v in ("9.1.6", "9.2.3", "12.0.1")], ("node-ipc", "12.0.0"), releases=series(
        "node-ipc", "2022-04-01", "2025-09-01", ["11.0.0", "11.1.0", "12.0.0"], "ria") + [
        hit("node-ipc", v, "2026-05-14", "sleeper", i) for i, v in enumerate(("9.1.6", "9.2.3", "12.0.1"))])
    row("2026-05-19", "643 versions", "2026-05-19", HOURS, [("@antv/g2", "5.4.1"), ("size-sensor", "1.0.4")], ("@antv/g2", "5.4.0"), releases=series(
        "@antv/g2", "2024-01-01", "2026-04-10", ["5.1.0", "5.2.0", "5.3.0", "5.4.0"], "ato") + series(
        "size-sensor", "2020-01-01", "2024-01-01", ["1.0.1", "1.0.2", "1.0.3"], "ato") + [
        hit("@antv/g2", "5.4.1", "2026-05-19", "ato", scripts={"preinstall": "bun run index.js"}),
        hit("size-sensor", "1.0.4", "2026-05-19", "ato", scripts={"preinstall": "bun run index.js"})])
    row("2025-03-12 to 2026-05-20", "art-template", "2025-03-12", 434 * DAY, [("art-template", "4.13.3"), ("art-template", "4.13.5")],
        ("art-template", "4.13.2"), releases=series(
            "art-template", "2017-06-01", "2018-11-01", ["4.10.0", "4.12.0", "4.12.2", "4.13.0", "4.13.2"], "aui") + [
            hit("art-template", "4.13.3", "2025-03-12", "taker"), hit("art-template", "4.13.5", "2025-05-20", "taker")],
        why="4.13.5 came ten weeks after the new owner's first release: who is known by then is no change any more")
    machine = by_machine("RedHatInsights/frontend-components")
    row("2026-06-01", "@redhat-cloud-services", "2026-06-01", HOURS, [("@redhat-cloud-services/frontend-components", "6.1.1")],
        ("@redhat-cloud-services/frontend-components", "6.1.0"), releases=series(
            "@redhat-cloud-services/frontend-components", "2025-06-01", "2026-05-10", ["5.9.0", "6.0.0", "6.0.5", "6.1.0"], None, **machine) + [
            hit("@redhat-cloud-services/frontend-components", "6.1.1", "2026-06-01", None, **machine, **PREINSTALL)])
    row("2026-06-03", "Phantom Gyp", "2026-06-03", 2 * HOUR, [("@vapi-ai/server-sdk", "1.4.1")], ("@vapi-ai/server-sdk", "1.4.0"), releases=series(
        "@vapi-ai/server-sdk", "2025-06-01", "2026-05-05", ["1.0.0", "1.2.0", "1.3.0", "1.4.0"], "vapi") + [
        hit("@vapi-ai/server-sdk", "1.4.1", "2026-06-03", "vapi", gypfile=True)],
        why="where the metadata hides the `binding.gyp` too, the archive's look decides: manifest-mismatch")
    machine = by_machine("jaredwray/keyv")
    row("2026-08-04", "keyv@6.0.0", "2026-08-04T09:35", HOURS, [("keyv", "6.0.0")], ("keyv", "5.5.0"), releases=series(
        "keyv", "2025-06-01", "2026-07-01", ["5.3.0", "5.4.0", "5.4.5", "5.5.0"], None, **machine) + [
        hit("keyv", "6.0.0", "2026-08-04T09:35", None, **machine, **PREINSTALL)])
    row("2026-08", "Flooding Dropper", "2026-08-10", WEEKS, [("shop-basket-internal", "9.9.9")], ("chalk", "5.6.0"), releases=[
        hit("shop-basket-internal", "9.9.9", "2026-08-10", "flood")])
    return rows


def nuget(name, version, start, owners, since=None):
    """The facts that NuGet's gate will bring: who owns it, how old it and its package are."""
    return {"v": 1, "ecosystem": "nuget", "name": name, "version": version, "published": int(epoch(start) * 1e6),
            "upstream-time": int(epoch(start) * 1e6), "package-published": int(epoch(since or start) * 1e6), "publishers": list(owners),
            "integrity": "sha512-AAAA", "origin-cooldown": -1}


def nuget_rows():
    rows = []
    json_before = nuget("Newtonsoft.Json", "11.0.2", "2018-03-24", ["jamesnk", "newtonsoft"], "2011-01-08")

    def row(date, package, start, live, name, version, owners, control=json_before, since=None, why=""):
        rows.append(Row(date, package, start, live, [(name, version)], (control["name"], control["version"]), why=why,
                        facts={(name, version): nuget(name, version, start, owners, since), (control["name"], control["version"]): control}))

    row("2020-02 to 2025-12", "Tracer.Fody.NLog", "2020-02-26", 51000 * HOUR, "Tracer.Fody.NLog", "3.2.4", ["csnemess"],
        why="its name adds a word to Tracer.Fody; honest packages do so every day, so it resembles nothing")
    row("2023-03", "Coinbase.Core", "2023-03-01", WEEKS, "Coinbase.Core", "1.0.0", ["squatter"])
    row("2023-08-08", "Moq@4.20.0", "2023-08-08", 2 * DAY, "Moq", "4.20.0", ["kzu", "Moq"], since="2010-12-01",
        control=nuget("Moq", "4.18.4", "2022-12-30", ["kzu", "Moq"], "2010-12-01"))
    row("2023-08 to 2024-07", "60 packages", "2024-06-01", WEEKS, "Gun\u0430.UI2.WinForms", "2.0.4", ["squatter"], why="a Cyrillic letter in the name")
    row("2024-01-24", "SqzrFramework480", "2024-01-24", 1488 * HOUR, "SqzrFramework480", "1.0.0", ["zhaoyushun1999"])
    row("2023-2025", "shanhai666", "2023-08-01", 550 * DAY, "Sharp7Extend", "1.0.0", ["shanhai666"],
        why="it did what it promised, so a team may well have approved it")
    row("2026-02-16", "StripeApi.Net", "2026-02-16", DAYS, "StripeApi.Net", "1.0.0", ["StripePayments"],
        why="its name adds a word to Stripe.net: no look-alike")
    return rows


def attacks(data):
    """attacks.csv, a dict a line; None without it."""
    path = os.path.join(data, "attacks.csv")
    if not os.path.exists(path):
        return None
    with open(path, encoding="utf-8", newline="") as f:
        return list(csv.DictReader(f))


def matched(lines):
    """[(line of the table, its replay)]; a line without a replay, or the other way round, is an error."""
    rows, pairs = npm_rows() + nuget_rows(), []
    for line in lines:
        found = [r for r in rows if r.date == line["date"] and r.package in line["package"] and bool(r.facts) == (line["ecosystem"] == "NuGet")]
        if len(found) != 1:
            raise SystemExit("attacks.csv has %s %s, and %d replays fit it" % (line["date"], line["package"], len(found)))
        pairs.append((line, found[0]))
    if len({id(r) for _, r in pairs}) != len(rows):
        raise SystemExit("a replay has no line in attacks.csv")
    return pairs
