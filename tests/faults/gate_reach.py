#!/usr/bin/env python3
"""What the confined gate reaches: upstreams by name, behind TLS with a CA of their own, behind a proxy; and what it says when it cannot."""
import base64
import http.server
import json
import os
import shutil
import socketserver
import ssl
import subprocess
import sys
import threading
import time
import urllib.request

from gate_tools import FakeRegistry, Skip, contains, equal, fetch, lacks, main, ok, policy, sentence, wait_until


def certificates(t):
    """A CA and a certificate of it for localhost: (ca file, certificate file, key file)."""
    if not shutil.which("openssl"):
        raise Skip("no openssl to make certificates with")
    folder = t.path("certificates")
    os.makedirs(folder)

    def run(*words):
        subprocess.run(["openssl", *words], cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key", "-out", "ca.crt", "-days", "2", "-subj", "/CN=lab")
    run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "host.key", "-out", "host.csr", "-subj", "/CN=localhost")
    with open(os.path.join(folder, "names"), "w", encoding="ascii") as f:
        f.write("subjectAltName=DNS:localhost\n")
    run("x509", "-req", "-in", "host.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names", "-out", "host.crt")
    return [os.path.join(folder, name) for name in ("ca.crt", "host.crt", "host.key")]


def tls_registry(t, certificate, key):
    fake = FakeRegistry()
    t.cleanups.append(fake.close)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    fake.server.socket = context.wrap_socket(fake.server.socket, server_side=True)
    fake.url = "https://localhost:%d/" % fake.port
    return fake.lab()


def test_an_upstream_by_name(t):
    fake = t.fake()
    fake.url = "http://localhost:%d/" % fake.port
    fake.lab()
    gate = t.gate(policy(fake.url))
    equal(fetch(gate, "lab-a", "1.1.0").status, 200)
    gate.reload(policy("http://no-such-host.invalid/"))
    wait_until(lambda: gate.get("/lab-%d" % time.monotonic_ns()).status == 502, "the other upstream is asked")
    contains(sentence(gate.get("/lab-x"), 502), "no-such-host.invalid")


def test_an_upstream_behind_tls_with_a_ca_of_its_own(t):
    ca, certificate, key = certificates(t)
    fake = tls_registry(t, certificate, key)
    gate = t.gate(policy(fake.url, registry="ca-file: " + ca))
    equal(gate.versions("lab-a"), {"1.0.0", "1.1.0", "2.0.0-beta.1"})
    equal(fetch(gate, "lab-a", "1.1.0").status, 200)
    # The CA's file may be renewed by rename.
    shutil.copy(ca, ca + ".new")
    os.rename(ca + ".new", ca)
    fake.publish("lab-b", "1.0.0")
    equal(fetch(gate, "lab-b", "1.0.0").status, 200)


def test_an_upstream_whose_certificate_nobody_vouches_for(t):
    _, certificate, key = certificates(t)
    fake = tls_registry(t, certificate, key)
    gate = t.gate(policy(fake.url))
    contains(sentence(gate.get("/lab-a"), 502), "certificate")
    equal(fake.requests, [])
    other = t.gate(policy("https://127.0.0.1:%d/" % fake.port))   # not the name in the certificate
    contains(sentence(other.get("/lab-a"), 502), "certificate")


def test_an_https_upstream_is_never_asked_over_http(t):
    ca, certificate, key = certificates(t)
    fake, plain = tls_registry(t, certificate, key), t.fake().lab()
    fake.hook = lambda h: h.send_response(302) or h.send_header("location", plain.url[:-1] + h.path) or h.send_header("content-length", "0") or h.end_headers() or True
    gate = t.gate(policy(fake.url, registry='ca-file: %s\nartifact-hosts: ["127.0.0.1:%d"]' % (ca, plain.port)))
    ok(gate.get("/lab-a").status in (403, 502))
    equal(plain.requests, [])


