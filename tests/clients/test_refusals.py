"""What a developer reads when the gate says no: the texts that each package manager really prints.

Which channel a client shows (reason phrase, JSON error, notice, URL, policyRestrictions) is in facts/protocol.md 2.6 and 2.7;
pnpm 12 and bun show numbers only, so for them the test asserts the package and the status.
"""
import os
import signal
import time

import upstream
from harness import contains, equal, failed, for_clients, lacks, needs_network, ok, policy, succeeded, wait_until

# Exact version asked, and it is held: only npm has a channel for the reason, the others know no such version.
EXACT_HELD = {
    "npm-11": ["code E403", "Could not download lab-a@1.2.0 due to policy violations", "cooldown", "bondgate request npm:lab-a@1.2.0"],
    "npm-12": ["code E403", "Could not download lab-a@1.2.0 due to policy violations", "cooldown", "bondgate request npm:lab-a@1.2.0"],
    "pnpm-12": ["lab-a@1.2.0"],
    "pnpm-10": ["ERR_PNPM_NO_MATCHING_VERSION", "lab-a@1.2.0"],
    "yarn-1": ['Couldn\'t find any versions for "lab-a" that matches "1.2.0"'],
    "yarn-berry": ["lab-a@npm:1.2.0", "No candidates found"],
    "bun": ['No version matching "1.2.0" found', "lab-a"],
}
ALL_HELD = {
    "npm-11": ["lab-new", "cooldown"], "npm-12": ["lab-new", "cooldown"], "pnpm-12": ["lab-new"], "pnpm-10": ["lab-new"],
    "yarn-1": ["lab-new"], "yarn-berry": ["lab-new"], "bun": ["lab-new"],
}
# A lockfile pins it, and its tarball is refused with the sentence.
TARBALL_REFUSED = {
    "npm-11": ["code E403", "lab-a@1.2.0 was published", "cooldown"],
    "npm-12": ["code E403", "lab-a@1.2.0 was published", "cooldown"],
    "pnpm-12": ["403", "lab-a-1.2.0.tgz"],
    "pnpm-10": ["403", "lab-a@1.2.0 was published", "cooldown"],
    "yarn-1": ["403", "lab-a-1.2.0.tgz"],
    "yarn-berry": ["403", "lab-a@1.2.0 was published", "cooldown"],
    "bun": ["403", "lab-a-1.2.0.tgz"],
}


def lab(t, **options):
    fake = t.fake().lab()
    return fake, t.gate(policy(fake.url, **options))


@for_clients()
def test_newest_held_the_one_before_is_installed(t, client):
    _, gate = lab(t)
    c = t.client(client, gate)
    project = t.project(c, {"dependencies": {"lab-a": "^1.0.0"}})
    succeeded(c.do("install", project))
    equal(project.version("lab-a"), "1.1.0")
    lacks(project.read(c.lockfile), "1.2.0")
    equal(c.trap.hosts, [], "went past the gate")


@for_clients()
def test_add_without_a_version_takes_the_newest_cleared(t, client):
    _, gate = lab(t)
    c = t.client(client, gate)
    project = t.project(c, {})
    succeeded(c.do("add", project, "lab-a"))
    equal(project.version("lab-a"), "1.1.0")
    contains(project.json("package.json")["dependencies"]["lab-a"], "1.1.0")


@for_clients()
def test_latest_as_a_dependency_takes_the_newest_cleared(t, client):
    _, gate = lab(t)
    c = t.client(client, gate)
    project = t.project(c, {"dependencies": {"lab-a": "latest"}})
    succeeded(c.do("install", project))
    equal(project.version("lab-a"), "1.1.0")


@for_clients()
def test_exact_held_version_fails_and_says_so(t, client):
    _, gate = lab(t)
    c = t.client(client, gate)
    project = t.project(c, {})
    done = failed(c.do("add", project, "lab-a@1.2.0"))
    contains(done.text, *EXACT_HELD[client])
    ok(not project.has("lab-a"))
    ok(done.took < 15, "no retries with long waits", done)


