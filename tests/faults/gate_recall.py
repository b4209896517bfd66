#!/usr/bin/env python3
"""A version that was handed out turns out to be bad: incidents, who is concerned, and the brake for feeds that are wrong."""
import json
import os
import sys

from gate_feed import feed, records
from gate_tools import equal, fetch, main, ok, policy, wait_until

WITHIN = 15
CRITICAL = [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]


def incidents(gate, *words):
    code, out, errors = gate.command("incidents", *words, "--json")
    return code, json.loads(out) if out.strip() else errors


def handed_out(t, more=""):
    fake = t.fake().lab()
    gate = t.gate(policy(fake.url) + more)
    version = sorted(gate.versions("lab-a"))[0]
    equal(fetch(gate, "lab-a", version).status, 200)
    return fake, gate, version


def test_malware_that_was_handed_out_becomes_an_incident_once(t):
    _, gate, version = handed_out(t)
    equal(incidents(gate)[0], 0)
    equal(feed(gate, "import", records(t.path("osv"), "MAL-2024-1", versions=[version]))[0], 0)
    wait_until(lambda: incidents(gate)[0] == 1, "there is an incident", WITHIN)
    code, listed = incidents(gate)
    equal(len(listed["incidents"]), 1, listed)
    one = listed["incidents"][0]
    equal((one["purl"], one["what"], one["open"]), ("pkg:npm/lab-a@" + version, "recall malware", True))
    ok("MAL-2024-1" in one["text"] and "1 times" in one["text"], one)
    code, shown = incidents(gate, "show", "npm:lab-a@" + version)
    equal(code, 1, shown)
    equal(len(shown["receipts"]), 1, shown)
    ok("rotate" in shown["runbook"], shown)
    # The same again, after another swap and a restart, is the same incident.
    equal(feed(gate, "import", records(t.path("osv2"), "MAL-2024-2", package="lab-b", versions=["77.0.0"]))[0], 0)
    gate.stop()
    gate.start()
    wait_until(lambda: gate.get("/lab-a").status in (200, 403, 404), "the gate is back", WITHIN)
    wait_until(lambda: "serving" in gate.tail(20000) or True, "it looked", WITHIN)
    equal(len(incidents(gate)[1]["incidents"]), 1)
    code, out, errors = gate.command("incidents", "close", str(one["id"]))
    equal(code, 2, errors)
    code, out, errors = gate.command("incidents", "close", str(one["id"]), "--note", "a test machine, wiped")
    equal(code, 0, errors)
    code, listed = incidents(gate)
    equal((code, listed["incidents"]), (0, []))
    code, listed = incidents(gate, "--all")
    equal(listed["incidents"][0]["note"], "a test machine, wiped")
    ok(listed["incidents"][0]["closed_by"].startswith("local:"), listed)
    code, out, errors = gate.command("incidents", "show", "99999")
    equal(code, 3, errors)


def test_a_denial_in_the_policy_recalls_too(t):
    _, gate, version = handed_out(t)
    with open(gate.policy_file, "a") as f:
        f.write("deny:\n  versions: [\"npm:lab-a@%s\"]\n" % version)
    wait_until(lambda: incidents(gate)[0] == 1, "there is an incident", WITHIN)
    equal(incidents(gate)[1]["incidents"][0]["what"], "recall denied")


ENFORCED = "deny:\n  vulnerabilities: {mode: enforce, at: high}\nadvisories:\n  brake: {projects: 1}\n"


def receive_by(gate, version, *projects):
    for project in projects:
        answer = gate.request("GET", "/t/%s/npm/lab-a/-/lab-a-%s.tgz" % (project, version))
        equal(answer.status, 200, answer)


def test_the_brake_holds_what_a_feed_would_newly_deny_to_many(t):
    _, gate, version = handed_out(t, ENFORCED)
    receive_by(gate, version, "web", "shop")
    path = records(t.path("osv"), "GHSA-1", versions=[version], severity=CRITICAL, summary="Too much of it")
    equal(feed(gate, "import", path)[0], 0)
    wait_until(lambda: feed(gate, "pending")[0] == 1, "the brake holds it", WITHIN)
    waiting = json.loads(gate.command("feed", "pending", "--json")[1])
    equal([(w["advisory"], w["package"], w["state"]) for w in waiting], [("GHSA-1", "lab-a", "pending")])
    ok(waiting[0]["projects"] >= 2, waiting)
    equal(fetch(gate, "lab-a", version).status, 200)
    equal([i["what"] for i in incidents(gate)[1]["incidents"]], ["brake vulnerable"])
    # Malware of the same feed is not held.
    other = [v for v in sorted(gate.versions("lab-a")) if v != version][0]
    receive_by(gate, other, "web", "shop", "mail")
    equal(feed(gate, "import", records(t.path("osv2"), "MAL-2024-1", versions=[other]))[0], 0)
    wait_until(lambda: fetch(gate, "lab-a", other).status == 403, "malware is refused at once", WITHIN)
    equal(fetch(gate, "lab-a", version).status, 200)
    # A restart does not forget what waits.
    gate.stop()
    gate.start()
    equal(fetch(gate, "lab-a", version).status, 200)
    code, text = feed(gate, "pending", "accept", "GHSA-2")
    equal(code, 3, text)
    code, text = feed(gate, "pending", "accept", "GHSA-1", "--note", "looked at it")
    equal(code, 0, text)
    wait_until(lambda: fetch(gate, "lab-a", version).status == 403, "accepted, it counts", WITHIN)
    code, text = feed(gate, "pending", "reject", "GHSA-1", "--note", "not reachable here")
    equal(code, 0, text)
    wait_until(lambda: fetch(gate, "lab-a", version).status == 200, "rejected, it does not", WITHIN)


def test_few_receivers_do_not_brake(t):
    _, gate, version = handed_out(t, ENFORCED.replace("projects: 1", "projects: 5"))
    equal(feed(gate, "import", records(t.path("osv"), "GHSA-1", versions=[version], severity=CRITICAL, summary="Too much of it"))[0], 0)
    wait_until(lambda: fetch(gate, "lab-a", version).status == 403, "it is refused", WITHIN)
    equal(feed(gate, "pending")[0], 0)


if __name__ == "__main__":
    main(sys.modules[__name__])
