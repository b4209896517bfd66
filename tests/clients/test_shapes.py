"""Dependencies of every shape through the gate, on crafted packages: peer, optional, alias, git, workspaces; audit; and the
package managers' own cooldowns, which have to get along with ours."""
import functools
import http.server
import json
import os
import subprocess
import threading

import clients
from harness import contains, equal, failed, for_clients, lacks, ok, policy, succeeded, wait_until


def lab(t, **options):
    fake = t.fake().lab()
    return fake, t.gate(policy(fake.url, **options))


@for_clients()
def test_alias(t, client):
    _, gate = lab(t)
    c = t.client(client, gate)
    project = t.project(c, {"dependencies": {"other": "npm:lab-a@^1.0.0"}})
    succeeded(c.do("install", project))
    equal(project.version("other"), "1.1.0")


@for_clients("npm-11", "npm-12", "pnpm-12", "bun")
def test_peer_dependency_comes_along_cleared(t, client):
    fake, gate = lab(t)
    fake.publish("lab-plugin", "1.0.0", peerDependencies={"lab-a": "^1.0.0"})
    c = t.client(client, gate)
    project = t.project(c, {"dependencies": {"lab-plugin": "1.0.0"}})
    succeeded(c.do("install", project))
    equal(project.installed()["lab-a"], {"1.1.0"})


# Both yarns fail on any optional dependency that cannot be had, so the gate must not leave them half a set (rule 7 does).
@for_clients("npm-11", "npm-12", "pnpm-12", "pnpm-10", "bun")
def test_optional_dependency_all_held_is_left_out(t, client):
    fake, gate = lab(t)
    fake.publish("lab-extra", "1.0.0", age="1h")
    fake.publish("lab-host", "1.0.0", optionalDependencies={"lab-extra": "^1.0.0"})
    c = t.client(client, gate)
    project = t.project(c, {"dependencies": {"lab-host": "1.0.0"}})
    succeeded(c.do("install", project))
    lacks(list(project.installed()), "lab-extra")
    contains(list(project.installed()), "lab-host")


def platform_set(fake, name, version, age, young=()):
    parts = ["linux-x64", "linux-arm64", "darwin-arm64", "win32-x64"]
    for part in parts:
        system, cpu = part.split("-")
        fake.publish("@%s/%s" % (name, part), version, age="1h" if part in young else age, os=[system], cpu=[cpu])
    fake.publish(name, version, age=age, optionalDependencies={"@%s/%s" % (name, part): version for part in parts})


@for_clients()
def test_platform_set_half_young_is_held_whole(t, client):
    fake, gate = lab(t)
    platform_set(fake, "lab-native", "1.0.0", age="90d")
    platform_set(fake, "lab-native", "1.1.0", young=("win32-x64",), age="10d")
    c = t.client(client, gate)
    project = t.project(c, {"dependencies": {"lab-native": "^1.0.0"}})
    succeeded(c.do("install", project))
    equal(project.version("lab-native"), "1.0.0")
    platforms = {n: v for n, v in project.installed().items() if n.startswith("@lab-native/")}
    ok(platforms and all(v == {"1.0.0"} for v in platforms.values()), platforms)
    explained = gate.explain("npm:lab-native@1.1.0")
    equal(explained["decision"], "hold")
    contains([r["code"] for r in explained["reasons"]], "dependency-held")


@for_clients()
def test_git_dependency_brings_its_own_through_the_gate(t, client):
    _, gate = lab(t)
    bare = make_repository(t, {"name": "lab-git", "version": "3.0.0", "main": "index.js", "dependencies": {"lab-a": "^1.0.0"}})
    c = t.client(client, gate)
    # berry and bun understand no git+file URL: they get the same repository over HTTP.
    url = "git+file://" + bare if c.kind not in ("berry", "bun") else "git+" + serve_folder(t, bare)
    project = t.project(c, {"dependencies": {"lab-git": url}})
    if client == "npm-12":
        project.append(".npmrc", "allow-git=all\n")
    if client == "yarn-berry":
        project.append(".yarnrc.yml", 'approvedGitRepositories: ["**"]\n')
    succeeded(c.do("install", project))
    equal(project.installed().get("lab-git"), {"3.0.0"})
    equal(project.installed()["lab-a"], {"1.1.0"})


def serve_folder(t, bare):
    """Git's plain HTTP form: files, nothing else."""
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *unused):
            pass

    handler = functools.partial(Quiet, directory=os.path.dirname(bare))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    t.cleanups.append(server.server_close)
    t.cleanups.append(server.shutdown)
    return "http://127.0.0.1:%d/%s" % (server.server_address[1], os.path.basename(bare))


