#!/usr/bin/env python3
"""The files of packaging/ are sound: the sample policy loads without a warning, also with its samples in force, and systemd finds no
fault with the unit. Arguments: the bondgate binary."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

PACKAGING = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "packaging")


def run(*command, **options):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, **options)


def check_policy(bondgate, path):
    done = run(bondgate, "policy", "check", path)
    if done.returncode != 0 or "warning" in done.stdout:
        return f"policy check exits {done.returncode}: {done.stdout.strip()}"
    return None


def the_sample_policy_loads(bondgate, _):
    return check_policy(bondgate, os.path.join(PACKAGING, "bondgate.default.yaml"))


def what_it_shows_behind_a_hash_loads_too(bondgate, folder):
    path = os.path.join(folder, "bondgate.yaml")
    with open(os.path.join(PACKAGING, "bondgate.default.yaml"), encoding="utf-8") as sample, open(path, "w", encoding="utf-8") as out:
        # A sample has no blank behind its #; a sentence has.
        out.write(re.sub(r"(?m)^(\s*)#(?=\S| {2})", r"\1", sample.read()).replace("2026-12-31", "__END__"))
    with open(path, encoding="utf-8") as written:
        text = written.read()
    end = run("date", "-u", "-d", "+30 days", "+%Y-%m-%d").stdout.strip()
    with open(path, "w", encoding="utf-8") as out:
        out.write(text.replace("__END__", end))
    if "\nexemptions:" not in text or "\n  tls:" not in text:
        return "the samples were not found"
    return check_policy(bondgate, path)


def the_shipped_policies_load_and_default_changes_nothing(bondgate, folder):
    """As a user would: print it, check the copy, compare it with what holds without any file."""
    environment = {**os.environ, "BONDGATE_POLICY": ""}
    for name, difference in (("default", 0), ("strict", 1)):
        path = os.path.join(folder, name + ".yaml")
        with open(path, "w", encoding="utf-8") as out:
            out.write(run(bondgate, "policy", "shipped", name).stdout)
        problem = check_policy(bondgate, path)
        if problem:
            return problem
        with open(os.path.join(folder, "base.yaml"), "w", encoding="utf-8") as base:
            base.write("version: 1\n")
        done = run(bondgate, "policy", "diff", os.path.join(folder, "base.yaml"), path, env=environment)
        if done.returncode != difference:
            return f"policy diff of {name} exits {done.returncode}: {done.stdout}"
    if run(bondgate, "policy", "shipped", "lax").returncode != 2:
        return "a policy that is not shipped is not refused"
    return None


def systemd_finds_no_fault(bondgate, folder):
    if not shutil.which("systemd-analyze"):
        print("skipped: systemd-analyze is not installed")
        return None
    with open(os.path.join(PACKAGING, "bondgate.service"), encoding="utf-8") as unit:
        text = unit.read().replace("/usr/bin/bondgate", bondgate)
    path = os.path.join(folder, "bondgate.service")
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)
    done = run("systemd-analyze", "verify", path)
    faults = [line for line in done.stdout.splitlines() if "bondgate.service" in line]
    return "\n".join(faults) or None


def main():
    bondgate = os.path.abspath(sys.argv[1])
    failed = 0
    tests = [the_sample_policy_loads, what_it_shows_behind_a_hash_loads_too, the_shipped_policies_load_and_default_changes_nothing,
             systemd_finds_no_fault]
    for test in tests:
        with tempfile.TemporaryDirectory() as folder:
            problem = test(bondgate, folder)
        if problem:
            failed += 1
            print(f"FAILED {test.__name__}: {problem}")
    print(f"{len(tests) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