def test_an_upstream_behind_a_proxy(t):
    fake = t.fake().lab()
    asked = []

    class Proxy(http.server.BaseHTTPRequestHandler):
        def log_message(self, *unused):
            pass

        def do_GET(self):
            asked.append(self.path)
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with opener.open("http://127.0.0.1:%d/%s" % (fake.port, self.path.split("/", 3)[3])) as answer:
                body = answer.read()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Proxy)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    fake.edit("lab-a", lambda doc: [v["dist"].update(tarball=v["dist"]["tarball"].replace(fake.url, "http://registry.invalid/")) for v in doc["versions"].values()])
    os.environ["http_proxy"] = "http://127.0.0.1:%d" % server.server_address[1]
    try:
        gate = t.gate(policy("http://registry.invalid/"))
    finally:
        del os.environ["http_proxy"]
    equal(gate.get("/lab-a").status, 200)
    equal(fetch(gate, "lab-a", "1.1.0").status, 200)
    ok(all(path.startswith("http://registry.invalid/") for path in asked) and len(asked) == 2, asked)
    server.shutdown()
    server.server_close()


def test_a_gate_behind_tls_is_renewed_without_a_stop(t):
    ca, certificate, key = certificates(t)
    fake = t.fake().lab()
    text = policy(fake.url, extra="gate:\n  tls: {certificate: %s, key: %s}\n" % (certificate, key))
    from gate import Gate
    folder = t.path("gate")

    class TlsGate(Gate):
        def ready(self):
            try:
                return self.fetch("/-/readyz") == 200
            except OSError:
                return False

        def fetch(self, path):
            context = ssl.create_default_context(cafile=ca)
            with urllib.request.urlopen("https://localhost:%d%s" % (self.port, path), timeout=10, context=context) as answer:
                return answer.status

    gate = TlsGate(folder, text)
    t.cleanups.append(gate.stop)
    contains(gate.registry, "https://")
    equal(gate.fetch("/npm/lab-a"), 200)
    with open(certificate, "ab") as f:
        f.write(b"nonsense that is no certificate\n")
    shutil.copy(certificate, certificate + ".new")
    os.rename(certificate + ".new", certificate)
    for _ in range(5):
        gate.reload(text)
        equal(gate.fetch("/npm/lab-a"), 200)
    os.unlink(key)
    gate.reload(text)
    wait_until(lambda: "last good" in gate.tail(1 << 20), "a missing key is said")
    equal(gate.fetch("/npm/lab-a"), 200)


