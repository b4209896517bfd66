"""The upstream client against a hostile server: test_fetch.py FETCH_DRIVER [unittest's own arguments]."""

import errno
import gzip
import json
import os
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import unittest
import zlib

DRIVER = None
BIG = bytes(i * 7 % 251 for i in range(1024)) * 2048  # 2 MiB
SECRET = "Bearer s3cr3t"


class Request:
    def __init__(self, head, connection, serial):
        lines = head.decode("latin-1").split("\r\n")
        self.method, self.target = lines[0].split(" ")[:2]
        self.headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            self.headers[name.strip().lower()] = value.strip()
        self.connection = connection
        self.serial = serial
        self.body = b""

    def send(self, data):
        self.connection.sendall(data if isinstance(data, bytes) else data.encode())

    def answer(self, status="200 OK", body=b"", headers=(), length=None):
        lines = ["HTTP/1.1 " + status, *headers, f"content-length: {len(body) if length is None else length}"]
        self.send("\r\n".join(lines) + "\r\n\r\n")
        if self.method != "HEAD":
            self.send(body)


class Server:
    """Hands each request to handler(request); a true result closes the connection. Remembers all requests."""

    def __init__(self, handler, context=None):
        self.handler, self.context = handler, context
        self.requests, self.connections = [], 0
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self.listener.getsockname()[1]
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self.port}"
        self.stopped = threading.Event()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while not self.stopped.is_set():
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.serve, args=(connection, self.connections), daemon=True).start()

    def serve(self, connection, serial):
        try:
            if self.context:
                connection = self.context.wrap_socket(connection, server_side=True)
            pending = b""
            while True:
                while b"\r\n\r\n" not in pending:
                    piece = connection.recv(65536)
                    if not piece:
                        return
                    pending += piece
                head, _, pending = pending.partition(b"\r\n\r\n")
                request = Request(head, connection, serial)
                length = int(request.headers.get("content-length", 0))
                while len(pending) < length:
                    pending += connection.recv(65536)
                request.body, pending = pending[:length], pending[length:]
                self.requests.append(request)
                if self.handler(request):
                    return
        except OSError:
            pass
        finally:
            connection.close()

    def close(self):
        self.stopped.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def checksum(data):
    total = 0
    for byte in data:
        total = (total * 31 + byte) & 0xFFFFFFFF
    return total


def fetch_all(*arguments, env=None):
    """All lines that the driver prints."""
    environment = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    environment.update(env or {})
    run = subprocess.run([DRIVER, *arguments], capture_output=True, timeout=60, env=environment, check=False)
    if run.returncode != 0:
        raise AssertionError(f"the driver ended with {run.returncode}: {run.stderr.decode()}")
    return [json.loads(line) for line in run.stdout.splitlines()]


def fetch(*arguments, env=None):
    """(head or None, done) of a single fetch."""
    lines = fetch_all(*arguments, env=env)
    heads = [line for line in lines if line["event"] == "head"]
    dones = [line for line in lines if line["event"] == "done"]
    assert len(dones) == 1, lines
    assert len(heads) <= 1, lines
    return (heads[0] if heads else None), dones[0]


class FetchTest(unittest.TestCase):
    def serve(self, handler, context=None):
        server = Server(handler, context)
        self.addCleanup(server.close)
        return server

    def one(self, handler, *arguments, env=None, path="/x"):
        server = self.serve(handler)
        return fetch("origin=" + server.url, "auth=" + SECRET, *arguments, "url=" + server.url + path, env=env)

    def fails(self, done, code):
        self.assertEqual(done["code"], -code, done)
        self.assertIn("cannot fetch", done["text"])
        self.assertNotIn("s3cr3t", done["text"])


