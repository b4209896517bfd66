"""Several rules at once: teams with and without their token; what people decided, in force without a restart; what a version gained."""
import hashlib
import json
import os
import sqlite3
import subprocess
import time

from gate import binary
from harness import contains, equal, lacks, ok, policy, wait_until

SECRET = "bg_" + "x" * 43


def store(gate):
    return sqlite3.connect(os.path.join(gate.state, "bondgate.db"), timeout=20)


def put(db, table, **columns):
    known = {row[1] for row in db.execute("PRAGMA table_info(%s)" % table)}
    columns = {k: v for k, v in columns.items() if k in known}
    db.execute("INSERT INTO %s (%s) VALUES (%s)" % (table, ",".join(columns), ",".join("?" * len(columns))), list(columns.values()))
    db.execute("UPDATE people SET version = version + 1")
    db.commit()
    db.close()


def now(after=0.0):
    return int((time.time() + after) * 1e6)


def give_token(gate, team, secret=SECRET, lasts=3600):
    put(store(gate), "token", id="tk_" + team, hash=hashlib.sha256(secret.encode()).digest(), person="kim", team=team, roles=1, created=now(),
        expires=now(lasts), revoked=0, last_used=0, created_by="test")


def approve(gate, name, version, rules, lasts=3600):
    put(store(gate), "request", break_glass=0, ecosystem=0, name=name, version=version, rules=rules, reason="needed", person="jo", team="",
        refusal="", severity="low", created=now(), state=2, first_approver="", decided_by="kim", note="", lasts=int(lasts * 1e6), decided=now(),
        expires=now(lasts))


def team_gate(t, fake, team_text):
    folder = t.path("team")
    os.makedirs(folder)
    file = os.path.join(folder, "web.yaml")
    with open(file, "w", encoding="utf-8") as f:
        f.write(team_text)
    gate = t.gate(policy(fake.url, extra='teams:\n  - {name: web, policy: "%s"}\n' % file))
    return gate, file


def rewrite(file, text):
    with open(file + ".new", "w", encoding="utf-8") as f:
        f.write(text)
    os.replace(file + ".new", file)


def shown(gate, mount, name="lab-a", **headers):
    answer = gate.get("%s/%s" % (mount, name), **headers)
    return set(answer.json()["versions"]) if answer.status == 200 else answer.status


def test_a_label_without_its_token_only_tightens(t):
    fake = t.fake().lab()
    gate, _ = team_gate(t, fake, 'version: 1\ncooldown:\n  default: 1h\ndeny:\n  versions: ["npm:lab-a@1.0.0"]\n')
    give_token(gate, "web")
    bearer = "Bearer " + SECRET
    wait_until(lambda: shown(gate, "/t/web/npm", authorization=bearer) != 401, "the token is known")
    everybody = {"1.0.0", "1.1.0", "2.0.0-beta.1"}
    equal(shown(gate, "/npm"), everybody)
    equal(shown(gate, "/npm", authorization=bearer), everybody)
    equal(shown(gate, "/t/other/npm"), everybody)
    equal(shown(gate, "/t/other/npm", authorization=bearer), everybody)
    equal(shown(gate, "/t/web/npm"), everybody - {"1.0.0"})
    equal(shown(gate, "/t/web/npm", authorization=bearer), {"1.1.0", "2.0.0-beta.1", "1.2.0"})
    equal(gate.get("/t/web/npm/lab-a/-/lab-a-1.2.0.tgz").status, 403)
    equal(gate.get("/t/web/npm/lab-a/-/lab-a-1.2.0.tgz", authorization=bearer).status, 200)
    equal(gate.get("/npm/lab-a/-/lab-a-1.2.0.tgz", authorization=bearer).status, 403)
    receipt = [r for r in gate.log() if r["kind"] == "receipt"][-1]
    equal((receipt["identity"], receipt["project"]), ("kim", "web"))


def asked_of_gate(gate, *arguments, **environment):
    env = {"PATH": os.environ["PATH"], "HOME": gate.folder}
    done = subprocess.run([binary(), "explain", "npm:lab-a@1.2.0", *arguments], env=dict(env, **environment), capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, cwd=gate.folder, timeout=60, check=False)
    lacks(done.stderr, "Sanitizer", "runtime error")
    return done.returncode, done.stdout, done.stderr


