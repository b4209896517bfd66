"""What projects lock is recorded with their scans, and an incident names them."""
import json
import os
import subprocess

from harness import binary, contains, equal, ok, policy, wait_until
from test_adopt import lockfile
from test_people import Person, known


def lab(t):
    fake = t.fake().lab()
    osv = t.osv()
    return osv, t.gate(policy(fake.url, extra='advisories:\n  files: ["%s"]\n' % osv))


def scan(t, *arguments, **environment):
    folder = os.path.join(t.folder, "ci")
    os.makedirs(folder, exist_ok=True)
    env = {"PATH": os.environ["PATH"], "HOME": folder, **environment}
    done = subprocess.run([binary(), "scan", *arguments], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
                          check=False, env=env)
    ok("Sanitizer" not in done.stderr and "runtime error" not in done.stderr, done.stderr)
    return done.returncode, done.stdout, done.stderr


def incident(gate, name):
    return [r for r in gate.log() if r.get("kind") == "incident" and name in json.dumps(r)]


def test_an_incident_names_the_projects_that_lock_the_version(t):
    osv, gate = lab(t)
    kim = Person(t, gate, "kim", "requester")
    known(kim)
    path = lockfile(t, "lab-a", "1.1.0")
    code, _, errors = scan(t, path, "--record", "--project", "shop", "--gate", gate.address(), BONDGATE_TOKEN=kim.token)
    equal(code, 0, errors)
    contains(errors, "project shop locks 1 package in 1 file")
    answer = gate.who_has("npm:lab-a@1.1.0")
    equal([(x["project"], x["file"], x["version"]) for x in answer["locked"]], [("shop", "package-lock.json", "1.1.0")])
    equal(gate.get("/lab-a/-/lab-a-1.1.0.tgz").status, 200)
    t.advisory(osv, "MAL-2026-7", "lab-a", ["1.1.0"])
    wait_until(lambda: incident(gate, "lab-a"), "there is an incident", 60)
    code, out, errors = gate.command("incidents", "show", "npm:lab-a@1.1.0", "--json")
    equal(code, 1, errors)
    shown = json.loads(out)
    equal([(x["project"], x["file"]) for x in shown["locked"]], [("shop", "package-lock.json")])
    equal(len(shown["receipts"]), 1)
    contains(gate.command("incidents", "show", "npm:lab-a@1.1.0")[1], "Locked by:\n  shop", "Look before you rotate")
    # The project moves to another version: its next scan says so.
    code, _, errors = scan(t, lockfile(t, "lab-a", "1.0.0"), "--record", "--project", "shop", "--gate", gate.address(), BONDGATE_TOKEN=kim.token)
    equal(code, 0, errors)
    equal(gate.who_has("npm:lab-a@1.1.0")["locked"], [])
    recorded = [r for r in gate.log() if r["decision"] == "scan recorded"]
    equal([r["identity"] for r in recorded], ["kim", "kim"])
    equal(kim.api("GET", "scans").json()["projects"][0]["project"], "shop")


def test_a_scan_is_recorded_in_the_state_of_this_machine_under_the_name_of_its_repository(t):
    path = lockfile(t, "lab-a", "1.1.0", "lab-b", "2.0.0")
    folder, state = os.path.dirname(path), os.path.join(t.folder, "state")
    git = ["git", "-C", folder]
    subprocess.run(git + ["init", "-q"], check=True)
    subprocess.run(git + ["remote", "add", "origin", "git@git.acme.example:web/checkout.git"], check=True)
    code, _, errors = scan(t, folder, "--record", "--state", state)
    equal(code, 0, errors)
    done = subprocess.run([binary(), "who-has", "npm:lab-b", "--json", "--state", state], capture_output=True, text=True, check=False)
    answer = json.loads(done.stdout)
    equal((done.returncode, [(x["project"], x["file"], x["version"]) for x in answer["locked"]]),
          (1, [("checkout", "package-lock.json", "2.0.0")]))
    done = subprocess.run([binary(), "who-has", "npm:lab-b", "--state", state], capture_output=True, text=True, check=False)
    contains(done.stdout, "nobody received", "Locked by projects", "checkout")


def test_who_may_record_and_what(t):
    _, gate = lab(t)
    auditor, kim = Person(t, gate, "max", "auditor"), Person(t, gate, "kim", "requester")
    known(kim)
    body = {"project": "shop", "files": [{"path": "yarn.lock", "packages": ["pkg:npm/%40lab/c@1.0.0"]}]}
    equal(auditor.api("POST", "scans", body).status, 403)
    equal(gate.request("POST", "/-/api/v1/scans", {}, json.dumps(body)).status, 401)
    answer = kim.api("POST", "scans", body)
    equal((answer.status, answer.json()["packages"]), (201, 1), answer)
    for wrong in ({"files": []}, {"project": "shop"}, {"project": "shop", "files": [{"path": "x"}]},
                  {"project": "shop", "files": [{"path": "x", "packages": ["nonsense"]}]},
                  {"project": "shop", "files": [{"path": "x", "packages": ["pkg:npm/lab"]}]}):
        equal(kim.api("POST", "scans", wrong).status, 400, wrong)
    # What was there is still there.
    equal(len(gate.who_has("npm:@lab/c")["locked"]), 1)
    # Large ones are taken from those who may, and from nobody else.
    body["files"][0]["packages"] = ["pkg:npm/lab-%d@1.0.0" % i for i in range(5000)]
    equal(kim.api("POST", "scans", body).json()["packages"], 5000)
    equal(gate.who_has("npm:@lab/c")["locked"], [])


def test_a_scan_that_read_less_than_there_is_is_not_recorded(t):
    path = lockfile(t, "lab-a", "1.1.0")
    folder, state = os.path.dirname(path), os.path.join(t.folder, "state")
    equal(scan(t, folder, "--record", "--state", state)[0], 0)
    with open(os.path.join(folder, "yarn.lock"), "w", encoding="utf-8") as f:
        f.write("<<<<<<< HEAD\n")
    code, _, errors = scan(t, folder, "--record", "--state", state)
    equal(code, 3)
    contains(errors, "not recorded")
