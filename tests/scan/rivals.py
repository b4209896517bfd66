#!/usr/bin/env python3
"""Every case in which other scanners were seen to be wrong: what they pass over silently is found here, what they report falsely is not, and a
damaged lockfile ends with exit 3. Each project is made here; `bad` in version 1.0.0 is malware."""
import json
import os
import subprocess
import sys
import tempfile

BONDGATE = os.path.abspath(sys.argv[1])
failures = []

NPM = json.dumps({"lockfileVersion": 3, "packages": {"": {}, "node_modules/fine": {"version": "1.0.0"}, "node_modules/bad": {"version": "1.0.0"}}}, indent=1)
YARN = '# yarn lockfile v1\n\n\nbad@^1.0.0:\n  version "1.0.0"\n  resolved "https://npm.registry.example/bad/-/bad-1.0.0.tgz#%s"\n\nfine@^1.0.0:\n  version "1.0.0"\n' % ("a" * 40)
BERRY = '__metadata:\n  version: 8\n\n%s\n'
PNPM = ("lockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies:\n      %(n)s:\n        specifier: ^1.0.0\n        version: 1.0.0\npackages:\n"
        "  %(n)s@1.0.0:\n    resolution: {integrity: sha512-%(h)s==}\nsnapshots:\n  %(n)s@1.0.0: {}\n")
HASH = "A" * 86


def pnpm(name):
    return PNPM % {"n": name, "h": HASH}


def berry(key, version, resolution):
    return BERRY % f'"{key}":\n  version: {version}\n  resolution: "{resolution}"\n  languageName: node\n  linkType: hard'


def nuget(version, **entries):
    return json.dumps({"version": version, "dependencies": {"net8.0": entries}})


ASSETS = json.dumps({"version": 3, "targets": {"net8.0": {"Bad/1.0.0": {"type": "package"}}},
                     "libraries": {"Bad/1.0.0": {"type": "package", "sha512": HASH + "=="}}, "project": {"version": "1.0.0"}})

FOUND = {  # file -> content: malware is in it
    "pnpm-lock.yaml, the second document": ("pnpm-lock.yaml", "---\n" + pnpm("fine") + "---\n" + pnpm("bad")),
    "a byte order mark": ("package-lock.json", "\ufeff" + NPM),
    "a key that stands twice": ("package-lock.json", NPM.replace('"node_modules/fine"', '"node_modules/bad"')),
    "a section that stands twice": ("package-lock.json", NPM.replace('"packages"', '"packages": {}, "packages"', 1)),
    "CRLF": ("yarn.lock", YARN.replace("\n", "\r\n")),
    "an alias of npm": ("package-lock.json", NPM.replace('node_modules/bad": {', 'node_modules/nice": {"name": "bad", ')),
    "an alias of yarn 1": ("yarn.lock", YARN.replace("bad@^1.0.0:", '"nice@npm:bad@^1.0.0":')),
    "an alias of yarn berry": ("yarn.lock", berry("nice@npm:bad@^1.0.0", "1.0.0", "bad@npm:1.0.0")),
    "packages.lock.json 1": ("packages.lock.json", nuget(1, Bad={"type": "Direct", "resolved": "1.0.0"})),
    "packages.lock.json 2": ("packages.lock.json", nuget(2, Bad={"type": "CentralTransitive", "resolved": "1.0.0"})),
    "project.assets.json": ("project.assets.json", ASSETS),
}
NOT_FOUND = {
    "a member of npm's workspace": ("package-lock.json", json.dumps({"lockfileVersion": 3, "packages": {
        "": {"workspaces": ["bad"]}, "bad": {"version": "1.0.0"}, "node_modules/bad": {"resolved": "bad", "link": True}}})),
    "a member of yarn's workspace": ("yarn.lock", berry("bad@workspace:bad", "0.0.0-use.local", "bad@workspace:bad")),
    "a project of the solution": ("packages.lock.json", nuget(1, bad={"type": "Project"})),
    "an alias under another's name": ("yarn.lock", berry("bad@npm:fine@^1.0.0", "1.0.0", "fine@npm:1.0.0")),
}


def damaged():
    for name, text in (("package-lock.json", NPM), ("pnpm-lock.yaml", pnpm("bad")), ("packages.lock.json", nuget(1, Bad={"type": "Direct", "resolved": "1.0.0"})),
                       ("project.assets.json", ASSETS), ("yarn.lock", YARN)):
        raw = text.encode()
        yield f"{name}, cut", name, raw[:len(raw) * 2 // 3]
        yield f"{name}, a NUL byte", name, raw[:40] + b"\0" + raw[40:]
        yield f"{name}, UTF-16", name, text.encode("utf-16")
        yield f"{name}, empty", name, b""
        yield f"{name}, a merge conflict", name, b"<<<<<<< HEAD\n" + raw + b"=======\n" + raw + b">>>>>>> other\n"


def scan(name, content, *arguments):
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, name), "wb") as out:
            out.write(content)
        with open(os.path.join(folder, "osv"), "w", encoding="utf-8") as out:
            json.dump([{"id": f"MAL-2026-{e}", "modified": "2026-01-01T00:00:00Z",
                        "affected": [{"package": {"ecosystem": e, "name": n}, "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}]}]}]}
                       for e, n in (("npm", "bad"), ("NuGet", "Bad"))], out)
        done = subprocess.run([BONDGATE, "scan", ".", "--advisories", "osv", *arguments], cwd=folder, env={"PATH": os.environ["PATH"], "HOME": folder},
                              capture_output=True, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def main():
    for what, (name, text) in FOUND.items():
        code, out, err = scan(name, text.encode())
        if code != 1 or "MALWARE" not in out:
            failures.append(f"{what}: exit {code}: {out} {err}")
    for what, (name, text) in NOT_FOUND.items():
        code, out, err = scan(name, text.encode())
        if code != 0 or "MALWARE" in out:
            failures.append(f"{what}: exit {code}: {out} {err}")
    for what, name, content in damaged():
        for form in ("table", "sarif", "junit"):
            code, out, err = scan(name, content, "--format", form, "--quiet")
            if code != 3 or (form == "sarif" and json.loads(out)["runs"][0]["invocations"][0]["executionSuccessful"]):
                failures.append(f"{what} as {form}: exit {code}: {out[:200]} {err[:200]}")
    # Central package management: the version stands in another file.
    with tempfile.TemporaryDirectory() as folder:
        os.makedirs(os.path.join(folder, "app"))
        for path, text in (("Directory.Packages.props", '<Project><ItemGroup><PackageVersion Include="Bad" Version="1.0.0"/></ItemGroup></Project>'),
                           ("app/app.csproj", '<Project><ItemGroup><PackageReference Include="Bad"/></ItemGroup></Project>')):
            with open(os.path.join(folder, path), "w", encoding="utf-8") as out:
                out.write(text)
        done = subprocess.run([BONDGATE, "scan", "--list", "--json", "."], cwd=folder, env={"PATH": os.environ["PATH"], "HOME": folder}, capture_output=True, check=False)
        listed = [(p["name"], p["version"]) for f in json.loads(done.stdout)["files"] for p in f["packages"]]
        if listed != [("Bad", "1.0.0")]:
            failures.append(f"central package management: {listed}")
    for failure in failures:
        print("FAIL", failure)
    return 1 if failures else 0


sys.exit(main())
