"""What the gate_*.py tests share: the client tests' harness, a runner, and upstreams that answer by raw bytes."""
import concurrent.futures
import contextlib
import http.client
import os
import socket
import sqlite3
import sys
import threading
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "clients"))

import harness                                                              # noqa: E402
from harness import Skip, binary, contains, equal, lacks, ok, policy, wait_until   # noqa: E402,F401 (tests take them from here)
from fake import FakeRegistry, hashes, iso, make_tarball                    # noqa: E402,F401

SOAK = os.environ.get("BONDGATE_SOAK") == "1"
DAY = 86400
USEC = 1000000


# --- the runner ---

def attempt(function):
    """(verdict, text)"""
    case = harness.Case(function.__name__, harness.Shared())
    verdict, text = "pass", ""
    try:
        function(case)
    except Skip as e:
        verdict, text = "skip", str(e)
    except Exception:   # pylint: disable=broad-except
        verdict, text = "FAIL", traceback.format_exc() + case.story()
    for failure in case.close():
        verdict, text = "FAIL", text + "\nwhile clearing away: %s" % failure
    return verdict, text


def main(module, jobs=4):
    """Runs every test_ function of a module whose name contains one of the words of the command line; a line each, and a sum."""
    wanted = sys.argv[1:]
    tests = [f for name, f in vars(module).items() if name.startswith("test_") and (not wanted or any(w in name for w in wanted))]
    counts = {"pass": 0, "FAIL": 0, "skip": 0}
    lock = threading.Lock()

    def run(function):
        started = time.monotonic()
        verdict, text = attempt(function)
        with lock:
            counts[verdict] += 1
            print("%s %s (%.1f s)%s" % (verdict, function.__name__[5:], time.monotonic() - started, "" if verdict == "pass" else ": " + text),
                  flush=True)

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        list(pool.map(run, tests))
    print("%d passed, %d failed, %d skipped" % (counts["pass"], counts["FAIL"], counts["skip"]))
    sys.exit(1 if counts["FAIL"] else 0)


# --- upstreams that answer by raw bytes ---

def raw_answer(handler, head, pieces=()):
    """Writes bytes as they are and closes the connection, without what http.server would add."""
    handler.close_connection = True
    handler.wfile.write(head.replace("\n", "\r\n").encode())
    for piece in pieces:
        handler.wfile.write(piece)
    with contextlib.suppress(OSError):
        handler.wfile.flush()
        handler.connection.shutdown(socket.SHUT_RDWR)
    return True


def hook_on(fake, part, answer):
    """answer(handler) in place of the registry's own for every path that contains `part`."""
    before = fake.hook

    def hook(handler):
        if part in handler.path:
            return answer(handler)
        return before(handler) if before else False
    fake.hook = hook


# --- the state folder, from outside ---

@contextlib.contextmanager
def store(gate):
    """The store's database, of a gate that does not run."""
    db = sqlite3.connect(os.path.join(gate.state, "bondgate.db"))
    try:
        yield db
        db.commit()
    finally:
        db.close()


def temporaries(gate):
    """Unfinished files below the cache."""
    found = []
    for folder, _, names in os.walk(os.path.join(gate.state, "cache")):
        if os.path.basename(folder) == "tmp":
            found += names
    return found


def blobs(gate, kind="blobs"):
    """The artifacts in the cache; kind="quarantine": those kept for inspection."""
    found = []
    for folder, _, names in os.walk(os.path.join(gate.state, "cache", kind)):
        found += [os.path.join(folder, name) for name in names]
    return found


def tarball(name, version):
    return "/%s/-/%s-%s.tgz" % (name, name.split("/")[-1], version)


def fetch(gate, name, version, timeout=60):
    """An Answer, or None when the transfer was cut so that no client takes it for whole."""
    try:
        return gate.get(tarball(name, version), timeout=timeout)
    except (http.client.HTTPException, ConnectionError):
        return None


def sentence(answer, status):
    """A failure that explains itself, in its body and in its reason phrase."""
    equal(answer.status, status, answer)
    text = answer.json()["error"]
    ok(len(text) > 15 and " " in text, answer)
    return text


def rss(gate, what="VmRSS"):
    """Bytes of resident memory; VmHWM: the most so far."""
    with open("/proc/%d/status" % gate.child.pid, encoding="ascii") as f:
        for line in f:
            if line.startswith(what + ":"):
                return int(line.split()[1]) * 1024
    raise AssertionError("no " + what)


def metric(gate, name):
    for line in gate.get("/-/metrics").body.decode().splitlines():
        if line.startswith(name) and line[len(name):len(name) + 1] in ("{", " "):
            return float(line.rsplit(" ", 1)[1])
    raise AssertionError("no metric " + name)
