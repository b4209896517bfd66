#!/usr/bin/env python3
"""`bondgate scan` over small trees made here: what is found and passed over, the exit codes, the shapes of its answers."""
import json
import os
import subprocess
import sys
import tempfile

BONDGATE = os.path.abspath(sys.argv[1])
failures = []

LOCK = json.dumps({"lockfileVersion": 3, "packages": {
    "": {"dependencies": {"top": "^1.0.0"}},
    "node_modules/top": {"version": "1.0.0", "dependencies": {"bad": "^1.0.0"}},
    "node_modules/bad": {"version": "1.0.1"}}}, indent=1)
ADVISORY = {"id": "MAL-2026-1", "summary": "Malicious code in bad", "modified": "2026-01-01T00:00:00Z",
            "affected": [{"package": {"ecosystem": "npm", "name": "bad"}, "versions": ["1.0.1"]}]}


def check(truth, text):
    if not truth:
        failures.append(text)


def write(folder, path, content):
    full = os.path.join(folder, path)
    os.makedirs(os.path.dirname(full), exist_ok=True)
    with open(full, "w", encoding="utf-8") as out:
        out.write(content if isinstance(content, str) else json.dumps(content))


def run(folder, *arguments):
    environment = {"PATH": os.environ["PATH"], "HOME": folder}
    done = subprocess.run([BONDGATE, "scan", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def scan(folder, *arguments):
    code, out, _ = run(folder, "--json", *arguments)
    return code, json.loads(out)


def paths(answer):
    return sorted(f["path"] for f in answer["files"])


def discovery(folder):
    write(folder, "a/package-lock.json", LOCK)
    write(folder, "a/package.json", {"dependencies": {"top": "1"}})
    write(folder, "a/packages/member/package.json", {"dependencies": {"x": "1"}})
    write(folder, "a/node_modules/top/package.json", {"name": "top", "version": "1.0.0"})
    write(folder, "a/node_modules/top/package-lock.json", LOCK)
    write(folder, "alone/package.json", {"dependencies": {"x": "1.0.0"}})
    write(folder, ".git/package-lock.json", LOCK)
    write(folder, "net/Directory.Packages.props", '<Project><ItemGroup><PackageVersion Include="A" Version="2.0.0"/></ItemGroup></Project>')
    write(folder, "net/app/app.csproj", '<Project><ItemGroup><PackageReference Include="A"/></ItemGroup></Project>')
    os.symlink("..", os.path.join(folder, "a", "loop"))
    os.symlink("/etc", os.path.join(folder, "outside"))
    code, answer = scan(folder, "--list", ".")
    check(code == 0, f"discovery: exit {code}")
    check(paths(answer) == ["./a/package-lock.json", "./alone/package.json", "./net/app/app.csproj"], f"discovery: {paths(answer)}")
    central = [f for f in answer["files"] if f["path"].endswith("csproj")][0]["packages"]
    check([(p["name"], p["version"], p["source"]) for p in central] == [("A", "2.0.0", "declared")], f"central: {central}")
    code, answer = scan(folder, "--installed", "--list", "a")
    check("a/node_modules" in paths(answer), f"installed: {paths(answer)}")


def installed(folder):
    write(folder, "node_modules/a/package.json", {"name": "a", "version": "1.0.0", "dependencies": {"b": "2"}})
    write(folder, "node_modules/a/node_modules/b/package.json", {"name": "b", "version": "2.0.0"})
    write(folder, "node_modules/@s/c/package.json", {"name": "@s/c", "version": "3.0.0"})
    write(folder, "node_modules/al/package.json", {"name": "real", "version": "4.0.0"})
    write(folder, "node_modules/.pnpm/d@5.0.0/node_modules/d/package.json", {"name": "d", "version": "5.0.0"})
    os.symlink(".pnpm/d@5.0.0/node_modules/d", os.path.join(folder, "node_modules", "d"))
    _, answer = scan(folder, "--list", "node_modules")
    got = sorted(f"{p['name']}@{p['version']}" for p in answer["files"][0]["packages"])
    check(got == ["@s/c@3.0.0", "a@1.0.0", "b@2.0.0", "d@5.0.0", "real@4.0.0"], f"installed: {got}")


def findings(folder):
    write(folder, "p/package-lock.json", LOCK)
    write(folder, "osv/MAL-2026-1.json", ADVISORY)
    code, answer = scan(folder, "p", "--advisories", "osv")
    check(code == 1 and len(answer["findings"]) == 1, f"finding: exit {code}, {answer['findings']}")
    found = answer["findings"][0]
    check((found["purl"], found["kind"], found["id"], found["file"]) ==
          ("pkg:npm/bad@1.0.1", "malware", "MAL-2026-1", "p/package-lock.json"), f"finding: {found}")
    check(found["line"] == 15 and found["paths"] == [["top@1.0.0", "bad@1.0.1"]], f"finding: {found['line']} {found['paths']}")
    check(answer["files"] == [{"path": "p/package-lock.json", "format": "package-lock.json", "packages": 2}], f"files: {answer['files']}")
    code, out, _ = run(folder, "p", "--advisories", "osv")
    check(code == 1 and "MALWARE" in out and "top > bad" in out and "1 finding in 2 packages of 1 file" in out, f"table: {out}")
    # One that cannot be read does not hide what was found.
    write(folder, "q/yarn.lock", "a@^1:\n  version \"1.")
    check(run(folder, "p", "q", "--advisories", "osv")[0] == 1, "a finding wins over an unreadable file")
    write(folder, "bondgate.yaml", "version: 1\ndeny:\n  names: [\"npm:top\"]\n")
    code, answer = scan(folder, "p")
    check(code == 1 and [f["id"] for f in answer["findings"]] == ["denied"], f"denied: {answer['findings']}")


def errors(folder):
    write(folder, "q/yarn.lock", "a@^1:\n  version \"1.")
    code, answer = scan(folder, "q", "--list")
    check(code == 3 and answer["files"][0]["packages"] == [] and "q/yarn.lock:2" in answer["files"][0]["error"], f"cut: {code} {answer}")
    code, answer = scan(folder, "nowhere")
    check(code == 3 and answer["files"][0]["error"], f"nowhere: {code} {answer}")
    os.makedirs(os.path.join(folder, "empty"))
    code, answer = scan(folder, "empty")
    check(code == 3 and answer == {"files": [], "findings": []}, f"nothing to scan: {code} {answer}")
    check(run(folder)[0] == 2, "no path is a wrong use")
    write(folder, "some.txt", LOCK)
    code, answer = scan(folder, "some.txt")
    check(code == 0 and answer["files"][0]["packages"] == 2, f"by content: {code} {answer}")
    write(folder, "bondgate.yaml", "version: 1\nnonsense: 1\n")
    check(run(folder, "some.txt")[0] == 3, "an unreadable policy")


def project(folder, packages, manifest=None, place="p"):
    """A lockfile of version 3 with these entries, and the manifest beside it."""
    write(folder, place + "/package-lock.json", json.dumps({"lockfileVersion": 3, "packages": packages}, indent=1))
    if manifest:
        write(folder, place + "/package.json", json.dumps(manifest, indent=1))


def registry(name, version, host="npm.registry.example", **more):
    return {"version": version, "resolved": f"https://{host}/{name}/-/{name}-{version}.tgz", "integrity": "sha512-" + "A" * 86 + "==", **more}


def ids(answer):
    return sorted((f["id"], f["purl"].split("/")[-1]) for f in answer["findings"])


def sources(folder):
    project(folder, {
        "": {"dependencies": {n: "1" for n in "abcdefg"}},
        "node_modules/a": registry("a", "1.0.0"), "node_modules/b": registry("b", "1.0.0"), "node_modules/c": registry("c", "1.0.0"),
        "node_modules/d": registry("d", "1.0.0", "evil.example"),
        "node_modules/e": {"version": "1.0.0", "resolved": "git+ssh://git@host.example/e.git#abc"},
        "node_modules/f": {"version": "1.0.0", "resolved": "https://host.example/f.tar.gz", "integrity": "sha512-" + "A" * 86 + "=="},
        "node_modules/g": registry("g", "1.0.0", integrity="sha1-AAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        "node_modules/h": {"version": "1.0.0", "resolved": "https://npm.registry.example/h/-/h-1.0.0.tgz"}})
    want = [("git-source", "e@1.0.0"), ("http-source", "f@1.0.0"), ("no-integrity", "h@1.0.0"), ("unexpected-host", "d@1.0.0"),
            ("weak-integrity", "g@1.0.0")]
    code, answer = scan(folder, "p")
    check((code, ids(answer)) == (0, want), f"sources: {code} {ids(answer)}")
    check(scan(folder, "p", "--strict")[0] == 1, "--strict: everything counts")
    check(scan(folder, "p", "--fail-on", "git-source")[0] == 1 and scan(folder, "p", "--fail-on", "malware")[0] == 0, "--fail-on a rule")
    check(scan(folder, "p", "--fail-on", "high")[0] == 1 and scan(folder, "p", "--fail-on", "critical")[0] == 0, "--fail-on a severity")
    check(run(folder, "p", "--fail-on", "nonsense")[0] == 2 and run(folder, "p", "--severity", "very")[0] == 2, "wrong words")
    # Where the policy says where packages come from, another host fails the build.
    write(folder, "machine.yaml", "version: 1\nregistries:\n  npm: {upstream: \"https://npm.registry.example/\"}\n")
    code, answer = scan(folder, "p", "--policy", "machine.yaml")
    check(code == 1 and [f["id"] for f in answer["findings"] if f["fails"]] == ["unexpected-host"], f"hosts: {code} {ids(answer)}")
    write(folder, ".npmrc", "@s:registry = https://evil.example/npm/\n")
    check("unexpected-host" not in str(ids(scan(folder, "p")[1])), "a registry of npm's own settings")
    code, _, err = run(folder, "p", "--gate", "http://127.0.0.1:1")
    check(code == 3 and "cannot be asked" in err, f"a gate that does not answer: {code} {err}")


def manifest(folder):
    packages = {"": {"dependencies": {"a": "^1.0.0", "b": "^1.0.0"}}, "node_modules/a": registry("a", "1.2.0"), "node_modules/b": registry("b", "1.0.0")}
    project(folder, packages, {"dependencies": {"a": "^1.0.0", "b": "~1.0.0"}})
    code, answer = scan(folder, "p")
    check((code, ids(answer)) == (0, []), f"in step: {ids(answer)}")
    project(folder, packages, {"dependencies": {"a": "^2.0.0", "b": "1", "c": "^3.0.0", "local": "file:../x"}})
    code, answer = scan(folder, "p")
    check(ids(answer) == [("not-locked", "c"), ("out-of-range", "a@1.2.0")], f"out of step: {ids(answer)}")
    place = {f["id"]: (f["file"], f["line"]) for f in answer["findings"]}
    check(place == {"not-locked": ("p/package.json", 5), "out-of-range": ("p/package.json", 3)}, f"places: {place}")
    # Versions that are set from elsewhere are not compared.
    project(folder, packages, {"dependencies": {"a": "^2.0.0", "b": "1"}, "overrides": {"a": "1.2.0"}})
    check(scan(folder, "p")[1]["findings"] == [], "overrides")


def selection(folder):
    project(folder, {
        "": {"dependencies": {"top": "^1.0.0"}, "devDependencies": {"tool": "^1.0.0"}},
        "node_modules/top": registry("top", "1.0.0", dependencies={"bad": "^1.0.0"}), "node_modules/bad": registry("bad", "1.0.1"),
        "node_modules/tool": registry("tool", "1.0.0", dev=True)})
    affected = [("bad", "moderate", "1.0.2"), ("tool", "high", "2.0.0"), ("top", "low", None)]
    write(folder, "osv.json", [{
        "id": f"GHSA-{name}", "summary": name, "modified": "2026-01-01T00:00:00Z", "database_specific": {"severity": severity.upper()},
        "affected": [{"package": {"ecosystem": "npm", "name": name},
                      "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}] + ([{"fixed": fixed}] if fixed else [])}]}]}
        for name, severity, fixed in affected])
    osv = ("--advisories", "osv.json")
    code, answer = scan(folder, "p", *osv)
    check((code, [f["id"] for f in answer["findings"]]) == (1, ["GHSA-tool", "GHSA-bad", "GHSA-top"]), f"all: {ids(answer)}")
    check([f["direct"] for f in answer["findings"]] == [True, False, True], "direct")
    check([f["id"] for f in scan(folder, "p", *osv, "--severity", "high")[1]["findings"]] == ["GHSA-tool"], "--severity")
    check([f["id"] for f in scan(folder, "p", *osv, "--prod")[1]["findings"]] == ["GHSA-bad", "GHSA-top"], "--prod")
    check([f["id"] for f in scan(folder, "p", *osv, "--only-direct")[1]["findings"]] == ["GHSA-tool", "GHSA-top"], "--only-direct")
    check(scan(folder, "p", *osv, "--fail-on", "none")[0] == 0, "--fail-on none")
    # The baseline: what was there stays quiet, what comes anew does not.
    code, _ = scan(folder, "p", *osv, "--prod", "--write-baseline", "base.json")
    code, answer = scan(folder, "p", *osv, "--baseline", "base.json")
    check((code, [f["id"] for f in answer["findings"]], answer["baselined"]) == (1, ["GHSA-tool"], 2), f"baseline: {ids(answer)}")
    write(folder, "broken.json", "{")
    check(run(folder, "p", *osv, "--baseline", "broken.json")[0] == 3, "a broken baseline")
    plan(folder, osv)
    write(folder, "ignore.yaml", "version: 1\nadvisories:\n  ignore:\n    - {id: ghsa-tool, reason: r, owner: o, expires: 2026-12-31}\n"
          "    - {id: GHSA-bad, package: \"npm:bad@>=1.0.2\", reason: r, owner: o, expires: 2026-12-31}\n"
          "    - {id: GHSA-top, package: \"npm:other\", reason: r, owner: o, expires: 2026-12-31}\n")
    code, answer = scan(folder, "p", *osv, "--policy", "ignore.yaml", "--at", "2026-12-01")
    check(([f["id"] for f in answer["findings"]], answer["ignored"]) == (["GHSA-bad", "GHSA-top"], 1), f"ignore: {ids(answer)}")
    check(len(scan(folder, "p", *osv, "--policy", "ignore.yaml", "--at", "2027-01-02")[1]["findings"]) == 3, "an ignore that has ended")
    code, _, err = run(folder, "p", "--output", "sarif=o/scan.sarif")
    check(code == 3 and "o/scan.sarif" in err, f"an output that cannot be written: {code} {err}")
    code, out, _ = run(folder, "p", *osv, "--quiet", "--format", "github", "--output", "json=scan.json", "--output", "markdown=scan.md")
    check(code == 1 and out.count("::error") == 3, f"github: {out}")
    with open(os.path.join(folder, "scan.json"), encoding="utf-8") as text:
        check(len(json.load(text)["findings"]) == 3 and os.path.exists(os.path.join(folder, "scan.md")), "outputs")
    for wrong in (("--format", "nonsense"), ("--output", "sarif"), ("--output", "x=y"), ("--json", "--format", "sarif")):
        check(run(folder, "p", *wrong)[0] == 2, f"{wrong}")


def plan(folder, osv):
    code, out, _ = run(folder, "p", *osv, "--fix-plan", "--json")
    answer = json.loads(out)
    by_name = {u["purl"].split("/")[-1]: u for u in answer["upgrades"]}
    check((code, answer["closed"], answer["open"]) == (1, 2, 1), f"plan: {answer}")
    bad, tool, top = by_name["bad@1.0.1"], by_name["tool@1.0.0"], by_name["top@1.0.0"]
    check((bad["to"], bad["within_range"], bad["direct"]) == ("1.0.2", True, "pkg:npm/top@1.0.0"), f"plan: {bad}")
    check((tool["to"], tool["within_range"]) == ("2.0.0", False) and "^1.0.0" in tool["advice"], f"plan: {tool}")
    check(top["to"] is None and top["closes"] == ["GHSA-top"], f"plan: {top}")
    code, out, _ = run(folder, "p", *osv, "--fix-plan")
    check("bad 1.0.1 -> 1.0.2" in out and "npm update bad" in out, f"plan: {out}")


def since(folder):
    def git(*arguments):
        subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@mail.example", *arguments], cwd=folder, check=True, capture_output=True)

    packages = {"": {"dependencies": {"old": "1"}}, "node_modules/old": registry("old", "1.0.0", "other.example")}
    project(folder, packages)
    write(folder, "osv.json", [{"id": f"GHSA-{name}", "modified": "2026-01-01T00:00:00Z",
                                "affected": [{"package": {"ecosystem": "npm", "name": name}, "versions": ["1.0.0"]}]} for name in ("old", "new")])
    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "first")
    packages["node_modules/new"] = registry("new", "1.0.0")
    packages[""]["dependencies"]["new"] = "1"
    project(folder, packages)
    project(folder, {"": {}, "node_modules/new": registry("new", "1.0.0")}, place="q")
    code, answer = scan(folder, "p", "q", "--advisories", "osv.json", "--since", "HEAD")
    check((code, [f["id"] for f in answer["findings"]]) == (1, ["GHSA-new", "GHSA-new"]), f"since: {ids(answer)}")
    code, _, err = run(folder, "p", "--since", "nowhere")
    check(code == 3 and "nowhere" in err, f"since a revision that is not there: {code} {err}")


for case in (sources, manifest, selection, since, discovery, installed, findings, errors):
    with tempfile.TemporaryDirectory() as temporary:
        case(temporary)
for failure in failures:
    print("FAIL", failure)
sys.exit(1 if failures else 0)
