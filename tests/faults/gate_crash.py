#!/usr/bin/env python3
"""The gate killed in the middle of its work, on full disks and with damaged files: what a client received is in the
evidence, and what is in the evidence and the cache is whole."""
import collections
import contextlib
import os
import random
import subprocess
import sys
import tempfile
import threading
import time

from gate_tools import SOAK, Skip, binary, blobs, contains, equal, fetch, hashes, main, ok, policy, sentence, temporaries, wait_until

ROUNDS = 200 if SOAK else 25


class Load:
    """Clients that ask for packuments and tarballs until the gate dies, and remember what they received whole."""

    def __init__(self, gate, fake, wanted):
        self.gate, self.fake, self.wanted = gate, fake, wanted
        self.received = collections.Counter()
        self.odd = []
        self.ended = False
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.run, args=(i,)) for i in range(6)]
        for thread in self.threads:
            thread.start()

    def run(self, seed):
        rng = random.Random(seed + len(self.wanted))
        while not self.ended:
            name, version = rng.choice(self.wanted[-30:])
            try:
                if rng.random() < 0.4:
                    answer = self.gate.get("/" + name, timeout=10)
                    if answer.status == 200 and version not in answer.json()["versions"]:
                        self.odd.append("%s lacks %s" % (name, version))
                    continue
                answer = fetch(self.gate, name, version, timeout=10)
            except (OSError, ValueError):
                continue
            if answer is None:
                continue
            if answer.status != 200:
                if not self.ended:
                    self.odd.append("%s@%s: %r" % (name, version, answer))
                continue
            with self.lock:
                self.received[name, version] += 1
            if answer.body != self.fake.tarballs[name, "%s-%s.tgz" % (name, version)]:
                self.odd.append("%s@%s came damaged" % (name, version))

    def end(self):
        self.ended = True
        for thread in self.threads:
            thread.join()