class Plain(FetchTest):
    def test_the_head_and_every_byte_arrive(self):
        server = self.serve(lambda r: r.answer(body=BIG, headers=['ETag: "abc"', "Content-Type: text/x", "Last-Modified: yesterday"]))
        head, done = fetch("origin=" + server.url, "auth=" + SECRET, "accept=a/b", 'etag="old"', "header=npm-command: install",
                           "url=" + server.url + "/@scope%2fname?write=true")
        self.assertEqual((head["status"], head["content_length"], head["etag"], head["reason"]), (200, len(BIG), '"abc"', "OK"))
        self.assertEqual((head["content_type"], head["last_modified"]), ("text/x", "yesterday"))
        self.assertEqual((done["code"], done["bytes"], done["sum"]), (0, len(BIG), checksum(BIG)))
        sent = server.requests[0]
        self.assertEqual((sent.method, sent.target), ("GET", "/@scope%2fname?write=true"))
        self.assertEqual(sent.headers["via"], "1.1 bondgate-test")
        self.assertEqual(sent.headers["authorization"], SECRET)
        self.assertEqual((sent.headers["accept"], sent.headers["if-none-match"]), ("a/b", '"old"'))
        self.assertEqual(sent.headers["npm-command"], "install")
        self.assertNotIn("accept-encoding", sent.headers)

    def test_an_error_status_is_an_answer(self):
        head, done = self.one(lambda r: r.answer("503 Busy Now", b"later"))
        self.assertEqual((head["status"], head["reason"], done["code"], done["status"]), (503, "Busy Now", 0, 503))

    def test_not_modified_has_no_body(self):
        head, done = self.one(lambda r: r.send('HTTP/1.1 304 Not Modified\r\netag: "x"\r\ncontent-length: 999\r\n\r\n'))
        self.assertEqual((head["status"], head["content_length"], done["code"], done["bytes"]), (304, -1, 0, 0))

    def test_head_requests_end_after_the_head(self):
        head, done = self.one(lambda r: r.answer(length=12345, headers=["content-encoding: gzip"]), "method=HEAD", "decode=1")
        self.assertEqual((head["status"], done["code"], done["bytes"]), (200, 0, 0))

    def test_a_body_is_sent(self):
        server = self.serve(lambda r: r.answer("201 Created"))
        for method in ("PUT", "POST", "DELETE"):
            _, done = fetch("origin=" + server.url, "method=" + method, "body={}", "type=application/json", "url=" + server.url + "/p")
            self.assertEqual((done["code"], done["status"]), (0, 201))
            sent = server.requests[-1]
            self.assertEqual((sent.method, sent.body, sent.headers["content-type"]), (method, b"{}", "application/json"))
            self.assertNotIn("expect", sent.headers)

    def test_a_connection_is_used_again(self):
        server = self.serve(lambda r: r.answer(body=b"hello"))
        lines = fetch_all("origin=" + server.url, *("url=" + server.url + "/1 -- url=" + server.url + "/2").split())
        self.assertEqual([line["bytes"] for line in lines if line["event"] == "done"], [5, 5])
        self.assertEqual(server.connections, 1)

    def test_parallel_fetches_share_a_bounded_number_of_connections(self):
        server = self.serve(lambda r: r.answer(body=BIG[:100000]))
        lines = fetch_all("origin=" + server.url, "parallel=60", "url=" + server.url + "/", env={"PER_HOST": "8"})
        self.assertEqual([line["code"] for line in lines if line["event"] == "done"], [0] * 60)
        self.assertLessEqual(server.connections, 8)

    def test_values_that_cannot_be_sent_back_are_dropped(self):
        head, done = self.one(lambda r: r.answer(headers=["etag: a\x01b", "last-modified: " + "x" * 9000, "content-type: a/b"]))
        self.assertEqual((head["etag"], head["last_modified"], head["content_type"], done["code"]), ("", "", "a/b", 0))

    def test_interim_answers_are_skipped(self):
        def handler(r):
            r.send("HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n")
            r.answer(body=b"final")

        head, done = self.one(handler)
        self.assertEqual((head["status"], done["bytes"]), (200, 5))


