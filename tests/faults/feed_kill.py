#!/usr/bin/env python3
"""Kills `bondgate feed import` (SIGKILL) 50 times, 200 with BONDGATE_SOAK=1, at any moment: afterwards the index is whole, and it is the old
one or the new one. What was left beside it is no hindrance, and does not pile up."""
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile

BINARY = os.environ["BONDGATE_BINARY"]
KILLS = int(os.environ.get("BONDGATE_KILLS", "200" if os.environ.get("BONDGATE_SOAK") == "1" else "50"))
RECORDS = 400


class Failure(Exception):
    pass


def write_zip(path, generation):
    """Each generation has the same records, newer, and one of its own that names it."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
        for n in range(RECORDS):
            z.writestr("LAB-%d.json" % n, json.dumps({
                "id": "LAB-%d" % n, "modified": "20%02d-01-01T00:00:00Z" % (generation + 10), "summary": "generation %d" % generation,
                "affected": [{"package": {"ecosystem": "npm", "name": "lab-%d" % n},
                              "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "%d.0.0" % generation}]}]}]}))


def bondgate(state, *words):
    return subprocess.run([BINARY, "feed", *words, "--state", state], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60, check=False)


def generations(state):
    """The generations of which there are records, from an index that must be whole."""
    status = bondgate(state, "status", "--json")
    if status.returncode != 0:
        raise Failure("the index cannot be read: " + status.stderr)
    if json.loads(status.stdout)["records"] != RECORDS:
        raise Failure("records are missing: " + status.stdout)
    listed = bondgate(state, "list", "--json")
    return {record["summary"] for record in json.loads(listed.stdout)}


def timed_import(state, path):
    begun = time.monotonic()
    done = bondgate(state, "import", path)
    if done.returncode != 0:
        raise Failure("an import that nobody killed: " + done.stderr)
    return time.monotonic() - begun


def kill_imports(folder, chance):
    state = os.path.join(folder, "state")
    path = os.path.join(folder, "all.zip")
    write_zip(path, 0)
    takes = min(timed_import(state, path) for _ in range(2))
    now, killed, swapped = 0, 0, 0
    write_zip(path, 1)
    while killed < KILLS:
        child = subprocess.Popen([BINARY, "feed", "import", "--state", state, path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(chance.uniform(0, takes))
        child.send_signal(signal.SIGKILL)
        killed += child.wait() == -signal.SIGKILL
        there = generations(state)
        if there == {"generation %d" % (now + 1)}:
            now, swapped = now + 1, swapped + 1
            write_zip(path, now + 1)
        elif there != {"generation %d" % now}:
            raise Failure("the index is a mixture after %d kills: %s" % (killed, there))
        left = [name for name in os.listdir(state) if name not in ("advisories.idx", "advisories.idx.new")]
        if left:
            raise Failure("left behind: %s" % left)
    timed_import(state, path)
    if "advisories.idx.new" in os.listdir(state):
        raise Failure("an import that ended left its file behind")
    print("killed %d times, %d imports were in place by then" % (killed, swapped))


def main():
    seed = int(os.environ.get("BONDGATE_SEED", str(random.randrange(1 << 30))))
    print("seed %d" % seed)
    folder = tempfile.mkdtemp(prefix="bondgate-feed-kill-")
    try:
        kill_imports(folder, random.Random(seed))
    except Failure as failure:
        print("FAILED: %s" % failure)
        print("0 passed, 1 failed")
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print("1 passed, 0 failed")
    return 0


sys.exit(main())
