"""allow.publishers with a trusted publisher: only what a private Sigstore's bundle proves counts, whatever the metadata claims."""
import base64
import json
import os
import subprocess
import urllib.parse

import install
from harness import Skip, binary, contains, equal, failed, for_clients, lacks, ok, policy, succeeded, wait_until

SOURCE = "https://github.com/acme/left-pad"
LINE = '    - {publisher: "trusted-publisher:github.com/acme/*", reason: "a test", owner: team, review-by: 2099-01-01}\n'


def forge(t, *words):
    """The private Sigstore (tests/unit/forge.h); its keys lie in a folder of this test."""
    places = [os.path.join(folder, "tests", "unit", "forge") for folder in (os.path.dirname(binary()), os.path.join(install.ROOT, "build-test"))]
    program = next((p for p in places if os.access(p, os.X_OK)), None)
    if not program:
        raise Skip("the maker of bundles is not built: %s (./dev test builds it)" % os.path.relpath(places[-1]))
    folder = os.path.join(t.folder, "sigstore")
    os.makedirs(folder, exist_ok=True)
    return subprocess.run([program, folder, *words], capture_output=True, check=True, timeout=30).stdout


class Bundles:
    """A fake registry's answers about attestations, by "name@version"."""

    def __init__(self, t, fake):
        self.t, self.fake, self.answers, self.status = t, fake, {}, None
        fake.hook = self.answer
        forge(t, "none", "0.0.0", "00" * 64)

    def answer(self, handler):
        path = urllib.parse.unquote(handler.path)
        if "/-/npm/v1/attestations/" not in path:
            return False
        found = self.answers.get(path.split("/attestations/", 1)[1])
        self.fake.send(handler, self.status or (200 if found else 404), found or b"{}")
        return True

    def publish(self, name, version, flaw=None, claim=True, bundle=True, source=SOURCE, **more):
        dist = {"attestations": {"url": self.fake.url + "-/npm/v1/attestations/" + name + "@" + version,
                                 "provenance": {"predicateType": "https://slsa.dev/provenance/v1"}}}
        entry = self.fake.publish(name, version, dist=dist if claim else None,
                                  repository={"type": "git", "url": "git+" + SOURCE + ".git"}, **more)
        if bundle:
            digest = base64.b64decode(entry["dist"]["integrity"].split("-", 1)[1]).hex()
            self.answers["%s@%s" % (name, version)] = forge(self.t, name, version, digest, source, *([flaw] if flaw else []))
        return entry

    def asked(self):
        return [urllib.parse.unquote(r.path).split("/attestations/")[1] for r in self.fake.asked("/attestations/")]

    def keys(self):
        folder = os.path.join(self.t.folder, "sigstore")
        return "provenance: {fulcio-ca-file: %s/ca.pem, rekor-key-file: %s/log.pem}" % (folder, folder)


def rules(fake, keys="", mode="enforce"):
    return policy(fake.url, registry=keys, extra="allow:\n  mode: %s\n  roots: []\n  publishers:\n%s" % (mode, LINE))


def lab(t, keys=True, **more):
    fake = t.fake()
    bundles = Bundles(t, fake)
    return bundles, lambda: t.gate(rules(fake, bundles.keys() if keys else "", **more))


def verdict(gate, name, version):
    answer = gate.get("/%s/%s" % (name.replace("/", "%2f"), version))
    return answer.status, answer.json().get("error", "") if answer.status == 403 else ""


@for_clients("npm-11", "pnpm-10")
def test_a_verified_source_approves(t, client):
    bundles, start = lab(t)
    bundles.publish("left-pad", "1.0.0")
    bundles.publish("@acme/tool", "1.0.0")
    gate = start()
    c = t.client(client, gate)
    project = t.project(c, {"dependencies": {"left-pad": "^1.0.0", "@acme/tool": "^1.0.0"}})
    succeeded(c.do("install", project))
    ok("left-pad" in project.installed() and "@acme/tool" in project.installed(), project.installed())


def test_what_a_verified_source_needs_comes_along(t):
    """The walk did not know what was proved, so what such a root needs was refused."""
    bundles, start = lab(t)
    bundles.fake.publish("needed", "1.0.0")
    bundles.publish("left-pad", "1.0.0", dependencies={"needed": "^1.0.0"})
    bundles.fake.publish("unproved", "1.0.0")
    bundles.publish("claimed", "1.0.0", flaw="payload", dependencies={"unproved": "^1.0.0"})
    gate = start()
    equal(verdict(gate, "left-pad", "1.0.0")[0], 200)
    equal(verdict(gate, "claimed", "1.0.0")[0], 403)
    wait_until(lambda: verdict(gate, "needed", "1.0.0")[0] == 200, "what the proved root needs", 30)
    equal(verdict(gate, "unproved", "1.0.0")[0], 403)


@for_clients("npm-11", "pnpm-10")
def test_a_tampered_bundle_does_not_approve(t, client):
    bundles, start = lab(t)
    bundles.publish("left-pad", "1.0.0", flaw="payload")
    gate = start()
    c = t.client(client, gate)
    project = t.project(c, {"dependencies": {"left-pad": "^1.0.0"}})
    contains(failed(c.do("install", project)).text, "not-approved")


