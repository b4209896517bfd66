#!/usr/bin/env python3
"""Every report of `bondgate scan`, over a project with hostile names and over real lockfiles: JSON or XML that reads, the parts that each form
must have, and the official schemas of SARIF 2.1.0, CycloneDX 1.6 and SPDX 3.0.1 where npm can fetch them (skipped by name when it cannot)."""
import json
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

BONDGATE = os.path.abspath(sys.argv[1])
HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.environ.get("BONDGATE_SOURCE", os.path.dirname(os.path.dirname(HERE)))
DATA = os.environ.get("BONDGATE_DATA", os.path.join(SOURCE, "..", "shared", "data"))
SCHEMAS = os.path.join(SOURCE, ".cache", "scan-schemas")
REAL = ["real/facebook__create-react-app/package-lock.json", "real/pnpm__pnpm/pnpm-lock.yaml"]
failures, skipped = [], []

HASH = "sha512-" + "A" * 85 + "Q=="
LOCK = {"lockfileVersion": 3, "packages": {
    "": {"name": "p", "dependencies": {"top": "^1.0.0"}, "devDependencies": {"tool": "1"}},
    "node_modules/top": {"version": "1.0.0", "resolved": "https://npm.registry.example/top/-/top-1.0.0.tgz", "integrity": HASH, "license": "MIT",
                         "dependencies": {"bad": "^1.0.0"}},
    "node_modules/bad": {"version": "1.0.1", "resolved": "https://npm.registry.example/bad/-/bad-1.0.1.tgz", "integrity": HASH,
                         "license": "(MIT OR Apache-2.0)"},
    "node_modules/tool": {"version": "1.0.0", "dev": True, "license": "SEE LICENSE IN x", "resolved": "git+ssh://git@host.example/t.git#1234"},
    "node_modules/@s/odd": {"version": "1.0.0-a+b", "integrity": "sha1-AAAAAAAAAAAAAAAAAAAAAAAAAAA=", "dependencies": {"bad": "1"}}}}
