"""Upstreams that change their mind. A real private registry (Verdaccio, with real publishes) as an origin of its own, as the
default upstream, and with the gate behind it; and the crafted registry for what Verdaccio would not do.

Each rule number is DESIGN.md section 6.
"""
import http.client
import json
import os
import time

from harness import contains, equal, failed, for_clients, lacks, ok, policy, succeeded, wait_until
from verdaccio import free_port


def private(t):
    """One Verdaccio for all tests of this file: each uses names of its own."""
    return t.shared("verdaccio", lambda case: case.verdaccio())


def two_origins(t):
    """The crafted registry as the default upstream, Verdaccio as the origin of @acme/*."""
    fake, own = t.fake().lab(), private(t)
    origins = 'origins:\n  - {names: ["npm:@acme/*"], upstream: "%s", fresh: 1s}\n' % own.url
    return fake, own, t.gate(policy(fake.url, extra=origins))


def fresh_is_over():
    """Just past the second for which the policies here let metadata be fresh."""
    time.sleep(1.1)


# --- Verdaccio as an origin of its own ---

@for_clients()
def test_private_scope_has_no_cooldown_and_public_ones_do(t, client):
    _, own, gate = two_origins(t)
    name = "@acme/fresh-" + client
    own.publish(name, "1.0.0", dependencies={"lab-a": "^1.0.0"})
    c = t.client(client, gate)
    project = t.project(c, {"dependencies": {name: "1.0.0"}})
    succeeded(c.do("install", project))
    equal(project.version(name), "1.0.0")
    equal(project.installed()["lab-a"], {"1.1.0"})
    equal(c.trap.hosts, [])


def test_internal_names_never_leave_for_the_public_registry(t):
    fake, own, gate = two_origins(t)
    fake.publish("@acme/confused", "99.0.0", age="300d")    # what an attacker publishes
    fake.forget()
    equal(gate.get("/@acme%2fconfused").status, 404)
    equal(gate.get("/@acme/confused/-/confused-99.0.0.tgz").status, 404)
    equal(gate.get("/@acme%2fnot-yet-made").status, 404)
    gate.request("POST", "/npm/-/npm/v1/security/advisories/bulk", {"content-type": "application/json"},
                 json.dumps({"@acme/confused": ["1.0.0"]}).encode())
    equal(fake.asked("acme") + fake.asked("", method="POST"), [])


def test_internal_names_do_not_fall_through_when_their_origin_is_down(t):
    fake, down = t.fake().lab(), t.fake()
    fake.publish("@acme/tool", "9.0.0", age="300d")
    down.broken = 503
    gate = t.gate(policy(fake.url, extra='origins:\n  - {names: ["npm:@acme/*"], upstream: "%s", fresh: 1s}\n' % down.url))
    answer = gate.get("/@acme%2ftool")
    ok(answer.status >= 400, answer)
    equal(fake.asked("acme"), [])


def test_an_origin_may_set_a_cooldown_of_its_own(t):
    fake, own = t.fake(), private(t)
    own.publish("@acme/slow", "1.0.0", age="90d")
    own.publish("@acme/slow", "1.1.0")
    gate = t.gate(policy(fake.url, extra='origins:\n  - {names: ["npm:@acme/*"], upstream: "%s", cooldown: 30d}\n' % own.url))
    equal(gate.versions("@acme/slow"), {"1.0.0"})


# --- Verdaccio as the default upstream, and the gate behind Verdaccio ---

@for_clients("npm-11", "pnpm-12", "yarn-berry", "bun")
def test_verdaccio_as_the_default_upstream(t, client):
    own = private(t)
    name = "in-front-" + client
    own.publish(name, "1.0.0", age="90d")
    own.publish(name, "1.1.0")
    gate = t.gate(policy(own.url))
    c = t.client(client, gate)
    project = t.project(c, {"dependencies": {name: "^1.0.0"}})
    succeeded(c.do("install", project))
    equal(project.version(name), "1.0.0")


