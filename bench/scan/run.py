#!/usr/bin/env python3
"""bench/scan/run.py [--rounds N] [--other BONDGATE] [--no-feed] [--no-trivy] BONDGATE [FEED_BENCH]

What a scan costs, listing and matching, beside the limit (`cat` and SHA-256 of the same bytes) and beside Trivy merely listing the same file
without a network: the largest real lockfiles of the data, one joined out of the real ones of pnpm, and a tree of 200. Then the import
of all of data/osv and of 400,000 made records, and the opening of that index. Every round asks all of them by turns; medians and ratios, as
Markdown. Where this may raise its priority it does, for all alike, so that other work on the machine disturbs less. --other: a second build."""
import argparse
import datetime
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from trivy import trivy

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DATA = os.environ.get("BONDGATE_DATA", os.path.join(SOURCE, "..", "shared", "data"))
LOCKFILES = os.path.join(DATA, "lockfiles")
FILES = ["real/facebook__create-react-app/package-lock.json", "real/gatsbyjs__gatsby-starter-blog/package-lock.json",
         "real/withastro__astro/pnpm-lock.yaml", "real/pnpm__pnpm/pnpm-lock.yaml", "real/jestjs__jest/yarn.lock"]
JOINED = ["real/withastro__astro/pnpm-lock.yaml", "real/pnpm__pnpm/pnpm-lock.yaml", "real/angular__angular-cli/pnpm-lock.yaml"]
MANY = 3860


def raised():
    try:
        os.setpriority(os.PRIO_PROCESS, 0, -15)
    except OSError:
        pass


# Spawned, not forked: a copy of this script's address space would be measured with the command.
def once(command):
    null = os.open(os.devnull, os.O_RDWR)
    start = time.monotonic()
    pid = os.posix_spawnp(command[0], command, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, null, n) for n in range(3)])
    _, status, used = os.wait4(pid, 0)
    wall = time.monotonic() - start
    os.close(null)
    if os.waitstatus_to_exitcode(status) not in (0, 1):
        sys.exit("%s: exit %d" % (command, os.waitstatus_to_exitcode(status)))
    return wall * 1000, (used.ru_utime + used.ru_stime) * 1000


# The highest memory of a process counts from before its exec: it is started by a small one of its own, or this script's would be measured.
MEMORY = """import os, sys
null = os.open(os.devnull, os.O_RDWR)
pid = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, null, 1), (os.POSIX_SPAWN_DUP2, null, 2)])
print(os.wait4(pid, 0)[2].ru_maxrss)"""


def memory(command):
    return int(subprocess.run([sys.executable, "-S", "-E", "-c", MEMORY, *command], capture_output=True, text=True, check=True).stdout) / 1024


def by_turns(commands, rounds):
    """{name: (wall ms, CPU ms, MiB, least wall ms)}: medians of so many rounds; the first one, which fills caches, does not count. Trivy, which
    takes the longest by far, is asked in every third round."""
    runs = {name: [] for name in commands}
    for i in range(rounds + 1):
        for name, command in commands.items():
            if name == "trivy" and i % 3 != 1:
                continue
            measured = once(command)
            if i:
                runs[name].append(measured)
    return {name: [statistics.median(column) for column in zip(*of)] + [memory(commands[name]), min(wall for wall, _ in of)] for name, of in runs.items()}


def sections(path):
    """The entries of `packages` and `snapshots` of all documents of a pnpm-lock.yaml, by key, as text."""
    found, section, key = {"packages": {}, "snapshots": {}}, None, None
    with open(path, encoding="utf-8") as text:
        for line in text:
            if line[0] not in " \n":
                section, key = line.rstrip().rstrip(":"), None
            elif section in found and line.startswith("  ") and line[2] not in " \n":
                key = line
                found[section][key] = ""
            elif section in found and key and line.strip():
                found[section][key] += line
    return found