@for_clients()
def test_all_versions_held_fails_and_names_the_package(t, client):
    fake, gate = lab(t)
    fake.publish("lab-new", "1.0.0", age="1h")
    c = t.client(client, gate)
    project = t.project(c, {"dependencies": {"lab-new": "^1.0.0"}})
    done = failed(c.do("install", project))
    contains(done.text, *ALL_HELD[client])
    ok(not project.has("lab-new"))
    ok(done.took < 15, "no retries with long waits", done)


@for_clients()
def test_transitive_held_exactly_fails_and_names_it(t, client):
    fake, gate = lab(t)
    fake.publish("lab-parent", "1.0.0", dependencies={"lab-new": "^1.0.0"})
    fake.publish("lab-new", "1.0.0", age="1h")
    c = t.client(client, gate)
    done = failed(c.do("install", t.project(c, {"dependencies": {"lab-parent": "1.0.0"}})))
    contains(done.text, "lab-new")


def locked_while_open(t, client, close, extra=""):
    """A lockfile made while everything was allowed; then close(gate, fake) changes that, and a fresh machine has the lockfile."""
    fake = t.fake().lab()
    gate = t.gate(policy(fake.url, cooldown="0s", extra=extra))
    first = t.client(client, gate)
    project = t.project(first, {"dependencies": {"lab-a": "^1.0.0"}})
    succeeded(first.do("install", project))
    equal(project.version("lab-a"), "1.2.0")
    close(gate, fake)
    wait_until(lambda: gate.request("HEAD", "/lab-a/-/lab-a-1.2.0.tgz").status == 403, "the stricter policy is in force")   # HEAD: no receipt
    second = t.client(client, gate)
    copy = t.project(second, {"dependencies": {"lab-a": "^1.0.0"}})
    copy.write(second.lockfile, project.read(first.lockfile))
    return fake, gate, second, copy


@for_clients()
def test_tarball_of_a_locked_held_version_is_refused(t, client):
    _, _, c, project = locked_while_open(t, client, lambda gate, fake: gate.reload(policy(fake.url)))
    done = failed(c.do("frozen", project))
    contains(done.text, *TARBALL_REFUSED[client])
    ok(not project.has("lab-a"))
    ok(done.took < 20, "no retries with long waits", done)


@for_clients()
def test_malware_found_later_is_refused_though_it_was_served_and_cached(t, client):
    advisories = t.osv(("GHSA-aaaa-bbbb-cccc", "something-else", ["1.0.0"]))

    def close(gate, fake):
        t.advisory(advisories, "MAL-2026-0001", "lab-a", ["1.2.0"])
        gate.child.send_signal(signal.SIGHUP)
    _, gate, c, project = locked_while_open(t, client, close, extra="advisories:\n  files: [%s]\n" % advisories)
    done = failed(c.do("frozen", project))
    contains(done.text, "403")
    if client in ("npm-11", "npm-12", "pnpm-10", "yarn-berry"):
        contains(done.text, "lab-a@1.2.0", "malware")
    explained = gate.explain("npm:lab-a@1.2.0")
    equal((explained["decision"], explained["until"], explained["exit"]), ("deny", None, 1))
    contains(repr(explained["reasons"]), "MAL-2026-0001")
    receipts = gate.who_has("npm:lab-a@1.2.0")["receipts"]
    equal(len(receipts), 1, "only the machine that had it before")


@for_clients()
def test_a_fresh_install_goes_round_denied_malware(t, client):
    fake = t.fake().lab()
    advisories = t.osv(("MAL-2026-0002", "lab-a", ["1.1.0"]))
    gate = t.gate(policy(fake.url, extra="advisories:\n  files: [%s]\n" % advisories))
    c = t.client(client, gate)
    project = t.project(c, {"dependencies": {"lab-a": "^1.0.0"}})
    succeeded(c.do("install", project))
    equal(project.version("lab-a"), "1.0.0")