@for_clients("npm-11", "pnpm-12", "yarn-1", "bun")
def test_gate_behind_verdaccio(t, client):
    """Developers talk to Verdaccio, Verdaccio's uplink is the gate."""
    fake, gate, outer = t.shared("behind", behind)
    c = t.client(client, outer.url)
    project = t.project(c, {"dependencies": {"lab-a": "^1.0.0"}})
    succeeded(c.do("install", project))
    equal(project.version("lab-a"), "1.1.0")
    ok(gate.who_has("npm:lab-a@1.1.0")["receipts"], "Verdaccio is the receiver")
    failed(c.do("add", project, "lab-a@1.2.0"))


def behind(case):
    fake = case.fake().lab()
    gate = case.gate(policy(fake.url))
    return fake, gate, case.verdaccio(uplink=gate.registry)


# --- what the registry changes afterwards, with real publishes ---

def test_a_new_publish_is_seen_and_held(t):
    own = private(t)
    own.publish("grows", "1.0.0", age="90d")
    gate = t.gate(policy(own.url))
    equal(gate.versions("grows"), {"1.0.0"})
    own.publish("grows", "1.0.1")
    wait_until(lambda: "1.0.1" in gate.document("grows").get("policyRestrictions", {}).get("versions", {}), "the new version is noticed")
    equal(gate.document("grows")["dist-tags"]["latest"], "1.0.0")
    equal(gate.get("/grows/-/grows-1.0.1.tgz").status, 403)


def test_rule_4_a_version_published_again_with_other_bytes_is_an_incident(t):
    own = private(t)
    own.publish("rewritten", "1.0.0", age="90d")
    own.publish("rewritten", "1.1.0", age="60d")
    gate = t.gate(policy(own.url))
    first = gate.get("/rewritten/-/rewritten-1.1.0.tgz")
    equal(first.status, 200)
    own.unpublish("rewritten", "1.1.0")
    own.publish("rewritten", "1.1.0", age="60d", files={"index.js": "module.exports = 'other';\n"})
    wait_until(lambda: "1.1.0" not in gate.versions("rewritten"), "the rewritten version is hidden")
    refused = gate.get("/rewritten/-/rewritten-1.1.0.tgz")
    equal(refused.status, 403, refused)
    contains(refused.json()["error"], "rewritten@1.1.0", "hash")
    explained = gate.explain("npm:rewritten@1.1.0")
    contains([r["code"] for r in explained["reasons"]], "hash-changed")
    equal((explained["decision"] in ("hold", "deny"), explained["until"]), (True, None))
    ok(gate.incidents("rewritten"), gate.log())
    equal(gate.document("rewritten")["dist-tags"]["latest"], "1.0.0")


def test_rule_8_a_young_version_withdrawn_is_held_though_cached(t):
    own = private(t)
    own.publish("vanishes", "1.0.0", age="90d")
    own.publish("vanishes", "1.1.0", age="10d")
    gate = t.gate(policy(own.url))
    equal(gate.get("/vanishes/-/vanishes-1.1.0.tgz").status, 200)
    own.unpublish("vanishes", "1.1.0")
    wait_until(lambda: "1.1.0" not in gate.versions("vanishes"), "the withdrawal is noticed")
    refused = gate.get("/vanishes/-/vanishes-1.1.0.tgz")
    equal(refused.status, 403, refused)
    contains(refused.json()["error"], "vanishes@1.1.0")
    contains([r["code"] for r in gate.explain("npm:vanishes@1.1.0")["reasons"]], "withdrawn")


def test_rule_8_an_old_version_withdrawn_goes_on_being_served(t):
    own = private(t)
    own.publish("honest", "1.0.0", age="300d")
    own.publish("honest", "1.1.0", age="200d")
    gate = t.gate(policy(own.url))
    bytes_ = gate.get("/honest/-/honest-1.0.0.tgz").body
    own.unpublish("honest", "1.0.0")
    fresh_is_over()
    equal(gate.get("/honest").status, 200)
    again = gate.get("/honest/-/honest-1.0.0.tgz")
    equal((again.status, again.body == bytes_), (200, True))