class Broken(FetchTest):
    def test_a_dead_port_is_refused(self):
        with socket.create_server(("127.0.0.1", 0)) as s:
            port = s.getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        _, done = fetch("origin=" + url, "url=" + url + "/x?token=s3cr3t")
        self.fails(done, errno.ECONNREFUSED)
        self.assertIn(f"cannot fetch {url}/x:", done["text"])

    def test_a_name_that_does_not_resolve_says_so(self):
        _, done = fetch("origin=http://no.such.name.invalid", "url=http://no.such.name.invalid/")
        self.fails(done, errno.EHOSTUNREACH)

    def test_an_upstream_that_never_answers_times_out(self):
        release = threading.Event()
        self.addCleanup(release.set)
        _, done = self.one(lambda r: release.wait(20), env={"STALL": "1000"})
        self.fails(done, errno.ETIMEDOUT)

    def test_an_upstream_that_stops_in_the_middle_times_out(self):
        release = threading.Event()
        self.addCleanup(release.set)

        def handler(r):
            r.answer(body=b"abc", length=1000)
            return release.wait(20) or True

        head, done = self.one(handler, env={"STALL": "1000"})
        self.assertEqual(head["content_length"], 1000)
        self.fails(done, errno.ETIMEDOUT)

    def test_a_trickle_is_cut_by_the_total_time(self):
        def handler(r):
            r.send("HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")
            while True:
                r.send("x" * 100)
                threading.Event().wait(0.05)

        _, done = self.one(handler, env={"TOTAL": "1000"})
        self.fails(done, errno.ETIMEDOUT)

    def test_a_body_shorter_than_its_length_is_an_error(self):
        def handler(r):
            r.answer(body=b"abc", length=10)
            return True

        _, done = self.one(handler)
        self.fails(done, errno.ECONNRESET)
        self.assertEqual(done["bytes"], 3)

    def test_a_cut_chunked_body_is_an_error(self):
        def handler(r):
            r.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n")
            return True

        head, done = self.one(handler)
        self.assertEqual(head["content_length"], -1)
        self.fails(done, errno.ECONNRESET)

    def test_a_damaged_chunk_is_an_error(self):
        def handler(r):
            r.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nabc\r\n")
            return True

        _, done = self.one(handler)
        self.assertLess(done["code"], 0)

    def test_a_whole_chunked_body_with_trailers_arrives(self):
        _, done = self.one(lambda r: r.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nx-t: 1\r\n\r\n"))
        self.assertEqual((done["code"], done["bytes"]), (0, 3))

    def test_nothing_at_all_is_an_error(self):
        _, done = self.one(lambda r: True)
        self.fails(done, errno.ECONNRESET)

    def test_what_is_not_http_is_an_error(self):
        def handler(r):
            r.send("220 mail ready\r\n")
            return True

        _, done = self.one(handler)
        self.fails(done, errno.EPROTO)

    def test_two_lengths_are_an_error(self):
        _, done = self.one(lambda r: r.answer(body=b"abc", headers=["content-length: 30"]))
        self.assertLess(done["code"], 0)
        self.assertEqual(done["bytes"], 0)

    def test_bytes_after_the_length_are_not_delivered(self):
        _, done = self.one(lambda r: r.answer(body=b"abcdefgh", length=3))
        self.assertEqual((done["code"], done["bytes"]), (0, 3))

    def test_an_endless_body_is_cut(self):
        def handler(r):
            r.send("HTTP/1.1 200 OK\r\n\r\n")
            while True:
                r.send(BIG)

        _, done = self.one(handler, "max=3000000")
        self.fails(done, errno.EFBIG)
        self.assertLessEqual(done["bytes"], 3000000)

    def test_a_length_above_the_maximum_is_refused_before_the_body(self):
        head, done = self.one(lambda r: r.answer(body=BIG), "max=1000")
        self.assertIsNone(head)
        self.fails(done, errno.EFBIG)

    def test_the_maximum_itself_is_allowed(self):
        _, done = self.one(lambda r: r.answer(body=BIG), f"max={len(BIG)}")
        self.assertEqual(done["code"], 0)

    def endless(self, start, piece):
        def handler(r):
            r.send(start)
            while True:
                r.send(piece)

        head, done = self.one(handler)
        self.assertIsNone(head)
        self.assertLess(done["code"], 0)
        self.assertNotEqual(done["code"], -errno.ETIMEDOUT, done)

    def test_endless_headers_are_cut(self):
        self.endless("HTTP/1.1 200 OK\r\n", "x-filler: " + "y" * 1000 + "\r\n")

    def test_an_endless_header_line_is_cut(self):
        self.endless("HTTP/1.1 200 OK\r\nx-filler: ", "y" * 65536)

    def test_endless_interim_answers_are_cut(self):
        self.endless("", "HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n" * 20)


class Redirected(FetchTest):
    def redirect_to(self, url, status="302 Found", body=b"moved"):
        return lambda r: r.answer(status, body, ["location: " + url])

    def test_the_own_host_is_followed_with_credentials(self):
        def handler(r):
            if r.target == "/x":
                r.answer("301 Moved", b"see there", ["location: /y/../z?q=1#f"])
            else:
                r.answer(body=b"here", headers=['etag: "second"'])

        server = self.serve(handler)
        head, done = fetch("origin=" + server.url, "auth=" + SECRET, "url=" + server.url + "/x")
        self.assertEqual((head["etag"], done["bytes"]), ('"second"', 4))
        self.assertEqual(server.requests[1].target, "/z?q=1")
        self.assertEqual(server.requests[1].headers["authorization"], SECRET)
        self.assertEqual(server.connections, 1)

    def test_a_large_redirect_body_is_not_read(self):
        def handler(r):
            if r.target == "/x":
                r.answer("302 Found", BIG, ["location: /y"])
            else:
                r.answer(body=b"here")

        _, done = self.one(handler)
        self.assertEqual((done["code"], done["bytes"]), (0, 4))

    def test_an_unlisted_host_is_never_contacted(self):
        other = self.serve(lambda r: r.answer(body=b"stolen"))
        _, done = self.one(self.redirect_to(other.url + "/secret?sig=abc"))
        self.fails(done, errno.EACCES)
        self.assertEqual(other.connections, 0)
        self.assertIn("redirected there by", done["text"])
        self.assertNotIn("sig=", done["text"])

    def test_a_listed_host_is_contacted_without_credentials(self):
        other = self.serve(lambda r: r.answer(body=b"cdn"))
        server = self.serve(self.redirect_to(other.url + "/a.tgz?sig=abc"))
        _, done = fetch("origin=" + server.url, "auth=" + SECRET, "header=x-otp: 123456", f"listed=127.0.0.1:{other.port}",
                        "url=" + server.url + "/x")
        self.assertEqual((done["code"], done["bytes"]), (0, 3))
        self.assertEqual(server.requests[0].headers["authorization"], SECRET)
        self.assertEqual(server.requests[0].headers["x-otp"], "123456")
        self.assertEqual(other.requests[0].target, "/a.tgz?sig=abc")
        self.assertNotIn("authorization", other.requests[0].headers)
        self.assertNotIn("x-otp", other.requests[0].headers)

    def test_credentials_do_not_go_to_the_own_address_under_another_name(self):
        server = self.serve(lambda r: r.answer(body=b"x"))
        _, done = fetch("origin=" + server.url, "auth=" + SECRET, f"listed=localhost:{server.port}",
                        f"url=http://localhost:{server.port}/")
        self.assertEqual(done["code"], 0)
        self.assertNotIn("authorization", server.requests[0].headers)

    def test_a_circle_ends(self):
        server = self.serve(lambda r: r.answer("302 Found", b"", ["location: " + ("/b" if r.target == "/a" else "/a")]))
        _, done = fetch("origin=" + server.url, "url=" + server.url + "/a")
        self.fails(done, errno.ELOOP)
        self.assertEqual(len(server.requests), 2)

    def test_a_redirect_to_itself_ends(self):
        server = self.serve(self.redirect_to("/./a#again"))
        _, done = fetch("origin=" + server.url, "url=" + server.url + "/a")
        self.fails(done, errno.ELOOP)
        self.assertEqual(len(server.requests), 1)

    def test_too_many_redirects_end(self):
        server = self.serve(lambda r: r.answer("302 Found", b"", ["location: " + r.target + "x"]))
        _, done = fetch("origin=" + server.url, "url=" + server.url + "/a", env={"REDIRECTS": "3"})
        self.fails(done, errno.ELOOP)
        self.assertEqual(len(server.requests), 4)

    def test_loopback_under_a_wildcard_name_is_refused(self):
        other = self.serve(lambda r: r.answer(body=b"internal"))
        server = self.serve(self.redirect_to(f"http://evil.localhost:{other.port}/"))
        _, done = fetch("origin=" + server.url, f"listed=*.localhost:{other.port}", "url=" + server.url + "/x")
        self.fails(done, errno.EACCES)
        self.assertIn("private, local or reserved", done["text"])
        self.assertEqual(other.connections, 0)

    def test_an_exactly_listed_name_may_be_private(self):
        other = self.serve(lambda r: r.answer(body=b"internal"))
        server = self.serve(self.redirect_to(f"http://good.localhost:{other.port}/"))
        _, done = fetch("origin=" + server.url, f"listed=good.localhost:{other.port}", "url=" + server.url + "/x")
        self.assertEqual(done["code"], 0)

    def test_a_connection_of_a_trusted_fetch_is_no_way_in(self):
        server = self.serve(lambda r: r.answer(body=b"internal"))
        inner = f"http://good.localhost:{server.port}"
        lines = fetch_all("origin=" + inner, "url=" + inner + "/1", "--", "origin=" + server.url,
                          f"listed=*.localhost:{server.port}", "url=" + inner + "/2")
        first, second = [line for line in lines if line["event"] == "done"]
        self.assertEqual(first["code"], 0)
        self.fails(second, errno.EACCES)
        self.assertEqual([r.target for r in server.requests], ["/1"])

    def test_numeric_addresses_in_disguise_are_refused(self):
        other = self.serve(lambda r: r.answer(body=b"internal"))
        for host in ("127.1", "2130706433", "0x7f000001", "0177.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "localhost."):
            with self.subTest(host=host):
                _, done = self.one(self.redirect_to(f"http://{host}:{other.port}/"))
                self.fails(done, errno.EACCES)
        self.assertEqual(other.connections, 0)

    def test_other_schemes_and_credentials_in_locations_are_refused(self):
        for location in ("file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://127.0.0.1/", "http://u:s3cr3t@127.0.0.1/", "http://", "//",
                         "http://127.0.0.1:99999/", "http://127.0.0.1:0/", "javascript:alert(1)", "http://127.0.0.1%2f.example/"):
            with self.subTest(location=location):
                _, done = self.one(self.redirect_to(location))
                self.assertIn(done["code"], (-errno.EINVAL, -errno.EACCES, -errno.ELOOP), done)
                self.assertNotIn("s3cr3t", done["text"])

    def test_a_redirect_without_a_place_is_an_answer(self):
        head, done = self.one(lambda r: r.answer("302 Found", b"hm"))
        self.assertEqual((head["status"], done["code"], done["bytes"]), (302, 0, 2))

    def test_a_redirected_write_is_an_error(self):
        server = self.serve(self.redirect_to("/y", "307 Temporary"))
        _, done = fetch("origin=" + server.url, "method=PUT", "body=x", "type=a/b", "url=" + server.url + "/x")
        self.fails(done, errno.EPROTO)
        self.assertEqual(len(server.requests), 1)


class Encoded(FetchTest):
    def zipped(self, data, cut=0, after=b"", encoding="gzip", raw=None):
        packed = (gzip.compress(data) if raw is None else raw)
        packed = packed[: len(packed) - cut] + after
        return lambda r: r.answer(body=packed, headers=["content-encoding: " + encoding])

    def test_gzip_is_asked_for_and_undone(self):
        server = self.serve(self.zipped(BIG))
        head, done = fetch("origin=" + server.url, "decode=1", "url=" + server.url + "/x")
        self.assertEqual((head["content_length"], done["bytes"], done["sum"]), (-1, len(BIG), checksum(BIG)))
        self.assertEqual(server.requests[0].headers["accept-encoding"], "gzip")

    def test_several_members_are_one_body(self):
        _, done = self.one(self.zipped(b"abc", after=gzip.compress(b"defg")), "decode=1")
        self.assertEqual((done["code"], done["bytes"]), (0, 7))

    def test_a_plain_answer_is_fine_too(self):
        head, done = self.one(lambda r: r.answer(body=b"abc", headers=["content-encoding: identity"]), "decode=1")
        self.assertEqual((head["content_length"], done["bytes"]), (3, 3))

    def test_without_asking_bytes_stay_as_they_are(self):
        packed = gzip.compress(b"abc" * 100)
        head, done = self.one(self.zipped(b"abc" * 100))
        self.assertEqual((head["content_length"], done["code"], done["bytes"]), (-1, 0, len(packed)))

    def test_a_bomb_is_cut_at_the_maximum(self):
        def bomb(size):
            packer = zlib.compressobj(9, zlib.DEFLATED, 31)
            return b"".join([packer.compress(bytes(1 << 20)) for _ in range(size)] + [packer.flush()])

        _, done = self.one(self.zipped(b"", raw=bomb(200)), "decode=1", "max=1000000")
        self.fails(done, errno.EFBIG)
        self.assertLessEqual(done["bytes"], 1000000)

    def test_damage_and_lies_are_errors(self):
        damaged = bytearray(gzip.compress(BIG))
        damaged[-6] ^= 1
        for name, handler in {
            "cut": self.zipped(BIG, cut=5),
            "cut in the middle": self.zipped(BIG, cut=2000),
            "checksum": self.zipped(b"", raw=bytes(damaged)),
            "plain text called gzip": self.zipped(b"", raw=b'{"name":"x"}'),
            "something after it": self.zipped(b"abc", after=b"evil"),
            "another encoding": self.zipped(b"abc", encoding="br"),
            "two layers": self.zipped(b"", raw=gzip.compress(gzip.compress(b"abc")), encoding="gzip, gzip"),
        }.items():
            with self.subTest(name):
                _, done = self.one(handler, "decode=1")
                self.fails(done, errno.EBADMSG)


class Controlled(FetchTest):
    def test_pauses_lose_and_double_nothing(self):
        for handler in (lambda r: r.answer(body=BIG), Encoded.zipped(self, BIG)):
            for every in (1, 50000):
                _, done = self.one(handler, "decode=1", f"pause_every={every}")
                self.assertEqual((done["code"], done["bytes"], done["sum"]), (0, len(BIG), checksum(BIG)))

    def test_a_pause_in_the_last_piece_is_no_early_end(self):
        _, done = self.one(lambda r: r.answer(body=b"abc"), "pause_every=3")
        self.assertEqual((done["code"], done["bytes"]), (0, 3))

    def test_a_consumer_that_never_goes_on_does_not_hold_the_fetch_for_ever(self):
        _, done = self.one(lambda r: r.answer(body=BIG), "pause_every=1", "pause_forever=1", env={"TOTAL": "1000"})
        self.fails(done, errno.ETIMEDOUT)

    def test_a_fetch_may_be_cancelled_from_its_callbacks(self):
        for how in ("cancel_in_head=1", "cancel_at=1", "cancel_at=100000"):
            _, done = self.one(lambda r: r.answer(body=BIG), how)
            self.fails(done, errno.ECANCELED)

    def test_the_fetcher_may_be_freed_from_a_callback(self):
        server = self.serve(lambda r: r.answer(body=BIG))
        lines = fetch_all("origin=" + server.url, "free_in_data=1", "url=" + server.url + "/")
        self.assertEqual([line["code"] for line in lines if line["event"] == "done"], [-errno.ECANCELED])

    def test_freeing_ends_those_that_wait_for_a_connection_too(self):
        server = self.serve(lambda r: r.answer(body=BIG))
        lines = fetch_all("origin=" + server.url, "free_in_data=1", "parallel=20", "url=" + server.url + "/", env={"PER_HOST": "3"})
        self.assertEqual([line["code"] for line in lines if line["event"] == "done"], [-errno.ECANCELED] * 20)

    def test_nothing_can_be_injected(self):
        server = self.serve(lambda r: r.answer())
        good = server.url + "/x"
        for arguments in (
            ["url=" + server.url + "/a\r\nx-evil: 1"], ["url=" + server.url + "/a b"], ["url=" + server.url + "/\x01"],
            ["auth=a\r\nx-evil: 1", "url=" + good], ["accept=a\nb: c", "url=" + good], ["etag=a\rb", "url=" + good],
            ["header=x: a\r\nx-evil: 1", "url=" + good], ["header=no colon", "url=" + good], ["header=a b: c", "url=" + good],
            ["header=Host: elsewhere", "url=" + good], ["header=Transfer-Encoding: chunked", "url=" + good],
            ["header=x:", "url=" + good], ["method=GET / HTTP/1.1\r\nx: y", "url=" + good], ["url="], ["url=not a url"], ["url=/x"],
            ["url=file:///etc/passwd"], [f"url=http://user:s3cr3t@127.0.0.1:{server.port}/"],
        ):
            with self.subTest(arguments=arguments):
                _, done = fetch("origin=" + server.url, *arguments)
                self.fails(done, errno.EINVAL)
        self.assertEqual(server.connections, 0)


class Proxied(FetchTest):
    def test_the_environment_names_the_proxy(self):
        proxy = self.serve(lambda r: r.answer(body=b"by proxy"))
        _, done = fetch("origin=http://registry.example", "url=http://registry.example/x", env={"http_proxy": proxy.url})
        self.assertEqual((done["code"], done["bytes"]), (0, 8))
        self.assertEqual(proxy.requests[0].target, "http://registry.example/x")

    def test_no_proxy_goes_directly(self):
        proxy = self.serve(lambda r: r.answer(body=b"by proxy"))
        _, done = self.one(lambda r: r.answer(body=b"direct"), env={"http_proxy": proxy.url, "no_proxy": "127.0.0.0/8"})
        self.assertEqual((done["bytes"], proxy.connections), (6, 0))

    def test_names_protect_behind_a_proxy_too(self):
        proxy = self.serve(lambda r: r.answer("302 Found", b"", ["location: http://169.254.169.254/"]))
        _, done = fetch("origin=http://registry.example", "url=http://registry.example/x", env={"http_proxy": proxy.url})
        self.fails(done, errno.EACCES)
        self.assertEqual(len(proxy.requests), 1)

    def test_credentials_are_not_shown_to_a_tunnelling_proxy(self):
        proxy = self.serve(lambda r: r.answer("407 No"))
        _, done = fetch("origin=https://registry.example", "auth=" + SECRET, "url=https://registry.example/x",
                        env={"https_proxy": proxy.url})
        self.assertLess(done["code"], 0)
        self.assertEqual(proxy.requests[0].method, "CONNECT")
        self.assertNotIn("authorization", proxy.requests[0].headers)


class Encrypted(FetchTest):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.certificate = os.path.join(cls.folder.name, "c.pem")
        key = os.path.join(cls.folder.name, "k.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                        "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cls.certificate],
                       check=True, capture_output=True)
        cls.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        cls.context.load_cert_chain(cls.certificate, key)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_a_known_certificate_is_accepted(self):
        server = self.serve(lambda r: r.answer(body=BIG), self.context)
        _, done = fetch("origin=" + server.url, "ca=" + self.certificate, "url=" + server.url + "/")
        self.assertEqual((done["code"], done["sum"]), (0, checksum(BIG)))

    def test_an_unknown_certificate_is_refused(self):
        server = self.serve(lambda r: r.answer(body=b"x"), self.context)
        _, done = fetch("origin=" + server.url, "url=" + server.url + "/")
        self.fails(done, errno.EKEYREJECTED)
        self.assertIn("CA file", done["text"])
        self.assertEqual(server.requests, [])

    def test_a_certificate_for_another_name_is_refused(self):
        server = self.serve(lambda r: r.answer(body=b"x"), self.context)
        url = f"https://localhost:{server.port}"
        _, done = fetch("origin=" + url, "ca=" + self.certificate, "url=" + url + "/")
        self.fails(done, errno.EKEYREJECTED)

    def test_a_ca_file_that_is_missing_is_an_error(self):
        server = self.serve(lambda r: r.answer(body=b"x"), self.context)
        _, done = fetch("origin=" + server.url, "ca=/no/such/file", "url=" + server.url + "/")
        self.fails(done, errno.EKEYREJECTED)

    def test_https_never_becomes_http(self):
        plain = self.serve(lambda r: r.answer(body=b"x"))
        server = self.serve(lambda r: r.answer("302 Found", b"", [f"location: {plain.url}/"]), self.context)
        _, done = fetch("origin=" + server.url, f"listed=127.0.0.1:{plain.port}", "ca=" + self.certificate, "url=" + server.url + "/")
        self.fails(done, errno.EACCES)
        _, done = fetch("origin=" + server.url, f"listed=127.0.0.1:{plain.port}", "ca=" + self.certificate, "url=" + plain.url + "/")
        self.fails(done, errno.EACCES)
        self.assertEqual(plain.connections, 0)

    def test_a_cut_without_goodbye_is_an_error(self):
        def handler(r):
            r.answer(body=b"part of it", length=1000)
            os.close(r.connection.detach())  # no close_notify
            return True

        server = self.serve(handler, self.context)
        _, done = fetch("origin=" + server.url, "ca=" + self.certificate, "url=" + server.url + "/")
        self.assertLess(done["code"], 0)


if __name__ == "__main__":
    DRIVER = os.path.abspath(sys.argv.pop(1))
    unittest.main()