SUMMARY = "<b>x</b> | ](javascript:1) %0A::error:: \"q\" & 'r' \u202e @all `c` é"
ADVISORIES = [
    {"id": "GHSA-aaaa-bbbb-cccc", "summary": SUMMARY, "modified": "2026-01-01T00:00:00Z", "aliases": ["CVE-2026-1"],
     "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
     "references": [{"type": "ADVISORY", "url": "https://advisories.example/1"}],
     "affected": [{"package": {"ecosystem": "npm", "name": "bad"},
                   "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "1.0.2"}]}]}]},
    {"id": "MAL-2026-1", "summary": "Malicious code in top", "modified": "2026-01-01T00:00:00Z",
     "affected": [{"package": {"ecosystem": "npm", "name": "top"}, "versions": ["1.0.0"]}]}]


def check(truth, text):
    if not truth:
        failures.append(str(text)[:1000])


def scan(folder, *arguments):
    done = subprocess.run([BONDGATE, "scan", *arguments], cwd=folder, env={"PATH": os.environ["PATH"], "HOME": folder}, capture_output=True, check=False)
    check(done.returncode in (0, 1), f"{arguments}: exit {done.returncode}: {done.stderr[-400:]}")
    return done.stdout.decode()


def fetch_schemas():
    """The packages that carry them: once, into .cache."""
    if os.path.exists(os.path.join(SCHEMAS, "package", "data", "spdx-export.schema.json")):
        return True
    os.makedirs(SCHEMAS, exist_ok=True)
    quiet = {"cwd": SCHEMAS, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "timeout": 240}
    try:
        with open(os.path.join(SCHEMAS, "package.json"), "w", encoding="utf-8") as out:
            out.write("{}")
        subprocess.run(["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--omit=peer", "--omit=optional", "ajv@8", "ajv-formats@3",
                        "@microsoft/jest-sarif@1.0.0-beta.0"], check=True, **quiet)
        subprocess.run(["npm", "pack", "--ignore-scripts", "@cyclonedx/cdxgen@12.8.4"], check=True, **quiet)
        archive = next(n for n in os.listdir(SCHEMAS) if n.endswith(".tgz"))
        subprocess.run(["tar", "xzf", archive, "package/data"], check=True, **quiet)
    except (OSError, StopIteration, subprocess.SubprocessError):
        return False
    return True


def validate(kind, text, folder):
    path = os.path.join(folder, kind + ".out")
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)
    done = subprocess.run(["node", os.path.join(HERE, "schemas.js"), SCHEMAS, kind, path], capture_output=True, text=True, check=False)
    check(done.returncode == 0, f"{kind}: {done.stdout} {done.stderr[-600:]}")


def look_sarif(text):
    run = json.loads(text)["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        place = result["locations"][0]["physicalLocation"]
        check(rules[result["ruleIndex"]]["id"] == result["ruleId"], result)
        check(place["region"]["startLine"] >= 1 and not place["artifactLocation"]["uri"].startswith(("/", "./")), place)
        check(place["artifactLocation"]["uriBaseId"] == "%SRCROOT%" and result["partialFingerprints"], result)
    check(all(r["help"]["text"] and r["help"]["markdown"] and float(r["properties"]["security-severity"]) >= 0 for r in rules), rules)


def look_cyclonedx(text):
    bom = json.loads(text)
    refs = {c["bom-ref"] for c in bom["components"]} | {"project"}
    check(len(refs) == len(bom["components"]) + 1, "a component twice")
    check(all(d["ref"] in refs and set(d["dependsOn"]) <= refs for d in bom["dependencies"]), "dangling dependencies")
    check(all(a["ref"] in refs for v in bom["vulnerabilities"] for a in v["affects"]), "dangling vulnerabilities")
    return {c["purl"]: c for c in bom["components"]}


def look_spdx(text):
    """There is no package with the schema of 2.3: what it requires of every element."""
    doc = json.loads(text)
    ids = {p["SPDXID"] for p in doc["packages"]} | {"SPDXRef-DOCUMENT"}
    check((doc["spdxVersion"], doc["dataLicense"], doc["SPDXID"]) == ("SPDX-2.3", "CC0-1.0", "SPDXRef-DOCUMENT"), doc["spdxVersion"])
    check(doc["documentNamespace"].startswith("urn:uuid:") and "#" not in doc["documentNamespace"], doc["documentNamespace"])
    check(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", doc["creationInfo"]["created"]) and doc["creationInfo"]["creators"], doc["creationInfo"])
    check(len(ids) == len(doc["packages"]) + 1 and all(re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", i) for i in ids), "identifiers")
    for package in doc["packages"]:
        check(package["name"] and package["downloadLocation"] and package["filesAnalyzed"] is False, package)
        check(all(re.fullmatch("SHA512|SHA1|SHA256|SHA384|MD5", c["algorithm"]) and re.fullmatch("[0-9a-f]+", c["checksumValue"])
                  for c in package.get("checksums", [])), package)
    check(all({r["spdxElementId"], r["relatedSpdxElement"]} <= ids for r in doc["relationships"]), "dangling relationships")


def look_junit(text):
    root = xml.etree.ElementTree.fromstring(text)
    check(root.tag == "testsuites", root.tag)
    for suite in root:
        check(int(suite.get("tests")) == len(suite.findall("testcase")), suite.attrib)
        check(int(suite.get("failures")) == len(suite.findall("testcase/failure")), suite.attrib)


def look_gitlab(text):
    issues = json.loads(text)
    check(len({i["fingerprint"] for i in issues}) == len(issues), "fingerprints are not unique")
    for issue in issues:
        check(issue["severity"] in ("info", "minor", "major", "critical", "blocker") and issue["location"]["lines"]["begin"] >= 1, issue)
        check(not issue["location"]["path"].startswith("./") and issue["description"] and issue["check_name"], issue)


def look_gitlab_dependencies(text):
    doc = json.loads(text)
    check(doc["scan"]["type"] == "dependency_scanning" and doc["scan"]["status"] == "success" and doc["version"], doc["scan"])
    for one in doc["vulnerabilities"]:
        check(one["id"] and one["identifiers"] and one["location"]["dependency"]["package"]["name"] and one["location"]["file"], one)
        check(one["severity"] in ("Info", "Unknown", "Low", "Medium", "High", "Critical"), one)


def look_github(text):
    for line in text.splitlines():
        check(re.match(r"::(error|warning|notice) file=[^,:]+,line=[1-9]\d*,title=[^,:]*::", line), line)


def look_markdown(text):
    check(text.startswith("### Bondgate") and "<b>" not in text and not re.search(r"(?<!\\)\]\(javascript", text) and "\u202e" not in text, text)
    rows = [line for line in text.splitlines() if line.startswith("|")]
    check(all(len(re.split(r"(?<!\\)\|", row)) == 9 for row in rows), rows)


def look_openvex(text):
    doc = json.loads(text)
    check(doc["@context"].endswith("v0.2.0") and doc["@id"] and doc["author"] and doc["timestamp"] and doc["version"] == 1, doc)
    for one in doc["statements"]:
        check(one["status"] == "affected" and one["action_statement"] and one["vulnerability"]["name"] and one["products"][0]["@id"], one)


LOOKS = {"json": json.loads, "sarif": look_sarif, "cyclonedx": look_cyclonedx, "spdx": look_spdx, "spdx3": json.loads, "junit": look_junit, "github": look_github,
         "gitlab": look_gitlab, "gitlab-dependencies": look_gitlab_dependencies, "markdown": look_markdown, "openvex": look_openvex}


def look_at_all(folder, schemas, *paths, cwd=None):
    files = {kind: os.path.join(folder, kind + ".report") for kind in LOOKS}
    outputs = [word for kind, path in files.items() for word in ("--output", f"{kind}={path}")]
    scan(cwd or folder, *paths, "--quiet", *outputs)
    for kind, look in LOOKS.items():
        with open(files[kind], encoding="utf-8") as text:
            content = text.read()
        check(content, f"{kind}: empty")
        look(content)
        if schemas and kind in ("sarif", "cyclonedx", "spdx3", "json"):
            validate(kind, content, folder)


def small(folder, schemas):
    project = os.path.join(folder, "a b#%,:é")
    os.makedirs(project)
    with open(os.path.join(project, "package-lock.json"), "w", encoding="utf-8") as out:
        json.dump(LOCK, out, indent=1)
    with open(os.path.join(folder, "osv.json"), "w", encoding="utf-8") as out:
        json.dump(ADVISORIES, out)
    look_at_all(folder, schemas, ".", "--advisories", "osv.json")
    components = look_cyclonedx(scan(folder, ".", "--advisories", "osv.json", "--format", "cyclonedx"))
    top, odd = components["pkg:npm/top@1.0.0"], components["pkg:npm/%40s/odd@1.0.0-a%2Bb"]
    check(top["hashes"] == [{"alg": "SHA-512", "content": "0" * 127 + "1"}] and top["licenses"] == [{"license": {"id": "MIT"}}], top)
    check((odd["group"], odd["name"], odd["hashes"][0]["alg"]) == ("@s", "odd", "SHA-1"), odd)
    check(components["pkg:npm/bad@1.0.1"]["licenses"] == [{"expression": "(MIT OR Apache-2.0)"}], components)
    tool = next(c for p, c in components.items() if "tool" in p)
    check(tool["scope"] == "excluded" and tool["licenses"] == [{"license": {"name": "SEE LICENSE IN x"}}], tool)
    first = json.loads(scan(folder, ".", "--advisories", "osv.json", "--json", "--at", "2026-06-01"))
    check(first["findings"][0]["id"] == "MAL-2026-1", first["findings"][0])
    again = scan(folder, ".", "--advisories", "osv.json", "--format", "spdx3", "--at", "2026-06-01")
    check(again == scan(folder, ".", "--advisories", "osv.json", "--format", "spdx3", "--at", "2026-06-01"), "the same twice is not the same")


def main():
    schemas = fetch_schemas()
    if not schemas:
        skipped.append("the schemas of SARIF, CycloneDX and SPDX 3: npm cannot fetch them")
    with tempfile.TemporaryDirectory() as folder:
        small(folder, schemas)
    if os.path.exists(os.path.join(DATA, "lockfiles")):
        with tempfile.TemporaryDirectory() as folder:
            look_at_all(folder, schemas, *REAL, cwd=os.path.join(DATA, "lockfiles"))
    else:
        skipped.append(f"real lockfiles: no {DATA} (set BONDGATE_DATA)")
    for line in skipped:
        print("skipped:", line)
    for failure in failures:
        print("FAIL", failure)
    return 1 if failures else 0


sys.exit(main())
