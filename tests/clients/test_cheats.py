"""Ways to get more than was approved, each tried as somebody who means it."""
import concurrent.futures
import os
import time

from harness import contains, equal, ok, policy, wait_until
from test_people import Person, known, records, staff
from test_whitelist import roots, tree, walked


def test_what_no_registry_has_cannot_be_asked_for(t):
    """Under a whitelist an unknown version is `not-approved` too: a request for it was an approval in advance, and for a star of everything."""
    fake = tree(t.fake())
    gate = t.gate(policy(fake.url, extra=roots("app")))
    kim, jo, _ = staff(t, gate)
    walked(gate)
    for call, who in (("requests", kim), ("break-glass", jo)):
        for purl, status in (("npm:nowhere@1.0.0", 404), ("npm:stray@9.9.9", 404), ("npm:*@1.0.0", 400), ("npm:@lab/*@1.0.0", 400),
                             ("npm:stray@*", 400), ("npm:stray@>=0", 400), ("npm:stray@1 || 2", 400), ("npm:stray@latest", 400)):
            answer = who.api("POST", call, {"purl": purl, "reason": "x"})
            equal(answer.status, status, call, purl, answer)
            ok(answer.json()["error"])
    equal(records(gate, "request") + records(gate, "break-glass"), [])
    equal(gate.get("/stray").status, 403)
    equal(kim.api("POST", "requests", {"purl": "npm:stray@1.0.0", "reason": "x"}).status, 201)
    jo("approve", "1")
    equal(gate.get("/stray").status, 200)
    equal(gate.get("/stray-leaf").status, 403)


def test_what_is_held_as_a_look_alike_brings_nothing_along(t):
    """The walk judged a name without asking what it resembles, so what the held one needs was approved."""
    fake = t.fake()
    fake.publish("app", "1.0.0", dependencies={"lodahs": "^1.0.0", "leaf": "^1.0.0"})
    fake.publish("lodahs", "1.0.0", dependencies={"smuggled": "^1.0.0"})
    fake.publish("smuggled", "1.0.0")
    fake.publish("leaf", "1.0.0")
    gate = t.gate(policy(fake.url, extra=roots("app", more="rules: {look-alike: {mode: enforce}}\n")))
    walked(gate)
    contains(gate.get("/lodahs").json()["error"], "look-alike")
    equal(gate.get("/leaf").status, 200)
    equal(gate.get("/smuggled").status, 403)


def test_a_young_name_that_is_held_brings_nothing_along(t):
    fake = t.fake()
    fake.publish("app", "1.0.0", age="100d", dependencies={"young": "^1.0.0", "leaf": "^1.0.0"})
    fake.publish("young", "1.0.0", age="8d", dependencies={"smuggled": "^1.0.0"})
    fake.publish("smuggled", "1.0.0")
    fake.publish("leaf", "1.0.0")
    extra = roots("app", more="rules: {new-dependency: {mode: enforce}}\n").replace("allow:", "  new-package: 0\n  new-dependency: 30d\nallow:", 1)
    gate = t.gate(policy(fake.url, extra=extra))
    walked(gate)
    contains(gate.get("/young").json()["error"], "new-dependency")
    equal(gate.get("/leaf").status, 200)
    equal(gate.get("/smuggled").status, 403)


def test_content_that_is_not_what_was_announced_is_not_asked_away(t):
    """explain says that no request helps, and the request was taken all the same."""
    fake = t.fake().lab()
    fake.publish("lab-x", "1.0.0", archive={"scripts": {"postinstall": "node evil.js"}})
    gate = t.gate(policy(fake.url))
    kim, jo, _ = staff(t, gate)
    equal(gate.get("/lab-x/-/lab-x-1.0.0.tgz").status, 403)
    wait_until(lambda: gate.get("/lab-x").status == 403, "the mismatch is known")
    for call, who in (("requests", kim), ("break-glass", jo)):
        answer = who.api("POST", call, {"purl": "npm:lab-x@1.0.0", "reason": "x"})
        equal(answer.status, 403, answer)
        contains(answer.json()["error"], "manifest-mismatch")


def test_of_approvals_and_revocations_at_once_the_last_word_counts(t):
    """What was decided first was sometimes put in force last, and stayed."""
    fake = t.fake()
    for i in range(12):
        fake.publish("race-%d" % i, "1.0.0", age="100d")
        fake.publish("race-%d" % i, "1.1.0", age="2h")
    gate = t.gate(policy(fake.url))
    kim, jo, lee = staff(t, gate)
    numbers = [kim.api("POST", "requests", {"purl": "npm:race-%d@1.1.0" % i, "reason": "x"}).json()["id"] for i in range(12)]

    def decide(n):
        equal(jo.api("POST", "requests/%d/approve" % n).status, 200)
        if n % 2:
            equal(lee.api("POST", "requests/%d/revoke" % n).status, 200)

    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        list(pool.map(decide, numbers))
    for i, n in enumerate(numbers):
        equal("1.1.0" in gate.versions("race-%d" % i), n % 2 == 0, i)


