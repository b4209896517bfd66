#!/usr/bin/env python3
"""The advisory index beside a running gate: what it says counts from the moment that it is swapped, also for what was served before."""
import json
import os
import sys
import time

from gate_tools import equal, fetch, main, ok, policy, wait_until

WITHIN = 10   # seconds; the watch looks at once, the poll behind it every five


def records(folder, *ids, package="lab-a", versions=("1.0.0",), **more):
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, "feed.json")
    with open(path, "w", encoding="ascii") as f:
        json.dump([dict({"id": i, "modified": "2024-01-01T00:00:00Z", "published": "2024-01-01T00:00:00Z", "summary": "Malicious code in " + package,
                         "affected": [{"package": {"ecosystem": "npm", "name": package}, "versions": list(versions)}]}, **more) for i in ids], f)
    return path


def feed(gate, *arguments):
    code, out, errors = gate.command("feed", *arguments)
    return code, out + errors


def refused(gate, name, version):
    answer = fetch(gate, name, version)
    return answer is not None and answer.status in (403, 404, 451)


def test_an_imported_index_counts_at_once_also_for_what_is_cached(t):
    fake = t.fake().lab()
    gate = t.gate(policy(fake.url))
    version = sorted(gate.versions("lab-a"))[0]
    equal(fetch(gate, "lab-a", version).status, 200)
    code, text = feed(gate, "import", records(t.path("osv"), "MAL-2024-1", versions=[version]))
    equal(code, 0, text)
    begun = time.monotonic()
    wait_until(lambda: refused(gate, "lab-a", version), "the cached artifact is refused", WITHIN)
    ok(time.monotonic() - begun < WITHIN)
    ok(version not in gate.versions("lab-a"), gate.versions("lab-a"))
    # Withdrawn, it is served again.
    code, text = feed(gate, "import", records(t.path("osv"), "MAL-2024-1", versions=[version], modified="2024-02-01T00:00:00Z",
                                              withdrawn="2024-02-01T00:00:00Z"))
    equal(code, 0, text)
    wait_until(lambda: not refused(gate, "lab-a", version), "what is no malware is served again", WITHIN)


def test_a_damaged_index_does_not_come_into_force(t):
    fake = t.fake().lab()
    gate = t.gate(policy(fake.url))
    version = sorted(gate.versions("lab-a"))[0]
    code, text = feed(gate, "import", records(t.path("osv"), "MAL-2024-1", versions=[version]))
    equal(code, 0, text)
    wait_until(lambda: refused(gate, "lab-a", version), "malware is refused", WITHIN)
    index = os.path.join(gate.state, "advisories.idx")
    with open(index, "rb") as f:
        data = bytearray(f.read())
    data[-20] ^= 1
    with open(index + ".bad", "wb") as f:
        f.write(data)
    os.rename(index + ".bad", index)
    wait_until(lambda: "damaged" in gate.tail(20000), "the gate says that the index is damaged", WITHIN)
    ok(refused(gate, "lab-a", version), "the last good index is not in force any more")
    equal(gate.get("/lab-a").status, 200)
    code, text = feed(gate, "status")
    equal(code, 3, text)
    ok("--fresh" in text, text)
    code, text = feed(gate, "import", records(t.path("osv"), "MAL-2024-2", package="lab-x", versions=["9.9.9"]))
    equal(code, 3, text)
    code, text = feed(gate, "import", "--fresh", records(t.path("osv"), "MAL-2024-2", package="lab-x", versions=["9.9.9"]))
    equal(code, 0, text)
    wait_until(lambda: not refused(gate, "lab-a", version), "the new index is in force", WITHIN)


def test_the_audit_answers_from_the_index(t):
    fake = t.fake().lab()
    gate = t.gate(policy(fake.url))
    path = records(t.path("osv"), "GHSA-1", summary="Too much of it", aliases=["CVE-2024-1"], database_specific={"cwe_ids": ["CWE-79"]},
                   severity=[{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}])
    code, text = feed(gate, "import", path)
    equal(code, 0, text)

    def audit():
        answer = gate.request("POST", "/npm/-/npm/v1/security/advisories/bulk", {"Content-Type": "application/json"}, json.dumps({"lab-a": ["1.0.0"]}).encode())
        equal(answer.status, 200, answer)
        return answer.json()
    wait_until(lambda: audit() != {}, "the audit knows it", WITHIN)
    found = audit()["lab-a"][0]
    equal(found["cvss"], {"score": 9.8, "vectorString": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"})
    equal(found["cwe"], ["CWE-79"])
    equal(found["severity"], "critical")


if __name__ == "__main__":
    main(sys.modules[__name__])