def test_kill_9_in_a_loop_loses_nothing_that_was_handed_out(t):
    rng = random.Random(9)
    fake = t.fake()
    wanted = []
    for i in range(10):
        fake.publish("lab-%d" % i, "1.0.0")
        wanted.append(("lab-%d" % i, "1.0.0"))
    gate = t.gate(policy(fake.url, fresh="1s"))
    received = collections.Counter()
    for i in range(ROUNDS):
        equal(temporaries(gate), [], "what the killed process had begun is removed")
        if i % 5 == 4 or SOAK:
            code, out, errors = gate.command("log", "verify")
            equal(code, 0, out, errors)
        for k in range(4):
            name = "round-%d-%d" % (i, k)
            fake.publish(name, "1.0.0", files={"data.bin": os.urandom((5 << 20) if k == 0 else rng.randrange(200, 200000))})
            wanted.append((name, "1.0.0"))
        load = Load(gate, fake, wanted)
        time.sleep(rng.random() * 0.4)
        gate.kill()
        load.end()
        equal(load.odd, [])
        received += load.received
        gate.start()
    receipts = collections.defaultdict(list)
    for record in gate.log():
        if record["kind"] == "receipt":
            receipts[record["purl"]].append(record["hash"])
    for (name, version), count in received.items():
        found = receipts["pkg:npm/%s@%s" % (name, version)]
        ok(len(found) >= count, "%s: %d received, %d receipts" % (name, count, len(found)))
        equal(set(found), {hashes(fake.tarballs[name, "%s-%s.tgz" % (name, version)])["integrity"]})
    for name, version in list(received)[::20]:
        ok(len(gate.who_has("npm:%s@%s" % (name, version))["receipts"]) >= received[name, version])
    ok(sum(received.values()) > 20 * ROUNDS // 5, "only %d were received" % sum(received.values()))
    equal(gate.command("log", "verify")[0], 0)


def test_kill_9_while_starting(t):
    fake = t.fake().lab()
    gate = t.gate(policy(fake.url))
    equal(fetch(gate, "lab-a", "1.1.0").status, 200)
    gate.kill()
    for i in range(ROUNDS // 2):
        child = subprocess.Popen([binary(), "gate", "--state", gate.state, "--policy", gate.policy_file, "--listen", "127.0.0.1:0"],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(i * 0.01)
        child.kill()
        child.wait()
    gate.start()
    equal(fetch(gate, "lab-a", "1.1.0").status, 200)
    equal(gate.command("log", "verify")[0], 0)
    equal(temporaries(gate), [])


def test_damaged_cache_entries_are_not_served(t):
    fake = t.fake().lab()
    fake.publish("lab-large", "1.0.0", files={"data.bin": os.urandom(5 << 20)})
    gate = t.gate(policy(fake.url))
    for damage in (lambda f: f.truncate(os.fstat(f.fileno()).st_size // 2), lambda f: f.truncate(0),
                   lambda f: (f.seek(os.fstat(f.fileno()).st_size // 2), f.write(b"\0" * 64)), lambda f: (f.seek(0, 2), f.write(b"more"))):
        for name, version in (("lab-a", "1.1.0"), ("lab-large", "1.0.0")):
            equal(fetch(gate, name, version).status, 200)
        gate.kill()
        for path in blobs(gate):
            with open(path, "r+b") as f:
                damage(f)
        gate.start()
        for name, version in (("lab-a", "1.1.0"), ("lab-large", "1.0.0")):
            for _ in range(2):
                answer = fetch(gate, name, version)
                if answer is not None and answer.status == 200:
                    equal(answer.body == fake.tarballs[name, "%s-%s.tgz" % (name, version)], True, "damaged bytes were served")
            equal(fetch(gate, name, version).status, 200, "it is fetched again")


def test_damaged_documents_are_read_again(t):
    fake = t.fake().lab()
    gate = t.gate(policy(fake.url, fresh="1h"))
    whole = gate.get("/lab-a").body
    size = os.path.getsize(documents(gate)[0])
    rng = random.Random(4)
    for i in range(ROUNDS // 2):
        gate.kill()
        for path in documents(gate):
            with open(path, "r+b") as f:
                if i % 5 == 0:
                    f.truncate(rng.randrange(size))
                else:
                    f.seek(rng.randrange(size - 4))
                    f.write(rng.randbytes(4))
        gate.start()
        answer = gate.get("/lab-a")
        equal(answer.status, 200)
        equal(answer.body, whole, "round %d: a damaged document was served" % i)


def documents(gate):
    found = []
    for folder, _, names in os.walk(os.path.join(gate.state, "cache", "documents")):
        found += [os.path.join(folder, name) for name in names if name.endswith(".doc")]
    return found


def test_a_damaged_store_is_said_and_not_replaced(t):
    fake = t.fake().lab()
    gate = t.gate(policy(fake.url))
    equal(fetch(gate, "lab-a", "1.1.0").status, 200)
    gate.stop()
    path = os.path.join(gate.state, "bondgate.db")
    with open(path, "r+b") as f:
        whole = f.read()
        f.seek(0)
        f.write(b"\xff" * 8192)
    done = subprocess.run([binary(), "gate", "--state", gate.state, "--policy", gate.policy_file, "--listen", "127.0.0.1:0"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=30, check=False)
    equal(done.returncode, 3, done)
    contains(done.stderr, "store")
    with open(path, "wb") as f:
        f.write(whole)
    gate.start()
    equal(len(gate.who_has("npm:lab-a@1.1.0")["receipts"]), 1)


# --- full disks ---

@contextlib.contextmanager
def small_disk(size="24m"):
    if os.geteuid() != 0:
        raise Skip("mounting a small tmpfs needs root")
    folder = tempfile.mkdtemp(prefix="bondgate-disk-")
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=" + size, "none", folder], stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        os.rmdir(folder)
        raise Skip("no tmpfs can be mounted: " + done.stderr.strip())
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=False)
        with contextlib.suppress(OSError):
            os.rmdir(folder)


def fill(folder):
    """Takes the last byte; returns the path to remove."""
    path = os.path.join(folder, "filler")
    with open(path, "ab", buffering=0) as f:
        for piece in (1 << 20, 4096, 1):
            with contextlib.suppress(OSError):
                while True:
                    f.write(b"\0" * piece)
    return path


def test_on_a_full_disk_artifacts_are_refused_and_metadata_goes_on(t):
    fake = t.fake().lab()
    fake.publish("lab-b", "1.0.0")
    fake.publish("lab-large", "1.0.0", files={"data.bin": os.urandom(6 << 20)})
    with small_disk() as disk:
        gate = t.gate(policy(fake.url), state=os.path.join(disk, "state"))
        try:
            equal(gate.get("/lab-a").status, 200)
            equal(gate.get("/lab-b").status, 200)
            equal(gate.get("/lab-large").status, 200)
            equal(fetch(gate, "lab-a", "1.1.0").status, 200)
            before = len(gate.who_has("npm:lab-a@1.1.0")["receipts"])
            filler = fill(disk)
            refused = 0
            for _ in range(40):   # the store's journal has some room of its own left
                answer = fetch(gate, "lab-a", "1.1.0")
                if answer is not None and answer.status != 200:
                    contains(sentence(answer, 503), "receipt")
                    refused += 1
                else:
                    before += 1
                fill(disk)
            ok(refused >= 20, "cached artifacts need a receipt: %d refused" % refused)
            for name in ("lab-b", "lab-large"):
                answer = fetch(gate, name, "1.0.0")
                ok(answer is None or answer.status >= 500, answer)
                if answer is not None:
                    contains(sentence(answer, answer.status), "room")
            for _ in range(3):
                equal(gate.versions("lab-a"), {"1.0.0", "1.1.0", "2.0.0-beta.1"})
                equal(gate.get("/lab-b").status, 200)
                time.sleep(0.5)
            equal(gate.get("/-/healthz").status, 200)
            equal(gate.get("/-/readyz").status, 503)
            os.unlink(filler)
            wait_until(lambda: gate.get("/-/readyz").status == 200, "it is ready again by itself")
            wait_until(lambda: fetch(gate, "lab-a", "1.1.0").status == 200, "receipts are written again")
            wait_until(lambda: (fetch(gate, "lab-large", "1.0.0") or gate.get("/-/healthz/no")).status == 200, "tarballs are fetched again", 30)
            equal(fetch(gate, "lab-b", "1.0.0").status, 200)
            fake.publish("lab-c", "1.0.0")
            wait_until(lambda: gate.get("/lab-c").status == 200, "new names are fetched again", 30)
            equal(gate.command("log", "verify")[0], 0)
            ok(len(gate.who_has("npm:lab-a@1.1.0")["receipts"]) >= before + 1)
            equal(temporaries(gate), [])
        finally:
            gate.stop()


def test_a_start_on_a_full_disk_says_so(t):
    fake = t.fake().lab()
    with small_disk("4m") as disk:
        filler = fill(disk)
        file = os.path.join(t.path("policy"))
        with open(file, "w", encoding="utf-8") as f:
            f.write(policy(fake.url))
        done = subprocess.run([binary(), "gate", "--state", os.path.join(disk, "state"), "--policy", file, "--listen", "127.0.0.1:0"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=30, check=False)
        equal(done.returncode, 3, done)
        ok("space" in done.stderr or "full" in done.stderr, done.stderr)
        os.unlink(filler)


if __name__ == "__main__":
    main(sys.modules[__name__])