def bare(key):
    return key.strip().rstrip(":").strip("'")


def join_pnpm(out):
    """One lockfile of MANY packages out of the real ones: their entries word for word."""
    packages, snapshots = {}, {}
    for path in JOINED:
        found = sections(os.path.join(LOCKFILES, path))
        packages.update(found["packages"])
        snapshots.update(found["snapshots"])
    written = {bare(key).split("(")[0] for key in snapshots}
    kept = dict([item for item in packages.items() if bare(item[0]) in written][:MANY])
    names = {bare(key) for key in kept}
    snapshots = {key: text for key, text in snapshots.items() if bare(key).split("(")[0] in names}
    # What is still missing are copies of unscoped ones under made names.
    for key in [k for k in kept if k[2] not in "'@"][:MANY - len(kept)]:
        kept["  copy-" + key[2:]] = kept[key]
        snapshots.update({"  copy-" + k[2:]: text for k, text in list(snapshots.items()) if bare(k).split("(")[0] == bare(key)})
    roots = {}
    for key in snapshots:
        name, version = bare(key)[0] + bare(key)[1:].split("@", 1)[0], bare(key)[1:].split("@", 1)[1]
        roots.setdefault(name, version)
    with open(out, "w", encoding="utf-8") as f:
        f.write("lockfileVersion: '9.0'\n\nimporters:\n\n  .:\n    dependencies:\n")
        for name, version in roots.items():
            f.write("      '%s':\n        specifier: '%s'\n        version: '%s'\n" % (name, version.split("(")[0], version))
        for section, entries in (("packages", kept), ("snapshots", snapshots)):
            f.write("\n%s:\n\n" % section + "\n".join(key + text for key, text in entries.items()))


def label(path):
    return path.split("/")[1].split("__")[-1] + ", " + os.path.basename(path)


def packages_of(bondgate, state, path):
    done = subprocess.run([bondgate, "scan", "--json", "--state", state, path], capture_output=True, text=True, check=False)
    answer = json.loads(done.stdout)
    for file in answer["files"]:
        if file.get("error"):
            sys.exit(file["error"])
    return sum(f["packages"] for f in answer["files"]), len(answer["findings"])


def prepare(folder, bondgate, state):
    """[(label, path of the file or tree, folder holding only it)], the tree last."""
    rows = []
    for path in FILES:
        alone = os.path.join(folder, path.split("/")[1])
        os.makedirs(alone)
        rows.append((label(path), shutil.copy(os.path.join(LOCKFILES, path), alone), alone))
    alone = os.path.join(folder, "many")
    os.makedirs(alone)
    join_pnpm(os.path.join(alone, "pnpm-lock.yaml"))
    rows.append(("joined of three, pnpm-lock.yaml", os.path.join(alone, "pnpm-lock.yaml"), alone))
    tree = os.path.join(folder, "tree")
    for i in range(200):
        os.makedirs(os.path.join(tree, str(i)))
        shutil.copy(rows[i % len(FILES)][1], os.path.join(tree, str(i)))
    rows.append(("a tree of 200 of these", tree, tree))
    return [(name, path, alone, *packages_of(bondgate, state, path)) for name, path, alone in rows]


def trivy_command(peer, folder):
    return [peer, "fs", "--quiet", "--format", "cyclonedx", "--offline-scan", "--skip-db-update", "--skip-version-check", folder]


