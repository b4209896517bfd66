"""Real projects from the real registry, through the gate, with every package manager. What the gate lets through is judged by
the registry's own times, asked directly. Cooldowns are derived from the day's data, so that something is always held."""
import json
import os
import re
import subprocess

import clients
import install
import upstream
from harness import (Skip, contains, equal, failed, for_clients, lacks, long, needs_network, ok, policy, seconds, succeeded)

# Plain, scoped, aliased, with a set of platform packages, with many transitive ones.
PROJECT = {
    "dependencies": {"express": "^5.0.0", "semver": "^7.5.0", "react": "^19.0.0", "react-dom": "^19.0.0", "num": "npm:is-number@^7.0.0"},
    "devDependencies": {"esbuild": "^0.28.0", "prettier": "^3.0.0", "@types/node": "^24.0.0", "@babel/parser": "^7.0.0"}}
MOVING = ("semver", "prettier", "express", "react")


def cooldown_days():
    """Longer than the newest versions of some packages of the project are old: they are held."""
    ages = sorted(upstream.age_days(n, upstream.latest(n)) for n in MOVING)
    return int([a for a in ages if a < 120][-1]) + 2


def held():
    """name -> its held newest version."""
    return {n: upstream.latest(n) for n in MOVING if upstream.age_days(n, upstream.latest(n)) < cooldown_days()}


def real_gate(t):
    return t.shared("real-gate", lambda case: case.gate(policy("auto", cooldown="%dd" % cooldown_days(), fresh="5m")))


def real_project(t, client):
    """pnpm ends with an error when it left a package unbuilt that wants to run a script: esbuild may."""
    project = t.project(client, PROJECT)
    if client.kind == "pnpm":
        project.append("pnpm-workspace.yaml", "allowBuilds:\n  esbuild: true\nonlyBuiltDependencies: [esbuild]\n")
    return project


def nothing_young(project, days=None):
    installed = project.installed()
    installed.pop("project", None)
    for name in [n for n in installed if n.startswith("mine-")]:
        installed.pop(name)
    equal(upstream.too_young(installed, days or cooldown_days()), [])
    return installed