def make_repository(t, manifest):
    """A bare repository with one commit."""
    work = clients.Project(t.path("work"), {})
    work.write("package.json", json.dumps(manifest))
    work.write("index.js", "module.exports = 'git';\n")
    bare = t.path("lab-git") + ".git"
    environment = dict(os.environ, HOME=work.path, GIT_CONFIG_NOSYSTEM="1", GIT_AUTHOR_NAME="a", GIT_AUTHOR_EMAIL="a@mail.example",
                       GIT_COMMITTER_NAME="a", GIT_COMMITTER_EMAIL="a@mail.example")
    for command in (["git", "init", "-q", "-b", "main"], ["git", "add", "package.json", "index.js"], ["git", "commit", "-qm", "one"],
                    ["git", "clone", "-q", "--bare", ".", bare], ["git", "-C", bare, "update-server-info"]):
        subprocess.run(command, cwd=work.path, env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return bare


@for_clients()
def test_workspaces(t, client):
    fake, gate = lab(t)
    fake.publish("@lab/scoped", "1.0.0")
    c = t.client(client, gate)
    manifest = {"workspaces": ["packages/*"]}
    project = t.project(c, manifest, {
        "packages/one/package.json": '{"name":"one","version":"1.0.0","dependencies":{"lab-a":"^1.0.0"}}',
        "packages/two/package.json": '{"name":"two","version":"1.0.0","dependencies":{"@lab/scoped":"*","one":"%s"}}'
                                     % ("1.0.0" if c.kind in ("npm", "yarn") else "workspace:*")})
    if c.kind == "pnpm":
        project.append("pnpm-workspace.yaml", "packages: ['packages/*']\n")
    succeeded(c.do("install", project))
    found = project.installed()
    equal((found["lab-a"], found["@lab/scoped"]), ({"1.1.0"}, {"1.0.0"}))


@for_clients("npm-11", "npm-12", "yarn-berry", "bun", "pnpm-12")
def test_audit_answers_from_the_gates_own_records_and_forwards_nothing(t, client):
    fake = t.fake().lab()
    advisories = t.osv(("GHSA-aaaa-bbbb-cccc", "lab-a", ["1.1.0"]))
    gate = t.gate(policy(fake.url, extra="advisories:\n  files: [%s]\n" % advisories))
    c = t.client(client, gate)
    project = t.project(c, {"dependencies": {"lab-a": "1.1.0"}})
    succeeded(c.do("install", project))
    done = c.do("audit", project)
    equal(done.code, 1, done)
    contains(done.text, "lab-a")
    contains(done.text, "made up for a test")
    equal([r for r in fake.requests if r.method != "GET"], [], "nothing of an audit leaves")


# Not yarn 1: its audit asks a registry that is built into it, whatever is configured (docs/clients.md).
@for_clients("npm-11", "npm-12", "yarn-berry", "bun", "pnpm-12", "pnpm-10")
def test_audit_leaves_out_what_somebody_looked_at(t, client):
    """A line of advisories.ignore and a VEX document speak of one package each; the third stays; an ignore that ended counts no more."""
    fake, names = t.fake(), ("lab-seen", "lab-vex", "lab-left", "lab-late")
    for name in names:
        fake.publish(name, "1.0.0")
    advisories = t.osv(*[("GHSA-%s-aaaa-bbbb" % name[4:8], name, ["1.0.0"]) for name in names])
    vex = t.path("vex.json")
    with open(vex, "w", encoding="utf-8") as f:
        json.dump({"@context": "https://openvex.example/ns/v0.2.0", "@id": "https://acme.example/vex/1", "author": "jo", "timestamp": "2026-01-01T00:00:00Z",
                   "version": 1, "statements": [{"vulnerability": {"name": "GHSA-vex-aaaa-bbbb"}, "products": [{"@id": "pkg:npm/lab-vex"}],
                                                 "status": "not_affected", "justification": "vulnerable_code_not_in_execute_path"}]}, f)
    gate = t.gate(policy(fake.url, extra="advisories:\n  files: [%s]\n  vex: [%s]\n  ignore:\n"
                         "    - {id: GHSA-seen-aaaa-bbbb, package: \"npm:lab-*\", reason: ours, owner: jo, expires: 2099-01-01}\n"
                         "    - {id: GHSA-late-aaaa-bbbb, reason: ours, owner: jo, expires: 2026-01-02}\n" % (advisories, vex)))
    c = t.client(client, gate)
    project = t.project(c, {"dependencies": {name: "1.0.0" for name in names}})
    succeeded(c.do("install", project))
    done = c.do("audit", project)
    ok(done.code != 0, done)
    contains(done.text, "GHSA-left-aaaa-bbbb", "GHSA-late-aaaa-bbbb")
    for said in ("GHSA-seen", "GHSA-vex"):
        ok(said not in done.text, "%s in %s" % (said, done.text))


@for_clients("npm-11", "npm-12", "yarn-berry", "bun", "pnpm-12", "pnpm-10")
def test_audit_with_nothing_known_is_clean(t, client):
    _, gate = lab(t)
    c = t.client(client, gate)
    project = t.project(c, {"dependencies": {"lab-a": "1.1.0"}})
    succeeded(c.do("install", project))
    succeeded(c.do("audit", project))


@for_clients("npm-11", "npm-12", "pnpm-12", "pnpm-10", "yarn-1", "yarn-berry")
def test_view_lists_only_what_is_cleared(t, client):
    _, gate = lab(t)
    c = t.client(client, gate)
    project = t.project(c, {})
    if c.kind == "berry":
        done = succeeded(c.do("view", project, "lab-a", "--fields", "versions", "--json"))
    else:
        done = succeeded(c.do("view", project, "lab-a", "versions", "--json"))
    contains(done.text, "1.1.0", "1.0.0")
    lacks(done.text, "1.2.0")


@for_clients("npm-11", "npm-12", "pnpm-10")
def test_outdated_wants_nothing_that_is_held(t, client):
    _, gate = lab(t)
    c = t.client(client, gate)
    project = t.project(c, {"dependencies": {"lab-a": "1.0.0"}})
    succeeded(c.do("install", project))
    project.write("package.json", '{"name":"p","version":"1.0.0","dependencies":{"lab-a":"^1.0.0"}}')
    done = c.do("outdated", project)
    contains(done.text, "1.1.0")
    lacks(done.text, "1.2.0")


@for_clients()
def test_update_goes_to_the_newest_cleared_and_picks_up_what_becomes_cleared(t, client):
    fake, gate = lab(t)
    c = t.client(client, gate)
    project = t.project(c, {"dependencies": {"lab-a": "^1.0.0"}})
    succeeded(c.do("install", project))
    equal(project.version("lab-a"), "1.1.0")
    gate.reload(policy(fake.url, cooldown="1h"))
    wait_until(lambda: "1.2.0" in gate.versions("lab-a"), "two hours are enough now")
    succeeded(c.do("update", project, "lab-a"))
    equal(project.version("lab-a"), "1.2.0", "a client that cached the packument asks again")


@for_clients("npm-11", "npm-12", "pnpm-12", "pnpm-10", "bun")
def test_the_clients_own_cooldown_gets_the_times_that_it_needs(t, client):
    """Longer than the gate's: 1.1.0 is 100 days old and cleared, the client wants 200 days and takes 1.0.0."""
    _, gate = lab(t)
    c = t.client(client, gate, age_gates=True)
    project = t.project(c, {"dependencies": {"lab-a": "^1.0.0"}})
    extra = []
    if c.kind == "npm":
        project.append(".npmrc", "min-release-age=200\n")
    elif c.kind == "pnpm":
        project.append("pnpm-workspace.yaml", "minimumReleaseAge: %d\n" % (200 * 1440))
    else:
        extra = ["--minimum-release-age=%d" % (200 * 86400)]
    succeeded(c.do("install", project, *extra))
    equal(project.version("lab-a"), "1.0.0")


@for_clients("pnpm-12", "yarn-berry")
def test_clients_whose_own_cooldown_is_on_by_default_are_content(t, client):
    _, gate = lab(t)
    c = t.client(client, gate, age_gates=True)
    project = t.project(c, {"dependencies": {"lab-a": "^1.0.0"}})
    succeeded(c.do("install", project))
    equal(project.version("lab-a"), "1.1.0")
    project.remove_modules()
    succeeded(c.do("frozen", project))


@for_clients("npm-11", "npm-12")
def test_npm_ping_whoami_and_refused_writes(t, client):
    fake, gate = lab(t)
    c = t.client(client, gate)
    project = t.project(c, {"private": False, "name": "lab-mine"})
    succeeded(c.run(project, "ping"))
    failed(c.run(project, "whoami"))
    project.append(".npmrc", "//127.0.0.1:%d/npm/:_authToken=secret-of-the-client\n" % gate.port)
    done = failed(c.run(project, "publish"))
    contains(done.text, "E403")
    ok(done.took < 20, done)
    failed(c.run(project, "dist-tag", "add", "lab-a@1.0.0", "mine"))
    equal([r for r in fake.requests if r.method not in ("GET", "HEAD")], [])
    succeeded(c.do("install", t.project(c, {"dependencies": {"lab-a": "^1.0.0"}})))
    lacks(repr([r.headers for r in fake.requests]), "secret-of-the-client")
    lacks(gate.tail(10 ** 6), "secret-of-the-client")


@for_clients("npm-11", "pnpm-12", "bun", "yarn-1", "yarn-berry")
def test_install_again_asks_with_the_etag_and_sees_a_new_refusal(t, client):
    """What a client has cached must not outlive a change of policy."""
    fake, gate = lab(t)
    c = t.client(client, gate)
    succeeded(c.do("install", t.project(c, {"dependencies": {"lab-a": "^1.0.0"}})))
    gate.reload(policy(fake.url, extra='deny:\n  versions: ["npm:lab-a@1.1.0"]\n'))
    wait_until(lambda: "1.1.0" not in gate.versions("lab-a"), "the new policy is in force")
    again = t.project(c, {"dependencies": {"lab-a": "^1.0.0"}})
    succeeded(c.do("install", again))
    equal(again.version("lab-a"), "1.0.0")
