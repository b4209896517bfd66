#!/usr/bin/env python3
"""A stop closes idle connections at once, lets a request that is being handled finish, and ends after the grace at last."""
import argparse
import os
import signal
import socket
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from run import Server  # noqa: E402

GET_LATER = b"GET /later HTTP/1.1\r\nHost: a\r\n\r\n"
GET_SMALL = b"GET /small HTTP/1.1\r\nHost: a\r\n\r\n"


def connect(server):
    return socket.create_connection((server.host, server.port), 20)


def read_all(connection):
    received = b""
    try:
        while piece := connection.recv(65536):
            received += piece
    except ConnectionResetError:
        pass
    return received


def requests_under_way_finish(program):
    server = Server(program, ["--grace", "600000"])
    idle, busy = connect(server), connect(server)
    idle.sendall(GET_SMALL)
    assert idle.recv(4096).endswith(b"0123456789abcde\n")
    busy.sendall(GET_LATER + GET_SMALL)
    # The pipelined bytes are with the server once another connection that came later has its answer.
    other = connect(server)
    other.sendall(GET_SMALL)
    other.recv(4096)
    server.process.send_signal(signal.SIGTERM)
    assert idle.recv(4096) == b""
    received = read_all(busy)
    assert received.count(b"HTTP/1.1 200") == 1 and b"connection: close" in received and received.endswith(b"later\n"), received
    assert server.process.wait(60) == 0


def an_answer_under_way_finishes(program):
    server = Server(program, ["--grace", "600000"])
    reader = connect(server)
    reader.sendall(b"GET /stream?20000000 HTTP/1.1\r\nHost: a\r\n\r\n")
    received = reader.recv(1000)
    server.process.send_signal(signal.SIGTERM)
    received += read_all(reader)
    assert len(received.split(b"\r\n\r\n", 1)[1]) == 20000000
    reader.close()
    assert server.process.wait(60) == 0  # long before the grace is over


def the_grace_ends(program):
    server = Server(program, ["--grace", "300"])
    stuck = connect(server)
    stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stuck.sendall(b"GET /stream?60000000 HTTP/1.1\r\nHost: a\r\n\r\n")
    half = connect(server)
    half.sendall(b"GET /small HTTP/1.1\r\n")
    stuck.recv(1)
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(60) == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True)
    arguments = parser.parse_args()
    for check in (requests_under_way_finish, an_answer_under_way_finishes, the_grace_ends):
        check(arguments.server)
        print("ok", check.__name__)


if __name__ == "__main__":
    main()