@needs_network
@for_clients()
def test_fresh_install_then_a_frozen_one_on_another_machine(t, client):
    gate = real_gate(t)
    c = t.client(client, gate)
    project = real_project(t, c)
    succeeded(c.do("install", project))
    installed = nothing_young(project)
    ok(len(installed) > 60, len(installed))
    for name, version in held().items():
        lacks(installed[name], version)
    equal(project.json("node_modules/num/package.json")["name"], "is-number")
    contains(list(installed), "@esbuild/linux-%s" % install.ARCH)
    loaded = subprocess.run([install.node(), "-e", "require('express'); require('esbuild'); require('react-dom/server'); console.log('loads')"],
                            cwd=project.path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    contains(loaded.stdout, "loads")
    equal(c.trap.hosts, [], "went past the gate")
    version = sorted(installed["express"])[0]
    ok(gate.who_has("npm:express@" + version)["receipts"])

    other = t.client(client, gate)
    copy = real_project(t, other)
    copy.write(other.lockfile, project.read(c.lockfile))
    succeeded(other.do("frozen", copy))
    equal(copy.installed(), project.installed())
    equal(other.trap.hosts, [], "went past the gate")


@needs_network
def test_npm_lockfiles_stay_portable(t):
    """Where the upstream names npm's own default host, so does the lockfile: it works with and without the gate."""
    gate = real_gate(t)
    c = t.client("npm-11", gate)
    project = t.project(c, {"dependencies": {"semver": "^7.5.0"}})
    succeeded(c.do("install", project))
    resolved = project.json("package-lock.json")["packages"]["node_modules/semver"]["resolved"]
    with subprocess.Popen([install.node(), install.program("npm-11"), "config", "get", "registry", "--userconfig=/dev/null",
                           "--globalconfig=/dev/null"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=t.folder,
                          env={"PATH": "/usr/bin:/bin", "HOME": t.folder}) as asked:
        built_in = asked.communicate()[0].strip()
    if upstream.registry() == built_in:
        ok(resolved.startswith(built_in), "not portable: " + resolved)
    else:
        ok(resolved.startswith((gate.registry, built_in)), resolved)


FOREIGN = "https://npm.registry.example/"


@needs_network
@for_clients()
def test_lockfile_that_names_another_registry(t, client):
    """pnpm and berry write no host; npm 11, yarn 1 and bun go straight to the host they find, npm 12 refuses. What matters: none
    installs anything that the gate did not hand out, and the ones without a host work."""
    gate = real_gate(t)
    c = t.client(client, gate)
    project = t.project(c, {"dependencies": {"semver": "7.5.0"}})
    succeeded(c.do("install", project))
    text = project.read(c.lockfile)
    if client in clients.NPMS:
        text = re.sub(r'"resolved": "https?://[^/]+/(npm/)?', '"resolved": "' + FOREIGN, text)
    else:
        text = text.replace(gate.registry, FOREIGN)
    other = t.client(client, gate)
    copy = t.project(other, {"dependencies": {"semver": "7.5.0"}})
    copy.write(other.lockfile, text)
    done = other.do("frozen", copy, timeout=120)
    if FOREIGN in text:
        failed(done)
        ok(not copy.has("semver"))
        ok(client == "npm-12" or any("npm.registry.example" in h for h in other.trap.hosts), other.trap.hosts, done)
    else:
        succeeded(done)
        equal(other.trap.hosts, [])


@needs_network
@for_clients()
def test_update_stops_at_the_newest_cleared(t, client):
    c = t.client(client, real_gate(t))
    project = t.project(c, {"dependencies": {"semver": "7.5.0"}})
    succeeded(c.do("install", project))
    equal(project.version("semver"), "7.5.0")
    manifest = project.json("package.json")
    manifest["dependencies"]["semver"] = "^7.5.0"
    project.write("package.json", json.dumps(manifest))
    succeeded(c.do("install", project))
    succeeded(c.do("update", project, "semver"))
    ok(project.version("semver") != "7.5.0")
    nothing_young(project)


@needs_network
@for_clients("npm-11", "npm-12", "pnpm-12", "pnpm-10", "yarn-berry", "bun")
def test_npx_and_its_kin(t, client):
    c = t.client(client, real_gate(t))
    project = t.project(c, {})
    done = succeeded(c.do("exec", project, "semver@7.5.0", "1.2.3"))
    contains(done.text, "1.2.3")
    equal(c.trap.hosts, [])
    if client in clients.NPMS:
        name, version = sorted(held().items())[0]
        done = failed(c.do("exec", project, "%s@%s" % (name, version), "--version"))
        contains(done.text, "E403", name, "cooldown")


@needs_network
@for_clients("npm-11", "npm-12", "pnpm-12", "yarn-1")
def test_view_and_outdated_show_only_what_is_cleared(t, client):
    c = t.client(client, real_gate(t))
    name, version = sorted(held().items())[0]
    project = t.project(c, {"dependencies": {"semver": "7.5.0"}})
    shown = succeeded(c.do("view", project, name, "versions", "--json"))
    lacks(re.findall(r'["\']([0-9][^"\']*)["\']', shown.text), version)
    succeeded(c.do("install", project))
    outdated = c.do("outdated", project)
    contains(outdated.text, "semver")
    for young in held().values():
        lacks(re.findall(r"\d+\.\d+\.\d+[^\s\"',]*", outdated.text), young)


@needs_network
@for_clients("npm-11", "npm-12")
def test_audit_of_a_real_project_answers(t, client):
    c = t.client(client, real_gate(t))
    project = t.project(c, {"dependencies": {"semver": "7.5.0", "is-number": "7.0.0"}})
    succeeded(c.do("install", project))
    done = c.do("audit", project, "--json")
    contains(list(json.loads(done.text[done.text.index("{"):])), "vulnerabilities", "metadata")


@needs_network
@for_clients("npm-11", "pnpm-12", "bun", "yarn-berry")
def test_workspaces_of_a_real_project(t, client):
    c = t.client(client, real_gate(t))
    project = t.project(c, {"workspaces": ["packages/*"]}, {
        "packages/one/package.json": '{"name":"mine-one","version":"1.0.0","dependencies":{"semver":"^7.5.0"}}',
        "packages/two/package.json": '{"name":"mine-two","version":"1.0.0","dependencies":{"@babel/parser":"^7.0.0"}}'})
    if c.kind == "pnpm":
        project.append("pnpm-workspace.yaml", "packages: ['packages/*']\n")
    succeeded(c.do("install", project))
    contains(list(nothing_young(project)), "semver", "@babel/parser")


@needs_network
@for_clients("npm-11", "pnpm-12", "bun")
def test_all_of_a_real_packages_versions_held(t, client):
    gate = t.shared("ancient-gate", lambda case: case.gate(policy("auto", cooldown="20000d", fresh="5m")))
    c = t.client(client, gate)
    done = failed(c.do("install", t.project(c, {"dependencies": {"is-number": "^7.0.0"}})))
    contains(done.text, "is-number")


FRAMEWORKS = ("next", "react", "react-dom", "vue", "fastify", "vite", "vitest", "eslint", "typescript", "tailwindcss", "webpack")


def installs_without_the_gate(t, client, project):
    """The same project, the same client, straight to the registry: `exactly as before` is the measure."""
    c = t.client(client, upstream.registry())
    direct = t.project(c, project.json("package.json"))
    way_out = {"https_proxy": "", "HTTPS_PROXY": ""}
    way_out.update({k: v for k, v in os.environ.items() if k in ("NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE")})
    return c.do("install", direct, timeout=500, env=way_out).code == 0


@needs_network
@long
@for_clients()
def test_todays_frameworks_on_an_empty_store_with_the_default_cooldown(t, client):
    gate = t.gate("version: 1\n")
    c = t.client(client, gate)
    names = [n for n in FRAMEWORKS if c.kind not in ("yarn", "berry") or upstream.is_whole(n)]
    project = t.project(c, {"dependencies": {n: "latest" for n in names}})
    done = c.do("install", project, timeout=500)
    if done.code != 0 and not installs_without_the_gate(t, client, project):
        raise Skip("the registry itself cannot serve it to this client (half a set of platform packages?)")
    succeeded(done)
    ok(done.took < 400, done.took)
    nothing_young(project, seconds("7d") / 86400)
    equal(c.trap.hosts, [], "went past the gate")
