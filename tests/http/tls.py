#!/usr/bin/env python3
"""What varnishtest cannot do: the server behind TLS, and clients that break off in the middle of a handshake."""
import argparse
import http.client
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from run import Server  # noqa: E402


def client_context():
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def keeps_a_connection_for_many_answers(server):
    connection = http.client.HTTPSConnection(server.host, server.port, context=client_context(), timeout=20)
    for path, length in (("/small", 16), ("/blob?20000000", 20000000), ("/stream?500000", 500000), ("/later", 6), ("/empty", 0)):
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        assert len(body) == length, (path, len(body))
        if path.startswith("/blob"):
            assert body == b"0123456789abcdef" * (length // 16)
    body = os.urandom(700000)
    connection.request("PUT", "/echo", body=body)
    assert connection.getresponse().read() == body
    connection.close()


def offers_http_1_only(server):
    context = client_context()
    context.set_alpn_protocols(["h2", "http/1.1"])
    with socket.create_connection((server.host, server.port), 20) as plain:
        with context.wrap_socket(plain) as secure:
            assert secure.selected_alpn_protocol() == "http/1.1", secure.selected_alpn_protocol()
    context.set_alpn_protocols(["h2"])
    with socket.create_connection((server.host, server.port), 20) as plain:
        with context.wrap_socket(plain) as secure:
            assert secure.selected_alpn_protocol() is None


def refuses_old_versions(server):
    context = client_context()
    context.minimum_version = ssl.TLSVersion.TLSv1  # the client must be willing for the refusal to be the server's
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    try:
        with socket.create_connection((server.host, server.port), 20) as plain, context.wrap_socket(plain):
            raise AssertionError("TLS 1.1 was accepted")
    except (ssl.SSLError, ConnectionResetError):
        pass


def says_goodbye(server):
    with socket.create_connection((server.host, server.port), 20) as plain:
        with client_context().wrap_socket(plain, suppress_ragged_eofs=False) as secure:
            secure.sendall(b"GET /small HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            received = b""
            while piece := secure.recv(4096):
                received += piece
            assert received.endswith(b"0123456789abcde\n"), received


def an_aborted_answer_has_no_goodbye(server):
    with socket.create_connection((server.host, server.port), 20) as plain:
        with client_context().wrap_socket(plain, suppress_ragged_eofs=False) as secure:
            secure.sendall(b"GET /abort?1000 HTTP/1.1\r\nHost: a\r\n\r\n")
            try:
                while secure.recv(4096):
                    pass
            except (ssl.SSLError, ConnectionResetError):
                return
            raise AssertionError("a cut answer ended like a whole one")


def drops_what_is_no_handshake(server):
    with socket.create_connection((server.host, server.port), 20) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        while plain.recv(4096):
            pass
    # A handshake that stops in its middle ends with the head's time-out.
    with socket.create_connection((server.host, server.port), 20) as plain:
        plain.sendall(bytes.fromhex("16030100f8010000f40303"))
        assert plain.recv(4096) == b""


def many_at_once(server):
    context = client_context()
    opened = [context.wrap_socket(socket.create_connection((server.host, server.port), 20)) for _ in range(40)]
    for number, secure in enumerate(opened):
        secure.sendall(b"GET /blob?%d HTTP/1.1\r\nHost: a\r\n\r\n" % (number * 10000))
    for number, secure in enumerate(opened):
        answer = http.client.HTTPResponse(secure)
        answer.begin()
        assert len(answer.read()) == number * 10000
        secure.close()


def renews_its_certificate(server, folder):
    def certificate_of(secure):
        return secure.getpeercert(binary_form=True)

    context = client_context()
    old = context.wrap_socket(socket.create_connection((server.host, server.port), 20))
    make_certificate(folder)
    server.process.send_signal(signal.SIGHUP)
    for _ in range(200):
        with context.wrap_socket(socket.create_connection((server.host, server.port), 20)) as new:
            if certificate_of(new) != certificate_of(old):
                break
    else:
        raise AssertionError("the old certificate is still used")
    old.sendall(b"GET /small HTTP/1.1\r\nHost: a\r\n\r\n")
    assert old.recv(4096).startswith(b"HTTP/1.1 200")
    old.close()


def make_certificate(folder):
    certificate, key = str(folder / "certificate.pem"), str(folder / "key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-keyout", key, "-out", certificate], check=True, stderr=subprocess.DEVNULL)
    return certificate, key


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        certificate, key = make_certificate(pathlib.Path(folder))
        server = Server(arguments.server, ["--certificate", certificate, "--key", key, "--head", "1500"])
        try:
            for check in (keeps_a_connection_for_many_answers, offers_http_1_only, refuses_old_versions, says_goodbye,
                          an_aborted_answer_has_no_goodbye, drops_what_is_no_handshake, many_at_once):
                check(server)
                print("ok", check.__name__)
            renews_its_certificate(server, pathlib.Path(folder))
        finally:
            server.stop()
        wrong = subprocess.run([arguments.server, "--certificate", key, "--key", key], capture_output=True, text=True)
        assert wrong.returncode == 2 and "certificate" in wrong.stderr, wrong


if __name__ == "__main__":
    main()
