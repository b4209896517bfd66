"""bondgate report: one page for those who answer for the policy."""
import json
import time

from harness import contains, equal, lacks, ok, policy, wait_until
from test_people import Person, asked, known

LINES = """
allow:
  mode: "off"
  roots:
    - {name: "npm:lab-a", reason: "platform", owner: web-team, review-by: 2026-01-31}
    - {name: "npm:lab-z", reason: "platform", owner: web-team, review-by: 2099-01-31}
deny:
  versions: ["npm:lab-a@1.0.0"]
exemptions:
  - {package: "npm:lab-c", rules: [cooldown], reason: "a | b", owner: jo, approved-by: kim, expires: %s}
  - {package: "npm:lab-d", rules: [cooldown], reason: "long", owner: jo, approved-by: kim, expires: %s}
"""


def day(ahead):
    return time.strftime("%Y-%m-%d", time.gmtime(time.time() + ahead * 86400))


def test_one_page_says_what_was_and_would_be_refused(t):
    fake = t.fake().lab()
    fake.publish("lab-c", "1.0.0", age="90d")
    fake.publish("lab-c", "1.0.1", age="2h")
    text = policy(fake.url, extra=LINES % (day(5), day(60))).replace("  default: 7d", "  mode: report\n  default: 7d")
    gate = t.gate(text)
    for version, status in (("1.0.0", 403), ("1.1.0", 200), ("1.2.0", 200)):
        equal(gate.request("GET", "/t/web/npm/lab-a/-/lab-a-%s.tgz" % version).status, status)
    gate.get("/lab-a/-/lab-a-1.2.0.tgz")
    equal(gate.get("/lab-c/-/lab-c-1.0.1.tgz").status, 200)
    wait_until(lambda: len([r for r in gate.log() if r["kind"] in ("receipt", "refusal")]) == 5, "five decisions")
    code, out, errors = gate.command("report", "--json")
    equal(code, 0, errors)
    page = json.loads(out)
    equal(page["would_refuse_rules"], [{"rule": "cooldown", "count": 2}])
    equal([(r["package"], r["project"], r["count"]) for r in page["would_refuse"]],
          [("npm:lab-a@1.2.0", "web", 1), ("npm:lab-a@1.2.0", None, 1)][::1 if page["would_refuse"][0]["project"] else -1])
    equal(page["refused_rules"], [{"rule": "denied", "count": 1}])
    equal([(r["project"], r["rule"]) for r in page["refused_projects"]], [("web", "denied")])
    equal([(r["state"], r["what"], r["owner"]) for r in page["reviews"]], [("overdue", "npm:lab-a", "web-team")])
    ok(page["reviews"][0]["source"].rsplit("/", 1)[-1].startswith("bondgate.yaml:"), page["reviews"])
    equal([(r["state"], r["package"]) for r in page["exemptions"]], [("ends", "npm:lab-c")])
    equal((page["requests"], page["break_glass"], page["incidents"]), ([], [], []))
    contains(" ".join(page["summary"]), "4 artifacts handed out, 1 refusals", "2 of those", "1 were handed out because of an exemption")
    code, out, _ = gate.command("report")
    equal(code, 0)
    contains(out, "npm:lab-a@1.2.0", "cooldown", "overdue", "web-team", "never used")
    lacks(out, "\x1b[")
    code, out, _ = gate.command("report", "--markdown")
    contains(out, "# Bondgate", "| rule | count |", "a \\| b")
    # Nothing since then is said, and is no error.
    code, out, _ = gate.command("report", "--since", "0")
    equal(code, 0)
    contains(out, "nothing was recorded")


def test_report_used_wrongly(t):
    fake = t.fake().lab()
    gate = t.gate(policy(fake.url))
    for arguments in (("word",), ("--since", "soon"), ("--json", "--markdown")):
        equal(gate.command("report", *arguments)[0], 2, arguments)
    code, _, errors = gate.command("report", "--state", gate.folder + "/nowhere")
    equal(code, 3)
    contains(errors, "there is no store")


def test_incidents_and_requests_are_on_the_page(t):
    fake = t.fake().lab()
    gate = t.gate(policy(fake.url))
    gate.get("/lab-a/-/lab-a-1.1.0.tgz")
    fake.republish("lab-a", "1.1.0")
    wait_until(lambda: gate.get("/lab-a") and gate.incidents("lab-a"), "the incident")
    page = json.loads(gate.command("report", "--json")[1])
    contains(json.dumps(page["incidents"]), "npm:lab-a", "lab-a@1.1.0: sha512-", "hash-changed")


def test_requests_and_break_glass_uses_are_on_the_page(t):
    fake = t.fake().lab()
    fake.publish("lab-b", "9.0.0", age="1h")
    fake.publish("lab-a", "3.0.0", age="1h")
    gate = t.gate(policy(fake.url))
    kim, jo, lee = Person(t, gate, "kim", "requester"), Person(t, gate, "jo", "approver"), Person(t, gate, "lee", "approver")
    known(lee)
    approved, rejected, waiting = (asked(kim, purl, reason=reason, **{"for": "5d"})["id"] for purl, reason in (
        ("npm:lab-a@1.2.0", "its fix"), ("npm:lab-a@3.0.0", "curious"), ("npm:lab-b@9.0.0", "a | b")))
    equal(jo("approve", str(approved))[0], 0)
    equal(jo("reject", str(rejected), "--reason", "no")[0], 0)
    code, _, errors = lee("break-glass", "npm:lab-b@9.0.0", "--reason", "production is down")
    equal(code, 0, errors)
    page = json.loads(gate.command("report", "--json")[1])
    equal([(r["id"], r["package"], r["person"], r["reason"], r["state"]) for r in page["requests"]],
          [(str(waiting), "npm:lab-b@9.0.0", "kim", "a | b", "open")])
    equal([(r["package"], r["person"], r["reason"]) for r in page["break_glass"]], [("npm:lab-b@9.0.0", "lee", "production is down")])
    # What was granted for five days is about to end, and belongs to who asked.
    equal([(r["state"], r["package"], r["owner"], r["source"]) for r in page["exemptions"]],
          [("ends", "npm:lab-a@1.2.0", "kim", "request %d" % approved)])
    text = gate.command("report")[1]
    contains(text, "Break-glass", "production is down", "lee", "npm:lab-b@9.0.0", "request %d" % approved)
    lacks(text, "never used", "curious")
    contains(gate.command("report", "--markdown")[1], "a \\| b")
    # What is over is no longer said: the request is withdrawn, the break-glass stays on the page as a use.
    equal(kim.api("POST", "requests/%d/withdraw" % waiting).status, 200)
    page = json.loads(gate.command("report", "--json")[1])
    equal((page["requests"], len(page["break_glass"])), ([], 1))
