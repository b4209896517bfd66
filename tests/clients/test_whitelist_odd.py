"""allow.roots where it is not plain: overrides, aliases, optional peers, patterns before anybody asked for them, teams with lists of their own, a scope
that changed hands, and a line of which only the fix may still be installed."""
import concurrent.futures
import json
import os
import time

from harness import contains, equal, failed, for_clients, lacks, long, ok, policy, succeeded, wait_until
from test_people import Person, known
from test_whitelist import SOME, roots, tree, walked, whitelisted

APPROVAL = ', reason: "a test", owner: team, review-by: 2099-01-01}\n'


# --- what a project says itself ---

@for_clients(*SOME)
def test_an_override_out_of_every_range_needs_an_approval_for_what_it_brings(t, client):
    fake = tree(t.fake())
    fake.publish("leaf", "3.0.0", dependencies={"far-leaf": "^1.0.0"})
    fake.publish("far-leaf", "1.0.0")
    manifest = {"dependencies": {"app": "^1.0.0"}, "overrides": {"leaf": "3.0.0"}, "pnpm": {"overrides": {"leaf": "3.0.0"}}}
    gate = whitelisted(t, fake, "app")
    c = t.client(client, gate)
    text = failed(c.do("install", t.project(c, manifest))).text
    contains(text, "far-leaf", "not-approved")
    equal({r["purl"].split("@")[0] for r in gate.log() if r["kind"] == "refusal"}, {"pkg:npm/far-leaf"})
    # Whoever overrides it has made it a package of the project: a root of its own, of which every version counts.
    gate.reload(policy(fake.url, extra=roots("app", "leaf")))
    wait_until(lambda: gate.get("/far-leaf").status == 200, "the root that was added")
    project = t.project(c, manifest)
    succeeded(c.do("install", project))
    equal(project.installed()["leaf"], {"3.0.0"})
    ok("far-leaf" in project.installed())


@for_clients(*SOME)
def test_an_alias_in_the_project_is_judged_by_what_it_stands_for(t, client):
    fake = tree(t.fake())
    fake.publish("other", "1.0.0")
    fake.publish("mine", "1.0.0")
    manifest = {"dependencies": {"mine": "npm:other@1"}}
    gate = whitelisted(t, fake, "mine")
    c = t.client(client, gate)
    text = failed(c.do("install", t.project(c, manifest))).text
    contains(text, "other@1.0.0", "is not an approved root")
    gate = whitelisted(t, fake, "other")
    c = t.client(client, gate)
    project = t.project(c, manifest)
    succeeded(c.do("install", project))
    equal(project.json("node_modules/mine/package.json")["name"], "other")
    equal(gate.get("/mine").status, 403)


@for_clients(*SOME)
def test_an_optional_peer_is_looked_at_and_not_needed(t, client):
    fake = tree(t.fake())
    fake.publish("extra", "1.0.0", dependencies={"extra-leaf": "^1.0.0"})
    fake.publish("extra-leaf", "1.0.0")
    fake.publish("root", "1.0.0", dependencies={"leaf": "^1.0.0"}, peerDependencies={"peer": "^1.0.0", "extra": "^1.0.0"},
                 peerDependenciesMeta={"extra": {"optional": True}, "peer": {"optional": False}})
    gate = whitelisted(t, fake, "root")
    c = t.client(client, gate)
    project = t.project(c, {"dependencies": {"root": "^1.0.0"}})
    done = succeeded(c.do("install", project))
    lacks(done.text, "not-approved")
    equal(set(project.installed()), {"root", "leaf", "peer"})
    equal([r for r in gate.log() if r["kind"] == "refusal"], [])
    text = failed(c.do("add", project, "extra@1.0.0")).text
    contains(" ".join(text.split()), "extra@1.0.0 is not an approved root", "an optional peer of root")
    equal(gate.get("/extra/-/extra-1.0.0.tgz").status, 403)
    wait_until(lambda: [r["purl"] for r in gate.log() if r["kind"] == "refusal"] == ["pkg:npm/extra@1.0.0"], "the download's record")
    lacks(gate.get("/-/metrics").body.decode(), "bondgate_approved_names 5")
    equal(gate.get("/extra-leaf").status, 403)


# --- patterns ---

def wide(fake, leaves=40):
    """A package that a pattern approves, with so many that it needs that no client asks for all of them at once; they come first in every order."""
    names = ["aaa-%02d" % i for i in range(leaves)]
    for name in names:
        fake.publish(name, "1.0.0")
    fake.publish("zed-lib", "1.0.0", dependencies={n: "1.0.0" for n in names})
    return names


