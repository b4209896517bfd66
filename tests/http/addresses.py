#!/usr/bin/env python3
"""Where the server listens: IPv4 and IPv6, and a sentence when it cannot."""
import argparse
import os
import socket
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from run import Server  # noqa: E402


def answers_on_ipv6(program):
    if not socket.has_ipv6:
        return
    server = Server(program, ["[::1]:0"])
    assert server.address.startswith("[::1]:"), server.address
    with socket.create_connection(("::1", server.port), 20) as connection:
        connection.sendall(b"GET /small HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 200")
    server.stop()


def says_what_is_wrong(program):
    for address, words in (("4873", "write it as"), ("127.0.0.1:", "write it as"), ("127.0.0.1:70000", "write it as"),
                           ("[::1:80", "write it as"), ("192.0.2.1:4873", "192.0.2.1:4873")):
        done = subprocess.run([program, address], capture_output=True, text=True, timeout=20)
        assert done.returncode == 1 and words in done.stderr, (address, done)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True)
    arguments = parser.parse_args()
    answers_on_ipv6(arguments.server)
    says_what_is_wrong(arguments.server)


if __name__ == "__main__":
    main()
