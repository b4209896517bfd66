"""A gate comes to a project that has a lockfile already: adopt makes its policy, and no build breaks on the first day."""
import datetime
import json
import os
import re
import subprocess
import time

from clients import LOCKFILES
from gate import SANITIZERS
from harness import binary, contains, equal, failed, for_clients, lacks, long, needs_network, ok, policy, succeeded, wait_until


def adopt(gate, *arguments):
    """From a folder without a policy of its own; the gate's is the machine's: (exit code, stdout, stderr)."""
    folder = os.path.join(gate.folder, "elsewhere")
    os.makedirs(folder, exist_ok=True)
    done = subprocess.run([binary(), "adopt", *arguments, "--policy", gate.policy_file, "--state", gate.state], cwd=folder,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600, check=False)
    ok(not SANITIZERS.search(done.stderr), done.stderr)
    return done.returncode, done.stdout, done.stderr


def adopted(gate, *arguments):
    code, out, errors = adopt(gate, *arguments)
    equal(code, 0, out, errors)
    return out


def decision(gate, purl):
    answer = gate.get("/-/explain?purl=" + purl)
    return answer.json().get("decision") if answer.status == 200 else None


def locked(t, client, gate, manifest):
    """The lockfile's name and text, made while the gate lets everything pass."""
    c = t.client(client, gate)
    project = t.project(c, manifest)
    succeeded(c.do("install", project))
    name = LOCKFILES[c.kind]
    return name, project.read(name)


def frozen(t, client, gate, manifest, lock):
    """In a folder and with a client of its own, so that nothing but the manifest and the lockfile is left of what was before."""
    c = t.client(client, gate)
    project = t.project(c, manifest, dict([lock]))
    return c.do("frozen", project), project


def tighten(gate, text, purl):
    gate.reload(text)
    wait_until(lambda: decision(gate, purl) == "hold", "the bare policy is in force", 60)


@for_clients("npm-11", "pnpm-12")
def test_a_lockfile_that_pins_a_young_version_installs_after_adopting(t, client):
    fake = t.fake()
    fake.publish("lab-b", "3.0.0", age="300d")
    fake.publish("lab-a", "1.2.0", age="1d", dependencies={"lab-b": "^3.0.0"})
    manifest = {"dependencies": {"lab-a": "1.2.0"}}
    gate = t.gate(policy(fake.url, cooldown="0"))
    lock = locked(t, client, gate, manifest)
    tighten(gate, policy(fake.url), "npm:lab-a@1.2.0")
    done, project = frozen(t, client, gate, manifest, lock)
    failed(done)
    text = adopted(gate, project.path, "--owner", "web-team")
    contains(text, 'package: "npm:lab-a@1.2.0"', "rules: [cooldown]", 'name: "npm:lab-a"', '"web-team"', "review-by: ")
    lacks(text, "npm:lab-b")                  # neither named by the project nor held
    contains(text, fake.url)                  # what the policy said before is still there
    gate.reload(text)
    wait_until(lambda: decision(gate, "npm:lab-a@1.2.0") == "allow", "the adopted policy is in force")
    done, project = frozen(t, client, gate, manifest, lock)
    succeeded(done)
    equal(project.version("lab-a"), "1.2.0")
    # The exemption ends when the cooldown would, give or take a day.
    ends = datetime.date.fromisoformat(re.search(r"expires: (\S+)}", text).group(1))
    ok(5 <= (ends - datetime.date.today()).days <= 8, text)
    # And a second time there is nothing left to adopt.
    equal(adopted(gate, project.path), text)


def test_malware_that_is_locked_stops_it_and_nothing_is_written(t):
    fake = t.fake().lab()
    osv = t.osv(("MAL-2026-1", "lab-a", ["1.1.0"]))
    gate = t.gate(policy(fake.url, extra='advisories:\n  files: ["%s"]\n' % osv))
    path = lockfile(t, "lab-a", "1.1.0")
    out = os.path.join(t.folder, "adopted.yaml")
    code, _, errors = adopt(gate, path, "--output", out)
    equal(code, 1, errors)
    contains(errors, "MAL-2026-1", "npm:lab-a@1.1.0", "package-lock.json:")
    ok(not os.path.exists(out))
    ok(not [r for r in gate.log() if r["decision"] == "adopted"])