def test_a_lax_teams_download_does_not_serve_a_strict_request(t):
    """Who asks while another team's download is under way was handed what that team's rules let through."""
    fake = t.fake()
    fake.publish("odd", "1.0.0", files={"index.js": os.urandom(200000).hex()}, archive={"scripts": {"postinstall": "node evil.js"}})
    lax = os.path.join(t.folder, "lax.yaml")
    with open(lax, "w", encoding="utf-8") as f:
        f.write("version: 1\nrules: {manifest-mismatch: {mode: report}}\n")
    gate = t.gate(policy(fake.url, extra="teams:\n  - {name: lax, policy: %s}\n" % lax))
    ci = Person(t, gate, "lax-ci", "requester", team="lax")
    known(ci)
    token = {"authorization": "Bearer " + ci.token}
    equal(gate.get("/odd").status, 200)
    equal(gate.request("GET", "/t/lax/npm/odd", token).status, 200)

    def slowly(handler):
        if handler.path.endswith(".tgz"):
            time.sleep(1)
        return False

    fake.hook = slowly
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        first = pool.submit(gate.request, "GET", "/t/lax/npm/odd/-/odd-1.0.0.tgz", token)
        wait_until(lambda: [r for r in fake.requests if r.path.endswith(".tgz")], "the download is under way")
        second = pool.submit(gate.get, "/odd/-/odd-1.0.0.tgz")
        equal(first.result().status, 200)
        equal(second.result().status, 403)


def test_explain_says_what_the_team_meets(t):
    """It answered by the rules of the whole gate, also where the team's refuse or serve something else."""
    fake = t.fake().lab()
    web = os.path.join(t.folder, "web.yaml")
    with open(web, "w", encoding="utf-8") as f:
        f.write('version: 1\ncooldown: {default: 1h, new-package: 0}\ndeny: {versions: ["npm:lab-a@1.0.0"]}\n')
    gate = t.gate(policy(fake.url, extra="teams:\n  - {name: web, policy: %s}\n" % web))
    ci = Person(t, gate, "web-ci", "requester", team="web")
    known(ci)
    for mount, token in (("", None), ("/t/web", None), ("/t/web", ci.token), ("/t/nobody", ci.token), ("", ci.token)):
        headers = {"authorization": "Bearer " + token} if token else {}
        for version in ("1.0.0", "1.1.0", "1.2.0"):
            served = gate.request("GET", "%s/npm/lab-a/%s" % (mount, version), headers).status == 200
            said = gate.request("GET", "%s/-/explain?purl=npm:lab-a@%s" % (mount, version), headers).json()["decision"]
            equal(said == "allow", served, mount, bool(token), version, said)
            bulk = gate.request("POST", mount + "/-/explain", headers, '{"purls": ["npm:lab-a@%s"]}' % version).json()
            equal(bulk["answers"][0]["decision"], said)
    team = gate.registry.replace("/npm/", "/t/web/npm/")
    equal([ci("explain", "npm:lab-a@" + v, "--gate", team)[0] for v in ("1.0.0", "1.2.0")], [1, 0])
    equal([ci("explain", "npm:lab-a@" + v, "--gate", gate.registry)[0] for v in ("1.0.0", "1.2.0")], [0, 1])
    equal(gate.request("GET", "/t/web/-/explain?purl=npm:lab-a@1.0.0", {"authorization": "Bearer bg_" + "x" * 43}).status, 401)
    equal(gate.get("/t/we%62/-/explain?purl=npm:lab-a@1.0.0").status, 404)
    equal(gate.get("/t/web/-/metrics").status, 404)


def test_a_circle_through_a_root_that_is_approved_no_more_ends(t):
    """app needs middle needs app: once app was no root any more, the way to it had no end, and the gate stood still."""
    fake = t.fake()
    wide = {"wide-%d" % i: "^1.0.0" for i in range(300)}
    for name in wide:
        fake.publish(name, "1.0.0")
    fake.publish("app", "1.0.0", dependencies=dict(wide, middle="^1.0.0"))
    fake.publish("middle", "1.0.0", peerDependencies={"app": "^1.0.0"})
    fake.publish("stray", "1.0.0")
    gate = t.gate(policy(fake.url, extra=roots("app@^1.0.0")))
    walked(gate)
    equal(gate.get("/middle").status, 200)
    gate.reload(policy(fake.url, extra=roots("stray")))

    def refused():
        return gate.get("/middle", timeout=10).status == 403

    wait_until(refused, "what only the former root needed", 30)
    equal(gate.get("/stray").status, 200)
