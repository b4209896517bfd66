"""Asks the policies about the history, each question at its time: `bondgate explain --at` against a registry that shows what there was at that
time, with a state of its own and no advisories at all; NuGet's rows by facts_probe."""
import concurrent.futures
import json
import os
import re
import subprocess
import sys
import tempfile
import urllib.parse

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests", "clients"))

import history                                     # noqa: E402
from fake import FakeRegistry, from_iso, iso       # noqa: E402

POLICIES = ("bare", "default", "strict", "approved")    # the last one only where nobody had approved it
BARE = """version: 1
registries:
  npm: {upstream: auto}
cooldown: {default: 7d, new-dependency: 0, install-script: 0, new-binary: 0, remote-dependency: 0}
deny: {malware: {mode: off}, vulnerabilities: {mode: off}}
continuity: {mode: off}
rules: {look-alike: {mode: off}, signature-invalid: {mode: off}, dependency-held: {mode: off}, withdrawn: {mode: off}}
"""


class HistoryRegistry(FakeRegistry):
    """/at/SECONDS/NAME is the packument of that time: what was published by then and not removed yet."""
    def __init__(self, releases):
        super().__init__()
        self.gone, self.made = {}, {}
        for r in sorted(releases, key=lambda r: r.when):
            manifest = dict(r.manifest)
            if r.by:
                manifest["_npmUser"] = {"name": r.by, "email": r.by + "@mail.example"}
            self.publish(r.name, r.version, age=None, tag=manifest.pop("tag", "latest"), dist=manifest.pop("dist", None), **manifest)
            self.documents[r.name]["time"][r.version] = iso(r.when)
            self.gone[r.name, r.version] = r.gone or float("inf")

    def snapshot(self, name, at):
        """Its bytes; many questions ask for the same."""
        if (name, at) not in self.made:
            document = self.document(name, at)
            self.made[name, at] = json.dumps(document).encode() if document else None
        return self.made[name, at]

    def document(self, name, at):
        whole = self.documents.get(name)
        if not whole:
            return None
        there = [v for v in whole["versions"] if from_iso(whole["time"][v]) <= at < self.gone[name, v]]
        if not there:
            return None
        latest = max(there, key=lambda v: from_iso(whole["time"][v]))
        return dict(whole, versions={v: whole["versions"][v] for v in there}, time={v: whole["time"][v] for v in there},
                    **{"dist-tags": {"latest": latest}})

    def route(self, handler):
        found = re.match(r"/at/(\d+)/([^?]+)$", urllib.parse.unquote(handler.path))
        document = self.snapshot(found.group(2), int(found.group(1))) if found else None
        if document is None:
            return self.send(handler, 404, b'{"error":"Not found"}')
        return self.send(handler, 200, document)


