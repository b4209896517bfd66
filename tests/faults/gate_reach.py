#!/usr/bin/env python3
"""What the confined gate reaches: upstreams by name, behind TLS with a CA of their own, behind a proxy; and what it says when it cannot."""
import http.server
import os
import shutil
import socketserver
import ssl
import subprocess
import sys
import threading
import time
import urllib.request

from gate_tools import FakeRegistry, Skip, contains, equal, fetch, main, ok, policy, sentence, wait_until


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


if __name__ == "__main__":
    main(sys.modules[__name__], jobs=1)   # one of them sets the environment