def test_rule_6_latest_moved_back_upstream_keeps_its_former_target(t):
    fake = t.fake()
    for version, age in (("1.0.0", "300d"), ("1.1.0", "200d"), ("1.2.0", "100d")):
        fake.publish("moved", version, age=age)
    gate = t.gate(policy(fake.url))
    equal(gate.document("moved")["dist-tags"]["latest"], "1.2.0")
    fake.tag("moved", "latest", "1.0.0")      # an old version that was never tagged while we looked
    fresh_is_over()
    gate.document("moved")
    wait_until(lambda: len(fake.asked("moved")) > 1, "the upstream is asked again")
    equal(gate.document("moved")["dist-tags"]["latest"], "1.2.0")


# --- what only a crafted registry does ---

def test_rule_3_a_manifest_that_differs_from_the_archive_is_denied(t):
    fake = t.fake()
    cases = {"script": {"scripts": {"postinstall": "node evil.js"}}, "dependency": {"dependencies": {"lab-hidden": "1.0.0"}},
             "name": {"name": "something-else"}, "version": {"version": "9.9.9"}}
    for kind, archive in cases.items():
        fake.publish("differs-" + kind, "1.0.0", archive=archive)
    fake.publish("agrees", "1.0.0", scripts={"test": "true"}, dependencies={"lab-a": "1"}, bin={"x": "index.js"})
    gate = t.gate(policy(fake.url))
    equal(gate.get("/agrees/-/agrees-1.0.0.tgz").status, 200)
    for kind in cases:
        name = "differs-" + kind
        try:
            answer = gate.get("/%s/-/%s-1.0.0.tgz" % (name, name))
            ok(answer.status == 403, kind, answer)
        except http.client.IncompleteRead:
            pass
        wait_until(lambda n=name: gate.get("/%s/-/%s-1.0.0.tgz" % (n, n)).status == 403, name + " is refused from then on")
        explained = gate.explain("npm:%s@1.0.0" % name)
        equal(explained["decision"], "deny", kind)
        contains([r["code"] for r in explained["reasons"]], "manifest-mismatch")
        equal(gate.who_has("npm:%s@1.0.0" % name)["receipts"], [], kind)
        ok(gate.incidents(name), kind)


def test_rule_3_a_hidden_binding_gyp_is_a_mismatch(t):
    fake = t.fake()
    fake.publish("gyp-hidden", "1.0.0", files={"index.js": "", "binding.gyp": "{}"})
    fake.publish("gyp-said", "1.0.0", files={"index.js": "", "binding.gyp": "{}"}, scripts={"install": "node-gyp rebuild"}, gypfile=True,
                 archive={"scripts": {}})
    gate = t.gate(policy(fake.url))
    try:
        status = gate.get("/gyp-hidden/-/gyp-hidden-1.0.0.tgz").status
    except http.client.IncompleteRead:
        status = 403
    equal(status, 403)
    equal(gate.get("/gyp-said/-/gyp-said-1.0.0.tgz").status, 200, "what npm itself adds when it publishes is no mismatch")


def test_rule_5_a_time_moved_back_does_not_clear(t):
    fake = t.fake().lab()
    gate = t.gate(policy(fake.url))
    lacks(gate.versions("lab-a"), "1.3.0")
    fake.publish("lab-a", "1.3.0", age="900d")     # claims to be old, and was not there a moment ago
    fresh_is_over()
    wait_until(lambda: "1.3.0" in gate.document("lab-a").get("policyRestrictions", {}).get("versions", {}), "the new version is noticed")
    equal(gate.get("/lab-a/-/lab-a-1.3.0.tgz").status, 403)


def test_rule_1_an_unreadable_policy_does_not_start_and_a_broken_reload_changes_nothing(t):
    fake = t.fake().lab()
    gate = t.gate(policy(fake.url))
    gate.reload("version: 1\nmode: enforcement\n")
    wait_until(lambda: "bondgate.yaml:2" in gate.tail(10 ** 6), "the log names the line")
    equal(gate.versions("lab-a"), {"1.0.0", "1.1.0", "2.0.0-beta.1"})
    code, _, errors = gate.command("policy", "check")
    ok(code != 0, "policy check finds it too")
    contains(errors, "bondgate.yaml:2")
    try:
        t.gate("version: 1\nmode: enforcement\n")
    except AssertionError as e:
        contains(str(e), "bondgate.yaml:2")
    else:
        raise AssertionError("started with a policy that cannot be read")


