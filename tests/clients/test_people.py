"""Requests, approvals, tokens: from a refused install to an approved retry, and every way to cheat that could be thought of."""
import base64
import concurrent.futures
import json
import os
import re
import subprocess
import time

from gate import SANITIZERS, binary
from harness import contains, equal, failed, lacks, ok, policy, succeeded, wait_until

NPM = "npm-11"


class Person:
    """Somebody with a token who types commands on a machine of their own."""

    def __init__(self, t, gate, name, roles, team=None, lasts=None):
        arguments = ["token", "create", "--person", name, "--role", roles]
        arguments += ["--team", team] if team else []
        arguments += ["--for", lasts] if lasts else []
        code, out, errors = on_gate(gate, *arguments)
        equal(code, 0, errors)
        self.t, self.gate, self.name, self.token = t, gate, name, out.strip()
        self.id = re.search(r"tk_[0-9a-f]+", errors).group(0)

    def __call__(self, *arguments, **environment):
        env = {"PATH": os.environ["PATH"], "HOME": self.t.folder, "BONDGATE_GATE": self.gate.registry, "BONDGATE_TOKEN": self.token}
        return run(arguments, dict(env, **environment), self.t.folder)

    def api(self, method, path, body=None, token=None):
        headers = {"authorization": "Bearer " + (token or self.token)}
        return self.gate.request(method, "/-/api/v1/" + path, headers, None if body is None else json.dumps(body))