def test_explain_says_what_a_teams_rules_say(t):
    fake = t.fake().lab()
    gate, _ = team_gate(t, fake, 'version: 1\ncooldown:\n  default: 1h\ndeny:\n  versions: ["npm:lab-a@1.0.0"]\n')
    give_token(gate, "web")
    give_token(gate, "old", secret=SECRET[:-1] + "y", lasts=-60)
    bearer = "Bearer " + SECRET
    wait_until(lambda: shown(gate, "/t/web/npm", authorization=bearer) != 401, "the token is known")

    def told(mount, version, **headers):
        answer = gate.get("%s/-/explain?purl=npm:lab-a@%s" % (mount, version), **headers)
        return answer.status, answer.header("bondgate-decision"), answer.header("bondgate-rules")

    equal(told("", "1.2.0"), (200, "hold", None))
    equal(told("/t/web", "1.2.0"), (200, "hold", "web (unproven)"))
    equal(told("/t/web", "1.0.0"), (200, "deny", "web (unproven)"))
    equal(told("/t/web", "1.2.0", authorization=bearer), (200, "allow", "web"))
    equal(told("/t/other", "1.2.0", authorization=bearer), (200, "hold", None))
    equal(told("", "1.2.0", authorization=bearer), (200, "hold", None))
    equal(told("/t/web", "1.2.0", authorization="Bearer " + SECRET[:-1] + "y")[0], 401)
    body = json.dumps({"purls": ["npm:lab-a@1.2.0", "npm:lab-a@1.0.0"]}).encode()
    answer = gate.request("POST", "/t/web/-/explain", {"content-type": "application/json", "authorization": bearer}, body)
    equal([a["decision"] for a in answer.json()["answers"]], ["allow", "deny"])
    equal(gate.get("/t/web/-/metrics").status, 404)

    equal(gate.explain("npm:lab-a@1.2.0")["decision"], "hold")
    equal(gate.explain("npm:lab-a@1.2.0", "--team", "web")["decision"], "allow")
    code, _, errors = gate.command("explain", "npm:lab-a@1.2.0", "--team", "wev")
    equal(code, 3)
    contains(errors, "no team wev", "web")

    address = "http://127.0.0.1:%d" % gate.port
    equal(asked_of_gate(gate, "--gate", address + "/npm/")[0], 1)
    code, out, errors = asked_of_gate(gate, "--gate", address, "--team", "web", BONDGATE_TOKEN=SECRET)
    equal((code, errors), (0, ""), out)
    equal(asked_of_gate(gate, "--gate", address + "/t/web/npm/", BONDGATE_TOKEN=SECRET)[0], 0)
    code, _, errors = asked_of_gate(gate, "--gate", address + "/t/web/npm/")
    equal(code, 1)
    contains(errors, "No token was sent")
    code, _, errors = asked_of_gate(gate, "--gate", address, "--team", "other", BONDGATE_TOKEN=SECRET)
    equal(code, 1)
    contains(errors, "no rules of a team other")


def test_a_token_of_the_gate_goes_no_further(t):
    fake = t.fake().lab()
    gate, _ = team_gate(t, fake, "version: 1\n")
    give_token(gate, "web")
    wait_until(lambda: gate.get("/t/web/npm/lab-a", authorization="Bearer " + SECRET).status == 200, "the token is known")
    gate.get("/t/web/npm/-/npm/v1/keys", authorization="Bearer " + SECRET)
    gate.request("PUT", "/t/web/npm/lab-a", {"authorization": "Bearer " + SECRET, "content-type": "application/json"}, b"{}")
    ok(fake.requests)
    for request in fake.requests:
        lacks(str(request.headers), SECRET)


def test_a_team_file_is_reloaded_and_a_broken_one_keeps_the_last_good(t):
    fake = t.fake().lab()
    gate, file = team_gate(t, fake, 'version: 1\ndeny:\n  versions: ["npm:lab-a@1.0.0"]\n')
    equal("1.0.0" in shown(gate, "/t/web/npm"), False)
    rewrite(file, 'version: 1\ndeny:\n  versions: ["npm:lab-a@1.1.0"]\n')
    wait_until(lambda: "1.1.0" not in shown(gate, "/t/web/npm"), "the team's new file")
    ok("1.0.0" in shown(gate, "/t/web/npm"))
    rewrite(file, "version: 1\nthis is: [no policy\n")
    wait_until(lambda: "last good one stays in force" in gate.tail(), "the log says so")
    contains(gate.tail(), "web")
    equal("1.1.0" in shown(gate, "/t/web/npm"), False)
    ok("1.1.0" in shown(gate, "/npm"))
    ok([r for r in gate.log() if r["decision"] == "policy refused"])


