"""What a scan says of a lockfile when it may ask a gate, or what a gate stored: age, receipts, and that nothing is said where nothing is known."""
import json
import os
import re
import subprocess

from harness import binary, contains, equal, ok, policy


def lab(t):
    fake = t.fake().lab()
    return fake, t.gate(policy(fake.url))


def lock(folder, gate, *versions):
    """A lockfile with these of the lab's packages, with the hashes that the gate shows."""
    packages = {"": {"dependencies": {}}}
    for one in versions:
        name, _, version = one.partition("@")
        shown = json.loads(gate.get("/npm/%s/%s" % (name, version)).body) if version != "1.2.0" else {"dist": {}}
        packages["node_modules/" + name] = {"version": version, **{k: shown["dist"][k] for k in ("integrity",) if k in shown["dist"]}}
        packages[""]["dependencies"][name] = version
    path = os.path.join(folder, "package-lock.json")
    os.makedirs(folder, exist_ok=True)
    with open(path, "w", encoding="utf-8") as out:
        json.dump({"lockfileVersion": 3, "packages": packages}, out)
    return path


def url(gate):
    return gate.address()


def run(gate, *arguments, state=None):
    """From a folder without a policy of its own; the gate's is the machine's."""
    folder = os.path.join(gate.folder, "elsewhere")
    os.makedirs(folder, exist_ok=True)
    done = subprocess.run([binary(), "scan", *arguments, "--policy", gate.policy_file, "--state", state or gate.state], cwd=folder,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def scan(gate, *arguments, **options):
    code, out, err = run(gate, "--json", *arguments, **options)
    ok(out.startswith("{"), out, err)
    return code, json.loads(out)



def test_a_running_gate_is_asked_about_age(t):
    _, gate = lab(t)
    gate.get("/npm/lab-a")
    young = lock(os.path.join(gate.folder, "young"), gate, "lab-a@1.2.0")
    old = lock(os.path.join(gate.folder, "old"), gate, "lab-a@1.1.0")
    code, answer = scan(gate, young, "--gate", url(gate))
    found = [f for f in answer["findings"] if f["kind"] == "policy"]
    equal((code, [f["id"] for f in found]), (1, ["cooldown"]), answer)
    ok(re.match(r"\d{4}-", found[0]["until"]) and found[0]["fails"], found)
    code, answer = scan(gate, old, "--gate", url(gate))
    equal((code, answer["findings"], answer.get("unjudged")), (0, [], None), answer)


def test_what_a_gate_stored_answers_the_same(t):
    _, gate = lab(t)
    gate.get("/npm/lab-a")
    young = lock(os.path.join(gate.folder, "young"), gate, "lab-a@1.2.0")
    code, answer = scan(gate, young)
    equal((code, [f["id"] for f in answer["findings"]]), (1, ["cooldown"]), answer)


def test_what_nobody_knows_is_counted_and_found_only_when_strict(t):
    _, gate = lab(t)
    folder = os.path.join(gate.folder, "unknown")
    path = lock(folder, gate, "lab-a@1.2.0")
    code, answer = scan(gate, path, state=os.path.join(folder, "no-state"))
    equal((code, answer["findings"], answer["unjudged"]), (0, [], 1), answer)
    code, answer = scan(gate, path, "--strict", state=os.path.join(folder, "no-state"))
    equal((code, [f["id"] for f in answer["findings"]]), (1, ["unjudged"]), answer)


def test_receipts_are_verified_by_store_and_gate(t):
    _, gate = lab(t)
    path = lock(os.path.join(gate.folder, "p"), gate, "lab-a@1.1.0")
    for ask in ((), ("--gate", url(gate))):
        code, answer = scan(gate, path, "--verify-receipts", *ask)
        equal((code, [f["id"] for f in answer["findings"]]), (1, ["no-receipt"]), ask, answer)
    equal(gate.get("/npm/lab-a/-/lab-a-1.1.0.tgz").status, 200)
    for ask in ((), ("--gate", url(gate))):
        code, answer = scan(gate, path, "--verify-receipts", *ask)
        equal((code, answer["findings"]), (0, []), ask, answer)
    # Other bytes than those that were handed out.
    with open(path, encoding="utf-8") as text:
        other = json.load(text)
    other["packages"]["node_modules/lab-a"]["integrity"] = "sha512-" + "A" * 86 + "=="
    with open(path, "w", encoding="utf-8") as out:
        json.dump(other, out)
    for ask in ((), ("--gate", url(gate))):
        code, answer = scan(gate, path, "--verify-receipts", *ask)
        ids = [f["id"] for f in answer["findings"]]
        equal((code, ids), (1, ["other-bytes"]), ask, answer)


def test_many_versions_are_explained_at_once(t):
    _, gate = lab(t)
    body = json.dumps({"purls": ["npm:lab-a@1.1.0", "npm:lab-a@1.2.0", "npm:lab-a@9.9.9", "nonsense"], "receipts": True})
    answer = gate.request("POST", "/-/explain", {"content-type": "application/json"}, body)
    equal(answer.status, 200, answer)
    answers = answer.json()["answers"]
    equal([a.get("decision") for a in answers], ["allow", "hold", "hold", None], answers)
    ok("error" in answers[3] and answers[0]["received"] == [], answers)
    for wrong in ("", "{", '{"purls": 1}', '{"purls": %s}' % json.dumps(["npm:a@1.0.0"] * 1001), '{"at": "soon"}'):
        equal(gate.request("POST", "/-/explain", {"content-type": "application/json"}, wrong).status, 400, wrong)


def test_a_gate_that_cannot_be_asked_ends_the_scan(t):
    _, gate = lab(t)
    path = lock(os.path.join(gate.folder, "p"), gate, "lab-a@1.1.0")
    code, _, err = run(gate, path, "--gate", "http://127.0.0.1:1")
    equal(code, 3, err)
    contains(err, "http://127.0.0.1:1", "cannot be asked")