def test_each_way_of_not_being_proved_is_held_and_said(t):
    bundles, start = lab(t)
    rows = {"digest": "another artifact", "payload": "it was changed", "other-root": "does not come from a configured authority",
            "unknown-log": "a log whose key is not configured", "expired": "was not valid at", "no-proof": "no proof",
            "foreign-issuer": "does not vouch", "set-key": "log's key"}
    for flaw in rows:
        bundles.publish("of-" + flaw, "1.0.0", flaw=flaw)
    gate = start()
    for flaw, why in rows.items():
        status, sentence = verdict(gate, "of-" + flaw, "1.0.0")
        equal(status, 403, flaw)
        contains(sentence, "names an approved source, which was not verified (not-approved)")
        contains(gate.tail(20000), why)


def test_a_claim_alone_does_not_approve(t):
    bundles, start = lab(t)
    bundles.publish("without-bundle", "1.0.0", bundle=False)
    bundles.publish("without-claim", "1.0.0", claim=False)
    bundles.publish("from-elsewhere", "1.0.0", source="https://github.com/mallory/left-pad")
    gate = start()
    equal(verdict(gate, "without-bundle", "1.0.0")[0], 403)
    equal(verdict(gate, "without-claim", "1.0.0")[0], 403)
    equal(verdict(gate, "from-elsewhere", "1.0.0")[0], 403)
    ok("without-claim@1.0.0" not in bundles.asked(), "nobody asks for what is not claimed")
    # A bundle of another version, and of another package, handed out as this one's.
    bundles.publish("left-pad", "1.0.0")
    bundles.publish("left-pad", "1.0.1", bundle=False)
    bundles.answers["left-pad@1.0.1"] = bundles.answers["left-pad@1.0.0"]
    equal(verdict(gate, "left-pad", "1.0.0")[0], 200)
    equal(verdict(gate, "left-pad", "1.0.1")[0], 403)
    equal(set(gate.document("left-pad")["versions"]), {"1.0.0"})


def test_without_keys_the_line_cannot_be_judged_and_says_so(t):
    bundles, start = lab(t, keys=False)
    bundles.publish("left-pad", "1.0.0")
    gate = start()
    status, sentence = verdict(gate, "left-pad", "1.0.0")
    equal(status, 403)
    contains(sentence, "not verified (not-approved)")
    contains(gate.tail(20000), "a line trusted-publisher: of allow.publishers cannot be judged")
    equal(bundles.asked(), [])
    other = t.gate(rules(bundles.fake, bundles.keys()))
    equal(verdict(other, "left-pad", "1.0.0")[0], 200)


def test_a_verdict_is_remembered(t):
    bundles, start = lab(t)
    bundles.publish("left-pad", "1.0.0")
    gate = start()
    equal(verdict(gate, "left-pad", "1.0.0")[0], 200)
    gate.stop()
    asked = len(bundles.asked())
    equal(asked, 1)
    bundles.status = 503
    gate.start()
    equal(verdict(gate, "left-pad", "1.0.0")[0], 200)
    equal(len(bundles.asked()), asked, "remembered")


def test_a_registry_in_trouble_is_asked_again(t):
    bundles, start = lab(t)
    bundles.publish("left-pad", "1.0.0")
    bundles.status = 503
    gate = start()
    equal(verdict(gate, "left-pad", "1.0.0")[0], 403)
    gate.stop()
    bundles.status = None
    gate.start()
    equal(verdict(gate, "left-pad", "1.0.0")[0], 200)


def test_only_versions_that_a_line_would_approve_are_asked_for(t):
    bundles, start = lab(t)
    for n in range(80):
        bundles.publish("many", "1.0.%d" % n, bundle=False, age="%dd" % (400 - n))
    bundles.fake.publish("other", "1.0.0", repository="https://github.com/mallory/other",
                         dist={"attestations": {"provenance": {"predicateType": "https://slsa.dev/provenance/v1"}}})
    gate = start()
    equal(verdict(gate, "other", "1.0.0")[0], 403)
    equal(bundles.asked(), [])
    equal(verdict(gate, "many", "1.0.79")[0], 403)
    equal(set(bundles.asked()), {"many@1.0.%d" % n for n in range(16, 80)}, "the newest 64")


def test_mode_report_waits_for_nobody_and_serves(t):
    bundles, start = lab(t, mode="report")
    bundles.publish("left-pad", "1.0.0", flaw="payload")
    gate = start()
    equal(verdict(gate, "left-pad", "1.0.0")[0], 200)


def test_trust_that_cannot_be_read_stops_the_start(t):
    bundles, _ = lab(t)
    folder = os.path.join(t.folder, "sigstore")
    for text, why in (("provenance: {fulcio-ca-file: %s/ca.pem}" % folder, "without rekor-key-file"),
                      ("provenance: {fulcio-ca-file: %s/log.pem, rekor-key-file: %s/log.pem}" % (folder, folder), "a CERTIFICATE is expected"),
                      ("provenance: {fulcio-ca-file: %s/nothing.pem, rekor-key-file: %s/log.pem}" % (folder, folder), "nothing.pem")):
        try:
            t.gate(rules(bundles.fake, text))
        except AssertionError as e:
            contains(str(e), why)
        else:
            raise AssertionError("the gate started with " + text)
