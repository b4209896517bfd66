"""A policy asked about what a gate really did: unchanged it says what happened, changed it lists what would be otherwise, and for whom."""
import collections
import http.client
import json
import os
import sqlite3
import subprocess
import time

from harness import binary, contains, equal, ok, policy, wait_until

PACKAGES, VERSIONS = 50, 20

RULES = """
deny:
  malware: {mode: enforce}
  vulnerabilities: {mode: report, at: critical}
  versions: ["npm:lab-7@1.0.3"]
exemptions:
  - {package: "npm:lab-3", rules: [cooldown], reason: "needed at once", owner: jo, approved-by: kim, expires: %s}
advisories: {files: [%s]}
teams:
  - {name: web, policy: %s}
"""

TEAM = """version: 1
deny: {versions: ["npm:lab-8@1.0.5"]}
"""


def advisory(ident, package, version, severity):
    record = {"id": ident, "modified": "2026-01-01T00:00:00Z", "published": "2026-01-01T00:00:00Z", "summary": "a crafted advisory",
              "affected": [{"package": {"ecosystem": "npm", "name": package}, "versions": [version]}]}
    if severity:
        record["severity"] = [{"type": "CVSS_V3", "score": severity}]
    return record


def rules(t, folder):
    """The policy's second half, with its files."""
    critical = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
    files = {"advisories.json": json.dumps([advisory("MAL-2026-1", "lab-5", "1.0.1", None),
                                            advisory("GHSA-aaaa-bbbb-cccc", "lab-6", "1.0.0", critical)]),
             "team-web.yaml": TEAM}
    for name, text in files.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
            f.write(text)
    end = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 60 * 86400))
    return RULES % (end, os.path.join(folder, "advisories.json"), os.path.join(folder, "team-web.yaml"))


def registry(t):
    """Fifty packages; in each, every third version is young."""
    fake = t.fake()
    for p in range(PACKAGES):
        for v in range(VERSIONS):
            age = "%dd" % (400 - v) if v % 3 != 2 else "%dh" % (1 + v)
            fake.publish("lab-%d" % p, "1.0.%d" % v, age=age)
    return fake


def fetch_all(gate, mount, versions=range(VERSIONS), packages=range(PACKAGES)):
    """Every artifact over one connection: the statuses counted."""
    connection = http.client.HTTPConnection("127.0.0.1", gate.port, timeout=60)
    statuses = collections.Counter()
    for p in packages:
        for v in versions:
            connection.request("GET", "%s/npm/lab-%d/-/lab-%d-1.0.%d.tgz" % (mount, p, p, v), headers={"user-agent": "npm/11 test"})
            answer = connection.getresponse()
            answer.read()
            statuses[answer.status] += 1
    connection.close()
    return statuses