def test_two_teams_keep_their_clearances(t):
    """Asked in turns, nothing is judged or rendered again."""
    fake = t.fake().lab()
    gate, _ = team_gate(t, fake, 'version: 1\ndeny:\n  versions: ["npm:lab-a@1.0.0"]\n')
    gate.write_policy(gate_text(gate).replace("fresh: 1s", "fresh: 1h"))
    wait_until(lambda: metric(gate, "policy_reloads_total") > 0, "the reload")
    tags = [gate.get(m + "/lab-a").header("etag") for m in ("/npm", "/t/web/npm")]
    before = misses(gate)
    for _ in range(10):
        equal([gate.get(m + "/lab-a").header("etag") for m in ("/npm", "/t/web/npm")], tags)
    equal(misses(gate), before)


def gate_text(gate):
    with open(gate.policy_file, encoding="utf-8") as f:
        return f.read()


def metric(gate, name):
    for line in gate.get("/-/metrics").body.decode().splitlines():
        if line.startswith("bondgate_" + name + " "):
            return int(line.split()[-1])
    return 0


def misses(gate):
    return metric(gate, "rendition_misses_total")


def test_an_approval_works_within_two_seconds(t):
    fake = t.fake().lab()
    gate = t.gate(policy(fake.url, fresh="1h"))
    equal(gate.get("/lab-a/-/lab-a-1.2.0.tgz").status, 403)
    begun = time.monotonic()
    approve(gate, "lab-a", "1.2.0", "cooldown")
    wait_until(lambda: gate.get("/lab-a/-/lab-a-1.2.0.tgz").status == 200, "the approval", 5)
    ok(time.monotonic() - begun < 2.5)
    ok("1.2.0" in gate.versions("lab-a"))
    contains([r for r in gate.log() if r["kind"] == "receipt"][-1]["decision"], "exempt cooldown")


def test_a_gained_dependency_on_a_young_name_holds(t):
    fake = t.fake()
    fake.publish("known", "1.0.0")
    fake.publish("young", "1.0.0", age="9d")
    fake.publish("app", "1.0.0", dependencies={"known": "^1.0.0"})
    fake.publish("app", "1.1.0", age="8d", dependencies={"known": "^1.0.0", "young": "^1.0.0"})
    fake.publish("app", "1.2.0", age="8d", dependencies={"known": "^1.0.0", "nowhere": "^1.0.0"})
    rule = "  new-dependency: 30d\nrules:\n  new-dependency: {mode: %s}\n"
    gate = t.gate(policy(fake.url, extra=rule % "enforce"))
    equal(gate.versions("app"), {"1.0.0", "1.2.0"})
    found = gate.explain("npm:app@1.1.0")
    equal((found["decision"], found["reasons"][0]["code"]), ("hold", "new-dependency"))
    contains(found["reasons"][0]["text"], "young")
    reporting = t.gate(policy(fake.url, extra=rule % "report"))
    ok("1.1.0" in reporting.versions("app"))
    equal(reporting.get("/app/-/app-1.1.0.tgz").status, 200)
    contains([r for r in reporting.log() if r["kind"] == "receipt"][-1]["decision"], "report hold new-dependency")


def test_a_name_that_was_here_before_is_known(t):
    fake = t.fake()
    fake.publish("young", "1.0.0", age="9d")
    fake.publish("app", "1.0.0")
    gate = t.gate(policy(fake.url, cooldown="0s", extra="  new-dependency: 30d\nrules:\n  new-dependency: {mode: enforce}\n"))
    equal(gate.get("/young").status, 200)    # somebody asked for it: from now on it is known
    equal(gate.versions("app"), {"1.0.0"})
    time.sleep(1.1)
    fake.publish("app", "1.1.0", age="0s", dependencies={"young": "^1.0.0"})
    wait_until(lambda: "1.1.0" in gate.versions("app"), "the version that needs a known name", 10)
