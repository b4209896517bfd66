"""allow.roots: approved roots and what they need, through real package managers, on a crafted registry."""
import json
import time

from harness import contains, equal, failed, for_clients, lacks, ok, policy, succeeded, wait_until

SOME = ("npm-11", "pnpm-10")


def roots(*names, mode="enforce", more=""):
    lines = "".join('    - {name: "npm:%s", reason: "a test", owner: team, review-by: 2099-01-01}\n' % n for n in names)
    return "allow:\n  mode: %s\n  roots:%s\n%s%s" % (mode, "" if names else " []", lines, more)


def tree(fake):
    """app > middle > leaf, app > @lab/tool (optional), app > peer (peer dependency), old versions need old-leaf; stray is nobody's."""
    fake.publish("leaf", "1.0.0")
    fake.publish("old-leaf", "1.0.0")
    fake.publish("peer", "1.0.0")
    fake.publish("@lab/tool", "1.0.0")
    fake.publish("stray", "1.0.0", dependencies={"stray-leaf": "^1.0.0"})
    fake.publish("stray-leaf", "1.0.0")
    fake.publish("middle", "1.0.0", dependencies={"leaf": "^1.0.0"})
    fake.publish("app", "0.9.0", age="500d", dependencies={"old-leaf": "^1.0.0"})
    fake.publish("app", "1.0.0", dependencies={"middle": "^1.0.0"}, optionalDependencies={"@lab/tool": "^1.0.0"},
                 peerDependencies={"peer": "^1.0.0"})
    return fake


def whitelisted(t, fake, *names, **more):
    return t.gate(policy(fake.url, extra=roots(*names, **more)))


def walked(gate):
    """Until the walk has come to its end."""
    def ended():
        text = gate.get("/-/metrics").body.decode()
        return "bondgate_approved_names_unknown 0" in text
    wait_until(ended, "the walk from the approved roots ends", 30)


@for_clients(*SOME)
def test_an_approved_root_installs_with_all_it_needs(t, client):
    fake = tree(t.fake())
    gate = whitelisted(t, fake, "app")
    c = t.client(client, gate)
    project = t.project(c, {"dependencies": {"app": "^1.0.0"}})
    succeeded(c.do("install", project))
    for name in ("app", "middle", "leaf", "@lab/tool", "peer"):
        ok(name in project.installed(), name)
    lock = project.read(c.lockfile)

    fresh = whitelisted(t, fake, "app")
    other = t.client(client, fresh)
    copy = t.project(other, {"dependencies": {"app": "^1.0.0"}})
    copy.write(other.lockfile, lock.replace(gate.registry, fresh.registry))
    succeeded(other.do("frozen", copy))
    equal(copy.installed(), project.installed())


@for_clients(*SOME)
def test_without_its_root_exactly_its_part_is_refused(t, client):
    fake = tree(t.fake())
    gate = whitelisted(t, fake, "app")
    c = t.client(client, gate)
    project = t.project(c, {"dependencies": {"app": "^1.0.0", "stray": "^1.0.0"}})
    contains(failed(c.do("install", project)).text, "stray", "not-approved")
    walked(gate)
    for name in ("app", "middle", "leaf", "@lab/tool", "peer", "old-leaf"):
        equal(gate.get("/" + name.replace("/", "%2f")).status, 200, name)
    for name in ("stray", "stray-leaf"):
        answer = gate.get("/" + name)
        equal(answer.status, 403, answer)
        contains(answer.json()["error"], name, "not-approved")
        equal(gate.get("/%s/-/%s-1.0.0.tgz" % (name, name)).status, 403)
    found = gate.explain("npm:stray@1.0.0")
    equal((found["decision"], found["until"], found["reasons"][0]["code"]), ("hold", None, "not-approved"))
    equal(gate.explain("npm:leaf@1.0.0")["decision"], "allow")


def test_report_serves_and_records(t):
    fake = tree(t.fake())
    gate = whitelisted(t, fake, "app", mode="report")
    equal(gate.get("/stray").status, 200)
    walked(gate)
    # What was judged while the walk went on is judged again; the tarball is answered from that same judgement.
    wait_until(lambda: "no approved root needs it" in json.dumps(gate.get("/-/explain?purl=npm:stray@1.0.0").json()), "stray is reported")
    equal(gate.get("/leaf/-/leaf-1.0.0.tgz").status, 200)
    equal(gate.get("/stray/-/stray-1.0.0.tgz").status, 200)
    receipts = {r["purl"]: r["decision"] for r in gate.log() if r["kind"] == "receipt"}
    equal(receipts["pkg:npm/leaf@1.0.0"], "allow")
    contains(receipts["pkg:npm/stray@1.0.0"], "report hold not-approved")


def test_off_does_not_walk(t):
    fake = tree(t.fake())
    gate = whitelisted(t, fake, "app", mode="off")
    equal(gate.get("/stray").status, 200)
    lacks(gate.get("/-/metrics").body.decode(), "approved_names")
    equal(fake.asked("middle"), [])


def test_tarballs_alone_wait_for_the_walk(t):
    """`npm ci` on a fresh gate asks for the deepest first."""
    fake = tree(t.fake())
    fake.delay = 0.2
    gate = whitelisted(t, fake, "app")
    answer = gate.get("/leaf/-/leaf-1.0.0.tgz")
    equal(answer.status, 200, answer)
    equal(gate.get("/stray/-/stray-1.0.0.tgz").status, 403)