def simulate(gate, *arguments):
    """In a folder without a policy of its own: there the gate's file would come on top of another one."""
    command = [binary(), "simulate", "--json", "--state", gate.state] + ([] if "--policy" in arguments else ["--policy", gate.policy_file])
    done = subprocess.run(command + list(arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=300, check=False, cwd="/")
    code, out, errors = done.returncode, done.stdout, done.stderr
    if code not in (0, 1):
        raise AssertionError("simulate: exit %s: %s" % (code, errors))
    return dict(json.loads(out), exit=code)


def decisions(gate):
    return [r for r in gate.log() if r["kind"] in ("receipt", "refusal")]


def other_policy(gate, name, text):
    path = os.path.join(gate.folder, name)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def busy_gate(t):
    """5,000 decisions of every kind: allowed, held, denied, reported, exempted; for nobody in particular and for two labels."""
    fake = registry(t)
    folder = t.path("rules")
    os.makedirs(folder, exist_ok=True)
    text = policy(fake.url, fresh="10m", extra=rules(t, folder))
    gate = t.gate(text)
    statuses = collections.Counter()
    for mount in ("", "/t/web", "/t/shop", "", "/t/web"):
        statuses += fetch_all(gate, mount)
    equal(sum(statuses.values()), 5000)
    ok(statuses[200] > 3000 and statuses[403] > 1000, statuses)
    wait_until(lambda: len(decisions(gate)) >= 5000, "every decision is in the evidence", 60)
    return gate, text


def test_an_unchanged_policy_says_what_happened(t):
    gate, text = busy_gate(t)
    log = decisions(gate)
    kinds = collections.Counter(r["decision"] for r in log)
    for words in ("allow", "hold cooldown", "deny malware", "deny denied", "report deny vulnerable", "allow exempt cooldown"):
        ok(kinds[words] > 0, words, kinds)
    found = simulate(gate)
    equal((found["exit"], found["decisions"], found["same"], found["changes"]), (0, len(log), len(log), []), found["changes"][:3])
    equal(found["not_judged"], {"without_facts": 0, "whole_package": 0, "reach_unknown": 0, "not_of_policy": 0, "unknown": 0})
    code, out, _ = gate.command("simulate")
    equal(code, 0)
    contains(out, "5000 decisions", "0 would be refused, 0 would be served")
    changed_policies(gate, text, log)


def changed_policies(gate, text, log):
    # No cooldown: what only was held for it would be served, everything else stays.
    loose = other_policy(gate, "loose.yaml", text.replace("default: 7d", "default: 0"))
    held = [r for r in log if r["decision"] == "hold cooldown"]
    found = simulate(gate, "--policy", loose)
    equal((found["exit"], found["would_serve"], found["would_refuse"]), (1, len(held), 0))
    equal({c["change"] for c in found["changes"] if c["rule"] == "cooldown"}, {"would-serve"})
    # One name denied: exactly its receipts, told apart by who got them.
    strict = other_policy(gate, "strict.yaml", text.replace("deny:\n", "deny:\n  names: [\"npm:lab-1\"]\n", 1))
    served = [r for r in log if r["kind"] == "receipt" and r["purl"].startswith("pkg:npm/lab-1@")]
    found = simulate(gate, "--policy", strict)
    equal((found["would_refuse"], found["would_serve"]), (len(served), 0))
    one = next(c for c in found["changes"] if c["purl"] == "pkg:npm/lab-1@1.0.0")
    equal((one["change"], one["rule"], one["was"], one["now"], one["count"]), ("would-refuse", "denied", "allow", "deny denied", 5))
    equal({w["project"]: w["count"] for w in one["for"]}, {None: 2, "web": 2, "shop": 1})
    contains(one["reason"], "lab-1@1.0.0")
    ok(one["first"] <= one["last"], one)
    # Only one team's.
    found = simulate(gate, "--policy", strict, "--team", "shop")
    equal((found["decisions"], found["would_refuse"]), (1000, len([r for r in served if r["project"] == "shop"])))
    # Nothing since then.
    equal(simulate(gate, "--since", "0")["decisions"], 0)
    # Advisories count as they were known: without the file the malware stays what it was.
    blind = other_policy(gate, "blind.yaml", "\n".join(l for l in text.splitlines() if not l.startswith("advisories:")) + "\n")
    equal(simulate(gate, "--policy", blind)["same"], len(log))


def test_records_of_before_are_counted_and_not_judged(t):
    fake = t.fake().lab()
    gate = t.gate(policy(fake.url))
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        gate.get("/lab-a/-/lab-a-%s.tgz" % version)
    gate.get("/lab-b/-/lab-b-1.0.0.tgz")
    wait_until(lambda: len(decisions(gate)) == 3, "three decisions")
    gate.stop()
    database = sqlite3.connect(os.path.join(gate.state, "bondgate.db"))
    database.execute("update evidence set facts = null where name = 'lab-a' and version in ('1.0.0', '1.2.0')")
    database.commit()
    database.close()
    found = simulate(gate)
    equal((found["decisions"], found["same"], found["not_judged"]["without_facts"], found["exit"]), (3, 1, 2, 0))
    code, out, _ = gate.command("simulate")
    contains(out, "not judged: 2 recorded before")


def test_a_package_without_a_cleared_version_is_not_judged(t):
    fake = t.fake()
    fake.publish("young", "1.0.0", age="1h")
    gate = t.gate(policy(fake.url))
    equal(gate.get("/young").status, 403)
    wait_until(lambda: decisions(gate), "the refusal")
    equal(simulate(gate)["not_judged"]["whole_package"], 1)


def test_simulate_used_wrongly(t):
    fake = t.fake().lab()
    gate = t.gate(policy(fake.url))
    for arguments in (("words",), ("--since", "yesterday"), ("--lockfile", "a", "--access-log", "b"), ("--format", "nexus"), ("--limit", "0")):
        equal(gate.command("simulate", *arguments)[0], 2, arguments)
    code, _, errors = gate.command("simulate", "--state", os.path.join(gate.folder, "nowhere"))
    equal(code, 3)
    contains(errors, "there is no store")
    code, _, errors = gate.command("simulate", "--access-log", os.path.join(gate.folder, "nothing.log"))
    equal(code, 3)
    contains(errors, "nothing.log")


# --- what another proxy handed out ---

def nexus(path, status=200, when="23/Nov/2026:10:12:01 +0000"):
    return '10.0.0.7 - jo [%s] "GET %s HTTP/1.1" %d - 319 45 "npm/11.0.0 node/v24 linux x64" [qtp1-23]' % (when, path, status)


def artifactory(path, status=200):
    return "2026-11-23T10:12:01.123Z|4fd13bfb57dabb5f|10.0.0.8|kim|GET|/api/npm/npm-remote%s|%d|-1|319|45|npm/11.0.0" % (path, status)


def verdaccio(path, status=200):
    return json.dumps({"level": 35, "time": 1795000000000, "pid": 7, "hostname": "h", "request": {"method": "GET", "url": path}, "user": None,
                       "remoteIP": "10.0.0.9", "status": status, "bytes": {"in": 0, "out": 319}, "msg": "…"})


def test_access_logs_of_other_proxies(t):
    fake = t.fake().lab()
    now = time.gmtime()
    gate = t.gate(policy(fake.url))
    young, old = "/lab-a/-/lab-a-1.2.0.tgz", "/lab-a/-/lab-a-1.1.0.tgz"
    logs = {
        "nexus": [nexus("/repository/npm" + p, when=time.strftime("%d/%b/%Y:%H:%M:%S +0000", now)) for p in (young, old, "/lab-a")],
        "artifactory": [artifactory(p).replace("2026-11-23T10:12:01.123Z", time.strftime("%Y-%m-%dT%H:%M:%S.000Z", now))
                        for p in (young, old, "/lab-a")],
        "verdaccio": [verdaccio(p).replace("1795000000000", str(int(time.time() * 1000))) for p in (young, old, "/lab-a")],
    }
    for name, lines in logs.items():
        path = os.path.join(gate.folder, name + ".log")
        with open(path, "w", encoding="utf-8") as f:
            f.write("\n".join(lines + ["complete nonsense", "", nexus(young, 404) if name == "nexus" else ""]) + "\n")
        for arguments in (("--format", name), ("--format", "auto"), ()):
            found = simulate(gate, "--access-log", path, *arguments)
            equal((found["exit"], found["decisions"], found["would_refuse"], found["same"]), (1, 2, 1, 1), name, found)
            equal(found["changes"][0]["purl"], "pkg:npm/lab-a@1.2.0")
            ok(found["changes"][0]["for"][0]["client"].startswith("10.0.0."), found)
            if name != "verdaccio":
                equal(found["lines_broken"], 1, name, found)
    code, out, _ = gate.command("simulate", "--access-log", os.path.join(gate.folder, "nexus.log"))
    equal(code, 1)
    contains(out, "npm:lab-a@1.2.0", "cooldown", "jo 10.0.0.7")


def test_an_access_log_is_judged_at_its_own_time(t):
    fake = t.fake().lab()
    gate = t.gate(policy(fake.url))
    path = os.path.join(gate.folder, "old.log")
    then = time.time() - 99 * 86400   # lab-a@1.1.0 is a hundred days old: then it was one day
    with open(path, "w", encoding="utf-8") as f:
        f.write(nexus("/repository/npm/lab-a/-/lab-a-1.1.0.tgz", when=time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(then))) + "\n")
    equal(simulate(gate, "--access-log", path)["decisions"], 0)
    equal(simulate(gate, "--access-log", path, "--since", "200d")["would_refuse"], 1)