class Replay:
    def __init__(self, bondgate, probe, pairs):
        self.bondgate, self.probe, self.pairs = bondgate, probe, pairs
        self.folder = tempfile.TemporaryDirectory(prefix="bondgate-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
        self.registry = HistoryRegistry([release for _, row in pairs for release in row.releases])
        self.texts = {"bare": BARE, "default": self.shipped("default"), "strict": self.strict(history.ROOTS)}
        # What if the imitation itself had been approved?
        names = {("nuget:" if row.facts else "npm:") + n for _, row in pairs for n, _ in row.asked if n.isascii()}
        self.texts["approved"] = self.strict(sorted(names | set(history.ROOTS)))
        self.count = 0

    def close(self):
        self.registry.close()
        self.folder.cleanup()

    def shipped(self, name):
        return subprocess.run([self.bondgate, "policy", "shipped", name], capture_output=True, text=True, check=True).stdout

    def strict(self, roots):
        """The shipped text with its commented list of roots filled in, and nothing else changed."""
        lines = "".join('    - {name: "%s", reason: "in use", owner: team, review-by: 2099-01-01}\n' % r for r in roots)
        text, count = re.subn(r"(?m)^  #roots:\n(  #  - .*\n)+", lambda _: "  roots:\n" + lines, self.shipped("strict"))
        if count != 1:
            raise SystemExit("the shipped policy `strict` has no commented list of roots where the replay puts its own")
        return text

    def place(self):
        self.count += 1
        path = os.path.join(self.folder.name, str(self.count))
        os.makedirs(path)
        return path

    def explain(self, policy, row, name, version, at):
        """The JSON of explain, as of `at`."""
        folder = self.place()
        file = os.path.join(folder, "bondgate.yaml")
        with open(file, "w", encoding="utf-8") as f:
            f.write(self.texts[policy].replace(
                "upstream: auto", 'upstream: "%sat/%d/", client-default: "https://npm.registry.example/"' % (self.registry.url, at)))
        if row.facts:
            command, given = [self.probe, file], "%s\t%s\n" % (iso(at), json.dumps(row.facts[name, version]))
        else:
            command = [self.bondgate, "explain", "npm:%s@%s" % (name, version), "--json", "--at", iso(at), "--policy", file,
                       "--state", os.path.join(folder, "state")]
            given = ""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("BONDGATE_") and k != "XDG_STATE_HOME"}
        done = subprocess.run(command, input=given, capture_output=True, text=True, cwd=folder, env=environment)
        if done.returncode not in (0, 1):
            raise SystemExit("%s: %s" % (" ".join(command), done.stderr[-2000:]))
        answer = json.loads(done.stdout)
        if any(r["code"] == "unknown" for r in answer["reasons"]):
            raise SystemExit("the replay's registry lacks %s@%s at %s" % (name, version, iso(at)))
        return answer

    def life(self, policy, row, name, version):
        """From when until when it is held while it lived, and by what."""
        at, end = row.begins[name, version] + history.ASKED_AFTER, row.end - 60
        first = self.explain(policy, row, name, version, at)
        held = {"held": first["decision"] != "allow", "by": codes(first, True), "reports": codes(first, False), "until": None, "whole": False}
        answer = first
        while answer["decision"] != "allow" and at < end:
            if answer["until"] is None or from_iso(answer["until"]) >= end:
                at = end
            else:
                at = from_iso(answer["until"]) + 1
            answer = self.explain(policy, row, name, version, at)
        held["whole"] = held["held"] and answer["decision"] != "allow"
        last = answer if held["whole"] else first
        held["by"] = held["by"] if not held["whole"] else codes(answer, True) + [c for c in held["by"] if c not in codes(answer, True)]
        held["until"] = last["until"] if held["held"] else None
        held["ends"] = (at - 1 if not held["whole"] else None) if held["held"] else row.start
        if not held["held"] and self.explain(policy, row, name, version, end)["decision"] != "allow":
            raise SystemExit("%s@%s is held late and not at first" % (name, version))
        return held

    def before(self, policy, row):
        """The honest control at the time of the attack."""
        return self.explain(policy, row, *row.control, row.start + history.ASKED_AFTER)

    def run(self):
        """[{line, row, versions: {(name, version): {policy: held}}, control: {policy: answer}}]"""
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            out = []
            for line, row in self.pairs:
                versions = {asked: {p: pool.submit(self.life, p, row, *asked) for p in POLICIES[:3]} for asked in row.asked}
                out.append((line, row, versions, {p: pool.submit(self.before, p, row) for p in POLICIES[:3]}))
            for _, row, versions, _ in out:
                for (name, version), by in versions.items():
                    if "not-approved" in by["strict"].result()["by"] and name.isascii():
                        by["approved"] = pool.submit(self.life, "approved", row, name, version)
            return [{"line": line, "row": row, "versions": {a: {p: f.result() for p, f in by.items()} for a, by in versions.items()},
                     "control": {p: f.result() for p, f in control.items()}} for line, row, versions, control in out]


def codes(answer, enforced):
    out = []
    for reason in answer["reasons"]:
        if reason["enforced"] == enforced and reason["decision"] != "allow" and reason["code"] not in out:
            out.append(reason["code"])
    return out
