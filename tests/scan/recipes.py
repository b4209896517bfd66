#!/usr/bin/env python3
"""The recipes of docs/ci: their YAML reads, and the commands in them run in a fresh clone, where a pull request adds a package that is malware."""
import json
import os
import re
import subprocess
import sys
import tempfile

BONDGATE = os.path.abspath(sys.argv[1])
SOURCE = os.environ.get("BONDGATE_SOURCE", os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
failures = []


def check(truth, text):
    if not truth:
        failures.append(text)


def read(name):
    with open(os.path.join(SOURCE, "docs", "ci", name), encoding="utf-8") as text:
        return text.read()


def git(folder, *arguments):
    subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@mail.example", "-c", "init.defaultBranch=main", *arguments], cwd=folder,
                   check=True, capture_output=True)


def lock(*names):
    return json.dumps({"lockfileVersion": 3, "packages": {"": {}, **{f"node_modules/{n}": {"version": "1.0.0"} for n in names}}})


def make_repository(folder):
    """A clone in which `bad` came with the pull request, and `old`, malware as well, was there before."""
    upstream, clone = os.path.join(folder, "upstream"), os.path.join(folder, "clone")
    os.makedirs(upstream)
    git(upstream, "init", "-q", "-b", "main")
    with open(os.path.join(upstream, "package-lock.json"), "w", encoding="utf-8") as out:
        out.write(lock("old"))
    git(upstream, "add", "-A")
    git(upstream, "commit", "-qm", "first")
    git(folder, "clone", "-q", upstream, clone)
    with open(os.path.join(clone, "package-lock.json"), "w", encoding="utf-8") as out:
        out.write(lock("old", "bad"))
    git(clone, "commit", "-qam", "second")
    return clone


def commands():
    """(recipe, shell text, environment of a pull request, the reports that it must leave)"""
    github = re.findall(r"run: \|\n((?: {10}.*\n)+)", read("github-actions.yml"))
    gitlab = re.search(r"script:\n    - (.*)\n", read("gitlab-ci.yml")).group(1)
    azure = re.search(r"script: \|\n((?: {6}.*\n)+)", read("azure-pipelines.yml")).group(1)
    jenkins = re.search(r"sh '''\n(.*?)'''", read("Jenkinsfile"), re.S).group(1)
    hook = re.search(r"entry: (.*)\n", read("pre-commit-hooks.yaml")).group(1)
    yield "github", github[0], {"BASE": "origin/main"}, ["bondgate.sarif", "bondgate.md"]
    yield "github, everything", github[1], None, ["bondgate.sarif", "bondgate.md", "bondgate.cdx.json"]
    yield "gitlab", gitlab, {"BONDGATE_SINCE": "--since=origin/main"}, ["gl-code-quality-report.json", "gl-dependency-scanning-report.json", "bondgate.xml"]
    yield "azure", azure, {"SYSTEM_PULLREQUEST_TARGETBRANCH": "refs/heads/main"}, ["reports/bondgate.sarif", "reports/bondgate.xml"]
    yield "jenkins", jenkins, {"CHANGE_TARGET": "main"}, ["bondgate.xml", "bondgate.sarif"]
    yield "pre-commit", hook.replace("--since HEAD", "--since HEAD~1") + " package-lock.json", {}, []


def main():
    for name in ("github-actions.yml", "gitlab-ci.yml", "azure-pipelines.yml", "pre-commit-hooks.yaml"):
        try:
            import yaml
            check(isinstance(yaml.safe_load(read(name)), dict), f"{name}: not a map")
        except ImportError:
            print(f"skipped: {name} is not parsed (no python3-yaml)")
        except yaml.YAMLError as problem:
            failures.append(f"{name}: {problem}")
    for name, text, environment, reports in commands():
        with tempfile.TemporaryDirectory() as folder:
            clone = make_repository(folder)
            tools = os.path.join(folder, "bin")
            os.makedirs(tools)
            os.symlink(BONDGATE, os.path.join(tools, "bondgate"))
            osv = os.path.join(folder, "osv.json")
            with open(osv, "w", encoding="utf-8") as out:
                json.dump([{"id": f"MAL-2026-{n}", "modified": "2026-01-01T00:00:00Z",
                            "affected": [{"package": {"ecosystem": "npm", "name": n}, "versions": ["1.0.0"]}]} for n in ("old", "bad")], out)
            policy = os.path.join(folder, "policy.yaml")
            with open(policy, "w", encoding="utf-8") as out:
                out.write(f"version: 1\nadvisories:\n  files: [{json.dumps(osv)}]\n")
            done = subprocess.run(["sh", "-e", "-c", text], cwd=clone, capture_output=True, text=True, check=False,
                                  env={"PATH": tools + ":" + os.environ["PATH"], "HOME": folder, "BONDGATE_POLICY": policy, **(environment or {})})
            check(done.returncode == 1, f"{name}: exit {done.returncode}: {done.stdout} {done.stderr}")
            whole = done.stdout + "".join(open(os.path.join(clone, r), encoding="utf-8").read() for r in reports if os.path.exists(os.path.join(clone, r)))
            check("MAL-2026-bad" in whole and ("MAL-2026-old" in whole) == (environment is None), f"{name}: {whole[:600]}")
            check("\x1b" not in done.stdout, f"{name}: colours in a pipe")
            for report in reports:
                check(os.path.getsize(os.path.join(clone, report)) > 0, f"{name}: no {report}")
    for failure in failures:
        print("FAIL", failure)
    return 1 if failures else 0


sys.exit(main())