def test_what_the_registry_does_not_know_is_said(t):
    fake = t.fake().lab()
    gate = t.gate(policy(fake.url))
    path = os.path.join(gate.folder, "gone.log")
    with open(path, "w", encoding="utf-8") as f:
        f.write(nexus("/repository/npm/nowhere/-/nowhere-1.0.0.tgz", when=time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime())) + "\n")
    found = simulate(gate, "--access-log", path)
    equal((found["exit"], found["not_judged"]["unknown"]), (0, 1))
    contains(gate.command("simulate", "--access-log", path)[1], "nowhere")
    fake.forget()
    simulate(gate, "--access-log", path, "--offline")
    equal(fake.asked("nowhere"), [])


def test_a_lockfile_is_judged_before_it_is_installed(t):
    fake = t.fake().lab()
    gate = t.gate(policy(fake.url))
    path = os.path.join(gate.folder, "package-lock.json")
    packages = {"": {"name": "p", "version": "1.0.0", "dependencies": {"lab-a": "^1.0.0"}},
                "node_modules/lab-a": {"version": "1.2.0", "resolved": fake.url + "lab-a/-/lab-a-1.2.0.tgz", "integrity": "sha512-AAAA"}}
    with open(path, "w", encoding="utf-8") as f:
        json.dump({"name": "p", "version": "1.0.0", "lockfileVersion": 3, "packages": packages}, f)
    found = simulate(gate, "--lockfile", path)
    equal((found["exit"], found["decisions"], found["would_refuse"]), (1, 1, 1))
    equal(found["changes"][0]["rule"], "cooldown")
