"""What a gate must not lose: saved beside it while it works, proved before it is put back, whole after any interruption."""
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import tarfile
import threading
import time

from harness import Skip, binary, contains, equal, lacks, ok, policy, wait_until

KEPT = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "data", "store_schema_1.sql")


def run(*arguments, **options):
    done = subprocess.run([binary()] + list(arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False, timeout=120, **options)
    if "Sanitizer" in done.stderr or "runtime error" in done.stderr:
        raise AssertionError(done.stderr[-4000:])
    return done.returncode, done.stdout, done.stderr


def good(*arguments):
    code, out, errors = run(*arguments)
    equal(code, 0, out, errors)
    return json.loads(out) if "--json" in arguments else out


def refused(*arguments):
    code, out, errors = run(*arguments)
    equal(code, 3, out, errors)
    return errors


def verify(state):
    code, out, errors = run("log", "verify", "--json", "--state", state)
    equal(code, 0, out, errors)
    return json.loads(out)


def tables(state, *names):
    database = sqlite3.connect(os.path.join(state, "bondgate.db"))
    found = {n: database.execute("select * from %s order by 1, 2" % n).fetchall() for n in names}
    database.close()
    return found


def gate_with_history(t):
    fake = t.fake().lab()
    gate = t.gate(policy(fake.url))
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        gate.get("/lab-a/-/lab-a-%s.tgz" % version)
    # The start and one record each; that of a refusal is durable a moment after its answer.
    wait_until(lambda: verify(gate.state)["last"] >= 4, "the records are durable")
    return fake, gate


def test_a_restore_keeps_pins_snapshots_and_evidence(t):
    fake, gate = gate_with_history(t)
    file = os.path.join(t.folder, "saved.tar")
    said = good("backup", file, "--state", gate.state, "--policy", gate.policy_file, "--json")
    equal((said["file"], said["whole"]), (file, True))
    equal(os.stat(file).st_mode & 0o777, 0o600)
    gate.stop()
    before = verify(gate.state)
    kept = tables(gate.state, "version", "package", "tag", "facts")
    other = os.path.join(t.folder, "restored")
    back = good("restore", file, "--state", other, "--json")
    equal(back["last_hash"], said["last_hash"])
    after = verify(other)
    equal((after["first"], after["last"]), (1, said["last"] + 1))   # and the record of the restore itself
    equal(tables(other, "version", "package", "tag", "facts"), kept)
    ok(before["last"] >= said["last"], before)
    with open(os.path.join(other, "restored-policy", "1-bondgate.yaml"), encoding="utf-8") as f:
        contains(f.read(), "cooldown")
    # The pin still works: the same version with other bytes is an incident and not an update.
    fake.republish("lab-a", "1.1.0")
    again = t.gate(policy(fake.url), state=other)
    equal(again.get("/lab-a/-/lab-a-1.1.0.tgz").status, 403)
    contains(again.explain("npm:lab-a@1.1.0")["reasons"][0]["code"], "hash-changed")
    contains(json.dumps(again.log()), "state restored")


def test_a_backup_beside_a_busy_gate_is_whole(t):
    fake, gate = gate_with_history(t)
    stop = threading.Event()

    def load():
        while not stop.is_set():
            gate.get("/lab-a/-/lab-a-1.1.0.tgz")

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        folder = os.path.join(t.folder, "many")
        os.makedirs(folder)
        seen = []
        for n in range(5):
            file = os.path.join(folder, "b%d.tar" % n)
            seen.append(good("backup", file, "--state", gate.state, "--json")["last"])
            good("restore", file, "--check", "--state", os.path.join(t.folder, "none"))
        ok(seen == sorted(seen) and seen[0] < seen[-1], seen)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    ok(not os.path.exists(os.path.join(t.folder, "none")), "--check restores nothing")
    # A folder as the target gets a file each time, and nothing half-made stays.
    good("backup", folder, "--state", gate.state)
    equal(len(os.listdir(folder)), 6, os.listdir(folder))
    contains(refused("backup", os.path.join(folder, "b0.tar"), "--state", gate.state), "exists already")


def test_the_cache_comes_only_on_request(t):
    _, gate = gate_with_history(t)
    small, large = os.path.join(t.folder, "s.tar"), os.path.join(t.folder, "l.tar")
    good("backup", small, "--state", gate.state)
    good("backup", large, "--with-cache", "--state", gate.state)
    with tarfile.open(small) as tar:
        ok(not [n for n in tar.getnames() if "/cache/" in n], tar.getnames())
    with tarfile.open(large) as tar:
        ok([n for n in tar.getnames() if "/cache/" in n], tar.getnames())
    good("restore", large, "--state", os.path.join(t.folder, "back"))
    ok(os.listdir(os.path.join(t.folder, "back", "cache")))


def test_a_state_that_is_there_is_not_replaced_without_force(t):
    _, gate = gate_with_history(t)
    file = os.path.join(t.folder, "saved.tar")
    good("backup", file, "--state", gate.state)
    contains(refused("restore", file, "--state", gate.state), "not empty", "--force")
    contains(refused("restore", file, "--force", "--state", gate.state), "a gate is running")
    gate.stop()
    said = good("restore", file, "--force", "--json", "--state", gate.state)
    ok(os.path.exists(os.path.join(said["former"], "bondgate.db")), said)
    verify(gate.state)
    verify(said["former"])


def test_a_state_that_is_a_mount_point_is_left_as_it_is(t):
    """The folder cannot be exchanged there, as where it is a container's volume: that is said, and one below it will do."""
    _, gate = gate_with_history(t)
    file, place = os.path.join(t.folder, "saved.tar"), os.path.join(t.folder, "volume")
    good("backup", file, "--state", gate.state)
    os.mkdir(place)
    script = ('mount -t tmpfs none "$1" && echo mounted; shift; "$0" restore "$2" --state "$1"; echo "exit $?"; ls -A "$1" "$3"; '
              'echo old >"$1/old"; "$0" restore "$2" --force --state "$1"; echo "exit $?"; ls -A "$1" "$3"; '
              '"$0" restore "$2" --state "$1/below"; echo "exit $?"; "$0" log verify --state "$1/below"; echo "exit $?"')
    done = subprocess.run(["unshare", "--mount", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"]), "sh", "-c", script, binary(), place, place,
                           file, t.folder], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=120)
    if not done.stdout.startswith("mounted"):
        raise Skip("nothing can be mounted here: " + done.stdout.strip()[:100])
    first, second, third, verified, _ = done.stdout.split("exit ")
    contains(first, "it is a mount point: restore into a folder below it")
    contains(second, "3\n", "it is a mount point")
    contains(third, "3\n", "old", "restored to")
    contains(verified, "0\n")
    ok(done.stdout.endswith("exit 0\n"), done.stdout)
    lacks(done.stdout, ".bondgate-restore-", "volume.before-")


def damage(file, to, change):
    with open(file, "rb") as f:
        data = bytearray(f.read())
    changed = change(data)
    data = data if changed is None else changed
    with open(to, "wb") as f:
        f.write(data)


def test_a_truncated_or_tampered_backup_is_refused_and_replaces_nothing(t):
    _, gate = gate_with_history(t)
    file, bad = os.path.join(t.folder, "saved.tar"), os.path.join(t.folder, "bad.tar")
    good("backup", file, "--state", gate.state)
    gate.stop()
    state = os.path.join(t.folder, "target")
    good("restore", file, "--state", state)
    size, last = os.path.getsize(file), verify(state)["last_hash"]
    content = sorted(os.listdir(t.folder))

    def flip(at):
        def change(data):
            data[at] ^= 0x20
        return change

    with tarfile.open(file) as tar:
        manifest = tar.getmember("manifest.json")
    cuts = [0, 100, 512, 5000, size // 2, manifest.offset - 1, manifest.offset, manifest.offset + 100, manifest.offset_data + 5]
    flips = [600, 4096, size // 3, size // 2, manifest.offset + 3, manifest.offset_data + 2, manifest.offset_data + manifest.size - 40]
    for change in [lambda d, n=n: d[:n] for n in cuts] + [flip(n) for n in flips]:
        damage(file, bad, change)
        contains(refused("restore", bad, "--force", "--state", state), "bad.tar")
        equal(verify(state)["last_hash"], last)
    os.remove(bad)
    equal(sorted(os.listdir(t.folder)), content)
    # Somebody who makes the sums right again, but has edited the evidence.
    forged = forge(t, file)
    contains(refused("restore", forged, "--state", os.path.join(t.folder, "fresh")), "broken at record 2")
    ok(not os.path.exists(os.path.join(t.folder, "fresh")))
    contains(good("restore", forged, "--force", "--state", os.path.join(t.folder, "fresh")), "BROKEN")


def forge(t, file):
    import hashlib
    folder = os.path.join(t.folder, "forging")
    with tarfile.open(file) as tar:
        tar.extractall(folder)
        names = [n for n in tar.getnames() if n != "manifest.json"]
    database = sqlite3.connect(os.path.join(folder, "state", "bondgate.db"))
    database.execute("update evidence set client = '192.0.2.1' where seq = 2")
    database.commit()
    database.close()
    with open(os.path.join(folder, "manifest.json"), encoding="utf-8") as f:
        manifest = json.load(f)
    for member in manifest["members"]:
        with open(os.path.join(folder, member["path"]), "rb") as f:
            data = f.read()
        member.update(size=len(data), sha256=hashlib.sha256(data).hexdigest())
    with open(os.path.join(folder, "manifest.json"), "w", encoding="utf-8") as f:
        json.dump(manifest, f)
    out = os.path.join(t.folder, "forged.tar")
    with tarfile.open(out, "w") as tar:
        for name in names + ["manifest.json"]:
            tar.add(os.path.join(folder, name), name)
    shutil.rmtree(folder)
    return out


def test_names_in_a_backup_lead_nowhere_else(t):
    for name in ("../evil", "/etc/evil", "state/../../evil", "other/evil"):
        bad = os.path.join(t.folder, "evil.tar")
        with tarfile.open(bad, "w") as tar:
            info = tarfile.TarInfo(name)
            info.size = 0
            tar.addfile(info)
        contains(refused("restore", bad, "--state", os.path.join(t.folder, "x")), "damaged or no backup")
    ok(not os.path.exists(os.path.join(t.folder, "x")))


def killed(arguments, after):
    child = subprocess.Popen([binary()] + arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        child.wait(after)
    except subprocess.TimeoutExpired:
        child.send_signal(signal.SIGKILL)
        child.wait()
    return child.returncode


def test_kill_9_leaves_the_old_or_the_new(t):
    _, gate = gate_with_history(t)
    for _ in range(300):
        gate.get("/lab-a/-/lab-a-1.1.0.tgz")
    base = os.path.join(t.folder, "whole.tar")
    good("backup", base, "--state", gate.state)
    started = time.monotonic()
    good("restore", base, "--check", "--state", os.path.join(t.folder, "none"))
    span = time.monotonic() - started
    interrupted = 0
    for n in range(12):
        file = os.path.join(t.folder, "k%d.tar" % n)
        interrupted += killed(["backup", file, "--state", gate.state], span * (n + 1) / 10) == -signal.SIGKILL
        if os.path.exists(file):
            good("restore", file, "--check", "--state", os.path.join(t.folder, "none"))
    gate.stop()
    ok(interrupted > 2, "the kills came too late", interrupted)
    last, interrupted, replaced = verify(gate.state)["last_hash"], 0, 0
    for n in range(16):
        interrupted += killed(["restore", base, "--force", "--state", gate.state], span * (n + 1) / 10) == -signal.SIGKILL
        now = verify(gate.state)
        replaced += now["last_hash"] != last
        last = now["last_hash"]
    ok(interrupted > 2, "the kills came too late", interrupted)


def test_a_backup_of_an_older_schema_is_brought_up(t):
    import hashlib
    folder = os.path.join(t.folder, "old")
    os.makedirs(folder)
    database = sqlite3.connect(os.path.join(folder, "bondgate.db"))
    with open(KEPT, encoding="utf-8") as f:
        database.executescript(f.read())
    database.close()
    with open(os.path.join(folder, "bondgate.db"), "rb") as f:
        data = f.read()
    manifest = {"format": 1, "made": "2026-11-01T00:00:00Z", "program": "bondgate 0.1.0", "instance": "", "schema": 1,
                "evidence": {"records": 8, "last": 8, "last_hash": "bf9491d25eaa03257f080bf2f7bb7d5f477b6e5014731c48a4d8263c1fc8ded1"},
                "members": [{"path": "state/bondgate.db", "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}]}
    with open(os.path.join(folder, "manifest.json"), "w", encoding="utf-8") as f:
        json.dump(manifest, f)
    file = os.path.join(t.folder, "old.tar")
    with tarfile.open(file, "w") as tar:
        tar.add(os.path.join(folder, "bondgate.db"), "state/bondgate.db")
        tar.add(os.path.join(folder, "manifest.json"), "manifest.json")
    state = os.path.join(t.folder, "new")
    good("restore", file, "--state", state)
    equal(verify(state)["records"], 9)
    equal(json.loads(run("who-has", "npm:lab-a@1.1.0", "--json", "--state", state)[1])["receipts"][0]["client"], "127.0.0.1")
    manifest["schema"] = 999
    with open(os.path.join(folder, "manifest.json"), "w", encoding="utf-8") as f:
        json.dump(manifest, f)
    with tarfile.open(file, "w") as tar:
        tar.add(os.path.join(folder, "bondgate.db"), "state/bondgate.db")
        tar.add(os.path.join(folder, "manifest.json"), "manifest.json")
    contains(refused("restore", file, "--state", os.path.join(t.folder, "newer")), "newer bondgate")