@for_clients(*SOME)
def test_a_pattern_on_an_empty_gate_with_a_lockfile(t, client):
    fake = t.fake()
    names = wide(fake)
    gate = whitelisted(t, fake, "zed-*")
    c = t.client(client, gate)
    project = t.project(c, {"dependencies": {"zed-lib": "^1.0.0"}})
    succeeded(c.do("install", project))
    fresh = whitelisted(t, fake, "zed-*")
    other = t.client(client, fresh)
    copy = t.project(other, {"dependencies": {"zed-lib": "^1.0.0"}})
    copy.write(other.lockfile, project.read(c.lockfile).replace(gate.registry, fresh.registry))
    succeeded(other.do("frozen", copy))
    equal(set(copy.installed()), set(names) | {"zed-lib"})


def test_an_archive_before_its_pattern_is_told_to_come_again(t):
    fake = tree(t.fake())
    fake.publish("@vendor/a", "1.0.0", dependencies={"leaf": "^1.0.0"})
    gate = whitelisted(t, fake, "@vendor/*")
    begun = time.monotonic()
    answer = gate.get("/leaf/-/leaf-1.0.0.tgz")
    equal(answer.status, 503, answer)
    ok(answer.header("retry-after"))
    ok(time.monotonic() - begun < 8)
    contains(answer.json()["error"], "leaf@1.0.0", "may still be asked for")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(gate.get, "/leaf/-/leaf-1.0.0.tgz")
        equal(gate.get("/@vendor%2fa/-/a-1.0.0.tgz").status, 200)
        waiting.result()
    wait_until(lambda: gate.get("/leaf/-/leaf-1.0.0.tgz").status == 200, "what the pattern's package needs", 5)
    # Who asks what there is has asked for everything above it before, and is told at once.
    equal(gate.get("/stray").status, 403)


@long
def test_an_archive_that_no_pattern_brings_is_refused_in_the_end(t):
    fake = tree(t.fake())
    fake.publish("@vendor/a", "1.0.0")
    gate = whitelisted(t, fake, "@vendor/*")
    equal(gate.get("/leaf/-/leaf-1.0.0.tgz").status, 503)
    answer = wait_until(lambda: (lambda a: a if a.status != 503 else None)(gate.get("/leaf/-/leaf-1.0.0.tgz")), "it is known", 60)
    equal(answer.status, 403, answer)
    contains(answer.json()["error"], "npm ls leaf")


@for_clients(*SOME)
@long
def test_a_client_that_was_told_to_come_again_comes_again(t, client):
    """The registry is slow, so that the walk ends long after the client's first question: npm and pnpm both ask again by themselves."""
    fake = t.fake()
    names = wide(fake, 20)
    gate = whitelisted(t, fake, "zed-*")
    c = t.client(client, gate)
    project = t.project(c, {"dependencies": {"zed-lib": "^1.0.0"}})
    succeeded(c.do("install", project))

    def slow(handler):
        if handler.path.startswith("/zed-lib"):
            time.sleep(7)
        return False
    fake.hook = slow
    fresh = whitelisted(t, fake, "zed-*")
    other = t.client(client, fresh)
    copy = t.project(other, {"dependencies": {"zed-lib": "^1.0.0"}})
    copy.write(other.lockfile, project.read(c.lockfile).replace(gate.registry, fresh.registry))
    succeeded(other.do("frozen", copy))
    equal(set(copy.installed()), set(names) | {"zed-lib"})
    ok([r for r in fresh.log() if r["kind"] == "refusal"], "somebody was told to come again")


# --- teams ---

def test_two_teams_with_lists_of_their_own_at_the_same_time(t):
    fake = tree(t.fake())
    folder = t.path("teams")
    os.makedirs(folder)
    lines = "teams:\n"
    for team, root in (("web", "app"), ("data", "stray")):
        with open(os.path.join(folder, team + ".yaml"), "w", encoding="utf-8") as f:
            f.write("version: 1\n" + roots(root))
        lines += "  - {name: %s, policy: %s/%s.yaml}\n" % (team, folder, team)
    gate = t.gate(policy(fake.url, extra=roots("peer") + lines))
    tokens = {team: Person(t, gate, team + "-ci", "requester", team=team) for team in ("web", "data")}
    for person in tokens.values():
        known(person)
    own = {"web": ("app", "middle", "leaf", "@lab/tool", "old-leaf"), "data": ("stray", "stray-leaf")}

    def fetch(mount, name, token):
        path = "%s/npm/%s/-/%s-1.0.0.tgz" % (mount, name, name.split("/")[-1])
        return gate.get(path, **({"authorization": "Bearer " + tokens[token].token} if token else {})).status

    wanted = {}
    for team, names in own.items():
        for name in names:
            for other in own:
                wanted["/t/" + team, name, other] = 200 if other == team else 403
                wanted["/t/" + other, name, other] = 200 if other == team else 403
            wanted["/t/" + team, name, None] = 403
            wanted["", name, team] = 403
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        got = dict(zip(wanted, pool.map(lambda q: fetch(*q), wanted)))
    equal({q: s for q, s in got.items() if s != wanted[q]}, {})
    for mount in ("", "/t/web", "/t/data"):
        equal(fetch(mount, "peer", None), 200, mount)


