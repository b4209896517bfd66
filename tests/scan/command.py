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


for case in (discovery, installed, findings, errors):
    with tempfile.TemporaryDirectory() as temporary:
        case(temporary)
for failure in failures:
    print("FAIL", failure)
sys.exit(1 if failures else 0)