def test_a_root_approved_later_counts_at_once(t):
    fake = tree(t.fake())
    gate = whitelisted(t, fake, "app")
    equal(gate.get("/stray").status, 403)
    gate.reload(policy(fake.url, extra=roots("app", "stray")))
    wait_until(lambda: gate.get("/stray").status == 200, "the new root")
    equal(gate.get("/stray-leaf").status, 200)
    equal(gate.get("/leaf").status, 200)
    gate.reload(policy(fake.url, extra=roots("stray")))
    wait_until(lambda: gate.get("/app").status == 403, "the former root")
    wait_until(lambda: gate.get("/leaf").status == 403, "what only the former root needed", 30)
    equal(gate.get("/stray-leaf").status, 200)


def test_a_name_needed_only_by_what_is_hidden_is_not_reached(t):
    fake = tree(t.fake())
    fake.publish("app", "2.0.0", age="2h", dependencies={"only-new": "^1.0.0", "middle": "^1.0.0"})
    fake.publish("app", "0.8.0", age="600d", dependencies={"only-denied": "^1.0.0"}, tag=None)
    fake.publish("only-new", "1.0.0")
    fake.publish("only-denied", "1.0.0")
    gate = t.gate(policy(fake.url, extra=roots("app", more='deny:\n  versions: ["npm:app@0.8.0"]\n')))
    walked(gate)
    for name in ("only-new", "only-denied"):
        equal(gate.get("/" + name).status, 403, name)
    equal(gate.get("/leaf").status, 200)


def test_an_alias_is_judged_by_its_real_name(t):
    fake = tree(t.fake())
    fake.publish("other", "1.0.0", dependencies={"other-leaf": "^1.0.0"})
    fake.publish("other-leaf", "1.0.0")
    fake.publish("leaf-by-alias", "1.0.0")
    fake.publish("root", "1.0.0", dependencies={"leaf-by-alias": "npm:other@1.0.0"})
    gate = whitelisted(t, fake, "root")
    equal(gate.get("/other").status, 200)
    equal(gate.get("/other-leaf").status, 200)
    equal(gate.get("/leaf-by-alias").status, 403)


def test_case_variants_are_other_names(t):
    fake = tree(t.fake())
    fake.publish("Leaf", "1.0.0")
    fake.publish("App", "1.0.0")
    gate = whitelisted(t, fake, "app")
    for name in ("Leaf", "App"):
        equal(gate.get("/" + name).status, 403, name)
    equal(gate.get("/leaf").status, 200)


def test_a_range_approves_those_versions_and_what_they_need(t):
    fake = tree(t.fake())
    gate = whitelisted(t, fake, "app@^1.0.0")
    walked(gate)
    equal(gate.versions("app"), {"1.0.0"})
    equal(gate.get("/leaf").status, 200)
    equal(gate.get("/old-leaf").status, 403)


def test_patterns_start_walks_of_their_own(t):
    fake = tree(t.fake())
    fake.publish("@vendor/a", "1.0.0", dependencies={"leaf": "^1.0.0"})
    gate = whitelisted(t, fake, "@vendor/*")
    equal(gate.get("/@vendor%2fa").status, 200)
    equal(gate.get("/leaf").status, 200)
    gate.stop()
    gate.start()     # known to the store by now: nobody has to ask for @vendor/a first
    equal(gate.get("/leaf/-/leaf-1.0.0.tgz").status, 200)
    equal(gate.get("/stray").status, 403)


def test_an_upstream_in_trouble_holds_and_does_not_refuse_for_good(t):
    fake = tree(t.fake())
    fake.hook = lambda handler: handler.path.strip("/") == "middle" and (fake.send(handler, 503, b'{"error":"down"}') or True)
    gate = whitelisted(t, fake, "app")
    answer = gate.get("/leaf")
    equal(answer.status, 503, answer)
    contains(answer.json()["error"], "leaf", "middle")
    ok(answer.header("retry-after"))
    equal(gate.get("/app").status, 200)
    fake.hook = None
    wait_until(lambda: gate.get("/leaf").status == 200, "the walk goes on", 40)


def test_a_new_version_brings_its_new_names(t):
    fake = tree(t.fake())
    gate = t.gate(policy(fake.url, cooldown="0s", extra=roots("app")))
    walked(gate)
    fake.publish("fresh-leaf", "1.0.0", age="300d")
    fake.publish("app", "1.1.0", age="1d", dependencies={"middle": "^1.0.0", "fresh-leaf": "^1.0.0"})
    wait_until(lambda: "1.1.0" in gate.versions("app"), "the new version")
    wait_until(lambda: gate.get("/fresh-leaf").status == 200, "what it needs", 12)


def test_a_thousand_names_deep(t):
    """A chain, so that each name is known only when the one before it was looked at."""
    fake = t.fake()
    for i in range(300):
        fake.publish("chain-%d" % i, "1.0.0", dependencies={"chain-%d" % (i + 1): "^1.0.0"})
    fake.publish("chain-300", "1.0.0")
    gate = whitelisted(t, fake, "chain-0")
    equal(gate.get("/chain-300/-/chain-300-1.0.0.tgz").status, 200)
    walked(gate)
    contains(gate.get("/-/metrics").body.decode(), "bondgate_approved_names 301")
