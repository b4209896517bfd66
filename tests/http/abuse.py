#!/usr/bin/env python3
"""Clients as they are on a bad day: half-closed, reset, gone in the middle, hundreds at once. Whatever they do, every request
that was announced ends in gone() once, no connection stays, and the server goes on answering."""
import argparse
import os
import random
import re
import socket
import struct
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from run import Server  # noqa: E402

GET = b"GET %s HTTP/1.1\r\nHost: a\r\n\r\n"


def connect(server):
    return socket.create_connection((server.host, server.port), 20)


def read_all(connection):
    received = b""
    while piece := connection.recv(65536):
        received += piece
    return received


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def counts(server):
    with connect(server) as connection:
        connection.sendall(b"GET /counts HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        return {name: int(value) for name, value in re.findall(rb"(\w+)=(\d+)", read_all(connection).split(b"\r\n\r\n")[1])}


def wait_until_all_are_gone(server):
    for _ in range(400):
        found = counts(server)
        # The request that asks is announced and not gone yet.
        if found[b"announced"] - 1 == found[b"gone"]:
            return found
        threading.Event().wait(0.02)
    raise AssertionError(found)


def a_half_closed_client_gets_its_answers(server):
    with connect(server) as connection:
        connection.sendall(GET % b"/later" + GET % b"/stream?50000" + GET % b"/small")
        connection.shutdown(socket.SHUT_WR)
        received = read_all(connection)
        assert received.count(b"HTTP/1.1 200 OK") == 3 and received.endswith(b"0123456789abcde\n")


def a_client_lost_while_work_runs_is_told(server):
    before = counts(server)[b"lost"]
    connection = connect(server)
    connection.sendall(GET % b"/small" + GET % b"/later")
    assert b"200 OK" in connection.recv(4096)
    reset(connection)
    assert wait_until_all_are_gone(server)[b"lost"] == before + 1


def pipelined_bytes_wait_outside(server):
    """While a request is handled, the server takes a bounded amount of what follows."""
    with connect(server) as connection:
        connection.sendall(GET % b"/later")
        connection.settimeout(0.02)
        sent = 0
        try:
            while sent < 64 << 20:
                sent += connection.send(GET % b"/small" * 1000)
        except TimeoutError:
            pass
        assert sent < 64 << 20
        connection.settimeout(20)


def many_connections_at_once(server):
    opened = [connect(server) for _ in range(800)]
    for connection in opened:
        connection.sendall(GET % b"/stream?500")
    for connection in opened:
        assert connection.recv(4096).startswith(b"HTTP/1.1 200")
    for connection in opened:
        connection.close()


def misbehave(server, chance):
    paths = (b"/small", b"/later", b"/blob?9000000", b"/stream?900000", b"/abort?500000", b"/nowhere", b"/empty", b"/split", b"/early")
    bodies = (b"PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 90000\r\n\r\n" + b"x" * 90000,
              b"PUT /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n",
              b"PUT /early HTTP/1.1\r\nHost: a\r\nContent-Length: 90000\r\n\r\n" + b"x" * 90000)
    wire = b"".join(chance.choice((GET % chance.choice(paths), chance.choice(bodies))) for _ in range(chance.randint(1, 12)))
    if chance.random() < 0.2:
        spot = chance.randrange(min(len(wire), 80))
        wire = wire[:spot] + bytes([chance.randrange(256)]) + wire[spot + 1:]
    wire = wire[:chance.randint(1, len(wire))] if chance.random() < 0.4 else wire
    connection = connect(server)
    connection.settimeout(0.1)
    try:
        at = 0
        while at < len(wire):
            end = at + chance.choice((1, 7, 100, 5000, 1 << 20))
            connection.sendall(wire[at:end])
            at = end
        if chance.random() < 0.3:
            connection.shutdown(socket.SHUT_WR)
        for _ in range(chance.randint(0, 50)):
            if not connection.recv(chance.choice((10, 65536))):
                break
    except OSError:
        pass
    if chance.random() < 0.5:
        reset(connection)
    else:
        connection.close()


def bad_days(server, seed):
    def one(number):
        chance = random.Random(seed * 100 + number)
        for _ in range(10):
            misbehave(server, chance)

    workers = [threading.Thread(target=one, args=(number,)) for number in range(12)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    wait_until_all_are_gone(server)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    server = Server(arguments.server, ["--write", "5000"])
    try:
        a_half_closed_client_gets_its_answers(server)
        a_client_lost_while_work_runs_is_told(server)
        pipelined_bytes_wait_outside(server)
        many_connections_at_once(server)
        bad_days(server, arguments.seed)
        print("counts", counts(server))
    finally:
        server.stop()


if __name__ == "__main__":
    main()