def scans(args, folder, bondgate, state, peer):
    print("| | packages | findings | CPU ms | `cat`, sha256sum | ratio | wall ms, median / least | `cat`, sha256sum | MiB | Trivy CPU ms | wall ms | MiB | Trivy CPU / ours |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    start = {"start": [bondgate, "version"], **({"other": [args.other, "version"]} if args.other else {})}
    for name, (wall, cpu, mem, least) in by_turns(start, args.rounds).items():
        print("| `bondgate version`%s | | | %.1f | | | %.1f / %.1f | | %.1f | | | | |" % (
            " of the other build" if name == "other" else "", cpu, wall, least, mem))
    if peer:
        empty = os.path.join(folder, "empty")
        os.makedirs(empty)
        got = by_turns({"trivy": trivy_command(peer, empty)}, 4)["trivy"]
        print("| Trivy, an empty folder | 0 | | | | | | | | %.0f | %.0f / %.0f | %.0f | |" % (got[1], got[0], got[3], got[2]), flush=True)
    for name, path, alone, packages, findings in prepare(folder, bondgate, state):
        tree = os.path.isdir(path)
        commands = {"ours": [bondgate, "scan", "--json", "--state", state, path],
                    "limit": ["sh", "-c", "find \"$1\" -type f | xargs cat | sha256sum" if tree else "cat \"$1\" | sha256sum", "sh", path]}
        if args.other:
            commands["other"] = [args.other, "scan", "--json", "--state", state, path]
        if peer:
            commands["trivy"] = trivy_command(peer, alone)
        got = by_turns(commands, max(3, args.rounds // 4) if tree else args.rounds)
        ours, limit = got["ours"], got["limit"]
        of_peer = "%.0f | %.0f / %.0f | %.0f | %.1f" % (
            got["trivy"][1], got["trivy"][0], got["trivy"][3], got["trivy"][2], got["trivy"][1] / ours[1]) if peer else "- | - | - | -"
        print("| %s, %.1f MB | %d | %d | %.1f | %.1f | %.2f | %.1f / %.1f | %.1f / %.1f | %.1f | %s |" % (
            name, size_of(path) / 1e6, packages, findings, ours[1], limit[1], ours[1] / limit[1], ours[0], ours[3], limit[0], limit[3], ours[2], of_peer), flush=True)
        if args.other:
            print("| the same, the other build | | | %.1f | | | %.1f | | %.1f | | | | |" % (got["other"][1], got["other"][0], got["other"][2]))


def size_of(path):
    if os.path.isfile(path):
        return os.path.getsize(path)
    return sum(os.path.getsize(os.path.join(at, name)) for at, _, names in os.walk(path) for name in names)


def main():
    raised()
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--other", help="another build, measured beside")
    parser.add_argument("--no-feed", action="store_true", help="scans only")
    parser.add_argument("--no-trivy", action="store_true", help="us and the limit only: on a busy machine Trivy needs a quarter of an hour")
    parser.add_argument("bondgate")
    parser.add_argument("feed_bench", nargs="?")
    args = parser.parse_args()
    bondgate = os.path.abspath(args.bondgate)
    archives = [os.path.join(DATA, "osv", name) for name in ("npm.zip", "nuget.zip")]
    if not os.path.exists(archives[0]):
        sys.exit("bench/scan: no advisories in %s (set BONDGATE_DATA)" % DATA)
    peer, why = (None, "as asked") if args.no_trivy else trivy(SOURCE)
    commit = subprocess.run(["git", "-C", SOURCE, "describe", "--always", "--dirty"], capture_output=True, text=True, check=False).stdout.strip()
    print("%s, %d processors, load %.1f at the start, %d rounds, commit %s%s\n" % (
        datetime.date.today(), os.cpu_count(), os.getloadavg()[0], args.rounds, commit, "" if peer else "; Trivy skipped: " + why), flush=True)
    with tempfile.TemporaryDirectory(prefix="bondgate-bench-") as folder:
        state = os.path.join(folder, "state")
        subprocess.run([bondgate, "feed", "import", "--quiet", "--state", state, *archives], check=True)
        scans(args, folder, bondgate, state, peer)
    if args.feed_bench and not args.no_feed:
        print("", flush=True)
        subprocess.run(["python3", os.path.join(SOURCE, "bench", "feed", "run.py"), bondgate, args.feed_bench, os.path.join(DATA, "osv")], check=True)


if __name__ == "__main__":
    main()