# --- with the other rules ---

def test_a_scope_that_changed_hands(t):
    """The scope stays approved; what its new owner publishes waits, until somebody has looked."""
    fake = t.fake()
    for name in ("@lab/a", "@lab/b"):
        for i, version in enumerate(("1.0.0", "1.1.0", "1.2.0")):
            fake.publish(name, version, age="%dd" % (400 - i * 100))
    new = {"maintainers": [{"name": "mallory", "email": "mallory@mail.example"}], "_npmUser": {"name": "mallory", "email": "mallory@mail.example"}}
    fake.publish("@lab/a", "1.3.0", age="10d", **new)
    fake.edit("@lab/a", lambda doc: doc.update(maintainers=new["maintainers"]))
    fake.edit("@lab/b", lambda doc: doc.update(maintainers=new["maintainers"]))
    fake.publish("@lab/new", "1.0.0", age="10d", **new)
    lines = ("allow:\n  mode: enforce\n  roots: []\n  publishers:\n    - {publisher: \"npm-scope:@lab\"" + APPROVAL)
    gate = t.gate(policy(fake.url, extra=lines + "continuity: {mode: enforce, hold: until-decided}\n"))
    equal(gate.versions("@lab/a"), {"1.0.0", "1.1.0", "1.2.0"})
    equal(gate.versions("@lab/b"), {"1.0.0", "1.1.0", "1.2.0"}, "what is out stays out, whoever owns the scope now")
    found = gate.explain("npm:@lab/a@1.3.0")
    equal((found["decision"], found["reasons"][0]["code"]), ("hold", "publisher-changed"))
    contains(found["reasons"][0]["text"], "mallory", "ada")
    equal(gate.get("/@lab%2fa/-/a-1.3.0.tgz").status, 403)
    # A scope approves whatever is published below it: who does not want that approves people, repositories or names.
    equal(gate.versions("@lab/new"), {"1.0.0"})
    gate.reload(policy(fake.url, extra=lines.replace("npm-scope:@lab", "npm-user:ada") + "continuity: {mode: enforce, hold: until-decided}\n"))
    wait_until(lambda: gate.get("/@lab%2fnew").status == 403, "only what ada published")
    equal(gate.versions("@lab/a"), {"1.0.0", "1.1.0", "1.2.0"})


def test_a_fix_is_cleared_at_once_where_nothing_else_of_its_line_is_left(t):
    fake = t.fake()
    for version in ("1.0.0", "1.0.1", "2.0.0"):
        fake.publish("lab-fix", version, age="300d")
    fake.publish("lab-fix", "1.0.2", age="2h", tag=None)
    osv = os.path.join(t.path("osv"))
    os.makedirs(osv)
    with open(os.path.join(osv, "GHSA-fix.json"), "w", encoding="utf-8") as f:
        json.dump({"schema_version": "1.6.0", "id": "GHSA-aaaa-bbbb-fixd", "modified": "2026-01-01T00:00:00Z",
                   "published": "2026-01-01T00:00:00Z", "summary": "made up for a test", "affected": [
                       {"package": {"ecosystem": "npm", "name": "lab-fix"},
                        "ranges": [{"type": "SEMVER", "events": [{"introduced": "1.0.0"}, {"fixed": "1.0.2"}]}]}]}, f)

    def text(denied):
        return policy(fake.url, extra="  security-fix: 1d\nadvisories: {files: [%s]}\ndeny:\n  versions: [%s]\n" % (osv, denied))

    gate = t.gate(text('"npm:lab-fix@1.0.0"'))
    equal(gate.versions("lab-fix"), {"1.0.1", "2.0.0"}, "somebody can still install 1.0.1: the fix waits its day")
    contains(gate.explain("npm:lab-fix@1.0.2")["reasons"][0]["text"], "1d")
    gate.reload(text('"npm:lab-fix@1.0.0", "npm:lab-fix@1.0.1"'))
    wait_until(lambda: gate.versions("lab-fix") == {"1.0.2", "2.0.0"}, "the fix, at once")
    equal(gate.get("/lab-fix/-/lab-fix-1.0.2.tgz").status, 200)
    equal(gate.explain("npm:lab-fix@1.0.2")["decision"], "allow")


def test_what_the_walk_counts_is_shown(t):
    fake = tree(t.fake())
    gate = whitelisted(t, fake, "app")
    walked(gate)
    contains(gate.get("/-/metrics").body.decode(), "bondgate_approved_names 6", "bondgate_approved_roots 1")