def lockfile(t, *words):
    """lockfile(t, name, version, …)"""
    packages = {"": {"name": "web", "dependencies": {}}}
    for name, version in zip(words[::2], words[1::2]):
        packages[""]["dependencies"][name] = version
        packages["node_modules/" + name] = {"version": version}
    folder = t.path("locked")
    os.makedirs(folder)
    path = os.path.join(folder, "package-lock.json")
    with open(path, "w", encoding="utf-8") as f:
        json.dump({"name": "web", "lockfileVersion": 3, "packages": packages}, f, indent=1)
    return path


def test_what_a_person_denied_is_not_adopted(t):
    fake = t.fake().lab()
    gate = t.gate(policy(fake.url, extra='deny:\n  versions: ["npm:lab-a@1.1.0"]\n'))
    code, out, errors = adopt(gate, lockfile(t, "lab-a", "1.1.0"))
    equal((code, out), (1, ""), errors)
    contains(errors, "npm:lab-a@1.1.0")


def test_reviews_are_spread_over_months(t):
    fake = t.fake()
    words = []
    for i in range(30):
        fake.publish("lab-%d" % i, "1.0.0")
        words += ["lab-%d" % i, "1.0.0"]
    gate = t.gate(policy(fake.url))
    dates = sorted(re.findall(r"review-by: (\S+)}", adopted(gate, lockfile(t, *words))))
    equal(len(dates), 30)
    weeks = {datetime.date.fromisoformat(d).isocalendar()[:2] for d in dates}
    ok(len(weeks) >= 20, dates)
    days = [(datetime.date.fromisoformat(d) - datetime.date.today()).days for d in (dates[0], dates[-1])]
    ok(days[0] >= 88 and 240 < days[1] <= 271, days)


def test_lines_are_added_to_the_lists_that_a_policy_has(t):
    fake = t.fake().lab()
    extra = ("# ours\nexemptions:   # few\n- {package: \"npm:old@1.0.0\", rules: [cooldown], reason: r, owner: jo, expires: 2026-01-01}\n"
             "allow:\n    mode: report\n    roots:\n    - {name: \"npm:kept\", reason: r, owner: jo, review-by: 2030-01-01}\n\n# the end\n")
    gate = t.gate(policy(fake.url, extra=extra))
    out = os.path.join(t.folder, "adopted.yaml")
    text = adopted(gate, lockfile(t, "lab-a", "1.2.0"), "--output", out)
    equal(text, "")
    with open(out, encoding="utf-8") as f:
        text = f.read()
    contains(text, "# ours\nexemptions:   # few\n- {package: \"npm:old@1.0.0\"", "\n- {package: \"npm:lab-a@1.2.0\"",
             "\n    - {name: \"npm:kept\"", "\n    - {name: \"npm:lab-a\"", "# the end\n")
    equal(gate.command("policy", "check", out)[0], 0)
    # One line cannot be added to: it says so.
    gate.write_policy(policy(fake.url, extra="allow: {mode: report, roots: []}\n"))
    code, _, errors = adopt(gate, lockfile(t, "lab-a", "1.2.0"))
    equal(code, 3)
    contains(errors, "allow: nothing can be added", "one item a line")


def test_a_registry_that_does_not_answer_stops_it_and_offline_takes_what_is_stored(t):
    fake = t.fake().lab()
    gate = t.gate(policy(fake.url))
    path = lockfile(t, "lab-a", "1.2.0", "lab-z", "1.0.0")
    gate.get("/lab-a")
    code, out, errors = adopt(gate, path, "--offline")
    equal(code, 0, errors)
    contains(out, "npm:lab-a@1.2.0")
    contains(errors, "lab-z@1.0.0: nothing of it is stored here")
    fake.broken = 503
    code, out, errors = adopt(gate, lockfile(t, "lab-q", "1.0.0"))
    equal((code, out), (3, ""), errors)
    contains(errors, "--offline", "lab-q")


def test_adopted_names_are_known(t):
    """A version that gained a dependency on a young name waits, unless that name was adopted."""
    fake = t.fake()
    fake.publish("lab-new", "1.0.0", age="10d")
    fake.publish("lab-b", "1.0.0", age="300d")
    fake.publish("lab-b", "1.0.1", age="9d", dependencies={"lab-new": "^1.0.0"})
    gate = t.gate(policy(fake.url, extra="  new-dependency: 30d\n"))
    equal(decision(gate, "npm:lab-b@1.0.1"), "hold")
    adopted(gate, lockfile(t, "lab-new", "1.0.0"))
    wait_until(lambda: decision(gate, "npm:lab-b@1.0.1") == "allow", "the gate knows the adopted name")
    found = [r for r in gate.log() if r["decision"] == "adopted"]
    equal(len(found), 1)
    ok(found[0]["identity"].startswith("local:"), found)