def test_rule_8_stale_metadata_when_the_upstream_is_down(t):
    fake = t.fake().lab()
    gate = t.gate(policy(fake.url))
    equal(gate.get("/lab-a/-/lab-a-1.1.0.tgz").status, 200)
    before = gate.versions("lab-a")
    fake.broken = 503
    fresh_is_over()
    equal(gate.versions("lab-a"), before)
    equal(gate.get("/lab-a/-/lab-a-1.1.0.tgz").status, 200)
    answer = gate.get("/lab-b")
    ok(answer.status in (502, 503, 504) and answer.json()["error"], answer)


def test_rule_13_artifacts_only_from_the_origins_own_or_a_listed_host(t):
    fake, other = t.fake(), t.fake()
    for registry in (fake, other):
        registry.publish("elsewhere", "1.0.0")

    def move(document):
        document["versions"]["1.0.0"]["dist"]["tarball"] = other.url + "elsewhere/-/elsewhere-1.0.0.tgz"
    fake.edit("elsewhere", move)
    fake.tarballs.clear()      # the gate may well try its own origin; only that one
    gate = t.gate(policy(fake.url))
    answer = gate.get("/elsewhere/-/elsewhere-1.0.0.tgz")
    ok(answer.status >= 400, answer)
    equal(other.requests, [])
    listed = t.gate(policy(fake.url, registry='artifact-hosts: ["127.0.0.1:%d"]' % other.port))
    equal(listed.get("/elsewhere/-/elsewhere-1.0.0.tgz").status, 200)
    equal(len(other.requests), 1)


HOSTILE = {
    "version-key-lies": lambda d: d["versions"].update({"5.0.0": dict(d["versions"]["1.1.0"])}),
    "version-key-is-a-path": lambda d: d["versions"].update({"../../x": dict(d["versions"]["1.1.0"], version="../../x")}),
    "tarball-is-a-file": lambda d: d["versions"]["1.1.0"]["dist"].update(tarball="file:///etc/passwd"),
    "tarball-has-control-bytes": lambda d: d["versions"]["1.1.0"]["dist"].update(tarball="http://127.0.0.1:1/a\r\nx: y"),
    "time-is-no-time": lambda d: d["time"].update({"1.2.0": "yesterday"}),
    "time-is-a-number": lambda d: d["time"].update({"1.2.0": 0}),
    "time-is-in-the-past-of-all": lambda d: d["time"].update({"1.2.0": "0001-01-01T00:00:00.000Z"}),
    "time-with-an-offset": lambda d: d["time"].update({"1.2.0": "2099-01-01T00:00:00+23:00"}),
    "tag-to-nowhere": lambda d: d["dist-tags"].update(latest="7.7.7"),
    "tag-is-a-list": lambda d: d["dist-tags"].update(odd=["1.0.0"]),
    "own-restrictions": lambda d: d.update(policyRestrictions={"message": "trust me", "versions": {}}),
    "proto": lambda d: d["versions"].update({"__proto__": {"name": "x"}}),
    "scripts-is-text": lambda d: d["versions"]["1.1.0"].update(scripts="rm -rf"),
    "no-dist": lambda d: d["versions"]["1.1.0"].pop("dist"),
    "deep": lambda d: d["versions"]["1.1.0"].update(extra=json.loads("[" * 400 + "]" * 400)),
}