def run(arguments, env, folder):
    done = subprocess.run([binary()] + list(arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
                          timeout=60, cwd=folder, env=env, check=False)
    ok(not SANITIZERS.search(done.stderr), "the sanitizers spoke", arguments, done.stderr[-4000:])
    return done.returncode, done.stdout, done.stderr


def on_gate(gate, *arguments):
    """On the gate's own machine: with its state folder and policy."""
    env = {k: v for k, v in os.environ.items() if k not in ("BONDGATE_GATE", "BONDGATE_TOKEN")}
    return run(arguments + ("--state", gate.state, "--policy", gate.policy_file), env, gate.folder)


def lab(t, extra="", **options):
    fake = t.fake().lab()
    return fake, t.gate(policy(fake.url, extra=extra, **options))


def staff(t, gate):
    people = (Person(t, gate, "kim", "requester"), Person(t, gate, "jo", "approver"), Person(t, gate, "lee", "approver,requester"))
    known(people[-1])
    return people


def known(person):
    """The gate has seen a token that another process made."""
    wait_until(lambda: person.api("GET", "whoami").status == 200, "the gate knows the token")


def asked(person, purl="npm:lab-a@1.2.0", **more):
    answer = person.api("POST", "requests", dict({"purl": purl, "reason": "the build needs its fix"}, **more))
    equal(answer.status, 201, answer)
    return answer.json()


def records(gate, kind):
    return [r for r in gate.log() if r["kind"] == kind]


def test_from_a_refused_install_to_an_approved_retry_in_three_commands(t):
    _, gate = lab(t)
    kim, jo, _ = staff(t, gate)
    c = t.client(NPM, gate)
    project = t.project(c, {})
    refused = failed(c.do("add", project, "lab-a@1.2.0"))
    command = re.search(r"bondgate (\w+) (npm:lab-a@1\.2\.0)", refused.text)
    ok(command, "the refusal prints a command", refused.text)
    # 1
    code, out, errors = kim("request", command.group(2), "--reason", "the fix for the login", "--for", "7d")
    equal(code, 0, errors)
    number = re.search(r"request (\d+)", out).group(1)
    contains(out, "cooldown", "bondgate approve " + number)
    # 2
    code, out, errors = jo("approve", number)
    equal(code, 0, errors)
    contains(out, "npm:lab-a@1.2.0 is exempt from cooldown until")
    # 3
    succeeded(c.do("add", project, "lab-a@1.2.0"))
    equal(project.version("lab-a"), "1.2.0")
    # All on record, and the chain holds.
    equal([(r["identity"], r["decision"]) for r in records(gate, "request") + records(gate, "decision")],
          [("kim", "request 1"), ("jo", "approve 1")])
    receipt = records(gate, "receipt")[-1]
    equal(receipt["decision"], "allow exempt cooldown")
    contains(json.dumps(gate.explain("npm:lab-a@1.2.0")), "exempt")
    equal(gate.command("log", "verify")[0], 0)


def test_only_that_version_is_let_through_and_only_that_rule(t):
    fake, gate = lab(t)
    kim, jo, _ = staff(t, gate)
    fake.publish("lab-a", "1.3.0", age="1h")
    jo("approve", str(asked(kim)["id"]))
    ok("1.2.0" in gate.versions("lab-a"), "the approved version is served")
    ok("1.3.0" not in gate.versions("lab-a"), "no other")
    fake.republish("lab-a", "1.2.0", {"index.js": "something else"})
    wait_until(lambda: "1.2.0" not in gate.versions("lab-a"), "a changed hash is refused in spite of the exception")


def test_a_range_weighs_more_and_covers_what_comes(t):
    fake, gate = lab(t)
    kim, jo, lee = staff(t, gate)
    request = asked(kim, range="^1.2.0")
    equal((request["severity"], request["approvals_needed"]), ("high", 2))
    jo("approve", "1")
    ok("1.2.0" not in gate.versions("lab-a"), "one of two approvals lifts nothing")
    lee("approve", "1")
    ok("1.2.0" in gate.versions("lab-a"))
    fake.publish("lab-a", "1.2.1", age="1h")
    wait_until(lambda: "1.2.1" in gate.versions("lab-a"), "the range covers it")
    equal(kim.api("POST", "requests", {"purl": "npm:lab-a@1.2.0", "reason": "x", "range": "^2"}).status, 400)


def test_nobody_approves_their_own_request(t):
    _, gate = lab(t)
    lee = Person(t, gate, "lee", "requester,approver")
    again = Person(t, gate, "LEE", "approver")
    root = Person(t, gate, os.environ.get("USER") or "root", "requester")
    root_name = subprocess.run(["id", "-un"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    same = Person(t, gate, root_name.upper(), "requester")
    known(same)
    asked(lee)
    for who in (lee, again):
        code, _, errors = who("approve", "1")
        equal(code, 3)
        contains(errors, "nobody approves their own request")
    # local:USER and USER on a token are one person, in both directions.
    asked(same, rules="cooldown", **{"for": "2d"})
    code, _, errors = on_gate(gate, "approve", "2")
    equal(code, 3)
    contains(errors, "nobody approves their own request")
    ok("1.2.0" not in gate.versions("lab-a"))
    equal(records(gate, "decision"), [])
    ok(root.name)


def test_what_weighs_much_needs_two_and_neither_is_the_one_who_asked(t):
    _, gate = lab(t, extra="approvals: {second-person-at: low}\n")
    kim, jo, lee = staff(t, gate)
    shout = Person(t, gate, "JO", "approver")
    known(shout)
    equal(asked(kim)["approvals_needed"], 2)
    code, out, _ = jo("approve", "1")
    equal(code, 0)
    contains(out, "needs a second person")
    for who in (jo, shout):
        code, _, errors = who("approve", "1")
        equal(code, 3)
        contains(errors, "needs a second person")
    ok("1.2.0" not in gate.versions("lab-a"))
    code, out, _ = lee("approve", "1")
    equal(code, 0)
    ok("1.2.0" in gate.versions("lab-a"))
    equal(kim.api("GET", "requests/1").json()["first_approver"], "jo")


def test_a_decision_counts_once(t):
    _, gate = lab(t)
    kim, jo, lee = staff(t, gate)
    asked(kim)
    equal(jo("reject", "1", "--reason", "wait for it")[0], 0)
    for verb in ("approve", "reject", "withdraw"):
        answer = lee.api("POST", "requests/1/" + verb, {"reason": "x"} if verb == "reject" else None)
        equal(answer.status, 409, verb, answer)
        contains(answer.json()["error"], "rejected already")
    asked(kim)
    equal(kim("request", "--withdraw", "2")[0], 0)
    equal(jo.api("POST", "requests/2/approve").status, 409)
    asked(kim)
    equal(lee.api("POST", "requests/3/withdraw").status, 403)
    equal(jo.api("POST", "requests/3/approve").status, 200)
    equal(jo.api("POST", "requests/3/approve").status, 409)
    equal(jo.api("POST", "requests/99/approve").status, 404)
    equal(jo.api("POST", "requests/3x/approve").status, 400)


def test_of_decisions_at_once_one_wins(t):
    _, gate = lab(t)
    kim, jo, lee = staff(t, gate)
    asked(kim)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda i: (jo, lee)[i % 2].api("POST", "requests/1/approve").status, range(16)))
    equal(sorted(answers), [200] + 15 * [409])
    equal(len(records(gate, "decision")), 1)


def test_an_exception_can_be_ended_before_its_time(t):
    _, gate = lab(t)
    kim, jo, _ = staff(t, gate)
    asked(kim)
    jo("approve", "1")
    ok("1.2.0" in gate.versions("lab-a"))
    equal(jo("reject", "1", "--revoke", "--reason", "not needed any more")[0], 0)
    ok("1.2.0" not in gate.versions("lab-a"), "it is refused again at once")
    equal(jo.api("POST", "requests/1/revoke").status, 409)
    equal(kim.api("GET", "requests/1").json()["state"], "revoked")


def test_an_exception_lasts_no_longer_than_the_policy_allows(t):
    _, gate = lab(t, extra="approvals: {longest: 14d}\n")
    kim, jo, _ = staff(t, gate)
    code, _, errors = kim("request", "npm:lab-a@1.2.0", "--reason", "x", "--for", "15d")
    equal(code, 2)
    contains(errors, "at most 14d", "approvals.longest")
    equal(asked(kim)["lasts"], "14d")
    for wrong in ("0", "7", "-1d", "1y", "forever"):
        equal(kim.api("POST", "requests", {"purl": "npm:lab-a@1.2.0", "reason": "x", "for": wrong}).status, 400, wrong)


def test_roles(t):
    _, gate = lab(t)
    kim, jo, _ = staff(t, gate)
    audit, boss = Person(t, gate, "audit", "auditor"), Person(t, gate, "boss", "admin")
    known(boss)
    asked(kim)
    equal(audit.api("POST", "requests", {"purl": "npm:lab-a@1.2.0", "reason": "x"}).status, 403)
    equal(audit.api("GET", "requests").status, 200)
    equal(audit.api("GET", "tokens").status, 200)
    equal(audit.api("POST", "requests/1/approve").status, 403)
    equal(kim.api("POST", "requests/1/approve").status, 403)
    equal(boss.api("POST", "requests/1/approve").status, 403)
    for who in (kim, jo, audit):
        answer = who.api("POST", "tokens", {"person": "mallory", "roles": "admin"})
        equal(answer.status, 403)
        contains(answer.json()["error"], "admin")
    equal(kim.api("GET", "tokens").status, 403)
    equal(kim.api("POST", "break-glass", {"purl": "npm:lab-a@1.2.0", "reason": "x"}).status, 403)
    made = boss.api("POST", "tokens", {"person": "new", "roles": "requester", "for": "1d"})
    equal(made.status, 201)
    equal(kim.api("GET", "whoami", token=made.json()["token"]).json()["person"], "new")
    lacks(gate.tail(100000) + json.dumps(gate.log()), made.json()["token"])


def test_strangers_ask_for_nothing(t):
    _, gate = lab(t)
    kim, _, _ = staff(t, gate)
    asked(kim)
    for headers in ({}, {"authorization": "Bearer registry-token"}, {"x-forwarded-user": "jo"}, {"bondgate-person": "jo"},
                    {"authorization": "Basic " + base64.b64encode(b"jo:secret").decode()}):
        answer = gate.request("POST", "/-/api/v1/requests/1/approve", headers)
        equal(answer.status, 401, headers, answer)
        contains(answer.json()["error"], "BONDGATE_TOKEN")
    equal(gate.request("POST", "/t/jo/-/api/v1/requests/1/approve").status // 100, 4)
    equal(gate.request("GET", "/-/api/v1/requests", {"authorization": "Bearer " + kim.token[:-1] + "x"}).status, 401)
    equal(gate.request("POST", "/-/api/v1/requests", {}, "x" * 100000).status, 413)
    equal(gate.request("DELETE", "/-/api/v1/requests/1", {"authorization": "Bearer " + kim.token}).status, 405)
    equal(gate.request("GET", "/-/api/v1/../v1/nothing", {"authorization": "Bearer " + kim.token}).status, 404)


def test_odd_bodies_are_refused_with_a_sentence(t):
    _, gate = lab(t)
    kim, _, _ = staff(t, gate)
    for body in ('{"purl":', "[]", '{"purl":"npm:lab-a@1.2.0"}', '{"purl":"npm:lab-a@1.2.0","reason":"   "}', '{"purl":"lab-a","reason":"x"}',
                 '{"purl":"npm:lab-a","reason":"x"}', '{"purl":"npm:lab-a@1.2.0","reason":"x","approved":true}',
                 '{"purl":"npm:lab-a@1.2.0","reason":"x","reason":"y"}', '{"purl":"npm:lab-a@1.2.0","reason":"x","rules":"everything"}',
                 '{"purl":"npm:lab-a@1.2.0","reason":{"a":1}}', '{"purl":"npm:../x@1.2.0","reason":"x"}', ""):
        answer = gate.request("POST", "/-/api/v1/requests", {"authorization": "Bearer " + kim.token}, body)
        equal(answer.status, 400, body, answer)
        ok(answer.json()["error"])
    equal(kim.api("POST", "requests", {"purl": "npm:lab-a@9.9.9", "reason": "x"}).status, 404)
    answer = kim.api("POST", "requests", {"purl": "npm:lab-a@1.1.0", "reason": "x"})
    equal(answer.status, 409)
    contains(answer.json()["error"], "is not refused")
    asked(kim)
    equal(kim.api("POST", "requests", {"purl": "npm:lab-a@1.2.0", "reason": "again"}).status, 409)


def test_expired_and_revoked_tokens_are_refused_with_that_sentence(t):
    _, gate = lab(t)
    kim, jo, _ = staff(t, gate)
    brief = Person(t, gate, "brief", "requester", lasts="3s")
    known(brief)
    asked(kim)
    equal(on_gate(gate, "token", "revoke", jo.id)[0], 0)
    wait_until(lambda: jo.api("GET", "whoami").status == 401, "the gate knows of it")
    code, _, errors = jo("approve", "1")
    equal(code, 3)
    contains(errors, jo.id, "was revoked on")
    wait_until(lambda: brief.api("GET", "whoami").status == 401, "it expires")
    contains(brief("requests")[2], brief.id, "expired on")
    # For packages too: a build with a dead token is told so, and gets nothing by it.
    for who in (jo, brief):
        answer = gate.request("GET", "/npm/lab-a", {"authorization": "Bearer " + who.token})
        equal(answer.status, 401)
        contains(answer.json()["error"], who.id)
    equal(kim.api("GET", "requests/1").json()["state"], "open")


def test_the_person_of_the_token_is_in_the_receipts_and_the_token_stays_here(t):
    fake, gate = lab(t)
    kim, _, _ = staff(t, gate)
    host = gate.registry.split(":", 1)[1].rstrip("/")
    for line in ("%s/:_authToken=%s" % (host, kim.token), "%s/:_auth=%s" % (host, base64.b64encode(("kim:" + kim.token).encode()).decode())):
        c = t.client(NPM, gate)
        project = t.project(c, {"dependencies": {"lab-a": "1.1.0"}})
        with open(os.path.join(c.home, ".npmrc"), "a", encoding="utf-8") as f:
            f.write(line + "\n")
        succeeded(c.do("install", project))
        equal(gate.who_has("npm:lab-a@1.1.0")["receipts"][-1]["identity"], "kim")
    held = gate.request("GET", "/npm/lab-a/-/lab-a-1.2.0.tgz", {"authorization": "Bearer " + kim.token})
    equal(held.status, 403)
    equal([r["identity"] for r in records(gate, "refusal")][-1], "kim")
    answer = gate.request("PUT", "/npm/lab-a", {"authorization": "Bearer " + kim.token, "content-type": "application/json"}, "{}")
    ok(answer.status in (401, 403), answer)
    ok(not any("bg_" in str(r.headers) for r in fake.requests), "no token of the gate reaches a registry")


def test_the_token_of_the_users_own_npmrc_is_fine_and_a_projects_is_not_asked(t):
    _, gate = lab(t)
    kim, _, _ = staff(t, gate)
    home, project = t.path("home"), t.path("project")
    os.makedirs(home)
    os.makedirs(project)
    env = {"PATH": os.environ["PATH"], "HOME": home}
    with open(os.path.join(project, ".npmrc"), "w", encoding="utf-8") as f:
        f.write("registry=%s\n" % gate.registry)
    code, _, errors = run(("requests",), dict(env, BONDGATE_TOKEN=kim.token, BONDGATE_STATE=t.path("none")), project)
    equal(code, 3, errors)
    with open(os.path.join(home, ".npmrc"), "w", encoding="utf-8") as f:
        f.write("registry=%s\n%s/:_authToken=${KIM}\n" % (gate.registry, gate.registry.split(":", 1)[1].rstrip("/")))
    code, out, errors = run(("request", "npm:lab-a@1.2.0", "--reason", "x", "--gate", gate.registry), dict(env, KIM=kim.token), project)
    equal(code, 0, out, errors)


def test_malware_and_changed_hashes_are_not_to_be_asked_away(t):
    fake = t.fake().lab()
    fake.publish("evil", "1.0.0", age="100d")
    osv = t.osv(("MAL-2026-1", "evil", ["1.0.0"]))
    gate = t.gate(policy(fake.url, extra="advisories: {files: [%s]}\n" % osv))
    kim, jo, _ = staff(t, gate)
    for call, who in (("requests", kim), ("break-glass", jo)):
        for rules in ({}, {"rules": "malware"}, {"rules": ["malware", "cooldown"]}):
            answer = who.api("POST", call, dict({"purl": "npm:evil@1.0.0", "reason": "x"}, **rules))
            equal(answer.status, 403, answer)
            contains(answer.json()["error"], "malware is not to be asked away", "use another version", "advisory feed")
    gate.document("lab-a")
    gate.get("/lab-a/-/lab-a-1.1.0.tgz")
    fake.republish("lab-a", "1.1.0", {"index.js": "something else"})
    wait_until(lambda: "1.1.0" not in gate.versions("lab-a"), "the changed hash is seen")
    answer = jo.api("POST", "break-glass", {"purl": "npm:lab-a@1.1.0", "reason": "x"})
    equal(answer.status, 403)
    contains(answer.json()["error"], "a changed hash is not to be asked away")
    equal(records(gate, "break-glass"), [])


def test_break_glass_works_alone_for_a_day_and_is_loud(t):
    _, gate = lab(t)
    kim, jo, _ = staff(t, gate)
    code, _, errors = jo("break-glass", "npm:lab-a@1.2.0", "--reason", "production is down", "--for", "25h")
    equal(code, 2)
    contains(errors, "approvals.break-glass")
    code, out, errors = jo("break-glass", "npm:lab-a@1.2.0", "--reason", "production is down")
    equal(code, 0, errors)
    contains(out, "break-glass 1", "the owners are told")
    ok("1.2.0" in gate.versions("lab-a"))
    contains(kim("requests")[1], "break-glass", "production is down", "approved")
    shown = kim.api("GET", "requests/1").json()
    ok(shown["break_glass"])
    equal(shown["lasts"], "1d")
    contains(gate.get("/-/metrics").body.decode(), "bondgate_break_glass_active 1", "bondgate_requests_open 0")
    equal([(r["identity"], r["decision"]) for r in records(gate, "break-glass")], [("jo", "break-glass 1")])
    jo("reject", "1", "--revoke", "--reason", "over")
    ok("1.2.0" not in gate.versions("lab-a"))
    contains(gate.get("/-/metrics").body.decode(), "bondgate_break_glass_active 0")


def test_what_is_decided_survives_a_restart(t):
    _, gate = lab(t)
    kim, jo, _ = staff(t, gate)
    asked(kim)
    jo("approve", "1")
    gate.stop()
    gate.start()
    ok("1.2.0" in gate.versions("lab-a"))
    equal(kim.api("GET", "requests/1").json()["state"], "approved")


def test_on_the_gates_own_machine_the_files_permission_is_the_proof(t):
    _, gate = lab(t)
    kim, _, _ = staff(t, gate)
    code, out, errors = on_gate(gate, "request", "npm:lab-a@1.2.0", "--reason", "from the console", "--json")
    equal(code, 0, errors)
    ok(json.loads(out)["person"].startswith("local:"), out)
    asked(kim, rules="cooldown", **{"for": "3d"})
    equal(on_gate(gate, "approve", "2")[0], 0)
    wait_until(lambda: "1.2.0" in gate.versions("lab-a"), "the gate looks again by itself", 5)
    code, _, errors = run(("requests", "--state", t.path("none")), dict(os.environ), t.folder)
    equal(code, 3)
    contains(errors, "bondgate gate")


def test_a_teams_token_proves_that_team_alone(t):
    fake = t.fake().lab()
    folder = t.path("policies")
    os.makedirs(folder)
    files = {}
    for team, cooldown in (("web", "1h"), ("ops", "2h")):
        files[team] = os.path.join(folder, team + ".yaml")
        with open(files[team], "w", encoding="utf-8") as f:
            f.write("version: 1\ncooldown: {default: %s, new-package: 0}\n" % cooldown)
    fake.publish("lab-t", "1.0.0", age="400d")
    fake.publish("lab-t", "1.1.0", age="90m")
    gate = t.gate(policy(fake.url, extra="teams:\n" + "".join("  - {name: %s, policy: %s}\n" % item for item in files.items())))
    web = Person(t, gate, "web-ci", "requester", team="web")
    known(web)

    def versions(path, token=None):
        answer = gate.request("GET", path, {"authorization": "Bearer " + token} if token else {})
        equal(answer.status, 200, answer)
        return set(answer.json()["versions"])

    both, old = {"1.0.0", "1.1.0"}, {"1.0.0"}
    equal(versions("/t/web/npm/lab-t", web.token), both)
    equal(versions("/t/web/npm/lab-t"), old, "a prefix without its token")
    equal(versions("/t/ops/npm/lab-t", web.token), old, "a team's token on another team's path")
    equal(versions("/npm/lab-t", web.token), old, "a token without the prefix")
    on_gate(gate, "token", "revoke", web.id)
    wait_until(lambda: gate.request("GET", "/t/web/npm/lab-t", {"authorization": "Bearer " + web.token}).status == 401, "it is revoked")


# ---- signed lists ----

def signed_list(t, gate, name="acme"):
    stem = t.path("key")
    equal(run(("keys", "generate", stem), dict(os.environ), t.folder)[0], 0)
    secret = next(stem + end for end in ("", ".key", ".sec") if os.path.exists(stem + end))
    public = [os.path.join(t.folder, f) for f in os.listdir(t.folder) if f.startswith(os.path.basename(stem)) and f.endswith(".pub")][0]
    with open(public, encoding="utf-8") as f:
        line = [x for x in f.read().split() if x.startswith("RW")][-1]
    file = t.path("list")
    code, out, errors = on_gate(gate, "approvals", "export", file, "--key", secret, "--name", name)
    equal(code, 0, out, errors)
    return file, line, secret


def test_signed_approvals_go_to_those_who_trust_the_key(t):
    fake = t.fake().lab()
    fake.publish("lab-b", "1.0.0", age="400d")
    roots = ('allow:\n  mode: enforce\n  roots:\n    - {name: "npm:lab-a", reason: "ours, reviewed", owner: web, review-by: %s}\n'
             % time.strftime("%Y-%m-%d", time.gmtime(time.time() + 100 * 86400)))
    giver = t.gate(policy(fake.url, extra=roots))
    file, key, secret = signed_list(t, giver)
    with open(file, encoding="utf-8") as f:
        text = f.read()
    equal([a["package"] for a in json.loads(text)["approvals"]], ["npm:lab-a"])
    taker = t.gate(policy(fake.url, extra="approvals: {import-keys: [\"%s\"]}\nallow: {mode: enforce}\n" % key))
    boss = Person(t, taker, "boss", "admin")
    known(boss)
    equal(taker.get("/lab-a").status, 403)
    code, out, errors = boss("approvals", "import", file)
    equal(code, 0, out, errors)
    contains(out, "1 approvals of acme")
    equal(taker.get("/lab-a").status, 200)
    equal(taker.get("/lab-b").status, 403)
    contains(boss("approvals", "list")[1], "acme", "npm:lab-a", "ours, reviewed")
    # Not transitive.
    again = t.path("again")
    equal(boss("approvals", "export", again, "--key", secret)[0], 0)
    with open(again, encoding="utf-8") as f:
        equal(json.load(f)["approvals"], [])
    # Changed by a letter, signed by another, or without a signature: nothing is taken.
    with open(file, "w", encoding="utf-8") as f:
        f.write(text.replace("lab-a", "lab-b"))
    code, _, errors = boss("approvals", "import", file)
    equal(code, 3)
    contains(errors, "sign")
    foreign, _, _ = signed_list(t, giver, "other")
    equal(boss("approvals", "import", foreign)[0], 3)
    equal(taker.get("/lab-b").status, 403)
    equal(giver.request("POST", "/-/api/v1/approvals", {}, "{}").status, 401)