@for_clients("yarn-1", "bun", "npm-11")
def test_rewritten_addresses_lead_through_the_gate(t, client):
    fake = t.fake().lab()
    fake.publish("@lab/c", "1.0.0")
    direct = t.client(client, fake.url)
    manifest = {"dependencies": {"lab-a": "1.1.0", "@lab/c": "1.0.0"}}
    project = t.project(direct, manifest)
    succeeded(direct.do("install", project))
    name = LOCKFILES[direct.kind]
    before = project.read(name)
    gate = t.gate(policy(fake.url))
    here = ["--rewrite-resolved", "--gate", gate.registry, project.file(name)]
    code, out, errors = adopt(gate, *here, "--dry-run")
    equal((code, project.read(name)), (0, before), errors)
    code, _, errors = adopt(gate, *here)
    equal(code, 0, errors)
    equal(project.read(name), before.replace(fake.url, gate.registry))
    contains(before, fake.url)
    contains(out, "@@", gate.registry)
    done, fresh = frozen(t, client, gate, manifest, (name, project.read(name)))
    succeeded(done)
    equal(fresh.version("lab-a"), "1.1.0")
    equal(gate.who_has("npm:lab-a@1.1.0")["receipts"][0]["version"], "1.1.0")
    equal(len(gate.who_has("npm:@lab/c@1.0.0")["receipts"]), 1)
    # Again: nothing to do.
    code, out, errors = adopt(gate, *here, "--dry-run")
    equal((code, out), (0, ""), errors)


def test_only_lockfiles_are_rewritten(t):
    fake = t.fake().lab()
    gate = t.gate(policy(fake.url))
    good = lockfile(t, "lab-a", "1.1.0")
    other = os.path.join(t.folder, "package.json")
    with open(other, "w", encoding="utf-8") as f:
        f.write('{"name": "x", "dependencies": {"lab-a": "1.1.0"}}')
    with open(good, encoding="utf-8") as f:
        before = f.read()
    code, out, errors = adopt(gate, "--rewrite-resolved", "--gate", gate.registry, good, other)
    equal((code, out), (2, ""))
    contains(errors, "package.json is no lockfile")
    with open(good, encoding="utf-8") as f:
        equal(f.read(), before)
    code, _, errors = adopt(gate, "--rewrite-resolved", "--gate", "no address", good)
    equal(code, 2, errors)


def test_a_summary_alone_adopts_nothing(t):
    fake = t.fake().lab()
    gate = t.gate(policy(fake.url))
    code, out, errors = adopt(gate, lockfile(t, "lab-a", "1.2.0", "lab-gone", "1.0.0"), "--json")
    equal(code, 0, errors)
    found = json.loads(out)
    equal((found["written"], found["exemptions"], len(found["unknown"])), (False, ["pkg:npm/lab-a@1.2.0"], 1), found)
    ok(not [r for r in gate.log() if r["decision"] == "adopted"])


@long
def test_three_thousand_packages_take_minutes_at_most(t):
    fake = t.fake()
    words = []
    for i in range(3000):
        fake.publish("lab-%d" % i, "1.0.0")
        words += ["lab-%d" % i, "1.0.0"]
    gate = t.gate(policy(fake.url))
    started = time.monotonic()
    out = adopted(gate, lockfile(t, *words))
    took = time.monotonic() - started
    equal(out.count("review-by: "), 3000)
    ok(took < 180, "%.0f s" % took)
    equal(len(fake.asked("lab-")), 3000)   # each once
    print("3,000 packages adopted in %.1f s" % took)


@long
@needs_network
def test_a_real_project_is_adopted(t):
    """Everything of a real lockfile is asked about; what is younger than the policy's cooldown would be refused and installs after adopting."""
    manifest = {"dependencies": {"express": "^4.0.0", "@types/node": "*", "eslint": "*"}}
    gate = t.gate(policy(cooldown="0"))
    lock = locked(t, "npm-11", gate, manifest)
    purl = "npm:@types/node@" + json.loads(lock[1])["packages"]["node_modules/@types/node"]["version"]
    tighten(gate, policy(cooldown="365d"), purl)
    done, project = frozen(t, "npm-11", gate, manifest, lock)
    failed(done)
    code, text, errors = adopt(gate, project.path, "--owner", "web")
    equal(code, 0, errors)
    contains(text, purl, 'name: "npm:express"', 'name: "npm:eslint"')
    gate.reload(text)
    wait_until(lambda: decision(gate, purl) == "allow", "the adopted policy is in force", 60)
    succeeded(frozen(t, "npm-11", gate, manifest, lock)[0])
