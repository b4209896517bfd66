"""What a version gained and who signed it, from the metadata and from the archive, through the real gate.

What only the archive tells is found when the first one asks for it: that download is refused before its last byte, and everybody's
from then on.
"""
import base64
import http.client
import json
import os
import subprocess

from harness import contains, equal, lacks, ok, policy, wait_until

ENFORCED = "rules:\n  new-binary: {mode: enforce}\n  install-script: {mode: enforce}\n"


def fetch(gate, name, version):
    try:
        return gate.get("/%s/-/%s-%s.tgz" % (name, name, version)).status
    except http.client.IncompleteRead:
        return 403


def test_native_code_in_the_archive_is_found_with_the_first_download(t):
    fake = t.fake()
    fake.publish("grown", "1.0.0", age="300d")
    fake.publish("grown", "1.0.1", age="10d", files={"index.js": "", "build/x.bin": b"\x7fELF\x02\x01\x01" + bytes(64)})
    gate = t.gate(policy(fake.url, extra=ENFORCED))
    equal(fetch(gate, "grown", "1.0.0"), 200)
    contains(gate.versions("grown"), "1.0.1")      # 10 days old: nothing is known against it yet
    equal(fetch(gate, "grown", "1.0.1"), 403)
    wait_until(lambda: "1.0.1" not in gate.versions("grown"), "it is hidden from everybody")
    explained = gate.explain("npm:grown@1.0.1")
    equal(explained["decision"], "hold")
    contains([r["code"] for r in explained["reasons"]], "new-binary")
    contains(" ".join(r["text"] for r in explained["reasons"]), "build/x.bin")
    equal(gate.who_has("npm:grown@1.0.1")["receipts"], [])


def test_native_code_that_was_always_there_holds_nothing(t):
    fake = t.fake()
    for version, age in (("1.0.0", "300d"), ("1.0.1", "10d")):
        fake.publish("usual", version, age=age, files={"index.js": "", "x.node": version})
    gate = t.gate(policy(fake.url, extra=ENFORCED))
    equal(fetch(gate, "usual", "1.0.0"), 200, "old enough, whatever it holds")
    equal(fetch(gate, "usual", "1.0.1"), 200)


def test_native_code_in_mode_report_is_served(t):
    fake = t.fake()
    fake.publish("grown", "1.0.0", age="300d")
    fake.publish("grown", "1.0.1", age="10d", files={"index.js": "", "x.node": "x"})
    gate = t.gate(policy(fake.url, extra="rules:\n  new-binary: {mode: report}\n"))
    equal(fetch(gate, "grown", "1.0.0"), 200)
    equal(fetch(gate, "grown", "1.0.1"), 200)
    equal(fetch(gate, "grown", "1.0.1"), 200)


def test_a_script_and_its_change_wait_longer(t):
    fake = t.fake()
    fake.publish("scripted", "1.0.0", age="300d")
    fake.publish("scripted", "1.1.0", age="100d", scripts={"postinstall": "node a.js"}, files={"a.js": ""})
    fake.publish("scripted", "1.2.0", age="10d", scripts={"postinstall": "node b.js"}, files={"b.js": ""})
    fake.publish("scripted", "1.2.1", age="9d", scripts={"postinstall": "node b.js"}, files={"b.js": ""})
    gate = t.gate(policy(fake.url, extra=ENFORCED))
    equal(gate.versions("scripted"), {"1.0.0", "1.1.0"})
    equal(fetch(gate, "scripted", "1.2.1"), 403)
    contains(" ".join(r["text"] for r in gate.explain("npm:scripted@1.2.1")["reasons"]), "postinstall")


def openssl(*arguments, stdin=b""):
    return subprocess.run(("openssl",) + arguments, input=stdin, capture_output=True, check=True).stdout


