"""Feeds by URL: fetched when they changed, only with the right signature, by a command and by the gate itself; bundles carried by hand."""
import hashlib
import http.server
import json
import os
import socketserver
import subprocess
import sys
import threading
import zipfile

from gate_tools import binary, equal, main, ok, policy, wait_until

WITHIN = 20


def record(identifier, **more):
    value = {"id": identifier, "modified": "2024-01-01T00:00:00Z", "summary": "bad",
             "affected": [{"package": {"ecosystem": "npm", "name": more.pop("package", "lab-a")}, "versions": more.pop("versions", ["1.0.0"])}]}
    value.update(more)
    return value


def zipped(path, *records):
    with zipfile.ZipFile(path, "w") as z:
        for r in records:
            z.writestr(r["id"] + ".json", json.dumps(r))
    with open(path, "rb") as f:
        return f.read()


class Server:
    """Files with an ETag each; counts what it was asked and how it answered."""

    def __init__(self):
        self.files, self.log, self.status = {}, [], None
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                body = outer.files.get(self.path)
                etag = '"%s"' % hashlib.sha256(body or b"").hexdigest()[:16]
                code = outer.status or (404 if body is None else 304 if self.headers.get("If-None-Match") == etag else 200)
                outer.log.append((self.path, code, self.headers.get("Authorization")))
                self.send_response(code)
                if body is not None:
                    self.send_header("ETag", etag)
                sent = body if code == 200 else b""
                if code != 304:
                    self.send_header("Content-Length", str(len(sent)))
                self.end_headers()
                self.wfile.write(sent)

            def log_message(self, *args):
                pass

        class Threaded(socketserver.ThreadingMixIn, http.server.HTTPServer):
            daemon_threads = True
        self.http = Threaded(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d" % self.http.server_port
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def codes(self, path):
        return [c for p, c, _ in self.log if p == path]


def run(state, *words, **more):
    done = subprocess.run([binary(), *words, "--state", state], capture_output=True, text=True, timeout=120, **more)
    return done.returncode, done.stdout + done.stderr


def ids(state):
    code, text = run(state, "feed", "list", "--json")
    return sorted(a["id"] for a in json.loads(text)) if code == 0 else []


def keys(t, name):
    path = t.path(name)
    done = subprocess.run([binary(), "keys", "generate", path], capture_output=True, text=True, timeout=60)
    equal(done.returncode, 0, done)
    return path + ".key", path + ".pub"


def sign(t, key, data):
    path = t.path("to-sign")
    with open(path, "wb") as f:
        f.write(data)
    done = subprocess.run([binary(), "keys", "sign", path, "--key", key], capture_output=True, text=True, timeout=60)
    equal(done.returncode, 0, done)
    with open(path + ".minisig", "rb") as f:
        return f.read()


def test_a_url_is_imported_and_asked_for_again_only_when_it_changed(t):
    server, state = Server(), t.path("state")
    server.files["/all.zip"] = zipped(t.path("a.zip"), record("MAL-1"))
    code, text = run(state, "feed", "import", server.url + "/all.zip")
    equal(code, 0, text)
    equal(ids(state), ["MAL-1"])
    code, text = run(state, "feed", "import", server.url + "/all.zip")
    equal(code, 0, text)
    equal(server.codes("/all.zip"), [200, 304])
    server.files["/all.zip"] = zipped(t.path("b.zip"), record("MAL-1"), record("MAL-2"))
    equal(run(state, "feed", "import", server.url + "/all.zip")[0], 0)
    equal(server.codes("/all.zip"), [200, 304, 200])
    equal(ids(state), ["MAL-1", "MAL-2"])


def test_a_url_that_fails_leaves_the_index_as_it_is(t):
    server, state = Server(), t.path("state")
    server.files["/all.zip"] = zipped(t.path("a.zip"), record("MAL-1"))
    equal(run(state, "feed", "import", server.url + "/all.zip")[0], 0)
    server.status = 500
    code, text = run(state, "feed", "import", server.url + "/all.zip")
    equal(code, 3, text)
    ok("500" in text and server.url in text, text)
    server.status = None
    server.files["/all.zip"] = b"PK\x03\x04 no zip at all"
    code, text = run(state, "feed", "import", server.url + "/all.zip")
    equal(code, 3, text)
    equal(ids(state), ["MAL-1"])
    code, text = run(state, "feed", "import", "http://127.0.0.1:1/all.zip")
    equal(code, 3, text)
    equal(ids(state), ["MAL-1"])


def test_a_bundle_goes_from_machine_to_machine(t):
    here, there = t.path("here"), t.path("there")
    secret, public = keys(t, "publisher")
    _, other = keys(t, "other")
    source = t.path("a.zip")
    zipped(source, record("MAL-1"), record("GHSA-1", package="lab-b"), record("GHSA-2", withdrawn="2024-02-02T00:00:00Z"))
    equal(run(here, "feed", "import", "--source", "osv", "--priority", "7", source)[0], 0)
    bundle = t.path("advisories.bundle")
    code, text = run(here, "feed", "bundle", bundle, "--sign", secret)
    equal(code, 0, text)
    code, text = run(there, "feed", "import", bundle)
    equal(code, 3, text)
    ok("--key" in text and "--unsigned" in text, text)
    code, text = run(there, "feed", "import", bundle, "--key", other)
    equal(code, 3, text)
    code, text = run(there, "feed", "import", bundle, "--key", public)
    equal(code, 0, text)
    equal(ids(there), ids(here))
    status = json.loads(run(there, "feed", "status", "--json")[1])
    equal([(s["name"], s["priority"]) for s in status["sources"]], [("osv", 7)])
    # What is there and newer stays; what is new comes; a second import changes nothing.
    zipped(source, record("MAL-1", modified="2025-01-01T00:00:00Z", summary="worse"), record("MAL-9"))
    equal(run(there, "feed", "import", "--priority", "7", source)[0], 0)
    code, text = run(there, "feed", "import", bundle, "--key", public, "--json")
    equal(code, 0, text)
    counts = json.loads(text)
    equal((counts["added"], counts["updated"], counts["older"]), (0, 0, 1), counts)
    ok("MAL-9" in ids(there))
    # A changed byte is seen by the signature, and without it by the index's own sums.
    with open(bundle, "r+b") as f:
        f.seek(-40, os.SEEK_END)
        byte = f.read(1)
        f.seek(-40, os.SEEK_END)
        f.write(bytes([byte[0] ^ 1]))
    code, text = run(there, "feed", "import", bundle, "--key", public)
    equal(code, 3, text)
    code, text = run(there, "feed", "import", bundle, "--unsigned")
    equal(code, 3, text)


def test_refresh_takes_the_policys_feeds_and_only_with_their_signature(t):
    server, state = Server(), t.path("state")
    secret, public = keys(t, "publisher")
    with open(public) as f:
        line = f.read().split("\n")[1]
    server.files["/ours.zip"] = zipped(t.path("a.zip"), record("MAL-1"))
    policy = t.path("policy.yaml")
    with open(policy, "w") as f:
        f.write("version: 1\nadvisories:\n  feeds:\n    - {name: ours, url: \"%s/ours.zip\", every: 1h, key: \"%s\"}\n" % (server.url, line))
    code, text = run(state, "feed", "refresh", "--policy", policy)
    equal(code, 3, text)
    ok("minisig" in text and "ours" in text, text)
    equal(ids(state), [])
    server.files["/ours.zip.minisig"] = sign(t, secret, b"other bytes")
    code, text = run(state, "feed", "refresh", "--policy", policy)
    equal(code, 3, text)
    equal(ids(state), [])
    server.files["/ours.zip.minisig"] = sign(t, secret, server.files["/ours.zip"])
    code, text = run(state, "feed", "refresh", "--policy", policy)
    equal(code, 0, text)
    equal(ids(state), ["MAL-1"])
    code, text = run(state, "feed", "refresh", "--policy", policy)
    equal(code, 0, text)
    ok("unchanged" in text, text)
    code, text = run(state, "feed", "refresh", "nobody", "--policy", policy)
    equal(code, 2, text)


def test_status_tells_how_the_policys_feeds_fare(t):
    server, state, policy = Server(), t.path("state"), t.path("policy.yaml")
    server.files["/ours.zip"] = zipped(t.path("a.zip"), record("MAL-1"))
    with open(policy, "w") as f:
        f.write("version: 1\nadvisories:\n  feeds:\n    - {name: ours, url: \"%s/ours.zip\", every: 1h, priority: 3}\n"
                "    - {name: gone, url: \"%s/gone.zip\", every: 36h}\n" % (server.url, server.url))

    def status():
        done = subprocess.run([binary(), "feed", "status", "--json", "--state", state, "--policy", policy], capture_output=True, text=True, timeout=60)
        answer = json.loads(done.stdout)
        return done.returncode, answer, {f["name"]: f for f in answer["feeds"]}
    # Before anything was fetched there is no index, and the feeds are told all the same.
    code, answer, feeds = status()
    equal((code, "records" in answer, sorted(feeds)), (3, False, ["gone", "ours"]))
    equal((feeds["ours"]["url"], feeds["ours"]["priority"], feeds["ours"]["every"], feeds["gone"]["every"]), (server.url + "/ours.zip", 3, 3600, 129600))
    equal([feeds["ours"].get(k) for k in ("checked", "changed", "imported", "error")], [None] * 4)
    equal(run(state, "feed", "refresh", "--policy", policy)[0], 3)
    code, answer, feeds = status()
    equal((code, answer["records"]), (0, 1), answer)
    ok(feeds["ours"]["checked"] and feeds["ours"]["changed"] and feeds["ours"]["imported"] and not feeds["ours"].get("error"), feeds)
    equal(feeds["ours"]["bytes"], len(server.files["/ours.zip"]))
    ok("404" in feeds["gone"]["error"] and feeds["gone"]["checked"] and not feeds["gone"].get("imported"), feeds)
    # Unchanged: asked later, changed as before. Broken: what was imported stays known.
    equal(run(state, "feed", "refresh", "ours", "--policy", policy)[0], 0)
    later = status()[2]["ours"]
    equal((later["changed"], later["imported"]), (feeds["ours"]["changed"], feeds["ours"]["imported"]))
    ok(later["checked"] > feeds["ours"]["checked"], later)
    server.status = 500
    equal(run(state, "feed", "refresh", "ours", "--policy", policy)[0], 3)
    broken = status()[2]["ours"]
    ok("500" in broken["error"] and broken["imported"] == later["imported"], broken)
    code, text = run(state, "feed", "status", "--policy", policy)
    equal(code, 0, text)
    ok("every 1h" in text and "every 36h" in text and "failed: " in text and "imported never" in text and server.url in text, text)
    # Under another URL it was never asked.
    with open(policy, "a") as f:
        f.seek(0)
        f.truncate()
        f.write("version: 1\nadvisories:\n  feeds:\n    - {name: ours, url: \"%s/other.zip\", every: 1h}\n" % server.url)
    ok("never asked" in run(state, "feed", "status", "--policy", policy)[1])


def git(folder, *words):
    subprocess.run(["git", "-C", folder, "-c", "user.name=jo", "-c", "user.email=jo@acme.example", *words], check=True, capture_output=True, timeout=60)


def test_a_git_checkout_is_a_source(t):
    checkout, state = t.path("advisories"), t.path("state")
    place = os.path.join(checkout, "osv", "npm", "lab-a")
    os.makedirs(place)

    def write(*records):
        for r in records:
            with open(os.path.join(place, r["id"] + ".json"), "w") as f:
                json.dump(r, f)
        git(checkout, "add", "-A")
        git(checkout, "commit", "-qm", "advisories")
    git(checkout, "init", "-q")
    # No advisories: what git keeps, and what stands in a checkout besides. A packed or loose object is never read, whatever its name.
    with open(os.path.join(checkout, ".git", "MAL-9.json"), "w") as f:
        json.dump(record("MAL-9"), f)
    with open(os.path.join(checkout, "README.md"), "w") as f:
        f.write("advisories\n")
    write(record("MAL-1"), record("MAL-2"))
    code, text = run(state, "feed", "import", "--source", "git", checkout)
    equal(code, 0, text)
    equal(ids(state), ["MAL-1", "MAL-2"])
    ok("0 skipped" in text, text)
    # After a pull: one came, one was withdrawn, nothing else is done.
    write(record("MAL-3"), record("MAL-2", modified="2024-02-01T00:00:00Z", withdrawn="2024-02-01T00:00:00Z"))
    counts = json.loads(run(state, "feed", "import", "--source", "git", "--json", checkout)[1])
    equal((counts["added"], counts["withdrawn"], counts["unchanged"], counts["skipped"]), (1, 1, 1, 0), counts)


def test_the_gate_fetches_its_feeds_by_itself(t):
    server = Server()
    server.files["/all.zip"] = zipped(t.path("a.zip"), record("MAL-1", versions=["1.0.0"]))
    fake = t.fake().lab()
    gate = t.gate(policy(fake.url) + "advisories:\n  feeds:\n    - {name: ours, url: \"%s/all.zip\", every: 1h}\n" % server.url)
    wait_until(lambda: "1.0.0" not in gate.versions("lab-a"), "what the feed calls malware is hidden", WITHIN)
    ok(len(gate.versions("lab-a")) > 0)
    equal(server.codes("/all.zip"), [200])
    ok("feed imported" in gate.tail(20000))


if __name__ == "__main__":
    main(sys.modules[__name__])
