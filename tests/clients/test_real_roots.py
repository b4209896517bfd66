"""Real projects, from the real registry: with their roots approved and nothing else, they install; without one root, its part is refused."""
import re

from harness import contains, equal, failed, long, needs_network, ok, policy, succeeded
from test_whitelist import roots

NPM, PNPM = "npm-11", "pnpm-10"
SPACE = re.compile(r"\s+")

EXPRESS = {"express": "^5.0.0"}
# Vite 4: the registry that these tests see lacks platform packages of younger bundlers, so that npm itself writes lockfiles that it then refuses.
REACT = {"react": "^18.0.0", "react-dom": "^18.0.0", "vite": "^4.5.0", "jest": "^29.0.0"}
NEXT = {"next": "^15.0.0", "react": "^19.0.0", "react-dom": "^19.0.0"}
ANGULAR = {"@angular/core": "^19.0.0", "@angular/common": "^19.0.0", "@angular/platform-browser": "^19.0.0", "@angular/router": "^19.0.0",
           "@angular/forms": "^19.0.0", "@angular/compiler": "^19.0.0", "rxjs": "^7.8.0", "zone.js": "^0.15.0", "tslib": "^2.6.0"}


def real_gate(t, *names):
    return t.gate(policy("auto", cooldown="7d", fresh="5m", extra=roots(*names)))


def refusals(gate):
    """Names of what was refused, of the log."""
    return {r["purl"].removeprefix("pkg:npm/").replace("%40", "\0").split("@")[0].replace("\0", "@") for r in gate.log()
            if r["kind"] == "refusal"}


def installs_with_its_roots(t, client, dependencies):
    """`install`, then `ci` on a gate that has seen nothing; both with the roots of the project approved and nothing else."""
    gate = real_gate(t, *dependencies)
    c = t.client(client, gate)
    project = t.project(c, {"dependencies": dependencies})
    done = succeeded(c.do("install", project, timeout=400))
    equal(refusals(gate), set())
    ok("not-approved" not in done.text, done)

    fresh = real_gate(t, *dependencies)
    other = t.client(client, fresh)
    copy = t.project(other, {"dependencies": dependencies})
    copy.write(other.lockfile, project.read(c.lockfile).replace(gate.registry, fresh.registry))
    succeeded(other.do("frozen", copy, timeout=400))
    equal(copy.installed(), project.installed())
    equal(refusals(fresh), set())
    return project.read(c.lockfile).replace(gate.registry, "GATE")


def is_refused_without(t, client, dependencies, missing, lock=None):
    """Everything but one root is approved: it is refused by its name, and nothing else is. With `lock`: of a locked project on a fresh gate something of
    its part is refused, and what was refused passes with it."""
    others = [n for n in dependencies if n != missing]
    gate = real_gate(t, *others)
    c = t.client(client, gate)
    project = t.project(c, {"dependencies": dependencies})
    if lock:
        project.write(c.lockfile, lock.replace("GATE", gate.registry))
    text = failed(c.do("frozen" if lock else "install", project, timeout=400)).text
    contains(text, "not-approved")
    if not lock:
        contains(SPACE.sub(" ", text), missing, "is not an approved root and no approved root needs it")
        equal(refusals(gate), {missing})
    else:
        contains(text, "npm ls")
    for name in others:
        equal(gate.get("/" + name.replace("/", "%2f")).status, 200, name)
    answer = gate.get("/" + missing.replace("/", "%2f"), timeout=120)
    equal(answer.status, 403, answer)
    contains(answer.json()["error"], missing + "@")


@needs_network
def test_express_needs_nothing_but_itself(t):
    installs_with_its_roots(t, NPM, EXPRESS)


@needs_network
def test_express_without_the_other_root(t):
    is_refused_without(t, NPM, dict(EXPRESS, **{"left-pad": "^1.3.0"}), "left-pad")


@long
@needs_network
def test_express_with_pnpm(t):
    installs_with_its_roots(t, PNPM, EXPRESS)
    is_refused_without(t, PNPM, dict(EXPRESS, **{"left-pad": "^1.3.0"}), "left-pad")


@long
@needs_network
def test_react_vite_and_jest(t):
    lock = installs_with_its_roots(t, NPM, REACT)
    is_refused_without(t, NPM, REACT, "jest")
    is_refused_without(t, NPM, REACT, "jest", lock)


@long
@needs_network
def test_next(t):
    installs_with_its_roots(t, NPM, NEXT)
    is_refused_without(t, NPM, NEXT, "next")


@long
@needs_network
def test_next_with_pnpm(t):
    installs_with_its_roots(t, PNPM, NEXT)
    is_refused_without(t, PNPM, NEXT, "next")


@long
@needs_network
def test_angular(t):
    installs_with_its_roots(t, NPM, ANGULAR)
    is_refused_without(t, NPM, ANGULAR, "@angular/router")


@long
@needs_network
def test_angular_needs_zone_js_as_its_peer(t):
    """Who needs a peer needs it like a dependency: it need not be named among the roots."""
    gate = real_gate(t, *(n for n in ANGULAR if n not in ("zone.js", "tslib", "rxjs")))
    c = t.client(NPM, gate)
    succeeded(c.do("install", t.project(c, {"dependencies": ANGULAR}), timeout=400))
    equal(refusals(gate), set())