def test_hostile_fields_neither_crash_nor_uncover_what_is_held(t):
    fake = t.fake()
    gate = t.gate(policy(fake.url))
    for number, (kind, change) in enumerate(HOSTILE.items()):
        name = "hostile-%d" % number
        fake.publish(name, "1.0.0", age="400d")
        fake.publish(name, "1.1.0", age="100d")
        fake.publish(name, "1.2.0", age="2h")
        fake.edit(name, change)
        answer = gate.get("/" + name, accept="application/json")
        if answer.status == 200:
            document = answer.json()
            lacks(list(document["versions"]), "1.2.0")
            ok(set(document["dist-tags"].values()) <= set(document["versions"]), kind, document["dist-tags"])
            lacks(answer.body.decode(), "trust me")
        else:
            ok(answer.status in (403, 404, 502) and answer.json()["error"], kind, answer)
        ok(gate.get("/%s/-/%s-1.2.0.tgz" % (name, name)).status >= 400, kind)
    equal(gate.get("/-/healthz").status, 200)


def test_documents_that_are_none_are_refused_with_a_sentence(t):
    fake = t.fake()
    gate = t.gate(policy(fake.url))
    fake.publish("lab-a", "1.0.0")
    good = json.dumps(fake.documents["lab-a"]).encode()
    cases = {"html": b"<html>sign in</html>", "cut": good[:len(good) // 2], "empty": b"", "another-name": good, "array": b"[]",
             "two-versions-members": good[:-1] + b',"versions":{}}', "not-utf8": good.replace(b"# lab-a", b"# \xff\xfe"),
             "escaped-duplicate": good[:-1] + b',"version\\u0073":{"6.6.6":{}}}'}
    for kind, text in cases.items():
        name = "bad-" + kind
        fake.documents[name] = text if kind == "another-name" else text.replace(b"lab-a", name.encode())
        answer = gate.get("/" + name)
        ok(answer.status in (403, 404, 502), kind, answer)
        ok(answer.json()["error"], kind)
    equal(gate.get("/lab-a").status, 200)


def test_the_gate_as_its_own_upstream_is_refused(t):
    port = free_port()
    try:
        gate = t.gate(policy("http://127.0.0.1:%d/npm/" % port), port=port)
    except AssertionError as e:
        contains(str(e), "before it listened", "upstream")
        return
    answer = gate.get("/lab-a", timeout=20)
    ok(answer.status in (502, 503) and answer.json()["error"], answer)


def test_redirect_credentials_stay_with_their_host(t):
    fake, other = t.fake(), t.fake()
    fake.publish("@acme/far", "1.0.0")
    other.publish("@acme/far", "1.0.0")

    def away(handler):
        if not handler.path.endswith(".tgz"):
            return False
        fake.send(handler, 302, b"", extra={"location": other.url + handler.path.lstrip("/")})
        return True
    fake.hook = away
    gate = t.gate(policy(t.fake().url, extra='origins:\n  - {names: ["npm:@acme/*"], upstream: "%s", token: {file: TOKEN}, '
                         'artifact-hosts: ["127.0.0.1:%d"]}\n'.replace("TOKEN", token_file(t)) % (fake.url, other.port)))
    equal(gate.get("/@acme%2ffar", authorization="Bearer the-clients-own").status, 200)
    equal(gate.get("/@acme/far/-/far-1.0.0.tgz", authorization="Bearer the-clients-own").status, 200)
    equal({r.headers.get("authorization") for r in fake.requests}, {"Bearer secret-of-the-origin"})
    equal({r.headers.get("authorization") for r in other.requests}, {None})
    equal(len(other.requests), 1)


def token_file(t):
    path = t.path("token")
    with open(path, "w", encoding="utf-8") as f:
        f.write("secret-of-the-origin\n")
    os.chmod(path, 0o600)
    return path


def test_reload_may_name_a_new_folder_of_advisories_or_says_that_it_takes_a_restart(t):
    fake = t.fake().lab()
    gate = t.gate(policy(fake.url, cooldown="0s"))
    advisories = t.osv(("MAL-2026-0004", "lab-a", ["1.2.0"]))
    gate.reload(policy(fake.url, cooldown="0s", extra="advisories:\n  files: [%s]\n" % advisories))
    wait_until(lambda: "1.2.0" not in gate.versions("lab-a") or "restart" in gate.tail(10 ** 6), "in force, or the log says what to do")