def test_a_signature_that_does_not_fit_is_refused_and_other_keys_are_read_again(t):
    fake = t.fake()
    folder = t.path("keys")
    os.makedirs(folder)
    for name in ("one", "two"):
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", folder + "/%s.pem" % name)

    def keys_json(name):
        der = openssl("ec", "-in", folder + "/%s.pem" % name, "-pubout", "-outform", "DER")
        return json.dumps({"keys": [{"keyid": "SHA256:k", "keytype": "ecdsa-sha2-nistp256", "scheme": "ecdsa-sha2-nistp256",
                                     "expires": None, "key": base64.b64encode(der).decode()}]})

    def signed(name, version, by, text=None):
        integrity = fake.publish(name, version)["dist"]["integrity"]
        sig = openssl("dgst", "-sha256", "-sign", folder + "/%s.pem" % by, stdin=(text or "%s@%s:%s" % (name, version, integrity)).encode())
        fake.publish(name, version, dist={"signatures": [{"keyid": "SHA256:k", "sig": base64.b64encode(sig).decode()}]})

    signed("signed", "1.0.0", "one")
    signed("signed", "1.1.0", "one", text="signed@1.1.0:sha512-another")
    fake.publish("signed", "1.2.0")
    file = os.path.join(folder, "keys.json")
    with open(file, "w") as f:
        f.write(keys_json("one"))
    gate = t.gate(policy(fake.url, registry='keys: ["%s"]' % file, extra="rules:\n  signature-invalid: {mode: enforce}\n"))
    equal(gate.versions("signed"), {"1.0.0", "1.2.0"})
    equal(fetch(gate, "signed", "1.1.0"), 403)
    contains([r["code"] for r in gate.explain("npm:signed@1.1.0")["reasons"]], "signature-invalid")
    with open(file, "w") as f:
        f.write(keys_json("two"))
    wait_until(lambda: gate.versions("signed") == {"1.2.0"}, "what the old key signed does not fit the new one")


def refusals(gate):
    return [(r["purl"], r["decision"]) for r in gate.log() if r["kind"] == "refusal"]


def test_what_an_archive_shows_is_recorded_with_its_own_reason(t):
    fake = t.fake()
    for name, files in (("native", {"x.node": "x"}), ("built", {"binding.gyp": "{}", "index.js": ""})):
        fake.publish(name, "1.0.0", age="300d")
        fake.publish(name, "1.0.1", age="10d", files=files, **({"gypfile": True} if name == "built" else {}))
    fake.publish("lying", "1.0.0", age="300d", archive={"scripts": {"postinstall": "node x.js"}})
    gate = t.gate(policy(fake.url, extra=ENFORCED))
    for name in ("native", "built"):
        equal(fetch(gate, name, "1.0.0"), 200)
        equal(fetch(gate, name, "1.0.1"), 403)
    answer = gate.get("/lying/-/lying-1.0.0.tgz")
    equal(answer.status, 403)
    contains(answer.json()["error"], "manifest-mismatch")
    equal(dict(refusals(gate)), {"pkg:npm/native@1.0.1": "hold new-binary", "pkg:npm/built@1.0.1": "hold install-script",
                                 "pkg:npm/lying@1.0.0": "deny manifest-mismatch"})


def whitelist(*roots):
    lines = "".join('    - {name: "npm:%s", reason: "a test", owner: team, review-by: 2099-01-01}\n' % r for r in roots)
    return "allow:\n  mode: enforce\n  roots:\n" + lines


def test_an_archive_is_judged_by_what_the_clearance_knows(t):
    """What an approved root needs is not refused as unapproved because its archive holds something that is only reported."""
    fake = t.fake()
    fake.publish("app", "1.0.0", age="300d", dependencies={"needed": "^1.0.0"})
    fake.publish("needed", "1.0.0", age="300d")
    fake.publish("needed", "1.0.1", age="10d", files={"index.js": "", "x.node": "x"})
    reported = t.gate(policy(fake.url, extra=whitelist("app") + "rules:\n  new-binary: {mode: report}\n"))
    equal(fetch(reported, "needed", "1.0.0"), 200)
    equal(fetch(reported, "needed", "1.0.1"), 200)
    equal(refusals(reported), [])
    enforced = t.gate(policy(fake.url, extra=whitelist("app") + ENFORCED))
    equal(fetch(enforced, "needed", "1.0.0"), 200)
    equal(fetch(enforced, "needed", "1.0.1"), 403)
    equal(refusals(enforced), [("pkg:npm/needed@1.0.1", "hold new-binary")])