def put(path, data):
    """By rename, in a folder of its own: only what the policy names itself may be reached."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".new", "wb") as f:
        f.write(data if isinstance(data, bytes) else data.encode())
    os.replace(path + ".new", path)
    return path


def openssl(*words, data=None):
    return subprocess.run(["openssl", *words], input=data, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout


class Secretive(http.server.BaseHTTPRequestHandler):
    """An empty archive of advisories, and a webhook that takes everything; remembers the tokens."""
    def log_message(self, *unused):
        pass

    def answer(self, body=b""):
        self.rfile.read(int(self.headers.get("content-length", "0")))
        self.server.tokens.append((self.command, self.path, self.headers.get("authorization")))
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(json.dumps({"id": "MAL-1", "modified": "2024-01-01T00:00:00Z", "affected": [
            {"package": {"ecosystem": "npm", "name": "lab-a"}, "versions": ["1.0.0"]}]}).encode())

    def do_POST(self):
        self.answer()


def secretive(t, certificate, key):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Secretive)
    server.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.tokens, server.url = [], "https://localhost:%d" % server.server_address[1]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    t.cleanups.append(lambda: (server.shutdown(), server.server_close()))
    return server


def test_every_file_that_the_policy_names_is_reached_also_when_it_was_replaced(t):
    ca, certificate, key = certificates(t)
    server, fake = secretive(t, certificate, key), t.fake().lab()
    pem = lambda: openssl("ec", "-pubout", data=openssl("ecparam", "-name", "prime256v1", "-genkey"))                       # noqa: E731
    der = lambda: base64.b64encode(openssl("pkey", "-pubin", "-outform", "DER", data=pem())).decode()                       # noqa: E731
    registry_key = lambda: json.dumps({"keys": [{"keyid": "SHA256:a", "keytype": "ecdsa-sha2-nistp256",                     # noqa: E731
                                                 "scheme": "ecdsa-sha2-nistp256", "key": der(), "expires": None}]})
    root = lambda: openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "/dev/null",  # noqa: E731
                           "-days", "2", "-subj", "/CN=root")
    vex = lambda reason: json.dumps({"@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://acme.example/1", "author": "jo",    # noqa: E731
                                     "timestamp": "2024-01-01T00:00:00Z", "version": 1, "statements": [
                                         {"vulnerability": {"name": reason}, "products": [{"@id": "pkg:npm/lab-b"}], "status": "not_affected",
                                          "justification": "component_not_present"}]})
    place = t.path("named")
    named = {name: os.path.join(place, name, "it") for name in ("team", "keys", "fulcio", "rekor", "vex", "feed-ca", "feed-token", "hook-ca",
                                                                "hook-token", "hook-url", "origin-token")}
    fresh = {"team": lambda: "version: 1\ndeny:\n  versions: [\"npm:lab-a@1.1.0\", \"npm:lab-z@1.0.%d\"]\n" % time.monotonic_ns(),
             "keys": registry_key, "fulcio": root, "rekor": pem, "vex": lambda: vex("CVE-%d" % time.monotonic_ns()),
             "feed-token": lambda: "feed-%d" % time.monotonic_ns(), "hook-token": lambda: "hook-%d" % time.monotonic_ns(),
             "hook-url": lambda: "%s/hook-%d" % (server.url, time.monotonic_ns()), "origin-token": lambda: "origin-%d" % time.monotonic_ns()}
    for name, make in fresh.items():
        put(named[name], make())
    with open(ca, "rb") as f:
        authority = f.read()
    put(named["feed-ca"], authority)
    put(named["hook-ca"], authority)
    os.unlink(ca)
    text = policy(fake.url, registry="token: {file: %(origin-token)s}\nkeys: [%(keys)s]\nprovenance: {fulcio-ca-file: %(fulcio)s, rekor-key-file: %(rekor)s}" % named)
    text += "teams:\n  - {name: web, policy: %(team)s}\n" % named
    text += "advisories:\n  vex: [%(vex)s]\n  feeds:\n    - {name: ours, url: \"URL/all.json\", every: 1h, ca-file: %(feed-ca)s, token: {file: %(feed-token)s}}\n" % named
    text += "webhooks:\n  - {url: {file: %(hook-url)s}, ca-file: %(hook-ca)s, token: {file: %(hook-token)s}}\n" % named
    gate = t.gate(text.replace("URL", server.url))

    def loads():
        return len([r for r in gate.log() if r["decision"] == "policy loaded"])

    wait_until(lambda: any(m == "GET" for m, _, _ in server.tokens), "the feed is asked, behind TLS with its CA")
    wait_until(lambda: "1.0.0" not in gate.versions("lab-a"), "what the feed calls malware is hidden")
    for name, make in fresh.items():
        before = loads()
        put(named[name], make())
        wait_until(lambda n=before: loads() > n, "another %s is in force" % name)
    lacks(gate.tail(1 << 20), "policy refused", "Permission denied")
    # The CA is read at each connection; the other one vouches for nobody here.
    put(named["hook-ca"], root())
    put(named["hook-ca"], authority)
    with open(named["hook-token"], encoding="ascii") as f:
        token = "Bearer " + f.read()
    with open(named["hook-url"], encoding="ascii") as f:
        path = f.read()[len(server.url):]

    def told():
        code, out, errors = gate.command("break-glass", "npm:lab-a@2.0.0-beta.1", "--reason", "a test", "--rules", "cooldown", "--policy", gate.policy_file)
        equal(code, 0, out, errors)
        return any(m == "POST" and p == path and a == token for m, p, a in server.tokens)
    wait_until(told, "the webhook is told with the token and at the address that came last, and behind its CA")
    equal(gate.request("GET", "/t/web/npm/lab-a/-/lab-a-1.1.0.tgz").status, 403)


if __name__ == "__main__":
    main(sys.modules[__name__], jobs=1)   # one of them sets the environment