@for_clients("npm-11", "npm-12")
def test_npm_prints_the_malware_sentence_for_an_exact_version(t, client):
    fake = t.fake().lab()
    advisories = t.osv(("MAL-2026-0003", "lab-a", ["1.1.0"]))
    gate = t.gate(policy(fake.url, extra="advisories:\n  files: [%s]\n" % advisories))
    c = t.client(client, gate)
    done = failed(c.do("add", t.project(c, {}), "lab-a@1.1.0"))
    contains(done.text, "code E403", "lab-a", "malware")


@for_clients()
def test_denied_name_fails_at_once(t, client):
    fake = t.fake().lab()
    fake.publish("left-out", "1.0.0")
    gate = t.gate(policy(fake.url, extra='deny:\n  names: ["npm:left-out"]\n'))
    c = t.client(client, gate)
    done = failed(c.do("install", t.project(c, {"dependencies": {"left-out": "^1.0.0"}})))
    contains(done.text, "left-out")
    if client in ("npm-11", "npm-12"):
        contains(done.text, "denied")
    ok(done.took < 15, done)


@for_clients()
def test_what_does_not_exist_is_not_found_and_not_refused(t, client):
    _, gate = lab(t)
    c = t.client(client, gate)
    done = failed(c.do("install", t.project(c, {"dependencies": {"lab-nowhere": "^1.0.0"}})))
    contains(done.text, "lab-nowhere")
    lacks(done.text, "cooldown")
    ok(done.took < 15, done)


@for_clients()
def test_wrong_bytes_are_never_installed(t, client):
    fake, gate = lab(t)
    fake.swap_bytes("lab-a", "1.1.0")
    c = t.client(client, gate)
    project = t.project(c, {"dependencies": {"lab-a": "1.1.0"}})
    done = failed(c.do("install", project))
    ok(not project.has("lab-a") or "swapped" not in project.read("node_modules/lab-a/index.js"))
    ok(done.took < 100, done)
    wait_until(lambda: gate.incidents("lab-a"), "an incident is recorded")


@for_clients("npm-11", "bun")
def test_report_mode_serves_and_records_what_it_would_have_refused(t, client):
    fake = t.fake().lab()
    gate = t.gate(policy(fake.url).replace("mode: enforce", "mode: report"))
    c = t.client(client, gate)
    project = t.project(c, {"dependencies": {"lab-a": "1.2.0"}})
    succeeded(c.do("install", project))
    explained = gate.explain("npm:lab-a@1.2.0")
    equal((explained["decision"], explained["exit"]), ("allow", 0))
    contains([r["code"] for r in explained["reasons"]], "cooldown")


@for_clients("npm-11", "pnpm-12")
def test_an_exemption_lets_one_version_through(t, client):
    fake = t.fake().lab()
    fake.publish("lab-b", "1.0.0", age="1h")
    end = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 20 * 86400))
    gate = t.gate(policy(fake.url, extra='exemptions:\n  - {package: "npm:lab-a@1.2.0", rules: [cooldown], reason: "urgent fix", owner: jo, '
                         'approved-by: kim, expires: %s}\n' % end))
    c = t.client(client, gate)
    project = t.project(c, {"dependencies": {"lab-a": "^1.0.0"}})
    succeeded(c.do("install", project))
    equal(project.version("lab-a"), "1.2.0")
    equal(gate.get("/lab-b/-/lab-b-1.0.0.tgz").status, 403)
    contains([r["code"] for r in gate.explain("npm:lab-a@1.2.0")["reasons"]], "exempt")


@needs_network
def test_a_real_package_that_is_too_young_is_refused_by_its_sentence(t):
    version = upstream.latest("prettier")
    days = int(upstream.age_days("prettier", version)) + 2
    gate = t.gate(policy("auto", cooldown="%dd" % days))
    c = t.client("npm-11", gate)
    project = t.project(c, {})
    done = failed(c.do("add", project, "prettier@" + version))
    contains(done.text, "E403", "prettier", "cooldown")
    succeeded(c.do("add", project, "prettier"))
    ok(upstream.age_days("prettier", project.version("prettier")) >= days - 0.01)
    ok(os.path.exists(project.file("node_modules/.bin/prettier")))
